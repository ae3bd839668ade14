//! Fills a database: clients, accounts with sessions, remembered consents, live grants, and tokens for some of them.
//!
//! Every row is written by the store's own verbs, with many in flight so that a commit is shared; a million grants
//! take well under two minutes. Tokens are written with the server's own keys, as it would write them.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{Context as _, Result, bail};
use fujie_core::{
    client::{Api, Client, GrantType, PkcePolicy, TokenForm},
    grant::{ClientAuth, Grant},
    id::Id,
    jose::jws::Algorithm,
    random::{self, SystemRandom},
    request::{redirect_uri::RegisteredUri, scope::Scope},
    secret::{Digest, Kind, Secret},
    time::{Lifetime, Timestamp},
    token::{
        access_token::{AccessToken, Subject},
        key_ring::KeyRing,
        refresh_token::RefreshToken,
        seal::{MasterKey, Realm},
    },
};
use fujie_server::{
    clock::Clock,
    cookie::{Cookies, Name},
};
use fujie_store::{
    BeginGrant, ClientAdded, Consent, GrantBegun, Instance, NewAccount, NewSession, Options, SessionBegun, Store,
};
use tokio::task::JoinSet;

use crate::script::Pool;

/// Where codes are sent.
pub const REDIRECT_URI: &str = "https://app.example/callback";

/// A client's name and secret.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// `client_id`.
    pub id: String,
    /// Its secret; a public client has none.
    pub secret: Option<String>,
}

/// What the driver needs to know of a database that was filled.
#[derive(Debug)]
pub struct Seeded {
    /// Acts for itself, at an API whose tokens are opaque.
    pub machine_opaque: Credentials,
    /// Acts for itself, at an API whose tokens are JWTs signed with EdDSA.
    pub machine_jwt: Credentials,
    /// The API whose tokens are opaque.
    pub api: Credentials,
    /// The public client that all live grants belong to.
    pub app: Credentials,
    /// A web application: opaque access tokens, ID tokens signed with EdDSA.
    pub web_opaque: Credentials,
    /// A web application: JWT access tokens and ID tokens, signed with ES256.
    pub web_jwt: Credentials,
    /// Access tokens of live grants, scattered over all of them.
    pub access_tokens: Pool,
    /// Refresh tokens of the same grants.
    pub refresh_tokens: Pool,
    /// Cookies of browsers that are signed in and have consented.
    pub cookies: Pool,
}

/// Scope of the web application with opaque tokens.
pub const WEB_OPAQUE_SCOPE: &str = "openid profile";
/// Scope of the web application with JWTs.
pub const WEB_JWT_SCOPE: &str = "openid profile mail";
/// The API with opaque tokens, and its scope.
const NOTES: (&str, &str) = ("https://notes.example", "notes");
const APP_SCOPE: &str = "notes offline_access";

/// Fills the database in `folder`, which the product has made and left, with `grants` live grants.
pub fn fill(folder: &Path, grants: u32) -> Result<Seeded> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let store = Store::open(&folder.join("fujie.db"), Options::default())?;
        let master = std::fs::read(folder.join("master.key"))?;
        let master = MasterKey::new(master.as_slice().try_into().context("the master key has not 32 bytes")?)?;
        let seeded = fill_store(&store, &master, grants).await;
        store.close().await;
        seeded
    })
}

