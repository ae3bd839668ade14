//! A house to test in: a server on a free port, a database in a folder of its own, a clock moved by hand, a simulated
//! WeChat.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_client::{Client as ProviderClient, ReqwestTransport, provider};
use fujie_core::{
    client::{Api, Client, GrantType, PkcePolicy, TokenForm},
    id::Id,
    jose::jws::Algorithm,
    policy::Policy,
    random::SystemRandom,
    request::{redirect_uri::RegisteredUri, scope::Scope},
    secret::{Digest, Kind, Secret, sha256},
    time::Lifetime,
    token::seal::MasterKey,
};
use fujie_server::{Server, Settings, broker::Connection, clock::Clock, endpoint::sign_in::fold, password::Passwords};
use fujie_simulator::wechat::{DEFAULT_APPID, DEFAULT_SECRET, Wechat, WechatConfig};
use fujie_store::{NewAccount, Options, Store, Username};
use tokio::{net::TcpListener, sync::oneshot};

use crate::browser::{Browser, Page, form};

pub const CALLBACK: &str = "https://app.example/callback";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const PASSWORD: &str = "correct horse battery";

/// A running server and what belongs to it.
pub struct House {
    pub issuer: String,
    pub server: Arc<Server>,
    pub clock: Clock,
    pub wechat: Wechat,
    pub app: Registered,
    pub http: reqwest::Client,
    folder: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    running: Option<tokio::task::JoinHandle<()>>,
}

/// A client with its secret.
#[derive(Clone, Debug)]
pub struct Registered {
    pub id: String,
    pub secret: Option<String>,
}

/// A confidential client with every safe grant.
pub fn client(id: &str) -> Client {
    Client {
        id: id.to_owned(),
        name: "Friends".to_owned(),
        epoch: 0,
        is_disabled: false,
        is_public: false,
        secrets: Vec::new(),
        redirect_uris: vec![RegisteredUri::parse(CALLBACK).unwrap()],
        post_logout_redirect_uris: vec![RegisteredUri::parse("https://app.example/bye").unwrap()],
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials],
        scope: Scope::parse("openid profile offline_access read_contacts").unwrap(),
        pkce: PkcePolicy::Required,
        rotates: None,
        refresh_window: Lifetime::from_seconds(30),
        access_token_lifetime: None,
        id_token_alg: Algorithm::Es256,
        api: None,
    }
}

/// A public client.
pub fn public(id: &str) -> Client {
    let grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
    Client { is_public: true, grant_types, ..client(id) }
}

/// An API that owns `read_contacts`.
pub fn contacts(token: TokenForm) -> Client {
    let api = Api {
        resource: "https://contacts.example/".to_owned(),
        scope: Scope::parse("read_contacts").unwrap(),
        scope_words: BTreeMap::new(),
        token,
    };
    Client { api: Some(api), grant_types: Vec::new(), redirect_uris: Vec::new(), ..client("contacts") }
}

impl House {
    /// A house with alice, the confidential client `friends`, the contacts API (JWT) and WeChat.
    pub async fn new() -> Self {
        Self::with(TokenForm::Jwt(Algorithm::Es256)).await
    }

