//! The words the tests are told in: a browser opens the page, a phone scans, an app redeems.

use crate::http::{self, Answer};
use fujie_simulator::Running;
use fujie_simulator::wechat::{
    App, AppKind, CallbackDomain, DEFAULT_APPID, DEFAULT_MINI_PROGRAM_APPID, DEFAULT_SECRET, Wechat, WechatConfig,
};
use std::time::Duration;

/// A second app, of another open-platform account.
pub const OTHER_APPID: &str = "wxfedcba9876543210";
pub const OTHER_SECRET: &str = "0ther0ther0ther0ther0ther0ther00";

pub struct House {
    pub wechat: Running,
}

/// A simulator with two apps that holds polls for a moment only.
pub async fn house() -> House {
    house_with(|_| ()).await
}

pub async fn house_with(change: impl FnOnce(&mut WechatConfig)) -> House {
    let mut config = WechatConfig { poll_hold: Duration::from_millis(30), ..Default::default() };
    config.apps.push(App {
        appid: OTHER_APPID.to_owned(),
        secret: OTHER_SECRET.to_owned(),
        name: "另一个网站".to_owned(),
        callback_domain: CallbackDomain::Host("app.example.com".to_owned()),
        open_platform_account: "other".to_owned(),
        kind: AppKind::Website,
    });
    change(&mut config);
    House { wechat: Wechat::start("127.0.0.1:0", config).await.unwrap() }
}

/// The query of a good request at the QR page.
pub fn page_query(state: &str) -> String {
    format!(
        "appid={DEFAULT_APPID}&redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2Fback&response_type=code\
         &scope=snsapi_login&state={state}"
    )
}

impl House {
    pub fn base(&self) -> &str {
        self.wechat.base_url()
    }

    pub async fn get(&self, path: &str) -> Answer {
        http::get(self.base(), path).await
    }

    pub async fn post_form(&self, path: &str, form: &str) -> Answer {
        http::post_form(self.base(), path, form).await
    }

    pub async fn control(&self, path: &str, body: &str) -> Answer {
        http::send(self.base(), "POST", &format!("/_simulate/{path}"), &[], body).await
    }

    /// A browser opens the QR page; its uuid.
    pub async fn open_page(&self, state: &str) -> String {
        let page = self.get(&format!("/connect/qrconnect?{}", page_query(state))).await;
        assert_eq!(page.status, 200);
        uuid_in(page.text())
    }

    /// One poll: number and code.
    pub async fn poll(&self, uuid: &str, last: &str) -> (u16, String) {
        let path = format!("/connect/l/qrconnect?uuid={uuid}{last}&_=1700000000000");
        let answer = self.get(&path).await;
        let body = answer.text().strip_prefix("window.wx_errcode=").unwrap();
        let (number, code) = body.split_once(";window.wx_code='").unwrap();
        (number.parse().unwrap(), code.strip_suffix("';").unwrap().to_owned())
    }

    /// A phone opens what the QR code says; the value its form carries.
    pub async fn scan(&self, uuid: &str) -> String {
        let page = self.get(&format!("/connect/confirm?uuid={uuid}")).await;
        assert_eq!(page.status, 200);
        between(page.text(), "name=\"phone\" value=\"", "\"").to_owned()
    }

    pub async fn decide(&self, uuid: &str, phone: &str, decision: &str, person: &str) -> Answer {
        let form = format!("uuid={uuid}&phone={phone}&decision={decision}&person={person}");
        self.post_form("/connect/confirm", &form).await
    }

    /// From the page to the code.
    pub async fn sign_in(&self, person: &str) -> String {
        let uuid = self.open_page("s").await;
        let phone = self.scan(&uuid).await;
        assert_eq!(self.decide(&uuid, &phone, "agree", person).await.status, 200);
        let (number, code) = self.poll(&uuid, "&last=404").await;
        assert_eq!(number, 405);
        code
    }

    pub async fn redeem(&self, code: &str) -> Answer {
        self.get(&format!(
            "/sns/oauth2/access_token?appid={DEFAULT_APPID}&secret={DEFAULT_SECRET}&code={code}\
             &grant_type=authorization_code"
        ))
        .await
    }

    /// Access token, refresh token, openid of a fresh sign-in.
    pub async fn tokens(&self, person: &str) -> (String, String, String) {
        let code = self.sign_in(person).await;
        tokens_in(&self.redeem(&code).await)
    }

    /// `wx.login` of the default mini-program.
    pub async fn js_code(&self, person: &str) -> String {
        let body = format!("{{\"appid\":\"{DEFAULT_MINI_PROGRAM_APPID}\",\"person\":\"{person}\"}}");
        let answer = self.control("js-codes", &body).await;
        assert_eq!(answer.status, 201);
        answer.json().get("js_code").unwrap().as_str().unwrap().to_owned()
    }

    pub async fn jscode2session(&self, js_code: &str) -> Answer {
        self.get(&format!(
            "/sns/jscode2session?appid={DEFAULT_MINI_PROGRAM_APPID}&secret={DEFAULT_SECRET}&js_code={js_code}\
             &grant_type=authorization_code"
        ))
        .await
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.get(&format!(
            "/sns/oauth2/refresh_token?appid={DEFAULT_APPID}&grant_type=refresh_token\
             &refresh_token={refresh_token}"
        ))
        .await
    }

    pub async fn auth(&self, access_token: &str, openid: &str) -> Answer {
        self.get(&format!("/sns/auth?access_token={access_token}&openid={openid}")).await
    }

    pub async fn userinfo(&self, access_token: &str, openid: &str) -> Answer {
        self.get(&format!("/sns/userinfo?access_token={access_token}&openid={openid}")).await
    }

    pub async fn advance(&self, seconds: u64) {
        let body = format!("{{\"advance_seconds\":{seconds}}}");
        assert_eq!(self.control("clock", &body).await.status, 200);
    }

    pub async fn switch(&self, name: &str, on: bool) {
        let answer = self.control("switches", &format!("{{\"{name}\":{on}}}")).await;
        assert_eq!(answer.json().get(name), Some(&on.into()));
    }
}

pub fn uuid_in(page: &str) -> String {
    between(page, "<img class=\"qrcode lightBorder\" src=\"/connect/qrcode/", "\"").to_owned()
}

pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

pub fn tokens_in(answer: &Answer) -> (String, String, String) {
    let json = answer.json();
    let field = |name: &str| json.get(name).unwrap().as_str().unwrap().to_owned();
    (field("access_token"), field("refresh_token"), field("openid"))
}