/// Fills `store`, whose instance and keys are made.
pub async fn fill_store(store: &Store, master: &MasterKey, grants: u32) -> Result<Seeded> {
    let now = Clock::default().now();
    let instance = store.instance().await?.context("the product made no instance")?;
    let realm = Realm { issuer: instance.issuer.clone(), instance: instance.id, epoch: instance.epoch };
    let ring = KeyRing::load(&store.keys().await?, master, realm)?;
    let [machine_opaque, machine_jwt, api, app, web_opaque, web_jwt] = clients(store, now).await?;
    let people = people(store, &instance, (grants / 10).max(PEOPLE_MIN), now).await?;
    for web in [(&web_opaque, WEB_OPAQUE_SCOPE), (&web_jwt, WEB_JWT_SCOPE)] {
        consent(store, &people, web, now).await?;
    }
    let ids = live_grants(store, &people, &app.id, grants, now).await?;
    let mut tokens = Vec::new();
    for index in 0..grants.min(TOKENS_MAX) {
        // A stride through all of them, so that neighbours in the pool are far apart in the database.
        let at = u64::from(index) * STRIDE % u64::from(grants);
        let id = *ids.get(usize::try_from(at)?).context("a grant is missing")?;
        tokens.push(write_tokens(id, &app.id, now, &ring).context("no key serves")?);
    }
    let (access_tokens, refresh_tokens): (Vec<_>, Vec<_>) = tokens.into_iter().unzip();
    let cookies = people.iter().take(COOKIES).map(|person| person.cookies.clone());
    Ok(Seeded {
        cookies: Pool::new(cookies),
        access_tokens: Pool::new(access_tokens),
        refresh_tokens: Pool::new(refresh_tokens),
        machine_opaque,
        machine_jwt,
        api,
        app,
        web_opaque,
        web_jwt,
    })
}

/// The clients, in the order of [`Seeded`].
async fn clients(store: &Store, now: Timestamp) -> Result<[Credentials; 6]> {
    let api = |(resource, scope): (&str, &str), token| -> Result<Api> {
        let scope_words = BTreeMap::new();
        Ok(Api { resource: resource.to_owned(), scope: Scope::parse(scope)?, scope_words, token })
    };
    let code = [GrantType::AuthorizationCode, GrantType::RefreshToken];
    let machine = [GrantType::ClientCredentials];
    let files = Client { api: Some(api(("https://files.example", "files"), JWT_EDDSA)?), ..client("Files", &[], "")? };
    let mail = Client { api: Some(api(("https://mail.example", "mail"), JWT_ES256)?), ..client("Mail", &[], "")? };
    let notes = Client { api: Some(api(NOTES, TokenForm::Opaque)?), ..client("Notes", &[], "")? };
    let app = Client {
        is_public: true,
        redirect_uris: vec![RegisteredUri::parse("com.example.app:/callback")?],
        ..client("App", &code, APP_SCOPE)?
    };
    let web = Client { redirect_uris: vec![RegisteredUri::parse(REDIRECT_URI)?], ..client("Web", &code, "")? };
    let web_opaque = Client { scope: Scope::parse(WEB_OPAQUE_SCOPE)?, id_token_alg: Algorithm::EdDsa, ..web.clone() };
    let web_jwt = Client { scope: Scope::parse(WEB_JWT_SCOPE)?, ..web };
    for own in [files, mail] {
        add(store, own, now).await?;
    }
    Ok([
        add(store, client("Machine", &machine, "notes")?, now).await?,
        add(store, client("Machine", &machine, "files")?, now).await?,
        add(store, notes, now).await?,
        add(store, app, now).await?,
        add(store, web_opaque, now).await?,
        add(store, web_jwt, now).await?,
    ])
}

const JWT_EDDSA: TokenForm = TokenForm::Jwt(Algorithm::EdDsa);
const JWT_ES256: TokenForm = TokenForm::Jwt(Algorithm::Es256);

/// A confidential client without redirect URIs. Its id is made when it is added.
fn client(name: &str, grant_types: &[GrantType], scope: &str) -> Result<Client> {
    Ok(Client {
        id: String::new(),
        name: name.to_owned(),
        epoch: 0,
        is_disabled: false,
        is_public: false,
        secrets: Vec::new(),
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        grant_types: grant_types.to_vec(),
        scope: Scope::parse(scope)?,
        pkce: PkcePolicy::Required,
        rotates: None,
        refresh_window: Lifetime::from_seconds(30),
        access_token_lifetime: None,
        id_token_alg: Algorithm::Es256,
        api: None,
    })
}

