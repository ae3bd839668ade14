//! The newer parts of OAuth with an OpenID provider: pushed requests, bound tokens, devices, grants without a page.

#[cfg(feature = "session")]
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "session")]
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fujie_client::openid::dpop::DpopKey;
use fujie_client::{Ask, Credential, Polled, Secret, provider};
#[cfg(feature = "session")]
use fujie_client::{Client, Registration, ReqwestTransport, Session, Tokens};
use fujie_simulator::oidc::{DEFAULT_CLIENT_ID, DEFAULT_PASSWORD, DEFAULT_SECRET};
#[cfg(feature = "session")]
use serde_json::Value;
use serde_json::json;

use super::openid::{PUBLIC, asking, discovered, house, played};
use super::refused;
use crate::provider::fault;
use crate::provider::house::{BACK, House, cookie};
#[cfg(feature = "session")]
use crate::session::hostile::{Hostile, answer, ok};

fn bound() -> DpopKey {
    DpopKey::generate().unwrap().0
}

#[tokio::test]
async fn a_pushed_request_leaves_the_browser_a_name_alone() {
    let house = house().await;
    let begun = house.client.begin_pushed(BACK, &Ask::default()).await.unwrap();
    let sent = &house.sent()[0];
    assert_eq!(
        (sent.in_body("response_type").as_deref(), sent.in_body("code_challenge").is_some()),
        (Some("code"), true)
    );
    let names: Vec<_> = url::Url::parse(&begun.url).unwrap().query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["client_id", "request_uri"]);
    let callback = house.agree(&begun, "xiaoming").await;
    let signed_in = house.client.finish(&callback, &cookie(&begun)).await.unwrap();
    assert_eq!(signed_in.identity.nickname.as_deref(), Some("小明🌟"));
}

#[tokio::test]
async fn where_pushing_is_required_nothing_else_begins() {
    let (provider, _pem) = played().await;
    let before = discovered(&provider).await;
    let house = House::new(provider, &before, DEFAULT_CLIENT_ID, DEFAULT_SECRET).on_time().await;
    house.switch(json!({"pushed_requests_required": true})).await;
    let begun = house.begin();
    let callback = house.decide(&begun.url, "confirm", "xiaoming").await.unwrap();
    let outcome = house.client.finish(&callback, &cookie(&begun)).await;
    assert_eq!(refused(&house, outcome).0, "authorization_refused", "an old record learns it the hard way");
    let required = house.client_with(&json!({"pushed_authorization_request_required": true}));
    assert_eq!(house.name_of(required.begin(BACK)), "not_offered");
    let begun = required.begin_pushed(BACK, &Ask::default()).await.unwrap();
    let callback = house.agree(&begun, "xiaoming").await;
    assert!(required.finish(&callback, &cookie(&begun)).await.is_ok());
}

#[tokio::test]
async fn a_push_is_refused_by_cause_and_not_offered_everywhere() {
    let house = house().await;
    let wrong = house.client_of(house.client.provider(), DEFAULT_CLIENT_ID, "wrong-secret-wrong-secret");
    let error = refused(&house, wrong.begin_pushed(BACK, &Ask::default()).await);
    assert_eq!(error, ("credentials_refused", "invalid_client".to_owned()));
    let elsewhere = house.client.begin_pushed("https://evil.example/back", &Ask::default()).await;
    assert_eq!(refused(&house, elsewhere), ("request_refused", "invalid_request".to_owned()));
    let google = house.client_of(&provider::google(), DEFAULT_CLIENT_ID, DEFAULT_SECRET);
    assert_eq!(house.name_of(google.begin_pushed(BACK, &Ask::default()).await), "not_offered");
}

#[tokio::test]
async fn a_public_client_pushes_and_names_itself_once() {
    let (provider, _pem) = played().await;
    let record = discovered(&provider).await.with(&json!({"client_authentication": "none"})).unwrap();
    let house = House::proving(provider, &record, PUBLIC, Credential::None).on_time().await;
    let begun = house.client.begin_pushed(BACK, &Ask::default()).await.unwrap();
    assert_eq!(house.sent()[0].body.as_ref().unwrap().matches("client_id=").count(), 1);
    let callback = house.agree(&begun, "xiaoming").await;
    assert!(house.client.finish(&callback, &cookie(&begun)).await.is_ok());
}

#[tokio::test]
async fn a_bound_token_is_of_use_with_its_key_alone() {
    let house = house().await;
    let client = house.client_of(house.client.provider(), DEFAULT_CLIENT_ID, DEFAULT_SECRET).with_dpop(bound());
    let signed_in = house.sign_in_at(&client, "xiaoming").await.unwrap();
    let tokens = signed_in.tokens;
    assert_eq!(tokens.token_type.as_deref(), Some("DPoP"));
    assert!(client.user(&tokens).await.is_ok(), "with another proof");
    // A thief has the token and not the key.
    assert_eq!(refused(&house, house.client.user(&tokens).await).0, "access_token_refused");
    let thief = house.client_of(house.client.provider(), DEFAULT_CLIENT_ID, DEFAULT_SECRET).with_dpop(bound());
    let error = refused(&house, thief.user(&tokens).await);
    assert_eq!(error, ("request_refused", "invalid_dpop_proof".to_owned()));
}

