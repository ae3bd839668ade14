//! Why a command of this family did not do what it was asked: an exit code, and a sentence in each language.
//!
//! Owns which cause ends with which code. Not here: how it is printed, which is the terminal's.

use std::{fmt, io, path::Path};

use fujie_client::{
    ProviderError,
    session::{self, TokenError},
    token_store::StoreError,
};
use fujie_core::line::is_steering;
use fujie_receiver::{
    callback::Refusal,
    command::{CANCELLED, FAILED, MISMATCH, REFUSED, TIMED_OUT, USAGE},
};

/// A fresh sign-in by a person is needed.
pub const SIGN_IN_NEEDED: i32 = 4;

/// Why a command ends without its result. Holds no secret.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: i32,
    /// In English, with what to do where something can be done.
    pub english: String,
    /// The same in Chinese.
    pub chinese: String,
}

impl Failure {
    /// Something failed.
    pub fn new(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self { code: FAILED, english: english.into(), chinese: chinese.into() }
    }

    /// The arguments are wrong.
    pub fn usage(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self { code: USAGE, ..Self::new(english, chinese) }
    }

    /// Nobody has signed in there, or no longer.
    pub fn sign_in_needed(provider: &str) -> Self {
        let (english, chinese) =
            (format!("Sign in first: fujie login {provider}"), format!("请先登录：fujie login {provider}"));
        Self { code: SIGN_IN_NEEDED, english, chinese }
    }

    /// Ctrl-C.
    pub fn cancelled() -> Self {
        Self { code: CANCELLED, ..Self::new("Cancelled.", "已取消。") }
    }

    /// Nobody finished the sign-in in time; why the request that came closest was none, if any came.
    pub fn timed_out(refusal: Option<Refusal>) -> Self {
        let (english, chinese) = match refusal {
            None => ("The time is up and no answer came.".to_owned(), "等待超时，没有收到登录结果。".to_owned()),
            Some(refusal) => (
                format!("The time is up. A request came, but {refusal}."),
                match refusal {
                    Refusal::State => "等待超时。收到过请求，但其中的 state 缺失或与本次登录不符。".to_owned(),
                    _ => "等待超时。收到过请求，但不是本次登录的结果。".to_owned(),
                },
            ),
        };
        Self { code: TIMED_OUT, english, chinese }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english)
    }
}

impl std::error::Error for Failure {}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self::from(&error)
    }
}

impl From<&ProviderError> for Failure {
    fn from(error: &ProviderError) -> Self {
        use ProviderError as E;
        let code = match error {
            // The provider is out of order; nobody refused (RFC 6749 §4.1.2.1).
            E::AuthorizationRefused(word) if ["server_error", "temporarily_unavailable"].contains(&word.as_str()) => {
                FAILED
            }
            E::Denied | E::AuthorizationRefused(_) | E::AccountRestricted(_) | E::NotPermitted(_) | E::Provisional => {
                REFUSED
            }
            E::StateMissing | E::StateMismatch | E::IssuerMismatch => MISMATCH,
            E::Expired => TIMED_OUT,
            E::AccessTokenRefused(_) | E::RefreshTokenRefused(_) => SIGN_IN_NEEDED,
            _ => FAILED,
        };
        let english = match error {
            E::Denied => "The sign-in was refused.".to_owned(),
            E::Expired => "The sign-in took too long. Please start again.".to_owned(),
            _ => format!("{}\nNext: {}.", causes(error), error.next_step()),
        };
        let chinese = match error {
            E::Denied | E::Expired => in_chinese(error).to_owned(),
            _ => format!("{}\n{}", in_chinese(error), causes(error)),
        };
        Self { code, english: visible(&english), chinese: visible(&chinese) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let english = format!("{}; {}", causes(&error), error.next_step());
        let chinese = format!("无法读写保存的令牌。\n{english}");
        Self::new(english, chinese)
    }
}

/// What the operating system says of a file or folder.
pub fn of_file(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::new(format!("{path}: {error}"), format!("{path}：{error}"))
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string(), error.to_string())
    }
}

