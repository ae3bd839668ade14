//! The buttons after the sign-in: call, call with an expired token, refresh, revoke, sign out.

use std::sync::Arc;

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use fujie_core::secret::Secret;

use super::{
    App, Call,
    answer::{self, Contact, Tokens},
    browser::SignedIn,
    page,
    sign_in::bearer_field,
};
use crate::demo::{
    http::{self, Request},
    walk::{Button, Field, Label, Message, Party, Walk},
};

/// `POST /call`: the contacts, with the token at hand.
pub(super) async fn call(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.press(&headers, Button::Call).await
}

/// `POST /expired`: the contacts, with a token of this issuer that is past its expiry.
pub(super) async fn expired(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.press(&headers, Button::Expired).await
}

/// `POST /refresh`: a new access token without the person (step 8), then the contacts.
pub(super) async fn refresh(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.press(&headers, Button::Refresh).await
}

/// `POST /revoke`: ends the grant (RFC 7009), then tries the contacts all the same.
pub(super) async fn revoke(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.press(&headers, Button::Revoke).await
}

/// `POST /sign-out`: forgets the person here. The session with Fujie is Fujie's.
pub(super) async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if let Some(browser) = app.browsers.find(&headers, app.now()) {
        let mut browser = browser.lock().await;
        *browser = Default::default();
    }
    Redirect::to("/").into_response()
}

impl App {
    async fn press(&self, headers: &HeaderMap, button: Button) -> Response {
        let Some(shared) = self.browsers.find(headers, self.now()) else {
            return Redirect::to("/").into_response();
        };
        let mut browser = shared.lock().await;
        let browser = &mut *browser;
        if let Some(signed_in) = &mut browser.signed_in {
            browser.walk.begin(button, self.now());
            self.act(&mut browser.walk, signed_in, button).await;
        }
        Redirect::to(&page::newest(&browser.walk)).into_response()
    }

    async fn act(&self, walk: &mut Walk, signed_in: &mut SignedIn, button: Button) {
        match button {
            Button::SignIn | Button::Call => {}
            // What is shown of the contacts stays: the token at hand is as good as it was.
            Button::Expired => return self.call_expired(walk, &signed_in.access_token).await,
            Button::Refresh => {
                if self.renew(walk, signed_in).await.is_none() {
                    return;
                }
            }
            Button::Revoke => self.end(walk, signed_in).await,
        }
        signed_in.contacts = self.contacts(walk, &signed_in.access_token).await;
    }

    /// Step 7 (RFC 6750 §2.1).
    pub(super) async fn contacts(&self, walk: &mut Walk, token: &Secret) -> Option<Vec<Contact>> {
        let call = Call {
            to: Party::Contacts,
            step: Some(7),
            answer_step: Some(7),
            asks: Label::CallContacts,
            answers: Label::Contacts,
            request: Request {
                url: self.config.contacts_url.clone(),
                authorization: Some(http::bearer(token)),
                form: None,
            },
            fields: vec![bearer_field(token)],
            shows: answer::contacts_fields,
        };
        let answer = self.ask(walk, call).await?;
        answer::contacts(&answer)
    }

    async fn call_expired(&self, walk: &mut Walk, token: &Secret) {
        let Some(old) = (self.config.age_token)(token.expose()).map(Secret::new) else {
            walk.record(Message::note(Party::Friends, Party::Friends, Label::TokenNotAged).error(), self.now());
            return;
        };
        walk.record(Message::note(Party::Friends, Party::Fujie, Label::TokenAged), self.now());
        self.contacts(walk, &old).await;
    }

    /// Step 8 (RFC 6749 §6). A response without a refresh token leaves the old one in use.
    async fn renew(&self, walk: &mut Walk, signed_in: &mut SignedIn) -> Option<()> {
        let refresh_token = signed_in.refresh_token.as_ref()?;
        let authorization = http::basic(&self.config.client_id, &self.config.client_secret);
        let call = Call {
            to: Party::Fujie,
            step: Some(8),
            answer_step: Some(8),
            asks: Label::Refresh,
            answers: Label::Refreshed,
            fields: vec![
                self.basic_field(),
                Field::plain("grant_type", "refresh_token"),
                Field::secret("refresh_token", refresh_token.expose()),
            ],
            request: Request {
                url: signed_in.metadata.token_endpoint.clone(),
                authorization: Some(authorization),
                form: Some(http::form(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())])),
            },
            shows: answer::token_fields,
        };
        let answer = self.ask(walk, call).await?;
        let (access_token, refresh_token, _) = Tokens::read(&answer)?.into_secrets();
        signed_in.access_token = access_token;
        if refresh_token.is_some() {
            signed_in.refresh_token = refresh_token;
        }
        Some(())
    }

    /// RFC 7009 §2.1: the refresh token stands for the whole grant.
    async fn end(&self, walk: &mut Walk, signed_in: &SignedIn) {
        let authorization = http::basic(&self.config.client_id, &self.config.client_secret);
        let (token, hint) = match &signed_in.refresh_token {
            Some(token) => (token, "refresh_token"),
            None => (&signed_in.access_token, "access_token"),
        };
        let call = Call {
            to: Party::Fujie,
            step: None,
            answer_step: None,
            asks: Label::Revoke,
            answers: Label::Revoked,
            fields: vec![
                self.basic_field(),
                Field::secret("token", token.expose()),
                Field::plain("token_type_hint", hint),
            ],
            request: Request {
                url: signed_in.metadata.revocation_endpoint.clone(),
                authorization: Some(authorization),
                form: Some(http::form(&[("token", token.expose()), ("token_type_hint", hint)])),
            },
            shows: answer::no_fields,
        };
        // Whether it was refused or not, the call that follows shows what the contacts API makes of the token.
        let _answer = self.ask(walk, call).await;
    }
}
