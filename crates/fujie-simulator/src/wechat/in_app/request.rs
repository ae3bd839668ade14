//! What may be asked of `/connect/oauth2/authorize`, and the address that the answer goes to.
//!
//! Decides over a query and the apps; knows no HTTP. The order of the checks is ours, no source tells
//! the real one: appid, order of parameters, redirect URI, scope, third-party platform, state.

use super::page_error::PageError;
use crate::fields::Fields;
use crate::wechat::config::{App, AppKind, CallbackDomain, Switches};
use crate::wechat::simulation::World;
use url::Url;
use url::form_urlencoded;

/// Documented.
const STATE_BYTES_MAX: usize = 128;
/// The parameters whose order counts; `state` may be absent, everything else follows.
const ORDER: [&str; 5] = ["appid", "redirect_uri", "response_type", "scope", "state"];

/// A request that an official account may make.
pub(crate) struct Request<'a> {
    pub(crate) app: &'a App,
    pub(crate) redirect_uri: &'a str,
    pub(crate) state: &'a str,
    /// As it was sent, separated by commas.
    pub(crate) scope: &'a str,
    /// `snsapi_userinfo` was asked for.
    pub(crate) wants_profile: bool,
}

impl<'a> Request<'a> {
    pub(crate) fn check(world: &'a World, fields: &'a Fields) -> Result<Self, PageError> {
        let switches = &world.config.switches;
        let appid = fields.filled("appid").ok_or(PageError::APPID_EMPTY)?;
        let app = world.app(appid).ok_or(PageError::APPID)?;
        if app.kind == AppKind::Website {
            return Err(PageError::NOT_AN_OFFICIAL_ACCOUNT);
        }
        let wants_profile = wants_profile(fields);
        if wants_profile && switches.strict_order && !is_in_order(fields) {
            return Err(PageError::SCOPE);
        }
        let redirect_uri = redirect_uri(fields, app)?;
        let scope = scope(fields, app)?;
        if fields.filled("component_appid").is_some() {
            return Err(PageError::PLATFORM_NOT_AUTHORIZED);
        }
        Ok(Self { app, redirect_uri, scope, state: state(fields, switches)?, wants_profile })
    }
}

fn wants_profile(fields: &Fields) -> bool {
    fields.sent("scope").is_some_and(|scope| scope.split(',').any(|one| one == "snsapi_userinfo"))
}

/// Whether the visitor is a provisional one. Documented for the page that asks; a silent
/// authorization shows none.
pub(crate) fn is_snapshot(fields: &Fields, switches: &Switches) -> bool {
    wants_profile(fields) && (switches.snapshot_user || fields.sent("forceSnapShot") == Some("true"))
}

/// As a regular expression would see it: the known parameters first, in their order.
fn is_in_order(fields: &Fields) -> bool {
    let sent: Vec<&str> = fields.names().take(ORDER.len()).collect();
    let with_state = sent.as_slice() == ORDER.as_slice();
    let without_state =
        !fields.names().any(|name| name == "state") && ORDER.starts_with(sent.get(..4).unwrap_or(&["?"]));
    (with_state || without_state) && fields.sent("response_type") == Some("code")
}

/// The host is the registered one exactly, and a port has no place in it.
fn redirect_uri<'a>(fields: &'a Fields, app: &App) -> Result<&'a str, PageError> {
    let redirect_uri = fields.filled("redirect_uri").ok_or(PageError::REDIRECT_URI_EMPTY)?;
    let is_admitted = Url::parse(redirect_uri).is_ok_and(|uri| {
        let may_have_port = app.callback_domain == CallbackDomain::Loopback;
        app.callback_domain.admits(&uri) && (may_have_port || uri.port().is_none())
    });
    if is_admitted { Ok(redirect_uri) } else { Err(PageError::REDIRECT_URI_DOMAIN) }
}

fn scope<'a>(fields: &'a Fields, app: &App) -> Result<&'a str, PageError> {
    let scope = fields.filled("scope").ok_or(PageError::SCOPE_EMPTY)?;
    if !scope.split(',').all(|one| matches!(one, "snsapi_base" | "snsapi_userinfo")) {
        return Err(PageError::SCOPE);
    }
    if app.kind == AppKind::OfficialAccount { Ok(scope) } else { Err(PageError::SCOPE_NOT_GRANTED) }
}