/// Registers it under an id and a secret of its own.
async fn add(store: &Store, client: Client, now: Timestamp) -> Result<Credentials> {
    let id: String = random::bytes::<10>(&mut SystemRandom).iter().map(|byte| format!("{byte:02x}")).collect();
    let id = format!("app-{id}");
    let secret = (!client.is_public).then(|| Secret::random(Kind::ClientSecret, &mut SystemRandom));
    let secrets = secret.iter().map(|secret| Digest::of(Kind::ClientSecret, secret.expose())).collect();
    let client = Client { id: id.clone(), secrets, ..client };
    if store.add_client(&client, now).await? != ClientAdded::Added {
        bail!("the database was filled before");
    }
    Ok(Credentials { id, secret: secret.map(|secret| secret.expose().to_owned()) })
}

/// Somebody with a browser that is signed in.
#[derive(Clone, Debug)]
struct Person {
    account: Id,
    session: Digest,
    cookies: String,
}

async fn people(store: &Store, instance: &Instance, count: u32, now: Timestamp) -> Result<Arc<Vec<Person>>> {
    let cookies = Cookies::new(&instance.issuer, &instance.id.to_string());
    let people: Vec<_> = (0..count)
        .map(|_| {
            let token = Secret::random(Kind::Session, &mut SystemRandom);
            let browser = Secret::random(Kind::Browser, &mut SystemRandom);
            let pairs = [(Name::Session, &token), (Name::Browser, &browser)];
            let pairs = pairs.map(|(name, value)| cookie(&cookies, &name, value));
            Person {
                account: Id::new(now, &mut SystemRandom),
                session: Digest::of(Kind::Session, token.expose()),
                cookies: pairs.join("; "),
            }
        })
        .collect();
    let people = Arc::new(people);
    let owned = Arc::clone(&people);
    many(store, count, move |store, index| {
        let people = Arc::clone(&owned);
        async move {
            let person = at(&people, index)?;
            let account = NewAccount {
                id: person.account,
                username: None,
                name: format!("Person {index}"),
                picture: None,
                password_hash: None,
                is_administrator: false,
            };
            store.create_account(account, now).await?;
            let expires_at = now + Lifetime::from_days(14);
            let session = NewSession {
                id: person.session,
                auth_time: now,
                amr: "pwd".into(),
                fresh_for: None,
                expires_at,
                replaces: None,
            };
            match store.begin_session(person.account, session, now).await? {
                SessionBegun::Begun(_) => Ok(()),
                SessionBegun::AccountGone => bail!("the account is gone"),
            }
        }
    })
    .await?;
    Ok(people)
}

/// `name=value` as the browser sends it back, read from what the server would set.
fn cookie(cookies: &Cookies, name: &Name<'_>, value: &Secret) -> String {
    let response = cookies.set(fujie_server::http::Response::default(), name, value.expose(), Lifetime::from_days(1));
    let set = response.headers().get(http::header::SET_COOKIE).and_then(|set| set.to_str().ok());
    set.and_then(|set| set.split(';').next()).unwrap_or_default().to_owned()
}

/// The first people let this client have this scope, and the server remembers it.
async fn consent(
    store: &Store,
    people: &[Person],
    (client, scope): (&Credentials, &str),
    now: Timestamp,
) -> Result<()> {
    for person in people.iter().take(COOKIES) {
        let scope = Scope::parse(scope)?;
        let grant = grant(Id::new(now, &mut SystemRandom), person, &client.id, scope.clone(), now);
        let begin = BeginGrant { grant, consent: Consent::Remember(scope), consume_fresh: None, offline: false };
        born(store.begin_grant(begin, now).await?)?;
    }
    Ok(())
}

