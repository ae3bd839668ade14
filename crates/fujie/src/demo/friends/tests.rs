//! Stories of a browser that visits "friends", against a small issuer and the real contacts API.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use fujie_core::secret::Secret;
use reqwest::{Client, Response, redirect};
use tokio::{net::TcpListener, sync::watch};

use super::{FriendsConfig, serve};
use crate::demo::{
    contacts::{self, ContactsConfig},
    http::Http,
    snippet::SnippetClient,
    stub::Issuer,
};

struct House {
    issuer: Arc<Issuer>,
    origin: String,
    _running: watch::Sender<bool>,
}

impl House {
    async fn open() -> Self {
        let issuer = Issuer::start().await;
        let (running, shutdown) = watch::channel(false);
        let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let resource = format!("http://{}", api.local_addr().unwrap());
        *issuer.resource.lock().unwrap() = resource.clone();
        let contacts_url = format!("{resource}/contacts");
        let contacts = ContactsConfig {
            issuer: issuer.issuer.clone(),
            resource,
            client_id: "contacts".into(),
            client_secret: secret("fj_cs_contactscontactscontacts"),
            now: issuer.now(),
            shutdown: shutdown.clone(),
        };
        tokio::spawn(contacts::serve(api, contacts));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let ages = Arc::clone(&issuer);
        let friends = FriendsConfig {
            issuer: issuer.issuer.clone(),
            client_id: "friends".into(),
            client_secret: secret(CLIENT_SECRET),
            redirect_uri: format!("{origin}/callback"),
            contacts_url,
            age_token: Arc::new(move |_| Some(ages.expired_token())),
            flask: SnippetClient { client_id: "flask".into(), client_secret: secret("fj_cs_flask"), port: 5000 },
            express: SnippetClient { client_id: "express".into(), client_secret: secret("fj_cs_express"), port: 3000 },
            alice_password: "bamboo-ink-lantern".into(),
            wechat_phone_url: "http://127.0.0.1:9/phone".into(),
            now: issuer.now(),
            shutdown,
        };
        tokio::spawn(async { serve(listener, friends).await.unwrap() });
        Self { issuer, origin, _running: running }
    }

    fn visitor(&self) -> Visitor {
        // Choosing the cryptography provider is what the application's own client does first.
        let _chosen = Http::new().unwrap();
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
        Visitor { client, origin: self.origin.clone(), cookies: HashMap::new() }
    }
}

struct Visitor {
    client: Client,
    origin: String,
    cookies: HashMap<String, String>,
}

impl Visitor {
    async fn send(&mut self, mut request: reqwest::RequestBuilder) -> Response {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request = request.header("cookie", cookies.join("; "));
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"), "{attributes}");
            let (name, value) = pair.split_once('=').unwrap();
            assert!(name.starts_with("friends_"));
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        response
    }

    async fn get(&mut self, path: &str) -> Response {
        let url = if path.starts_with('/') { format!("{}{path}", self.origin) } else { path.to_owned() };
        self.send(self.client.get(url)).await
    }

    async fn post(&mut self, path: &str) -> Response {
        self.send(self.client.post(format!("{}{path}", self.origin))).await
    }

    async fn page(&mut self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        text(response).await
    }

    /// From the button to the issuer and back: the URL that the issuer sends the browser to.
    async fn as_far_as_the_callback(&mut self) -> String {
        let to_issuer = location(&self.post("/sign-in").await);
        location(&self.client.get(to_issuer).send().await.unwrap())
    }

    async fn sign_in(&mut self) -> String {
        let callback = self.as_far_as_the_callback().await;
        let response = self.get(&callback).await;
        assert_eq!(location(&response), "/#act-1");
        self.page("/").await
    }

    async fn press(&mut self, path: &str) -> String {
        let response = self.post(path).await;
        assert_eq!(response.status(), 303);
        self.page("/").await
    }
}

/// A page as it is read: the template writes a slash as a character reference.
async fn text(response: Response) -> String {
    response.text().await.unwrap().replace("&#x2f;", "/")
}

fn location(response: &Response) -> String {
    response.headers()["location"].to_str().unwrap().to_owned()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.into())
}

