//! Sealing: kinds, realms and keys that never open each other's tokens, and the master key.

use fujie_core::{
    id::Id,
    key::{KeyFacts, KeyUse},
    secret::{Digest, Kind, Secret},
    token::{
        at_rest::AtRest,
        code::Code,
        key_ring::KeyRing,
        refresh_token::RefreshToken,
        seal::{MasterKey, Realm, SealError, SealingKey, open},
    },
};

use crate::house::{START, Seeded, house, master, realm, ring, stored};

const SEALED: [Kind; 5] = [Kind::AccessToken, Kind::AuthorizationCode, Kind::Resume, Kind::Flow, Kind::Callback];

#[test]
fn a_token_of_one_kind_is_never_another() {
    let (ring, mut random) = (ring(), Seeded(3));
    for kind in Kind::ALL {
        let text = match kind {
            Kind::RefreshToken => {
                RefreshToken { grant: Id::from_bytes([1; 16]), generation: 0 }.write(START, &ring).unwrap()
            }
            Kind::Csrf => ring.csrf(&["a"], START).unwrap(),
            kind if SEALED.contains(&kind) => ring.seal(kind, b"record", START, &mut random).unwrap(),
            kind => Secret::random(kind, &mut random).expose().to_owned(),
        };
        let body = kind.read(&text).unwrap();
        for other in Kind::ALL.into_iter().filter(|other| *other != kind) {
            assert_eq!(other.read(&text), None, "{kind:?} as {other:?}");
            assert_eq!(Digest::of_token(other, &text), None, "{kind:?} as {other:?}");
            assert_eq!(ring.open(other, &text), None, "{kind:?} as {other:?}");
            // The attacker spells the same bytes anew, checksum and all.
            let respelled = other.spell(&body);
            assert_eq!(other.read(&respelled).as_deref(), Some(body.as_slice()));
            assert_eq!(ring.open(other, &respelled), None, "{kind:?} respelled as {other:?}");
            assert_ne!(Digest::of_token(other, &respelled), Some(Digest::of(kind, &text)));
            if other == Kind::RefreshToken {
                assert_eq!(RefreshToken::read(&respelled, &ring), None);
            }
            assert!(!ring.csrf_matches(&respelled, &["a"]));
        }
    }
}

#[test]
fn every_kind_has_its_own_prefix_and_spells_canonically() {
    let prefixes: std::collections::HashSet<_> = Kind::ALL.iter().map(|kind| kind.prefix()).collect();
    assert_eq!(prefixes.len(), Kind::ALL.len());
    for kind in Kind::ALL {
        assert!(kind.prefix().starts_with("fj_") && kind.prefix().len() == 6 && kind.prefix().ends_with('_'));
        for length in 0..100 {
            let body = vec![0xC3; length];
            assert_eq!(kind.read(&kind.spell(&body)), Some(body));
        }
        assert_eq!(kind.read(&kind.spell(&vec![0; 12_000])), None, "longer than any token of ours");
    }
}

#[test]
fn only_sealed_kinds_are_sealed() {
    let (ring, mut random) = (ring(), Seeded(3));
    for kind in Kind::ALL {
        let sealed = ring.seal(kind, b"x", START, &mut random);
        assert_eq!(sealed.is_some(), SEALED.contains(&kind), "{kind:?}");
        if let Some(text) = sealed {
            assert_eq!(ring.open(kind, &text).as_deref(), Some(b"x".as_slice()));
        }
    }
    assert_eq!(
        ring.open(Kind::Flow, &ring.seal(Kind::Flow, b"", START, &mut random).unwrap()).as_deref(),
        Some(b"".as_slice())
    );
}

/// The same stored keys, as another server would load them.
fn ring_in(change: impl Fn(&mut Realm)) -> KeyRing {
    let mut realm = realm();
    change(&mut realm);
    KeyRing::load(stored(), &master(), realm).unwrap()
}

#[test]
fn another_realm_opens_nothing() {
    let house = house();
    let own = &house.ring;
    let code = house.issue("shop", &[]).code;
    let refresh = RefreshToken { grant: Id::from_bytes([1; 16]), generation: 0 }.write(START, own).unwrap();
    let csrf = own.csrf(&["a"], START).unwrap();
    let opens = |ring: &KeyRing| {
        let sealed = SEALED.iter().filter(|kind| {
            let text = own.seal(**kind, b"record", START, &mut house.random()).unwrap();
            ring.open(**kind, &text).is_some()
        });
        let sealed = sealed.count();
        let code = Code::read(&code, ring).is_some();
        (sealed, code, RefreshToken::read(&refresh, ring).is_some(), ring.csrf_matches(&csrf, &["a"]))
    };
    assert_eq!(opens(&ring_in(|_| {})), (SEALED.len(), true, true, true));
    let nothing = (0, false, false, false);
    assert_eq!(opens(&ring_in(|realm| realm.issuer = "https://id.example/".to_owned())), nothing);
    assert_eq!(opens(&ring_in(|realm| realm.issuer = "https://evil.test".to_owned())), nothing);
    assert_eq!(opens(&ring_in(|realm| realm.instance = Id::from_bytes([8; 16]))), nothing);
    assert_eq!(opens(&ring_in(|realm| realm.epoch += 1)), nothing);
}

#[test]
fn the_wrong_master_key_is_told() {
    for wrong in [[0; 32], [8; 32]] {
        let error = KeyRing::load(stored(), &MasterKey::new(&wrong).unwrap(), realm()).unwrap_err();
        assert_eq!(error, SealError::WrongMasterKey);
        assert!(error.to_string().contains("master key"), "{error}");
    }
}

