//! Set-up words for the stories: a server at a fixed time with clients, keys and one person. Nothing here judges.

use std::{cell::Cell, sync::LazyLock};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use fujie_core::{
    account::{Account, Session},
    client::{Api, Client, GrantType, PkcePolicy, Registry, TokenForm},
    grant::{
        CodeRedeemed, Grant, GrantBorn, Proof as _, Setting,
        authorization_code::{self, Decision},
        authorize, refresh_token,
    },
    id::Id,
    jose::jws::Algorithm,
    key::{KeyUse, StoredKey},
    policy::Policy,
    random::Random,
    request::{
        authorize::{AuthorizeRequest, Refusal, parse},
        client_auth::{ClientAuthenticated, authenticate},
        parameters::Parameters,
        redirect_uri::RegisteredUri,
        response_mode::AuthorizationResponse,
        scope::Scope,
    },
    secret::{Digest, Kind, sha256},
    time::{Lifetime, Timestamp},
    token::{
        code::Code,
        key_ring::KeyRing,
        refresh_token::RefreshToken,
        seal::{MasterKey, Realm},
    },
};
use serde_json::Value;

pub const ISSUER: &str = "https://id.example";
pub const API: &str = "https://api.example";
pub const VAULT: &str = "https://vault.example";
/// The example of RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The time at which every story begins.
pub const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// SplitMix64: random enough for a test, and the same every time.
pub struct Seeded(pub u64);

impl Random for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut word = self.0;
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

pub fn seconds(count: u32) -> Lifetime {
    Lifetime::from_seconds(count)
}

pub fn days(count: u32) -> Lifetime {
    Lifetime::from_days(count)
}

pub fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

/// `pairs` as they would travel, read back.
pub fn body(pairs: &[(&str, &str)]) -> Parameters {
    Parameters::parse(query(pairs).as_bytes()).unwrap()
}

/// `pairs` form-urlencoded, by an encoder that is not ours.
pub fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// `pairs` with those of `changes` put in place; an empty value takes the parameter away.
pub fn with<'a>(pairs: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = pairs.iter().filter(|(name, _)| !changes.iter().any(|(own, _)| own == name));
    kept.chain(changes.iter().filter(|(_, value)| !value.is_empty())).copied().collect()
}

pub fn secret_of(client: &str) -> String {
    Kind::ClientSecret.spell(&sha256(client.as_bytes()))
}

pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

fn confidential(id: &str, redirect_uris: &[&str], grant_types: &[GrantType], scopes: &str) -> Client {
    Client {
        id: id.to_owned(),
        name: id.to_owned(),
        epoch: 3,
        is_disabled: false,
        is_public: false,
        secrets: vec![Digest::of(Kind::ClientSecret, &secret_of(id))],
        redirect_uris: redirect_uris.iter().map(|uri| RegisteredUri::parse(uri).unwrap()).collect(),
        post_logout_redirect_uris: Vec::new(),
        grant_types: grant_types.to_vec(),
        scope: scope(scopes),
        pkce: PkcePolicy::Required,
        rotates: None,
        refresh_window: seconds(30),
        access_token_lifetime: None,
        id_token_alg: Algorithm::Es256,
        api: None,
    }
}

fn public(id: &str, redirect_uris: &[&str]) -> Client {
    let grants = [GrantType::AuthorizationCode, GrantType::RefreshToken];
    let client = confidential(id, redirect_uris, &grants, "openid profile offline_access read write open");
    Client { is_public: true, secrets: Vec::new(), ..client }
}

fn api(id: &str, resource: &str, scopes: &str, token: TokenForm) -> Client {
    let api = Api { resource: resource.to_owned(), scope: scope(scopes), scope_words: Default::default(), token };
    Client { api: Some(api), ..confidential(id, &[], &[], "") }
}

/// Everybody who is registered. `shop` and `other` are alike but for their names.
pub fn clients() -> Vec<Client> {
    use GrantType::{AuthorizationCode, ClientCredentials, Implicit, Password, RefreshToken};
    let all = "openid profile offline_access read write open";
    let web = [AuthorizationCode, RefreshToken, ClientCredentials];
    vec![
        confidential("shop", &["https://shop.example/cb"], &web, all),
        confidential("other", &["https://other.example/cb"], &web, all),
        public("spa", &["https://spa.example/cb"]),
        public("native", &["http://127.0.0.1/cb", "com.example.native:/cb"]),
        confidential("brief", &["https://brief.example/cb"], &[AuthorizationCode], all),
        Client {
            pkce: PkcePolicy::PlainAllowed,
            ..confidential(
                "legacy",
                &["https://legacy.example/cb"],
                &[AuthorizationCode, Implicit, Password, RefreshToken],
                all,
            )
        },
        Client { pkce: PkcePolicy::Optional, ..confidential("lax", &["https://lax.example/cb"], &web, all) },
        Client { is_disabled: true, ..confidential("closed", &["https://closed.example/cb"], &web, all) },
        api("api", API, "read write", TokenForm::Jwt(Algorithm::Es256)),
        api("vault", VAULT, "open", TokenForm::Opaque),
    ]
}

