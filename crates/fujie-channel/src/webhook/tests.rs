//! Deliveries judged: the documented vectors, and what lies beside them.

use http::HeaderValue;

use super::*;

/// The example of GitHub's documentation on validating deliveries.
const SECRET: &str = "It's a Secret to Everybody";
const DELIVERY: &str = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn secrets(texts: &[&str]) -> Vec<Secret> {
    texts.iter().map(|text| Secret::new((*text).to_owned())).collect()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap()))
        .collect()
}

/// The signature of `body`, by code that is not the verifier's.
fn sign(secret: &str, body: &[u8]) -> String {
    let tag = aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes()), body);
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn github(body: &[u8], change: impl FnOnce(&mut HeaderMap)) -> Result<(String, String, String), Refusal> {
    let mut headers = headers(&[
        ("content-type", "application/json"),
        ("x-github-delivery", DELIVERY),
        ("x-github-event", "push"),
        ("x-hub-signature-256", &format!("sha256={}", sign(SECRET, body))),
        ("x-hub-signature", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59"),
    ]);
    change(&mut headers);
    let received = judge(&Kind::Github, &secrets(&["new", SECRET]), &headers, body, NOW)?;
    Ok((received.delivery, received.event_type, received.data.into_owned()))
}

/// What becomes of the headers before they are judged.
type Change = fn(&mut HeaderMap);

fn set(name: &'static str, value: &'static str) -> impl FnOnce(&mut HeaderMap) {
    move |headers| {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[test]
fn the_documented_signatures_hold_and_their_neighbours_do_not() {
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const BODY: &[u8] = b"Hello, World!";
    let verify = |secret: &str, body: &[u8], signature: &str| {
        proof::github(&secrets(&[secret]), &headers(&[("x-hub-signature-256", signature)]), body)
    };
    assert_eq!(verify(SECRET, BODY, SIGNATURE), Ok(()));
    assert_eq!(verify(SECRET, BODY, &SIGNATURE.to_uppercase().replace("SHA256", "sha256")), Ok(()));
    assert_eq!(verify(SECRET, b"Hello, World?", SIGNATURE), Err(Refusal::Mismatch));
    assert_eq!(verify("another", BODY, SIGNATURE), Err(Refusal::Mismatch));
    for malformed in [
        SIGNATURE.replace("sha256", "sha1"),
        SIGNATURE.replace("sha256=", ""),
        "sha256=".to_owned(),
        SIGNATURE[..70].to_owned(),
        format!("{SIGNATURE}0"),
        format!("sha256={}", "+f".repeat(32)),
        format!("sha256={}", "é".repeat(32)),
    ] {
        assert_eq!(verify(SECRET, BODY, &malformed), Err(Refusal::Malformed), "{malformed}");
    }
    let form = "sha256=9e518bab52dd49be0a3cab84bf12fed8157f4905144554e29e99e7d137ca8e5c";
    assert_eq!(verify(SECRET, b"payload=%7B%22zen%22%3A%22x%22%7D", form), Ok(()));
}

#[test]
fn a_github_delivery_is_received() {
    let body = r#"{"ref":"refs/heads/main","m":"你好"}"#.as_bytes();
    let expected = (DELIVERY.to_owned(), "com.github.push".to_owned(), String::from_utf8(body.to_vec()).unwrap());
    assert_eq!(github(body, |_| ()), Ok(expected.clone()));
    assert_eq!(github(body, set("content-type", "application/json; charset=utf-8")), Ok(expected));
}

#[test]
fn a_github_form_is_received_and_its_encoded_bytes_are_what_is_signed() {
    let form = set("content-type", "application/x-www-form-urlencoded");
    let (_, _, data) = github(b"payload=%7B%22zen%22%3A%22a+b%2B%E4%BD%A0%22%7D", form).unwrap();
    assert_eq!(data, r#"{"zen":"a b+你"}"#);
    for body in ["payload=%7", "payload=%zz", "payload={}&payload={}", "other={}", "payload=%ff", ""] {
        let form = set("content-type", "application/x-www-form-urlencoded");
        assert_eq!(github(body.as_bytes(), form), Err(Refusal::NotJson), "{body}");
    }
}

#[test]
fn a_forged_github_delivery_is_refused_before_anything_is_read() {
    let body = b"not even JSON";
    let refusals: [(Refusal, Change); 6] = [
        (Refusal::Sha1Only, |headers| drop(headers.remove("x-hub-signature-256"))),
        (Refusal::MissingSignature, |headers| {
            headers.remove("x-hub-signature-256");
            headers.remove("x-hub-signature");
        }),
        (Refusal::Mismatch, |headers| {
            let other = format!("sha256={}", sign("another", b"not even JSON"));
            headers.insert("x-hub-signature-256", other.parse().unwrap());
        }),
        (Refusal::Malformed, |headers| {
            let again = headers["x-hub-signature-256"].clone();
            headers.append("x-hub-signature-256", again);
        }),
        (Refusal::Malformed, |headers| set("x-hub-signature-256", "sha256=")(headers)),
        // The signature is right: only then is the body looked at.
        (Refusal::NotJson, |_| ()),
    ];
    for (refusal, change) in refusals {
        assert_eq!(github(body, change), Err(refusal));
    }
}

#[test]
fn a_github_delivery_has_names_and_a_content_type() {
    let refusals: [(Refusal, Change); 8] = [
        (Refusal::MissingDelivery, |headers| drop(headers.remove("x-github-delivery"))),
        (Refusal::MissingDelivery, |headers| {
            headers.insert("x-github-delivery", "x".repeat(129).parse().unwrap());
        }),
        (Refusal::MissingDelivery, |headers| {
            headers.append("x-github-delivery", HeaderValue::from_static("b"));
        }),
        (Refusal::MissingEvent, |headers| drop(headers.remove("x-github-event"))),
        (Refusal::MissingEvent, |headers| set("x-github-event", "Push Hook")(headers)),
        (Refusal::MissingEvent, |headers| set("x-github-event", "")(headers)),
        (Refusal::ContentType, |headers| drop(headers.remove("content-type"))),
        (Refusal::ContentType, |headers| set("content-type", "text/plain")(headers)),
    ];
    for (refusal, change) in refusals {
        assert_eq!(github(b"{}", change), Err(refusal));
    }
}

fn signed() -> Kind {
    Kind::Hmac {
        signature: HeaderName::from_static("x-signature"),
        prefix: "v1:".to_owned(),
        names: Names {
            delivery: Some(HeaderName::from_static("x-id")),
            event: Some(HeaderName::from_static("x-event")),
        },
    }
}

/// What a door for this sender is, which sends a token.
fn token(sender: sender::Sender) -> Kind {
    let header = |name: &str| HeaderName::from_bytes(name.as_bytes()).unwrap();
    let names = Names { delivery: sender.delivery.map(header), event: sender.event.map(header) };
    Kind::Token { token: header(sender.proof), names }
}

#[test]
fn any_sender_may_sign_with_a_header_of_its_own() {
    let signature = format!("v1:{}", sign("k", b"[1]"));
    let all = headers(&[("x-signature", &signature), ("x-id", "d 1"), ("x-event", "Deploy Done")]);
    let received = judge(&signed(), &secrets(&["k"]), &all, b"[1]", NOW).unwrap();
    assert_eq!((&*received.delivery, &*received.event_type, &*received.data), ("d 1", "Deploy Done", "[1]"));
    assert_eq!(received.earlier, None);
    let base64 = headers(&[("x-signature", "v1:WBWKFXamMSeBXV4r6b0snHN6rhAqDP5V3bDkRYUhpcc=")]);
    assert!(judge(&signed(), &secrets(&["k"]), &base64, b"[1]", NOW).is_ok());
    let bare = headers(&[("x-signature", &signature[3..])]);
    assert_eq!(judge(&signed(), &secrets(&["k"]), &bare, b"[1]", NOW), Err(Refusal::Malformed));
    assert_eq!(judge(&signed(), &secrets(&["k"]), &all, b"[2]", NOW), Err(Refusal::Mismatch));
    assert_eq!(judge(&signed(), &secrets(&["k"]), &headers(&[]), b"[1]", NOW), Err(Refusal::MissingSignature));
}

#[test]
fn a_sender_cannot_pass_its_events_off_as_ours() {
    let signature = format!("v1:{}", sign("k", b"1"));
    for event in ["fujie.signed_in", "notice", "com.github.push"] {
        let headers = headers(&[("x-signature", &signature), ("x-event", event)]);
        assert_eq!(judge(&signed(), &secrets(&["k"]), &headers, b"1", NOW).unwrap().event_type, "hook");
    }
}

#[test]
fn without_a_secret_nobody_is_admitted() {
    let empty = format!("v1:{}", sign("", b"1"));
    for secrets in [secrets(&[]), secrets(&[""])] {
        let headers = headers(&[("x-signature", &empty), ("x-gitlab-token", "")]);
        assert_eq!(judge(&signed(), &secrets, &headers, b"1", NOW), Err(Refusal::Mismatch));
        let mismatch = Refusal::TokenMismatch(HeaderName::from_static("x-gitlab-token"));
        assert_eq!(judge(&token(sender::GITLAB), &secrets, &headers, b"1", NOW), Err(mismatch));
    }
}

#[test]
fn gitlab_and_gitee_bring_a_token_along() {
    let gitlab = headers(&[
        ("x-gitlab-token", "s3cret"),
        ("x-gitlab-event", "Push Hook"),
        ("idempotency-key", "908a6d9e-45fd-46c8-97e6-c4f350f219dd"),
    ]);
    let received = judge(&token(sender::GITLAB), &secrets(&["old", "s3cret"]), &gitlab, b"{}", NOW).unwrap();
    assert_eq!(received.event_type, "Push Hook");
    assert_eq!(received.delivery, "908a6d9e-45fd-46c8-97e6-c4f350f219dd");
    for other in ["s3cre", "s3crets", "S3CRET", ""] {
        let gitlab = headers(&[("x-gitlab-token", other)]);
        let mismatch = Refusal::TokenMismatch(HeaderName::from_static("x-gitlab-token"));
        assert_eq!(judge(&token(sender::GITLAB), &secrets(&["s3cret"]), &gitlab, b"{}", NOW), Err(mismatch));
    }
    let gitee = headers(&[("x-gitee-token", "p\"w"), ("x-gitee-event", "Push Hook")]);
    let body = br#"{"hook_name":"push_hooks", "password":"p\u0022w","n":1.50,"deep":{"a":"p"}}"#;
    let received = judge(&token(sender::GITEE), &secrets(&["p\"w"]), &gitee, body, NOW).unwrap();
    assert_eq!(received.data, r#"{"hook_name":"push_hooks", "password":"***","n":1.50,"deep":{"a":"p"}}"#);
}

#[test]
fn a_door_for_a_token_speaks_of_a_token_and_names_its_header() {
    let long = "x".repeat(1025);
    for (sender, name) in [(sender::GITLAB, "x-gitlab-token"), (sender::GITEE, "x-gitee-token")] {
        let kind = token(sender);
        for (pairs, words, is_presented) in [
            (vec![], "the token is missing", false),
            (vec![(name, "other")], "the token does not fit", true),
            (vec![(name, &*long)], "the token is malformed", false),
            (vec![(name, "s3cret"); 2], "the token is malformed", false),
            // A signature, in a header that is not the door's.
            (vec![("x-signature-256", "sha256=00")], "the token is missing", false),
        ] {
            let headers = headers(&pairs);
            let refusal = judge(&kind, &secrets(&["s3cret"]), &headers, b"{}", NOW).unwrap_err();
            assert_eq!(refusal.to_string(), format!("{words} (header {name})"));
            assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
            let early = presented(&kind, &headers);
            assert_eq!(early, if is_presented { Ok(()) } else { Err(refusal) }, "the same before a body is read");
        }
    }
}

#[test]
fn a_coded_body_is_refused_as_such_once_its_sender_is_proven() {
    const GZIP: &[u8] = b"\x1f\x8b\x08";
    for coding in ["gzip", "GZIP", "identity, br", "zstd", "gzip,"] {
        let coded = |headers: &mut HeaderMap| {
            headers.insert("content-encoding", HeaderValue::from_str(coding).unwrap());
        };
        assert_eq!(github(GZIP, coded), Err(Refusal::ContentEncoding), "{coding}");
        let mut forged = headers(&[("x-gitee-token", "other")]);
        coded(&mut forged);
        let refusal = judge(&token(sender::GITEE), &secrets(&["pw"]), &forged, GZIP, NOW).unwrap_err();
        assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
    }
    for coding in ["identity", "Identity", "", "identity, identity"] {
        assert!(github(b"{}", set("content-encoding", coding)).is_ok(), "{coding}");
    }
}

#[test]
fn an_unnamed_delivery_is_the_same_again_until_the_next_minute_is_over() {
    let came = |event: &'static str, body: &'static [u8], seconds: i64| {
        let headers = headers(&[("x-gitee-token", "pw"), ("x-gitee-event", event)]);
        let now = Timestamp::from_seconds(1_700_000_040 + seconds);
        let received = judge(&token(sender::GITEE), &secrets(&["pw"]), &headers, body, now).unwrap();
        (received.delivery, received.earlier.unwrap())
    };
    let (first, _) = came("Push Hook", b"{}", 59);
    assert_eq!(came("Push Hook", b"{}", 0).0, first);
    // Over the minute's edge it has another name, and brings the first along.
    let (second, earlier) = came("Push Hook", b"{}", 60);
    assert!(second != first && earlier == first);
    assert_eq!(came("Push Hook", b"{}", 119), (second, earlier));
    for (own, earlier) in [came("Push Hook", b"{}", 120), came("Note Hook", b"{}", 60), came("Push Hook", b"[]", 60)] {
        assert!(own != first && earlier != first);
    }
    assert!(first.len() <= NAME_LENGTH_MAX);
}

#[test]
fn a_body_of_any_sender_must_be_json() {
    let headers = headers(&[("x-gitee-token", "pw")]);
    for body in [&b""[..], b"a=b", b"\xff", b"{\"a\":1"] {
        assert_eq!(judge(&token(sender::GITEE), &secrets(&["pw"]), &headers, body, NOW), Err(Refusal::NotJson));
    }
}