#[tokio::test]
async fn a_nonce_is_taken_when_it_is_asked_for_and_the_code_is_spent_once() {
    let house = house().await;
    house.switch(json!({"dpop_nonce_required": true})).await;
    let client = house.client_of(house.client.provider(), DEFAULT_CLIENT_ID, DEFAULT_SECRET).with_dpop(bound());
    assert!(house.sign_in_at(&client, "xiaoming").await.is_ok());
    let count = |house: &House| house.sent().iter().filter(|sent| sent.url.ends_with("/token")).count();
    assert_eq!(count(&house), 2, "the second with the nonce");
    assert!(house.sign_in_at(&client, "xiaoming").await.is_ok());
    assert_eq!(count(&house), 1, "it is kept");
}

#[cfg(feature = "session")]
#[tokio::test]
async fn a_session_proves_the_key_of_its_tokens_with_every_request() {
    let house = house().await;
    house.switch(json!({"dpop_nonce_required": true})).await;
    let record = house.client.provider().with(&json!({"base_url": house.base()})).unwrap();
    let client = || house.client_of(&record, DEFAULT_CLIENT_ID, DEFAULT_SECRET);
    let owner = Arc::new(client().with_dpop(bound()));
    let tokens = house.sign_in_at(&owner, "xiaoming").await.unwrap().tokens;
    let session = owner.session(&tokens).unwrap().build().unwrap();
    let ask =
        async |session: &Session| session.get("userinfo").query("x", 1).send().await.map(|answer| answer.status());
    assert_eq!(ask(&session).await.unwrap(), 200);
    // The nonce that is kept has ended meanwhile.
    house.advance(1200).await;
    assert_eq!(ask(&session).await.unwrap(), 200, "with another nonce");
    assert_eq!(ask(&session).await.unwrap(), 200, "with another proof");
    let thief = Arc::new(client().with_dpop(bound())).session(&tokens).unwrap().build().unwrap();
    assert_eq!(ask(&thief).await.unwrap(), 401, "with another key");
    let keyless = Arc::new(client()).session(&tokens).unwrap().build().unwrap();
    let error = ask(&keyless).await.unwrap_err();
    assert_eq!(error.name(), "setup", "never as a bearer's");
    assert!(error.report().contains("bound to a key"), "{}", error.report());
}

