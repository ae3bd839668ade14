//! The errors of `api.weixin.qq.com`: number, text, and the text's suffix by fashion.
//!
//! The comma before `rid:` is as irregular as the real one: nobody may compare `errmsg`. The texts
//! of 40243 and 42007 are ours: no source tells the real ones.

use super::config::ErrmsgSuffix;
use crate::clock::Timestamp;
use crate::random::{self, NoRandomness};

/// An error with a number and a text of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errcode {
    pub(crate) number: i32,
    pub(crate) text: &'static str,
}

macro_rules! errcodes {
    ($($name:ident = $number:literal $text:literal;)*) => {
        impl Errcode {
            $(pub(crate) const $name: Self = Self { number: $number, text: $text };)*
            const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

errcodes! {
    SYSTEM_ERROR = -1 "system error";
    INVALID_CREDENTIAL = 40001 "invalid credential, access_token is invalid or not latest";
    INVALID_GRANT_TYPE = 40002 "invalid grant_type";
    INVALID_OPENID = 40003 "invalid openid";
    INVALID_APPID = 40013 "invalid appid";
    INVALID_ACCESS_TOKEN = 40014 "invalid access_token";
    INVALID_CODE = 40029 "invalid code";
    INVALID_REFRESH_TOKEN = 40030 "invalid refresh_token";
    INVALID_URL = 40066 "invalid url";
    INVALID_APPSECRET = 40125 "invalid appsecret";
    CODE_BEEN_USED = 40163 "code been used";
    CODE_BLOCKED = 40226 "code blocked";
    APPSECRET_FROZEN = 40243 "appsecret frozen";
    ACCESS_TOKEN_MISSING = 41001 "access_token missing";
    APPID_MISSING = 41002 "appid missing";
    REFRESH_TOKEN_MISSING = 41003 "refresh_token missing";
    APPSECRET_MISSING = 41004 "appsecret missing";
    MISSING_CODE = 41008 "missing code";
    MISSING_OPENID = 41009 "missing openid";
    ACCESS_TOKEN_EXPIRED = 42001 "access_token expired";
    REFRESH_TOKEN_EXPIRED = 42002 "refresh_token expired";
    CODE_EXPIRED = 42003 "code expired";
    PASSWORD_CHANGED = 42007 "user changed password, authorize again";
    REQUIRE_GET = 43001 "require GET method";
    REQUIRE_POST = 43002 "require POST method";
    REQUIRE_HTTPS = 43003 "require https";
    DAILY_QUOTA = 45009 "reach max api daily quota limit";
    MINUTE_QUOTA = 45011 "api minute-quota reach limit, must slower, retry next minute";
    SESSION_MINUTE_QUOTA = 45011 "api minute-quota reach limit  mustslower  retry next minute";
    API_UNAUTHORIZED = 48001 "api unauthorized";
    API_FORBIDDEN = 48004 "api forbidden for irregularities, view detail on mp.weixin.qq.com";
    USER_UNAUTHORIZED = 50001 "user unauthorized";
    USER_LIMITED = 50002 "user limited";
}

impl Errcode {
    /// The text that goes with a number at a path, for ordered faults.
    pub(crate) fn text_at(path: &str, number: i32) -> Option<&'static str> {
        let minute_quota = Self::minute_quota_at(path);
        let known = std::iter::once(&minute_quota).chain(Self::ALL).find(|known| known.number == number);
        known.map(|known| known.text)
    }

    /// Too many calls in a minute. The page about `jscode2session` words it differently.
    pub(crate) fn minute_quota_at(path: &str) -> Self {
        if path == "/sns/jscode2session" { Self::SESSION_MINUTE_QUOTA } else { Self::MINUTE_QUOTA }
    }
}

/// `text` with what stands behind it. The first group of a rid is the time in seconds.
pub(crate) fn errmsg(text: &str, suffix: ErrmsgSuffix, now: Timestamp) -> Result<String, NoRandomness> {
    Ok(match suffix {
        ErrmsgSuffix::Plain => text.to_owned(),
        ErrmsgSuffix::Hints => {
            format!("{text}, hints: [ req_id: {} ]", random::text(random::ALPHANUMERIC, 12)?)
        }
        ErrmsgSuffix::Rid => {
            let without_comma = [Errcode::APPID_MISSING.text, Errcode::INVALID_ACCESS_TOKEN.text];
            let comma = if without_comma.contains(&text) { "" } else { "," };
            let (second, third) = (random::text(random::HEX, 8)?, random::text(random::HEX, 8)?);
            format!("{text}{comma} rid: {:08x}-{second}-{third}", now.unix_seconds())
        }
    })
}