    /// The same with another form of the API's tokens.
    pub async fn with(token: TokenForm) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let wechat = Wechat::start(("127.0.0.1", 0), WechatConfig::default()).await.unwrap();
        let store = Store::open(&folder.path().join("fujie.db"), Options::default()).unwrap();
        let clock = Clock::default();
        let record = provider::wechat().at_host(wechat.base_url()).unwrap();
        let secret = fujie_client::Secret::new(DEFAULT_SECRET);
        let connection = Connection {
            id: "wechat".to_owned(),
            label: None,
            client: ProviderClient::new(record, DEFAULT_APPID, secret).unwrap(),
            is_simulated: true,
            group: Some("main".to_owned()),
        };
        let settings = Settings {
            issuer: issuer.clone(),
            name: "Fujie".to_owned(),
            is_demo: false,
            policy: Policy::default(),
            connections: vec![connection],
            password_enabled: true,
            master: MasterKey::new(&[7; 32]).unwrap(),
            transport: Box::new(ReqwestTransport::new().unwrap()),
            clock: clock.clone(),
        };
        let server = Server::start(store, settings).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = fujie_server::serve(Arc::clone(&server), listener, async {
            drop(stopped.await);
        });
        let running = tokio::spawn(serving);
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let nobody = Registered { id: String::new(), secret: None };
        let mut house = Self {
            issuer,
            server,
            clock,
            wechat,
            app: nobody,
            http,
            folder,
            stop: Some(stop),
            running: Some(running),
        };
        house.add(contacts(token)).await;
        house.app = house.add(client("friends")).await;
        house.person("alice").await;
        house
    }

    /// Registers a client, with a secret unless it is public.
    pub async fn add(&self, mut client: Client) -> Registered {
        let secret = (!client.is_public).then(|| Secret::random(Kind::ClientSecret, &mut SystemRandom));
        client.secrets = secret.iter().map(|secret| Digest::of(Kind::ClientSecret, secret.expose())).collect();
        self.server.store().add_client(&client, self.clock.now()).await.unwrap();
        self.server.renew(true).await.unwrap();
        Registered { id: client.id, secret: secret.map(|secret| secret.expose().to_owned()) }
    }

    /// An account with [`PASSWORD`].
    pub async fn person(&self, name: &str) -> Id {
        static HASH: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
        let hash = || async { Passwords::default().hash(PASSWORD).await.unwrap().expose().to_owned() };
        let hash = HASH.get_or_init(hash).await.clone();
        let id = Id::new(self.clock.now(), &mut SystemRandom);
        let account = NewAccount {
            id,
            username: Some(Username { shown: name.to_owned(), folded: fold(name) }),
            name: name.to_owned(),
            picture: None,
            password_hash: Some(Secret::new(hash)),
            is_administrator: false,
        };
        self.server.store().create_account(account, self.clock.now()).await.unwrap();
        id
    }

    /// The address of an authorization request of `client`, with `more` at the end.
    pub fn authorize(&self, client: &Registered, more: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", &client.id),
            ("redirect_uri", CALLBACK),
            ("scope", "openid profile"),
            ("state", "xyz"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in more {
            fields.retain(|(own, _)| own != name);
            if !value.is_empty() {
                fields.push((name, value));
            }
        }
        format!("{}/authorize?{}", self.issuer, form(&fields))
    }

    /// Signs in by password on the page that `page` leads to, up to the consent page or the client.
    pub async fn sign_in(&self, browser: &mut Browser, page: Page, name: &str) -> Page {
        let page = browser.follow_within(page, &self.issuer).await;
        let page = browser.submit(&page, "/sign-in", &[("username", name), ("password", PASSWORD)]).await;
        browser.follow_within(page, &self.issuer).await
    }

    /// A code for `client`, granted by alice in `browser`.
    pub async fn code(&self, browser: &mut Browser, client: &Registered, more: &[(&str, &str)]) -> String {
        let page = browser.get(&self.authorize(client, more)).await;
        let mut page = browser.follow_within(page, &self.issuer).await;
        if page.body.contains("action=\"/sign-in\"") {
            page = browser.submit(&page, "/sign-in", &[("username", "alice"), ("password", PASSWORD)]).await;
            page = browser.follow_within(page, &self.issuer).await;
        }
        if page.status == 200 {
            page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        }
        page.answered("code").unwrap_or_else(|| panic!("no code: {}", page.location()))
    }

    /// Posts to an endpoint that clients call, authenticated in the body.
    pub async fn post(&self, path: &str, client: &Registered, fields: &[(&str, &str)]) -> Page {
        let mut all = fields.to_vec();
        all.push(("client_id", &client.id));
        if let Some(secret) = &client.secret {
            all.push(("client_secret", secret));
        }
        self.post_raw(path, &form(&all)).await
    }

    /// Posts a form body as it is.
    pub async fn post_raw(&self, path: &str, body: &str) -> Page {
        let request = self.http.post(format!("{}{path}", self.issuer));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned());
        read(request).await
    }

    /// Redeems a code.
    pub async fn redeem(&self, client: &Registered, code: &str) -> Page {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.post("/token", client, &fields).await
    }

    /// Tokens of alice for `client`.
    pub async fn tokens(&self, client: &Registered, more: &[(&str, &str)]) -> serde_json::Value {
        let code = self.code(&mut Browser::new(), client, more).await;
        let page = self.redeem(client, &code).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.json()
    }

    /// Refreshes.
    pub async fn refresh(&self, client: &Registered, token: &str) -> Page {
        self.post("/token", client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Asks userinfo.
    pub async fn userinfo(&self, token: &str) -> Page {
        read(self.http.get(format!("{}/userinfo", self.issuer)).bearer_auth(token)).await
    }

    /// Confirms, or does another act of the phone, for the sign-in whose QR page is at `page`.
    pub async fn phone(&self, qr: &Page, act: &str, person: &str) -> serde_json::Value {
        let uuid = qr.body.split("/connect/qrcode/").nth(1).unwrap().split(['"', '?']).next().unwrap();
        let url = format!("{}/_simulate/sign-ins/{uuid}/{act}", self.wechat.base_url());
        let request = self.http.post(url).header("content-type", "application/json");
        read(request.body(format!("{{\"person\":\"{person}\"}}"))).await.json()
    }

    /// The folder of the database.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Stops the server as SIGTERM would.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(running) = self.running.take() {
            running.await.unwrap();
        }
        self.server.store().close().await;
    }
}

async fn read(request: reqwest::RequestBuilder) -> Page {
    let response = request.send().await.unwrap();
    let (url, status, headers) = (response.url().to_string(), response.status().as_u16(), response.headers().clone());
    Page { url, status, headers, body: String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap() }
}

/// The claims of a JWT, without a look at its signature.
pub fn claims(jwt: &str) -> serde_json::Value {
    let payload = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
