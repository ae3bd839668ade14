//! What comes back through the browser, and from whom.

use fujie_client::{Ask, Attempt, Provider, ProviderError, Registration, Secret, provider};
use serde_json::json;

use crate::world::{APP, CODE, NOW, REDIRECT_URI, SECRET, after, begin, client, client_of, counting, good_query};

fn name_of(client: &Registration, attempt: &Attempt, query: &str) -> &'static str {
    match client.read_callback(attempt, query, after(30)) {
        Ok(_) => "ok",
        Err(error) => error.name(),
    }
}

#[test]
fn a_good_callback_leads_to_the_exchange() {
    let client = client();
    let attempt = begin(&client).attempt;
    let callback = client.read_callback(&attempt, &good_query(&attempt), after(30)).unwrap();
    let request = client.exchange_request(&callback, &mut counting(), NOW).unwrap();
    assert_eq!(
        request.url(),
        format!(
            "https://api.weixin.qq.com/sns/oauth2/access_token?appid={APP}\
             &secret=canary-secret%2F%2B%26%3D%C3%A4&code={CODE}&grant_type=authorization_code"
        )
    );
    assert_eq!(request.body(), None);
}

#[test]
fn an_attempt_survives_the_cookie_it_is_sealed_in() {
    let attempt = begin(&client()).attempt;
    let kept = serde_json::to_string(&attempt).unwrap();
    assert_eq!(serde_json::from_str::<Attempt>(&kept).unwrap(), attempt);
}

#[test]
fn callbacks_are_judged() {
    let client = client();
    let attempt = begin(&client).attempt;
    let state = attempt.state.as_str();
    let other = state.replace("00", "01");
    let cases = [
        (format!("state={state}&code={CODE}&lang=zh_CN"), "ok"),
        (format!("code={CODE}&state={}", state.replace('0', "%30")), "ok"),
        (format!("code={CODE}"), "state_missing"),
        (format!("code={CODE}&state="), "state_missing"),
        (String::new(), "state_missing"),
        (format!("code={CODE}&state={other}"), "state_mismatch"),
        (format!("code={CODE}&state={}", state.to_uppercase()), "state_mismatch"),
        (format!("code={CODE}&state={}", &state[..63]), "state_mismatch"),
        (format!("code={CODE}&state={state}0"), "state_mismatch"),
        (format!("code={CODE}&state={state}%00"), "state_mismatch"),
        (format!("code={CODE}&state=undefined"), "state_mismatch"),
        (format!("code={CODE}&state={state}&state={state}"), "duplicate_parameter"),
        (format!("code={CODE}&state={state}&%73tate={other}"), "duplicate_parameter"),
        (format!("code={CODE}&code=x&state={state}"), "duplicate_parameter"),
        (format!("code={CODE}&x=1&x=2&state={state}"), "duplicate_parameter"),
        (format!("code=a%20b&state={state}"), "callback_unreadable"),
        (format!("code=%FF&state={state}"), "callback_unreadable"),
        (format!("code={}&state={state}", "a".repeat(2049)), "callback_unreadable"),
        (format!("code={CODE}&state={state}&x={}", "a".repeat(8192)), "callback_unreadable"),
    ];
    for (query, expected) in cases {
        assert_eq!(name_of(&client, &attempt, &query), expected, "{query}");
    }
    let many: String = (0..40).map(|n| format!("p{n}=&")).collect();
    assert_eq!(name_of(&client, &attempt, &many), "callback_unreadable");
}

#[test]
fn a_refusal_is_known_in_every_shape() {
    let client = client();
    let attempt = begin(&client).attempt;
    let state = attempt.state.as_str();
    for query in [
        format!("state={state}"),
        format!("code=&state={state}"),
        format!("error=access_denied&state={state}"),
        format!("error=access_denied&error_description=user%20denied&code=x&state={state}"),
    ] {
        assert_eq!(name_of(&client, &attempt, &query), "denied", "{query}");
    }
    let refused = format!("error=temporarily_unavailable&state={state}");
    assert_eq!(name_of(&client, &attempt, &refused), "authorization_refused");
    // Anybody can send a browser here: without the state it is no refusal of this person's.
    assert_eq!(name_of(&client, &attempt, "error=access_denied"), "state_missing");
    assert_eq!(name_of(&client, &attempt, "error=access_denied&state=x"), "state_mismatch");
}

