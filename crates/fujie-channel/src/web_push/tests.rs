//! Subscriptions as browsers give them, and what goes to their push services. That somebody else's library reads what
//! was encrypted is shown in `tests/push`.

use fujie_core::jose::jws::{Algorithm, SigningKey};
use serde_json::{Value, json};

use super::*;
use crate::message::Language;
use crate::post::{Reach, SimulatorAt};

/// The receiver of RFC 8291 §5, with its private key.
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn subscription(changes: Value) -> Value {
    let mut subscription = json!({
        "endpoint": "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        "expirationTime": null,
        "keys": { "p256dh": P256DH, "auth": AUTH },
    });
    for (name, value) in changes.as_object().unwrap() {
        subscription[name] = value.clone();
    }
    subscription
}

fn parse(changes: Value) -> Result<Subscription, SubscriptionError> {
    Subscription::parse(subscription(changes).to_string().as_bytes(), None)
}

fn decode(text: &str) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// What the browser of RFC 8291 §5 reads.
fn decrypt(body: &[u8]) -> Value {
    let key = web_push_native::p256::SecretKey::from_slice(&decode(PRIVATE)).unwrap();
    let auth: [u8; 16] = decode(AUTH).try_into().unwrap();
    let payload = web_push_native::decrypt(body.to_vec(), &key, &web_push_native::Auth::from(auth)).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

#[test]
fn a_subscription_is_read_strictly() {
    let own = parse(json!({})).unwrap();
    assert_eq!((own.audience().as_str(), own.reach()), ("https://push.example.net", Reach::Public));
    assert!(!format!("{own:?}").contains("JzLQ"));

    let keys = |p256dh: &str, auth: &str| json!({ "keys": { "p256dh": p256dh, "auth": auth } });
    let off_curve = P256DH.replace("iw4", "iw0");
    let compressed = "AiVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx";
    for (changes, error) in [
        (keys(&off_curve, AUTH), SubscriptionError::PublicKey),
        (keys(compressed, AUTH), SubscriptionError::PublicKey),
        (keys(&format!("{P256DH}="), AUTH), SubscriptionError::PublicKey),
        (keys("", AUTH), SubscriptionError::PublicKey),
        (keys(P256DH, "BTBZMqHH6r4Tts7J_aSI"), SubscriptionError::Auth),
        (keys(P256DH, "BTBZMqHH6r4Tts7J/aSIgg"), SubscriptionError::Auth),
        (json!({ "keys": {} }), SubscriptionError::Malformed),
        (json!({ "keys": [P256DH, AUTH] }), SubscriptionError::Malformed),
        (json!({ "endpoint": 5 }), SubscriptionError::Malformed),
    ] {
        assert_eq!(parse(changes.clone()).unwrap_err(), error, "{changes}");
    }
    for text in
        ["", "null", "[]", "{}", r#"{"endpoint":"https://a.example/","endpoint":"https://b.example/","keys":{}}"#]
    {
        assert_eq!(Subscription::parse(text.as_bytes(), None).unwrap_err(), SubscriptionError::Malformed, "{text}");
    }
    let long = format!("{}{}", subscription(json!({})), " ".repeat(5000));
    assert!(Subscription::parse(long.as_bytes(), None).is_err());
}

#[test]
fn an_endpoint_is_https_on_a_public_host() {
    for (endpoint, is_taken) in [
        ("https://fcm.googleapis.com/fcm/send/a:b", true),
        ("https://updates.push.services.mozilla.com/wpush/v2/gAAA", true),
        ("https://1.1.1.1/push", true),
        ("https://push.example.net:8443/x", false),
        ("http://push.example.net/x", false),
        ("https://localhost/x", false),
        ("https://router/x", false),
        ("https://a.localhost/x", false),
        ("https://127.0.0.1/x", false),
        ("https://2130706433/x", false),
        ("https://0x7f.1/x", false),
        ("https://10.0.0.1/x", false),
        ("https://169.254.169.254/latest", false),
        ("https://[::1]/x", false),
        ("https://[::ffff:1.1.1.1]/x", false),
        ("https://[64:ff9b::a00:1]/x", false),
        ("https://user@push.example.net/x", false),
        ("https://push.example.net/x#y", false),
        ("ftp://push.example.net/x", false),
        ("x", false),
    ] {
        let read = parse(json!({ "endpoint": endpoint }));
        assert_eq!(read.is_ok(), is_taken, "{endpoint}");
        assert!(is_taken || read.unwrap_err() == SubscriptionError::Endpoint);
    }
    let simulator = SimulatorAt::parse("http://127.0.0.1:9300").unwrap();
    let at = |endpoint: &str| {
        let text = subscription(json!({ "endpoint": endpoint })).to_string();
        Subscription::parse(text.as_bytes(), Some(&simulator)).map(|own| own.reach())
    };
    assert_eq!(at("http://127.0.0.1:9300/push/1"), Ok(Reach::Loopback));
    assert_eq!(at("http://127.0.0.1:9301/push/1"), Err(SubscriptionError::Endpoint));
    assert_eq!(at("https://push.example.net/1"), Ok(Reach::Public));
}

#[test]
fn a_request_has_the_headers_of_rfc_8030_and_a_body_only_the_browser_reads() {
    let event =
        json!({ "type": "notice", "data": { "kind": "meeting", "title": "周会", "text": "十点", "author": "小明" } });
    let message = Message::of(event.to_string().as_bytes(), Language::Chinese);
    let own = parse(json!({})).unwrap();
    let request = request(&own, &message, Origin { id: 17, topic: "team" }, "vapid t=x, k=y".to_owned()).unwrap();
    let headers = [
        ("authorization", "vapid t=x, k=y"),
        ("content-encoding", "aes128gcm"),
        ("content-type", "application/octet-stream"),
        ("ttl", "86400"),
        ("urgency", "high"),
        ("topic", "event-17"),
    ];
    assert_eq!(request.headers, headers.map(|(name, value)| (name, value.to_owned())));
    assert_eq!(request.url, *own.endpoint());
    let read = decrypt(&request.body);
    let expected =
        json!({ "title": "【会议】周会", "body": "十点\n发布人：小明", "url": null, "id": 17, "topic": "team" });
    assert_eq!(read, expected);
}

#[test]
fn the_longest_message_fits_into_what_push_services_take() {
    // Quotes are two bytes in JSON: nothing makes a text longer.
    let mut message = Message::of(b"", Language::Chinese);
    message.title = "\"".repeat(120);
    message.lines = vec!["字".repeat(200); 10];
    message.link = Some(format!("https://x.example/{}", "a".repeat(900)));
    let own = parse(json!({})).unwrap();
    let request = request(&own, &message, Origin { id: i64::MAX, topic: &"t".repeat(63) }, String::new()).unwrap();
    assert!(request.body.len() <= 4096, "{}", request.body.len());
    assert_eq!(decrypt(&request.body)["body"].as_str().unwrap().lines().count(), 4);
}

#[test]
fn an_authorization_names_the_push_service_and_ends_within_a_day() {
    let pkcs8 = SigningKey::generate(Algorithm::Es256).unwrap();
    let key = SigningKey::from_pkcs8(Algorithm::Es256, String::new(), &pkcs8).unwrap();
    let authorization =
        vapid::authorization(&key, "mailto:admin@example.com", "https://push.example.net", NOW).unwrap();
    let (token, k) = authorization.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    assert_eq!(k, vapid::public_key(&key).unwrap());
    assert_eq!((decode(k).len(), decode(k)[0]), (65, 4));
    let mut parts = token.split('.').map(decode);
    let header: Value = serde_json::from_slice(&parts.next().unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&parts.next().unwrap()).unwrap();
    assert_eq!(header, json!({ "alg": "ES256", "typ": "JWT" }));
    let exp = 1_800_000_000 + 12 * 3600;
    assert_eq!(claims, json!({ "aud": "https://push.example.net", "exp": exp, "sub": "mailto:admin@example.com" }));
    let other = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let other = SigningKey::from_pkcs8(Algorithm::EdDsa, String::new(), &other).unwrap();
    assert!(vapid::authorization(&other, "mailto:a@b", "https://x", NOW).is_err());
}

#[test]
fn a_contact_is_a_mail_address_or_a_page() {
    for (contact, expected) in [
        ("mailto:admin@example.com", true),
        ("https://id.example/contact", true),
        ("admin@example.com", false),
        ("mailto:admin", false),
        ("http://id.example/", false),
        ("https://", false),
        ("mailto:a@b\r\nx: y", false),
    ] {
        assert_eq!(vapid::is_contact(contact), expected, "{contact}");
    }
}

#[test]
fn every_answer_has_its_verdict() {
    let verdict = |status: u16, retry_after: Option<&str>| {
        judge(&Response { status, retry_after: retry_after.map(str::to_owned), body: b"why".to_vec() }, NOW)
    };
    for status in [200, 201, 202] {
        assert_eq!(verdict(status, None), Verdict::Delivered);
    }
    for status in [404, 410] {
        assert!(matches!(verdict(status, None), Verdict::Gone(trouble) if trouble.cause == Cause::Ended));
    }
    let wait = std::time::Duration::from_secs(120);
    assert!(
        matches!(verdict(429, Some("120")), Verdict::TryLater(Some(w), t) if w == wait && t.cause == Cause::TooOften)
    );
    assert!(
        matches!(verdict(503, Some("120")), Verdict::TryLater(Some(w), t) if w == wait && t.cause == Cause::ServerFault)
    );
    assert!(matches!(verdict(500, None), Verdict::TryLater(None, _)));
    assert!(matches!(verdict(413, None), Verdict::Unfit(trouble) if trouble.cause == Cause::TooLarge));
    for status in [301, 400, 401, 403] {
        let expected = Trouble::new(Cause::Refused, &format!("HTTP {status} why"));
        assert_eq!(verdict(status, None), Verdict::Broken(expected));
    }
}
