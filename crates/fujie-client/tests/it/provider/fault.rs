//! What goes wrong on order, at every endpoint of every provider: faults of the network, and the provider's own errors.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fujie_client::transport::RESPONSE_BODY_MAX;
use fujie_client::{Client, Endpoint, Hook, Polled, ProviderError, Tokens};
use serde_json::{Value, json};

use super::house::House;

/// How many hooks were asked for.
static ASKED: AtomicUsize = AtomicUsize::new(0);
/// Nothing may hang longer than this.
const PATIENCE: Duration = Duration::from_secs(120);

/// A provider's code, what it says, and what becomes of it at each of the endpoints; one word where it is the same at
/// all of them.
pub type Row = (&'static str, &'static str, &'static [&'static str]);

/// A refusal with these codes at each endpoint ends in the right cause, which names the code and the endpoint.
pub async fn codes(house: &House, endpoints: &[Endpoint], rows: &[Row]) {
    codes_with(house, &house.tokens("xiaoming").await, endpoints, rows).await;
}

/// The same with tokens that came some other way.
pub async fn codes_with(house: &House, tokens: &Tokens, endpoints: &[Endpoint], rows: &[Row]) {
    for (code, says, names) in rows {
        assert!(names.len() == 1 || names.len() == endpoints.len(), "{code}");
        for (at, endpoint) in endpoints.iter().enumerate() {
            let expected = names[at.min(names.len() - 1)];
            house.order(*endpoint, &json!({"kind": "error", "error": code})).await;
            let outcome = ask(house, &house.client, *endpoint, tokens).await;
            house.clear_faults().await;
            let error = outcome.unwrap_err();
            house.is_silent(&error);
            assert_eq!(error.name(), expected, "{code} ({says}) at the {endpoint}: {error}");
            advises(&error);
            if let Some(evidence) = error.evidence() {
                assert_eq!((evidence.endpoint, evidence.errcode.as_deref()), (*endpoint, Some(*code)));
                assert!(error.report().contains(code), "{}", error.report());
            }
        }
    }
}

/// What each cause of a provider's refusal comes to: whether a sign-in begun anew may succeed, and what to do.
const ADVICE: &[(&str, bool, &str)] = &[
    ("access_token_refused", true, "refresh the token or let the person sign in again"),
    ("account_restricted", false, "nothing here: the person must ask the provider"),
    ("busy", true, "wait a minute and begin anew"),
    ("code_refused", true, "begin anew; if it repeats, "),
    ("code_used", true, "the callback came twice: "),
    ("credentials_refused", false, "correct id or secret; "),
    ("denied", true, "nothing: the person may begin anew"),
    ("interrupted", true, "check the network; begin anew, "),
    ("not_permitted", false, "see in the provider's console whether the application has this permission"),
    ("rate_limited", true, "wait a minute; "),
    ("redirected", false, "correct the endpoint's address"),
    ("refresh_token_refused", true, "forget the tokens and let the person sign in again"),
    ("refused", false, "look the error code up "),
    ("request_refused", false, "correct the record: "),
    ("timeout", true, "check the network; begin anew, "),
    ("too_large", false, "correct the endpoint's address"),
    ("unreadable", false, "compare the excerpt with the provider's documentation; "),
];

/// An error says whether to try again and what to do, in its report too.
pub fn advises(error: &ProviderError) {
    let Some((name, retry, next_step)) = ADVICE.iter().find(|(name, _, _)| *name == error.name()) else {
        panic!("{}", error.name());
    };
    assert_eq!(error.retry(), *retry, "{name}");
    assert!(error.next_step().starts_with(next_step), "{name}: {}", error.next_step());
    let end = format!("; retry: {}; next: {}", if *retry { "yes" } else { "no" }, error.next_step());
    assert!(error.report().ends_with(&end), "{}", error.report());
}

