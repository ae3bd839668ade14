//! A hook's whole life by the API: a repository is chosen, the hook made, found, changed, tried, removed; what it
//! delivered is read, and delivered again.

use fujie_client::{Ask, Hook, HookFault, Method, ProviderError, Repository, Secret, Tokens};
use fujie_simulator::github::{self, GithubConfig};
use serde_json::json;

use super::browser;
use super::github::{asking, house, house_with};
use super::house::{BACK, House, NOW};

/// Nobody listens there: deliveries fail, and are kept.
const URL: &str = "http://127.0.0.1:1/hooks/1";
const HOOK: Hook<'static> = Hook { url: URL, events: &["push"], secret: None };

async fn tokens(house: &House, scope: &[&str]) -> Tokens {
    house.sign_in_at(&asking(house, scope), "xiaoming").await.unwrap().tokens
}

fn fault<T: std::fmt::Debug>(house: &House, outcome: Result<T, ProviderError>) -> HookFault {
    let error = outcome.unwrap_err();
    house.is_silent(&error);
    HookFault::of(&error)
}

#[tokio::test]
async fn a_sign_in_may_ask_for_other_scopes_than_the_record() {
    let house = house().await;
    let scope = ["write:repo_hook"];
    let begun = house.client.begin_unsealed(BACK, &Ask { scope: Some(&scope), ..Ask::default() }, NOW).await.unwrap();
    assert!(begun.url.contains("scope=write%3Arepo_hook"), "{}", begun.url);
    let callback = house.decide(&begun.url, "confirm", "xiaoming").await.unwrap();
    let callback = house.client.registration().read_callback(&begun.attempt, &callback, NOW).unwrap();
    assert_eq!(house.client.redeem(callback).await.unwrap().tokens.scope, scope);
}

#[tokio::test]
async fn repositories_come_in_parts_and_say_who_may_make_hooks() {
    let many = |config: &mut GithubConfig| {
        let own = (0..45).map(|number| github::Repository::public("xiaoming", &format!("r{number}")));
        config.repositories.extend(own);
        let shared = github::Repository {
            collaborators: vec!["xiaoming".to_owned()],
            ..github::Repository::public("zoe", "shared")
        };
        config.repositories.push(shared);
        let private = github::Repository { private: true, ..github::Repository::public("xiaoming", "hidden") };
        config.repositories.push(private);
    };
    let house = house_with(many).await;
    let tokens = tokens(&house, &["write:repo_hook"]).await;
    let api = house.client.github(&tokens);
    let (first, second) = (api.repositories(1).await.unwrap(), api.repositories(2).await.unwrap());
    assert_eq!((first.items.len(), first.next.as_deref(), second.next), (30, Some("2"), None));
    let all = [first.items, second.items].concat();
    assert_eq!(all.len(), 46, "the private one is not seen with this scope");
    let is_administered = |name: &str| all.iter().find(|one| one.full_name == name).unwrap().is_administered;
    assert!(is_administered("xiaoming/r7") && !is_administered("zoe/shared"));
    // Its hooks can be made all the same, by whoever knows its name.
    assert!(api.create_hook("xiaoming/hidden", &HOOK).await.is_ok());
}

#[tokio::test]
async fn a_hook_is_found_by_its_address_and_changed() {
    let house = house().await;
    let tokens = tokens(&house, &["write:repo_hook"]).await;
    let api = house.client.github(&tokens);
    assert_eq!(api.find_hook("xiaoming/demo", URL).await.unwrap(), None);
    let id = api.create_hook("xiaoming/demo", &HOOK).await.unwrap();
    assert_eq!(fault(&house, api.create_hook("xiaoming/demo", &HOOK).await), HookFault::Exists);
    assert_eq!(api.find_hook("xiaoming/demo", URL).await.unwrap(), Some(id));
    assert_eq!(api.find_hook("xiaoming/demo", "http://127.0.0.1:1/hooks/2").await.unwrap(), None);
    house.sent();
    let secret = Secret::new("a-secret-of-the-second-kind");
    let changed = Hook { events: &["push", "issues"], secret: Some(&secret), ..HOOK };
    api.change_hook("xiaoming/demo", id, &changed).await.unwrap();
    api.change_hook_secret("xiaoming/demo", id, &secret).await.unwrap();
    let sent = house.sent();
    assert!(
        sent.iter().all(|sent| sent.method == Method::Patch && sent.body.as_deref().unwrap().contains("second-kind"))
    );
    assert!(sent[1].url.ends_with("/config"));
    api.disable_hook("xiaoming/demo", id).await.unwrap();
    assert!(api.has_hook("xiaoming/demo", id).await.unwrap());
}

