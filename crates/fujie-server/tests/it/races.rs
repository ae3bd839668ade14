//! Many at once: one of them wins, none of them loses what it was promised, and nobody becomes somebody else.

use std::{future::Future, sync::Arc};

use fujie_core::client::Client;
use fujie_store::EventKind;
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    browser::Browser,
    house::{House, PASSWORD, Registered, claims, client, public},
};

const MANY: usize = 64;

/// Starts all of these together and gives their outcomes, in no order.
async fn at_once<F>(all: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let all: Vec<_> = all.into_iter().collect();
    let start = Arc::new(Barrier::new(all.len()));
    let mut set = JoinSet::new();
    for one in all {
        let start = Arc::clone(&start);
        set.spawn(async move {
            start.wait().await;
            one.await
        });
    }
    set.join_all().await
}

/// `count` refreshes with one token: what each answered.
async fn refreshes(house: &Arc<House>, client: &Registered, token: &str, count: usize) -> Vec<crate::browser::Page> {
    let one = |_| {
        let (house, client, token) = (Arc::clone(house), client.clone(), token.to_owned());
        async move { house.refresh(&client, &token).await }
    };
    at_once((0..count).map(one)).await
}

fn refresh_token(tokens: &serde_json::Value) -> String {
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_redeemed_once_however_many_try_and_then_its_tokens_die() {
    let house = Arc::new(House::new().await);
    for client in [house.app.clone(), house.add(public("app")).await] {
        let code = house.code(&mut Browser::new(), &client, &[]).await;
        let one = |_| {
            let (house, client, code) = (Arc::clone(&house), client.clone(), code.clone());
            async move { house.redeem(&client, &code).await }
        };
        let pages = at_once((0..MANY).map(one)).await;
        let (won, lost): (Vec<_>, Vec<_>) = pages.into_iter().partition(|page| page.status == 200);
        assert_eq!((won.len(), lost.len()), (1, MANY - 1));
        assert!(lost.iter().all(|page| page.status == 400 && page.error() == "invalid_grant"));
        house.assert_dead(&client, &won[0].json()).await;
        assert_eq!(house.grants().await[0].ended.unwrap().1.as_str(), "code_replayed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_tabs_that_refresh_at_once_rotate_once_and_lose_nothing() {
    let house = Arc::new(House::new().await);
    let app = house.add(public("app")).await;
    let first = refresh_token(&house.tokens(&app, &[]).await);
    let pages = refreshes(&house, &app, &first, MANY).await;
    assert!(
        pages.iter().all(|page| page.status == 200),
        "{:?}",
        pages.iter().map(|page| page.status).collect::<Vec<_>>()
    );
    let second = refresh_token(&pages[0].json());
    assert_ne!(first, second);
    assert!(pages.iter().all(|page| refresh_token(&page.json()) == second), "one successor for all");
    let grant = &house.grants().await[0];
    assert_eq!((grant.generation, grant.ended), (1, None));
    for page in &pages {
        let access = page.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(house.userinfo(&access).await.status, 200);
    }
    assert_eq!(house.count(EventKind::RefreshRepeated).await, 1, "noted once, not sixty-three times");
    assert_eq!(house.refresh(&app, &second).await.status, 200, "and the family lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_given_again_within_the_window_and_a_late_repetition_ends_the_grant() {
    let house = House::new().await;
    let app = house.add(public("app")).await;
    let first = refresh_token(&house.tokens(&app, &[]).await);
    house.clock.stop();
    let second = refresh_token(&house.refresh(&app, &first).await.json());
    house.later(30).await;
    let again = house.refresh(&app, &first).await;
    assert_eq!((again.status, refresh_token(&again.json())), (200, second.clone()));
    assert_eq!(again.json()["expires_in"], 3600 - 30, "no longer than the first answer's");
    house.later(1).await;
    let page = house.refresh(&app, &first).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_grant"));
    let page = house.refresh(&app, &second).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_grant"), "stolen or not, the family ends");
    assert_eq!(house.grants().await[0].ended.unwrap().1.as_str(), "refresh_reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_generation_ends_the_grant_even_within_the_window() {
    let house = Arc::new(House::new().await);
    let app = house.add(public("app")).await;
    let tokens = house.tokens(&app, &[]).await;
    let first = refresh_token(&tokens);
    let second = refresh_token(&house.refresh(&app, &first).await.json());
    let third = refresh_token(&house.refresh(&app, &second).await.json());
    let pages = refreshes(&house, &app, &first, MANY).await;
    assert!(pages.iter().all(|page| page.status == 400 && page.error() == "invalid_grant"));
    assert_eq!(house.refresh(&app, &third).await.status, 400);
    house.assert_dead(&app, &tokens).await;
    assert_eq!(house.count(EventKind::GrantEnded).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_window_the_second_use_ends_the_grant() {
    let house = House::new().await;
    let strict = Client { refresh_window: fujie_core::time::Lifetime::from_seconds(0), ..public("strict") };
    let strict = house.add(strict).await;
    let first = refresh_token(&house.tokens(&strict, &[]).await);
    let second = refresh_token(&house.refresh(&strict, &first).await.json());
    house.clock.advance_millis(5);
    assert_eq!(house.refresh(&strict, &first).await.status, 400);
    assert_eq!(house.refresh(&strict, &second).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confidential_client_keeps_its_refresh_token_unless_it_is_told_to_rotate() {
    let house = Arc::new(House::new().await);
    let first = refresh_token(&house.tokens(&house.app, &[]).await);
    let pages = refreshes(&house, &house.app, &first, MANY).await;
    assert!(pages.iter().all(|page| page.status == 200 && refresh_token(&page.json()) == first));
    house.later(3600).await;
    assert_eq!(refresh_token(&house.refresh(&house.app, &first).await.json()), first);
    assert_eq!(house.grants().await[0].generation, 0);
    let rotating = house.add(Client { rotates: Some(true), ..client("rotating") }).await;
    let first = refresh_token(&house.tokens(&rotating, &[]).await);
    assert_ne!(refresh_token(&house.refresh(&rotating, &first).await.json()), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_races_with_a_revocation_never_outlives_it() {
    let house = Arc::new(House::new().await);
    let app = house.add(public("app")).await;
    let mut browser = Browser::new();
    for _ in 0..12 {
        let code = house.code(&mut browser, &app, &[]).await;
        let first = refresh_token(&house.redeem(&app, &code).await.json());
        let one = |turn: usize| {
            let (house, app, first) = (Arc::clone(&house), app.clone(), first.clone());
            async move {
                match turn {
                    0 => house.post("/revoke", &app, &[("token", &first)]).await,
                    _ => house.refresh(&app, &first).await,
                }
            }
        };
        let pages = at_once((0..8).map(one)).await;
        for page in pages.iter().filter(|page| page.status == 200 && page.body.contains("access_token")) {
            house.assert_dead(&app, &page.json()).await;
        }
        assert!(house.grants().await[0].ended.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_ticket_makes_one_account_however_often_the_button_is_pressed() {
    let house = Arc::new(House::new().await);
    let mut browser = Browser::new();
    let bind = Arc::new(house.by_wechat(&mut browser, "wechat", "lihua").await);
    let before = house.count(EventKind::AccountMade).await;
    let one = |_| {
        let (mut browser, bind, house) = (browser.clone(), Arc::clone(&bind), Arc::clone(&house));
        async move {
            let page = browser.submit(&bind, "/bind", &[("action", "create")]).await;
            (page.status, house.session(&browser).await.map(|session| session.account.id))
        }
    };
    let outcomes = at_once((0..MANY).map(one)).await;
    let mut accounts: Vec<_> = outcomes.iter().filter_map(|(_, account)| *account).collect();
    assert!(!accounts.is_empty() && outcomes.iter().all(|(status, _)| [303, 400].contains(status)), "{outcomes:?}");
    accounts.dedup();
    assert_eq!(accounts.len(), 1, "all who got in are in the same account");
    assert_eq!(house.count(EventKind::AccountMade).await, before + 1);
    assert_eq!(house.count(EventKind::IdentityBound).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_in_two_browsers_becomes_one_account() {
    let house = Arc::new(House::new().await);
    for person in ["xiaoming", "lihua", "zoe"] {
        let mut waiting = Vec::new();
        for _ in 0..8 {
            let mut browser = Browser::new();
            let bind = house.by_wechat(&mut browser, "wechat", person).await;
            waiting.push((browser, bind));
        }
        let before = house.count(EventKind::AccountMade).await;
        let one = |(mut browser, bind): (Browser, _)| {
            let house = Arc::clone(&house);
            async move {
                let page = browser.submit(&bind, "/bind", &[("action", "create")]).await;
                assert_eq!(page.status, 303, "{}", page.body);
                house.session(&browser).await.unwrap().account.id
            }
        };
        let mut accounts = at_once(waiting.into_iter().map(one)).await;
        accounts.dedup();
        assert_eq!(accounts.len(), 1, "{person}");
        assert_eq!(house.count(EventKind::AccountMade).await, before + 1);
    }
}

/// Signs in by password in a browser of one's own, and gives the claims of the ID token.
async fn whole_walk(house: &House, name: &str) -> serde_json::Value {
    let mut browser = Browser::new();
    let page = browser.get(&house.authorize(&house.app, &[("nonce", name), ("state", name)])).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/sign-in", &[("username", name), ("password", PASSWORD)]).await;
    let page = browser.follow_within(page, &house.issuer).await;
    let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    assert_eq!(page.answered("state").as_deref(), Some(name));
    let tokens = house.redeem(&house.app, &page.answered("code").unwrap()).await.json();
    let userinfo = house.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    let claims = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(userinfo["sub"], claims["sub"]);
    claims
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_people_who_sign_in_at_once_are_themselves() {
    let house = Arc::new(House::new().await);
    let mut people = Vec::new();
    for number in 0..MANY {
        let name = format!("person{number}");
        people.push((house.person(&name).await, name));
    }
    let one = |(id, name): (fujie_core::id::Id, String)| {
        let house = Arc::clone(&house);
        async move {
            let claims = whole_walk(&house, &name).await;
            assert_eq!((claims["nonce"].as_str(), claims["preferred_username"].as_str()), (Some(&*name), Some(&*name)));
            assert_eq!(claims["sub"], id.to_string());
        }
    };
    assert_eq!(at_once(people.into_iter().map(one)).await.len(), MANY);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_wechat_people_at_once_are_themselves_the_second_time_too() {
    let house = Arc::new(House::new().await);
    for number in 0..MANY {
        let person = serde_json::json!({ "name": format!("p{number}"), "nickname": format!("昵称{number}") });
        house.tell_wechat("people", person).await;
    }
    let mut rounds = Vec::new();
    for round in 0..2 {
        let one = |number: usize| {
            let house = Arc::clone(&house);
            async move {
                let mut browser = Browser::new();
                let mut page = house.by_wechat(&mut browser, "wechat", &format!("p{number}")).await;
                if round == 0 {
                    page = browser.submit(&page, "/bind", &[("action", "create")]).await;
                    page = browser.follow_within(page, &house.issuer).await;
                    page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
                }
                let tokens = house.redeem(&house.app, &page.answered("code").unwrap()).await.json();
                let claims = claims(tokens["id_token"].as_str().unwrap());
                assert_eq!(claims["nickname"], format!("昵称{number}"));
                (number, claims["sub"].as_str().unwrap().to_owned())
            }
        };
        let mut subjects = at_once((0..MANY).map(one)).await;
        subjects.sort();
        rounds.push(subjects);
    }
    assert_eq!(rounds[0], rounds[1]);
    let mut subjects: Vec<_> = rounds[0].iter().map(|(_, subject)| subject).collect();
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), MANY);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_browsers_that_consent_at_once_both_get_what_they_asked_for() {
    let house = Arc::new(House::new().await);
    let (mut one, mut two) = (house.alices_browser().await, house.alices_browser().await);
    let first = one.get(&house.authorize(&house.app, &[("scope", "openid profile")])).await;
    let second = two.get(&house.authorize(&house.app, &[("scope", "openid read_contacts")])).await;
    let allow = |(mut browser, page): (Browser, _)| {
        let house = Arc::clone(&house);
        async move {
            let page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
            let tokens = house.redeem(&house.app, &page.answered("code").unwrap()).await;
            assert_eq!(tokens.status, 200, "{}", tokens.body);
            tokens.json()["scope"].as_str().unwrap().to_owned()
        }
    };
    let mut scopes = at_once([(one, first), (two, second)].map(allow)).await;
    scopes.sort();
    assert_eq!(scopes, ["openid profile", "openid read_contacts"]);
    let remembered = house.server.store().consent(house.alice, "friends").await.unwrap().unwrap();
    for token in ["openid", "profile", "read_contacts"] {
        assert!(remembered.contains(token), "{remembered}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_that_races_with_a_code_leaves_nothing_alive() {
    let house = Arc::new(House::new().await);
    for round in 0..10 {
        let mut browser = Browser::new();
        house.code(&mut browser, &house.app, &[]).await;
        let page = Arc::new(browser.get(&format!("{}/sign-out", house.issuer)).await);
        let one = |turn: usize| {
            let (mut browser, house, page) = (browser.clone(), Arc::clone(&house), Arc::clone(&page));
            async move {
                if turn == 3 {
                    assert_eq!(browser.submit(&page, "/sign-out", &[]).await.status, 200);
                    return None;
                }
                let answer = browser.get(&house.authorize(&house.app, &[])).await;
                let code = answer.answered("code")?;
                // Some redeem at once, some only after the sign-out.
                let redeemed = if turn < 3 { Some(house.redeem(&house.app, &code).await) } else { None };
                Some((code, redeemed))
            }
        };
        for (code, redeemed) in at_once((0..8).map(one)).await.into_iter().flatten() {
            match redeemed {
                Some(page) if page.status == 200 => house.assert_dead(&house.app, &page.json()).await,
                _ => assert_eq!(house.redeem(&house.app, &code).await.error(), "invalid_grant", "round {round}"),
            }
        }
        assert!(house.grants().await.iter().all(|grant| grant.ended.is_some()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_at_most_twenty_codes_waiting() {
    let house = House::new().await;
    house.clock.stop();
    let mut browser = Browser::new();
    let mut codes = vec![house.code(&mut browser, &house.app, &[]).await];
    for _ in 1..20 {
        codes.push(house.code(&mut browser, &house.app, &[]).await);
    }
    let page = browser.get(&house.authorize(&house.app, &[])).await;
    assert_eq!(page.answered("error").as_deref(), Some("temporarily_unavailable"));
    assert_eq!(house.redeem(&house.app, &codes[0]).await.status, 200);
    assert!(browser.get(&house.authorize(&house.app, &[])).await.answered("code").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn what_was_read_earlier_never_replaces_what_was_read_later() {
    let house = Arc::new(House::new().await);
    for round in 0..40 {
        let id = format!("client{round}");
        house.add(client(&id)).await;
        let one = |turn: usize| {
            let (house, id) = (Arc::clone(&house), id.clone());
            async move {
                if turn == 5 {
                    house.server.store().disable_client(&id, house.clock.now()).await.unwrap();
                    house.server.renew(false).await.unwrap();
                    // From now on nobody may see the client again, whatever they began to read before.
                    for _ in 0..20 {
                        assert!(house.server.snapshot().registry.client(&id).is_none(), "round {round}");
                        tokio::task::yield_now().await;
                    }
                } else {
                    house.server.renew(true).await.unwrap();
                }
            }
        };
        at_once((0..12).map(one)).await;
        assert!(house.server.snapshot().registry.client(&id).is_none(), "round {round}");
    }
}
