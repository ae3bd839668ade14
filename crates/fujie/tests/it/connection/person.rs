//! Who is the same person: per application where the provider tells each another subject, per provider where it does
//! not, and never across two places.

use fujie_simulator::{
    Modest, ModestConfig, Running,
    modest::{App, Kind},
};

use super::{browser::Browser, house::House};

/// A provider that knows two applications, the second as `second`.
async fn provider(kind: Kind) -> Running {
    let second = App { client_id: second(kind), ..App::demo(kind) };
    let config = ModestConfig { apps: vec![App::demo(kind), second], ..ModestConfig::of(kind) };
    Modest::start(("127.0.0.1", 0), config).await.unwrap()
}

fn second(kind: Kind) -> String {
    let own = kind.default_client_id();
    format!("{}0", &own[..own.len() - 1])
}

fn section(id: &str, client_id: &str, at: &Running, more: &str) -> String {
    let secret = fujie_simulator::modest::DEFAULT_SECRET;
    let at = at.base_url();
    format!("[connection.{id}]\nclient_id = \"{client_id}\"\nclient_secret = \"{secret}\"\nat = \"{at}\"\n{more}\n")
}

/// The subject that this person has with us, by this connection.
async fn sub(house: &House, connection: &str, person: &str) -> String {
    let mut browser = Browser::new();
    let address = house.decided(&mut browser, connection, "confirm", person).await.unwrap();
    let page = house.arrive(&mut browser, &address).await;
    house.sub(&mut browser, page).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_at_a_provider_is_the_person_whichever_application_asks() {
    let gitee = provider(Kind::Gitee).await;
    let own = section("gitee", Kind::Gitee.default_client_id(), &gitee, "");
    let house = House::serving(&(own + &section("gitee-b", &second(Kind::Gitee), &gitee, "")));
    let first = sub(&house, "gitee", "xiaoming").await;
    assert_eq!(sub(&house, "gitee-b", "xiaoming").await, first);
    assert_ne!(sub(&house, "gitee-b", "lihua").await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_number_at_two_places_is_two_people() {
    let (one, two) = (provider(Kind::Gitee).await, provider(Kind::Gitee).await);
    let own = section("gitee", Kind::Gitee.default_client_id(), &one, "");
    let house = House::serving(&(own + &section("gitee-b", Kind::Gitee.default_client_id(), &two, "")));
    let first = sub(&house, "gitee", "xiaoming").await;
    assert_ne!(sub(&house, "gitee-b", "xiaoming").await, first);
    assert_eq!(sub(&house, "gitee", "xiaoming").await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_openid_is_per_application_unless_the_operator_names_a_group() {
    for (group, are_one) in [("", false), ("group = \"corp\"", true)] {
        for kind in [Kind::Feishu, Kind::Douyin, Kind::Dingtalk] {
            let running = provider(kind).await;
            let name = format!("{kind:?}").to_lowercase();
            let own = section(&name, kind.default_client_id(), &running, group);
            let other = section(&format!("{name}-b"), &second(kind), &running, group);
            let house = House::serving(&(own + &other));
            let first = sub(&house, &name, "xiaoming").await;
            let second = sub(&house, &format!("{name}-b"), "xiaoming").await;
            assert_eq!(first == second, are_one, "{kind:?} {group}");
        }
    }
}
