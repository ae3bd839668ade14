//! Who may read a topic and who may post to it: a bearer token for the channel, or a session of this server's own pages,
//! of a member of the topic. Asked when somebody comes, and again while a stream goes on.

use fujie_core::{
    account::{Account, Session},
    channel::resource,
    error::ErrorCode,
    secret::{Digest, Kind, Secret},
    time::Timestamp,
    token::bearer::{self, BearerError, Demand, Holder},
};
use fujie_store::{Member, OWN_TOPIC, Role, StoreError};
use http::{HeaderName, StatusCode, header};

use crate::{
    bearer::{Held, challenge, challenge_without_token, of_header},
    cookie::Name,
    http::{Request, Response, busy, refusal},
    server::Server,
};

/// What somebody shows.
pub(crate) enum Credential {
    /// A bearer token.
    Token(Secret),
    /// The session of a browser.
    Session(Digest),
}

/// Somebody whose credential holds.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// As topics know them.
    pub member: Member,
    /// As people know them.
    pub name: String,
    /// May it belong to this server's own topic?
    may_see_own: bool,
    /// The credential ends here at the latest.
    pub expires_at: Timestamp,
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Denied {
    /// The token does not do.
    #[error(transparent)]
    Token(#[from] BearerError),
    /// The session has ended.
    #[error("the session has ended")]
    Session,
    /// Not a member, or no such topic: who is not a member is not told which.
    #[error("not a member of this topic")]
    NotMember,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Credential {
    /// What `request` shows: a bearer token, or else the session of a page of ours.
    pub fn of_request(server: &Server, request: &Request) -> Result<Self, Box<Response>> {
        if request.headers.contains_key(header::AUTHORIZATION) {
            return Self::of_header(request);
        }
        let cookie = server.cookies.read(request, &Name::Session);
        let session = cookie.and_then(|text| Digest::of_token(Kind::Session, &text));
        match session {
            None => Err(Box::new(challenge_without_token())),
            Some(id) if is_of_our_page(server, request) => Ok(Self::Session(id)),
            Some(_) => {
                let words = "a session reads from a page of this server only";
                Err(Box::new(refusal(StatusCode::FORBIDDEN, ErrorCode::AccessDenied.as_str(), words)))
            }
        }
    }

    /// The bearer token that `request` shows.
    pub fn of_header(request: &Request) -> Result<Self, Box<Response>> {
        let token = of_header(request).map(|token| Self::Token(Secret::new(token.to_owned())));
        token.ok_or_else(|| Box::new(challenge_without_token()))
    }

    /// Who shows it; a token must have `scope`, for the channel.
    pub async fn visitor(&self, server: &Server, scope: &'static str) -> Result<Visitor, Denied> {
        match self {
            Self::Token(token) => of_token(server, token, scope).await,
            Self::Session(id) => {
                let session = server.store.session(*id, server.now()).await?.ok_or(Denied::Session)?;
                Ok(Visitor::of_session(&session))
            }
        }
    }

    /// Who shows it, if it is a member of `topic`.
    pub async fn member(&self, server: &Server, scope: &'static str, topic: &str) -> Result<Visitor, Denied> {
        let visitor = self.visitor(server, scope).await?;
        visitor.belongs_to(server, topic).await?;
        Ok(visitor)
    }
}

impl Visitor {
    /// Who is signed in.
    pub fn of_session(session: &Session) -> Self {
        Self::of_account(&session.account, session.expires_at)
    }

    fn of_account(account: &Account, expires_at: Timestamp) -> Self {
        let (member, name) = (Member::Account(account.id), account.name.clone());
        Self { member, name, may_see_own: may_belong(account, OWN_TOPIC), expires_at }
    }

    /// Is it a member of `topic`?
    pub async fn belongs_to(&self, server: &Server, topic: &str) -> Result<(), Denied> {
        self.role(server, topic).await.map(drop)
    }

    /// What it is in `topic`, if it is a member.
    pub async fn role(&self, server: &Server, topic: &str) -> Result<Role, Denied> {
        let may_see = topic != OWN_TOPIC || self.may_see_own;
        let role = if may_see { server.store.role(topic, &self.member).await? } else { None };
        role.ok_or(Denied::NotMember)
    }
}

/// May this account own or join a topic of this name? What the server itself does is for administrators. Whether it
/// was let in there, by them, is another question; a client may be.
pub fn may_belong(account: &Account, topic: &str) -> bool {
    topic != OWN_TOPIC || account.is_administrator
}

impl Denied {
    /// The answer that says so.
    pub fn response(&self) -> Response {
        match self {
            Self::Token(cause) => challenge(cause, cause.scope()),
            Self::Session => challenge_without_token(),
            Self::NotMember => refusal(StatusCode::FORBIDDEN, ErrorCode::AccessDenied.as_str(), &self.to_string()),
            Self::Store(error) => {
                tracing::error!(%error, "the store failed");
                busy()
            }
        }
    }
}

/// Does a browser say that a page of ours asks? One that says nothing is too old to be led by another site: our cookies
/// are `SameSite=Lax`, and no answer is readable from elsewhere.
fn is_of_our_page(server: &Server, request: &Request) -> bool {
    let site = request.header(HeaderName::from_static("sec-fetch-site"));
    let origin = request.header(header::ORIGIN);
    site.is_none_or(|site| site == "same-origin") && origin.is_none_or(|origin| origin == server.issuer())
}

/// The holder of a token for the channel with `scope`.
pub(super) async fn of_token(server: &Server, token: &Secret, scope: &'static str) -> Result<Visitor, Denied> {
    let held = Held::load(server, token.expose()).await?;
    let snapshot = server.snapshot();
    let audience = resource(server.issuer());
    let demand = Demand { audience: &audience, scope };
    let admitted = held.judge(|token, facts| bearer::judge(token, facts, demand, &snapshot.registry, server.now()))?;
    let expires_at = admitted.expires_at;
    Ok(match admitted.holder {
        Holder::Account(account) => Visitor::of_account(account, expires_at),
        Holder::Client(id) => {
            let name = snapshot.registry.client(id).map_or_else(|| id.to_owned(), |client| client.name.clone());
            Visitor { member: Member::Client(id.to_owned()), name, may_see_own: true, expires_at }
        }
    })
}
