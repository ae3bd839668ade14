//! How `graph.qq.com` writes its answers: form text, JSONP, JSON, and a label that nobody may trust.
//!
//! Everything is status 200. Which facts an answer has is decided elsewhere.

use super::config::{ContentType, Switches};
use crate::fields::Fields;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The fault that becomes a 500: an answer of ours could not be written.
type Body = Result<String, serde_json::Error>;

/// How the caller wants answers of the token endpoint and of `/me`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Success of the token endpoint as form text; everything else as JSONP.
    Plain,
    /// `fmt=json`: bare JSON.
    Json,
}

impl Format {
    pub(crate) fn of(fields: &Fields) -> Self {
        if fields.sent("fmt") == Some("json") { Self::Json } else { Self::Plain }
    }
}

/// `error` is a number; there is no space within the braces and one on either side of them.
#[derive(Serialize)]
struct Failure<'a> {
    error: i32,
    error_description: &'a str,
}

/// The body of a failed sign-in call.
pub(crate) fn failure(format: Format, number: i32, text: &str, switches: &Switches) -> Body {
    wrapped(format, &Failure { error: number, error_description: text }, switches)
}

#[derive(Serialize)]
struct ApiFailure<'a> {
    ret: i32,
    msg: &'a str,
}

/// The body of a failed API call.
pub(crate) fn api_failure(number: i32, text: &str) -> Body {
    serde_json::to_string(&ApiFailure { ret: number, msg: text })
}

/// `/me`: an app's own id, which the caller must compare, and the person's. Both are strings.
#[derive(Serialize)]
pub(crate) struct Me {
    pub(crate) client_id: String,
    pub(crate) openid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unionid: Option<String>,
}

/// JSON, in `callback( … );` unless the caller wants it bare.
pub(crate) fn wrapped(format: Format, facts: &impl Serialize, switches: &Switches) -> Body {
    let json = serde_json::to_string(facts)?;
    let end = if switches.jsonp_newline { "\n" } else { "" };
    Ok(match format {
        Format::Plain => format!("callback( {json} );{end}"),
        Format::Json => json,
    })
}

/// What the token endpoint gives. There is no `token_type` and no `scope`.
pub(crate) struct TokenFacts {
    pub(crate) access_token: String,
    pub(crate) expires_in: u64,
    pub(crate) refresh_token: String,
    pub(crate) openid: Option<String>,
}

#[derive(Serialize)]
struct TokenJson<'a, E> {
    access_token: &'a str,
    expires_in: E,
    refresh_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    openid: Option<&'a str>,
}

impl TokenFacts {
    pub(crate) fn body(&self, format: Format, switches: &Switches) -> Body {
        match format {
            Format::Plain => Ok(self.form()),
            Format::Json if switches.expires_in_string => {
                serde_json::to_string(&self.json(self.expires_in.to_string()))
            }
            Format::Json => serde_json::to_string(&self.json(self.expires_in)),
        }
    }

    /// Nothing in it needs encoding.
    fn form(&self) -> String {
        let Self { access_token, expires_in, refresh_token, openid } = self;
        let form = format!("access_token={access_token}&expires_in={expires_in}&refresh_token={refresh_token}");
        openid.iter().fold(form, |form, openid| format!("{form}&openid={openid}"))
    }

    fn json<E>(&self, expires_in: E) -> TokenJson<'_, E> {
        TokenJson {
            access_token: &self.access_token,
            expires_in,
            refresh_token: &self.refresh_token,
            openid: self.openid.as_deref(),
        }
    }
}

/// The answer with the label of the day.
pub(crate) fn labelled(body: String, is_success: bool, switches: &Switches) -> Response {
    let label = match switches.content_type {
        ContentType::Html => "text/html; charset=utf-8",
        ContentType::JsonFailure if !is_success => "application/json",
        ContentType::Plain | ContentType::JsonFailure => "text/plain",
    };
    ([(header::CONTENT_TYPE, label)], body).into_response()
}

/// The text of the error page: text, then the number in parentheses.
pub(crate) fn page_text(number: i32, text: &str) -> String {
    format!("{text}({number})")
}

/// Whether a path is one of the open API, whose failures are `ret` and `msg`.
pub(crate) fn is_api(path: &str) -> bool {
    path.starts_with("/user/")
}

#[cfg(test)]
mod tests {
    use super::{Format, Me, TokenFacts, api_failure, failure, page_text, wrapped};
    use crate::qq::config::Switches;
    use crate::qq::error::QqError;

    #[test]
    fn a_failure_is_jsonp_with_a_number_in_it_unless_json_is_asked_for() {
        let of = |format| failure(format, 100_020, "code is reused error", &Switches::default()).unwrap();
        let json = r#"{"error":100020,"error_description":"code is reused error"}"#;
        assert_eq!(of(Format::Plain), format!("callback( {json} );\n"));
        assert_eq!(of(Format::Json), json);
        assert_eq!(api_failure(1002, "请先登录").unwrap(), r#"{"ret":1002,"msg":"请先登录"}"#);
    }

    #[test]
    fn me_is_jsonp_to_the_byte() {
        let me = |unionid: Option<&str>| Me {
            client_id: "101000001".to_owned(),
            openid: "AB".to_owned(),
            unionid: unionid.map(str::to_owned),
        };
        let of = |me: &Me, format| wrapped(format, me, &Switches::default()).unwrap();
        let bare = r#"callback( {"client_id":"101000001","openid":"AB"} );"#;
        assert_eq!(of(&me(None), Format::Plain), format!("{bare}\n"));
        let union = r#"{"client_id":"101000001","openid":"AB","unionid":"UID_C"}"#;
        assert_eq!(of(&me(Some("UID_C")), Format::Json), union);
        let without_newline = Switches { jsonp_newline: false, ..Switches::default() };
        assert_eq!(wrapped(Format::Plain, &me(None), &without_newline).unwrap(), bare);
    }

    #[test]
    fn tokens_are_form_text_or_json_with_a_number_or_a_string() {
        let facts = |openid: Option<&str>| TokenFacts {
            access_token: "A".to_owned(),
            expires_in: 7_776_000,
            refresh_token: "B".to_owned(),
            openid: openid.map(str::to_owned),
        };
        let (number, string) = (Switches::default(), Switches { expires_in_string: true, ..Switches::default() });
        let cases = [
            (None, Format::Plain, &string, "access_token=A&expires_in=7776000&refresh_token=B"),
            (Some("C"), Format::Plain, &number, "access_token=A&expires_in=7776000&refresh_token=B&openid=C"),
            (None, Format::Json, &number, r#"{"access_token":"A","expires_in":7776000,"refresh_token":"B"}"#),
            (
                Some("C"),
                Format::Json,
                &string,
                r#"{"access_token":"A","expires_in":"7776000","refresh_token":"B","openid":"C"}"#,
            ),
        ];
        for (openid, format, switches, expected) in cases {
            assert_eq!(facts(openid).body(format, switches).unwrap(), expected);
        }
    }

    #[test]
    fn the_error_page_puts_the_number_in_parentheses() {
        assert_eq!(page_text(100_010, QqError::REDIRECT_URI.text), "redirect uri is illegal(100010)");
        assert_eq!(page_text(100_001, QqError::CLIENT_ID.text), "param client_id is wrong or lost (100001)");
    }
}
