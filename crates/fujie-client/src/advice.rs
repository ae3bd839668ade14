//! What to say about an error: to the person, to the operator, to the program.
//!
//! Owns the wording, one arm for every cause, so that a new cause forces the question.

use crate::error::ProviderError;

const AGAIN: &str = "Please start the sign-in again.";
const LATER: &str = "The sign-in provider cannot be reached at the moment. Please try again in a minute.";
const OURS: &str = "Sign-in with this provider is not set up correctly. Please tell the operator.";

impl ProviderError {
    /// The cause in one word, stable: for metrics, logs and looking up a translation.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RedirectUriUnusable(_) => "redirect_uri_unusable",
            Self::OtherClient => "other_client",
            Self::DuplicateParameter => "duplicate_parameter",
            Self::CallbackUnreadable(_) => "callback_unreadable",
            Self::StateMissing => "state_missing",
            Self::StateMismatch => "state_mismatch",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::AuthorizationRefused(_) => "authorization_refused",
            Self::NotOffered(_) => "not_offered",
            Self::Unreachable { .. } => "unreachable",
            Self::TransportUnusable { .. } => "transport_unusable",
            Self::Timeout { .. } => "timeout",
            Self::Interrupted { .. } => "interrupted",
            Self::TooLarge { .. } => "too_large",
            Self::Redirected(_) => "redirected",
            Self::Unreadable { .. } => "unreadable",
            Self::CodeRefused(_) => "code_refused",
            Self::CodeUsed(_) => "code_used",
            Self::CredentialsRefused(_) => "credentials_refused",
            Self::AccessTokenRefused(_) => "access_token_refused",
            Self::RefreshTokenRefused(_) => "refresh_token_refused",
            Self::RateLimited(_) => "rate_limited",
            Self::Busy(_) => "busy",
            Self::NotPermitted(_) => "not_permitted",
            Self::AccountRestricted(_) => "account_restricted",
            Self::RequestRefused(_) => "request_refused",
            Self::Refused(_) => "refused",
            Self::SubjectMissing { .. } => "subject_missing",
            Self::SubjectMismatch { .. } => "subject_mismatch",
            Self::OtherAudience(_) => "other_audience",
            Self::Discovery(_) => "discovery",
            Self::IdTokenRefused(_) => "id_token_refused",
            Self::CookieUnusable => "cookie_unusable",
            Self::Provisional => "provisional",
        }
    }

    /// What the person may be told. It never says which check failed.
    pub fn description(&self) -> &'static str {
        match self {
            Self::Denied => "The sign-in was cancelled.",
            Self::Expired => "The sign-in took too long. Please start again.",
            Self::NotOffered(_) => "The provider does not offer this.",
            Self::AuthorizationRefused(_) | Self::Refused(_) => "The provider refused the sign-in.",
            Self::AccountRestricted(_) => "The provider has restricted this account.",
            Self::Provisional => "Please open the full page and sign in with your own account.",
            Self::OtherClient
            | Self::DuplicateParameter
            | Self::CallbackUnreadable(_)
            | Self::StateMissing
            | Self::StateMismatch
            | Self::IssuerMismatch
            | Self::CodeRefused(_)
            | Self::CodeUsed(_)
            | Self::AccessTokenRefused(_)
            | Self::RefreshTokenRefused(_)
            | Self::OtherAudience(_)
            | Self::IdTokenRefused(_)
            | Self::CookieUnusable
            | Self::SubjectMismatch { .. } => AGAIN,
            Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Interrupted { .. }
            | Self::TooLarge { .. }
            | Self::Unreadable { .. }
            | Self::RateLimited(_)
            | Self::Busy(_)
            | Self::SubjectMissing { .. } => LATER,
            Self::RedirectUriUnusable(_)
            | Self::TransportUnusable { .. }
            | Self::Redirected(_)
            | Self::CredentialsRefused(_)
            | Self::NotPermitted(_)
            | Self::Discovery(_)
            | Self::RequestRefused(_) => OURS,
        }
    }

    /// What to do next, for whoever reads the log.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::RedirectUriUnusable(_) => "use an https redirect URI without a fragment",
            Self::DuplicateParameter
            | Self::CallbackUnreadable(_)
            | Self::StateMissing
            | Self::StateMismatch
            | Self::OtherClient => "begin anew; if it repeats, somebody tampers with callbacks",
            Self::IssuerMismatch => "compare the record's issuer with the provider's metadata",
            Self::Expired | Self::Denied => "nothing: the person may begin anew",
            Self::AuthorizationRefused(_) => "look the error up in the provider's documentation",
            Self::NotOffered(_) => "let the person sign in again instead",
            Self::Unreachable { .. } => "check name lookup, firewall and TLS trust of this host",
            Self::TransportUnusable { .. } => "correct what the transport names: its set-up, the logger, the address",
            Self::Timeout { .. } | Self::Interrupted { .. } => "check the network; begin anew, the code may be spent",
            Self::TooLarge { .. } | Self::Redirected(_) => "correct the endpoint's address",
            Self::Unreadable { .. } | Self::SubjectMissing { .. } => {
                "compare the excerpt with the provider's documentation; a proxy may be answering"
            }
            Self::CodeRefused(_) => "begin anew; if it repeats, is the exchange prompt, and the client id the page's?",
            Self::CodeUsed(_) => "the callback came twice: if this browser is signed in go on, else begin anew",
            Self::CredentialsRefused(_) => {
                "correct id or secret; see in the provider's console if it was reset or frozen"
            }
            Self::AccessTokenRefused(_) => "refresh the token or let the person sign in again",
            Self::RefreshTokenRefused(_) => "forget the tokens and let the person sign in again",
            Self::RateLimited(_) => "wait a minute; ask the provider for more if it is a quota",
            Self::Busy(_) => "wait a minute and begin anew",
            Self::NotPermitted(_) => "see in the provider's console whether the application has this permission",
            Self::AccountRestricted(_) => "nothing here: the person must ask the provider",
            Self::RequestRefused(_) => "correct the record: parameter names, method or address",
            Self::Refused(_) => "look the error code up and add it to the provider's record",
            Self::SubjectMismatch { .. } | Self::OtherAudience(_) | Self::IdTokenRefused(_) => {
                "treat as an attack; nobody was signed in"
            }
            Self::Discovery(_) => "compare the issuer with the provider's own page, character by character",
            Self::CookieUnusable => "begin anew in this browser; if it repeats, cookies do not come back",
            Self::Provisional => "nothing: the visitor has to leave the snapshot page",
        }
    }

    /// Whether a sign-in begun anew may succeed without anybody changing anything. The same
    /// request must not be repeated: a code works once.
    pub fn retry(&self) -> bool {
        match self {
            Self::OtherClient
            | Self::DuplicateParameter
            | Self::CallbackUnreadable(_)
            | Self::StateMissing
            | Self::StateMismatch
            | Self::Expired
            | Self::Denied
            | Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Interrupted { .. }
            | Self::CodeRefused(_)
            | Self::CodeUsed(_)
            | Self::AccessTokenRefused(_)
            | Self::RefreshTokenRefused(_)
            | Self::RateLimited(_)
            | Self::Busy(_)
            | Self::CookieUnusable
            | Self::Provisional => true,
            Self::RedirectUriUnusable(_)
            | Self::IssuerMismatch
            | Self::AuthorizationRefused(_)
            | Self::NotOffered(_)
            | Self::TransportUnusable { .. }
            | Self::TooLarge { .. }
            | Self::Redirected(_)
            | Self::Unreadable { .. }
            | Self::CredentialsRefused(_)
            | Self::NotPermitted(_)
            | Self::AccountRestricted(_)
            | Self::RequestRefused(_)
            | Self::Refused(_)
            | Self::SubjectMissing { .. }
            | Self::OtherAudience(_)
            | Self::Discovery(_)
            | Self::IdTokenRefused(_)
            | Self::SubjectMismatch { .. } => false,
        }
    }
}
