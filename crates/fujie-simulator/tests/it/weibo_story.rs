//! The words Weibo's tests are told in: a browser is sent to sign in, an app redeems and calls the API.

use crate::http::{self, Answer};
use fujie_simulator::Running;
use fujie_simulator::weibo::{App, Callback, DEFAULT_CLIENT_ID, DEFAULT_SECRET, Weibo, WeiboConfig};

/// A second app, with the mobile SDK and a registered callback.
pub const OTHER_CLIENT_ID: &str = "1000000002";
pub const OTHER_SECRET: &str = "0ther0ther0ther0ther0ther0ther00";
pub const OTHER_BACK: &str = "https://app.example.com/back";
/// Where the browser is sent back to.
pub const BACK: &str = "http://127.0.0.1:8080/back";
pub const TOKEN: &str = "/oauth2/access_token";

pub struct House {
    pub weibo: Running,
}

/// A simulator with two apps, where xiaoming agrees at once.
pub async fn house() -> House {
    house_with(|_| ()).await
}

pub async fn house_with(change: impl FnOnce(&mut WeiboConfig)) -> House {
    let mut config = WeiboConfig { auto_confirm: Some("xiaoming".to_owned()), ..WeiboConfig::default() };
    config.apps.push(App {
        client_id: OTHER_CLIENT_ID.to_owned(),
        secret: OTHER_SECRET.to_owned(),
        name: "另一个应用".to_owned(),
        callback: Callback::from(OTHER_BACK.to_owned()),
        is_mobile_sdk: true,
        ..App::demo()
    });
    change(&mut config);
    House { weibo: Weibo::start("127.0.0.1:0", config).await.unwrap() }
}

/// What is between two pieces of a text, or to its end.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).map_or(rest, |(found, _)| found)
}

/// Status and `error_code`.
pub fn code(answer: &Answer) -> (u16, u64) {
    (answer.status, answer.json().get("error_code").unwrap().as_u64().unwrap())
}

impl House {
    pub fn base(&self) -> &str {
        self.weibo.base_url()
    }

    pub async fn get(&self, path: &str) -> Answer {
        http::get(self.base(), path).await
    }

    pub async fn post(&self, path: &str, form: &str) -> Answer {
        http::post_form(self.base(), path, form).await
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

    /// A code for the first app, of a sign-in that asked for `more`.
    pub async fn code_for(&self, more: &str) -> String {
        let app = format!("client_id={DEFAULT_CLIENT_ID}&redirect_uri={BACK}");
        let answer = self.get(&format!("/oauth2/authorize?{app}{more}")).await;
        assert_eq!(answer.status, 302);
        between(answer.header("location").unwrap(), "code=", "&").to_owned()
    }

    pub async fn code(&self) -> String {
        self.code_for("").await
    }

    /// The form that redeems a code of the first app.
    pub fn form(code: &str) -> String {
        format!(
            "client_id={DEFAULT_CLIENT_ID}&client_secret={DEFAULT_SECRET}&grant_type=authorization_code&code={code}\
             &redirect_uri={BACK}"
        )
    }

    pub async fn redeem(&self, code: &str) -> Answer {
        self.post(TOKEN, &Self::form(code)).await
    }

    /// An access token of a sign-in that asked for `more`.
    pub async fn token_for(&self, more: &str) -> String {
        let answer = self.redeem(&self.code_for(more).await).await;
        answer.json().get("access_token").unwrap().as_str().unwrap().to_owned()
    }

    pub async fn token(&self) -> String {
        self.token_for("").await
    }

    /// The token answer for the app with the mobile SDK.
    pub async fn mobile_tokens(&self) -> Answer {
        let path = format!("/oauth2/authorize?client_id={OTHER_CLIENT_ID}&redirect_uri={OTHER_BACK}&scope=email");
        let answer = self.get(&path).await;
        let code = between(answer.header("location").unwrap(), "code=", "&").to_owned();
        let app = format!("client_id={OTHER_CLIENT_ID}&client_secret={OTHER_SECRET}&redirect_uri={OTHER_BACK}");
        self.post(TOKEN, &format!("{app}&grant_type=authorization_code&code={code}")).await
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        let app = format!("client_id={OTHER_CLIENT_ID}&client_secret={OTHER_SECRET}&redirect_uri={OTHER_BACK}");
        self.post(TOKEN, &format!("{app}&grant_type=refresh_token&refresh_token={refresh_token}")).await
    }

    /// A call of the API with the token in the query.
    pub async fn api(&self, path: &str, token: &str) -> Answer {
        self.get(&format!("/2/{path}access_token={token}")).await
    }

    pub async fn uid(&self, token: &str) -> u64 {
        self.api("account/get_uid.json?", token).await.json().get("uid").unwrap().as_u64().unwrap()
    }
}
