//! An OpenID provider of which nothing is known but its issuer: discovery, keys, every way to prove oneself, refresh.

use fujie_client::openid::signing_key;
use fujie_client::{Client, Credential, Endpoint, Provider, ProviderError, Secret, SignedIn};
use fujie_simulator::oidc::{Client as App, DEFAULT_CLIENT_ID, DEFAULT_SECRET, OidcConfig};
use fujie_simulator::{Oidc, Running};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::json;

use super::{refusal, refused};
use crate::provider::house::{BACK, House, after, cookie};
use crate::provider::recorder::Recorder;
use crate::provider::story;

/// A client that has no secret.
pub const PUBLIC: &str = "public";
/// A client that signs with [`key`].
pub const SIGNER: &str = "signer";

/// A provider with a confidential, a public and a signing client; the signer's private key as PEM.
pub async fn played() -> (Running, String) {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut config = OidcConfig::default();
    for (client_id, public_key) in [(PUBLIC, None), (SIGNER, Some(pair.public_key_pem()))] {
        let client_id = client_id.to_owned();
        config.apps.push(App { client_id, client_secret: None, public_key, ..App::demo() });
    }
    (Oidc::start("127.0.0.1:0", config).await.unwrap(), pair.serialize_pem())
}

pub fn key(pem: &str) -> Credential {
    Credential::PrivateKey(signing_key::read(pem, "key-1").unwrap())
}

pub async fn discovered(provider: &Running) -> Provider {
    Provider::discover(&Recorder::patient(), provider.base_url()).await.unwrap()
}

pub async fn house() -> House {
    asking(&["openid", "profile"]).await
}

/// A house whose client asks for these scopes.
pub async fn asking(scope: &[&str]) -> House {
    let (provider, _pem) = played().await;
    let record = discovered(&provider).await.with_scope(scope);
    House::new(provider, &record, DEFAULT_CLIENT_ID, DEFAULT_SECRET).on_time().await
}

/// A sign-in with a code that the provider never gave.
async fn unknown_code(house: &House) -> Result<SignedIn, ProviderError> {
    let begun = house.begin();
    let callback = house.agree(&begun, "xiaoming").await;
    let code = callback.split_once("code=").unwrap().1.split('&').next().unwrap();
    house.client.finish(&callback.replace(code, "0123456789abcdef"), &cookie(&begun)).await
}

#[tokio::test]
async fn an_issuer_is_all_that_must_be_known() {
    let house = house().await;
    let signed_in = house.sign_in("xiaoming").await.unwrap();
    let (identity, tokens) = (signed_in.identity, signed_in.tokens);
    assert_eq!((&identity.raw["sub"], Some(&identity.subject)), (&json!(identity.subject), tokens.subject.as_ref()));
    assert!(identity.provider.starts_with("127.0.0.1"), "{}", identity.provider);
    assert_eq!(identity.nickname.as_deref(), Some("小明🌟"));
    assert!(identity.avatar_url.unwrap().starts_with(house.base()));
    assert!(tokens.id_token.is_some() && tokens.refresh_token.is_none());
    let paths: Vec<_> = house.sent().iter().map(|sent| sent.url[house.base().len()..].to_owned()).collect();
    assert_eq!(paths, ["/token", "/jwks", "/userinfo"]);
}

#[tokio::test]
async fn two_issuers_never_share_a_person() {
    let (one, other) = (house().await, house().await);
    let ids = [one.client.provider().id.clone(), other.client.provider().id.clone()];
    assert_ne!(ids[0], ids[1]);
    let [first, second] =
        [one.sign_in("xiaoming").await, other.sign_in("xiaoming").await].map(|done| done.unwrap().identity);
    assert_eq!((first.provider, second.provider), (ids[0].clone(), ids[1].clone()));
}

#[tokio::test]
async fn a_client_made_of_an_issuer_proves_itself_as_its_credential_can() {
    let (provider, pem) = played().await;
    let record = discovered(&provider).await;
    let mut house = House::new(provider, &record, DEFAULT_CLIENT_ID, DEFAULT_SECRET);
    let credentials: [(&str, Credential); 3] =
        [(DEFAULT_CLIENT_ID, Secret::new(DEFAULT_SECRET).into()), (PUBLIC, Credential::None), (SIGNER, key(&pem))];
    let mut subjects = Vec::new();
    for (id, credential) in credentials {
        // By its own clock, which is the provider's.
        house.client = Client::discover(house.base(), id, credential).await.unwrap();
        subjects.push(house.sign_in("xiaoming").await.unwrap().identity.subject);
    }
    assert!(subjects.windows(2).all(|pair| pair[0] == pair[1]), "{subjects:?}");
}

#[tokio::test]
async fn a_secret_goes_as_the_provider_offers() {
    let house = house().await;
    for (offered, name) in [("client_secret_basic", "authorization"), ("client_secret_post", "client_secret")] {
        house.switch(json!({"token_endpoint_auth_methods": [offered]})).await;
        let record = Provider::discover(&Recorder::patient(), house.base()).await.unwrap();
        let client = house.client_of(&record, DEFAULT_CLIENT_ID, DEFAULT_SECRET);
        house.sent();
        assert!(house.sign_in_at(&client, "xiaoming").await.is_ok(), "{offered}");
        let sent = &house.sent()[0];
        let is_there = [sent.header("authorization").is_some(), sent.in_body("client_secret").is_some()];
        assert_eq!(is_there, [name == "authorization", name == "client_secret"]);
    }
    house.switch(json!({"token_endpoint_auth_methods": ["private_key_jwt"]})).await;
    let wrong = refused(&house, house.sign_in("xiaoming").await);
    assert_eq!(wrong, ("credentials_refused", "invalid_client".to_owned()));
}