#[tokio::test]
async fn to_remove_a_hook_needs_more_than_to_make_it() {
    let house = house().await;
    let writer = tokens(&house, &["write:repo_hook"]).await;
    let api = house.client.github(&writer);
    let id = api.create_hook("xiaoming/demo", &HOOK).await.unwrap();
    assert_eq!(fault(&house, api.remove_hook("xiaoming/demo", id).await), HookFault::Hidden);
    assert!(api.has_hook("xiaoming/demo", id).await.unwrap(), "it is the scope that is missing");
    let admin = tokens(&house, &["admin:repo_hook"]).await;
    let api = house.client.github(&admin);
    api.remove_hook("xiaoming/demo", id).await.unwrap();
    assert!(!api.has_hook("xiaoming/demo", id).await.unwrap());
    assert_eq!(fault(&house, api.ping_hook("xiaoming/demo", id).await), HookFault::Hidden);
}

#[tokio::test]
async fn deliveries_are_read_in_parts_and_delivered_again() {
    let house = house().await;
    let tokens = tokens(&house, &["write:repo_hook"]).await;
    let api = house.client.github(&tokens);
    let id = api.create_hook("xiaoming/demo", &HOOK).await.unwrap();
    // The ping goes in the background, and is to be the oldest.
    while api.hook_deliveries("xiaoming/demo", id, None).await.unwrap().items.is_empty() {
        tokio::task::yield_now().await;
    }
    let event = json!({ "repository": "xiaoming/demo", "event": "push" });
    for _ in 0..101 {
        house.control("events", &event).await;
    }
    let first = api.hook_deliveries("xiaoming/demo", id, None).await.unwrap();
    assert_eq!(first.items.len(), 100);
    let rest = api.hook_deliveries("xiaoming/demo", id, first.next.as_deref()).await.unwrap();
    assert!(rest.next.is_none() && rest.items.iter().any(|one| one.event == "ping"));
    let newest = &first.items[0];
    assert_eq!((newest.event.as_str(), newest.is_success, newest.is_redelivery), ("push", false, false));
    assert_eq!(newest.status, "failed to connect to host");
    assert!(newest.delivered_at.is_some());
    api.deliver_again("xiaoming/demo", id, newest.id).await.unwrap();
    // It happens in the background.
    loop {
        let again = api.hook_deliveries("xiaoming/demo", id, None).await.unwrap().items.remove(0);
        if again.is_redelivery {
            assert_eq!((&again.guid, again.id > newest.id), (&newest.guid, true));
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_a_person_can_mend_is_told_apart() {
    let house = house().await;
    let token = tokens(&house, &["write:repo_hook"]).await;
    let api = house.client.github(&token);
    assert_eq!(fault(&house, api.create_hook("no repository", &HOOK).await), HookFault::Hidden);
    assert_eq!(fault(&house, api.create_hook("zoe/demo", &HOOK).await), HookFault::Hidden);
    house.switch(json!({ "refuse_localhost_hooks": true })).await;
    assert_eq!(fault(&house, api.create_hook("xiaoming/demo", &HOOK).await), HookFault::AddressRefused);
    house.switch(json!({ "refuse_localhost_hooks": false, "rate_limit_exceeded": true })).await;
    assert_eq!(fault(&house, api.create_hook("xiaoming/demo", &HOOK).await), HookFault::RateLimited);
    house.switch(json!({ "rate_limit_exceeded": false })).await;
    for number in 0..20 {
        let url = format!("http://127.0.0.1:1/{number}");
        api.create_hook("xiaoming/demo", &Hook { url: &url, ..HOOK }).await.unwrap();
    }
    assert_eq!(fault(&house, api.create_hook("xiaoming/demo", &HOOK).await), HookFault::TooMany);
    let url = format!("{}/_simulate/grants/{}/xiaoming", house.base(), house.client.registration().client_id());
    browser::send("DELETE", &url, "", "").await;
    let over = api.repositories(1).await;
    assert_eq!(fault(&house, over), HookFault::TokenOver);
}

#[tokio::test]
async fn a_list_that_is_none_is_an_error_and_not_an_empty_list() {
    let house = house().await;
    let tokens = tokens(&house, &["write:repo_hook"]).await;
    let fault = json!({ "at": "/user/repos", "kind": "garbage", "times": "always" });
    house.control("faults", &fault).await;
    assert_eq!(house.name_of(house.client.github(&tokens).repositories(1).await), "unreadable");
    for (name, is_name) in [("a/b", true), ("a/b.c-d_e", true), ("a", false), ("a/..", false), ("a/b/c", false)] {
        assert_eq!(Repository::is_name(name), is_name, "{name}");
    }
}
