//! The channel's own API, and bearer tokens at a protected resource of ours: only tokens meant for it, only its scopes.

use fujie_core::{
    channel::{self, READ, WRITE},
    client::{Api, Registry, TokenForm},
    discovery::metadata,
    grant::{EndedWhy, Grant, client_credentials},
    jose::jws::Algorithm,
    token::{
        access_token::AccessToken,
        bearer::{BearerError, Demand, Facts, Holder, judge},
    },
};
use serde_json::{Value, json};

use crate::house::{House, ISSUER, START, body, house_where, scope, seconds};

const RESOURCE: &str = "https://id.example/channel";
const TO_READ: Demand<'_> = Demand { audience: RESOURCE, scope: READ };

/// A house whose shop may ask for the channel.
fn house() -> House {
    let mut house = house_where(|client| client.scope = client.scope.union(&scope("channel:read channel:write")));
    let clients = house.registry.all().map(|client| (**client).clone()).collect();
    house.registry = Registry::new(clients).with_built_in(channel::api(ISSUER));
    house
}

fn token(house: &House, asked: &str) -> (Grant, AccessToken) {
    let (grant, response) = house.redeemed("shop", &[("scope", asked)]);
    (grant, AccessToken::read(response["access_token"].as_str().unwrap(), &house.ring).unwrap())
}

/// What the channel says to this token, under this grant of the house's person.
fn ask(house: &House, token: &AccessToken, grant: Option<&Grant>) -> Result<String, BearerError> {
    let account = house.account();
    let facts = Facts { grant, is_revoked: false, account: Some(&account) };
    judge(token, facts, TO_READ, &house.registry, house.now).map(|admitted| match admitted.holder {
        Holder::Account(account) => account.id.to_string(),
        Holder::Client(client) => client.to_owned(),
    })
}

#[test]
fn a_persons_token_for_the_channel_reads() {
    let house = house();
    let (grant, token) = token(&house, "openid channel:read");
    assert_eq!(token.audience, [RESOURCE, ISSUER]);
    assert_eq!(ask(&house, &token, Some(&grant)), Ok(house.account().id.to_string()));
    assert_eq!(ask(&house, &token, None), Err(BearerError::Token));
}

#[test]
fn a_clients_own_token_for_the_channel_reads() {
    let house = house();
    let asked = body(&[("scope", "channel:read")]);
    let decided = client_credentials::decide(house.authenticated("shop"), &asked, house.setting(), &mut house.random());
    let text = decided.unwrap().release(&house.ring, &mut house.random()).unwrap().access_token;
    let token = AccessToken::read(&text, &house.ring).unwrap();
    assert_eq!(ask(&house, &token, None), Ok("shop".to_owned()));
    let facts = Facts { grant: None, is_revoked: true, account: None };
    assert_eq!(judge(&token, facts, TO_READ, &house.registry, house.now), Err(BearerError::Token), "revoked alone");
}

#[test]
fn a_token_without_the_scope_or_for_somebody_else_does_not() {
    let house = house();
    for asked in ["openid", "read", "channel:write", "openid channel:write"] {
        let (grant, token) = token(&house, asked);
        assert_eq!(ask(&house, &token, Some(&grant)), Err(BearerError::Scope(READ)), "{asked}");
    }
    let (grant, good) = token(&house, "channel:read channel:write");
    let smaller = Grant { scope: scope(WRITE), ..grant.clone() };
    assert_eq!(ask(&house, &good, Some(&smaller)), Err(BearerError::Scope(READ)));
    for audience in [vec![], vec![ISSUER.to_owned()], vec![crate::house::API.to_owned()], vec![format!("{RESOURCE}/")]]
    {
        let foreign = AccessToken { audience, ..good.clone() };
        assert_eq!(ask(&house, &foreign, Some(&grant)), Err(BearerError::Token));
    }
    let narrowed = AccessToken { scope: scope(WRITE), ..good };
    assert_eq!(
        ask(&house, &narrowed, Some(&grant)),
        Err(BearerError::Scope(READ)),
        "the grant's scope is not the token's"
    );
}

#[test]
fn what_ended_does_not_read() {
    let mut house = house();
    let (grant, token) = token(&house, "channel:read");
    let ended = Grant { ended: Some((START, EndedWhy::SignedOut)), ..grant.clone() };
    assert_eq!(ask(&house, &token, Some(&ended)), Err(BearerError::Token));
    house.now = START + seconds(3600);
    assert_eq!(ask(&house, &token, Some(&grant)), Err(BearerError::Token));
    house.now = START;
    house.change(|client| client.epoch += u32::from(client.id == "shop"));
    assert_eq!(ask(&house, &token, Some(&grant)), Err(BearerError::Token));
}

#[test]
fn it_ends_with_whatever_ends_first() {
    let house = house();
    let (grant, token) = token(&house, "channel:read");
    let (grant, account) = (Grant { expires_at: START + seconds(60), ..grant }, house.account());
    let facts = Facts { grant: Some(&grant), is_revoked: false, account: Some(&account) };
    let admitted = judge(&token, facts, TO_READ, &house.registry, house.now).unwrap();
    assert_eq!((admitted.expires_at, admitted.scope), (START + seconds(60), scope(READ)));
}

#[test]
fn nobody_can_act_as_the_api_itself() {
    let registry = Registry::new(Vec::new()).with_built_in(channel::api(ISSUER));
    let authenticate = |secret: &str| {
        let body = body(&[("client_id", channel::CLIENT_ID), ("client_secret", secret)]);
        fujie_core::request::client_auth::authenticate(&registry, None, &body)
    };
    for secret in ["", "x", &crate::house::secret_of(channel::CLIENT_ID)] {
        assert!(authenticate(secret).is_err(), "{secret}");
    }
}

#[test]
fn its_scopes_are_its_own_whoever_claims_them() {
    let mut house = house();
    house.change(|client| {
        if client.id == "api" {
            let form = TokenForm::Jwt(Algorithm::Es256);
            let api =
                Api { resource: crate::house::API.into(), scope: scope(READ), scope_words: [].into(), token: form };
            client.api = Some(api);
        }
    });
    let clients = house.registry.all().filter(|own| own.id != channel::CLIENT_ID).map(|own| (**own).clone()).collect();
    let registry = Registry::new(clients).with_built_in(channel::api(ISSUER));
    assert_eq!(registry.api_of_scope(READ).unwrap().resource, RESOURCE);
}

#[test]
fn the_metadata_say_where_it_is() {
    let registry = Registry::new(Vec::new()).with_built_in(channel::api(ISSUER));
    let document = |line| -> Value { serde_json::from_str(&metadata(ISSUER, &registry, &[], line)).unwrap() };
    let with_line = document(Some("tls://id.example:8885"));
    assert_eq!(with_line["scopes_supported"], json!(["openid", "profile", "offline_access", READ, WRITE]));
    assert_eq!(with_line["channel_event_endpoint"], "https://id.example/topics/{topic}/events");
    assert_eq!(with_line["channel_socket_endpoint"], "wss://id.example/channel");
    assert_eq!(with_line["channel_line_endpoint"], "tls://id.example:8885");
    assert_eq!(document(None).get("channel_line_endpoint"), None);
}
