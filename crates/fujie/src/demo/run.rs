//! `fujie demo`: one process on loopback with everything in it, wired together: the server, a simulated WeChat, the
//! application, the contacts API. Its data folder is temporary and goes with it.

use std::{collections::BTreeMap, io::Write as _, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Args;
use fujie_client::{Client as ProviderClient, provider};
use fujie_core::{
    client::{Api, Client, GrantType, PkcePolicy, TokenForm},
    jose::jws::Algorithm,
    policy::Policy,
    random::{self, SystemRandom},
    request::{redirect_uri::RegisteredUri, scope::Scope},
    secret::{Digest, Kind, Secret, hex},
    time::Lifetime,
};
use fujie_server::{
    Server, Settings,
    broker::{Connection, Upstream},
    clock::Clock,
    password::Passwords,
};
use fujie_simulator::{
    Running,
    wechat::{DEFAULT_APPID, DEFAULT_SECRET, Wechat, WechatConfig},
};
use fujie_store::Store;
use tokio::{net::TcpListener, sync::watch};

use super::{
    contacts::{self, ContactsConfig},
    friends::{self, FriendsConfig},
    snippet::SnippetClient,
};
use crate::{
    client::new_client_id,
    connection::SIMULATOR,
    data::DataFolder,
    serve::stop_signal,
    user::{self, random_password},
};

/// Options of the demo.
#[derive(Debug, Args)]
pub struct Demo {
    /// Port of the application on 127.0.0.1; 0 takes a free one. The other parts take free ports.
    #[arg(long, default_value_t = 8088)]
    port: u16,
    /// Port that the ready Flask program will use.
    #[arg(long, default_value_t = 5000)]
    flask_port: u16,
    /// Port that the ready Express program will use.
    #[arg(long, default_value_t = 3000)]
    express_port: u16,
}

/// The parts before anything is served.
struct Parts {
    server: Arc<Server>,
    store: Store,
    wechat: Running,
    friends: Registered,
    contacts: Registered,
    flask: SnippetClient,
    express: SnippetClient,
    alice_password: String,
}

struct Registered {
    id: String,
    secret: Secret,
}

/// Runs until it is told to stop. Prints the application's address on stdout.
pub async fn run(demo: Demo) -> Result<()> {
    let folder = Temporary::make()?;
    let listen = |port| TcpListener::bind(("127.0.0.1", port));
    let issuer_listener = listen(0).await?;
    let contacts_listener = listen(0).await?;
    let friends_listener =
        listen(demo.port).await.with_context(|| format!("port {} is taken; choose another with --port", demo.port))?;
    let at = |listener: &TcpListener| listener.local_addr().map(|address| format!("http://{address}"));
    let (issuer, friends_at, contacts_at) = (at(&issuer_listener)?, at(&friends_listener)?, at(&contacts_listener)?);
    let parts = make(&demo, &folder.0, &issuer, &friends_at, &contacts_at).await?;
    let (stop, stopped) = watch::channel(false);
    let clock = parts.server.clock().clone();
    let now: super::Now = Arc::new(move || clock.now());
    let contacts = contacts::serve(
        contacts_listener,
        ContactsConfig {
            issuer: issuer.clone(),
            resource: format!("{contacts_at}/"),
            client_id: parts.contacts.id,
            client_secret: parts.contacts.secret,
            now: Arc::clone(&now),
            shutdown: stopped.clone(),
        },
    );
    let friends = friends::serve(
        friends_listener,
        FriendsConfig {
            issuer: issuer.clone(),
            client_id: parts.friends.id,
            client_secret: parts.friends.secret,
            redirect_uri: format!("{friends_at}/callback"),
            contacts_url: format!("{contacts_at}/contacts"),
            age_token: age_token(Arc::clone(&parts.server)),
            flask: parts.flask,
            express: parts.express,
            alice_password: parts.alice_password.clone(),
            wechat_phone_url: format!("{}/phone", parts.wechat.base_url()),
            now,
            shutdown: stopped,
        },
    );
    let (contacts, friends) = (tokio::spawn(contacts), tokio::spawn(friends));
    let interrupted = stop_signal();
    announce(&friends_at, &issuer, parts.wechat.base_url(), &parts.alice_password)?;
    fujie_server::serve(Arc::clone(&parts.server), issuer_listener, interrupted).await;
    stop.send_replace(true);
    contacts.await??;
    friends.await??;
    parts.store.close().await;
    parts.wechat.shutdown().await?;
    Ok(())
}

fn announce(friends: &str, issuer: &str, wechat: &str, password: &str) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{friends}")?;
    out.flush()?;
    writeln!(
        std::io::stderr(),
        "\n  Open {friends} in a browser.\n\n  \
         server (issuer)    {issuer}\n  \
         simulated WeChat   {wechat}/phone is the phone\n  \
         account            alice, password {password}\n\n  \
         Everything lives in this process and is gone when it ends: press Ctrl-C.\n"
    )?;
    Ok(())
}

