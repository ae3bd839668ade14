//! Clients that somebody else wrote sign in at our simulators, unmodified but for the host: social-auth-core,
//! Flask-OAuthlib, and a strategy of passport's for each provider.
//!
//! A script says where the browser begins, is told where it came back, and says whom its library saw. The person acts
//! through the simulator's own API. What a library shows of a refusal differs, and is asserted as it is.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::Stdio,
};

use fujie_simulator::{
    Github, GithubConfig, Qq, QqConfig, Running as Simulator, Wechat, WechatConfig, Weibo, WeiboConfig, github, qq,
    wechat, weibo,
};
use serde_json::{Value, json};

use super::{NODE, PYTHON, PYTHON_FLASK_OAUTHLIB, Running, command, http, say, say_versions, scripts, told};

/// Where the application would be; nobody listens there.
const REDIRECT_URI: &str = "http://127.0.0.1:8000/callback";

/// A provider, and the application that is registered there.
struct Provider {
    name: &'static str,
    simulator: Simulator,
    client: [&'static str; 2],
}

impl Provider {
    async fn start(name: &'static str) -> Self {
        let any = "127.0.0.1:0";
        let (simulator, client) = match name {
            "wechat" => {
                (Wechat::start(any, WechatConfig::default()).await, [wechat::DEFAULT_APPID, wechat::DEFAULT_SECRET])
            }
            "qq" => {
                let mut config = QqConfig::default();
                config.switches.cancel = qq::Cancel::Redirects;
                (Qq::start(any, config).await, [qq::DEFAULT_CLIENT_ID, qq::DEFAULT_SECRET])
            }
            "weibo" => {
                (Weibo::start(any, WeiboConfig::default()).await, [weibo::DEFAULT_CLIENT_ID, weibo::DEFAULT_SECRET])
            }
            _ => {
                (Github::start(any, GithubConfig::default()).await, [github::DEFAULT_CLIENT_ID, github::DEFAULT_SECRET])
            }
        };
        Self { name, simulator: simulator.unwrap(), client }
    }

