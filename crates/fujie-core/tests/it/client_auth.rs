//! Client authentication (RFC 6749 §2.3): one method, the right secret, and no hint which part was wrong.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fujie_core::{
    client::Client,
    error::{ErrorCode, WireError as _},
    grant::ClientAuth,
    request::client_auth::{ClientAuthError, authenticate},
    secret::{Digest, Kind},
};

use crate::house::{House, basic, body, house, house_where, secret_of};

const FAILED_IN_BODY: ClientAuthError = ClientAuthError::Failed { by_header: false };
const FAILED_IN_HEADER: ClientAuthError = ClientAuthError::Failed { by_header: true };

fn check(
    house: &House,
    header: Option<&str>,
    pairs: &[(&str, &str)],
    expected: Result<(&str, ClientAuth), ClientAuthError>,
) {
    let found = authenticate(&house.registry, header, &body(pairs));
    let found = found.map(|own| (own.client().id.clone(), own.method()));
    assert_eq!(found, expected.map(|(id, method)| (id.to_owned(), method)), "{header:?} {pairs:?}");
}

#[test]
fn a_confidential_client_shows_its_secret_in_header_or_body() {
    let house = house();
    let secret = secret_of("shop");
    let ok = Ok(("shop", ClientAuth::Secret));
    check(&house, None, &[("client_id", "shop"), ("client_secret", &secret)], ok.clone());
    check(&house, Some(&basic("shop", &secret)), &[], ok.clone());
    check(&house, Some(&basic("shop", &secret)), &[("client_id", "shop")], ok.clone());
    check(&house, Some(&basic("shop", &secret).replace("Basic", "bAsIc")), &[], ok);
}

#[test]
fn a_public_client_names_itself_and_nothing_more() {
    let house = house();
    let ok = Ok(("spa", ClientAuth::None));
    check(&house, None, &[("client_id", "spa")], ok.clone());
    check(&house, Some(&basic("spa", "")), &[], ok);
    for secret in [secret_of("spa"), secret_of("shop"), "x".to_owned()] {
        check(&house, None, &[("client_id", "spa"), ("client_secret", &secret)], Err(FAILED_IN_BODY));
        check(&house, Some(&basic("spa", &secret)), &[], Err(FAILED_IN_HEADER));
    }
}

#[test]
fn a_confidential_client_without_its_secret_is_not_a_public_one() {
    let house = house();
    let secret = secret_of("shop");
    let (shorter, longer) = (&secret[..secret.len() - 1], format!("{secret}A"));
    let spaced = format!(" {secret}");
    let digest = Digest::of(Kind::ClientSecret, &secret);
    let hex: String = digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    for wrong in ["", "x", shorter, &longer, &spaced, &hex, &secret.to_uppercase(), &secret_of("other")] {
        check(&house, None, &[("client_id", "shop"), ("client_secret", wrong)], Err(FAILED_IN_BODY));
        check(&house, Some(&basic("shop", wrong)), &[], Err(FAILED_IN_HEADER));
    }
}

#[test]
fn a_token_of_another_kind_is_no_client_secret() {
    // Even a digest that was stored under the wrong kind by mistake does not let it in.
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::ClientSecret) {
        let text = kind.spell(&[5; 32]);
        let house =
            house_where(|client| client.secrets = vec![Digest::of(kind, &text), Digest::of(Kind::ClientSecret, &text)]);
        check(&house, None, &[("client_id", "shop"), ("client_secret", &text)], Err(FAILED_IN_BODY));
    }
}

#[test]
fn nobody_learns_whether_a_client_exists_or_is_disabled() {
    let house = house();
    let told = |id: &str| {
        let error =
            authenticate(&house.registry, None, &body(&[("client_id", id), ("client_secret", "x")])).unwrap_err();
        (error.code(), error.error_description(), error.challenges_basic())
    };
    let expected = (ErrorCode::InvalidClient, "client authentication failed".to_owned(), false);
    assert_eq!(told("nobody"), expected);
    assert_eq!(told("shop"), expected);
    assert_eq!(told("closed"), expected);
    check(&house, None, &[("client_id", "closed"), ("client_secret", &secret_of("closed"))], Err(FAILED_IN_BODY));
}

