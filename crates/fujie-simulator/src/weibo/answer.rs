//! How Weibo writes its answers: JSON, with a status of its own for every error.
//!
//! Two notations of failure: that of the OAuth endpoints, and that of the API. Which error it is is decided elsewhere.

use super::config::Switches;
use super::error::WeiboError;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// `error_code`, a number or a string.
#[derive(Serialize)]
#[serde(untagged)]
enum Code {
    Number(u32),
    Text(String),
}

/// A failure of an OAuth endpoint, in the order of the live ones.
#[derive(Serialize)]
struct OauthFailure<'a> {
    error: &'a str,
    error_code: u32,
    request: &'a str,
    error_uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'a str>,
}

/// 21322 has another order, and never a description.
#[derive(Serialize)]
struct RedirectUriMismatch<'a> {
    request: &'a str,
    error_code: u32,
    error: &'a str,
    error_uri: &'a str,
}

/// A failure of an API call.
#[derive(Serialize)]
struct ApiFailure<'a> {
    error: &'a str,
    error_code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a str>,
}

/// The answer of an OAuth endpoint that refuses. `request` is the path that was called.
pub(crate) fn oauth_failure(error: &WeiboError, request: &str, switches: &Switches) -> Response {
    let (text, error_code) = (error.text, error.number);
    if error.number == WeiboError::REDIRECT_URI_MISMATCH.number {
        let body = RedirectUriMismatch { request, error_code, error: text, error_uri: request };
        return json(error.status, &body, switches);
    }
    let error_description = error.description.as_deref();
    let body = OauthFailure { error: text, error_code, request, error_uri: request, error_description };
    json(error.status, &body, switches)
}

/// The answer of an API call that is refused.
pub(crate) fn api_failure(error: &WeiboError, request: &str, switches: &Switches) -> Response {
    let error_code =
        if switches.error_code_string { Code::Text(error.number.to_string()) } else { Code::Number(error.number) };
    let text = error.description.as_deref().unwrap_or(error.text);
    let is_named = switches.rate_limit_request || error.number != WeiboError::USER_RATE.number;
    let body = ApiFailure { error: text, error_code, request: is_named.then_some(request) };
    let status = match StatusCode::from_u16(switches.invalid_token_status) {
        Ok(status) if error.number == WeiboError::INVALID_ACCESS_TOKEN.number => status,
        _ => error.status,
    };
    json(status, &body, switches)
}

/// JSON under the label of the day.
pub(crate) fn json(status: StatusCode, body: &impl Serialize, switches: &Switches) -> Response {
    let label = if switches.text_plain { "text/plain;charset=UTF-8" } else { "application/json;charset=UTF-8" };
    match serde_json::to_string(body) {
        Ok(json) => (status, [(header::CONTENT_TYPE, label)], json).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{api_failure, oauth_failure};
    use crate::weibo::config::Switches;
    use crate::weibo::error::WeiboError;
    use axum::body::to_bytes;
    use axum::response::Response;

    async fn text(response: Response) -> (u16, String) {
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_wrong_secret_is_a_401_to_the_byte() {
        let error = WeiboError::INVALID_CLIENT.described("client_secret error.");
        let expected = "{\"error\":\"invalid_client\",\"error_code\":21324,\"request\":\"/oauth2/access_token\",\
                        \"error_uri\":\"/oauth2/access_token\",\"error_description\":\"client_secret error.\"}";
        let answer = oauth_failure(&error, "/oauth2/access_token", &Switches::default());
        assert_eq!(text(answer).await, (401, expected.to_owned()));
    }

    #[tokio::test]
    async fn a_mismatching_redirect_uri_has_another_order_and_no_description() {
        let expected = "{\"request\":\"/oauth2/access_token\",\"error_code\":21322,\
                        \"error\":\"redirect_uri_mismatch\",\"error_uri\":\"/oauth2/access_token\"}";
        let error = WeiboError::REDIRECT_URI_MISMATCH;
        let answer = oauth_failure(&error, "/oauth2/access_token", &Switches::default());
        assert_eq!(text(answer).await, (400, expected.to_owned()));
    }

    #[tokio::test]
    async fn an_api_failure_has_three_fields_and_sometimes_two() {
        let path = "/2/users/show.json";
        let expected =
            format!("{{\"error\":\"User requests out of rate limit!\",\"error_code\":10023,\"request\":\"{path}\"}}");
        let answer = api_failure(&WeiboError::USER_RATE, path, &Switches::default());
        assert_eq!(text(answer).await, (403, expected));
        let switches = Switches {
            rate_limit_request: false,
            error_code_string: true,
            invalid_token_status: 401,
            ..Switches::default()
        };
        let expected = r#"{"error":"User requests out of rate limit!","error_code":"10023"}"#;
        assert_eq!(text(api_failure(&WeiboError::USER_RATE, path, &switches)).await.1, expected);
        assert_eq!(text(api_failure(&WeiboError::INVALID_ACCESS_TOKEN, path, &switches)).await.0, 401);
    }
}