    /// Opens what the library made, and acts as xiaoming; where the browser is sent then.
    async fn person(&self, address: &str, act: &str) -> String {
        let http = http();
        let page = http.get(address).send().await.unwrap();
        assert_eq!(page.status(), 200, "{address}");
        let sign_ins = format!("{}/_simulate/sign-ins", self.simulator.base_url());
        let read = async |request: reqwest::RequestBuilder| -> Value {
            serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
        };
        let id = read(http.get(&sign_ins)).await[0]["id"].as_str().unwrap_or_else(|| panic!("{address}")).to_owned();
        let acted = read(http.post(format!("{sign_ins}/{id}/{act}")).body(r#"{"person":"xiaoming"}"#)).await;
        acted["redirect_url"].as_str().unwrap_or_else(|| panic!("{acted}")).to_owned()
    }

    /// The library sees the person who agreed, and nobody when the code is not the one that was given.
    async fn signs_in(&self, library: &Library, subject: &str, nickname: &str, at_a_stale_code: &str) {
        say_versions(library.runtime, &[library.name]);
        let end = self.met_by(library, Visit::Agrees).await;
        assert_eq!(end, json!({ "subject": subject, "nickname": nickname }));
        self.refuses(library, Visit::ComesWithStaleCode, at_a_stale_code).await;
    }

    /// The library sees nobody, and says why.
    async fn refuses(&self, library: &Library, visit: Visit, why: &str) {
        let end = self.met_by(library, visit).await;
        assert!(end["subject"].is_null() && end.to_string().contains(why), "{end}");
    }

    /// What the library says in the end.
    async fn met_by(&self, library: &Library, visit: Visit) -> Value {
        let folder = scripts(library.runtime);
        let mut running = command("timeout", folder.path())
            .args(["300", told(library.runtime).to_str().unwrap(), library.script])
            .envs([("PROVIDER", self.name), ("BASE", self.simulator.base_url()), ("REDIRECT_URI", REDIRECT_URI)])
            .env("LIBRARY", library.name)
            .envs(["CLIENT_ID", "CLIENT_SECRET"].into_iter().zip(self.client))
            // Plain http, on loopback.
            .env("OAUTHLIB_INSECURE_TRANSPORT", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("complained")).unwrap())
            .spawn()
            .map(Running)
            .unwrap();
        let complained = || fs::read_to_string(folder.path().join("complained")).unwrap();
        let mut says = BufReader::new(running.0.stdout.take().unwrap());
        let mut address = String::new();
        says.read_line(&mut address).unwrap();
        assert!(address.starts_with("http"), "{} did not begin (run ./test):\n{}", library.name, complained());
        let back = match visit {
            Visit::Agrees => self.person(address.trim(), "confirm").await,
            Visit::Refuses => self.person(address.trim(), "refuse").await,
            Visit::ComesWithStaleCode => stale(&self.person(address.trim(), "confirm").await),
        };
        writeln!(running.0.stdin.take().unwrap(), "{back}").unwrap();
        let mut end = String::new();
        says.read_to_string(&mut end).unwrap();
        let end: Value = serde_json::from_str(&end).unwrap_or_else(|error| panic!("{error}:\n{}", complained()));
        say(&format!("{} at {}: {end}", library.name, self.name));
        end
    }
}

/// What the person does.
#[derive(Clone, Copy, Debug)]
enum Visit {
    Agrees,
    Refuses,
    /// Agrees, but the code that the application gets is not the one that was given.
    ComesWithStaleCode,
}

fn stale(callback: &str) -> String {
    let (before, rest) = callback.split_once("code=").unwrap();
    let code = rest.split('&').next().unwrap();
    let other: String = code.chars().rev().collect();
    assert_ne!(other, code);
    format!("{before}code={}", rest.replacen(code, &other, 1))
}

/// A client that somebody else wrote, and the script that uses it.
struct Library {
    name: &'static str,
    runtime: &'static str,
    script: &'static str,
}

const SOCIAL_CORE: Library =
    Library { name: "social-auth-core", runtime: PYTHON, script: "simulator_with_social_core.py" };
const AUTHLIB: Library = Library { name: "Authlib", runtime: PYTHON, script: "simulator_with_authlib.py" };
const AUTH_JS: Library = Library { name: "@auth/core", runtime: NODE, script: "simulator_with_auth_js.mjs" };
const FLASK_OAUTHLIB: Library =
    Library { name: "Flask-OAuthlib", runtime: PYTHON_FLASK_OAUTHLIB, script: "simulator_with_flask_oauthlib.py" };

const fn passport(name: &'static str) -> Library {
    Library { name, runtime: NODE, script: "simulator_with_passport.mjs" }
}

/// What xiaoming is called, for ever.
const NICKNAME: &str = "小明🌟";
const WECHAT_OPENID: &str = "o3l9hc2TUO4IOywpzyWQZ4smG79m";
const WECHAT_UNIONID: &str = "oLLzgJBMiefacxI8F3q2YjBtMgmQ";
const QQ_OPENID: &str = "084A733685BE502B7EF3F492514DE9D6";
const WEIBO_UID: &str = "5060657325";
const GITHUB_ID: &str = "44087420";
const GITHUB_LOGIN: &str = "xiaoming";

#[tokio::test(flavor = "multi_thread")]
async fn social_auth_core_signs_in_with_wechat() {
    let wechat = Provider::start("wechat").await;
    wechat.signs_in(&SOCIAL_CORE, WECHAT_OPENID, NICKNAME, "40029 invalid code").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn social_auth_core_signs_in_with_qq() {
    let qq = Provider::start("qq").await;
    // The library cannot read QQ's errors; it misses the token.
    qq.signs_in(&SOCIAL_CORE, QQ_OPENID, NICKNAME, "missing_claim").await;
    qq.refuses(&SOCIAL_CORE, Visit::Refuses, "missing_claim").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn social_auth_core_signs_in_with_weibo() {
    let weibo = Provider::start("weibo").await;
    weibo.signs_in(&SOCIAL_CORE, WEIBO_UID, NICKNAME, "invalid_grant invalid authorization code").await;
    weibo.refuses(&SOCIAL_CORE, Visit::Refuses, "AuthCanceled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn social_auth_core_signs_in_with_github() {
    let github = Provider::start("github").await;
    github.signs_in(&SOCIAL_CORE, GITHUB_ID, GITHUB_LOGIN, "bad_verification_code").await;
    github.refuses(&SOCIAL_CORE, Visit::Refuses, "AuthCanceled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authlib_signs_in_with_wechat() {
    let wechat = Provider::start("wechat").await;
    wechat.signs_in(&AUTHLIB, WECHAT_OPENID, NICKNAME, "40029").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authlib_signs_in_with_qq() {
    let qq = Provider::start("qq").await;
    qq.signs_in(&AUTHLIB, QQ_OPENID, NICKNAME, "100019").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authlib_signs_in_with_weibo() {
    let weibo = Provider::start("weibo").await;
    weibo.signs_in(&AUTHLIB, WEIBO_UID, NICKNAME, "invalid authorization code").await;
    weibo.refuses(&AUTHLIB, Visit::Refuses, "access_denied").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authlib_signs_in_with_github() {
    let github = Provider::start("github").await;
    github.signs_in(&AUTHLIB, GITHUB_ID, GITHUB_LOGIN, "bad_verification_code").await;
    github.refuses(&AUTHLIB, Visit::Refuses, "access_denied").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn auth_js_signs_in_with_wechat() {
    let wechat = Provider::start("wechat").await;
    wechat.signs_in(&AUTH_JS, WECHAT_UNIONID, NICKNAME, "must be a string").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn auth_js_signs_in_with_github() {
    let github = Provider::start("github").await;
    // It misses the token before it reads the error, which comes with status 200.
    github.signs_in(&AUTH_JS, GITHUB_ID, NICKNAME, "must be a string").await;
    github.refuses(&AUTH_JS, Visit::Refuses, "OAuthCallbackError").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flask_oauthlib_signs_in_with_qq() {
    let qq = Provider::start("qq").await;
    // The library takes JSONP for a form.
    qq.signs_in(&FLASK_OAUTHLIB, QQ_OPENID, NICKNAME, "100019").await;
    qq.refuses(&FLASK_OAUTHLIB, Visit::Refuses, "usercancel").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flask_oauthlib_signs_in_with_weibo() {
    let weibo = Provider::start("weibo").await;
    weibo.signs_in(&FLASK_OAUTHLIB, WEIBO_UID, NICKNAME, "21325").await;
    weibo.refuses(&FLASK_OAUTHLIB, Visit::Refuses, "21330").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flask_oauthlib_signs_in_with_github() {
    let github = Provider::start("github").await;
    github.signs_in(&FLASK_OAUTHLIB, GITHUB_ID, GITHUB_LOGIN, "bad_verification_code").await;
    github.refuses(&FLASK_OAUTHLIB, Visit::Refuses, "access_denied").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passport_signs_in_with_wechat() {
    let wechat = Provider::start("wechat").await;
    wechat.signs_in(&passport("passport-wechat"), WECHAT_OPENID, NICKNAME, "invalid code").await;
    wechat.signs_in(&passport("passport-weixin"), WECHAT_UNIONID, NICKNAME, "invalid code").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passport_signs_in_with_qq() {
    let qq = Provider::start("qq").await;
    // Neither knows of a refusal on the page, and the second goes on without a token; the API asks to sign in first.
    qq.signs_in(&passport("passport-qq"), QQ_OPENID, NICKNAME, "Failed to obtain access token").await;
    qq.signs_in(&passport("passport-qq2015-fix"), QQ_OPENID, NICKNAME, "请先登录").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passport_signs_in_with_weibo() {
    let weibo = Provider::start("weibo").await;
    weibo.signs_in(&passport("passport-weibo"), WEIBO_UID, NICKNAME, "21325").await;
    weibo.refuses(&passport("passport-weibo"), Visit::Refuses, "401").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passport_signs_in_with_github() {
    let github = Provider::start("github").await;
    github.signs_in(&passport("passport-github2"), GITHUB_ID, NICKNAME, "Failed to obtain access token").await;
    github.refuses(&passport("passport-github2"), Visit::Refuses, "401").await;
}
