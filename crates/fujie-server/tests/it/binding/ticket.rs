//! The bind page and its ticket: who may join what with what, and for how long.

use fujie_store::EventKind;

use crate::{
    browser::{Browser, Page},
    house::{House, PASSWORD, claims},
};

/// Presses "I already have an account" and signs in as `name`, up to the page that asks once more.
async fn attach(house: &House, browser: &mut Browser, bind: &Page, name: &str) -> Page {
    let page = browser.submit(bind, "/bind", &[("action", "attach")]).await;
    let page = browser.follow(&page).await;
    assert!(page.body.contains("Sign in to connect"), "{}", page.body);
    let page = browser.submit(&page, "/sign-in", &[("username", name), ("password", PASSWORD)]).await;
    browser.follow_within(page, &house.issuer).await
}

async fn bound_to(house: &House, account: fujie_core::id::Id) -> usize {
    house.server.store().identities_of(account).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn wechat_is_attached_to_alice_by_her_own_sign_in_and_then_signs_in_as_her() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let bind = house.by_wechat(&mut browser, "wechat", "xiaoming").await;
    let confirm = attach(&house, &mut browser, &bind, "alice").await;
    for word in ["WeChat", "小明🌟", "alice", "value=\"confirm\""] {
        assert!(confirm.body.contains(word), "no {word}: {}", confirm.body);
    }
    assert_eq!(bound_to(&house, house.alice).await, 0, "nothing before the last question");
    let page = browser.submit(&confirm, "/bind", &[("action", "confirm")]).await;
    let page = browser.follow_within(page, &house.issuer).await;
    assert!(page.body.contains("action=\"/consent\"") && page.body.contains("alice"), "{}", page.body);
    assert_eq!(bound_to(&house, house.alice).await, 1);
    let mut later = Browser::new();
    let page = house.by_wechat(&mut later, "wechat", "xiaoming").await;
    assert!(page.body.contains("action=\"/consent\""), "{}", page.body);
    assert_eq!(house.session(&later).await.unwrap().account.id, house.alice);
    let page = later.get(&format!("{}/account", house.issuer)).await;
    assert!(page.body.contains("WeChat") && page.body.contains("小明🌟"), "{}", page.body);
    // Pressed again, the spent form changes nothing.
    let page = browser.submit(&confirm, "/bind", &[("action", "confirm")]).await;
    assert!([400, 403].contains(&page.status), "{}", page.status);
    assert_eq!(house.count(EventKind::IdentityBound).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_attached_without_a_fresh_sign_in_and_the_last_question() {
    let house = House::new().await;
    // Alice is signed in already; somebody else's phone signs in with WeChat in her browser.
    let mut browser = house.alices_browser().await;
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    let page = browser.submit(&page, "/broker/wechat/start", &[]).await;
    let qr = browser.follow(&page).await;
    let callback = house.confirmed(&qr, "lihua").await;
    let page = browser.get(&callback).await;
    let bind = browser.follow_within(page, &house.issuer).await;
    assert!(bind.body.contains("value=\"create\"") && !bind.body.contains("value=\"confirm\""), "{}", bind.body);
    let page = browser.submit(&bind, "/bind", &[("action", "confirm")]).await;
    assert!(page.status == 400 && page.leads_nowhere(), "{} {}", page.status, page.body);
    // A plain sign-in is none for this ticket; it ends the ticket instead.
    let mut plain = browser.clone();
    let page = plain.get(&format!("{}/sign-in", house.issuer)).await;
    house.sign_in(&mut plain, page, "alice").await;
    assert!(plain.cookie("bind").is_none());
    let page = plain.submit(&bind, "/bind", &[("action", "confirm")]).await;
    assert_eq!(page.status, 403);
    assert_eq!(bound_to(&house, house.alice).await, 0);
    assert_eq!(house.count(EventKind::IdentityBound).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_to_attach_is_good_for_five_minutes() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let bind = house.by_wechat(&mut browser, "wechat", "xiaoming").await;
    house.clock.stop();
    let confirm = attach(&house, &mut browser, &bind, "alice").await;
    house.later(5 * 60 - 1).await;
    assert!(browser.get(&confirm.url).await.body.contains("value=\"confirm\""));
    house.later(1).await;
    let bind = browser.get(&confirm.url).await;
    assert!(bind.body.contains("value=\"create\"") && !bind.body.contains("value=\"confirm\""), "{}", bind.body);
    // Who was still reading the question signs in once more and is asked it again.
    let page = browser.submit(&confirm, "/bind", &[("action", "confirm")]).await;
    let page = browser.follow(&page).await;
    assert!(page.body.contains("Sign in to connect"), "{}", page.body);
    assert_eq!(bound_to(&house, house.alice).await, 0);
    let confirm = attach(&house, &mut browser, &bind, "alice").await;
    browser.submit(&confirm, "/bind", &[("action", "confirm")]).await;
    assert_eq!(bound_to(&house, house.alice).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_while_attaching_keeps_the_ticket() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let bind = house.by_wechat(&mut browser, "wechat", "xiaoming").await;
    let page = browser.submit(&bind, "/bind", &[("action", "attach")]).await;
    let page = browser.follow(&page).await;
    let page = browser.submit(&page, "/sign-in", &[("username", "alice"), ("password", "wrong wrong wrong")]).await;
    assert_eq!(page.status, 422);
    let page = browser.submit(&page, "/sign-in", &[("username", "alice"), ("password", PASSWORD)]).await;
    let page = browser.follow(&page).await;
    assert!(page.body.contains("value=\"confirm\""), "{}", page.body);
    // "Cancel" there: alice stays as she was.
    let page = browser.submit(&page, "/bind", &[("action", "cancel")]).await;
    assert!(page.location().contains("/sign-in?"), "{}", page.location());
    assert!(browser.cookie("bind").is_none());
    assert_eq!(bound_to(&house, house.alice).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_was_bound_meanwhile_is_not_taken_over() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let bind = house.by_wechat(&mut browser, "wechat", "xiaoming").await;
    let confirm = attach(&house, &mut browser, &bind, "alice").await;
    let mut other = Browser::new();
    house.made_by_wechat(&mut other, "wechat", "xiaoming").await;
    let owner = house.session(&other).await.unwrap().account.id;
    let page = browser.submit(&confirm, "/bind", &[("action", "confirm")]).await;
    assert_eq!(page.status, 409);
    assert!(page.body.contains("Already connected with another account") && !page.body.contains("<form"));
    assert_eq!(house.session(&browser).await.unwrap().account.id, house.alice, "the session never changes account");
    assert_eq!((bound_to(&house, house.alice).await, bound_to(&house, owner).await), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_good_in_its_own_browser_alone() {
    let house = House::new().await;
    let (mut one, mut two) = (Browser::new(), Browser::new());
    let first = house.by_wechat(&mut one, "wechat", "xiaoming").await;
    let second = house.by_wechat(&mut two, "wechat", "lihua").await;
    let field = |page: &Page, name: &str| page.hidden("/bind").into_iter().find(|(own, _)| own == name).unwrap().1;
    let url = format!("{}/bind", house.issuer);
    // The second browser's own form, about the first one's ticket.
    for action in ["create", "attach", "confirm", "cancel"] {
        let fields = [
            ("csrf", field(&second, "csrf")),
            ("ticket_digest", field(&first, "ticket_digest")),
            ("action", action.to_owned()),
        ];
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = two.post(&url, &fields).await;
        assert!(page.status == 400 && page.leads_nowhere(), "{action}: {}", page.status);
    }
    // A sign-in in the second browser that claims to attach the first one's ticket.
    let page = two.submit(&second, "/bind", &[("action", "attach")]).await;
    let page = two.follow(&page).await;
    let mut fields = page.hidden("/sign-in");
    fields
        .iter_mut()
        .filter(|(name, _)| name == "ticket_digest")
        .for_each(|(_, value)| *value = field(&first, "ticket_digest"));
    fields.extend([("username".to_owned(), "alice".to_owned()), ("password".to_owned(), PASSWORD.to_owned())]);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let page = two.post(&format!("{}/sign-in", house.issuer), &fields).await;
    assert!(!page.location().contains("/bind"), "{}", page.location());
    assert!(two.cookie("bind").is_none());
    assert_eq!(house.count(EventKind::IdentityBound).await, 0);
    // The first browser goes on as if nothing had been.
    let page = one.submit(&first, "/bind", &[("action", "create")]).await;
    assert!(page.location().contains("/authorize?"), "{}", page.location());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_dies_by_another_sign_in_by_sign_out_by_cancel_by_use_and_by_time() {
    let house = House::new().await;
    for end in ["sign-in", "sign-out", "cancel", "create", "time"] {
        let mut browser = Browser::new();
        let bind = house.by_wechat(&mut browser, "wechat", "zoe").await;
        let ticket = browser.cookie("bind").unwrap().to_owned();
        let mut ending = browser.clone();
        match end {
            "sign-in" => {
                let page = ending.get(&format!("{}/sign-in", house.issuer)).await;
                house.sign_in(&mut ending, page, "alice").await;
            }
            "sign-out" => {
                // Nobody is signed in here: the identity waits, and that is what ends.
                let mut alice = house.alices_browser().await;
                let page = alice.get(&format!("{}/sign-out", house.issuer)).await;
                alice.put_cookie("bind", &ticket);
                alice.submit(&page, "/sign-out", &[]).await;
            }
            "time" => house.later(31 * 60).await,
            action => drop(ending.submit(&bind, "/bind", &[("action", action)]).await),
        }
        // The browser as it was, ticket and all.
        browser.put_cookie("bind", &ticket);
        for action in ["create", "attach"] {
            let page = browser.submit(&bind, "/bind", &[("action", action)]).await;
            assert!(page.status == 400 && page.leads_nowhere(), "{end} {action}: {}", page.status);
        }
        let page = browser.get(&format!("{}/bind", house.issuer)).await;
        assert!(page.location().ends_with("/account"), "{end}: {}", page.location());
        assert!(browser.cookie("bind").is_none(), "{end}");
        if end == "create" {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_expires_after_half_an_hour() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let bind = house.by_wechat(&mut browser, "wechat", "zoe").await;
    house.later(29 * 60).await;
    assert_eq!(browser.get(&bind.url).await.status, 200);
    house.later(2 * 60).await;
    let page = browser.submit(&bind, "/bind", &[("action", "create")]).await;
    assert!(page.status == 400 && page.body.contains("took too long"), "{}", page.body);
    assert_eq!(house.count(EventKind::IdentityBound).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_as_old_as_the_providers_word_for_it() {
    let house = House::new().await;
    let mut browser = Browser::new();
    house.clock.stop();
    let bind = house.by_wechat(&mut browser, "wechat", "zoe").await;
    let vouched = house.clock.now().seconds();
    house.later(20 * 60).await;
    let page = browser.submit(&bind, "/bind", &[("action", "create")]).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let tokens = house.redeem(&house.app, &page.answered("code").unwrap()).await.json();
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["auth_time"], vouched);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nickname_is_text_and_never_markup() {
    let house = House::new().await;
    let payloads = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'};alert(1)//",
        "{{ 7*7 }}{% raw %}",
        "</title><svg/onload=alert(1)>",
        "\u{202e}gnp.exe",
        "&lt;b&gt;",
    ];
    for (number, nickname) in payloads.iter().enumerate() {
        let name = format!("m{number}");
        house.tell_wechat("people", serde_json::json!({ "name": name, "nickname": nickname })).await;
        let mut browser = Browser::new();
        let bind = house.by_wechat(&mut browser, "wechat", &name).await;
        let confirm = attach(&house, &mut browser.clone(), &bind, "alice").await;
        let page = browser.submit(&bind, "/bind", &[("action", "create")]).await;
        let mut pages = vec![bind, confirm];
        pages.push(browser.follow_within(page, &house.issuer).await);
        pages.push(browser.get(&format!("{}/account", house.issuer)).await);
        for page in pages {
            assert_eq!(page.status, 200);
            for element in ["<script>alert", "<img src=x", "<svg", "49{%"] {
                assert!(!page.body.contains(element), "{nickname}: {}", page.body);
            }
            // What turns text around stands alone in an isolate, never in a sentence of ours.
            let pieces: Vec<_> = page.body.split('\u{202e}').collect();
            let is_isolated = |piece: &&str| piece.ends_with("<bdi>") || piece.ends_with("<bdi class=\"long\">");
            assert!(pieces[..pieces.len() - 1].iter().all(is_isolated), "{}", page.body);
        }
    }
}
