//! What an authorization request asks for (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2), judged.
//!
//! Decides; draws no page and issues nothing. Before client and redirect URI are proven there is
//! only a page, afterwards an error goes back by redirect.

use super::config::{Client, Switches};
use crate::fields::Fields;
use crate::ledger::Challenge;
use crate::redirect_uri;

/// How the answer travels (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

/// Where and how an answer goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Return {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) mode: ResponseMode,
}

impl Return {
    /// `redirect_uri` has been proven. An unknown mode counts as the default one, so that its
    /// refusal can travel.
    pub(crate) fn of(redirect_uri: &str, request: &Fields) -> Self {
        let is_hybrid = request.filled("response_type").is_some_and(|kind| kind.contains(' '));
        let mode = match request.filled("response_mode") {
            Some("form_post") => ResponseMode::FormPost,
            Some("fragment") => ResponseMode::Fragment,
            _ if is_hybrid => ResponseMode::Fragment,
            _ => ResponseMode::Query,
        };
        Self { redirect_uri: redirect_uri.to_owned(), state: request.sent("state").map(str::to_owned), mode }
    }
}

/// What a house wants of a request beyond the standards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) response_types: &'static [&'static str],
    /// Apple: whoever asks for a scope gets the answer by POST.
    pub(crate) form_post_for_scope: bool,
}

/// A request that may be answered.
#[derive(Clone, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) client: &'a Client,
    pub(crate) back: Return,
    /// As it was sent, space-separated.
    pub(crate) scope: String,
    /// The words of `prompt`.
    pub(crate) prompt: Vec<String>,
    pub(crate) max_age_seconds: Option<u64>,
}

/// Whether a space-separated scope has this value.
pub(crate) fn has_scope(scope: &str, name: &str) -> bool {
    scope.split(' ').any(|known| known == name)
}

/// The code challenge of a request that was judged to be good.
pub(crate) fn challenge_of(request: &Fields) -> Option<Challenge> {
    Challenge::of(request.filled("code_challenge"), request.filled("code_challenge_method")).ok().flatten()
}

/// Why a request is not answered as it wished.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Nobody to send it back to: a page says it.
    Page { chinese: &'static str, english: &'static str },
    /// Sent back.
    Back { back: Return, error: &'static str, description: &'static str },
}

const UNKNOWN_CLIENT: Refusal = Refusal::Page {
    chinese: "client_id 缺失或未注册。",
    english: "The client_id is missing or not registered.",
};
const REDIRECT_URI_MISMATCH: Refusal = Refusal::Page {
    chinese: "redirect_uri 缺失，或与登记的回调地址不一致（redirect_uri_mismatch）。",
    english: "The redirect_uri is missing or not registered for this client (redirect_uri_mismatch).",
};

/// Reads and judges a request.
pub(crate) fn judge<'a>(
    request: &Fields,
    clients: &'a [Client],
    switches: &Switches,
    rules: Rules,
) -> Result<Asked<'a>, Refusal> {
    let client_id = request.filled("client_id").unwrap_or_default();
    let client = clients.iter().find(|client| client.client_id == client_id).ok_or(UNKNOWN_CLIENT)?;
    let uri = request.filled("redirect_uri").filter(|uri| redirect_uri::admits(&client.redirect_uris, uri));
    let back = Return::of(uri.ok_or(REDIRECT_URI_MISMATCH)?, request);
    let wrong = wrong_in(request, rules, back.mode).or_else(|| wrong_challenge(request, switches, client));
    if let Some((error, description)) = wrong {
        return Err(Refusal::Back { back, error, description });
    }
    Ok(Asked {
        client,
        back,
        scope: request.filled("scope").unwrap_or_default().to_owned(),
        prompt: request.filled("prompt").into_iter().flat_map(|prompt| prompt.split(' ')).map(str::to_owned).collect(),
        max_age_seconds: request.filled("max_age").and_then(|text| text.parse().ok()),
    })
}

/// The first thing that is wrong in a request, as error and description.
fn wrong_in(request: &Fields, rules: Rules, mode: ResponseMode) -> Option<(&'static str, &'static str)> {
    let response_type = request.filled("response_type").unwrap_or_default();
    let prompt = request.filled("prompt").unwrap_or_default();
    if request.filled("request").is_some() {
        Some(("request_not_supported", "request objects are not supported"))
    } else if request.filled("request_uri").is_some() {
        Some(("request_uri_not_supported", "request objects are not supported"))
    } else if response_type.is_empty() {
        Some(("invalid_request", "response_type is missing"))
    } else if !rules.response_types.contains(&response_type) {
        Some(("unsupported_response_type", "this response_type is not supported"))
    } else if !matches!(request.filled("response_mode"), None | Some("query" | "fragment" | "form_post")) {
        Some(("invalid_request", "response_mode is unknown"))
    } else if rules.form_post_for_scope && request.filled("scope").is_some() && mode != ResponseMode::FormPost {
        Some(("invalid_request", "response_mode must be form_post when name or email scope is requested."))
    } else if has_scope(prompt, "none") && prompt != "none" {
        Some(("invalid_request", "prompt=none goes with nothing else"))
    } else {
        None
    }
}

fn wrong_challenge(request: &Fields, switches: &Switches, client: &Client) -> Option<(&'static str, &'static str)> {
    match Challenge::of(request.filled("code_challenge"), request.filled("code_challenge_method")) {
        Ok(Some(Challenge::Plain(_))) if !switches.pkce_plain => {
            Some(("invalid_request", "code_challenge_method is not supported"))
        }
        Err(_unknown) => Some(("invalid_request", "code_challenge_method is not supported")),
        Ok(None) if switches.pkce_required || client.is_public() => {
            Some(("invalid_request", "code_challenge is missing"))
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, Rules, judge};
    use crate::fields::Fields;
    use crate::oidc::config::{Client, Switches};

    fn judged(query: &str) -> &'static str {
        let rules = Rules { response_types: &["code"], form_post_for_scope: false };
        let public = Client { client_id: "public".to_owned(), client_secret: None, ..Client::demo() };
        match judge(&Fields::of(query.as_bytes()), &[Client::demo(), public], &Switches::default(), rules) {
            Ok(_) => "good",
            Err(Refusal::Page { .. }) => "page",
            Err(Refusal::Back { error, .. }) => error,
        }
    }

    #[test]
    fn before_the_redirect_is_proven_there_is_a_page_and_then_a_redirect() {
        let base = "client_id=fujie-demo&redirect_uri=http://127.0.0.1:9/";
        for (query, expected) in [
            ("", "page"),
            ("client_id=other&redirect_uri=http://127.0.0.1:9/", "page"),
            ("client_id=fujie-demo", "page"),
            ("client_id=fujie-demo&redirect_uri=https://evil.example/&response_type=code", "page"),
            (base, "invalid_request"),
            (&format!("{base}&response_type=token"), "unsupported_response_type"),
            (&format!("{base}&response_type=code&prompt=none+login"), "invalid_request"),
            (&format!("{base}&response_type=code&response_mode=web_message"), "invalid_request"),
            (&format!("{base}&response_type=code&request=x"), "request_not_supported"),
            (&format!("{base}&response_type=code&code_challenge=x"), "invalid_request"),
            (&format!("{base}&response_type=code&code_challenge=x&code_challenge_method=S256"), "good"),
            (&format!("{base}&response_type=code"), "good"),
            ("client_id=public&redirect_uri=http://127.0.0.1:9/&response_type=code", "invalid_request"),
        ] {
            assert_eq!(judged(query), expected, "{query}");
        }
    }
}