pub fn master() -> MasterKey {
    MasterKey::new(&[7; 32]).unwrap()
}

pub fn realm() -> Realm {
    Realm { issuer: ISSUER.to_owned(), instance: Id::from_bytes([9; 16]), epoch: 1 }
}

/// One stored key for each use, made once: RSA takes its time.
pub fn stored() -> &'static [StoredKey] {
    static STORED: LazyLock<Vec<StoredKey>> = LazyLock::new(|| {
        let mut random = Seeded(1);
        let first = Timestamp::from_seconds(START.seconds() - 3600);
        KeyUse::ALL.map(|key_use| KeyRing::make(key_use, first, first, &master(), &mut random).unwrap()).to_vec()
    });
    &STORED
}

pub fn ring() -> KeyRing {
    KeyRing::load(stored(), &master(), realm()).unwrap()
}

/// A running server, seen by core.
pub struct House {
    pub registry: Registry,
    pub policy: Policy,
    pub ring: KeyRing,
    pub now: Timestamp,
    seed: Cell<u64>,
}

pub fn house() -> House {
    house_where(|_| {})
}

/// The house after `change` went over every client.
pub fn house_where(change: impl FnMut(&mut Client)) -> House {
    let mut clients = clients();
    clients.iter_mut().for_each(change);
    House {
        registry: Registry::new(clients),
        policy: Policy::default(),
        ring: ring(),
        now: START,
        seed: Cell::new(100),
    }
}

/// An authorization response that was sent, with the row that was committed for it.
pub struct Issued {
    pub grant: Grant,
    pub code: String,
}

impl House {
    pub fn random(&self) -> Seeded {
        self.seed.set(self.seed.get() + 1);
        Seeded(self.seed.get())
    }

