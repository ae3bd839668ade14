//! What every provider with a page must stand: foreign browsers, two tabs, repeated and forged callbacks.

use serde_json::json;

use super::house::{BACK, House, after, cookie};

/// The tests of a provider: `stories!(house, "code_used", Some(7200))`. The second is what the provider says of
/// a code that comes again, the third how many seconds an access token lives, if it ends.
macro_rules! stories {
    ($house:path, $used:literal, $lifetime:expr) => {
        #[tokio::test]
        async fn another_browsers_cookie_signs_nobody_in() {
            $crate::provider::story::another_browser(&$house().await).await;
        }

        #[tokio::test]
        async fn two_tabs_of_one_browser_do_not_spoil_each_other() {
            $crate::provider::story::two_tabs(&$house().await).await;
        }

        #[tokio::test]
        async fn a_callback_called_twice_is_told_and_signs_in_once() {
            $crate::provider::story::called_twice(&$house().await, $used).await;
        }

        #[tokio::test]
        async fn a_forged_or_changed_cookie_is_refused() {
            $crate::provider::story::forged_cookie(&$house().await).await;
        }

        #[tokio::test]
        async fn a_forged_callback_is_refused_before_anything_is_sent() {
            $crate::provider::story::forged_callback(&$house().await).await;
        }

        #[tokio::test]
        async fn the_life_of_a_token_is_counted_by_our_clock() {
            $crate::provider::story::wrong_clock(&$house().await, $lifetime).await;
        }

        #[tokio::test]
        async fn an_attempt_ends_after_ten_minutes() {
            $crate::provider::story::expired(&$house().await).await;
        }
    };
}
pub(crate) use stories;

pub async fn another_browser(house: &House) {
    let (ours, theirs) = (house.begin(), house.begin());
    let callback = house.agree(&ours, "xiaoming").await;
    for (foreign, expected) in
        [(cookie(&theirs), "state_mismatch"), (String::new(), "cookie_unusable"), ("a=b".to_owned(), "cookie_unusable")]
    {
        assert_eq!(house.name_of(house.client.finish(&callback, &foreign).await), expected, "{foreign}");
    }
    assert!(house.sent().is_empty(), "the code was not spent");
    assert!(house.client.finish(&callback, &cookie(&ours)).await.is_ok());
}

pub async fn two_tabs(house: &House) {
    let (first, second) = (house.begin(), house.begin());
    assert_ne!(first.cookie.name, second.cookie.name);
    let first_callback = house.agree(&first, "xiaoming").await;
    let second_callback = house.agree(&second, "lihua").await;
    let both = format!("{}; {}", cookie(&first), cookie(&second));
    let second = house.client.finish(&second_callback, &both).await.unwrap();
    let first = house.client.finish(&first_callback, &both).await.unwrap();
    assert_ne!(first.identity.subject, second.identity.subject);
}

pub async fn called_twice(house: &House, used: &str) {
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    assert!(house.client.finish(&callback, &cookie(&begun)).await.is_ok());
    let again = house.client.finish(&callback, &cookie(&begun)).await.unwrap_err();
    house.is_silent(&again);
    assert_eq!((again.name(), again.retry()), (used, true));
}

pub async fn forged_cookie(house: &House) {
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    let (name, value) = (&begun.cookie.name, &begun.cookie.value);
    let mut forgeries = vec![String::new(), "e30".into(), value[1..].into(), value[..value.len() - 1].into()];
    for at in [0, 15, 16, value.len() / 2, value.len() - 2] {
        let other = if value.as_bytes()[at] == b'A' { "B" } else { "A" };
        forgeries.push(format!("{}{other}{}", &value[..at], &value[at + 1..]));
    }
    for forgery in forgeries {
        let outcome = house.client.finish(&callback, &format!("{name}={forgery}")).await;
        assert_eq!(house.name_of(outcome), "cookie_unusable", "{forgery}");
    }
    // Sealed by this site, but for another application or another provider.
    let other_app = house.client_of(house.client.provider(), "1234567890", house.secret);
    let other_provider = house.client_with(&json!({"id": "other"}));
    for other in [other_app, other_provider] {
        assert_eq!(house.name_of(other.finish(&callback, &cookie(&begun)).await), "other_client");
    }
    assert!(house.sent().is_empty(), "the code was not spent");
    assert!(house.client.finish(&callback, &cookie(&begun)).await.is_ok());
}

pub async fn forged_callback(house: &House) {
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    let other = house.agree(&house.begin(), "lihua").await;
    let state = callback.split_once("state=").unwrap().1.split('&').next().unwrap().to_owned();
    let cases = [
        (BACK.to_owned(), "state_missing"),
        (other, "state_mismatch"),
        (callback.replace(&state, ""), "state_missing"),
        (callback.replace(&state, &state.to_uppercase()), "state_mismatch"),
        (format!("{callback}&code=forged"), "duplicate_parameter"),
        (format!("{callback}&state={state}"), "duplicate_parameter"),
        (format!("{BACK}?state={state}&access_token=forged"), "callback_unreadable"),
        (format!("{BACK}?state={state}#access_token=forged"), "callback_unreadable"),
    ];
    for (forged, expected) in cases {
        assert_eq!(house.name_of(house.client.finish(&forged, &cookie(&begun)).await), expected, "{forged}");
    }
    assert!(house.sent().is_empty(), "the code was not spent");
}

pub async fn expired(house: &House) {
    let (early, late) = (house.begin(), house.begin());
    let early_callback = house.agree(&early, "xiaoming").await;
    let late_callback = house.agree(&late, "xiaoming").await;
    house.advance_client(599);
    assert!(house.client.finish(&early_callback, &cookie(&early)).await.is_ok());
    house.sent();
    house.advance_client(1);
    assert_eq!(house.name_of(house.client.finish(&late_callback, &cookie(&late)).await), "expired");
    assert!(house.sent().is_empty(), "the code was not spent");
}

/// The provider's clock is wrong by a day, a year, or less than a minute: nothing is refused for it, and no time of the
/// provider's is believed.
pub async fn wrong_clock(house: &House, lifetime: Option<i64>) {
    for (number, skew) in [-86_400, -59, 59, 86_400, 31_536_000].into_iter().enumerate() {
        house.control("clock", &json!({ "skew_seconds": skew })).await;
        house.advance_client(100);
        let gone = 100 * (number as i64 + 1);
        let tokens = house.tokens("xiaoming").await;
        assert_eq!(tokens.expires_at, lifetime.and_then(|lifetime| after(gone + lifetime)), "{skew} s");
        assert!(house.client.user(&tokens).await.is_ok(), "{skew} s");
    }
}
