//! The token endpoint (RFC 6749 §3.2).

use fujie_core::{
    error::WireError as _,
    grant::{authorization_code, client_credentials, password, refresh_token},
    random::SystemRandom,
    request::{
        client_auth::{self, ClientAuthenticated},
        parameters::Parameters,
    },
    time::Timestamp,
    token::{draft::TokenResponse, error::TokenError},
};
use fujie_store::{BeginGrant, Consent, GrantBegun, Redemption, Refresh, StoreError};
use http::{StatusCode, header};

use super::sign_in::{self, Failure};
use crate::{
    http::{Request, Response, error, for_any_origin, json, with_header},
    server::Server,
    snapshot::Snapshot,
};

/// How often a refresh that lost a race is decided anew. Each loss means that somebody else won.
const ATTEMPTS: usize = 4;

/// POST.
pub async fn post(server: &Server, request: &Request) -> Response {
    let now = server.now();
    let snapshot = server.snapshot();
    let response = match decide(server, request, &snapshot, now).await {
        Ok(response) => json(StatusCode::OK, &response),
        Err(cause) => refuse(&cause),
    };
    for_any_origin(response)
}

async fn decide(
    server: &Server,
    request: &Request,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<TokenResponse, TokenError> {
    let parameters = request.form()?;
    let client = authenticate(request, &parameters, snapshot)?;
    if !server.is_current(now) {
        return Err(TokenError::Unavailable);
    }
    match parameters.text("grant_type").ok_or(TokenError::Missing("grant_type"))? {
        "authorization_code" => redeem(server, &client, &parameters, snapshot, now).await,
        "refresh_token" => refresh(server, &client, &parameters, snapshot).await,
        "client_credentials" => {
            client_credentials::decide(client, &parameters, server.setting(snapshot, now), &mut SystemRandom)?
                .release(&snapshot.ring, &mut SystemRandom)
                .or(Err(TokenError::Server))
        }
        "password" => by_password(server, request, &client, &parameters, snapshot, now).await,
        _ => Err(TokenError::UnsupportedGrantType),
    }
}

/// Authenticates the client of a request. Failures are not limited: a secret of 256 random bits is not guessed.
pub(crate) fn authenticate(
    request: &Request,
    parameters: &Parameters,
    snapshot: &Snapshot,
) -> Result<ClientAuthenticated, TokenError> {
    // A header that cannot be read is not the same as none.
    let authorization = request
        .headers
        .contains_key(header::AUTHORIZATION)
        .then(|| request.header(header::AUTHORIZATION).unwrap_or_default());
    Ok(client_auth::authenticate(&snapshot.registry, authorization, parameters)?)
}

async fn redeem(
    server: &Server,
    client: &ClientAuthenticated,
    parameters: &Parameters,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<TokenResponse, TokenError> {
    let code = authorization_code::read(parameters, &snapshot.ring)?;
    let grant = server.store.grant(code.grant).await.map_err(failed)?;
    let account = match &grant {
        Some(grant) => server.store.account(grant.account).await.map_err(failed)?,
        None => None,
    };
    let facts = authorization_code::Facts { grant: grant.as_ref(), account: account.as_ref() };
    let setting = server.setting(snapshot, now);
    match authorization_code::decide(client, &code, parameters, facts, setting, &mut SystemRandom) {
        authorization_code::Decision::Redeem { expires_at, draft } => {
            match server.store.redeem_code(draft.id(), expires_at, now).await.map_err(failed)? {
                Redemption::Redeemed(proof) => {
                    draft.release(proof, &snapshot.ring, &mut SystemRandom).or(Err(TokenError::Server))
                }
                Redemption::Replayed => Err(TokenError::CodeReplayed),
                Redemption::Gone => Err(TokenError::CodeInvalid),
            }
        }
        authorization_code::Decision::End { grant, why, error } => {
            server.store.end_unredeemed_grant(grant, why, now).await.map_err(failed)?;
            Err(error)
        }
        authorization_code::Decision::Replayed { grant } => {
            // The store ends the grant when it finds that the code was redeemed before.
            match server.store.redeem_code(grant, now, now).await.map_err(failed)? {
                Redemption::Replayed => Err(TokenError::CodeReplayed),
                Redemption::Redeemed(_) | Redemption::Gone => Err(TokenError::CodeInvalid),
            }
        }
        authorization_code::Decision::Refuse(error) => Err(error),
    }
}

async fn refresh(
    server: &Server,
    client: &ClientAuthenticated,
    parameters: &Parameters,
    snapshot: &Snapshot,
) -> Result<TokenResponse, TokenError> {
    let token = refresh_token::read(parameters, &snapshot.ring)?;
    let release = |draft: Box<fujie_core::token::draft::Draft<_>>, proof| {
        draft.release(proof, &snapshot.ring, &mut SystemRandom).or(Err(TokenError::Server))
    };
    for _ in 0..ATTEMPTS {
        // A fresh time for each attempt: the winner's rotation must not lie in the future of the loser.
        let now = server.now();
        let grant = server.store.grant(token.grant).await.map_err(failed)?;
        let account = match &grant {
            Some(grant) if grant.scope.contains("openid") => {
                server.store.account(grant.account).await.map_err(failed)?
            }
            _ => None,
        };
        let facts = refresh_token::Facts { grant: grant.as_ref(), account: account.as_ref() };
        let setting = server.setting(snapshot, now);
        let decision = refresh_token::decide(client, token, parameters, facts, setting, &mut SystemRandom);
        let (draft, outcome) = match decision {
            refresh_token::Decision::Rotate { generation, expires_at, draft } => {
                let outcome = server.store.rotate(token.grant, generation, expires_at, now).await.map_err(failed)?;
                (draft, outcome)
            }
            refresh_token::Decision::Extend { expires_at, draft } => {
                let outcome = server.store.extend(token.grant, expires_at, now).await.map_err(failed)?;
                (draft, outcome)
            }
            refresh_token::Decision::Answer(draft, proof) => {
                if let Some(grant) = grant.filter(|grant| grant.generation != token.generation) {
                    server.store.note_refresh_repeated(grant.id, grant.generation, now).await.map_err(failed)?;
                }
                return release(draft, proof);
            }
            refresh_token::Decision::End { why, error } => {
                server.store.end_grant(token.grant, why, now).await.map_err(failed)?;
                return Err(error);
            }
            refresh_token::Decision::Refuse(error) => return Err(error),
        };
        if let Refresh::Refreshed(proof) = outcome {
            return release(draft, proof);
        }
    }
    Err(TokenError::Unavailable)
}

async fn by_password(
    server: &Server,
    request: &Request,
    client: &ClientAuthenticated,
    parameters: &Parameters,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<TokenResponse, TokenError> {
    let credentials = password::read(client, parameters)?;
    let verified = sign_in::verify(server, request, credentials.username, credentials.password).await;
    let account = verified.map_err(|failure| match failure {
        Failure::Wrong => TokenError::PasswordWrong,
        Failure::TooMany => TokenError::TooMany,
        Failure::Store(error) => failed(error),
    })?;
    let setting = server.setting(snapshot, now);
    let (grant, draft) = password::decide(client, parameters, &account, setting, &mut SystemRandom)?;
    let begin = BeginGrant { offline: true, grant, consent: Consent::Once, consume_fresh: None };
    match server.store.begin_grant(begin, now).await.map_err(failed)? {
        GrantBegun::Born(proof) => draft.release(proof, &snapshot.ring, &mut SystemRandom).or(Err(TokenError::Server)),
        _ => Err(TokenError::PasswordWrong),
    }
}

/// The store failed: nothing was acknowledged, so the client may try again.
pub(crate) fn failed(error: StoreError) -> TokenError {
    tracing::error!(%error, "the store failed");
    TokenError::Unavailable
}

/// A refused request of a client (RFC 6749 §5.2).
pub(crate) fn refuse(cause: &TokenError) -> Response {
    if matches!(cause, TokenError::Server) {
        tracing::error!("a token response could not be made");
    } else {
        tracing::debug!(error = cause.code().as_str(), %cause, "a token request was refused");
    }
    let response = error(cause);
    match cause {
        // Every 401 says how to do better (RFC 9110 §11.6.1).
        TokenError::ClientAuth(_) if response.status() == StatusCode::UNAUTHORIZED => {
            with_header(response, header::WWW_AUTHENTICATE, "Basic realm=\"fujie\"")
        }
        _ => response,
    }
}
