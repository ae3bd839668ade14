//! We, as a client of npm's oidc-provider, an OpenID provider that somebody else wrote: every way to prove who we are,
//! pushed requests, bound tokens, the issuer in the callback, refresh, revocation, and grants without a page.
//!
//! The person is a small browser that keeps cookies and presses what the provider's own pages offer. What a client does
//! with answers that no honest provider gives is tested in `fujie-client`.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead as _, BufReader},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use fujie_client::{
    Ask, Begun, Client, Credential, Polled, Provider, ProviderError, Registration, ReqwestTransport, Secret, SignedIn,
    openid::{dpop::DpopKey, signing_key::SigningKey},
    provider::ClientAuthentication,
};
use fujie_core::{jose::jws::Algorithm, time::Lifetime};
use url::{Url, form_urlencoded};

use super::{NODE, Running, command, http, say_versions, scripts, told};

/// Where the application would be; nobody listens there.
const REDIRECT_URI: &str = "http://127.0.0.1:8000/callback";
const CLIENT_SECRET: &str = "a secret: with \"characters\" that + need % care & more";

/// A running oidc-provider, and the key that its client `key` signs with.
struct Foreign {
    issuer: String,
    pkcs8: Vec<u8>,
    algorithm: Algorithm,
    _folder: tempfile::TempDir,
    _running: Running,
}

impl Foreign {
    fn start() -> Self {
        Self::with(Algorithm::Es256, false)
    }

    fn with(algorithm: Algorithm, is_strict: bool) -> Self {
        say_versions(NODE, &["oidc-provider"]);
        let pkcs8 = SigningKey::generate(algorithm).unwrap().to_vec();
        let jwk = SigningKey::from_pkcs8(algorithm, "ours".into(), &pkcs8).unwrap().jwk();
        let folder = scripts(NODE);
        let mut running = command(told(NODE), folder.path())
            .arg("oidc_provider.mjs")
            .envs([("REDIRECT_URI", REDIRECT_URI), ("CLIENT_SECRET", CLIENT_SECRET)])
            .envs([("CLIENT_JWK", serde_json::to_string(&jwk).unwrap().as_str())])
            .envs([("STRICT", if is_strict { "yes" } else { "no" })])
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("complained")).unwrap())
            .spawn()
            .map(Running)
            .unwrap();
        let mut issuer = String::new();
        BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut issuer).unwrap();
        let complained = || std::fs::read_to_string(folder.path().join("complained")).unwrap();
        assert!(issuer.starts_with("http"), "oidc-provider did not begin (run ./test):\n{}", complained());
        let issuer = issuer.trim().to_owned();
        Self { issuer, pkcs8, algorithm, _folder: folder, _running: running }
    }

    /// We, as this client, from the issuer alone.
    async fn client(&self, id: &str) -> Client {
        // The transport and the test's own browser use one library for TLS.
        drop(http());
        let credential = match id {
            "none" | "device" => Credential::None,
            "key" => Credential::PrivateKey(self.key()),
            _ => Credential::Secret(Secret::new(CLIENT_SECRET)),
        };
        Client::discover(&self.issuer, id, credential).await.unwrap()
    }

    fn key(&self) -> SigningKey {
        SigningKey::from_pkcs8(self.algorithm, "ours".into(), &self.pkcs8).unwrap()
    }

    /// The person's way through the pages; where the browser is sent at the end.
    async fn person(&self, begun: &Begun) -> String {
        Browser::new(&self.issuer, true).open(&begun.url).await
    }

    async fn signs_in(&self, client: &Client) -> SignedIn {
        self.finishes(client, client.begin(REDIRECT_URI).unwrap()).await
    }

    async fn signs_in_pushed(&self, client: &Client) -> SignedIn {
        let begun = client.begin_pushed(REDIRECT_URI, &Ask::default()).await.unwrap();
        assert!(!begun.url.contains("redirect_uri"), "{}", begun.url);
        self.finishes(client, begun).await
    }

    async fn finishes(&self, client: &Client, begun: Begun) -> SignedIn {
        let callback = self.person(&begun).await;
        let signed_in = client.finish(&callback, &begun.cookie.value).await.unwrap();
        assert_eq!(signed_in.identity.subject, "xiaoming");
        assert_eq!(signed_in.identity.nickname.as_deref(), Some("xiaoming 🌟"));
        signed_in
    }
}

/// A browser without eyes: keeps cookies, follows redirects within the provider, fills in what the pages ask for.
struct Browser {
    http: reqwest::Client,
    issuer: String,
    cookies: HashMap<String, String>,
    agrees: bool,
    has_refused: bool,
    types: HashMap<&'static str, String>,
}

