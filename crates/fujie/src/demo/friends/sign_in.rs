//! Signing in: to the authorization endpoint, back with a code, and to tokens (steps 1 to 7).
//!
//! `state`, `nonce` and the PKCE verifier belong to the browser that began; a response for another one changes nothing.

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_core::secret::Secret;
use url::{Url, form_urlencoded};

use super::{
    App, Call,
    answer::{self, Tokens, Userinfo},
    browser::{Browser, Pending, SignedIn},
    page, random, status,
};
use crate::demo::{
    http::{self, Answer, Request},
    issuer::Metadata,
    jwt::{Jwks, Type, Unverified},
    walk::{Button, Field, Label, Message, Party, Shape, Walk},
};

/// `POST /sign-in`: begins. With `as=other` Fujie is asked to sign in anew.
pub(super) async fn start(State(app): State<Arc<App>>, headers: HeaderMap, form: Bytes) -> Response {
    let (browser, cookie) = match app.browsers.find(&headers, app.now()) {
        Some(browser) => (browser, None),
        None => match app.browsers.admit(app.now()) {
            Some((browser, cookie)) => (browser, Some(cookie)),
            None => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
    };
    let mut browser = browser.lock().await;
    *browser = Browser { walk: std::mem::take(&mut browser.walk), ..Browser::default() };
    let prompt = (form.as_ref() == b"as=other".as_slice()).then_some("login");
    let to = app.begin(&mut browser, page::lang(None, &headers).tag(), prompt).await;
    let location = to.unwrap_or_else(|| page::newest(&browser.walk));
    with_cookie(Redirect::to(&location).into_response(), cookie)
}

/// `GET /callback`: the authorization response (RFC 6749 §4.1.2).
pub(super) async fn callback(State(app): State<Arc<App>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let lost = || page::lost(&app, &headers);
    let Some(parameters) = parameters(query.as_deref().unwrap_or_default()) else { return lost() };
    let Some(shared) = app.browsers.find(&headers, app.now()) else { return lost() };
    let mut browser = shared.lock().await;
    let state = Secret::new(parameters.get("state").cloned().unwrap_or_default());
    // A response with another state may be somebody else's doing: the sign-in under way stays.
    let Some(pending) = browser.pending.take_if(|pending| pending.state == state) else { return lost() };
    let signed_in = app.finish(&mut browser.walk, &pending, &parameters).await;
    let cookie = signed_in.as_ref().and_then(|_| app.browsers.renew(&headers));
    browser.signed_in = signed_in;
    with_cookie(Redirect::to(&page::newest(&browser.walk)).into_response(), cookie)
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The parameters of a response; `None` when one stands twice (RFC 6749 §3.1) or there is too much of it.
fn parameters(query: &str) -> Option<HashMap<String, String>> {
    let mut parameters = HashMap::new();
    if query.len() > QUERY_LENGTH_MAX {
        return None;
    }
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(parameters)
}

impl App {
    /// Steps 1 and 2: discovers the endpoints and gives the authorization request as a URL.
    async fn begin(&self, browser: &mut Browser, ui_locales: &str, prompt: Option<&str>) -> Option<String> {
        browser.walk.begin(Button::SignIn, self.now());
        let pressed = Message::new(Shape::Request, Party::You, Party::Friends, Label::PressSignIn).step(1);
        browser.walk.record(pressed.head("POST /sign-in".into()), self.now());
        let metadata = self.discover(&mut browser.walk).await?;
        let pending = Pending { state: random()?, nonce: random()?, verifier: random()?, metadata };
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, pending.verifier.expose().as_bytes()));
        let mut url = Url::parse(&pending.metadata.authorization_endpoint).ok()?;
        let plain = [
            ("response_type", "code"),
            ("client_id", &self.config.client_id),
            ("redirect_uri", &self.config.redirect_uri),
            ("scope", SCOPE),
        ];
        let secret = [("state", pending.state.expose()), ("nonce", pending.nonce.expose())];
        let rest =
            [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256"), ("ui_locales", ui_locales)];
        let prompt = prompt.map(|prompt| ("prompt", prompt));
        url.query_pairs_mut().extend_pairs(plain).extend_pairs(secret).extend_pairs(rest).extend_pairs(prompt);
        let shown = plain.map(|(name, value)| Field::plain(name, value)).into_iter();
        let shown = shown.chain(secret.map(|(name, value)| Field::secret(name, value)));
        let shown = shown.chain(rest.into_iter().chain(prompt).map(|(name, value)| Field::plain(name, value)));
        let redirect = Message::new(Shape::Answer, Party::Friends, Party::You, Label::GoToFujie).step(2);
        let head = format!("{} → {}", status(StatusCode::SEE_OTHER.as_u16()), url.path());
        browser.walk.record(redirect.head(head).fields(shown.collect()), self.now());
        browser.pending = Some(pending);
        Some(url.into())
    }

    async fn discover(&self, walk: &mut Walk) -> Option<Metadata> {
        let call = Call {
            to: Party::Fujie,
            step: None,
            answer_step: None,
            asks: Label::AskMetadata,
            answers: Label::Metadata,
            request: Metadata::request(&self.config.issuer),
            fields: Vec::new(),
            shows: answer::no_fields,
        };
        let answer = self.ask(walk, call).await?;
        self.believed(walk, Metadata::read(&self.config.issuer, &answer))
    }

    /// What an answer says, unless it is not what the standard says: then the walk ends with a note.
    fn believed<T>(&self, walk: &mut Walk, outcome: anyhow::Result<T>) -> Option<T> {
        if let Err(error) = &outcome {
            tracing::warn!(error = format!("{error:#}"), "the demo application does not believe an answer");
            walk.record(Message::note(Party::Friends, Party::Friends, Label::NoAnswer).error(), self.now());
        }
        outcome.ok()
    }

    /// Steps 3 to 7. The walk ends at the first bad news.
    async fn finish(&self, walk: &mut Walk, pending: &Pending, response: &HashMap<String, String>) -> Option<SignedIn> {
        let code = Secret::new(self.arrived(walk, pending, response)?.to_owned());
        let (access_token, refresh_token, id_token) = self.redeem(walk, pending, &code).await?.into_secrets();
        let sub = self.check_id_token(walk, pending, id_token.as_ref()).await?;
        let userinfo = self.userinfo(walk, pending, &access_token, &sub).await?;
        let contacts = self.contacts(walk, &access_token).await;
        let nickname = userinfo.shown_name().to_owned();
        let metadata = pending.metadata.clone();
        Some(SignedIn { sub, nickname, access_token, refresh_token, contacts, metadata })
    }

    /// Steps 3 and 4: the code, from the issuer that was asked (RFC 9207 §2.4).
    fn arrived<'a>(
        &self,
        walk: &mut Walk,
        pending: &Pending,
        response: &'a HashMap<String, String>,
    ) -> Option<&'a str> {
        let has_code = response.contains_key("code") && !response.contains_key("error");
        let (seen, label) = if has_code {
            (Label::Consented, Label::BackWithCode)
        } else {
            (Label::NotConsented, Label::BackWithError)
        };
        let seen = Message::note(Party::You, Party::Wechat, seen).step(3);
        walk.record(if has_code { seen } else { seen.error() }, self.now());
        let is_from_issuer = match response.get("iss") {
            Some(iss) => *iss == self.config.issuer,
            None => !pending.metadata.authorization_response_iss_parameter_supported,
        };
        let label = if is_from_issuer { label } else { Label::MixedUp };
        let secret = ["code", "state"].into_iter().filter_map(|name| Some(Field::secret(name, response.get(name)?)));
        let plain = ["error", "error_description", "iss"].into_iter();
        let fields = secret.chain(plain.filter_map(|name| Some(Field::plain(name, response.get(name)?)))).collect();
        let arrived = Message::new(Shape::Request, Party::You, Party::Friends, label).step(4);
        let arrived = arrived.head("GET /callback".into()).fields(fields);
        let is_good = has_code && is_from_issuer;
        walk.record(if is_good { arrived } else { arrived.error() }, self.now());
        response.get("code").filter(|_| is_good).map(String::as_str)
    }

    /// Steps 5 and 6 (RFC 6749 §4.1.3).
    async fn redeem(&self, walk: &mut Walk, pending: &Pending, code: &Secret) -> Option<Tokens> {
        let authorization = http::basic(&self.config.client_id, &self.config.client_secret);
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", &self.config.redirect_uri),
            ("code_verifier", pending.verifier.expose()),
        ];
        let call = Call {
            to: Party::Fujie,
            step: Some(5),
            answer_step: Some(6),
            asks: Label::RedeemCode,
            answers: Label::TokensIssued,
            fields: vec![
                self.basic_field(),
                Field::plain("grant_type", "authorization_code"),
                Field::secret("code", code.expose()),
                Field::plain("redirect_uri", &self.config.redirect_uri),
                Field::secret("code_verifier", pending.verifier.expose()),
            ],
            request: Request {
                url: pending.metadata.token_endpoint.clone(),
                authorization: Some(authorization),
                form: Some(http::form(&pairs)),
            },
            shows: answer::token_fields,
        };
        let answer = self.ask(walk, call).await?;
        self.believed(walk, Tokens::read(&answer).ok_or_else(|| anyhow::anyhow!("not a bearer token response")))
    }

    /// OpenID Connect Core 1.0 §3.1.3.7. Gives `sub`.
    async fn check_id_token(&self, walk: &mut Walk, pending: &Pending, id_token: Option<&Secret>) -> Option<String> {
        let call = Call {
            to: Party::Fujie,
            step: None,
            answer_step: None,
            asks: Label::AskKeys,
            answers: Label::Keys,
            request: Request { url: pending.metadata.jwks_uri.clone(), authorization: None, form: None },
            fields: Vec::new(),
            shows: answer::no_fields,
        };
        let keys = self.ask(walk, call).await?;
        match id_token.ok_or("there is none").and_then(|token| self.judge(token, &keys, pending)) {
            Ok(sub) => {
                let checked = Message::note(Party::Friends, Party::Friends, Label::IdTokenChecked);
                walk.record(checked.fields(vec![Field::plain("sub", &sub)]), self.now());
                Some(sub)
            }
            Err(why) => {
                let refused = Message::note(Party::Friends, Party::Friends, Label::IdTokenRefused).error();
                walk.record(refused.fields(vec![Field::plain("", why)]), self.now());
                None
            }
        }
    }

    fn judge(&self, id_token: &Secret, keys: &Answer, pending: &Pending) -> Result<String, &'static str> {
        let keys = Jwks::parse(&keys.body).ok_or("the keys cannot be read")?;
        let unverified = Unverified::read(id_token.expose()).map_err(|fault| fault.as_str())?;
        let key = keys.key(unverified.kid()).ok_or("the signing key is unknown")?;
        let claims = unverified.verify(key, Type::IdToken).map_err(|fault| fault.as_str())?;
        let is_ours = match claims.audience() {
            [only] => *only == self.config.client_id,
            several => several.contains(&self.config.client_id) && claims.azp.as_ref() == Some(&self.config.client_id),
        };
        if claims.iss != self.config.issuer {
            return Err("another issuer");
        }
        if !is_ours {
            return Err("another audience");
        }
        if self.now().millis() as f64 / 1000.0 >= claims.exp {
            return Err("expired");
        }
        if claims.nonce.map(Secret::new).as_ref() != Some(&pending.nonce) {
            return Err("another nonce");
        }
        Ok(claims.sub)
    }

    /// OpenID Connect Core 1.0 §5.3: about the same person as the ID token, or not believed (§5.3.2).
    async fn userinfo(&self, walk: &mut Walk, pending: &Pending, token: &Secret, sub: &str) -> Option<Userinfo> {
        let call = Call {
            to: Party::Fujie,
            step: None,
            answer_step: None,
            asks: Label::AskUserinfo,
            answers: Label::Userinfo,
            request: Request {
                url: pending.metadata.userinfo_endpoint.clone(),
                authorization: Some(http::bearer(token)),
                form: None,
            },
            fields: vec![bearer_field(token)],
            shows: answer::userinfo_fields,
        };
        let answer = self.ask(walk, call).await?;
        let userinfo = Userinfo::read(&answer).filter(|userinfo| userinfo.sub == sub);
        self.believed(walk, userinfo.ok_or_else(|| anyhow::anyhow!("userinfo is about somebody else, or nobody")))
    }
}

/// How a bearer token is drawn.
pub(super) fn bearer_field(token: &Secret) -> Field {
    let Field { value, .. } = Field::secret("", token.expose());
    Field::plain("", &format!("Authorization: Bearer {value}"))
}

/// What the application asks for.
const SCOPE: &str = "openid profile read_contacts offline_access";

const QUERY_LENGTH_MAX: usize = 8192;
