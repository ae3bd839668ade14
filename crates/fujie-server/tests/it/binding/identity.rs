//! What makes two sign-ins the same person: the provider's identifiers under the right application, and nothing else.

use fujie_core::id::Id;
use fujie_store::EventKind;
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    house::{App, House, WECHAT, WECHAT_2},
};

/// The account that this person's sign-in leads to, made by one click if there is none yet.
async fn account(house: &House, connection: &str, person: &str) -> Id {
    let mut browser = Browser::new();
    let page = house.by_wechat(&mut browser, connection, person).await;
    if page.body.contains("action=\"/bind\"") {
        browser.submit(&page, "/bind", &[("action", "create")]).await;
    }
    house.session(&browser).await.unwrap_or_else(|| panic!("not signed in: {}", page.body)).account.id
}

/// Changes fields of every JSON answer of the provider.
fn answering(house: &House, change: impl Fn(&mut Value) + Send + 'static) {
    house.upstream.tamper(move |_, body| {
        let mut answer: Value = serde_json::from_slice(body).ok()?;
        change(&mut answer);
        Some(answer.to_string().into_bytes())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_links_nobody_to_anybody() {
    let house = House::new().await;
    house.tell_wechat("people", json!({ "name": "mallory", "nickname": "alice" })).await;
    house.tell_wechat("people", json!({ "name": "twin", "nickname": "小明🌟" })).await;
    let mallory = account(&house, "wechat", "mallory").await;
    assert_ne!(mallory, house.alice, "a nickname that equals a user name");
    let (one, two) = (account(&house, "wechat", "xiaoming").await, account(&house, "wechat", "twin").await);
    assert_ne!(one, two, "two people of one nickname");
    // A changed nickname changes nobody.
    house.tell_wechat("people", json!({ "name": "xiaoming", "nickname": "alice" })).await;
    assert_eq!(account(&house, "wechat", "xiaoming").await, one);
    assert!(house.server.store().identities_of(house.alice).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unionid_that_appears_later_keeps_the_account() {
    let house = House::new().await;
    house.tell_wechat("switches", json!({ "unionid": false })).await;
    let first = account(&house, "wechat", "xiaoming").await;
    assert!(house.server.store().identities_of(first).await.unwrap()[0].identity.union.is_none());
    house.tell_wechat("switches", json!({ "unionid": true })).await;
    assert_eq!(account(&house, "wechat", "xiaoming").await, first);
    assert!(house.server.store().identities_of(first).await.unwrap()[0].identity.union.is_some());
    // Gone again, it is not forgotten.
    house.tell_wechat("switches", json!({ "unionid": false })).await;
    assert_eq!(account(&house, "wechat", "xiaoming").await, first);
    assert!(house.server.store().identities_of(first).await.unwrap()[0].identity.union.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_applications_of_one_group_share_a_person_by_unionid() {
    let house = House::connected(&[WECHAT, WECHAT_2]).await;
    let first = account(&house, "wechat", "xiaoming").await;
    assert_eq!(account(&house, "wechat2", "xiaoming").await, first);
    assert_ne!(account(&house, "wechat2", "lihua").await, first);
    let identities = house.server.store().identities_of(first).await.unwrap();
    assert_eq!(identities.len(), 2);
    assert_ne!(identities[0].identity.subject, identities[1].identity.subject, "an openid is per application");
    assert_eq!(identities[0].identity.union, identities[1].identity.union);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_operators_word_a_unionid_joins_nothing() {
    for groups in [(Some("main"), Some("other")), (Some("main"), None), (None, None)] {
        let apps = [App { group: groups.0, ..WECHAT }, App { group: groups.1, ..WECHAT_2 }];
        let house = House::connected(&apps).await;
        let first = account(&house, "wechat", "xiaoming").await;
        assert_ne!(account(&house, "wechat2", "xiaoming").await, first, "{groups:?}");
        assert_eq!(account(&house, "wechat", "xiaoming").await, first, "{groups:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_openid_under_two_applications_is_two_people() {
    let house = House::connected(&[WECHAT, WECHAT_2]).await;
    house.upstream.tamper(|url, body| {
        let mut answer: Value = serde_json::from_slice(body).ok()?;
        if url.contains("/sns/userinfo") {
            answer = json!({ "nickname": "同号" });
        }
        answer.as_object_mut().unwrap().remove("unionid");
        answer["openid"] = json!("oSameForBothApplications0000");
        Some(answer.to_string().into_bytes())
    });
    let (one, two) = (account(&house, "wechat", "xiaoming").await, account(&house, "wechat2", "lihua").await);
    assert_ne!(one, two);
    assert_eq!(account(&house, "wechat", "zoe").await, one, "the openid is the person, whoever they say they are");
}

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_that_lead_to_two_accounts_sign_in_to_neither() {
    let house = House::connected(&[WECHAT, WECHAT_2]).await;
    house.tell_wechat("switches", json!({ "unionid": false })).await;
    let by_openid = account(&house, "wechat", "xiaoming").await;
    house.tell_wechat("switches", json!({ "unionid": true })).await;
    let by_unionid = account(&house, "wechat2", "xiaoming").await;
    assert_ne!(by_openid, by_unionid);
    let mut browser = Browser::new();
    let page = house.by_wechat(&mut browser, "wechat", "xiaoming").await;
    assert_eq!(page.status, 409, "{}", page.body);
    assert!(house.session(&browser).await.is_none() && browser.cookie("bind").is_none());
    let store = house.server.store();
    assert_eq!(store.identities_of(by_openid).await.unwrap().len(), 1, "nothing moved");
    assert_eq!(store.identities_of(by_unionid).await.unwrap().len(), 1);
    assert_eq!(account(&house, "wechat2", "xiaoming").await, by_unionid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_senseless_identifier_is_nobody() {
    let house = House::new().await;
    let before = house.count(EventKind::AccountMade).await;
    let senseless = [
        Value::Null,
        json!(""),
        json!("null"),
        json!("undefined"),
        json!(0),
        json!("0"),
        json!(12345),
        json!(true),
        json!([]),
        json!({}),
        json!("o".repeat(300)),
        json!(" "),
        json!("o\u{0}x"),
    ];
    for value in senseless {
        for at in ["openid", "unionid"] {
            // An empty or absent unionid is none, which is allowed.
            if at == "unionid" && (value == Value::Null || value == json!("")) {
                continue;
            }
            let told = value.clone();
            answering(&house, move |answer| {
                if answer["openid"].is_string() {
                    answer[at] = told.clone();
                }
            });
            let mut browser = Browser::new();
            let page = house.by_wechat(&mut browser, "wechat", "xiaoming").await;
            assert!(page.body.contains("did not answer as it should"), "{at} {value}: {}", page.body);
            assert!(house.session(&browser).await.is_none() && browser.cookie("bind").is_none(), "{at} {value}");
        }
    }
    answering(&house, |answer| drop(answer.as_object_mut().unwrap().remove("openid")));
    let mut browser = Browser::new();
    let page = house.by_wechat(&mut browser, "wechat", "xiaoming").await;
    assert!(page.body.contains("did not answer as it should"), "{}", page.body);
    assert_eq!(house.count(EventKind::AccountMade).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_of_somebody_else_than_the_token_is_refused() {
    let house = House::new().await;
    house.upstream.tamper(|url, body| {
        let mut answer: Value = serde_json::from_slice(body).ok()?;
        answer["openid"] = json!("oSomebodyElse000000000000000");
        url.contains("/sns/userinfo").then(|| answer.to_string().into_bytes())
    });
    let mut browser = Browser::new();
    let page = house.by_wechat(&mut browser, "wechat", "xiaoming").await;
    assert!(page.body.contains("did not answer as it should"), "{}", page.body);
    assert!(house.session(&browser).await.is_none() && browser.cookie("bind").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_is_not_revived_by_its_provider() {
    let house = House::new().await;
    let id = account(&house, "wechat", "xiaoming").await;
    house.server.store().disable_account(id, house.clock.now()).await.unwrap();
    for _ in 0..2 {
        let mut browser = Browser::new();
        let page = house.by_wechat(&mut browser, "wechat", "xiaoming").await;
        assert!(page.status == 403 && page.body.contains("cannot be used"), "{} {}", page.status, page.body);
        assert!(house.session(&browser).await.is_none() && browser.cookie("bind").is_none());
    }
    assert!(house.server.store().account(id).await.unwrap().unwrap().disabled_at.is_some());
}
