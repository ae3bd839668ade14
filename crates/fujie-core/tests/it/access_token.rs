//! Access tokens in both forms (RFC 9068 and sealed), and what is no access token although it is signed.

use fujie_core::{
    client::TokenForm,
    jose::jws::Algorithm,
    token::access_token::{AccessToken, Audience, Subject},
};
use serde_json::{Value, json};

use crate::house::{API, House, ISSUER, START, VAULT, house, house_where, scope, seconds};

/// One of each form, with all fields told apart.
fn sample(house: &House) -> (AccessToken, Subject) {
    let (grant, _) = house.redeemed("shop", &[("scope", "openid read")]);
    let token = AccessToken {
        id: [0xA5; 16],
        grant: Some(grant.id),
        client: "shop".to_owned(),
        client_epoch: 3,
        scope: scope("openid read"),
        audience: vec![API.to_owned(), ISSUER.to_owned()],
        issued_at: START,
        expires_at: START + seconds(600),
    };
    (token, Subject::of_grant(&grant))
}

#[test]
fn a_jwt_says_exactly_this() {
    let house = house();
    let (token, subject) = sample(&house);
    for algorithm in Algorithm::ALL {
        let text = token.write(TokenForm::Jwt(algorithm), &subject, &house.ring, &mut house.random()).unwrap();
        let (header, claims) = house.jwt(&text);
        let kid = house.ring.signer(algorithm, START).unwrap().kid().to_owned();
        assert_eq!(header, json!({"alg": algorithm.as_str(), "typ": "at+jwt", "kid": kid}));
        let expected = json!({
            "iss": ISSUER,
            "sub": house.account().id.to_string(),
            "aud": [API, ISSUER],
            "exp": START.seconds() + 600,
            "iat": START.seconds(),
            "jti": claims["jti"],
            "client_id": "shop",
            "scope": "openid read",
            "auth_time": START.seconds() - 100,
            "amr": ["pwd", "mfa"],
        });
        assert_eq!(claims, expected);
        assert_eq!(AccessToken::read(&text, &house.ring).unwrap(), token);
    }
}

#[test]
fn an_opaque_token_is_read_back_and_says_nothing_to_others() {
    let house = house();
    let (token, subject) = sample(&house);
    for token in [AccessToken { grant: None, audience: Vec::new(), scope: scope(""), ..token.clone() }, token] {
        let text = token.write(TokenForm::Opaque, &subject, &house.ring, &mut house.random()).unwrap();
        assert_eq!(AccessToken::read(&text, &house.ring).unwrap(), token);
        let bytes = fujie_core::secret::Kind::AccessToken.read(&text).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"shop"));
        assert!(text.len() < 400, "{}", text.len());
    }
}

#[test]
fn equal_tokens_never_spell_alike() {
    let house = house();
    let (token, subject) = sample(&house);
    let texts: std::collections::HashSet<_> = (0..1_000)
        .map(|_| token.write(TokenForm::Opaque, &subject, &house.ring, &mut house.random()).unwrap())
        .collect();
    assert_eq!(texts.len(), 1_000);
}

/// A token with these claims, signed by our own key.
fn signed(house: &House, typ: &str, claims: &Value) -> String {
    let key = house.ring.signer(Algorithm::Es256, START).unwrap();
    key.sign(typ, claims.to_string().as_bytes()).unwrap()
}

#[test]
fn a_claim_that_is_missing_or_of_another_type_makes_no_token() {
    let house = house();
    let (token, subject) = sample(&house);
    let text = token.write(TokenForm::Jwt(Algorithm::Es256), &subject, &house.ring, &mut house.random()).unwrap();
    let (_, claims) = house.jwt(&text);
    assert!(AccessToken::read(&signed(&house, "at+jwt", &claims), &house.ring).is_some());
    for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        let mut without = claims.clone();
        without.as_object_mut().unwrap().remove(name);
        assert!(AccessToken::read(&signed(&house, "at+jwt", &without), &house.ring).is_none(), "{name}");
        for value in [json!(null), json!(1.5), json!([1]), json!({}), json!(true), json!("")] {
            let mut changed = claims.clone();
            changed[name] = value.clone();
            let is_empty_text = value == json!("") && ["sub", "client_id"].contains(&name);
            let read = AccessToken::read(&signed(&house, "at+jwt", &changed), &house.ring);
            assert!(read.is_none() || is_empty_text, "{name} {value}");
        }
    }
    for exp in [json!("1800000600"), json!(1e30), json!(1_800_000_600.5)] {
        let mut changed = claims.clone();
        changed["exp"] = exp.clone();
        assert!(AccessToken::read(&signed(&house, "at+jwt", &changed), &house.ring).is_none(), "{exp}");
    }
}

#[test]
fn another_jwt_of_ours_is_no_access_token() {
    let house = house();
    let (token, subject) = sample(&house);
    let text = token.write(TokenForm::Jwt(Algorithm::Es256), &subject, &house.ring, &mut house.random()).unwrap();
    let (_, claims) = house.jwt(&text);
    for typ in ["JWT", "jwt", "", "logout+jwt", "dpop+jwt", "at+jwt2", "application/at+jwt"] {
        assert!(AccessToken::read(&signed(&house, typ, &claims), &house.ring).is_none(), "{typ}");
    }
    let (_, response) = house.redeemed("shop", &[]);
    assert!(AccessToken::read(response["id_token"].as_str().unwrap(), &house.ring).is_none());
}

#[test]
fn a_jwt_of_another_issuer_is_no_token_here() {
    let house = house();
    let (token, subject) = sample(&house);
    let text = token.write(TokenForm::Jwt(Algorithm::Es256), &subject, &house.ring, &mut house.random()).unwrap();
    let (_, mut claims) = house.jwt(&text);
    for iss in ["https://id.example/", "https://ID.example", "http://id.example", "https://evil.test"] {
        claims["iss"] = json!(iss);
        assert!(AccessToken::read(&signed(&house, "at+jwt", &claims), &house.ring).is_none(), "{iss}");
    }
}

#[test]
fn a_token_is_current_until_expiry_and_while_its_client_stands() {
    let mut house = house();
    let (token, _) = sample(&house);
    assert!(token.is_current(&house.registry, START + seconds(599)));
    assert!(!token.is_current(&house.registry, START + seconds(600)));
    for epoch in [0, 2, 4] {
        house.change(|client| client.epoch = epoch);
        assert!(!token.is_current(&house.registry, START), "{epoch}");
    }
    let gone = AccessToken { client: "nobody".to_owned(), ..token };
    assert!(!gone.is_current(&house.registry, START));
}

#[test]
fn one_opaque_api_makes_the_token_opaque() {
    let check = |vault: TokenForm, asked: &str, resources: &[&str], form: TokenForm| {
        let house = house_where(|client| match &mut client.api {
            Some(api) if api.resource == VAULT => api.token = vault,
            _ => {}
        });
        let audience = Audience::resolve(&house.registry, &scope(asked), resources.iter().copied()).unwrap();
        assert_eq!(audience.form, form, "{asked} {resources:?}");
    };
    let (es256, eddsa, opaque) =
        (TokenForm::Jwt(Algorithm::Es256), TokenForm::Jwt(Algorithm::EdDsa), TokenForm::Opaque);
    check(opaque, "read", &[], es256);
    check(opaque, "read open", &[], opaque);
    check(opaque, "read open", &[API], es256);
    check(opaque, "openid", &[], opaque);
    check(eddsa, "open", &[], eddsa);
    check(eddsa, "read open", &[], es256);
}