#[tokio::test]
async fn an_assertion_is_made_for_every_request_and_names_the_issuer() {
    let (provider, pem) = played().await;
    let record = discovered(&provider).await.with(&json!({"client_authentication": "private_key_jwt"})).unwrap();
    let record = record.with_scope(&["openid", "offline_access"]);
    let house = House::proving(provider, &record, SIGNER, key(&pem)).on_time().await;
    let tokens = house.tokens("xiaoming").await;
    let _refreshed = house.client.refresh(&tokens).await.unwrap();
    let assertions: Vec<_> = house.sent().iter().filter_map(|sent| sent.in_body("client_assertion")).collect();
    assert_eq!(assertions.len(), 2);
    assert_ne!(assertions[0], assertions[1], "each is good once");
    let stranger = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    let client = house.client_proving(&record, SIGNER, key(&stranger));
    let wrong = refused(&house, house.sign_in_at(&client, "xiaoming").await);
    assert_eq!(wrong, ("credentials_refused", "invalid_client".to_owned()));
}

#[tokio::test]
async fn a_refresh_keeps_the_person_and_a_stolen_refresh_token_ends_the_grant() {
    let house = asking(&["openid", "profile", "offline_access"]).await;
    let first = house.tokens("xiaoming").await;
    house.advance(3600).await;
    assert_eq!(refused(&house, house.client.user(&first).await), ("access_token_refused", "invalid_token".to_owned()));
    let second = house.client.refresh(&first).await.unwrap();
    assert!(second.refresh_token != first.refresh_token && second.subject == first.subject);
    assert!(house.client.user(&second).await.is_ok());
    let again = refused(&house, house.client.refresh(&first).await);
    assert_eq!(again, ("refresh_token_refused", "invalid_grant".to_owned()));
    assert_eq!(refused(&house, house.client.refresh(&second).await).0, "refresh_token_refused");
    assert_eq!(refused(&house, house.client.user(&second).await).0, "access_token_refused");
}

#[tokio::test]
async fn a_revoked_token_opens_nothing() {
    let house = house().await;
    let tokens = house.tokens("xiaoming").await;
    house.client.revoke(&tokens).await.unwrap();
    assert_eq!(refused(&house, house.client.user(&tokens).await).0, "access_token_refused");
}

#[tokio::test]
async fn new_keys_are_fetched_when_needed_and_not_more_than_once_a_minute() {
    let house = house().await;
    assert!(house.sign_in("xiaoming").await.is_ok());
    house.control("keys", &json!({})).await;
    assert_eq!(house.name_of(house.sign_in("xiaoming").await), "id_token_refused", "the first keys are a moment old");
    house.advance(60).await;
    house.sent();
    assert!(house.sign_in("xiaoming").await.is_ok());
    assert_eq!(house.sent().iter().filter(|sent| sent.url.ends_with("/jwks")).count(), 1);
    assert!(house.sign_in("xiaoming").await.is_ok());
    assert!(house.sent().iter().all(|sent| !sent.url.ends_with("/jwks")), "they are kept");
    house.advance(3600).await;
    assert!(house.sign_in("xiaoming").await.is_ok());
    assert!(house.sent().iter().any(|sent| sent.url.ends_with("/jwks")), "and fetched again, so that old ones end");
}

#[tokio::test]
async fn either_algorithm_is_verified() {
    let house = house().await;
    for algorithm in ["ES256", "RS256"] {
        house.switch(json!({ "id_token_alg": algorithm })).await;
        assert!(house.sign_in("xiaoming").await.is_ok(), "{algorithm}");
    }
}

#[tokio::test]
async fn refusals_have_their_causes() {
    let house = house().await;
    assert_eq!(refusal(&house).await, "denied");
    let error = refused(&house, unknown_code(&house).await);
    assert_eq!(error, ("code_refused", "invalid_grant".to_owned()));
    let tokens = house.tokens("xiaoming").await;
    assert_eq!(tokens.expires_at, after_of(&house, 3600));
    for (error, name) in [("server_error", "busy"), ("insufficient_scope", "not_permitted")] {
        house.order(Endpoint::User, &json!({"kind": "error", "error": error})).await;
        assert_eq!(refused(&house, house.client.user(&tokens).await), (name, error.to_owned()));
        house.clear_faults().await;
    }
    // A challenge that the verifier does not meet is somebody else's code.
    let (ours, theirs) = (house.begin(), house.begin());
    let (callback, other) = (house.agree(&ours, "xiaoming").await, house.agree(&theirs, "lihua").await);
    let code = |callback: &str| callback.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
    let injected = callback.replace(&code(&callback), &code(&other));
    let outcome = house.client.finish(&injected, &cookie(&ours)).await;
    assert_eq!(refused(&house, outcome), ("code_refused", "invalid_grant".to_owned()));
}

/// So many seconds from the client's own now.
fn after_of(house: &House, seconds: i64) -> Option<fujie_client::Timestamp> {
    let gone = (house.client.now().millis() - crate::provider::house::NOW.millis()) / 1000;
    after(gone + seconds)
}

#[tokio::test]
async fn a_redirect_uri_keeps_its_own_query() {
    let house = house().await;
    let begun = house.client.begin(&format!("{BACK}?from=shop")).unwrap();
    let callback = house.agree(&begun, "xiaoming").await;
    assert!(callback.starts_with(&format!("{BACK}?from=shop&code=")), "{callback}");
    assert!(house.client.finish(&callback, &cookie(&begun)).await.is_ok());
}

#[tokio::test]
async fn tabs_cookies_and_callbacks_are_as_everywhere() {
    let house = house().await;
    story::another_browser(&house).await;
    story::two_tabs(&house).await;
    story::called_twice(&house, "code_refused").await;
    house.sent();
    story::forged_cookie(&house).await;
}
