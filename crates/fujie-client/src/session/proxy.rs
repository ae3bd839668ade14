//! Through which proxy a request goes, if through any.
//!
//! Owns reading the settings, given or from the environment, and the exceptions. Speaking to the
//! proxy is the transport's.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use super::Error;
use crate::provider::is_loopback;

/// Schemes of proxies that can be used.
const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

/// Through which proxy to go. None by default: a proxy sees whom we talk to, so it is chosen, not
/// found. What is on this machine never goes through one. `Debug` shows no password.
#[derive(Clone, Default)]
pub struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    exceptions: Vec<Exception>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Exception {
    Everything,
    Domain(String),
    Network(IpAddr, u32),
}

impl Proxies {
    /// No proxy.
    pub fn none() -> Self {
        Self::default()
    }

    /// One proxy for everything: `http://user:password@host:port`, or with `https`, `socks5` or
    /// `socks5h`.
    ///
    /// # Errors
    /// [`Error::Setup`] when it is not such a URL.
    pub fn all(url: &str) -> Result<Self, Error> {
        let proxy = parse(url)?;
        Ok(Self { http: Some(proxy.clone()), https: Some(proxy), exceptions: Vec::new() })
    }

    /// Different proxies for plain http and for https, where either may be absent.
    ///
    /// # Errors
    /// As [`Proxies::all`].
    pub fn by_scheme(http: Option<&str>, https: Option<&str>) -> Result<Self, Error> {
        let (http, https) = (http.map(parse).transpose()?, https.map(parse).transpose()?);
        Ok(Self { http, https, exceptions: Vec::new() })
    }

    /// What goes without a proxy, in the form of `NO_PROXY`: names (which cover the names below
    /// them), addresses, networks such as `10.0.0.0/8`, or `*`, with commas between.
    #[must_use]
    pub fn except(mut self, list: &str) -> Self {
        self.exceptions.extend(list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).filter_map(exception));
        self
    }

    /// What `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say; small letters go first.
    /// In a CGI program `HTTP_PROXY` is ignored, for there a visitor's header sets it.
    ///
    /// # Errors
    /// [`Error::Setup`] when a variable is set and is not a proxy: going without would be worse.
    pub fn from_environment() -> Result<Self, Error> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let value = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let either = |name: &str| value(&name.to_ascii_lowercase()).or_else(|| value(name));
        let http = match value("REQUEST_METHOD") {
            Some(_) => value("http_proxy"),
            None => either("HTTP_PROXY"),
        };
        let all = either("ALL_PROXY");
        let http = http.or_else(|| all.clone());
        let https = either("HTTPS_PROXY").or(all);
        let exceptions = either("NO_PROXY").unwrap_or_default();
        Ok(Self::by_scheme(http.as_deref(), https.as_deref())?.except(&exceptions))
    }

    /// The proxy for this URL.
    pub(super) fn proxy_for(&self, url: &Url) -> Option<&Url> {
        let host = url.host()?;
        if is_loopback(url) || self.exceptions.iter().any(|exception| exception.covers(&host)) {
            return None;
        }
        if url.scheme() == "https" { self.https.as_ref() } else { self.http.as_ref() }
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |proxy: &Option<Url>| proxy.as_ref().map(|url| url.host_str().unwrap_or_default().to_owned());
        out.debug_struct("Proxies")
            .field("http", &shown(&self.http))
            .field("https", &shown(&self.https))
            .field("exceptions", &self.exceptions)
            .finish()
    }
}

impl Exception {
    fn covers(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::Everything, _) => true,
            (Self::Domain(domain), Host::Domain(host)) => {
                host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            (Self::Network(network, length), Host::Ipv4(address)) => lies_in((*address).into(), *network, *length),
            (Self::Network(network, length), Host::Ipv6(address)) => lies_in((*address).into(), *network, *length),
            _ => false,
        }
    }
}

fn lies_in(address: IpAddr, network: IpAddr, length: u32) -> bool {
    let differing = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros(),
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros(),
        _ => return false,
    };
    differing >= length
}