#[test]
fn a_refusal_by_parameter_is_known_where_the_record_says_so() {
    let record = provider::wechat().with(&json!({"callback": {"denials": [{"parameter": "usercancel"}]}}));
    let client = client_of(record.unwrap());
    let attempt = begin(&client).attempt;
    let state = attempt.state.as_str();
    let cases = [
        (format!("usercancel=1&state={state}"), "denied"),
        (format!("usercancel=0&code=x&state={state}"), "ok"),
        (format!("state={state}"), "callback_unreadable"),
    ];
    for (query, expected) in cases {
        assert_eq!(name_of(&client, &attempt, &query), expected, "{query}");
    }
}

#[test]
fn an_attempt_ends_after_ten_minutes_and_never_lies_in_the_future() {
    let client = client();
    let attempt = begin(&client).attempt;
    for (seconds, is_good) in [(0, true), (599, true), (600, false), (-60, true), (-61, false)] {
        let outcome = client.read_callback(&attempt, &good_query(&attempt), after(seconds));
        match outcome {
            Ok(_) => assert!(is_good, "{seconds}"),
            Err(ProviderError::Expired) => assert!(!is_good, "{seconds}"),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_callback_never_meets_another_provider_or_application() {
    let ours = client();
    let attempt = begin(&ours).attempt;
    let other_app = Registration::new(provider::wechat(), "wxffff", Secret::new(SECRET)).unwrap();
    let other_provider = client_of(provider::wechat().with(&json!({"id": "other"})).unwrap());
    for stranger in [other_app, other_provider] {
        assert_eq!(name_of(&stranger, &attempt, &good_query(&attempt)), "other_client");
        let good = ours.read_callback(&attempt, &good_query(&attempt), NOW).unwrap();
        assert_eq!(stranger.exchange_request(&good, &mut counting(), NOW).unwrap_err().name(), "other_client");
    }
}

#[test]
fn an_attempt_without_a_state_admits_nobody() {
    let client = client();
    let mut attempt = begin(&client).attempt;
    attempt.state = "0".into();
    assert_eq!(name_of(&client, &attempt, "code=x&state=0"), "state_mismatch");
}

#[test]
fn a_provider_that_promises_an_issuer_must_name_it() {
    let record = provider::wechat()
        .with(&json!({"callback": {"issuer": "https://honest.example", "issuer_required": true}}))
        .unwrap();
    let client = client_of(record);
    let attempt = client.begin("https://app.example", &Ask::default(), &mut counting(), NOW).unwrap().attempt;
    let good = good_query(&attempt);
    assert_eq!(name_of(&client, &attempt, &good), "issuer_mismatch");
    let hostile = format!("{good}&iss=https%3A%2F%2Fhostile.example");
    assert_eq!(name_of(&client, &attempt, &hostile), "issuer_mismatch");
    let honest = format!("{good}&iss=https%3A%2F%2Fhonest.example");
    assert_eq!(name_of(&client, &attempt, &honest), "ok");
}

#[test]
fn an_implicit_sign_in_begins_only_where_it_can_finish() {
    let implicit = Ask { is_implicit: true, ..Ask::default() };
    let begin = |record: Provider| client_of(record).begin(REDIRECT_URI, &implicit, &mut counting(), NOW);
    for record in [provider::github(), provider::google(), provider::wechat(), provider::weibo()] {
        let id = record.id.clone();
        assert!(matches!(begin(record), Err(ProviderError::NotOffered(_))), "{id}");
    }
    assert!(begin(provider::qq()).unwrap().url.contains("response_type=token"));
}
