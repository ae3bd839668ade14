//! Every truncation, extension, case fold and bit flip of every kind of token (what a forger would try first).

use fujie_core::{
    id::Id,
    secret::{Digest, Kind, Secret},
    token::{access_token::AccessToken, code::Code, introspect::Presented, refresh_token::RefreshToken},
};

use crate::house::{House, START, Seeded, house};

/// Every text one careless or hostile step away from `token`, without `token` itself.
fn mutants(token: &str) -> Vec<String> {
    let mut list = Vec::new();
    for at in 0..token.len() {
        list.push(token[..at].to_owned());
        list.push(token[at..].chars().skip(1).collect());
        list.push(format!("{}{}", &token[..at], &token[at + 1..]));
        list.push(format!("{}{}", &token[..=at], &token[at..]));
        for bit in 0..8 {
            let mut bytes = token.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            list.extend(String::from_utf8(bytes));
        }
        let mut folded = token.as_bytes().to_vec();
        folded[at] = if folded[at].is_ascii_lowercase() {
            folded[at].to_ascii_uppercase()
        } else {
            folded[at].to_ascii_lowercase()
        };
        list.extend(String::from_utf8(folded));
    }
    for more in ["A", "=", "==", ".", " ", "\n", "\0", "-", "_", "AAAA", "%00", "é"] {
        list.push(format!("{token}{more}"));
        list.push(format!("{more}{token}"));
    }
    list.push(token.to_uppercase());
    list.push(token.to_lowercase());
    list.push(format!("{token}{token}"));
    list.push(token.replace('_', "/").replace('-', "+"));
    list.push(token.chars().rev().collect());
    list.retain(|mutant| mutant != token);
    list
}

fn refused(token: &str, is_read: impl Fn(&str) -> bool) {
    assert!(is_read(token), "the token itself is good");
    let mutants = mutants(token);
    assert!(mutants.len() > token.len() * 10);
    for mutant in mutants {
        assert!(!is_read(&mutant), "{mutant:?} instead of {token:?}");
    }
}

fn access_tokens(house: &House) -> [String; 2] {
    ["openid", "openid read"].map(|scope| {
        let (_, response) = house.redeemed("shop", &[("scope", scope)]);
        response["access_token"].as_str().unwrap().to_owned()
    })
}

#[test]
fn every_mutant_of_an_opaque_access_token_is_refused() {
    let house = house();
    let [opaque, _] = access_tokens(&house);
    refused(&opaque, |text| AccessToken::read(text, &house.ring).is_some());
    refused(&opaque, |text| Presented::read(text, &house.ring) != Presented::Unknown);
}

#[test]
fn every_mutant_of_a_jwt_access_token_is_refused() {
    let house = house();
    let [_, jwt] = access_tokens(&house);
    refused(&jwt, |text| AccessToken::read(text, &house.ring).is_some());
}

#[test]
fn every_mutant_of_a_code_is_refused() {
    let house = house();
    refused(&house.issue("shop", &[]).code, |text| Code::read(text, &house.ring).is_some());
}

#[test]
fn every_mutant_of_a_refresh_token_is_refused() {
    let house = house();
    let token = RefreshToken { grant: Id::from_bytes([0xE1; 16]), generation: 77 };
    refused(&token.write(START, &house.ring).unwrap(), |text| RefreshToken::read(text, &house.ring).is_some());
}

#[test]
fn every_mutant_of_a_sealed_request_or_flow_is_refused() {
    let house = house();
    for kind in [Kind::Resume, Kind::Flow] {
        let text = house.ring.seal(kind, b"response_type=code", START, &mut house.random()).unwrap();
        refused(&text, |text| house.ring.open(kind, text).is_some());
    }
}

#[test]
fn every_mutant_of_a_form_token_is_refused() {
    let house = house();
    refused(&house.ring.csrf(&["a", "b"], START).unwrap(), |text| house.ring.csrf_matches(text, &["a", "b"]));
}

#[test]
fn every_mutant_of_a_random_secret_is_refused_before_any_lookup() {
    for kind in [Kind::Session, Kind::Browser, Kind::BindTicket, Kind::ClientSecret, Kind::SetupLink] {
        let secret = Secret::random(kind, &mut Seeded(11));
        refused(secret.expose(), |text| Digest::of_token(kind, text).is_some());
        assert_eq!(secret.expose().len(), 6 + 48);
    }
}

/// The body changed, and the checksum made good again: now the seal itself must hold.
#[test]
fn a_flipped_bit_under_a_good_checksum_is_refused() {
    let house = house();
    let [opaque, _] = access_tokens(&house);
    let refresh = RefreshToken { grant: Id::from_bytes([0xE1; 16]), generation: 0 }.write(START, &house.ring).unwrap();
    let csrf = house.ring.csrf(&["a"], START).unwrap();
    let code = house.issue("shop", &[]).code;
    type Read<'a> = &'a dyn Fn(&str) -> bool;
    let cases: [(Kind, String, Read<'_>); 4] = [
        (Kind::AccessToken, opaque, &|text| AccessToken::read(text, &house.ring).is_some()),
        (Kind::AuthorizationCode, code, &|text| Code::read(text, &house.ring).is_some()),
        (Kind::RefreshToken, refresh, &|text| RefreshToken::read(text, &house.ring).is_some()),
        (Kind::Csrf, csrf, &|text| house.ring.csrf_matches(text, &["a"])),
    ];
    for (kind, text, is_read) in cases {
        let body = kind.read(&text).unwrap();
        assert!(is_read(&kind.spell(&body)));
        for at in 0..body.len() {
            for bit in 0..8 {
                let mut forged = body.clone();
                forged[at] ^= 1 << bit;
                assert!(!is_read(&kind.spell(&forged)), "{kind:?}: bit {bit} of byte {at}");
            }
            assert!(!is_read(&kind.spell(&body[..at])), "{kind:?}: cut to {at}");
        }
        for more in [&[0][..], &[0; 16], &body] {
            assert!(!is_read(&kind.spell(&[body.as_slice(), more].concat())));
        }
    }
}

#[test]
fn junk_never_panics() {
    let house = house();
    let mut random = Seeded(21);
    for length in 0..3_000 {
        let bytes = fujie_core::random::bytes::<96>(&mut random);
        let text: String = bytes.iter().take(length % 97).map(|byte| char::from(byte % 128)).collect();
        for text in [text.clone(), format!("fj_at_{text}"), format!("fj_rt_{text}"), format!("fj_ac_{text}")] {
            assert_eq!(Presented::read(&text, &house.ring), Presented::Unknown);
            assert_eq!(Code::read(&text, &house.ring), None);
        }
        for kind in [Kind::AccessToken, Kind::AuthorizationCode, Kind::RefreshToken, Kind::Csrf] {
            let spelled = kind.spell(&bytes[..length % 97]);
            assert_eq!(Presented::read(&spelled, &house.ring), Presented::Unknown);
            assert!(!house.ring.csrf_matches(&spelled, &[]));
        }
    }
}
