//! What refused requests are told: registered codes, boring sentences, no hint which check failed.

use fujie_core::{
    error::{ErrorCode, WireError},
    request::{authorize::AuthorizeError, client_auth::ClientAuthError, parameters::ParameterError, pkce::PkceError},
    token::error::TokenError,
};

const FAILED: TokenError = TokenError::ClientAuth(ClientAuthError::Failed { by_header: true });

#[test]
fn each_cause_at_the_token_endpoint_has_its_code_and_status() {
    let check = |error: TokenError, code: &str, status: u16| {
        assert_eq!((error.code().as_str(), error.code().status()), (code, status), "{error:?}");
    };
    check(TokenError::Parameters(ParameterError::Utf8), "invalid_request", 400);
    check(TokenError::Missing("code"), "invalid_request", 400);
    check(FAILED, "invalid_client", 401);
    check(TokenError::ClientAuth(ClientAuthError::TwoMethods), "invalid_request", 400);
    check(TokenError::UnsupportedGrantType, "unsupported_grant_type", 400);
    check(TokenError::GrantTypeOff, "unauthorized_client", 400);
    check(TokenError::PublicClient, "unauthorized_client", 400);
    for error in [
        TokenError::CodeInvalid,
        TokenError::CodeReplayed,
        TokenError::RedirectUriMismatch,
        TokenError::VerifierMismatch,
        TokenError::RefreshInvalid,
        TokenError::RefreshReused,
        TokenError::PasswordWrong,
    ] {
        check(error, "invalid_grant", 400);
    }
    check(TokenError::Scope, "invalid_scope", 400);
    check(TokenError::Target, "invalid_target", 400);
    check(TokenError::Unavailable, "temporarily_unavailable", 503);
    check(TokenError::Server, "server_error", 500);
}

#[test]
fn each_cause_at_the_authorization_endpoint_has_its_code() {
    let check = |error: AuthorizeError, code: &str| assert_eq!(error.code().as_str(), code, "{error:?}");
    check(AuthorizeError::ResponseTypeMissing, "invalid_request");
    check(AuthorizeError::ResponseType, "unsupported_response_type");
    check(AuthorizeError::ResponseTypeOff, "unauthorized_client");
    check(AuthorizeError::Pkce(PkceError::Missing), "invalid_request");
    check(AuthorizeError::Scope, "invalid_scope");
    check(AuthorizeError::Target, "invalid_target");
    check(AuthorizeError::RequestObject, "request_not_supported");
    check(AuthorizeError::RequestUri, "request_uri_not_supported");
    check(AuthorizeError::LoginRequired, "login_required");
    check(AuthorizeError::ConsentRequired, "consent_required");
    check(AuthorizeError::Denied, "access_denied");
    check(AuthorizeError::Unavailable, "temporarily_unavailable");
}

#[test]
fn nobody_learns_whether_a_token_was_used_or_never_was() {
    let told = |error: TokenError| (error.code(), error.error_description());
    assert_eq!(told(TokenError::CodeInvalid), told(TokenError::CodeReplayed));
    assert_eq!(told(TokenError::RefreshInvalid), told(TokenError::RefreshReused));
}

#[test]
fn a_description_is_plain_ascii_whatever_the_request_said() {
    #[derive(Debug, thiserror::Error)]
    #[error("a \"b\" \\ c\r\nd 小 é\u{7f}")]
    struct Hostile;
    impl WireError for Hostile {
        fn code(&self) -> ErrorCode {
            ErrorCode::InvalidRequest
        }
    }
    assert_eq!(Hostile.error_description(), "a ?b? ? c??d ? ??");
    let repeated = TokenError::Parameters(ParameterError::Repeated("x".to_owned()));
    assert_eq!(repeated.error_description(), "the parameter x is repeated");
}