impl Browser {
    fn new(issuer: &str, agrees: bool) -> Self {
        drop(http());
        let no_redirect = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(no_redirect).build().unwrap();
        let types = [("login", "xiaoming"), ("password", "any")].map(|(name, value)| (name, value.to_owned()));
        Self {
            http,
            issuer: issuer.to_owned(),
            cookies: HashMap::new(),
            agrees,
            has_refused: false,
            types: types.into(),
        }
    }

    /// The first address that is not the provider's, or the text of a page where nothing is asked.
    async fn open(&mut self, address: &str) -> String {
        let mut request = self.http.get(address);
        for _ in 0..20 {
            let page = self.send(request).await;
            let here = page.url().clone();
            if let Some(location) = page.headers().get("location") {
                let next = here.join(location.to_str().unwrap()).unwrap();
                if !next.as_str().starts_with(&self.issuer) {
                    return next.into();
                }
                request = self.http.get(next);
                continue;
            }
            let text = page.text().await.unwrap();
            request = match self.press(&here, &text) {
                Some(request) => request,
                None => return text,
            };
        }
        panic!("no way out of {address}");
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> reqwest::Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let page = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        for line in page.headers().get_all("set-cookie") {
            let (name, value) = line.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        page
    }

    /// What the page offers: to go on, or to cancel, once.
    fn press(&mut self, here: &Url, text: &str) -> Option<reqwest::RequestBuilder> {
        let (_, form) = text.split_once("<form").filter(|_| !self.has_refused)?;
        let fields = form.split("<input").skip(1).filter_map(|input| {
            let input = input.split('>').next().unwrap();
            let name = attribute(input, "name")?;
            let value = self.types.get(name).map(String::as_str).or(attribute(input, "value"))?;
            Some((name, value))
        });
        let mut fields: HashMap<&str, &str> = fields.collect();
        // The pages of sign-in have a link to cancel, that of a device a button.
        let link = text.split("<a ").skip(1).find(|link| !self.agrees && link.contains("Cancel"));
        if let Some(link) = link {
            return Some(self.http.get(here.join(attribute(link, "href").unwrap()).unwrap()));
        }
        if !self.agrees && text.contains("name=\"abort\"") {
            self.has_refused = true;
            fields.insert("abort", "yes");
        }
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.http.post(here.join(attribute(form, "action").unwrap()).unwrap());
        Some(request.header("content-type", "application/x-www-form-urlencoded").body(body))
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!("{name}=\""))?.1.split('"').next()
}

#[tokio::test(flavor = "multi_thread")]
async fn we_sign_in_at_oidc_provider_by_each_way_to_prove_who_we_are() {
    let foreign = Foreign::start();
    for id in ["basic", "none", "key"] {
        let client = foreign.client(id).await;
        foreign.signs_in(&client).await;
        foreign.signs_in_pushed(&client).await;
    }
    // What the provider offers too, and a client must choose.
    let transport = Arc::new(ReqwestTransport::new().unwrap());
    let discovered = Provider::discover(transport.as_ref(), &foreign.issuer).await.unwrap();
    let record = Provider { client_authentication: ClientAuthentication::ClientSecretPost, ..discovered };
    let registration = Registration::new(record, "post", Secret::new(CLIENT_SECRET)).unwrap();
    let client = Client::over(transport, registration).unwrap();
    foreign.signs_in(&client).await;
    foreign.signs_in_pushed(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_refused_at_oidc_provider_as_ours() {
    let foreign = Foreign::start();
    let client = Client::discover(&foreign.issuer, "basic", Secret::new("another")).await.unwrap();
    let begun = client.begin(REDIRECT_URI).unwrap();
    let refused = client.finish(&foreign.person(&begun).await, &begun.cookie.value).await.unwrap_err();
    assert!(matches!(refused, ProviderError::CredentialsRefused(_)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn we_believe_id_tokens_of_oidc_provider_in_every_algorithm() {
    let foreign = Foreign::start();
    for id in ["RS256", "PS256", "ES256", "EdDSA"] {
        let client = foreign.client(id).await;
        let signed_in = foreign.signs_in(&client).await;
        let refreshed = client.refresh(&signed_in.tokens).await.unwrap();
        assert_eq!(refreshed.subject.as_deref(), Some("xiaoming"), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_oidc_provider_are_refreshed_and_end() {
    let foreign = Foreign::start();
    let client = foreign.client("none").await;
    let first = foreign.signs_in(&client).await.tokens;
    let second = client.refresh(&first).await.unwrap();
    assert_eq!(client.user(&second).await.unwrap().subject, "xiaoming");
    client.revoke(&second).await.unwrap();
    let ended = client.user(&second).await.unwrap_err();
    assert!(matches!(ended, ProviderError::AccessTokenRefused(_)), "{ended:?}");
    // A public client's refresh tokens are good for once here; the second use ends them all.
    for stale in [&first, &second] {
        let refused = client.refresh(stale).await.unwrap_err();
        assert!(matches!(refused, ProviderError::RefreshTokenRefused(_)), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_at_oidc_provider_and_a_second_use_of_a_code_are_told_apart() {
    let foreign = Foreign::start();
    let client = foreign.client("basic").await;
    let begun = client.begin(REDIRECT_URI).unwrap();
    let callback = Browser::new(&foreign.issuer, false).open(&begun.url).await;
    let refused = client.finish(&callback, &begun.cookie.value).await.unwrap_err();
    assert!(matches!(refused, ProviderError::Denied), "{refused:?}");

    let begun = client.begin(REDIRECT_URI).unwrap();
    let callback = foreign.person(&begun).await;
    client.finish(&callback, &begun.cookie.value).await.unwrap();
    let again = client.finish(&callback, &begun.cookie.value).await.unwrap_err();
    assert!(matches!(again, ProviderError::CodeRefused(_)), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_of_oidc_provider_must_name_its_issuer() {
    let foreign = Foreign::start();
    let client = foreign.client("basic").await;
    let begun = client.begin(REDIRECT_URI).unwrap();
    let callback = foreign.person(&begun).await;
    let named: String = form_urlencoded::Serializer::new(String::new()).append_pair("iss", &foreign.issuer).finish();
    for changed in ["", "&iss=https%3A%2F%2Fother.example"] {
        let changed = callback.replace(&format!("&{named}"), changed);
        assert_ne!(changed, callback);
        let refused = client.finish(&changed, &begun.cookie.value).await.unwrap_err();
        assert!(matches!(refused, ProviderError::IssuerMismatch), "{refused:?}");
    }
    client.finish(&callback, &begun.cookie.value).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_pushed_and_tokens_bound_at_a_strict_oidc_provider() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let foreign = Foreign::with(algorithm, true);
        let client = foreign.client("key").await.with_dpop(DpopKey::generate().unwrap().0);
        let unpushed = client.begin(REDIRECT_URI).unwrap_err();
        assert!(matches!(unpushed, ProviderError::NotOffered(_)), "{unpushed:?}");

        let signed_in = foreign.signs_in_pushed(&client).await;
        assert_eq!(signed_in.tokens.token_type.as_deref(), Some("DPoP"));
        let refreshed = client.refresh(&signed_in.tokens).await.unwrap();
        assert_eq!(client.user(&refreshed).await.unwrap().subject, "xiaoming");

        // With another key, or none, they are worth nothing.
        let unbound = foreign.client("key").await;
        let otherwise_bound = foreign.client("key").await.with_dpop(DpopKey::generate().unwrap().0);
        for thief in [unbound, otherwise_bound] {
            let refused = thief.user(&refreshed).await.unwrap_err();
            assert!(matches!(refused, ProviderError::AccessTokenRefused(_)), "{refused:?}");
        }
        client.revoke(&refreshed).await.unwrap();
        client.user(&refreshed).await.unwrap_err();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_gets_a_token_of_oidc_provider_for_itself() {
    let foreign = Foreign::start();
    let tokens = foreign.client("machine").await.client_credentials(&["read"]).await.unwrap();
    assert_eq!(tokens.scope, ["read"]);
    assert!(tokens.subject.is_none() && tokens.refresh_token.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_waits_for_its_person_at_oidc_provider() {
    let foreign = Foreign::start();
    for agrees in [true, false] {
        let waited = Arc::new(AtomicU32::new(0));
        let client = foreign.client("device").await;
        let (start, seconds) = (client.now(), Arc::clone(&waited));
        let client =
            client.with_clock(Arc::new(move || start + Lifetime::from_seconds(seconds.load(Ordering::Relaxed))));
        let mut device = client.begin_device().await.unwrap();
        let pass = |span: Duration| {
            waited.fetch_add(u32::try_from(span.as_secs()).unwrap() + 1, Ordering::Relaxed);
        };
        for _ in 0..2 {
            let Polled::Wait(span) = client.poll_device(&mut device).await.unwrap() else { panic!("nobody agreed") };
            pass(span);
        }
        let mut person = Browser::new(&foreign.issuer, agrees);
        person.types.insert("user_code", device.authorization.user_code.clone());
        let text = person.open(&device.authorization.verification_uri).await;
        assert_eq!(text.contains("Sign-in Success"), agrees, "{text}");
        let end = client.poll_device(&mut device).await;
        if agrees {
            let Polled::Tokens(tokens) = end.unwrap() else { panic!("it is allowed") };
            assert_eq!(tokens.subject.as_deref(), Some("xiaoming"));
            assert_eq!(client.user(&tokens).await.unwrap().nickname.as_deref(), Some("xiaoming 🌟"));
            client.refresh(&tokens).await.unwrap();
        } else {
            assert!(matches!(end, Err(ProviderError::Denied)), "{end:?}");
        }
    }
}
