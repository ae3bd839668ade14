//! Guessing is slowed, and nobody learns which names exist.

use crate::{
    browser::{Browser, Page},
    house::{House, PASSWORD},
};

/// A try on the sign-in page that `browser` has open.
async fn attempt(house: &House, browser: &mut Browser, name: &str, password: &str) -> Page {
    let page = browser.get(&format!("{}/sign-in", house.issuer)).await;
    browser.submit(&page, "/sign-in", &[("username", name), ("password", password)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_ten_wrong_passwords_a_minute_must_pass() {
    let house = House::new().await;
    let mut browser = Browser::new();
    house.clock.stop();
    for _ in 0..10 {
        let page = attempt(&house, &mut browser, "alice", "wrong").await;
        assert_eq!(page.status, 422);
        assert!(page.body.contains("do not match"), "{}", page.body);
    }
    for password in ["wrong", PASSWORD] {
        let page = attempt(&house, &mut browser, "Alice", password).await;
        assert_eq!(page.status, 429, "whatever the password, so that guessing on is useless");
        assert!(page.body.contains("too many attempts"), "{}", page.body);
        assert!(browser.cookie("session").is_none());
    }
    house.later(60).await;
    let page = attempt(&house, &mut browser, "alice", PASSWORD).await;
    assert!(page.location().ends_with("/account"), "{}", page.location());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_many_may_share_locks_nobody_out() {
    let house = House::new().await;
    let (mut thief, mut alice) = (Browser::new(), Browser::new());
    house.next_minute().await;
    for number in 0..15 {
        assert_eq!(attempt(&house, &mut thief, &format!("name{number}"), "wrong").await.status, 422);
    }
    // Behind a proxy on this machine both come from the same address.
    let page = attempt(&house, &mut alice, "alice", PASSWORD).await;
    assert_eq!(page.status, 303, "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_side_by_side_are_counted_one_by_one() {
    let house = std::sync::Arc::new(House::new().await);
    house.clock.stop();
    let guesses: Vec<_> = (0..30)
        .map(|_| {
            let house = std::sync::Arc::clone(&house);
            tokio::spawn(async move { attempt(&house, &mut Browser::new(), "alice", "wrong").await.status })
        })
        .collect();
    let mut judged = 0;
    for guess in guesses {
        judged += usize::from(guess.await.unwrap() == 422);
    }
    assert_eq!(judged, 10, "so many guesses were judged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_password_counts_against_nobody() {
    let house = House::new().await;
    for _ in 0..12 {
        house.alices_browser().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_name_looks_like_a_wrong_password() {
    let house = House::new().await;
    let mut browser = Browser::new();
    house.made_by_wechat(&mut Browser::new(), "wechat", "xiaoming").await;
    let plain = |page: &Page, name: &str| {
        let csrf = page.hidden("/sign-in").into_iter().find(|(own, _)| own == "csrf").unwrap().1;
        page.body.replace(&csrf, "").replace(name, "")
    };
    let known = attempt(&house, &mut browser, "alice", "wrong wrong").await;
    for name in ["nobody", "小明🌟", "null", "' OR '1'='1"] {
        let page = attempt(&house, &mut browser, name, "wrong wrong").await;
        assert_eq!((page.status, page.headers.len()), (known.status, known.headers.len()), "{name}");
        if name == "nobody" {
            assert_eq!(plain(&page, name), plain(&known, "alice"));
        }
        assert!(house.session(&browser).await.is_none());
    }
    // An account without a password has none that fits.
    for password in ["", "null", "undefined", "None"] {
        let page = attempt(&house, &mut browser, "小明🌟", password).await;
        assert_eq!(page.status, 422, "{password}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_password_is_not_looked_at() {
    let house = House::new().await;
    let mut browser = Browser::new();
    let long = format!("{PASSWORD}{}", "x".repeat(60_000 - PASSWORD.len()));
    assert_eq!(attempt(&house, &mut browser, "alice", &long).await.status, 422);
    assert_eq!(attempt(&house, &mut browser, &"n".repeat(60_000), "x").await.status, 422);
}
