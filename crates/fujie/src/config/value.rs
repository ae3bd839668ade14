//! What values mean: each function reads one kind of value, or says what it should have been.
//!
//! The words complete a sentence that begins with the value; they never repeat it themselves.

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf};

use fujie_channel::{
    hub::Overflow,
    post::{SimulatorAt, is_loopback},
    web_push::vapid,
};
use fujie_client::provider::{self, ClientAuthentication};
use fujie_core::{secret::Secret, time::Lifetime};
use url::Url;

use super::{
    LogFormat,
    connection::{OAUTH2, OPENID},
    fault::nearest,
};

/// `Err` holds what is wrong and what to do.
pub(super) type Read<T> = Result<T, String>;

/// An issuer (RFC 8414 §2), narrowed to scheme, host and port.
pub(super) struct Issuer {
    pub text: String,
    pub is_https: bool,
    pub is_loopback: bool,
}

/// Scheme, host and port, spelled in the one way in which clients will compare it (RFC 8414 §3.3).
pub(super) fn issuer(text: &str) -> Read<Issuer> {
    let url = Url::parse(text).or(Err("is not a URL; write scheme and host, such as https://id.example.com"))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err("must begin with https:// (or http:// on this machine)".to_owned());
    }
    let origin = url.origin().ascii_serialization();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("must not hold a user name or password; write {origin}"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("must not have a query or fragment; write {origin}"));
    }
    if url.path() != "/" {
        return Err(format!("must not have a path; write {origin}"));
    }
    if text.ends_with('/') {
        return Err(format!("must not end with a slash; write {origin}"));
    }
    if text != origin {
        return Err(format!("is not spelled as clients compare it; write {origin}"));
    }
    Ok(Issuer { is_https: url.scheme() == "https", is_loopback: is_loopback(&url), text: origin })
}

/// The issuer of a server that only this machine can reach.
pub(super) fn issuer_of(listen: SocketAddr) -> String {
    let (host, port) = match listen {
        SocketAddr::V4(address) => (address.ip().to_string(), address.port()),
        SocketAddr::V6(address) => (format!("[{}]", address.ip()), address.port()),
    };
    if port == 80 { format!("http://{host}") } else { format!("http://{host}:{port}") }
}