impl From<session::Error> for Failure {
    fn from(error: session::Error) -> Self {
        let causes = visible(&causes(&error));
        let code = match error {
            session::Error::BadUrl(_) | session::Error::BadRequest(_) => USAGE,
            _ => FAILED,
        };
        let english = format!("{causes}\nNext: {}.", error.next_step());
        Self { code, ..Self::new(english, format!("请求没有成功。\n{causes}")) }
    }
}

/// An error and what it comes from.
fn causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Why there is no fresh token for a sign-in with `provider`.
pub fn of_tokens(error: &TokenError, provider: &str) -> Failure {
    match error {
        TokenError::NotSignedIn => Failure::sign_in_needed(provider),
        TokenError::SignInAgain(_) => Failure {
            english: format!("The sign-in has ended. Sign in again: fujie login {provider}"),
            chinese: format!("登录已失效，请重新登录：fujie login {provider}"),
            ..Failure::sign_in_needed(provider)
        },
        TokenError::NotRefreshed(error) => Failure { code: FAILED, ..Failure::from(error.as_ref()) },
        TokenError::Store(source) | TokenError::NotSaved { source, .. } => {
            let english = format!("{error}: {}; {}", causes(source.as_ref()), error.next_step());
            Failure::new(english.clone(), format!("无法读写保存的令牌。\n{english}"))
        }
        _ => {
            let english = format!("{error}; {}", error.next_step());
            Failure::new(english.clone(), format!("令牌没有刷新成功。\n{english}"))
        }
    }
}

/// What came from outside may not steer a terminal, nor turn the order of what is read.
pub fn visible(text: &str) -> String {
    let is_kept = |character: &char| *character == '\n' || !is_steering(*character);
    text.chars().filter(is_kept).take(TEXT_LENGTH_MAX).collect()
}

fn in_chinese(error: &ProviderError) -> &'static str {
    use ProviderError as E;
    match error {
        E::Denied => "登录被拒绝。",
        E::Expired => "登录耗时过长，请重新开始。",
        E::AuthorizationRefused(_) => "对方平台拒绝了授权请求。",
        E::AccountRestricted(_) => "该账号在对方平台受到限制。",
        E::NotPermitted(_) => "应用没有所需的权限，请在对方平台的控制台检查。",
        E::Provisional => "对方平台没有给出真实账号。",
        E::StateMissing | E::StateMismatch => "回调中的 state 与本次登录不符。",
        E::IssuerMismatch => "回调来自另一个签发者，已拒绝。",
        E::DuplicateParameter | E::CallbackUnreadable(_) | E::OtherClient => "收到的回调无法使用，请重新登录。",
        E::RedirectUriUnusable(_) => "回调地址无法使用。",
        E::NotOffered(_) => "对方平台不支持这项功能。",
        E::Unreachable { .. } | E::Timeout { .. } | E::Interrupted { .. } => "无法连接对方平台，请检查网络。",
        E::TooLarge { .. } | E::Redirected(_) | E::Unreadable { .. } => "对方的回应不符合约定，请检查地址和代理。",
        E::CodeRefused(_) | E::CodeUsed(_) => "授权码无效或已被使用，请重新登录。",
        E::CredentialsRefused(_) => "client_id 或密钥不正确。",
        E::AccessTokenRefused(_) | E::RefreshTokenRefused(_) => "登录已失效，请重新登录。",
        E::RateLimited(_) => "请求过于频繁，请稍后再试。",
        E::Busy(_) => "对方平台繁忙，请稍后再试。",
        E::Discovery(_) => "无法读取签发者的配置，请核对地址。",
        E::IdTokenRefused(_) | E::OtherAudience(_) | E::SubjectMismatch { .. } => "身份校验未通过，没有登录任何人。",
        _ => "对方平台没有完成登录。",
    }
}

/// Characters of a message, at most.
const TEXT_LENGTH_MAX: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_out_of_order_is_no_refusal() {
        let code = |word: &str| Failure::from(ProviderError::AuthorizationRefused(word.to_owned())).code;
        assert_eq!((code("server_error"), code("temporarily_unavailable"), code("invalid_scope")), (1, 1, REFUSED));
    }

    #[test]
    fn what_is_shown_steers_nothing() {
        assert_eq!(visible("a\u{1b}[2Jb\u{202e}c\u{2066}\nd"), "a[2Jbc\nd");
    }
}
