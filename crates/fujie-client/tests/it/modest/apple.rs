//! Apple: a client secret that we sign, a callback by POST from another site, a name that comes once.

use fujie_client::openid::signing_key;
use fujie_client::{Begun, Credential, Provider, provider};
use fujie_simulator::oidc::{DEFAULT_CLIENT_ID, DEFAULT_TEAM_ID, House as Whose};
use serde_json::json;
use url::form_urlencoded::Serializer;

use super::{played, refused, unknown_code};
use crate::provider::browser;
use crate::provider::house::{House, cookie};

/// The key that the simulated console made for the default app.
async fn credential(base: &str, team_id: &str) -> Credential {
    let index = browser::get(&format!("{base}/_simulate")).await.json();
    let key = signing_key::read(index["apps"][0]["private_key"].as_str().unwrap(), "KEYID12345").unwrap();
    Credential::Apple { team_id: team_id.to_owned(), key }
}

async fn house_of(preset: &Provider) -> House {
    let apple = played(Whose::Apple).await;
    let credential = credential(apple.base_url(), DEFAULT_TEAM_ID).await;
    House::proving(apple, preset, DEFAULT_CLIENT_ID, credential).on_time().await
}

async fn house() -> House {
    house_of(&provider::apple()).await
}

/// The form that the provider's page posts to the site.
async fn posted(house: &House, begun: &Begun, act: &str, person: &str) -> String {
    let page = house.decide(&begun.url, act, person).await.unwrap();
    assert!(page.starts_with(house.base()), "a page of the provider's: {page}");
    let text = browser::get(&page).await.text;
    let unescaped =
        |text: &str| text.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&amp;", "&");
    let mut form = Serializer::new(String::new());
    for field in text.split("<input type=\"hidden\" name=\"").skip(1) {
        let (name, rest) = field.split_once("\" value=\"").unwrap();
        form.append_pair(name, &unescaped(rest.split_once('"').unwrap().0));
    }
    form.finish()
}

async fn sign_in(house: &House, person: &str) -> Result<fujie_client::SignedIn, fujie_client::ProviderError> {
    let begun = house.begin();
    let form = posted(house, &begun, "confirm", person).await;
    house.client.finish(&form, &cookie(&begun)).await
}

#[tokio::test]
async fn a_person_signs_in_by_a_post_from_another_site() {
    let house = house().await;
    let begun = house.begin();
    assert!(begun.url.contains("response_mode=form_post"));
    let kept = begun.cookie.set_cookie();
    assert!(kept.contains("SameSite=None") && kept.contains("Secure"), "else it would not come along: {kept}");
    let form = posted(&house, &begun, "confirm", "xiaoming").await;
    let signed_in = house.client.finish(&form, &cookie(&begun)).await.unwrap();
    assert!(signed_in.identity.subject.starts_with("00"));
    assert_eq!(signed_in.tokens.subject, Some(signed_in.identity.subject));
    assert!(signed_in.tokens.refresh_token.is_some());
}

#[tokio::test]
async fn the_name_comes_with_the_first_sign_in_and_never_again() {
    let house = house().await;
    let first = sign_in(&house, "xiaoming").await.unwrap().identity;
    assert_eq!(first.nickname.as_deref(), Some("小明🌟"));
    let second = sign_in(&house, "xiaoming").await.unwrap().identity;
    assert_eq!((&second.subject, second.nickname), (&first.subject, None));
}

#[tokio::test]
async fn what_the_browser_says_of_the_person_is_for_show_alone() {
    let house = house().await;
    let begun = house.begin();
    let form = posted(&house, &begun, "confirm", "xiaoming").await;
    let forged = form.replace("user=", "other=")
        + "&user=%7B%22sub%22%3A%22000000%22%2C%22name%22%3A%7B%22firstName%22%3A%22M%22%7D%7D";
    let identity = house.client.finish(&forged, &cookie(&begun)).await.unwrap().identity;
    assert_eq!(identity.nickname.as_deref(), Some("M"));
    assert_eq!(identity.subject, sign_in(&house, "xiaoming").await.unwrap().identity.subject);
}