/// Where a provider's endpoints are moved to: https anywhere, http on loopback alone, because the secret travels there.
pub(super) fn base(text: &str) -> Read<String> {
    let url = Url::parse(text).or(Err("is not a URL; write one such as http://127.0.0.1:9000"))?;
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if !is_safe {
        return Err("must be https, or http on loopback, because the client's secret is sent there".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a query or fragment".to_owned());
    }
    if text.contains(|character: char| character.is_whitespace() || character.is_control() || character == '\\') {
        return Err("must not hold white space, control characters or backslashes".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// An address as a provider tells it, held to the same; an issuer is compared letter by letter, a slash at its end too.
pub(super) fn endpoint(text: &str) -> Read<String> {
    base(text).map(|_| text.to_owned())
}

/// Where a simulator stands in for robots or push services: on loopback alone.
pub(super) fn simulator(text: &str) -> Read<SimulatorAt> {
    let at = SimulatorAt::parse(text);
    at.ok_or_else(|| "must be on loopback, such as http://127.0.0.1:9000: it is for simulators alone".to_owned())
}

/// Where applications reach the line protocol: `tcp://` or `tls://`, host and port.
pub(super) fn line_endpoint(text: &str) -> Read<String> {
    let is_whole = |url: &Url| {
        let host = url.host_str().is_some_and(|host| !host.is_empty());
        // Anything more than these three would be spelled otherwise.
        let spelled = format!("{}://{}:{}", url.scheme(), url.host_str()?, url.port()?);
        (host && matches!(url.scheme(), "tcp" | "tls") && spelled == text).then_some(spelled)
    };
    let endpoint = Url::parse(text).ok().as_ref().and_then(is_whole);
    endpoint.ok_or_else(|| "must be tls:// (or tcp://), host and port, such as tls://id.example.com:8885".to_owned())
}

/// Whom push services write to about us (RFC 8292 §2.1).
pub(super) fn contact(text: &str) -> Read<String> {
    if !vapid::is_contact(text) {
        return Err("must be mailto: and a mail address, or an https address".to_owned());
    }
    Ok(text.to_owned())
}

/// What becomes of a subscriber that reads too slowly.
pub(super) fn overflow(text: &str) -> Read<Overflow> {
    match text {
        "cut" => Ok(Overflow::Cut),
        "drop_oldest" => Ok(Overflow::DropOldest),
        _ => Err("must be cut or drop_oldest".to_owned()),
    }
}

/// An IP address and a port.
pub(super) fn address(text: &str) -> Read<SocketAddr> {
    text.parse().or(Err("is not an IP address and a port; write one such as 127.0.0.1:8080 or [::1]:8080".to_owned()))
}

/// A folder.
pub(super) fn path(text: &str) -> Read<PathBuf> {
    if text.is_empty() || text.contains('\0') {
        return Err("is not a path; write the path of a folder".to_owned());
    }
    Ok(PathBuf::from(text))
}

/// `true` or `false`.
pub(super) fn switch(text: &str) -> Read<bool> {
    text.parse().or(Err("must be true or false".to_owned()))
}

/// Whole seconds within a range.
pub(super) fn seconds(range: RangeInclusive<u32>) -> impl FnOnce(&str) -> Read<Lifetime> {
    move |text| match text.parse::<u32>() {
        Ok(seconds) if range.contains(&seconds) => Ok(Lifetime::from_seconds(seconds)),
        _ => Err(format!("must be whole seconds from {} to {}", range.start(), range.end())),
    }
}

/// Whole MiB within a range, in bytes.
pub(super) fn mebibytes(range: RangeInclusive<u32>) -> impl FnOnce(&str) -> Read<i64> {
    move |text| match text.parse::<u32>() {
        Ok(mebibytes) if range.contains(&mebibytes) => Ok(i64::from(mebibytes) * 1024 * 1024),
        _ => Err(format!("must be whole MiB from {} to {}", range.start(), range.end())),
    }
}

/// Words that people read.
pub(super) fn words(text: &str) -> Read<String> {
    let is_fit = (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if !is_fit || text.trim() != text {
        return Err("must be 1 to 64 characters, without control characters or spaces around them".to_owned());
    }
    Ok(text.to_owned())
}

/// A client identifier (RFC 6749 §2.2, appendix A.1), without spaces.
pub(super) fn client_id(text: &str) -> Read<String> {
    if !(1..=256).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("must be 1 to 256 ASCII characters without spaces; copy it from the provider".to_owned());
    }
    Ok(text.to_owned())
}

/// A client's secret (RFC 6749 appendix A.2), without spaces.
pub(super) fn client_secret(text: &str) -> Read<Secret> {
    if !(1..=1024).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("must be 1 to 1024 ASCII characters without spaces; copy it from the provider".to_owned());
    }
    Ok(Secret::new(text.to_owned()))
}

/// A private key: PEM, or what stands between its lines.
pub(super) fn private_key(text: &str) -> Read<Secret> {
    let is_fit = (1..=PRIVATE_KEY_LENGTH_MAX).contains(&text.len()) && text.is_ascii();
    if !is_fit {
        return Err(format!("must be a private key in PEM, of at most {PRIVATE_KEY_LENGTH_MAX} bytes"));
    }
    Ok(Secret::new(text.to_owned()))
}

/// Scopes, with a space between two (RFC 6749 §3.3).
pub(super) fn scope(text: &str) -> Read<Vec<String>> {
    let scopes: Vec<String> = text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    if scopes.is_empty() || text.len() > 1024 || text.chars().any(char::is_control) {
        return Err("must be scopes with a space between two, such as \"openid profile\"".to_owned());
    }
    Ok(scopes)
}

/// A field of a provider's answer; dots lead into objects.
pub(super) fn field(text: &str) -> Read<String> {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if !(1..=64).contains(&text.len()) || !text.bytes().all(is_fit) {
        return Err("must be a field's name, such as id or data.user.id".to_owned());
    }
    Ok(text.to_owned())
}

/// How a client proves who it is (OpenID Connect Core §9).
pub(super) fn client_authentication(text: &str) -> Read<ClientAuthentication> {
    Ok(match text {
        "client_secret_basic" => ClientAuthentication::ClientSecretBasic,
        "client_secret_post" => ClientAuthentication::ClientSecretPost,
        "private_key_jwt" => ClientAuthentication::PrivateKeyJwt,
        "none" => ClientAuthentication::None,
        _ => return Err("must be client_secret_basic, client_secret_post, private_key_jwt or none".to_owned()),
    })
}

/// A provider with a page to sign in on: a mini-program has none.
pub(super) fn provider(text: &str) -> Read<&'static str> {
    let known = || provider::names().filter(|name| *name != "wechat_mini_program").chain([OPENID, OAUTH2]);
    if let Some(name) = known().find(|name| *name == text) {
        return Ok(name);
    }
    Err(match nearest(text, known()) {
        Some(meant) => format!("is no provider; did you mean `{meant}`?"),
        None => {
            let known: Vec<_> = known().collect();
            format!("is no provider; say which with `provider`; known here: {}", known.join(", "))
        }
    })
}

/// RSA with 8,192 bits has about 6,400.
const PRIVATE_KEY_LENGTH_MAX: usize = 16 * 1024;

/// How much is logged.
pub(super) fn level(text: &str) -> Read<tracing::Level> {
    Ok(match text {
        "error" => tracing::Level::ERROR,
        "warn" => tracing::Level::WARN,
        "info" => tracing::Level::INFO,
        "debug" => tracing::Level::DEBUG,
        "trace" => tracing::Level::TRACE,
        _ => return Err("must be error, warn, info, debug or trace".to_owned()),
    })
}

/// How the log is written.
pub(super) fn format(text: &str) -> Read<LogFormat> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be text or json".to_owned()),
    }
}