#[cfg(feature = "session")]
#[tokio::test]
async fn a_nonce_is_taken_up_once_and_what_cannot_be_sent_twice_is_not() {
    let refusal = [("WWW-Authenticate", r#"DPoP error="use_dpop_nonce""#), ("DPoP-Nonce", "n1")];
    let server = Hostile::new(move |_| answer("401 No", &refusal, "")).await;
    let house = house().await;
    let record = house.client.provider().with(&json!({"base_url": server.base})).unwrap();
    let registration = Registration::new(record, DEFAULT_CLIENT_ID, Secret::new(DEFAULT_SECRET)).unwrap();
    let transport = Arc::new(ReqwestTransport::new().unwrap());
    let client = Arc::new(Client::over(transport, registration).unwrap().with_dpop(bound()));
    let mut tokens = Tokens::bare(Secret::new("t"));
    tokens.token_type = Some("dpop".to_owned());
    let session = client.session(&tokens).unwrap().build().unwrap();
    assert_eq!(session.delete("a").query("q", 1).send().await.unwrap().status(), 401);
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "once more and no oftener");
    for (request, nonce) in requests.iter().zip([Value::Null, json!("n1")]) {
        assert_eq!(request.header("authorization"), Some("DPoP t"));
        let claims = claims(request.header("dpop").unwrap());
        // BASE64URL(SHA-256("t")).
        assert_eq!(claims["ath"], "47mKTaMaEn1L3m5DAz9muidMqw636xxw7EFAK_YnPdg");
        assert_eq!((&claims["htm"], &claims["htu"]), (&json!("DELETE"), &json!(format!("{}/a", server.base))));
        assert_eq!(claims["nonce"], nonce);
    }
    let stream = session.post("b").body_reader(tokio::io::empty()).send().await.unwrap();
    assert_eq!((stream.status(), server.requests().len()), (401, 3), "a stream is spent");
    assert_eq!(claims(server.requests()[2].header("dpop").unwrap())["nonce"], "n1");
    let stranger = Hostile::new(|_| ok("")).await;
    session.get(&stranger.base).send().await.unwrap();
    let bare = &stranger.requests()[0];
    assert_eq!((bare.header("authorization"), bare.header("dpop")), (None, None), "a stranger gets neither");
}

#[cfg(feature = "session")]
fn claims(proof: &str) -> Value {
    let claims = URL_SAFE_NO_PAD.decode(proof.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

#[tokio::test]
async fn a_pushed_request_binds_its_code_to_the_key() {
    let house = house().await;
    let record = house.client.provider();
    let client = house.client_of(record, DEFAULT_CLIENT_ID, DEFAULT_SECRET).with_dpop(bound());
    let begun = client.begin_pushed(BACK, &Ask::default()).await.unwrap();
    let callback = house.agree(&begun, "xiaoming").await;
    // The same application without the key, in possession of code and cookie.
    let outcome = house.client.finish(&callback, &cookie(&begun)).await;
    assert_eq!(refused(&house, outcome), ("request_refused", "invalid_dpop_proof".to_owned()));
    assert!(client.finish(&callback, &cookie(&begun)).await.is_ok());
}

#[tokio::test]
async fn a_public_clients_refresh_token_is_bound_too() {
    let (provider, _pem) = played().await;
    let record = discovered(&provider).await.with(&json!({"client_authentication": "none"})).unwrap();
    let record = record.with_scope(&["openid", "offline_access"]);
    let house = House::proving(provider, &record, PUBLIC, Credential::None).on_time().await;
    let client = house.client_proving(&record, PUBLIC, Credential::None).with_dpop(bound());
    let tokens = house.sign_in_at(&client, "xiaoming").await.unwrap().tokens;
    let stolen = refused(&house, house.client.refresh(&tokens).await);
    assert_eq!(stolen, ("request_refused", "invalid_dpop_proof".to_owned()));
    let refreshed = client.refresh(&tokens).await.unwrap();
    assert!(client.user(&refreshed).await.is_ok());
}

#[tokio::test]
async fn a_device_waits_as_long_as_it_is_told_and_then_signs_in() {
    let house = asking(&["openid", "profile", "offline_access"]).await;
    let mut device = house.client.begin_device().await.unwrap();
    let address = device.authorization.verification_uri_complete.clone().unwrap();
    assert!(address.ends_with(&device.authorization.user_code), "{address}");
    house.sent();
    let wait = async |device: &mut _| match house.client.poll_device(device).await.unwrap() {
        Polled::Wait(span) => span,
        Polled::Tokens(_) => panic!("nobody has agreed"),
    };
    assert_eq!(wait(&mut device).await, Duration::from_secs(6));
    assert!(house.sent().is_empty(), "too early to ask");
    house.advance(6).await;
    assert_eq!(wait(&mut device).await, Duration::from_secs(6));
    assert_eq!(house.sent().len(), 1);
    house.decide_waiting(None, "confirm", "lihua").await;
    house.advance(6).await;
    let Polled::Tokens(tokens) = house.client.poll_device(&mut device).await.unwrap() else { panic!("not yet") };
    assert_eq!(tokens.subject, house.tokens("lihua").await.subject, "the ID token says who it is");
    assert!(house.client.refresh(&tokens).await.is_ok());
}

#[tokio::test]
async fn whatever_the_network_does_a_device_waits_or_is_told() {
    fault::polling_faults(&house().await, "wait").await;
}

#[tokio::test]
async fn a_device_is_denied_or_too_late_or_lied_to() {
    let house = house().await;
    let mut denied = house.client.begin_device().await.unwrap();
    house.decide_waiting(None, "refuse", "").await;
    house.advance(6).await;
    assert_eq!(house.name_of(house.client.poll_device(&mut denied).await.map(drop)), "denied");
    let mut late = house.client.begin_device().await.unwrap();
    house.advance(900).await;
    assert_eq!(house.name_of(house.client.poll_device(&mut late).await.map(drop)), "expired");
    let mut lied_to = house.client.begin_device().await.unwrap();
    house.decide_waiting(None, "confirm", "zoe").await;
    house.switch(json!({"id_token_fault": "wrong_aud"})).await;
    house.advance(6).await;
    assert_eq!(house.name_of(house.client.poll_device(&mut lied_to).await.map(drop)), "id_token_refused");
}

#[tokio::test]
async fn an_application_acts_for_itself() {
    let house = house().await;
    let tokens = house.client.client_credentials(&["read"]).await.unwrap();
    assert!(tokens.subject.is_none() && tokens.refresh_token.is_none() && tokens.id_token.is_none());
    assert_eq!(tokens.scope, ["read"]);
    let wrong = house.client_of(house.client.provider(), DEFAULT_CLIENT_ID, "wrong-secret-wrong-secret");
    let error = refused(&house, wrong.client_credentials(&[]).await);
    assert_eq!(error, ("credentials_refused", "invalid_client".to_owned()));
}

#[tokio::test]
async fn a_password_is_taken_where_the_provider_still_takes_one() {
    let house = house().await;
    let password = Secret::new(DEFAULT_PASSWORD);
    let off = refused(&house, house.client.password("xiaoming", &password, &["openid"]).await);
    assert_eq!(off, ("request_refused", "unsupported_grant_type".to_owned()));
    house.switch(json!({"password_grant": true})).await;
    let tokens = house.client.password("xiaoming", &password, &["openid"]).await.unwrap();
    assert!(house.client.user(&tokens).await.is_ok());
    let wrong = house.client.password("xiaoming", &Secret::new("wrong-password-1"), &["openid"]).await;
    assert_eq!(refused(&house, wrong), ("code_refused", "invalid_grant".to_owned()));
}
