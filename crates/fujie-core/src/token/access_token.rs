//! Access tokens: sealed opaque ones, and JWTs (RFC 9068).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{
    key_ring::KeyRing,
    record::{Reader, Writer},
};
use crate::{
    client::{Api, Client, Registry, TokenForm},
    grant::Grant,
    id::Id,
    policy::Policy,
    random::{self, Random},
    request::scope::Scope,
    secret::Kind,
    time::{Lifetime, Timestamp},
};

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Names this token when it is revoked alone.
    pub id: [u8; 16],
    /// The grant it was issued under; `None` for client credentials.
    pub grant: Option<Id>,
    /// The client it was issued to.
    pub client: String,
    /// That client's epoch.
    pub client_epoch: u32,
    /// What it allows.
    pub scope: Scope,
    /// Where it may be used: resource URIs, and the issuer for userinfo.
    pub audience: Vec<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// Where a token may be used and which form it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// Resource URIs of the APIs, each once: in the order asked for, else in the registry's.
    pub resources: Vec<String>,
    /// The form of the token.
    pub form: TokenForm,
}

/// The resource is unknown, or the grant does not cover it (RFC 8707 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the resource is not an API registered here, or was not granted")]
pub struct UnknownResource;

impl Audience {
    /// The APIs named by `resources`, or else those that own a token of `scope`. Without any, the token is opaque.
    pub fn resolve<'a>(
        registry: &Registry,
        scope: &Scope,
        resources: impl Iterator<Item = &'a str>,
    ) -> Result<Self, UnknownResource> {
        // An API is nobody's audience without a scope token of its own (RFC 9700 §2.3).
        let is_touched = |api: &Api| scope.tokens().any(|token| api.scope.contains(token));
        let mut named: Vec<_> = resources
            .map(|resource| registry.api(resource).filter(|api| is_touched(api)).ok_or(UnknownResource))
            .collect::<Result<_, _>>()?;
        if named.is_empty() {
            named = registry.apis().filter(|api| is_touched(api)).collect();
        }
        let mut seen = std::collections::HashSet::new();
        named.retain(|api| seen.insert(&api.resource));
        let form = match named.as_slice() {
            [] => TokenForm::Opaque,
            [first, rest @ ..] if rest.iter().all(|api| api.token != TokenForm::Opaque) => first.token,
            _ => TokenForm::Opaque,
        };
        Ok(Self { resources: named.into_iter().map(|api| api.resource.clone()).collect(), form })
    }

    /// The resources as a grant keeps them: joined by spaces.
    pub fn joined(&self) -> String {
        self.resources.join(" ")
    }
}

/// How long an access token of `client` lives.
pub fn lifetime(client: &Client, form: TokenForm, refreshable: bool, policy: &Policy) -> Lifetime {
    let own = client.access_token_lifetime.unwrap_or(match form {
        TokenForm::Jwt(_) if refreshable => policy.access_token_jwt,
        _ => policy.access_token,
    });
    own.min(Lifetime::from_days(1))
}

/// What is said of the person in a JWT access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// `sub`: the account, or the client itself.
    pub sub: String,
    /// When the person signed in, for tokens of a person.
    pub auth_time: Option<Timestamp>,
    /// Methods, space-separated.
    pub amr: String,
    /// Context class.
    pub acr: Option<String>,
}

impl Subject {
    /// The person who gave `grant`.
    pub fn of_grant(grant: &Grant) -> Self {
        Self {
            sub: grant.account.to_string(),
            auth_time: Some(grant.auth_time),
            amr: grant.amr.clone(),
            acr: grant.acr.clone(),
        }
    }

    /// The client itself (RFC 9068 §2.2: `sub` is the client).
    pub fn of_client(client: &Client) -> Self {
        Self { sub: client.id.clone(), auth_time: None, amr: String::new(), acr: None }
    }
}

#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: Vec<String>,
    exp: i64,
    iat: i64,
    jti: String,
    client_id: String,
    #[serde(skip_serializing_if = "str::is_empty", default)]
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    amr: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    acr: Option<&'a str>,
}

const TYP: &str = "at+jwt";