#[tokio::test]
async fn given_name_and_family_name_make_the_name_as_people_write_it() {
    let house = house().await;
    let cases = [
        (json!({"firstName": "John", "lastName": "Appleseed"}), Some("John Appleseed")),
        (json!({"firstName": "小明", "lastName": "李"}), Some("李小明")),
        (json!({"firstName": "Xiaoming", "lastName": "李"}), Some("Xiaoming 李")),
        (json!({"firstName": "John", "lastName": ""}), Some("John")),
        (json!({"lastName": " Appleseed "}), Some("Appleseed")),
        (json!({"firstName": 5, "lastName": null}), None),
        (json!({}), None),
    ];
    for (name, expected) in cases {
        let begun = house.begin();
        let form = posted(&house, &begun, "confirm", "xiaoming").await.replace("user=", "other=");
        let user = json!({ "name": name }).to_string();
        let form = format!("{form}&{}", Serializer::new(String::new()).append_pair("user", &user).finish());
        let identity = house.client.finish(&form, &cookie(&begun)).await.unwrap().identity;
        assert_eq!(identity.nickname.as_deref(), expected, "{name}");
    }
}

#[tokio::test]
async fn the_client_secret_is_signed_for_every_request_and_by_this_team() {
    let house = house().await;
    let tokens = sign_in(&house, "xiaoming").await.unwrap().tokens;
    house.advance(1).await;
    let _refreshed = house.client.refresh(&tokens).await.unwrap();
    let secrets: Vec<_> = house.sent().iter().filter_map(|sent| sent.in_body("client_secret")).collect();
    assert_eq!((secrets.len(), secrets[0].split('.').count()), (2, 3));
    assert_ne!(secrets[0], secrets[1]);
    let other_team = credential(house.base(), "OTHERTEAM1").await;
    let client = house.client_proving(&provider::apple(), DEFAULT_CLIENT_ID, other_team);
    let code = client.registration().read_code("c0123456789abcdef").unwrap();
    assert_eq!(refused(&house, client.redeem(code).await), ("credentials_refused", "invalid_client".to_owned()));
}

#[tokio::test]
async fn a_refresh_keeps_the_refresh_token_and_the_subject() {
    let house = house().await;
    let first = sign_in(&house, "xiaoming").await.unwrap().tokens;
    let second = house.client.refresh(&first).await.unwrap();
    assert!(second.refresh_token == first.refresh_token && second.subject == first.subject);
    assert!(second.access_token != first.access_token && second.id_token.is_some());
}

#[tokio::test]
async fn a_revoked_refresh_token_is_refused() {
    let house = house().await;
    let mut tokens = sign_in(&house, "xiaoming").await.unwrap().tokens;
    tokens.access_token = fujie_client::Secret::new(tokens.refresh_token.as_ref().unwrap().expose());
    house.client.revoke(&tokens).await.unwrap();
    let again = refused(&house, house.client.refresh(&tokens).await);
    assert_eq!(again, ("refresh_token_refused", "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_cancelled_sign_in_is_denied() {
    let house = house().await;
    let begun = house.begin();
    let form = posted(&house, &begun, "refuse", "").await;
    assert!(form.contains("error=user_cancelled_authorize"), "{form}");
    assert_eq!(house.name_of(house.client.finish(&form, &cookie(&begun)).await), "denied");
    assert!(house.sent().is_empty());
}

#[tokio::test]
async fn errors_have_a_word_and_no_text() {
    let house = house().await;
    assert_eq!(unknown_code(&house).await, ("code_refused", "invalid_grant".to_owned()));
}

#[tokio::test]
async fn an_address_that_is_verified_by_a_string_is_verified() {
    let house = house_of(&provider::apple().with_scope(&["name", "email"])).await;
    for as_string in [false, true] {
        house.switch(json!({ "email_verified_as_string": as_string })).await;
        let raw = sign_in(&house, "zoe").await.unwrap().identity.raw;
        assert!(raw["email"].is_string() && [json!(true), json!("true")].contains(&raw["email_verified"]), "{raw}");
    }
}