fn steps_done(page: &str) -> usize {
    page.matches(r#"<li class="done">"#).count()
}

const CLIENT_SECRET: &str = "fj_cs_friendsfriendsfriendsfriends";

#[tokio::test]
async fn a_person_signs_in_and_sees_seven_steps_and_eight_after_a_refresh() {
    let house = House::open().await;
    let mut visitor = house.visitor();
    let page = visitor.sign_in().await;
    for expected in ["小满 🌾", "0190-alice", "韩梅梅 🌸", "GET /contacts", "POST /token", "expires_in=7200"] {
        assert!(page.contains(expected), "{expected}");
    }
    assert_eq!(steps_done(&page), 7);
    let page = visitor.press("/refresh").await;
    assert_eq!(steps_done(&page), 8);
    assert!(page.contains(r#"id="act-2""#) && !page.contains("insufficient"));
}

#[tokio::test]
async fn no_secret_of_the_walk_stands_on_the_page() {
    let house = House::open().await;
    let mut visitor = house.visitor();
    visitor.sign_in().await;
    for button in ["/expired", "/refresh", "/call", "/revoke", "/refresh"] {
        visitor.press(button).await;
    }
    let page = visitor.page("/").await;
    let mut secrets = house.issuer.secrets.lock().unwrap().clone();
    secrets.extend([CLIENT_SECRET.to_owned(), visitor.cookies["friends_browser"].clone()]);
    assert!(secrets.len() >= 12, "{} secrets", secrets.len());
    for secret in secrets {
        assert!(!page.contains(&secret), "{secret}");
        // A JWT's payload and signature are told apart from its header, which says nothing.
        for part in secret.split('.').skip(1) {
            assert!(!page.contains(part), "{part}");
        }
    }
    assert!(page.contains("code=fj_ac_…") && page.contains("Bearer eyJhbG…") && page.contains("friends:fj_cs_…"));
}

#[tokio::test]
async fn a_denied_consent_ends_the_picture_at_that_arrow() {
    let house = House::open().await;
    *house.issuer.denies.lock().unwrap() = true;
    let mut visitor = house.visitor();
    let page = visitor.sign_in().await;
    assert!(page.contains("error=access_denied") && page.contains("ends with an error"));
    assert!(!page.contains("POST /token") && !page.contains("GET /contacts"));
    let list = page.split(r#"<ol class="messages">"#).nth(1).unwrap();
    let last = list.split("</ol>").next().unwrap().rsplit("<li").next().unwrap();
    assert!(last.starts_with(r#" class="error""#) && last.contains("GET /callback"), "{last}");
    assert_eq!((steps_done(&page), house.issuer.tokens_asked.load(Ordering::SeqCst)), (2, 0));
    *house.issuer.denies.lock().unwrap() = false;
    let callback = visitor.as_far_as_the_callback().await;
    visitor.get(&callback).await;
    assert!(visitor.page("/").await.contains("小满 🌾"), "a second thought is possible");
}

#[tokio::test]
async fn the_buttons_show_what_becomes_of_a_token() {
    let house = House::open().await;
    let mut visitor = house.visitor();
    visitor.sign_in().await;
    let page = visitor.press("/expired").await;
    assert!(page.contains("the token is expired") && page.contains("韩梅梅"), "the token at hand is still good");
    let page = visitor.press("/revoke").await;
    assert!(page.contains("the token was revoked") && !page.contains("韩梅梅"));
    let page = visitor.press("/refresh").await;
    assert!(page.contains("error=invalid_grant"));
    let page = visitor.press("/sign-out").await;
    assert!(!page.contains("小满") && !page.contains("act-1") && page.contains("bamboo-ink-lantern"));
}

#[tokio::test]
async fn a_response_for_another_browser_changes_nothing() {
    let house = House::open().await;
    let (mut attacker, mut victim) = (house.visitor(), house.visitor());
    let stolen = attacker.as_far_as_the_callback().await;
    let own = victim.as_far_as_the_callback().await;
    for url in
        [stolen.as_str(), "/callback", "/callback?code=x", &format!("{own}&state=x"), &"/callback?a=".repeat(900)]
    {
        assert_eq!(victim.get(url).await.status(), 400, "{url}");
    }
    assert_eq!(house.visitor().get(&own).await.status(), 400, "no cookie");
    assert_eq!(house.issuer.tokens_asked.load(Ordering::SeqCst), 0);
    assert_eq!(victim.get(&own).await.status(), 303, "the sign-in under way has survived all that");
    assert!(victim.page("/").await.contains("小满"));
    assert_eq!(victim.get(&own).await.status(), 400, "a response counts once");
}

#[tokio::test]
async fn a_response_of_another_issuer_gets_no_token_request() {
    let house = House::open().await;
    let mut visitor = house.visitor();
    for replace in ["iss=https%3A%2F%2Fissuer.example", "x=y"] {
        let callback = visitor.as_far_as_the_callback().await;
        let (start, _) = callback.split_once("iss=").unwrap();
        visitor.get(&format!("{start}{replace}")).await;
        assert!(visitor.page("/").await.contains("another issuer"));
    }
    assert_eq!(house.issuer.tokens_asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_id_token_for_another_sign_in_signs_nobody_in() {
    let house = House::open().await;
    *house.issuer.forgets_nonce.lock().unwrap() = true;
    let page = house.visitor().sign_in().await;
    assert!(page.contains("another nonce") && !page.contains("小满") && !page.contains("GET /userinfo"));
}

#[tokio::test]
async fn a_cookie_planted_before_the_sign_in_is_worth_nothing_after_it() {
    let house = House::open().await;
    let (mut attacker, mut victim) = (house.visitor(), house.visitor());
    attacker.post("/sign-in").await;
    victim.cookies = attacker.cookies.clone();
    let callback = victim.as_far_as_the_callback().await;
    victim.get(&callback).await;
    assert!(victim.page("/").await.contains("小满"));
    assert!(!attacker.page("/").await.contains("小满"));
}

#[tokio::test]
async fn only_our_own_name_and_our_own_forms_are_served() {
    let house = House::open().await;
    let mut visitor = house.visitor();
    let url = |path: &str| format!("{}{path}", house.origin);
    for host in ["localhost:80", "friends.example", "127.0.0.1"] {
        let response = visitor.send(visitor.client.get(url("/flask.py")).header("host", host)).await;
        assert_eq!(response.status(), 421, "{host}");
        assert!(!response.text().await.unwrap().contains("fj_cs_"));
    }
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:1")]
    {
        let response = visitor.send(visitor.client.post(url("/sign-in")).header(name, value)).await;
        assert_eq!(response.status(), 403, "{value}");
    }
    for (name, value) in [("sec-fetch-site", "same-origin"), ("origin", house.origin.as_str())] {
        let response = visitor.send(visitor.client.post(url("/sign-in")).header(name, value)).await;
        assert_eq!(response.status(), 303, "{value}");
    }
}

#[tokio::test]
async fn every_state_is_there_in_both_languages_without_script_or_inline_style() {
    let house = House::open().await;
    let mut visitor = house.visitor();
    let mut pages = vec![visitor.page("/?lang=en").await, visitor.page("/?lang=zh").await];
    pages.push(visitor.sign_in().await);
    pages.push(visitor.press("/expired").await);
    pages.push(visitor.press("/revoke").await);
    pages.push(visitor.page("/?lang=en").await);
    pages.push(text(visitor.get("/callback?state=x").await).await);
    for page in &pages {
        assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("<style"));
        assert!(page.contains("fujie_flask.py") && page.contains("http://127.0.0.1:3000"));
    }
    assert!(pages[1].contains("使用微信登录") && pages[2].contains(r#"<html lang="zh-CN">"#), "the choice is kept");
    assert!(
        pages[2].contains("ui_locales=zh-CN") && pages[2].contains("role=\"img\"") && pages[2].contains("<title id")
    );
    assert!(pages[0].contains("Sign in with WeChat via Fujie") && pages[5].contains(r#"<html lang="en">"#));
}

#[tokio::test]
async fn answers_stay_out_of_caches_and_frames() {
    let house = House::open().await;
    let response = house.visitor().get("/").await;
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("cache-control"), "no-store");
    let policy = header("content-security-policy");
    for part in
        ["default-src 'none'", "frame-ancestors 'none'", &format!("form-action 'self' {};", house.issuer.issuer)]
    {
        assert!(policy.contains(part), "{policy}");
    }
    let response = house.visitor().get("/flask.py").await;
    assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"fujie_flask.py\"");
    assert!(response.text().await.unwrap().contains("fj_cs_flask"));
    assert_eq!(house.visitor().get("/assets/demo.css").await.headers()["content-type"], "text/css; charset=utf-8");
}

#[tokio::test]
async fn an_issuer_that_is_away_is_said_to_be_away() {
    let house = House::open().await;
    // Nobody listens there, and no listener is ever given it.
    let gone = "127.0.0.1:1";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let client = |port| SnippetClient { client_id: "x".into(), client_secret: secret("x"), port };
    let config = FriendsConfig {
        issuer: format!("http://{gone}"),
        client_id: "friends".into(),
        client_secret: secret(CLIENT_SECRET),
        redirect_uri: format!("{origin}/callback"),
        contacts_url: format!("http://{gone}/contacts"),
        age_token: Arc::new(|_| None),
        flask: client(5000),
        express: client(3000),
        alice_password: "x".into(),
        wechat_phone_url: "http://127.0.0.1:9/".into(),
        now: house.issuer.now(),
        shutdown: house._running.subscribe(),
    };
    tokio::spawn(serve(listener, config));
    let mut visitor = Visitor { origin, ..house.visitor() };
    let page = visitor.press("/sign-in").await;
    assert!(page.contains("No answer") && page.contains("GET /.well-known/openid-configuration"));
}