#[test]
fn two_methods_in_one_request_are_refused() {
    let house = house();
    let secret = secret_of("shop");
    let header = basic("shop", &secret);
    check(&house, Some(&header), &[("client_secret", &secret)], Err(ClientAuthError::TwoMethods));
    check(
        &house,
        Some(&header),
        &[("client_id", "shop"), ("client_secret", &secret)],
        Err(ClientAuthError::TwoMethods),
    );
    check(&house, Some(&header), &[("client_id", "other")], Err(ClientAuthError::TwoMethods));
    check(
        &house,
        Some(&basic("spa", "")),
        &[("client_id", "shop"), ("client_secret", &secret)],
        Err(ClientAuthError::TwoMethods),
    );
    assert_eq!(ClientAuthError::TwoMethods.code(), ErrorCode::InvalidRequest);
}

#[test]
fn a_header_that_is_not_basic_is_not_replaced_by_the_body() {
    let house = house();
    let secret = secret_of("shop");
    let own = [("client_id", "shop"), ("client_secret", secret.as_str())];
    let not_utf8 = format!("Basic {}", STANDARD.encode(b"shop:\xff"));
    let without_colon = format!("Basic {}", STANDARD.encode("shop"));
    let long = format!("Basic {}", STANDARD.encode("x".repeat(1600)));
    let two = basic("shop&client_secret=x", &secret);
    let broken = basic("shop%", &secret);
    let unpadded = basic("shop", &secret).trim_end_matches('=').to_owned() + "=A";
    for header in
        ["", "Basic", "Bearer x", "Basic !!", "Digest a=b", &not_utf8, &without_colon, &long, &two, &broken, &unpadded]
    {
        check(&house, Some(header), &own, Err(ClientAuthError::Header));
    }
}

#[test]
fn id_and_secret_in_a_header_are_form_urlencoded_first() {
    let odd = |client: &mut Client| {
        if client.id == "shop" {
            client.id = "a:b c+ä".to_owned();
        }
    };
    let house = house_where(odd);
    let secret = secret_of("shop");
    check(&house, Some(&basic("a%3Ab+c%2B%C3%A4", &secret)), &[], Ok(("a:b c+ä", ClientAuth::Secret)));
    check(&house, Some(&basic("a:b c+ä", &secret)), &[], Err(FAILED_IN_HEADER));
}

#[test]
fn two_secrets_are_good_while_they_are_exchanged() {
    let next = Kind::ClientSecret.spell(&[8; 32]);
    let house = house_where(|client| client.secrets.push(Digest::of(Kind::ClientSecret, &next)));
    for secret in [secret_of("shop"), next.clone()] {
        check(&house, None, &[("client_id", "shop"), ("client_secret", &secret)], Ok(("shop", ClientAuth::Secret)));
    }
}

#[test]
fn a_missing_client_is_told_what_is_missing() {
    let house = house();
    check(&house, None, &[], Err(ClientAuthError::Missing));
    check(&house, None, &[("client_secret", "x")], Err(ClientAuthError::Missing));
    check(&house, None, &[("client_id", "")], Err(ClientAuthError::Missing));
    let told = |error: &ClientAuthError| (error.code().as_str(), error.code().status(), error.challenges_basic());
    assert_eq!(told(&ClientAuthError::Missing), ("invalid_client", 401, false));
    assert_eq!(told(&FAILED_IN_HEADER), ("invalid_client", 401, true));
    assert_eq!(told(&ClientAuthError::Header), ("invalid_client", 401, true));
    assert_eq!(told(&ClientAuthError::TwoMethods), ("invalid_request", 400, false));
}
