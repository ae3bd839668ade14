//! Signing in with the simulated WeChat: the QR page in the browser, and the phone that scans it.

use super::{House, read};
use crate::browser::{Browser, Page};

impl House {
    /// The QR page of a sign-in with this connection that `browser` begins for the application.
    pub async fn qr(&self, browser: &mut Browser, connection: &str) -> Page {
        let page = browser.get(&self.authorize(&self.app, &[])).await;
        let page = browser.follow_within(page, &self.issuer).await;
        let page = browser.submit(&page, &format!("/broker/{connection}/start"), &[]).await;
        browser.follow(&page).await
    }

    /// Where WeChat sends the browser after this person confirmed.
    pub async fn confirmed(&self, qr: &Page, person: &str) -> String {
        self.phone(qr, "confirm", person).await["redirect_url"].as_str().unwrap().to_owned()
    }

    /// Signs in with this connection as this person, up to the page where a choice is to be made or the client.
    pub async fn by_wechat(&self, browser: &mut Browser, connection: &str, person: &str) -> Page {
        let qr = self.qr(browser, connection).await;
        let callback = self.confirmed(&qr, person).await;
        let page = browser.get(&callback).await;
        browser.follow_within(page, &self.issuer).await
    }

    /// An account made by one click, with this person's WeChat; the browser stands on the consent page then.
    pub async fn made_by_wechat(&self, browser: &mut Browser, connection: &str, person: &str) -> Page {
        let page = self.by_wechat(browser, connection, person).await;
        let page = browser.submit(&page, "/bind", &[("action", "create")]).await;
        browser.follow_within(page, &self.issuer).await
    }

    /// Tells the simulated WeChat something: `switches`, `people`, `faults`.
    pub async fn tell_wechat(&self, what: &str, body: serde_json::Value) {
        let url = format!("{}/_simulate/{what}", self.wechat.base_url());
        let request = self.http.post(url).header("content-type", "application/json").body(body.to_string());
        let page = read(request).await;
        assert!((200..300).contains(&page.status), "{}", page.body);
    }

    /// Confirms, or does another act of the phone, for the sign-in whose QR page is at `page`.
    pub async fn phone(&self, qr: &Page, act: &str, person: &str) -> serde_json::Value {
        let uuid = qr.body.split("/connect/qrcode/").nth(1).unwrap().split(['"', '?']).next().unwrap();
        let url = format!("{}/_simulate/sign-ins/{uuid}/{act}", self.wechat.base_url());
        let request = self.http.post(url).header("content-type", "application/json");
        read(request.body(format!("{{\"person\":\"{person}\"}}"))).await.json()
    }
}
