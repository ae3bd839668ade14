//! Authorization responses: where they go and in which form (OAuth 2.0 Multiple Response Types, Form Post Response
//! Mode, RFC 9207 `iss`).

use super::{
    parameters::encode,
    redirect_uri::{RegisteredUri, RequestedUri, origin_of},
};

/// How the parameters of an authorization response travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    Query,
    /// In its fragment.
    Fragment,
    /// By a form that the browser posts.
    FormPost,
}

impl ResponseMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Query, Self::Fragment, Self::FormPost];

    /// The registered word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    /// Reads the registered word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == word)
    }
}

/// A redirect URI that a registration admitted: the only thing that can be redirected to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a proven target is answered"]
pub struct RedirectTarget {
    uri: String,
    mode: ResponseMode,
    state: Option<String>,
    issuer: String,
}

/// Why no redirect target could be proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetError {
    /// The request names none and the client has not exactly one.
    Missing,
    /// No registration admits it.
    Mismatch(RequestedUri),
}

impl RedirectTarget {
    /// The target of a request, when one of `registered` admits it (RFC 6749 §3.1.2.3).
    pub fn prove(
        registered: &[RegisteredUri],
        requested: Option<&str>,
        mode: ResponseMode,
        state: Option<&str>,
        issuer: &str,
    ) -> Result<Self, TargetError> {
        let uri = match (requested, registered) {
            (Some(text), _) => {
                let requested = RequestedUri::new(text);
                if !registered.iter().any(|own| own.admits(&requested)) {
                    return Err(TargetError::Mismatch(requested));
                }
                text.to_owned()
            }
            (None, [only]) => only.as_str().to_owned(),
            (None, _) => return Err(TargetError::Missing),
        };
        Ok(Self { uri, mode, state: state.map(str::to_owned), issuer: issuer.to_owned() })
    }

    /// The same target, answered in another mode.
    pub fn with_mode(self, mode: ResponseMode) -> Self {
        Self { mode, ..self }
    }

    /// The redirect URI.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// What a Content Security Policy names to let a form end there.
    pub fn origin(&self) -> String {
        origin_of(&self.uri)
    }

    /// The response with `parameters`, followed by `state` (as it was sent) and `iss` (RFC 9207 §2).
    pub fn answer(self, parameters: Vec<(&'static str, String)>) -> AuthorizationResponse {
        let mut fields = parameters;
        if let Some(state) = self.state {
            fields.push(("state", state));
        }
        fields.push(("iss", self.issuer));
        if self.mode == ResponseMode::FormPost {
            return AuthorizationResponse::FormPost { action: self.uri, fields };
        }
        let encoded: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let separator = match self.mode {
            ResponseMode::Fragment => '#',
            _ if self.uri.contains('?') => '&',
            _ => '?',
        };
        AuthorizationResponse::Redirect { location: format!("{}{separator}{}", self.uri, encoded.join("&")) }
    }
}

/// An authorization response, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationResponse {
    /// 303 to this location.
    Redirect {
        /// The redirect URI with the parameters.
        location: String,
    },
    /// A page whose form posts the parameters.
    FormPost {
        /// The redirect URI.
        action: String,
        /// The parameters.
        fields: Vec<(&'static str, String)>,
    },
}