/// Letters and digits are documented; nobody has seen others refused.
fn state<'a>(fields: &'a Fields, switches: &Switches) -> Result<&'a str, PageError> {
    let state = fields.sent("state").unwrap_or_default();
    if state.len() > STATE_BYTES_MAX {
        Err(PageError::STATE_TOO_LONG)
    } else if state.is_empty() && switches.state_is_required {
        Err(PageError::STATE_EMPTY)
    } else {
        Ok(state)
    }
}

/// `redirect_uri` with `answer` in its query: before a fragment, unlike the QR page's script.
pub(crate) fn target(redirect_uri: &str, answer: &str, switches: &Switches) -> String {
    let (address, fragment) = match redirect_uri.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (redirect_uri, String::new()),
    };
    let address = if switches.open_id_is_dropped { without_open_id(address) } else { address.to_owned() };
    let separator = if address.contains('?') { '&' } else { '?' };
    format!("{address}{separator}{answer}{fragment}")
}

fn without_open_id(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else {
        return address.to_owned();
    };
    let is_open_id = |pair: &&str| form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == "openId");
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_open_id(pair)).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::{PageError, Request, Switches, target};
    use crate::fields::Fields;
    use crate::wechat::config::{App, WechatConfig};
    use crate::wechat::simulation::World;

    fn check(query: &str) -> Result<(), PageError> {
        let app = App { appid: "wx1".to_owned(), ..App::demo_official_account() };
        let world = World::new(WechatConfig { apps: vec![app], ..WechatConfig::default() }).unwrap();
        Request::check(&world, &Fields::of(query.as_bytes())).map(|_| ())
    }

    #[test]
    fn the_order_of_parameters_counts_for_userinfo_alone() {
        let back = "redirect_uri=http%3A%2F%2Flocalhost%2F";
        let cases = [
            (format!("appid=wx1&{back}&response_type=code&scope=SCOPE&state=s"), true),
            (format!("appid=wx1&{back}&response_type=code&scope=SCOPE"), true),
            (format!("appid=wx1&{back}&response_type=code&scope=SCOPE&state=s&forcePopup=true"), true),
            (format!("appid=wx1&{back}&response_type=code&scope=SCOPE&forcePopup=true"), true),
            (format!("appid=wx1&{back}&response_type=code&scope=SCOPE&forcePopup=true&state=s"), false),
            (format!("appid=wx1&{back}&scope=SCOPE&response_type=code&state=s"), false),
            (format!("{back}&appid=wx1&response_type=code&scope=SCOPE&state=s"), false),
            (format!("appid=wx1&{back}&state=s&scope=SCOPE&response_type=code"), false),
            (format!("appid=wx1&{back}&scope=SCOPE"), false),
        ];
        for (query, is_in_order) in cases {
            let userinfo = check(&query.replace("SCOPE", "snsapi_userinfo"));
            assert_eq!(userinfo, if is_in_order { Ok(()) } else { Err(PageError::SCOPE) }, "{query}");
            assert!(check(&query.replace("SCOPE", "snsapi_base")).is_ok(), "{query}");
        }
    }

    #[test]
    fn the_answer_stands_before_the_fragment_and_an_open_id_is_lost() {
        let cases = [
            ("http://a/b", "http://a/b?X"),
            ("http://a/b?c=1", "http://a/b?c=1&X"),
            ("http://a/#/b?c=1", "http://a/?X#/b?c=1"),
            ("http://a/?openId=1", "http://a/?X"),
            ("http://a/?c=1&openId=2&d=%20", "http://a/?c=1&d=%20&X"),
            ("http://a/?openid=1", "http://a/?openid=1&X"),
        ];
        for (redirect_uri, expected) in cases {
            assert_eq!(target(redirect_uri, "X", &Switches::default()), expected);
        }
        let kept = Switches { open_id_is_dropped: false, ..Switches::default() };
        assert_eq!(target("http://a/?openId=1", "X", &kept), "http://a/?openId=1&X");
    }
}
