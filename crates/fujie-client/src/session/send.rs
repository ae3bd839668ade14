//! Sending: the loop of refreshes, challenges and redirects around one exchange.
//!
//! Owns what goes along on each hop, when a request is sent once more, and telling failures
//! apart. Each of a refresh, a challenge and a nonce happens once; redirects are counted.

use std::error::Error as StdError;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, WWW_AUTHENTICATE};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep};
use url::Url;

use super::address::place;
use super::body::Content;
use super::builder::header_pair;
use super::error::Source;
use super::redirect::{Hop, bodiless, harmless, next};
use super::request::Draft;
use super::response::Download;
use super::{Error, Session, Token, TokenError, TokenPlacement};
use crate::openid::dpop::{is_bound, is_nonce_asked};
use crate::request::with_query;
use crate::secret::Secret;
use crate::token::Tokens;

/// The access token of one hop.
enum Carried<'s> {
    None,
    Fixed(&'s Secret),
    Fresh(Arc<Tokens>),
}

/// What has happened to a request on its way.
#[derive(Default)]
struct Journey {
    hops: usize,
    /// Once it went to a stranger it carries nothing, not even back home: a stranger chose the way.
    has_left: bool,
    is_refreshed: bool,
    is_challenged: bool,
    has_nonce: bool,
}

impl Session {
    /// Sends a request until there is an answer that is not merely a step on the way.
    pub(super) async fn start(&self, draft: Draft, length_max: u64) -> Result<Download, Error> {
        let mut deadline = Box::pin(sleep(draft.limits.total));
        let limits = draft.limits;
        let asked = place(draft.method.as_str(), &draft.url);
        let travelling = pin!(self.travel(draft));
        let (place, incoming) = tokio::select! {
            biased;
            answer = travelling => answer?,
            () = deadline.as_mut() => return Err(Error::Timeout { place: asked }),
        };
        Ok(Download::new(place, incoming, limits.read, deadline, length_max))
    }

    async fn travel(&self, mut draft: Draft) -> Result<(String, reqwest::Response), Error> {
        let mut journey = Journey { has_left: !self.inner.base.is_home(&draft.url), ..Journey::default() };
        loop {
            let carried = if journey.has_left { Carried::None } else { self.carried().await? };
            let answer = self.exchange(&draft, &carried, journey.has_left).await?;
            if !journey.has_left
                && let Some(jar) = &self.inner.cookies
            {
                jar.keep(&draft.url, answer.headers());
            }
            if !journey.has_left
                && let Some(prover) = &self.inner.prover
            {
                let told = answer.headers().get("dpop-nonce").and_then(|value| value.to_str().ok());
                prover.keep_nonce(draft.url.as_str(), told);
            }
            if answer.status() == 401
                && !journey.has_left
                && draft.content.is_replayable()
                && self.may_try_again(&mut journey, &carried, answer.headers()).await?
            {
                continue;
            }
            let has_body = !draft.content.is_empty();
            match next(&draft.method, &draft.url, answer.status().as_u16(), answer.headers(), has_body)? {
                Some(hop) => draft = self.follow(draft, hop, &mut journey)?,
                None => return Ok((place(draft.method.as_str(), &draft.url), answer)),
            }
        }
    }

