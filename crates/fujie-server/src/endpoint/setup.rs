//! The first administrator, by a one-time link (design §7). Spent by POST, and only while there never was one.

use fujie_core::{
    id::Id,
    random::SystemRandom,
    request::parameters::Parameters,
    secret::{Digest, Kind},
};
use fujie_store::{NewAccount, SetupLinkSpent, Username};
use http::StatusCode;

use super::sign_in::fold;
use crate::{
    form::Visit,
    http::{Request, Response, see_other},
    page::{ErrorKind, Setup, SetupError},
    password::{PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN},
    server::Server,
    snapshot::Snapshot,
};

/// GET: the form.
pub async fn get(server: &Server, request: &Request) -> Response {
    let visit = Visit::new(server, request);
    let token = request.query().unwrap_or_default().text("token").unwrap_or_default().to_owned();
    match server.store.has_administrator().await {
        Ok(false) if Digest::of_token(Kind::SetupLink, &token).is_some() => {
            page(&visit, &server.snapshot(), &token, "", None)
        }
        Ok(_) => visit.error(ErrorKind::SetupClosed),
        Err(error) => visit.unavailable(&error),
    }
}

/// POST: makes the account.
pub async fn post(server: &Server, request: &Request) -> Response {
    let visit = Visit::new(server, request);
    let snapshot = server.snapshot();
    let fields = match visit.form(&snapshot, "setup", "token") {
        Ok(fields) => fields,
        Err(response) => return *response,
    };
    let token = fields.text("token").unwrap_or_default();
    let username = fields.text("username").unwrap_or_default();
    let Some(link) = Digest::of_token(Kind::SetupLink, token) else {
        return visit.error(ErrorKind::SetupClosed);
    };
    // Before a password is hashed, which is dear: a closed door stays cheap to knock at.
    match server.store.has_administrator().await {
        Ok(false) => {}
        Ok(true) => return visit.error(ErrorKind::SetupClosed),
        Err(error) => return visit.unavailable(&error),
    }
    let wrong = |error| page(&visit, &snapshot, token, username, Some(error));
    if let Some(error) = fault(&fields) {
        return wrong(error);
    }
    let Ok(hash) = server.passwords.hash(fields.text("password").unwrap_or_default()).await else {
        return visit.error(ErrorKind::Unavailable);
    };
    let new = NewAccount {
        id: Id::new(visit.now, &mut SystemRandom),
        username: Some(Username { shown: username.to_owned(), folded: fold(username) }),
        name: username.to_owned(),
        picture: None,
        password_hash: Some(hash),
        is_administrator: true,
    };
    match server.store.spend_setup_link(link, new, visit.now).await {
        Ok(SetupLinkSpent::Made(_)) => see_other("/sign-in"),
        Ok(SetupLinkSpent::Refused) => visit.error(ErrorKind::SetupClosed),
        Ok(SetupLinkSpent::UsernameTaken) => wrong(SetupError::UsernameTaken),
        Err(error) => visit.unavailable(&error),
    }
}

fn page(visit: &Visit<'_>, snapshot: &Snapshot, token: &str, username: &str, error: Option<SetupError>) -> Response {
    let code = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = Setup {
        token: token.to_owned(),
        csrf: visit.csrf(snapshot, "setup", token),
        username: username.to_owned(),
        password_length_min: u32::try_from(PASSWORD_LENGTH_MIN).unwrap_or_default(),
        error,
    };
    visit.page(code, &page, &[])
}

fn fault(fields: &Parameters) -> Option<SetupError> {
    let password = fields.text("password").unwrap_or_default();
    if !is_username(fields.text("username").unwrap_or_default()) {
        return Some(SetupError::UsernameInvalid);
    }
    if password.chars().count() < PASSWORD_LENGTH_MIN {
        return Some(SetupError::PasswordTooShort);
    }
    if password.len() > PASSWORD_LENGTH_MAX {
        return Some(SetupError::PasswordTooLong);
    }
    (fields.text("password_repeat") != Some(password)).then_some(SetupError::PasswordsDiffer)
}

/// May people sign in by this name? 1 to 64 letters, digits, dots, hyphens and underscores of any script, or an
/// e-mail address.
pub fn is_username(name: &str) -> bool {
    let count = name.chars().count();
    (1..=64).contains(&count) && name.chars().all(|c| c.is_alphanumeric() || ".-_@+".contains(c))
}