/// Live grants of the public client; gives their ids in the order of their birth.
async fn live_grants(
    store: &Store,
    people: &Arc<Vec<Person>>,
    client: &str,
    count: u32,
    now: Timestamp,
) -> Result<Arc<Vec<Id>>> {
    let scope = Scope::parse(APP_SCOPE)?;
    let born_at = move |index: u32| Timestamp::from_millis(now.millis() - i64::from(count - index));
    let ids: Arc<Vec<_>> = Arc::new((0..count).map(|index| Id::new(born_at(index), &mut SystemRandom)).collect());
    let (people, own, client) = (Arc::clone(people), Arc::clone(&ids), client.to_owned());
    many(store, count, move |store, index| {
        let (people, ids, client, scope) = (Arc::clone(&people), Arc::clone(&own), client.clone(), scope.clone());
        async move {
            let person = at(&people, index % u32::try_from(people.len())?)?;
            let born_at = born_at(index);
            let grant = Grant {
                resource: NOTES.0.to_owned(),
                rotates: true,
                client_auth: ClientAuth::None,
                ..grant(*at(&ids, index)?, person, &client, scope, born_at)
            };
            let begin = BeginGrant { grant, consent: Consent::Once, consume_fresh: None, offline: true };
            born(store.begin_grant(begin, now).await?)
        }
    })
    .await?;
    Ok(ids)
}

/// A grant born redeemed, of a confidential client, at the server's own endpoints alone.
fn grant(id: Id, person: &Person, client: &str, scope: Scope, born_at: Timestamp) -> Grant {
    Grant {
        id,
        account: person.account,
        client: client.to_owned(),
        client_epoch: 0,
        session: Some(person.session),
        auth_time: born_at,
        acr: None,
        amr: "pwd".to_owned(),
        scope,
        resource: String::new(),
        key_binding: None,
        rotates: false,
        client_auth: ClientAuth::Secret,
        parent: None,
        generation: 0,
        rotated_at: born_at,
        redeemed_at: Some(born_at),
        expires_at: born_at + Lifetime::from_days(30),
        created_at: born_at,
        ended: None,
    }
}

fn born(outcome: GrantBegun) -> Result<()> {
    match outcome {
        GrantBegun::Born(_) => Ok(()),
        other => bail!("a grant was not born: {other:?}"),
    }
}

/// An access token and a refresh token of a live grant.
fn write_tokens(grant: Id, client: &str, now: Timestamp, ring: &KeyRing) -> Option<(String, String)> {
    let access = AccessToken {
        id: AccessToken::new_id(&mut SystemRandom),
        grant: Some(grant),
        client: client.to_owned(),
        client_epoch: 0,
        scope: Scope::parse(APP_SCOPE).ok()?,
        audience: vec![NOTES.0.to_owned()],
        issued_at: now,
        expires_at: now + Lifetime::from_seconds(3600),
    };
    // Only a JWT says whom it speaks for.
    let subject = Subject { sub: String::new(), auth_time: None, amr: String::new(), acr: None };
    let access = access.write(TokenForm::Opaque, &subject, ring, &mut SystemRandom)?;
    Some((access, RefreshToken { grant, generation: 0 }.write(now, ring)?))
}

/// Runs `verb` for each number below `count`, many at a time and nearly in order.
async fn many<F>(store: &Store, count: u32, verb: impl Fn(Store, u32) -> F + Clone + Send + 'static) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mut running = JoinSet::new();
    for first in 0..IN_FLIGHT.min(count) {
        let (store, verb) = (store.clone(), verb.clone());
        running.spawn(async move {
            for index in (first..count).step_by(STEP) {
                verb(store.clone(), index).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(())
}

fn at<T>(list: &[T], index: u32) -> Result<&T> {
    list.get(usize::try_from(index)?).context("out of range")
}

/// Verbs in flight.
const IN_FLIGHT: u32 = 512;
const STEP: usize = IN_FLIGHT as usize;
/// So many people there are at least.
const PEOPLE_MIN: u32 = 256;
/// So many of them drive code flows: each connection has a browser of its own.
const COOKIES: usize = 128;
/// Tokens are written for so many grants at most.
const TOKENS_MAX: u32 = 1 << 16;
/// A prime.
const STRIDE: u64 = 7919;