#[test]
fn a_stored_key_that_was_touched_does_not_load() {
    let load = |key: &fujie_core::key::StoredKey| KeyRing::load(std::slice::from_ref(key), &master(), realm()).err();
    for key in stored() {
        assert_eq!(load(key), None);
        for at in [0, 11, 12, key.sealed.len() - 1] {
            let mut touched = key.clone();
            touched.sealed[at] ^= 1;
            assert_eq!(load(&touched), Some(SealError::WrongMasterKey));
        }
        for length in [0, 11, 12, 27] {
            let mut cut = key.clone();
            cut.sealed.truncate(length);
            assert_eq!(load(&cut), Some(SealError::WrongMasterKey));
        }
        for key_use in KeyUse::ALL.into_iter().filter(|own| *own != key.facts.key_use) {
            let mut swapped = key.clone();
            swapped.facts.key_use = key_use;
            assert_eq!(load(&swapped), Some(SealError::WrongMasterKey), "a row put to another use");
        }
        let mut renamed = key.clone();
        renamed.facts.id ^= 1;
        assert_eq!(load(&renamed), Some(SealError::WrongMasterKey));
        let mut earlier = key.clone();
        earlier.facts.not_before = fujie_core::time::Timestamp::from_millis(0);
        assert_eq!(load(&earlier), Some(SealError::WrongMasterKey));
    }
}

#[test]
fn the_row_of_one_key_does_not_hold_the_material_of_another() {
    let [first, second, ..] = stored() else { panic!("two keys") };
    let mut swapped = first.clone();
    swapped.sealed.clone_from(&second.sealed);
    assert_eq!(KeyRing::load(&[swapped], &master(), realm()).unwrap_err(), SealError::WrongMasterKey);
}

#[test]
fn a_secret_at_rest_opens_as_what_it_is_and_in_its_own_row() {
    let secret = Secret::new("It's a secret 🌟".to_owned());
    for kind in AtRest::ALL {
        let seal = |seed| master().seal_secret(kind, "row", &secret, &mut Seeded(seed)).unwrap();
        let sealed = seal(1);
        assert_eq!(master().open_secret(kind, "row", &sealed).unwrap(), secret);
        assert_ne!(sealed, seal(2), "two seals of one secret do not look alike");
        let opens = |kind, row, sealed: &[u8]| master().open_secret(kind, row, sealed).is_ok();
        assert!(!opens(kind, "other row", &sealed));
        assert!(AtRest::ALL.into_iter().all(|other| other == kind || !opens(other, "row", &sealed)));
        assert!((0..sealed.len()).all(|at| {
            let mut touched = sealed.clone();
            touched[at] ^= 1;
            !opens(kind, "row", &touched) && !opens(kind, "row", &sealed[..at])
        }));
        let other = MasterKey::new(&[8; 32]).unwrap();
        assert_eq!(other.open_secret(kind, "row", &sealed), Err(SealError::WrongMasterKey));
    }
}

#[test]
fn a_key_that_names_another_opens_nothing() {
    let facts = |id: u32| KeyFacts { id, key_use: KeyUse::Seal, created_at: START, not_before: START };
    let key = |id: u32, byte: u8| SealingKey::derive(facts(id), &[byte; 32], &realm()).unwrap();
    let text = key(1, 5).seal(Kind::Resume, b"record", &mut Seeded(1)).unwrap();
    assert!(open(&[key(1, 5)], Kind::Resume, &text).is_some());
    assert!(open(&[key(2, 6), key(1, 5)], Kind::Resume, &text).is_some());
    assert!(open(&[], Kind::Resume, &text).is_none());
    assert!(open(&[key(2, 5)], Kind::Resume, &text).is_none());
    assert!(open(&[key(1, 6)], Kind::Resume, &text).is_none());
    // The id in the token is authenticated: the right material under another id does not open it.
    let mut body = Kind::Resume.read(&text).unwrap();
    body[0] = 2;
    assert!(open(&[key(2, 5)], Kind::Resume, &Kind::Resume.spell(&body)).is_none());
}

#[test]
fn nothing_secret_is_printed() {
    let (ring, secret) = (ring(), Secret::random(Kind::Session, &mut Seeded(2)));
    let printed = format!("{ring:?} {:?} {secret:?} {:?}", master(), Digest::of(Kind::Session, secret.expose()));
    assert!(printed.contains("[redacted]"));
    for hidden in [secret.expose(), "07070707", "[7, 7"] {
        assert!(!printed.contains(hidden), "{hidden}");
    }
    assert_eq!(secret, Secret::new(secret.expose().to_owned()));
    assert_ne!(secret, Secret::random(Kind::Session, &mut Seeded(3)));
}

#[test]
fn a_form_token_fits_its_browser_and_its_form() {
    let ring = ring();
    let text = ring.csrf(&["session", "resume"], START).unwrap();
    assert!(ring.csrf_matches(&text, &["session", "resume"]));
    for other in [
        &["session", "resumf"][..],
        &["session"],
        &["sessionresume"],
        &["sessio", "nresume"],
        &["resume", "session"],
        &[],
        &["session", "resume", ""],
    ] {
        assert!(!ring.csrf_matches(&text, other), "{other:?}");
    }
    for junk in ["", "x", "fj_cf_", &Kind::Csrf.spell(&[]), &Kind::Csrf.spell(&[0; 36]), &text[..text.len() - 1]] {
        assert!(!ring.csrf_matches(junk, &["session", "resume"]), "{junk}");
    }
}

#[test]
fn a_random_secret_has_256_bits_and_no_other_length() {
    for length in [0, 1, 16, 31, 33, 64] {
        assert_eq!(Digest::of_token(Kind::Session, &Kind::Session.spell(&vec![1; length])), None, "{length}");
    }
    assert!(Digest::of_token(Kind::Session, &Kind::Session.spell(&[1; 32])).is_some());
}