/// A port behind a name is dropped: an exception is about a host.
fn exception(entry: &str) -> Option<Exception> {
    if entry == "*" {
        return Some(Exception::Everything);
    }
    let (address, length) = entry.split_once('/').map_or((entry, None), |(address, length)| (address, Some(length)));
    if let Ok(address) = address.trim_matches(['[', ']']).parse::<IpAddr>() {
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Some(whole), |length| length.parse().ok().filter(|length| *length <= whole))?;
        return Some(Exception::Network(address, length));
    }
    let name = entry.split(':').next()?.trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.');
    match Host::parse(name) {
        Ok(Host::Domain(domain)) => Some(Exception::Domain(domain)),
        Ok(Host::Ipv4(address)) => Some(Exception::Network(address.into(), 32)),
        _ => None,
    }
}

fn parse(text: &str) -> Result<Url, Error> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    // The text may hold a password, and the parser's error says nothing that helps.
    let mut url = Url::parse(&with_scheme).ok().filter(|url| SCHEMES.contains(&url.scheme()) && url.has_host());
    if let Some(url) = &mut url
        && url.scheme().starts_with("socks")
        && url.port().is_none()
    {
        url.set_port(Some(1080)).ok();
    }
    url.ok_or(Error::Setup { what: "has a proxy that is not a URL such as http://proxy.example:3128", source: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &'static [(&str, &str)]) -> Result<Proxies, Error> {
        Proxies::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn check(proxies: &Proxies, url: &str, expected: Option<&str>) {
        let proxy = proxies.proxy_for(&Url::parse(url).unwrap()).map(Url::as_str);
        assert_eq!(proxy, expected, "{url}");
    }

    #[test]
    fn the_environment_names_proxies_by_scheme() {
        let proxies = environment(&[
            ("HTTP_PROXY", "http://upper:1"),
            ("http_proxy", "lower:2"),
            ("ALL_PROXY", "socks5h://all"),
            ("NO_PROXY", "named.example, .inner.example,10.0.0.0/8, 2001:db8::/32 ,*.wild.example,exact.example:8080"),
        ])
        .unwrap();
        check(&proxies, "http://a.example/", Some("http://lower:2/"));
        check(&proxies, "https://a.example/", Some("socks5h://all:1080"));
        for exempt in ["named.example", "x.inner.example", "10.200.3.4", "[2001:db8::7]", "a.wild.example", "localhost"]
        {
            check(&proxies, &format!("http://{exempt}/"), None);
        }
        check(&proxies, "https://exact.example/", None);
        check(&proxies, "http://11.0.0.1/", Some("http://lower:2/"));
        check(&proxies, "http://notinner.example/", Some("http://lower:2/"));
        check(&proxies, "http://[2001:db9::7]/", Some("http://lower:2/"));
        check(&proxies, "http://localhost.example/", Some("http://lower:2/"));
    }

    #[test]
    fn a_star_excepts_everything_and_an_empty_variable_is_none() {
        check(&environment(&[("ALL_PROXY", "p:1"), ("no_proxy", "*")]).unwrap(), "https://a.example/", None);
        check(&environment(&[("HTTPS_PROXY", "")]).unwrap(), "https://a.example/", None);
    }

    #[test]
    fn a_visitors_header_does_not_choose_the_proxy_of_a_cgi_program() {
        let proxies = environment(&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://evil:1")]).unwrap();
        check(&proxies, "http://a.example/", None);
    }

    #[test]
    fn a_variable_that_is_no_proxy_is_an_error_that_shows_no_password() {
        for odd in ["ftp://u:canary@p", "http://u:canary@", "://canary"] {
            let error = Proxies::all(odd).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("canary"));
        }
        let shown = format!("{:?}", Proxies::all("http://u:canary@p.example:1").unwrap());
        assert!(shown.contains("p.example") && !shown.contains("canary"), "{shown}");
    }
}
