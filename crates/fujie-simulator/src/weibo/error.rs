//! Weibo's errors: numbers, words and HTTP statuses, of OAuth (213xx), of the system (10xxx) and of the services.
//!
//! The misspellings are the real ones. How an error is written down is [`super::answer`]'s.

use crate::random::NoRandomness;
use axum::http::StatusCode;

/// An error with its number, its `error` text and its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WeiboError {
    pub(crate) number: u32,
    pub(crate) text: &'static str,
    pub(crate) status: StatusCode,
    /// `error_description` of the OAuth endpoints, which not every answer has.
    pub(crate) description: Option<String>,
}

macro_rules! errors {
    ($($name:ident = $number:literal $text:literal $status:ident;)*) => {
        impl WeiboError {
            $(pub(crate) const $name: Self = Self {
                number: $number,
                text: $text,
                status: StatusCode::$status,
                description: None,
            };)*
        }
        const REACHED: &[WeiboError] = &[$(WeiboError::$name),*];
    };
}

errors! {
    SYSTEM = 10_001 "System error" INTERNAL_SERVER_ERROR;
    PARAM = 10_008 "Param error, see doc for more info" BAD_REQUEST;
    API_NOT_FOUND = 10_020 "Request api not found" NOT_FOUND;
    METHOD = 10_021 "HTTP method is not suported for this request" METHOD_NOT_ALLOWED;
    IP_RATE = 10_022 "IP requests out of rate limit!" FORBIDDEN;
    USER_RATE = 10_023 "User requests out of rate limit!" FORBIDDEN;
    NO_SUCH_USER = 20_003 "User does not exists!" BAD_REQUEST;
    AUTH_FAILED = 21_301 "auth faild!" FORBIDDEN;
    NOT_A_TESTER = 21_321 "Applications over the unaudited use restrictions" FORBIDDEN;
    REDIRECT_URI_MISMATCH = 21_322 "redirect_uri_mismatch" BAD_REQUEST;
    INVALID_REQUEST = 21_323 "invalid_request" BAD_REQUEST;
    INVALID_CLIENT = 21_324 "invalid_client" UNAUTHORIZED;
    INVALID_GRANT = 21_325 "invalid_grant" BAD_REQUEST;
    UNAUTHORIZED_CLIENT = 21_326 "unauthorized_client" BAD_REQUEST;
    EXPIRED_TOKEN = 21_327 "expired_token" UNAUTHORIZED;
    UNSUPPORTED_GRANT_TYPE = 21_328 "unsupported_grant_type" BAD_REQUEST;
    UNSUPPORTED_RESPONSE_TYPE = 21_329 "unsupported_response_type" BAD_REQUEST;
    ACCESS_DENIED = 21_330 "access_denied" FORBIDDEN;
    INVALID_ACCESS_TOKEN = 21_332 "invalid_access_token" FORBIDDEN;
    OTHER_USER = 21_335 "request uid's value must be the current user" FORBIDDEN;
}

/// Those that only an ordered fault leads to.
const ORDERED: &[(u32, &str, StatusCode)] = &[
    (10_002, "Service unavailable", StatusCode::SERVICE_UNAVAILABLE),
    (10_003, "Remote service error", StatusCode::SERVICE_UNAVAILABLE),
    (10_004, "IP limit", StatusCode::FORBIDDEN),
    (10_005, "Permission denied, need a high level appkey", StatusCode::FORBIDDEN),
    (10_006, "Source paramter (appkey) is missing", StatusCode::BAD_REQUEST),
    (10_007, "Unsupport mediatype (%s)", StatusCode::BAD_REQUEST),
    (10_009, "Too many pending tasks, system is busy", StatusCode::SERVICE_UNAVAILABLE),
    (10_010, "Job expired", StatusCode::BAD_REQUEST),
    (10_011, "RPC error", StatusCode::SERVICE_UNAVAILABLE),
    (10_012, "Illegal request", StatusCode::BAD_REQUEST),
    (10_013, "Invalid weibo user", StatusCode::FORBIDDEN),
    (10_014, "Insufficient app permissions", StatusCode::FORBIDDEN),
    (10_016, "Miss required parameter (%s) , see doc for more info", StatusCode::BAD_REQUEST),
    (
        10_017,
        "Parameter (%s)'s value invalid, expect (%s) , but get (%s) , see doc for more info",
        StatusCode::BAD_REQUEST,
    ),
    (10_018, "Request body length over limit", StatusCode::BAD_REQUEST),
    (10_024, "User requests for (%s) out of rate limit", StatusCode::FORBIDDEN),
    (21_314, "token used", StatusCode::FORBIDDEN),
    (21_315, "token expired", StatusCode::FORBIDDEN),
    (21_316, "token revoked", StatusCode::FORBIDDEN),
    (21_317, "token rejected", StatusCode::FORBIDDEN),
    (21_319, "accesstoken revoked", StatusCode::FORBIDDEN),
    (21_331, "temporarily_unavailable", StatusCode::SERVICE_UNAVAILABLE),
    (21_333, "disallowed", StatusCode::BAD_REQUEST),
    (21_334, "invalid_user", StatusCode::FORBIDDEN),
    (21_336, "unauthorized app", StatusCode::FORBIDDEN),
    (21_337, "appkey permission denied", StatusCode::FORBIDDEN),
    (21_338, "sso package or sign error", StatusCode::FORBIDDEN),
];

impl From<NoRandomness> for WeiboError {
    fn from(_no_randomness: NoRandomness) -> Self {
        Self::SYSTEM
    }
}

impl WeiboError {
    pub(crate) fn numbered(number: u32) -> Option<Self> {
        let reached = REACHED.iter().find(|known| known.number == number).cloned();
        reached.or_else(|| {
            let (number, text, status) = *ORDERED.iter().find(|(known, _, _)| *known == number)?;
            Some(Self { number, text, status, description: None })
        })
    }

    pub(crate) fn described(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::{ORDERED, REACHED, WeiboError};

    #[test]
    fn every_documented_number_is_known_and_none_is_said_to_be_both() {
        let system = (10_001..=10_014).chain(10_016..=10_018).chain(10_020..=10_024);
        let oauth = (21_314..=21_317).chain([21_319]).chain(21_321..=21_338);
        for number in system.chain(oauth).chain([20_003, 21_301]) {
            assert!(WeiboError::numbered(number).is_some(), "{number}");
        }
        assert_eq!(WeiboError::numbered(10_015), None);
        assert!(ORDERED.iter().all(|(number, _, _)| REACHED.iter().all(|reached| reached.number != *number)));
    }

    #[test]
    fn no_failure_is_a_two_hundred() {
        let ordered = ORDERED.iter().map(|(_, _, status)| *status);
        assert!(REACHED.iter().map(|error| error.status).chain(ordered).all(|status| status.as_u16() >= 400));
    }
}