async fn make(
    demo: &Demo,
    folder: &std::path::Path,
    issuer: &str,
    friends_at: &str,
    contacts_at: &str,
) -> Result<Parts> {
    let folder = DataFolder::open(folder)?;
    let store = folder.store()?;
    let master = folder.master_key(&store).await?;
    let wechat = Wechat::start(("127.0.0.1", 0), WechatConfig::default()).await?;
    let record = provider::wechat().at_host(wechat.base_url())?;
    let connection = Connection {
        id: "wechat".to_owned(),
        label: None,
        upstream: Upstream::Known(Arc::new(ProviderClient::new(
            record,
            DEFAULT_APPID,
            fujie_client::Secret::new(DEFAULT_SECRET),
        )?)),
        place: Some(SIMULATOR.to_owned()),
        group: None,
        embedding: None,
    };
    let app = |name: &str, redirect_uri: String, scope: &str| -> Result<Client> {
        let grants = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        registration(name, vec![RegisteredUri::parse(&redirect_uri)?], grants, scope, None)
    };
    let friends = app("Friends", format!("{friends_at}/callback"), "openid profile offline_access read_contacts")?;
    let contacts = registration("Contacts", Vec::new(), Vec::new(), "", Some(contacts_api(contacts_at)?))?;
    let program = |port| format!("http://127.0.0.1:{port}/callback");
    let scope = "openid profile offline_access read_contacts";
    let flask = register(&store, app("Flask app", program(demo.flask_port), scope)?).await?;
    let express = register(&store, app("Express app", program(demo.express_port), scope)?).await?;
    let (friends, contacts) = (register(&store, friends).await?, register(&store, contacts).await?);
    let password = random_password();
    user::create(&store, "alice", Passwords::default().hash(password.expose()).await?).await?;
    let settings = Settings {
        issuer: issuer.to_owned(),
        name: "Fujie".to_owned(),
        is_demo: true,
        policy: Policy { access_token_jwt: Lifetime::from_seconds(7200), ..Policy::default() },
        connections: vec![connection],
        password_enabled: true,
        channel: fujie_server::ChannelSettings::default(),
        master,
        clock: Clock::default(),
    };
    Ok(Parts {
        server: Server::start(store.clone(), settings).await?,
        store,
        wechat,
        friends,
        contacts,
        flask: SnippetClient { client_id: flask.id, client_secret: flask.secret, port: demo.flask_port },
        express: SnippetClient { client_id: express.id, client_secret: express.secret, port: demo.express_port },
        alice_password: password.expose().to_owned(),
    })
}

fn registration(
    name: &str,
    redirect_uris: Vec<RegisteredUri>,
    grant_types: Vec<GrantType>,
    scope: &str,
    api: Option<Api>,
) -> Result<Client> {
    Ok(Client {
        id: new_client_id(),
        name: name.to_owned(),
        epoch: 0,
        is_disabled: false,
        is_public: false,
        secrets: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        redirect_uris,
        grant_types,
        scope: Scope::parse(scope)?,
        pkce: PkcePolicy::Required,
        rotates: None,
        refresh_window: Lifetime::from_seconds(30),
        // As the notes that the demo walks through have it.
        access_token_lifetime: Some(Lifetime::from_seconds(7200)),
        id_token_alg: Algorithm::Es256,
        api,
    })
}

fn contacts_api(at: &str) -> Result<Api> {
    Ok(Api {
        resource: format!("{at}/"),
        scope: Scope::parse("read_contacts")?,
        scope_words: BTreeMap::new(),
        token: TokenForm::Jwt(Algorithm::Es256),
    })
}

async fn register(store: &Store, mut client: Client) -> Result<Registered> {
    let secret = Secret::random(Kind::ClientSecret, &mut SystemRandom);
    client.secrets = vec![Digest::of(Kind::ClientSecret, secret.expose())];
    store.add_client(&client, Clock::default().now()).await?;
    Ok(Registered { id: client.id, secret })
}

/// Signs the claims of a token of ours once more, ended a minute ago: only the issuer can make such a token.
fn age_token(server: Arc<Server>) -> friends::AgeToken {
    Arc::new(move |token| {
        let snapshot = server.snapshot();
        let payload = snapshot.ring.verify(token, "at+jwt")?;
        let mut claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
        let now = server.clock().now();
        claims.as_object_mut()?.insert("exp".to_owned(), (now.seconds() - 60).into());
        snapshot.ring.signer(Algorithm::Es256, now)?.sign("at+jwt", &serde_json::to_vec(&claims).ok()?).ok()
    })
}

/// A folder that is deleted when the demo ends.
struct Temporary(PathBuf);

impl Temporary {
    fn make() -> Result<Self> {
        let name = hex(&random::bytes::<8>(&mut SystemRandom));
        Ok(Self(DataFolder::open(&std::env::temp_dir().join(format!("fujie-demo-{name}")))?.path().to_owned()))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "the demo's folder could not be deleted");
        }
    }
}
