//! What nobody outside may see: the provider's identifiers and tokens, and secrets of ours, in cookies, addresses,
//! pages, the log and the database.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    browser::Browser,
    house::{House, PASSWORD, WECHAT},
};

/// What the provider told us about the person and their tokens.
fn told(house: &House) -> Vec<String> {
    let names = ["openid", "unionid", "access_token", "refresh_token"];
    let answers = house.upstream.exchanges();
    let answers: Vec<Value> = answers.iter().filter_map(|(_, body)| serde_json::from_str(body).ok()).collect();
    let values = answers.iter().flat_map(|answer| names.iter().filter_map(|name| answer[name].as_str()));
    let mut secrets: Vec<_> = values.map(str::to_owned).collect();
    assert!(secrets.len() >= 5, "{secrets:?}");
    secrets.push(WECHAT.secret.to_owned());
    secrets
}

/// The text, and what its base64 words hold.
fn opened(text: &str) -> Vec<u8> {
    let mut all = text.as_bytes().to_vec();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    for word in text.split(|c| !is_word(c)).filter(|word| word.len() >= 16) {
        let word = word.strip_prefix("fj_").map_or(word, |rest| rest.split_once('_').map_or(rest, |(_, body)| body));
        for cut in 0..4 {
            let end = word.len().saturating_sub(cut);
            all.extend(URL_SAFE_NO_PAD.decode(word.get(..end).unwrap_or_default()).unwrap_or_default());
        }
    }
    all
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_identifier_or_token_of_the_provider_leaves_the_server() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let page = house.by_wechat(&mut browser, "wechat", "xiaoming").await;
    let page = browser.submit(&page, "/bind", &[("action", "create")]).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let tokens = house.redeem(&house.app, &page.answered("code").unwrap()).await;
    let path = house.identity_paths(&mut browser).await.remove(0);
    assert_eq!(browser.get(&format!("{}{path}", house.issuer)).await.status, 200);
    let userinfo = house.userinfo(tokens.json()["access_token"].as_str().unwrap()).await;
    let log = crate::log::text();
    for secret in told(&house) {
        for seen in browser.seen.iter().filter(|seen| !seen.starts_with(house.wechat.base_url())) {
            assert!(!holds(&opened(seen), &secret), "{secret} was seen: {seen}");
        }
        for body in [&tokens.body, &userinfo.body] {
            assert!(!holds(&opened(body), &secret), "{secret} was told to the client: {body}");
        }
        assert!(!holds(log.as_bytes(), &secret), "{secret} was logged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged_or_stands_in_an_address_of_ours() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let code = house.code(&mut browser, &house.app, &[]).await;
    let tokens = house.redeem(&house.app, &code).await.json();
    // Refusals are logged most, so there are some.
    house.redeem(&house.app, &code).await;
    house.refresh(&house.app, tokens["refresh_token"].as_str().unwrap()).await;
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    browser.submit(&page, "/sign-in", &[("username", "alice"), ("password", "a wrong password of alice")]).await;
    let mut secrets = vec![PASSWORD.to_owned(), "a wrong password of alice".to_owned(), code];
    secrets.extend(["access_token", "refresh_token", "id_token"].map(|name| tokens[name].as_str().unwrap().to_owned()));
    secrets.extend(["session", "browser"].map(|name| browser.cookie(name).unwrap().to_owned()));
    secrets.push(house.app.secret.clone().unwrap());
    let log = crate::log::text();
    assert!(log.contains("fujie"), "something is logged");
    for secret in &secrets {
        assert!(!holds(log.as_bytes(), secret), "{secret} was logged");
    }
    for seen in &browser.seen {
        let address = seen.split_whitespace().next().unwrap();
        assert!(secrets.iter().all(|secret| !address.contains(secret.as_str())), "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_holds_nothing_that_could_be_used() {
    let mut house = House::new().await;
    let app = house.add(crate::house::public("app")).await;
    let mut browser = Browser::new();
    let page = house.made_by_wechat(&mut browser, "wechat", "xiaoming").await;
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let mut stranger = Browser::new();
    house.by_wechat(&mut stranger, "wechat", "lihua").await;
    let tokens = house.tokens(&app, &[]).await;
    let mut secrets = vec![PASSWORD.to_owned(), page.answered("code").unwrap(), house.app.secret.clone().unwrap()];
    secrets.extend(["access_token", "refresh_token", "id_token"].map(|name| tokens[name].as_str().unwrap().to_owned()));
    secrets.push(browser.cookie("session").unwrap().to_owned());
    secrets.push(stranger.cookie("bind").unwrap().to_owned());
    for answer in house.upstream.exchanges().iter().filter_map(|(_, body)| serde_json::from_str::<Value>(body).ok()) {
        secrets.extend(
            ["access_token", "refresh_token"].iter().filter_map(|name| answer[name].as_str()).map(str::to_owned),
        );
    }
    secrets.push(WECHAT.secret.to_owned());
    let mut bytes = Vec::new();
    for wal in ["fujie.db", "fujie.db-wal"] {
        bytes.extend(std::fs::read(house.folder().join(wal)).unwrap_or_default());
    }
    house.halt().await;
    bytes.extend(std::fs::read(house.folder().join("fujie.db")).unwrap());
    assert!(holds(&bytes, "alice") && secrets.len() >= 12);
    for secret in secrets {
        assert!(!holds(&bytes, &secret), "{secret} is stored");
        let body = opened(&secret);
        let body = &body[secret.len()..];
        let is_stored = body.len() >= 24 && bytes.windows(24).any(|window| window == &body[..24]);
        assert!(!is_stored, "the bytes of {secret} are stored");
    }
}