impl AccessToken {
    /// Spells the token in `form`. `None` when no key serves, which is a fault of the server.
    pub fn write(&self, form: TokenForm, subject: &Subject, ring: &KeyRing, random: &mut dyn Random) -> Option<String> {
        match form {
            TokenForm::Opaque => ring.seal(Kind::AccessToken, &self.record(), self.issued_at, random),
            TokenForm::Jwt(algorithm) => {
                let claims = Claims {
                    iss: &ring.realm().issuer,
                    sub: &subject.sub,
                    aud: self.audience.clone(),
                    exp: self.expires_at.seconds(),
                    iat: self.issued_at.seconds(),
                    jti: self.jti(ring.realm().epoch),
                    client_id: self.client.clone(),
                    scope: self.scope.as_str(),
                    auth_time: subject.auth_time.map(Timestamp::seconds),
                    amr: subject.amr.split(' ').filter(|word| !word.is_empty()).collect(),
                    acr: subject.acr.as_deref(),
                };
                let payload = serde_json::to_vec(&claims).ok()?;
                ring.signer(algorithm, self.issued_at)?.sign(TYP, &payload).ok()
            }
        }
    }

    /// Reads a token of either form that one of our keys made. It says nothing about whether it is still alive.
    pub fn read(text: &str, ring: &KeyRing) -> Option<Self> {
        if text.starts_with(Kind::AccessToken.prefix()) {
            return Self::from_record(&ring.open(Kind::AccessToken, text)?);
        }
        let payload = ring.verify(text, TYP)?;
        let claims: Claims<'_> = serde_json::from_slice(&payload).ok()?;
        let jti = URL_SAFE_NO_PAD.decode(&claims.jti).ok()?;
        let mut reader = Reader::new(&jti);
        let token = Self {
            id: reader.array()?,
            grant: read_grant(&mut reader)?,
            client_epoch: reader.u32()?,
            client: claims.client_id,
            scope: Scope::parse(claims.scope).ok()?,
            audience: claims.aud,
            issued_at: Timestamp::from_seconds(claims.iat),
            expires_at: Timestamp::from_seconds(claims.exp),
        };
        let epoch = reader.u32()?;
        reader.end()?;
        // Keys survive a restore; what was signed before it does not.
        (claims.iss == ring.realm().issuer && epoch == ring.realm().epoch).then_some(token)
    }

    /// A fresh name for a token.
    pub fn new_id(random: &mut dyn Random) -> [u8; 16] {
        random::bytes(random)
    }

    /// Is the token unexpired, and is its client enabled with the same epoch?
    pub fn is_current(&self, registry: &Registry, now: Timestamp) -> bool {
        now < self.expires_at && registry.client(&self.client).is_some_and(|client| client.epoch == self.client_epoch)
    }

    fn record(&self) -> Vec<u8> {
        write_grant(Writer::default().byte(1).fixed(&self.id), self.grant)
            .u32(self.client_epoch)
            .text(&self.client)
            .text(self.scope.as_str())
            .text(&self.audience.join(" "))
            .i64(self.issued_at.millis())
            .i64(self.expires_at.millis())
            .finish()
    }

    fn from_record(record: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(record);
        (reader.byte()? == 1).then_some(())?;
        let token = Self {
            id: reader.array()?,
            grant: read_grant(&mut reader)?,
            client_epoch: reader.u32()?,
            client: reader.text()?.to_owned(),
            scope: Scope::parse(reader.text()?).ok()?,
            audience: reader.text()?.split(' ').filter(|uri| !uri.is_empty()).map(str::to_owned).collect(),
            issued_at: Timestamp::from_millis(reader.i64()?),
            expires_at: Timestamp::from_millis(reader.i64()?),
        };
        reader.end()?;
        Some(token)
    }

    /// `jti` carries what we need to ask the store: opaque to everybody else.
    fn jti(&self, realm_epoch: u32) -> String {
        let record =
            write_grant(Writer::default().fixed(&self.id), self.grant).u32(self.client_epoch).u32(realm_epoch).finish();
        URL_SAFE_NO_PAD.encode(record)
    }
}

fn write_grant(writer: Writer, grant: Option<Id>) -> Writer {
    match grant {
        Some(grant) => writer.byte(1).fixed(grant.as_bytes()),
        None => writer.byte(0),
    }
}

fn read_grant(reader: &mut Reader<'_>) -> Option<Option<Id>> {
    match reader.byte()? {
        0 => Some(None),
        1 => reader.array().map(|bytes| Some(Id::from_bytes(bytes))),
        _ => None,
    }
}
