//! The words QQ's tests are told in: a browser is sent to sign in, an app redeems, asks who it is and for the profile.

use crate::http::{self, Answer};
use fujie_simulator::Running;
use fujie_simulator::qq::{App, Callback, DEFAULT_CLIENT_ID, DEFAULT_SECRET, Qq, QqConfig};

/// A second app of the same developer, with a registered callback.
pub const OTHER_CLIENT_ID: &str = "101000002";
pub const OTHER_SECRET: &str = "0ther0ther0ther0ther0ther0ther00";
/// Where the browser is sent back to.
pub const BACK: &str = "http://127.0.0.1:8080/back";

pub struct House {
    pub qq: Running,
}

/// A simulator with two apps, where xiaoming agrees at once.
pub async fn house() -> House {
    house_with(|_| ()).await
}

pub async fn house_with(change: impl FnOnce(&mut QqConfig)) -> House {
    let mut config = QqConfig::default();
    config.apps.push(App {
        client_id: OTHER_CLIENT_ID.to_owned(),
        secret: OTHER_SECRET.to_owned(),
        name: "另一个网站".to_owned(),
        callback: Callback::parse("https://app.example.com/back;http://m.example.com/in").unwrap(),
        ..App::demo()
    });
    change(&mut config);
    let house = House { qq: Qq::start("127.0.0.1:0", config).await.unwrap() };
    house.switches(r#"{"auto_confirm":"xiaoming"}"#).await;
    house
}

/// What is between two pieces of a text, or to its end.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).map_or(rest, |(found, _)| found)
}

/// A field of form text.
pub fn field(form: &str, name: &str) -> String {
    between(&format!("&{form}"), &format!("&{name}="), "&").to_owned()
}

/// The JSON in a JSONP answer.
pub fn jsonp(answer: &Answer) -> serde_json::Value {
    let json = answer.text().strip_prefix("callback( ").unwrap().strip_suffix(" );\n").unwrap();
    serde_json::from_str(json).unwrap()
}

/// `error` of an answer in JSONP.
pub fn error(answer: &Answer) -> i64 {
    assert_eq!(answer.status, 200);
    jsonp(answer).get("error").map_or(0, |error| error.as_i64().unwrap())
}

impl House {
    pub fn base(&self) -> &str {
        self.qq.base_url()
    }

    pub async fn get(&self, path: &str) -> Answer {
        http::get(self.base(), path).await
    }

    pub async fn control(&self, path: &str, body: &str) -> Answer {
        http::send(self.base(), "POST", &format!("/_simulate/{path}"), &[], body).await
    }

    pub async fn switches(&self, body: &str) {
        let answer = self.control("switches", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    pub async fn advance(&self, seconds: u64) {
        assert_eq!(self.control("clock", &format!("{{\"advance_seconds\":{seconds}}}")).await.status, 200);
    }

    /// The answer of the authorize endpoint to a good request with `more` behind it.
    pub async fn authorize(&self, more: &str) -> Answer {
        self.get(&format!(
            "/oauth2.0/authorize?response_type=code&client_id={DEFAULT_CLIENT_ID}\
             &redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2Fback&state=s{more}"
        ))
        .await
    }

    /// A code of a sign-in that asked for `more`.
    pub async fn code_for(&self, more: &str) -> String {
        let answer = self.authorize(more).await;
        assert_eq!(answer.status, 302);
        between(answer.header("location").unwrap(), "code=", "&").to_owned()
    }

    pub async fn code(&self) -> String {
        self.code_for("").await
    }

    /// The token endpoint's answer to `query`, with the app's credentials in front.
    pub async fn token(&self, query: &str) -> Answer {
        self.get(&format!("/oauth2.0/token?client_id={DEFAULT_CLIENT_ID}&client_secret={DEFAULT_SECRET}&{query}")).await
    }

    pub async fn redeem(&self, code: &str, more: &str) -> Answer {
        self.token(&format!("grant_type=authorization_code&code={code}&redirect_uri={BACK}{more}")).await
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.token(&format!("grant_type=refresh_token&refresh_token={refresh_token}")).await
    }

    /// Access token and refresh token of a fresh sign-in.
    pub async fn tokens(&self) -> (String, String) {
        let answer = self.redeem(&self.code().await, "").await;
        (field(answer.text(), "access_token"), field(answer.text(), "refresh_token"))
    }

    pub async fn me(&self, access_token: &str, more: &str) -> Answer {
        self.get(&format!("/oauth2.0/me?access_token={access_token}{more}")).await
    }

    pub async fn openid(&self, access_token: &str) -> String {
        jsonp(&self.me(access_token, "").await).get("openid").unwrap().as_str().unwrap().to_owned()
    }

    pub async fn user_info(&self, access_token: &str, openid: &str, more: &str) -> Answer {
        let app = format!("oauth_consumer_key={DEFAULT_CLIENT_ID}");
        self.get(&format!("/user/get_user_info?access_token={access_token}&{app}&openid={openid}{more}")).await
    }
}
