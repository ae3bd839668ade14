//! Clients that somebody else wrote sign in at our simulators, unmodified but for the host: social-auth-core,
//! Flask-OAuthlib, and a strategy of passport's for each provider.
//!
//! A script says where the browser begins, is told where it came back, and says whom its library saw. The person acts
//! through the simulator's own API. What a library shows of a refusal differs, and is asserted as it is.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::Stdio,
};

use fujie_simulator::{
    Github, GithubConfig, Qq, QqConfig, Running as Simulator, Wechat, WechatConfig, Weibo, WeiboConfig, github, qq,
    wechat, weibo,
};
use serde_json::{Value, json};

use super::{NODE, PYTHON, PYTHON_FLASK_OAUTHLIB, Running, command, say, say_versions, scripts, told};

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
            "wechat" => (Wechat::start(any, WechatConfig::default()).await, [wechat::DEFAULT_APPID, wechat::DEFAULT_SECRET]),
            "qq" => {
                let mut config = QqConfig::default();
                config.switches.cancel = qq::Cancel::Redirects;
                (Qq::start(any, config).await, [qq::DEFAULT_CLIENT_ID, qq::DEFAULT_SECRET])
            }
            "weibo" => (Weibo::start(any, WeiboConfig::default()).await, [weibo::DEFAULT_CLIENT_ID, weibo::DEFAULT_SECRET]),
            _ => (Github::start(any, GithubConfig::default()).await, [github::DEFAULT_CLIENT_ID, github::DEFAULT_SECRET]),
        };
        Self { name, simulator: simulator.unwrap(), client }
    }

    /// Opens what the library made, and acts as lihua; where the browser is sent then.
    async fn person(&self, address: &str, act: &str) -> String {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let page = http.get(address).send().await.unwrap();
        assert_eq!(page.status(), 200, "{address}");
        let sign_ins = format!("{}/_simulate/sign-ins", self.simulator.base_url());
        let read = async |request: reqwest::RequestBuilder| -> Value {
            serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
        };
        let id = read(http.get(&sign_ins)).await[0]["id"].as_str().unwrap_or_else(|| panic!("{address}")).to_owned();
        let acted = read(http.post(format!("{sign_ins}/{id}/{act}")).body(r#"{"person":"lihua"}"#)).await;
        acted["redirect_url"].as_str().unwrap_or_else(|| panic!("{acted}")).to_owned()
    }

    /// What the library says in the end.
    async fn met_by(&self, (runtime, script): (&str, &str), visit: Visit) -> Value {
        let folder = scripts(runtime);
        let mut running = command("timeout", folder.path())
            .args(["60", told(runtime).to_str().unwrap(), script])
            .envs([("PROVIDER", self.name), ("BASE", self.simulator.base_url()), ("REDIRECT_URI", REDIRECT_URI)])
            .envs(["CLIENT_ID", "CLIENT_SECRET"].into_iter().zip(self.client))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map(Running)
            .unwrap();
        let mut says = BufReader::new(running.0.stdout.take().unwrap());
        let mut address = String::new();
        says.read_line(&mut address).unwrap();
        let mut end = String::new();
        if !address.is_empty() {
            let back = match visit {
                Visit::Agrees => self.person(address.trim(), "confirm").await,
                Visit::Refuses => self.person(address.trim(), "refuse").await,
                Visit::ComesWithStaleCode => stale(&self.person(address.trim(), "confirm").await),
            };
            writeln!(running.0.stdin.take().unwrap(), "{back}").unwrap();
            says.read_to_string(&mut end).unwrap();
        }
        let mut complained = String::new();
        running.0.stderr.take().unwrap().read_to_string(&mut complained).unwrap();
        let end = serde_json::from_str(end.trim());
        let end = end.unwrap_or_else(|error| panic!("{script} at {}: {error} (run ./test):\n{complained}", self.name));
        say(&format!("{script} at {}: {end}", self.name));
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

const SOCIAL_CORE: (&str, &str) = (PYTHON, "simulator_with_social_core.py");
const FLASK_OAUTHLIB: (&str, &str) = (PYTHON_FLASK_OAUTHLIB, "simulator_with_flask_oauthlib.py");
const PASSPORT: (&str, &str) = (NODE, "simulator_with_passport.mjs");

#[tokio::test(flavor = "multi_thread")]
async fn probe() {
    say_versions(PYTHON, &["social-auth-core"]);
    say_versions(PYTHON_FLASK_OAUTHLIB, &["Flask-OAuthlib"]);
    say_versions(NODE, &["passport-weixin", "passport-qq2015-fix", "passport-weibo", "passport-github2"]);
    let mut all = vec![];
    for name in ["wechat", "qq", "weibo", "github"] {
        let provider = Provider::start(name).await;
        for client in [SOCIAL_CORE, FLASK_OAUTHLIB, PASSPORT] {
            if name == "wechat" && client == FLASK_OAUTHLIB { continue; }
            for visit in [Visit::Agrees, Visit::Refuses, Visit::ComesWithStaleCode] {
                if name == "wechat" && matches!(visit, Visit::Refuses) { continue; }
                say(&format!("--- {name} {visit:?}"));
                all.push(provider.met_by(client, visit).await);
            }
        }
    }
    assert_eq!(json!(all), json!([]));
}