/// Every fault of the network at these endpoints ends in the right cause, soon, and nothing but a question is asked
/// twice. `limited` is what too many calls come to.
pub async fn faults(house: &House, endpoints: &[Endpoint], limited: &[&'static str]) {
    faults_with(house, &house.tokens("xiaoming").await, endpoints, limited).await;
}

/// The same with tokens that came some other way.
pub async fn faults_with(house: &House, tokens: &Tokens, endpoints: &[Endpoint], limited: &[&'static str]) {
    // Nobody may be led here.
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    for (at, endpoint) in endpoints.iter().enumerate() {
        let limited = limited[at.min(limited.len() - 1)];
        // A revocation needs no more than its status (RFC 7009 §2.2).
        if *endpoint != Endpoint::Revocation {
            let nothing = json!({"kind": "status", "status": 200, "body": "{}"});
            strike(house, tokens, *endpoint, (&nothing, "unreadable")).await;
        }
        for (fault, expected) in table(&format!("http://{}/elsewhere", elsewhere.local_addr().unwrap()), limited) {
            strike(house, tokens, *endpoint, (&fault, expected)).await;
        }
        house.order(*endpoint, &json!({"kind": "slow", "seconds": 600})).await;
        // Before whom a token is about, the code is redeemed, for which there must be time.
        let patience = Duration::from_secs(if *endpoint == Endpoint::Subject { 10 } else { 1 });
        let outcome = ask(house, &house.waiting(patience), *endpoint, tokens).await;
        house.clear_faults().await;
        tells(house, &outcome.unwrap_err(), *endpoint, "timeout");
    }
    assert!(elsewhere.accept().is_err(), "a redirect was followed");
}

/// Every fault of the network while a device waits: one that may pass is waited out, any other ends in its cause.
/// `limited` is what too many calls come to, by the status that says so.
pub async fn polling_faults(house: &House, limited: &'static str) {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let place = format!("http://{}/elsewhere", elsewhere.local_addr().unwrap());
    for (fault, expected) in table(&place, limited) {
        let outcome = poll_amid(house, &house.client, &fault).await;
        let passes = matches!(expected, "interrupted" | "busy" | "wait") || fault["status"] == 429;
        match outcome {
            Ok(Polled::Wait(span)) => assert!(passes && span.as_secs() > 6, "{fault}: to wait {span:?}"),
            Ok(Polled::Tokens(_)) => panic!("{fault}: nobody has agreed"),
            Err(error) => {
                assert!(!passes, "{fault} ended the wait: {error}");
                tells(house, &error, Endpoint::Token, expected);
            }
        }
    }
    let impatient = house.waiting(Duration::from_secs(1));
    let slow = poll_amid(house, &impatient, &json!({"kind": "slow", "seconds": 600})).await;
    assert!(matches!(slow, Ok(Polled::Wait(_))), "{slow:?}");
    assert!(elsewhere.accept().is_err(), "a redirect was followed");
}

/// The first question for a new device, with this fault at the token endpoint.
async fn poll_amid(house: &House, client: &Client, fault: &Value) -> Result<Polled, ProviderError> {
    let mut device = house.client.begin_device().await.unwrap();
    house.advance(6).await;
    house.order(Endpoint::Token, fault).await;
    let outcome = tokio::time::timeout(PATIENCE, client.poll_device(&mut device)).await.unwrap();
    house.clear_faults().await;
    outcome
}

/// One fault at one endpoint, every time it is asked.
async fn strike(house: &House, tokens: &Tokens, endpoint: Endpoint, (fault, expected): (&Value, &str)) {
    house.order(endpoint, fault).await;
    house.sent();
    let outcome = ask(house, &house.client, endpoint, tokens).await;
    let sent = house.sent();
    house.clear_faults().await;
    let Err(error) = outcome else { panic!("{fault} at the {endpoint} went well") };
    tells(house, &error, endpoint, expected);
    let is_asked_again = endpoint == Endpoint::Subject && matches!(expected, "interrupted" | "busy");
    let path = sent.last().unwrap().url.split('?').next().unwrap().to_owned();
    let times = sent.iter().filter(|sent| sent.url.split('?').next() == Some(path.as_str())).count();
    assert_eq!(times, if is_asked_again { 2 } else { 1 }, "{fault} at the {endpoint}");
}

/// An error of this name which says where it was seen, and what.
fn tells(house: &House, error: &ProviderError, endpoint: Endpoint, expected: &str) {
    house.is_silent(error);
    let report = error.report();
    assert_eq!(error.name(), expected, "at the {endpoint}: {report}");
    advises(error);
    assert!(report.contains(&endpoint.to_string()), "{report}");
    if let Some(evidence) = error.evidence() {
        let (status, label) = (evidence.status, evidence.content_type.as_deref().unwrap_or("absent"));
        let seen = format!("{endpoint}, status {status}, content type {label}");
        assert!(report.contains(&seen), "{report}");
    }
}

fn table(elsewhere: &str, limited: &'static str) -> Vec<(Value, &'static str)> {
    let page = "<html><body>502 Bad Gateway</body></html>";
    vec![
        (json!({"kind": "cut", "bytes": 0}), "interrupted"),
        (json!({"kind": "cut", "bytes": 10}), "interrupted"),
        (json!({"kind": "status", "status": 500}), "busy"),
        (json!({"kind": "status", "status": 502, "body": page, "content_type": "application/json"}), "busy"),
        (json!({"kind": "status", "status": 429}), "rate_limited"),
        (json!({"kind": "status", "status": 200, "body": page, "content_type": "text/html"}), "unreadable"),
        (json!({"kind": "status", "status": 200, "body": "null"}), "unreadable"),
        (json!({"kind": "status", "status": 200, "body": "[]"}), "unreadable"),
        (json!({"kind": "redirect", "location": elsewhere}), "redirected"),
        (json!({"kind": "redirect", "location": elsewhere, "status": 308}), "redirected"),
        (json!({"kind": "garbage"}), "unreadable"),
        (json!({"kind": "garbage", "bytes": 100_000}), "unreadable"),
        (json!({"kind": "huge", "bytes": RESPONSE_BODY_MAX}), "unreadable"),
        (json!({"kind": "huge", "bytes": RESPONSE_BODY_MAX + 1}), "too_large"),
        (json!({"kind": "huge", "bytes": 1_000_000_000_000_u64}), "too_large"),
        (json!({"kind": "rate_limit"}), limited),
    ]
}

/// A wrong label changes nothing, at any endpoint.
pub async fn labels(house: &House) {
    for label in ["text/html; charset=gbk", "application/json", "image/png", "text/plain;charset=iso-8859-1"] {
        let fault = json!({"kind": "content_type", "content_type": label, "at": "/*", "times": "always"});
        house.control("faults", &fault).await;
        let signed_in = house.sign_in("xiaoming").await.unwrap();
        assert_eq!(signed_in.identity.nickname.as_deref(), Some("小明🌟"), "{label}");
        house.clear_faults().await;
    }
}

/// One call to one endpoint.
pub async fn ask(house: &House, client: &Client, endpoint: Endpoint, tokens: &Tokens) -> Result<(), ProviderError> {
    let asked = async {
        match endpoint {
            Endpoint::Token => {
                client.redeem(client.registration().read_code("c0de00000000000000000000")?).await.map(drop)
            }
            Endpoint::Refresh => client.refresh(tokens).await.map(drop),
            Endpoint::Check => client.check(tokens).await.map(drop),
            Endpoint::User => client.user(tokens).await.map(drop),
            Endpoint::Revocation => client.revoke(tokens).await,
            Endpoint::Subject => house.sign_in_at(client, "xiaoming").await.map(drop),
            Endpoint::DeviceAuthorization => client.begin_device().await.map(drop),
            Endpoint::Api => {
                // Each is another: one that was made behind a lost answer is there already.
                let url = format!("https://app.example/{}", ASKED.fetch_add(1, Ordering::SeqCst));
                let hook = Hook { url: &url, events: &["push"], secret: None };
                client.create_hook(tokens, "xiaoming/demo", &hook).await.map(drop)
            }
            other => unreachable!("{other}"),
        }
    };
    // A call that hangs fails here.
    tokio::time::timeout(PATIENCE, asked).await.unwrap()
}
