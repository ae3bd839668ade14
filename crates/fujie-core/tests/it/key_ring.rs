//! The key ring through time: who serves, who is published, who still opens.

use fujie_core::{
    jose::jws::Algorithm,
    key::{KeyFacts, KeyUse, StoredKey, schedule, serving},
    secret::Kind,
    time::Timestamp,
    token::{key_ring::KeyRing, refresh_token::RefreshToken},
};
use serde_json::Value;

use crate::house::{START, Seeded, days, house, master, realm, ring, seconds, stored};

fn key(key_use: KeyUse, id_seed: u64, not_before: Timestamp) -> StoredKey {
    KeyRing::make(key_use, not_before, START, &master(), &mut Seeded(id_seed)).unwrap()
}

#[test]
fn published_keys_have_no_private_members() {
    let ring = ring();
    let jwks: Value = serde_json::from_str(ring.jwks()).unwrap();
    assert_eq!(jwks.as_object().unwrap().len(), 1);
    let mut seen = Vec::new();
    for jwk in jwks["keys"].as_array().unwrap() {
        let names: Vec<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        let text = |name: &str| jwk[name].as_str().unwrap().to_owned();
        let expected: &[&str] = match text("kty").as_str() {
            "EC" => &["alg", "crv", "kid", "kty", "use", "x", "y"],
            "OKP" => &["alg", "crv", "kid", "kty", "use", "x"],
            _ => &["alg", "e", "kid", "kty", "n", "use"],
        };
        let mut sorted = names;
        sorted.sort_unstable();
        assert_eq!(sorted, expected);
        assert_eq!(text("use"), "sig");
        assert_eq!(text("kid").len(), 8);
        seen.push(text("alg"));
    }
    seen.sort_unstable();
    assert_eq!(seen, ["ES256", "EdDSA", "RS256"], "sealing and refresh keys are nobody's business");
}

#[test]
fn a_successor_is_published_before_it_signs() {
    let next = key(KeyUse::Es256, 5, START + seconds(100));
    let ring = KeyRing::load(&[stored(), std::slice::from_ref(&next)].concat(), &master(), realm()).unwrap();
    let kid = format!("{:08x}", next.facts.id);
    assert!(ring.jwks().contains(&kid));
    assert_ne!(ring.signer(Algorithm::Es256, START + seconds(99)).unwrap().kid(), kid);
    assert_eq!(ring.signer(Algorithm::Es256, START + seconds(100)).unwrap().kid(), kid);
}

#[test]
fn what_an_older_key_made_is_still_opened() {
    let next = [key(KeyUse::Seal, 6, START + seconds(100)), key(KeyUse::Refresh, 7, START + seconds(100))];
    let ring = KeyRing::load(&[stored(), &next].concat(), &master(), realm()).unwrap();
    for now in [START, START + seconds(200)] {
        let text = ring.seal(Kind::Resume, b"x", now, &mut Seeded(1)).unwrap();
        assert!(ring.open(Kind::Resume, &text).is_some());
        let refresh = RefreshToken { grant: fujie_core::id::Id::new(now, &mut Seeded(1)), generation: 3 };
        assert_eq!(RefreshToken::read(&refresh.write(now, &ring).unwrap(), &ring), Some(refresh));
        assert!(ring.csrf_matches(&ring.csrf(&["a"], now).unwrap(), &["a"]));
    }
    assert_ne!(ring.refresh(START).unwrap().0, ring.refresh(START + seconds(200)).unwrap().0);
}

#[test]
fn what_a_deleted_key_made_is_junk() {
    let text = ring().seal(Kind::Resume, b"x", START, &mut Seeded(1)).unwrap();
    let refresh = RefreshToken { grant: fujie_core::id::Id::new(START, &mut Seeded(1)), generation: 3 };
    let refresh = refresh.write(START, &ring()).unwrap();
    let fresh = [key(KeyUse::Seal, 8, START), key(KeyUse::Refresh, 9, START)];
    let later = KeyRing::load(&fresh, &master(), realm()).unwrap();
    assert_eq!(later.open(Kind::Resume, &text), None);
    assert_eq!(RefreshToken::read(&refresh, &later), None);
}

