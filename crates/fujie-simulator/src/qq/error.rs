//! The errors of `graph.qq.com`: numbers and texts of the sign-in (100000 to 100048) and of the open API (`ret`).
//!
//! Texts that no source tells are the simulator's own, in the manner of the known ones. How an error is written down
//! is [`super::answer`]'s; the irregular spaces at the end of some texts are the real ones.

use crate::random::NoRandomness;

/// An error with its number and its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QqError {
    pub(crate) number: i32,
    pub(crate) text: &'static str,
}

macro_rules! errors {
    ($($name:ident = $number:literal $text:literal;)*) => {
        impl QqError {
            $(pub(crate) const $name: Self = Self { number: $number, text: $text };)*
        }
        /// The errors that some state leads to.
        const REACHED: &[QqError] = &[$(QqError::$name),*];
    };
}

errors! {
    RESPONSE_TYPE = 100_000 "param response_type is wrong or lost ";
    CLIENT_ID = 100_001 "param client_id is wrong or lost ";
    CLIENT_SECRET_MISSING = 100_002 "param client_secret is wrong or lost ";
    GRANT_TYPE = 100_004 "param grant_type is wrong or lost ";
    CODE_MISSING = 100_005 "param code is wrong or lost ";
    REFRESH_TOKEN_MISSING = 100_006 "param refresh_token is wrong or lost ";
    ACCESS_TOKEN_MISSING = 100_007 "param access token is wrong or lost ";
    APPID_UNKNOWN = 100_008 "appid is not exist";
    CLIENT_SECRET_WRONG = 100_009 "client secret is illegal";
    REDIRECT_URI = 100_010 "redirect uri is illegal";
    APP_NOT_ONLINE = 100_011 "app is not online";
    ACCESS_TOKEN_ILLEGAL = 100_013 "access token is illegal";
    ACCESS_TOKEN_EXPIRED = 100_014 "access token is expired";
    ACCESS_TOKEN_CHECK = 100_016 "access token check failed";
    CODE_WRONG = 100_019 "code to access token error";
    CODE_REUSED = 100_020 "code is reused error";
    REFRESH_TOKEN_USED = 100_021 "get access token error";
    REFRESH_TOKEN_WRONG = 100_022 "get refresh token error";
    WHICH_MISSING = 100_028 "param which is wrong or lost ";
    API_UNAUTHORIZED = 100_030 "this api without user authorization";
    NO_UNIONID = 100_048 "companyid not set";
    INVALID_PARAMETERS = -1 "client request's parameters are invalid";
    INVALID_OPENID = -1 "client request's parameters are invalid, invalid openid";
    RATE = -6 "frequency limited";
    BUSY = 1001 "server busy";
    NO_LOGIN = 1002 "请先登录";
}

/// Those that only an ordered fault leads to.
const ORDERED: &[QqError] = &[
    QqError { number: 100_003, text: "no authorization header" },
    QqError { number: 100_012, text: "http method is not post" },
    QqError { number: 100_015, text: "access token is revoked" },
    QqError { number: 100_017, text: "get appid error" },
    QqError { number: 100_018, text: "get code error" },
    QqError { number: 100_023, text: "get app privilege error" },
    QqError { number: 100_024, text: "get openid privilege error" },
    QqError { number: 100_025, text: "get all api error" },
    QqError { number: 100_026, text: "set user privilege error" },
    QqError { number: 100_027, text: "set user time error" },
    QqError { number: 100_029, text: "bad http request" },
    QqError { number: 100_031, text: "this api without app privilege" },
    QqError { number: 100_046, text: "unknown error" },
    QqError { number: 1, text: "bad parameter" },
    QqError { number: 2, text: "platform not opened" },
    QqError { number: 1000, text: "illegal operation" },
    QqError { number: 1003, text: "account is frozen" },
    QqError { number: 1006, text: "no qzone" },
    QqError { number: -2, text: "invalid appid" },
    QqError { number: -3, text: "no api privilege" },
    QqError { number: -4, text: "ip not allowed" },
    QqError { number: -5, text: "invalid signature" },
    QqError { number: -7, text: "https required" },
    QqError { number: -8, text: "access restricted" },
    QqError { number: -9, text: "no such api" },
    QqError { number: -20, text: "not authorized by user" },
    QqError { number: -21, text: "access token revoked" },
    QqError { number: -22, text: "invalid openid" },
    QqError { number: -23, text: "invalid openkey" },
    QqError { number: -24, text: "openid and openkey check failed" },
    QqError { number: -58, text: "system busy" },
    QqError { number: -60, text: "system busy" },
];

impl From<NoRandomness> for QqError {
    fn from(_no_randomness: NoRandomness) -> Self {
        Self::BUSY
    }
}

impl QqError {
    /// The error of that number; the first, where two share one.
    pub(crate) fn numbered(number: i32) -> Option<Self> {
        REACHED.iter().chain(ORDERED).copied().find(|known| known.number == number)
    }
}

#[cfg(test)]
mod tests {
    use super::{ORDERED, QqError, REACHED};

    #[test]
    fn every_documented_number_is_known_and_none_is_said_to_be_both() {
        let sign_in = (100_000..=100_031).chain([100_046, 100_048]);
        let api = [1, 2, 1000, 1001, 1002, 1003, 1006, -58, -60].into_iter();
        let negative = (-9..=-1).chain(-24..=-20);
        for number in sign_in.chain(api).chain(negative) {
            assert!(QqError::numbered(number).is_some(), "{number}");
        }
        for error in ORDERED {
            assert!(REACHED.iter().all(|reached| reached.number != error.number), "{}", error.number);
        }
        assert_eq!(QqError::numbered(100_032), None);
    }
}
