//! Providers that are known by an issuer or by three endpoints: no preset, only configuration.

use fujie_simulator::{
    Oidc, OidcConfig, Running,
    oidc::{DEFAULT_CLIENT_ID, DEFAULT_SECRET},
};
use serde_json::json;

use super::{
    browser::Browser,
    house::{House, PASSWORD, control},
};

async fn oidc(port: u16) -> Running {
    Oidc::start(("127.0.0.1", port), OidcConfig::default()).await.unwrap()
}

fn section(provider: &str, lines: &str) -> String {
    format!(
        "[connection.corp]\nprovider = \"{provider}\"\nlabel = \"Corp\"\nclient_id = \"{DEFAULT_CLIENT_ID}\"\n\
         client_secret = \"{DEFAULT_SECRET}\"\n{lines}\n"
    )
}

/// Signs in twice; both times it is the same person.
async fn twice(house: &House) -> String {
    let mut subs = Vec::new();
    for _ in 0..2 {
        let mut browser = Browser::new();
        let address = house.decided(&mut browser, "corp", "confirm", "xiaoming").await.unwrap();
        let page = house.arrive(&mut browser, &address).await;
        subs.push(house.sub(&mut browser, page).await);
    }
    assert_eq!((&subs[0].0, subs[0].1, subs[1].1), (&subs[1].0, true, false));
    subs.remove(0).0
}

#[tokio::test(flavor = "multi_thread")]
async fn an_openid_provider_is_known_by_its_issuer() {
    let provider = oidc(0).await;
    let house = House::serving(&section("openid", &format!("issuer = \"{}\"", provider.base_url())));
    twice(&house).await;
    // What it was asked: a challenge, a nonce.
    let address = house.start(&mut Browser::new(), "corp").await;
    for asked in ["code_challenge_method=S256", "&nonce=", "scope=openid%20profile"] {
        assert!(address.contains(asked), "{asked} is missing in {address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_while_its_provider_is_down_and_signs_in_when_it_is_up() {
    let port = crate::durable::house::lasting_port();
    let house = House::serving(&section("openid", &format!("issuer = \"http://127.0.0.1:{port}\"")));
    let mut browser = Browser::new();
    let page = house.sign_in_page(&mut browser).await;
    let page = browser.submit(&page, "/broker/corp/start", &[]).await;
    let page = browser.follow_within(page, &house.issuer).await;
    assert!(page.body.contains("Corp did not answer as it should"), "{}", page.body);
    let _provider = oidc(port).await;
    // It is left alone for a few seconds, then asked again.
    for _ in 0..200 {
        let to = house.start(&mut Browser::new(), "corp").await;
        if to.starts_with(&format!("http://127.0.0.1:{port}")) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    twice(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_openid_provider_signs_nobody_in() {
    let lies = [
        json!({ "id_token_fault": "wrong_nonce" }),
        json!({ "id_token_fault": "missing_nonce" }),
        json!({ "id_token_fault": "wrong_iss" }),
        json!({ "id_token_fault": "wrong_aud" }),
        json!({ "id_token_fault": "expired" }),
        json!({ "id_token_fault": "alg_none" }),
        json!({ "id_token_fault": "bad_signature" }),
        json!({ "id_token_fault": "absent" }),
        json!({ "callback_iss": "wrong" }),
        json!({ "callback_iss": "missing" }),
        json!({ "userinfo_of_another_sub": true }),
        json!({ "id_token_fault": null }),
    ];
    let provider = oidc(0).await;
    let house = House::serving(&section("openid", &format!("issuer = \"{}\"", provider.base_url())));
    house.start(&mut Browser::new(), "corp").await;
    let mut told = None;
    for lie in lies {
        let honest = json!({ "id_token_fault": null, "callback_iss": "sent", "userinfo_of_another_sub": false });
        control(&house.http, provider.base_url(), "switches", honest).await;
        control(&house.http, provider.base_url(), "switches", lie.clone()).await;
        let mut browser = Browser::new();
        let address = house.decided(&mut browser, "corp", "confirm", "xiaoming").await.unwrap();
        let page = house.arrive(&mut browser, &address).await;
        let is_in = browser.cookie("bind").is_some();
        // The last one is none.
        assert_eq!(is_in, lie == json!({ "id_token_fault": null }), "{lie}: {}", page.body);
        assert!(is_in || page.body.contains("Corp did not answer as it should"), "{lie}: {}", page.body);
        told = Some(page);
    }
    assert!(told.unwrap().body.contains("action=\"/bind\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_names_another_is_not_believed() {
    let provider = oidc(0).await;
    let switch = json!({ "discovery_of_another_issuer": true });
    let house = House::serving(&section("openid", &format!("issuer = \"{}\"", provider.base_url())));
    control(&house.http, provider.base_url(), "switches", switch).await;
    let to = house.start(&mut Browser::new(), "corp").await;
    assert!(to.starts_with(&house.issuer) && to.contains("error=failed"), "{to}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_oauth2_provider_is_known_by_three_endpoints() {
    let provider = oidc(0).await;
    let base = provider.base_url();
    let lines = format!(
        "authorization_endpoint = \"{base}/authorize\"\ntoken_endpoint = \"{base}/token\"\n\
         user_endpoint = \"{base}/userinfo\"\nscope = \"openid profile\"\nname_field = \"name\""
    );
    let house = House::serving(&section("oauth2", &lines));
    twice(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_house_of_ours_is_a_provider_like_any_other() {
    let (mut here, mut there) = (House::at("127.0.0.1"), House::at("127.0.0.1"));
    there.user_add("alice");
    let app = there.client_add("The other house", &format!("{}/broker/there/callback", here.issuer));
    there.serve("");
    let section = format!(
        "[connection.there]\nprovider = \"openid\"\nissuer = \"{}\"\nclient_id = {}\nclient_secret = {}\n",
        there.issuer, app["client_id"], app["client_secret"]
    );
    here.serve(&section);
    let mut subs = Vec::new();
    for _ in 0..2 {
        let mut browser = Browser::new();
        let address = here.start(&mut browser, "there").await;
        let page = browser.get(&address).await;
        let page = browser.follow_within(page, &there.issuer).await;
        let page = browser.submit(&page, "/sign-in", &[("username", "alice"), ("password", PASSWORD)]).await;
        let mut page = browser.follow_within(page, &there.issuer).await;
        if page.status == 200 {
            page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        }
        let callback = page.location();
        assert!(callback.starts_with(&here.issuer), "{callback}");
        let page = here.arrive(&mut browser, &callback).await;
        subs.push(here.sub(&mut browser, page).await);
    }
    assert_eq!((&subs[0].0, subs[0].1, subs[1].1), (&subs[1].0, true, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_knows_the_same_people() {
    let provider = oidc(0).await;
    let section = section("openid", &format!("issuer = \"{}\"", provider.base_url()));
    let mut house = House::serving(&section);
    let before = twice(&house).await;
    house.stop();
    house.serve(&section);
    let mut browser = Browser::new();
    let address = house.decided(&mut browser, "corp", "confirm", "xiaoming").await.unwrap();
    let page = house.arrive(&mut browser, &address).await;
    assert_eq!(house.sub(&mut browser, page).await, (before, false));
}