#[test]
fn without_a_key_nothing_is_made_and_nothing_panics() {
    let empty = KeyRing::load(&[], &master(), realm()).unwrap();
    assert_eq!(empty.jwks(), r#"{"keys":[]}"#);
    assert_eq!(empty.seal(Kind::Flow, b"x", START, &mut Seeded(1)), None);
    assert_eq!(empty.csrf(&[], START), None);
    assert!(empty.refresh(START).is_none());
    assert!(empty.algorithms(START).is_empty());
    let early = ring();
    let long_ago = Timestamp::from_seconds(START.seconds() - 3601);
    assert!(early.seal(Kind::Flow, b"x", long_ago, &mut Seeded(1)).is_none(), "no key serves before its time");
    assert_eq!(early.algorithms(START), Algorithm::ALL);
}

#[test]
fn every_algorithm_signs_what_the_published_key_verifies() {
    let house = house();
    for algorithm in Algorithm::ALL {
        let text = house.ring.signer(algorithm, START).unwrap().sign("JWT", br#"{"a":"b"}"#).unwrap();
        let (header, claims) = house.jwt(&text);
        assert_eq!((header["alg"].as_str(), claims["a"].as_str()), (Some(algorithm.as_str()), Some("b")));
        assert!(house.ring.verify(&text, "JWT").is_some());
        assert!(house.ring.verify(&text, "at+jwt").is_none());
    }
}

#[test]
fn a_key_of_another_algorithm_is_not_used_for_this_one() {
    // The header names the ES256 key and another algorithm: the key decides, not the header.
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let ring = ring();
    let kid = ring.signer(Algorithm::Es256, START).unwrap().kid();
    let text = ring.signer(Algorithm::EdDsa, START).unwrap().sign("JWT", b"{}").unwrap();
    let (_, rest) = text.split_once('.').unwrap();
    for alg in ["ES256", "EdDSA", "RS256", "HS256", "none"] {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"{kid}"}}"#));
        assert!(ring.verify(&format!("{header}.{rest}"), "JWT").is_none(), "{alg}");
    }
    for header in [r#"{"alg":"EdDSA","typ":"JWT"}"#, r#"{"alg":"EdDSA","typ":"JWT","kid":"ffffffff"}"#, "[]", "{"] {
        assert!(ring.verify(&format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header)), "JWT").is_none(), "{header}");
    }
}

#[test]
fn the_key_for_push_services_stays_and_signs_nothing_else() {
    let ring = ring();
    let text = ring.vapid(START).unwrap().sign("JWT", b"{}").unwrap();
    assert!(ring.verify(&text, "JWT").is_none(), "what it signed is no token of ours");
    let years_later = START + days(20 * 365);
    assert_eq!(ring.vapid(START).unwrap().jwk(), ring.vapid(years_later).unwrap().jwk());
    let facts: Vec<_> = ring.facts().iter().copied().filter(|key| key.key_use == KeyUse::Vapid).collect();
    assert_eq!(schedule(&facts, &[KeyUse::Vapid], years_later), Default::default());
}

#[test]
fn the_order_of_rows_does_not_choose_the_key() {
    // Two nodes that start at the same time may make one key each.
    let facts = |id: u32| KeyFacts { id, key_use: KeyUse::Refresh, created_at: START, not_before: START };
    let chosen = |ids: [u32; 3]| serving(&ids.map(facts), KeyUse::Refresh, START).unwrap().id;
    assert_eq!(chosen([1, 2, 3]), chosen([3, 2, 1]));
    assert_eq!(chosen([1, 2, 3]), chosen([2, 3, 1]));
}

#[test]
fn a_header_with_crit_is_not_understood() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use fujie_core::jose::jws::Unverified;
    let is_read = |header: &str| Unverified::read(&format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(header))).is_some();
    assert!(is_read(r#"{"alg":"ES256","typ":"JWT","kid":"k"}"#));
    assert!(!is_read(r#"{"alg":"ES256","typ":"JWT","kid":"k","crit":["b64"],"b64":false}"#));
    assert!(!is_read(r#"{"alg":"ES256","typ":"JWT","kid":"k","kid":"l"}"#), "a member that stands twice");
}

/// The longest life of what a key of this use makes.
fn longest_life(key_use: KeyUse) -> fujie_core::time::Lifetime {
    match key_use {
        KeyUse::Seal => days(1),
        KeyUse::Refresh => days(365),
        KeyUse::Es256 | KeyUse::EdDsa | KeyUse::Rs256 => days(1),
        KeyUse::Vapid => days(3650),
    }
}

/// Runs the schedule for two years in steps of `step`, and checks that nobody is ever without a key or loses one early.
fn run(step: fujie_core::time::Lifetime) {
    let mut keys: Vec<KeyFacts> = Vec::new();
    let mut last_used: std::collections::HashMap<u32, Timestamp> = Default::default();
    let (mut now, mut next_id) = (START, 1);
    while now < START + days(730) {
        let plan = schedule(&keys, &KeyUse::ALL, now);
        for id in &plan.delete {
            let own = keys.iter().find(|key| key.id == *id).unwrap();
            let used = last_used.get(id).copied().unwrap_or(own.created_at);
            assert!(used + longest_life(own.key_use) <= now, "{:?} deleted at {now:?}, used at {used:?}", own.key_use);
        }
        keys.retain(|key| !plan.delete.contains(&key.id));
        for (key_use, not_before) in plan.make {
            let is_first = !keys.iter().any(|key| key.key_use == key_use);
            assert!(is_first || not_before >= now + seconds(60), "{key_use:?} published too late");
            keys.push(KeyFacts { id: next_id, key_use, created_at: now, not_before });
            next_id += 1;
        }
        for key_use in KeyUse::ALL {
            let own = serving(&keys, key_use, now).unwrap();
            last_used.insert(own.id, now);
        }
        assert!(keys.len() < 40, "{} keys", keys.len());
        now = now + step;
    }
}

#[test]
fn two_years_of_keys_leave_nobody_without_one() {
    run(seconds(1800));
    run(seconds(50_000));
    run(days(10));
}