    async fn carried(&self) -> Result<Carried<'_>, Error> {
        Ok(match &self.inner.token {
            Token::None => Carried::None,
            Token::Fixed(token) => Carried::Fixed(token),
            Token::Getter(getter) => match getter() {
                None => Carried::None,
                Some(token) => Carried::Fresh(Arc::new(Tokens::bare(token))),
            },
            Token::Source(source) => Carried::Fresh(source.fresh_tokens().await.map_err(Error::Token)?),
        })
    }

    /// After a 401: whether the same request, sent once more, has something better to show.
    async fn may_try_again(
        &self,
        journey: &mut Journey,
        carried: &Carried<'_>,
        headers: &HeaderMap,
    ) -> Result<bool, Error> {
        if !journey.is_challenged && self.inner.credentials.is_challenged_by(headers) {
            journey.is_challenged = true;
            return Ok(true);
        }
        let (Token::Source(source), Carried::Fresh(tokens)) = (&self.inner.token, carried) else {
            return Ok(false);
        };
        if !journey.has_nonce && is_bound(tokens) && asks_for_nonce(headers) {
            journey.has_nonce = true;
            return Ok(true);
        }
        if journey.is_refreshed {
            return Ok(false);
        }
        journey.is_refreshed = true;
        match source.instead_of(&tokens.access_token).await {
            Ok(_) => Ok(true),
            // Nothing to refresh with: the server's own answer says more.
            Err(TokenError::SignInAgain(None)) => Ok(false),
            Err(error) => Err(Error::Token(error)),
        }
    }

    fn follow(&self, draft: Draft, hop: Hop, journey: &mut Journey) -> Result<Draft, Error> {
        let from = || place(draft.method.as_str(), &draft.url);
        journey.hops += 1;
        if journey.hops > draft.limits.redirects_max {
            return Err(Error::TooManyRedirects { place: from(), limit: draft.limits.redirects_max });
        }
        if hop.keeps_body && !draft.content.is_replayable() {
            return Err(Error::RedirectRefused {
                place: from(),
                what: "asks to send a stream once more, which is already spent",
            });
        }
        journey.has_left |= !self.inner.base.is_home(&hop.url);
        let mut headers = if hop.keeps_body { draft.headers } else { bodiless(draft.headers) };
        if journey.has_left {
            headers = harmless(&headers);
        }
        let content = if hop.keeps_body { draft.content } else { Content::Empty };
        Ok(Draft { method: hop.method, url: hop.url, headers, content, limits: draft.limits })
    }

    /// One request, one answer.
    async fn exchange(&self, draft: &Draft, carried: &Carried<'_>, is_bare: bool) -> Result<reqwest::Response, Error> {
        let place = place(draft.method.as_str(), &draft.url);
        let progress = Arc::new(Notify::new());
        let body = draft.content.open(&place, &progress).await?;
        let mut url = draft.url.clone();
        let headers = if is_bare { draft.headers.clone() } else { self.dress(draft, carried, &mut url)? };
        let mut outgoing = reqwest::Request::new(draft.method.clone(), url);
        *outgoing.headers_mut() = headers;
        *outgoing.body_mut() = body;
        let is_proxied = self.inner.proxies.proxy_for(&draft.url).is_some();
        let mut answering = pin!(self.inner.http.execute(outgoing));
        loop {
            // Until it is connected, the silence is not the server's.
            let silence = sleep(draft.limits.connect.saturating_add(draft.limits.read));
            tokio::select! {
                biased;
                answer = answering.as_mut() => return answer.map_err(|error| fault(error, place, is_proxied)),
                // A piece of the body has gone: the wait begins anew.
                () = progress.notified() => {}
                () = silence => return Err(Error::ReadTimeout { place }),
            }
        }
    }

    /// What goes along at home: the session's headers, cookies, credentials and token. What the
    /// caller set stays.
    fn dress(&self, draft: &Draft, carried: &Carried<'_>, url: &mut Url) -> Result<HeaderMap, Error> {
        let mut headers = self.inner.headers.clone();
        headers.extend(draft.headers.clone());
        if let Some(cookies) = self.inner.cookies.as_ref().and_then(|jar| jar.header(url)) {
            headers.entry(COOKIE).or_insert(cookies);
        }
        if let Some(value) = self.inner.credentials.header(draft.method.as_str(), url)? {
            headers.entry(AUTHORIZATION).or_insert(value);
        }
        if let Carried::Fresh(tokens) = carried
            && is_bound(tokens)
        {
            return self.prove(headers, draft.method.as_str(), url, &tokens.access_token);
        }
        let token = match carried {
            Carried::None => return Ok(headers),
            Carried::Fixed(token) => token,
            Carried::Fresh(tokens) => &tokens.access_token,
        };
        let (name, prefix) = match &self.inner.placement {
            TokenPlacement::Bearer => (AUTHORIZATION.as_str(), "Bearer "),
            TokenPlacement::Header { name, prefix } => (name.as_str(), prefix.as_str()),
            TokenPlacement::Query { name } => {
                let with_token = with_query(url.as_str(), &[(name, token.expose())]);
                *url = Url::parse(&with_token).ok().ok_or(Error::BadUrl("cannot carry the token"))?;
                return Ok(headers);
            }
        };
        let (name, value) = header_pair(name, &format!("{prefix}{}", token.expose()))?;
        headers.entry(name).or_insert(value);
        Ok(headers)
    }

    /// A token that is bound to a key goes with a proof of it, and as nothing else: to whoever takes it as a bearer's it
    /// would be of use without the key (RFC 9449 §7).
    fn prove(&self, mut headers: HeaderMap, method: &str, url: &Url, token: &Secret) -> Result<HeaderMap, Error> {
        let proof =
            self.inner.prover.as_ref().and_then(|client| client.proof(method, url.as_str(), Some(token)).ok()?);
        let keyless = "holds tokens that are bound to a key (DPoP), which its client does not have";
        let proof = proof.ok_or(Error::Setup { what: keyless, source: None })?;
        for (name, value) in [(AUTHORIZATION.as_str(), format!("DPoP {}", token.expose())), ("dpop", proof)] {
            let (name, value) = header_pair(name, &value)?;
            headers.entry(name).or_insert(value);
        }
        Ok(headers)
    }
}

/// Whether one of the challenges asks for a nonce in the proof (RFC 9449 §9).
fn asks_for_nonce(headers: &HeaderMap) -> bool {
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    is_nonce_asked(401, None, Some(&challenges.collect::<Vec<_>>().join(", ")))
}

/// The time that a whole call has left.
pub(super) type Deadline = Pin<Box<Sleep>>;

/// The cause of a failed exchange. The URL is taken out first: its query may hold the token.
fn fault(error: reqwest::Error, place: String, is_proxied: bool) -> Error {
    let error = error.without_url();
    let is_tls = inmost::<rustls::Error>(&error);
    if error.is_connect() {
        return match error.is_timeout() {
            true => Error::ConnectTimeout { place },
            false if is_tls => Error::Tls { place, source: error.into() },
            false if is_proxied => Error::Proxy { place, source: error.into() },
            false => Error::Connect { place, source: error.into() },
        };
    }
    let source: Source = error.into();
    if is_tls { Error::Tls { place, source } } else { Error::Interrupted { place, source } }
}

/// Whether an error of this type is among the causes. `io::Error` hides the one it wraps.
pub(super) fn inmost<E: StdError + 'static>(error: &(dyn StdError + 'static)) -> bool {
    let mut error = Some(error);
    while let Some(cause) = error {
        if cause.is::<E>() {
            return true;
        }
        error = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => cause.source(),
        };
    }
    false
}