    pub fn setting(&self) -> Setting<'_> {
        Setting { registry: &self.registry, policy: &self.policy, issuer: ISSUER, now: self.now }
    }

    /// Changes every client from now on, as an administrator does.
    pub fn change(&mut self, change: impl FnMut(&mut Client)) {
        let mut clients: Vec<_> = self.registry.all().map(|client| Client::clone(client)).collect();
        clients.iter_mut().for_each(change);
        self.registry = Registry::new(clients);
    }

    pub fn later(&mut self, span: Lifetime) {
        self.now = self.now + span;
    }

    pub fn account(&self) -> Account {
        Account {
            id: Id::from_bytes([0xAC; 16]),
            username: Some("xiaoming".to_owned()),
            name: "小明".to_owned(),
            picture: Some("https://pictures.example/1".to_owned()),
            is_administrator: false,
            version: 1,
            created_at: Timestamp::from_seconds(1_700_000_000),
            disabled_at: None,
        }
    }

    /// Signed in 100 s before the story begins; ends after 14 days.
    pub fn session(&self) -> Session {
        Session {
            id: Digest::of(Kind::Session, "session"),
            account: self.account(),
            auth_time: Timestamp::from_seconds(START.seconds() - 100),
            amr: "pwd mfa".to_owned(),
            fresh_for: None,
            expires_at: START + days(14),
        }
    }

    /// `client`, authenticated as well as it can.
    pub fn authenticated(&self, client: &str) -> ClientAuthenticated {
        let is_public = self.registry.client(client).unwrap().is_public;
        let secret = if is_public { String::new() } else { secret_of(client) };
        authenticate(&self.registry, None, &body(&[("client_id", client), ("client_secret", &secret)])).unwrap()
    }

    pub fn parse(&self, pairs: &[(&str, &str)]) -> Result<AuthorizeRequest, Refusal> {
        parse(query(pairs).as_bytes(), &self.registry, ISSUER)
    }

    /// A code for `client` at its first redirect URI; `extra` changes the authorization request.
    pub fn issue(&self, client: &str, extra: &[(&str, &str)]) -> Issued {
        let uri = self.registry.client(client).unwrap().redirect_uris[0].as_str().to_owned();
        let request = self.parse(&with(&request_of(client, &uri), extra)).unwrap();
        let draft = authorize::draft(request, &self.session(), self.setting(), &mut self.random());
        let grant = draft.grant.clone();
        let answer = draft.release(GrantBorn::assertion(grant.id), &self.ring, &mut self.random()).unwrap();
        Issued { code: parameter(&answer, "code"), grant }
    }

    /// What the token endpoint decides when `client` brings `code` with the right verifier; `extra` changes the body.
    pub fn redeem(&self, client: &str, issued: &Issued, extra: &[(&str, &str)]) -> Decision {
        let uri = self.registry.client(client).unwrap().redirect_uris[0].as_str().to_owned();
        let pairs = [("code", issued.code.as_str()), ("redirect_uri", &uri), ("code_verifier", VERIFIER)];
        let parameters = body(&with(&pairs, extra));
        let code = Code::read(parameters.text("code").unwrap(), &self.ring).unwrap();
        let account = self.account();
        let facts = authorization_code::Facts { grant: Some(&issued.grant), account: Some(&account) };
        let client = self.authenticated(client);
        authorization_code::decide(&client, &code, &parameters, facts, self.setting(), &mut self.random())
    }

    /// Redeems as the store would: the row after the commit, and the token response as JSON.
    pub fn redeemed(&self, client: &str, extra: &[(&str, &str)]) -> (Grant, Value) {
        let issued = self.issue(client, extra);
        let Decision::Redeem { expires_at, draft } = self.redeem(client, &issued, &[]) else { panic!("not redeemed") };
        let grant = Grant { redeemed_at: Some(self.now), rotated_at: self.now, expires_at, ..issued.grant };
        let proof = CodeRedeemed::assertion(draft.id());
        assert_eq!(proof.draft(), grant.id);
        let response = draft.release(proof, &self.ring, &mut self.random()).unwrap();
        (grant, serde_json::to_value(&response).unwrap())
    }

    /// What the token endpoint decides when `client` brings the refresh token `text` for `grant`.
    pub fn refresh(&self, client: &str, grant: &Grant, text: &str, extra: &[(&str, &str)]) -> refresh_token::Decision {
        let parameters = body(&with(&[("refresh_token", text)], extra));
        let token = RefreshToken::read(text, &self.ring).unwrap();
        let account = self.account();
        let facts = refresh_token::Facts { grant: Some(grant), account: Some(&account) };
        let client = self.authenticated(client);
        refresh_token::decide(&client, token, &parameters, facts, self.setting(), &mut self.random())
    }

    /// Header and claims of a JWT, once its signature holds under the JWK Set that everybody sees.
    pub fn jwt(&self, text: &str) -> (Value, Value) {
        open_jwt(text, self.ring.jwks())
    }
}

/// A good authorization request for a code.
pub fn request_of<'a>(client: &'a str, redirect_uri: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", redirect_uri),
        ("scope", "openid profile offline_access"),
        ("state", "s t+ä"),
        ("nonce", "n-0S6"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

/// The parameter `name` of an answer, whichever way it travels.
pub fn parameter(answer: &AuthorizationResponse, name: &str) -> String {
    let AuthorizationResponse::Redirect { location } = answer else { panic!("not a redirect") };
    let (_, pairs) = location.split_once(['?', '#']).unwrap();
    url::form_urlencoded::parse(pairs.as_bytes()).find(|(own, _)| own == name).unwrap().1.into_owned()
}

pub fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Verifies a compact JWS with nothing but the published keys, as a client of ours would.
pub fn open_jwt(text: &str, jwks: &str) -> (Value, Value) {
    let (message, signature) = text.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    let jwks: Value = serde_json::from_str(jwks).unwrap();
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    assert_eq!(key["alg"], header["alg"]);
    let field = |name: &str| decode(key[name].as_str().unwrap());
    let signature = decode(signature);
    let message = message.as_bytes();
    let verified = match header["alg"].as_str().unwrap() {
        "ES256" => {
            let point = [vec![4], field("x"), field("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, &signature)
        }
        "EdDSA" => UnparsedPublicKey::new(&ED25519, field("x")).verify(message, &signature),
        _ => aws_lc_rs::signature::RsaPublicKeyComponents { n: field("n"), e: field("e") }.verify(
            &RSA_PKCS1_2048_8192_SHA256,
            message,
            &signature,
        ),
    };
    verified.unwrap();
    (header, serde_json::from_slice(&decode(claims)).unwrap())
}
