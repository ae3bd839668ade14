//! A provider of few words, and the pages that ask and the control API seen through it: what holds here holds at every
//! provider. Tests only.

use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::fields::Fields;
use crate::http::{self, Answer};
use crate::page::Language;
use crate::people::{Person, default_people};
use crate::random::NoRandomness;
use crate::server::{self, Running};
use crate::sign_in::{self, Ask, SignIn};
use crate::simulation::{Provider, Scene, Title};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

struct World {
    scene: Scene,
    apps: Vec<App>,
    switches: Switches,
}

type Simulation = crate::simulation::Simulation<World>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct App {
    id: String,
    name: String,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Switches {
    denial_stays: bool,
}

impl Provider for World {
    const NAME: &'static str = "probe";
    const TITLE: Title = Title { chinese: "Probe", english: "Probe" };
    type App = App;
    type Switches = Switches;

    fn scene(&self) -> &Scene {
        &self.scene
    }

    fn scene_mut(&mut self) -> &mut Scene {
        &mut self.scene
    }

    fn apps(&mut self) -> &mut Vec<App> {
        &mut self.apps
    }

    fn client_id(app: &App) -> &str {
        &app.id
    }

    fn switches(&mut self) -> &mut Switches {
        &mut self.switches
    }

    fn agree(&mut self, sign_in: &SignIn, person: &Person, _now: Timestamp) -> Result<Option<String>, NoRandomness> {
        let nonce = sign_in.ask.request.filled("nonce").unwrap_or_default();
        let back = &sign_in.ask.redirect_uri;
        Ok((!back.is_empty()).then(|| format!("{back}?code={}-{nonce}&state={}", person.name, sign_in.ask.state)))
    }

    fn refuse(&mut self, sign_in: &SignIn, _now: Timestamp) -> Option<String> {
        let leads_back = !self.switches.denial_stays && !sign_in.ask.redirect_uri.is_empty();
        leads_back.then(|| format!("{}?error=access_denied&state={}", sign_in.ask.redirect_uri, sign_in.ask.state))
    }

    fn error(&self, _call: &Parts, error: &OwnError, _now: Timestamp) -> Response {
        (StatusCode::BAD_REQUEST, error.code.clone()).into_response()
    }

    fn rate_limit(&self, _call: &Parts, _now: Timestamp) -> Response {
        StatusCode::TOO_MANY_REQUESTS.into_response()
    }
}

async fn authorize(
    State(simulation): State<Arc<Simulation>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, NoRandomness> {
    let request = Fields::of(query.unwrap_or_default().as_bytes());
    let sent = |name: &str| request.sent(name).unwrap_or_default().to_owned();
    let ask = Ask {
        client_id: "app".to_owned(),
        app_name: "<演示>".to_owned(),
        redirect_uri: sent("redirect_uri"),
        state: sent("state"),
        scope: sent("scope"),
        request: request.clone(),
        lifetime: Duration::from_secs(600),
    };
    sign_in::authorize(&simulation, ask, Language::of(request.sent("lang"), &headers))
}

async fn start() -> Running {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let routes = Router::new().route("/authorize", get(authorize));
    let world = |_base_url: &str| {
        let apps = vec![App { id: "app".to_owned(), name: "<演示>".to_owned() }];
        Ok(World { scene: Scene::new(default_people(), None)?, apps, switches: Switches::default() })
    };
    server::run(listener, None, world, routes).unwrap()
}

const REQUEST: &str = "/authorize?redirect_uri=http%3A%2F%2Flocalhost%2Fback&state=s1&scope=email&nonce=n1";

/// A page that waits, and its id.
async fn asked(running: &Running, request: &str) -> (Answer, String) {
    let page = http::get(running.base_url(), request).await;
    assert_eq!(page.status, 200);
    let listed = http::get(running.base_url(), "/_simulate/sign-ins").await.json();
    let id = listed.get(0).unwrap().get("id").unwrap().as_str().unwrap().to_owned();
    (page, id)
}

async fn decide(running: &Running, id: &str, form: &str) -> Answer {
    http::post_form(running.base_url(), &format!("/_simulate/page/{id}"), form).await
}

async fn control(running: &Running, path: &str, body: Value) -> Answer {
    http::send(running.base_url(), "POST", &format!("/_simulate/{path}"), &[], &body.to_string()).await
}

#[tokio::test]
async fn the_page_says_who_asks_and_lets_one_choose_without_a_script() {
    let running = start().await;
    let (page, id) = asked(&running, REQUEST).await;
    let html = page.text();
    for text in
        ["&lt;演示&gt;", "申请使用你的 Probe 账号登录", "小明🌟", "李华", "模拟登录页 · 并非真实 Probe<", "email"]
    {
        assert!(html.contains(text), "{text}\n{html}");
    }
    assert!(html.contains(&format!("<form method=\"post\" action=\"/_simulate/page/{id}\"")));
    assert!(!html.contains("<演示>"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let (english, _) = asked(&running, &format!("{REQUEST}&lang=en")).await;
    assert!(english.text().contains("asks to sign you in with Probe") && english.text().contains(">Agree<"));
}

#[tokio::test]
async fn a_decision_leads_back_and_a_second_press_leads_to_the_same_place() {
    let running = start().await;
    for (form, expected) in [
        ("decision=agree&person=lihua", "http://localhost/back?code=lihua-n1&state=s1"),
        ("decision=agree", "http://localhost/back?code=xiaoming-n1&state=s1"),
        ("decision=refuse", "http://localhost/back?error=access_denied&state=s1"),
    ] {
        let (_, id) = asked(&running, REQUEST).await;
        for form in [form, "decision=agree&person=zoe", "decision=refuse"] {
            let answer = decide(&running, &id, form).await;
            assert_eq!((answer.status, answer.header("location")), (303, Some(expected)), "{form}");
        }
        let again = http::get(running.base_url(), &format!("/_simulate/page/{id}")).await;
        assert_eq!((again.status, again.header("location")), (303, Some(expected)));
    }
}

#[tokio::test]
async fn a_decision_that_leads_nowhere_says_so() {
    let running = start().await;
    control(&running, "switches", json!({"denial_stays": true})).await;
    for (form, expected) in [("decision=agree", "已同意登录"), ("decision=refuse", "已拒绝登录")] {
        let (_, id) = asked(&running, "/authorize?state=s1").await;
        let answer = decide(&running, &id, form).await;
        assert!(answer.status == 200 && answer.text().contains(expected), "{form}");
    }
}

#[tokio::test]
async fn an_odd_decision_changes_nothing() {
    let running = start().await;
    let (_, id) = asked(&running, REQUEST).await;
    for form in ["", "decision=perhaps", "decision=agree&person=nobody"] {
        assert_eq!(decide(&running, &id, form).await.status, 400, "{form}");
    }
    assert_eq!(decide(&running, "AAAAAAAAAAAAAAAAAAAAAAAA", "decision=agree").await.status, 404);
    let path = format!("/_simulate/page/{id}");
    let foreign = ["Sec-Fetch-Site: cross-site"];
    assert_eq!(http::send(running.base_url(), "POST", &path, &foreign, "decision=agree").await.status, 403);
    let told = http::get(running.base_url(), &format!("/_simulate/sign-ins/{id}")).await.json();
    assert_eq!(told.get("status"), Some(&"waiting".into()));
}

#[tokio::test]
async fn a_page_expires_and_a_decision_stays() {
    let running = start().await;
    let ((_, decided), (_, late)) = (asked(&running, REQUEST).await, asked(&running, REQUEST).await);
    decide(&running, &decided, "decision=agree").await;
    control(&running, "clock", json!({"advance_seconds": 600})).await;
    assert_eq!(decide(&running, &decided, "decision=agree").await.status, 303);
    let gone = decide(&running, &late, "decision=agree").await;
    assert!(gone.status == 410 && gone.text().contains("登录已过期"));
}

#[tokio::test]
async fn a_harness_acts_on_a_page_and_is_told_where_it_leads() {
    let running = start().await;
    let (_, id) = asked(&running, REQUEST).await;
    let listed = http::get(running.base_url(), "/_simulate/sign-ins").await.json();
    let expected = json!([{
        "id": id,
        "client_id": "app",
        "app_name": "<演示>",
        "status": "waiting",
        "redirect_uri": "http://localhost/back",
        "state": "s1",
        "scope": "email",
        "expires_in_seconds": listed.get(0).unwrap().get("expires_in_seconds"),
        "page_url": format!("{}/_simulate/page/{id}", running.base_url()),
        "person": null,
        "redirect_url": null,
    }]);
    assert_eq!(listed, expected);
    let acted = control(&running, &format!("sign-ins/{id}/confirm"), json!({"person": "zoe"})).await.json();
    assert_eq!(acted.get("redirect_url"), Some(&"http://localhost/back?code=zoe-n1&state=s1".into()));
    assert_eq!(acted.get("status"), Some(&"confirmed".into()));
    for (act, expected) in [("refuse", 409), ("dance", 409), ("expire", 409)] {
        assert_eq!(control(&running, &format!("sign-ins/{id}/{act}"), json!({})).await.status, expected, "{act}");
    }
    let (_, other) = asked(&running, REQUEST).await;
    assert_eq!(control(&running, &format!("sign-ins/{other}/dance"), json!({})).await.status, 400);
    let expired = control(&running, &format!("sign-ins/{other}/expire"), json!({})).await.json();
    assert_eq!(expired.get("status"), Some(&"expired".into()));
}

#[tokio::test]
async fn the_phone_lists_pages_that_wait_and_acts_on_them() {
    let running = start().await;
    let (_, id) = asked(&running, REQUEST).await;
    let phone = http::get(running.base_url(), "/phone?lang=en").await;
    assert!(phone.text().contains(&format!("action=\"/phone/{id}\"")) && phone.text().contains("Simulated phone"));
    let acted = http::post_form(running.base_url(), &format!("/phone/{id}"), "act=confirm&person=lihua").await;
    assert_eq!(acted.status, 303);
    assert!(!http::get(running.base_url(), "/phone").await.text().contains(&id));
    let told = http::get(running.base_url(), &format!("/_simulate/sign-ins/{id}")).await.json();
    assert_eq!(told.get("person"), Some(&"lihua".into()));
}

#[tokio::test]
async fn whoever_agrees_to_everything_is_redirected_at_once() {
    let running = start().await;
    control(&running, "switches", json!({"auto_confirm": "zoe"})).await;
    let answer = http::get(running.base_url(), REQUEST).await;
    let expected = "http://localhost/back?code=zoe-n1&state=s1";
    assert_eq!((answer.status, answer.header("location")), (302, Some(expected)));
    let nowhere = http::get(running.base_url(), "/authorize").await;
    assert!(nowhere.status == 200 && nowhere.text().contains("已同意登录"));
}

#[tokio::test]
async fn apps_people_and_switches_are_read_by_the_providers_rules() {
    let running = start().await;
    for (path, body, expected) in [
        ("apps", json!({"id": "b", "name": "B"}), 201),
        ("apps", json!({"id": "b", "name": "C"}), 201),
        ("apps", json!({"id": "", "name": "C"}), 400),
        ("apps", json!({"id": "b", "name": "C", "x": 1}), 400),
        ("people", json!({"name": "wang", "nickname": "W", "login": "w"}), 201),
        ("people", json!({"name": "", "nickname": "W"}), 400),
        ("people", json!({"name": "wang", "nickname": "W", "x": 1}), 400),
        ("switches", json!({"denial_stays": 1}), 400),
        ("switches", json!({"auto_confirm": "nobody"}), 400),
        ("switches", json!({"auto_confirm": "wang", "denial_stays": true}), 200),
    ] {
        assert_eq!(control(&running, path, body.clone()).await.status, expected, "{path} {body}");
    }
    let index = http::get(running.base_url(), "/_simulate").await.json();
    assert_eq!(index.get("provider"), Some(&"probe".into()));
    assert_eq!(index.get("apps"), Some(&json!([{"id": "app", "name": "<演示>"}, {"id": "b", "name": "C"}])));
    assert_eq!(index.get("people").unwrap().as_array().unwrap().len(), 4);
    assert_eq!(index.get("switches"), Some(&json!({"auto_confirm": "wang", "denial_stays": true})));
}
