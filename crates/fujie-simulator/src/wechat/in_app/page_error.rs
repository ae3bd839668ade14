//! What the in-app page says instead of going on. Told on a page with status 200, never by redirect.
//!
//! Numbers and texts are WeChat's. 10004, 10006 and 10009 come by ordered fault alone: the simulator
//! has no banned accounts, no followers and no limits.

/// A refusal: a number with its text, or words without a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageError {
    pub(crate) number: Option<i32>,
    pub(crate) text: &'static str,
}

macro_rules! numbered {
    ($($name:ident = $number:literal $text:literal;)*) => {
        impl PageError {
            $(pub(crate) const $name: Self = Self { number: Some($number), text: $text };)*
            const NUMBERED: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

numbered! {
    REDIRECT_URI_DOMAIN = 10003 "redirect_uri 域名与后台配置不一致";
    ACCOUNT_BANNED = 10004 "此公众号被封禁";
    SCOPE_NOT_GRANTED = 10005 "此公众号并没有这些 scope 的权限";
    MUST_FOLLOW = 10006 "必须关注此测试号";
    TOO_FREQUENT = 10009 "操作太频繁了，请稍后重试";
    SCOPE_EMPTY = 10010 "scope 不能为空";
    REDIRECT_URI_EMPTY = 10011 "redirect_uri 不能为空";
    APPID_EMPTY = 10012 "appid 不能为空";
    STATE_EMPTY = 10013 "state 不能为空";
    PLATFORM_NOT_AUTHORIZED = 10015 "公众号未授权第三方平台，请检查授权状态";
    NOT_AN_OFFICIAL_ACCOUNT = 10016 "不支持微信开放平台的 Appid，请使用公众号 Appid";
}

impl PageError {
    /// An appid nobody has.
    pub(crate) const APPID: Self = Self { number: None, text: "AppID 参数错误" };
    /// An unknown scope, or parameters out of order.
    pub(crate) const SCOPE: Self = Self { number: None, text: "Scope 参数错误或没有 Scope 权限" };
    /// More than 128 bytes.
    pub(crate) const STATE_TOO_LONG: Self = Self { number: None, text: "too long state parameters" };
    /// Not WeChat's own browser.
    pub(crate) const OTHER_BROWSER: Self = Self { number: None, text: "请在微信客户端打开链接" };

    /// The error of a number, for ordered faults; also of those that no state leads to.
    pub(crate) fn of(number: i32) -> Option<Self> {
        Self::NUMBERED.iter().find(|known| known.number == Some(number)).copied()
    }
}
