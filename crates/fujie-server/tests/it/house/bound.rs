//! Identities that people add to their accounts, and their pages.

use super::House;
use crate::browser::{Browser, Page};

impl House {
    /// Signs in by the button of this connection on the page that `page` leads to, up to the next page of ours.
    pub async fn sign_in_by(&self, browser: &mut Browser, page: Page, connection: &str, person: &str) -> Page {
        let page = browser.follow_within(page, &self.issuer).await;
        let page = browser.submit(&page, &format!("/broker/{connection}/start"), &[]).await;
        let qr = browser.follow(&page).await;
        let callback = self.confirmed(&qr, person).await;
        let page = browser.get(&callback).await;
        browser.follow_within(page, &self.issuer).await
    }

    /// The account page of whom this person's WeChat belongs to; it is joined to the account of this name, with a
    /// sign-in by password, if it belongs to nobody.
    pub async fn bound(&self, browser: &mut Browser, connection: &str, person: &str, name: &str) -> Page {
        let page = browser.get(&format!("{}/sign-in", self.issuer)).await;
        let page = self.sign_in_by(browser, page, connection, person).await;
        if !page.body.contains("action=\"/bind\"") {
            return page;
        }
        let page = browser.submit(&page, "/bind", &[("action", "attach")]).await;
        let page = self.sign_in(browser, page, name).await;
        let page = browser.submit(&page, "/bind", &[("action", "confirm")]).await;
        browser.follow_within(page, &self.issuer).await
    }

    /// The paths of the pages of the identities that the account page of this browser shows.
    pub async fn identity_paths(&self, browser: &mut Browser) -> Vec<String> {
        let page = browser.get(&format!("{}/account", self.issuer)).await;
        let links = page.body.split("href=\"/account/identities/").skip(1);
        links.map(|rest| format!("/account/identities/{}", rest.split('"').next().unwrap())).collect()
    }

    /// The page at `path` after a sign-in by password that is made for it.
    pub async fn asked(&self, browser: &mut Browser, path: &str, name: &str) -> Page {
        let page = browser.get(&format!("{}{path}", self.issuer)).await;
        self.sign_in(browser, page, name).await
    }
}
