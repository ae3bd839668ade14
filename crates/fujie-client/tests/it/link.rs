//! The link that a sign-in begins with.

use std::collections::HashSet;

use fujie_client::{Ask, ProviderError, Random, provider};
use serde_json::json;

use crate::world::{NOW, REDIRECT_URI, begin, client, client_of, counting};

#[test]
fn the_link_to_wechat_is_exact_to_the_byte() {
    let begun = begin(&client());
    assert_eq!(
        begun.url,
        "https://open.weixin.qq.com/connect/qrconnect?appid=wx0123456789abcdef\
         &redirect_uri=https%3A%2F%2Fapp.example%2Fcallback%3Ffrom%3D%E9%97%A8\
         &response_type=code&scope=snsapi_login\
         &state=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
         #wechat_redirect"
    );
    assert_eq!(begun.attempt.redirect_uri, REDIRECT_URI);
    assert_eq!(begun.attempt.code_verifier, None);
}

#[test]
fn every_state_is_hexadecimal_short_enough_and_new() {
    let client = client();
    let mut random = Congruential(1);
    let mut seen = HashSet::new();
    for _ in 0..10_000 {
        let state = client.begin(REDIRECT_URI, &Ask::default(), &mut random, NOW).unwrap().attempt.state;
        assert!(state.len() == 64 && state.bytes().all(|b| b.is_ascii_hexdigit()), "{state}");
        assert!(seen.insert(state));
    }
}

#[test]
fn a_provider_that_knows_pkce_gets_a_challenge_and_later_the_verifier() {
    let token = "https://plain.example/token";
    let record = provider::oauth2("plain", "https://plain.example/authorize", token, "https://plain.example/user")
        .with_authorization_parameter("display", "page")
        .with(&json!({"client_authentication": "client_secret_post"}))
        .unwrap();
    let client = client_of(record);
    let begun = begin(&client);
    assert!(
        begun.url.contains(
            "&state=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\
             &code_challenge=zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU\
             &code_challenge_method=S256&display=page"
        ),
        "{}",
        begun.url
    );
    let query = format!("code=c&state={}", begun.attempt.state);
    let callback = client.read_callback(&begun.attempt, &query, NOW).unwrap();
    let request = client.exchange_request(&callback, &mut counting(), NOW).unwrap();
    assert_eq!(request.url(), token);
    assert_eq!(
        String::from_utf8_lossy(request.body().unwrap()),
        "grant_type=authorization_code&code=c\
         &redirect_uri=https%3A%2F%2Fapp.example%2Fcallback%3Ffrom%3D%E9%97%A8\
         &code_verifier=ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8\
         &client_id=wx0123456789abcdef&client_secret=canary-secret%2F%2B%26%3D%C3%A4"
    );
}

#[test]
fn an_unsafe_redirect_uri_is_refused() {
    let good = [
        "https://app.example",
        "https://app.example:8443/cb?x=1",
        "http://127.0.0.1:8884/getcode",
        "http://[::1]:1/",
        "http://localhost/",
        "com.example.app:/callback",
        "com.example.app://callback?x=1",
    ];
    let bad = [
        "",
        "/callback",
        "http://app.example/cb",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.1@evil.example/",
        "https://app.example/#/cb",
        "https://app.example/cb#",
        "https://user:pass@app.example/",
        "https://app.example\\@evil.example/",
        "https://app.example/c b",
        " https://app.example/",
        "https://app.example/\n",
        "https://app.example/?state=x",
        "https://app.example/?%63ode=x",
        "javascript:alert(1)",
        "wechat://x",
        "com.example.app:/callback#x",
        "com.example.app:/call back",
        "com.example.app:/callback?state=x",
        "com..app:/callback",
        ".example:/callback",
    ];
    for uri in good {
        assert!(client().begin(uri, &Ask::default(), &mut counting(), NOW).is_ok(), "{uri}");
    }
    let long = format!("https://app.example/{}", "a".repeat(1024));
    for uri in bad.into_iter().chain([long.as_str()]) {
        let outcome = client().begin(uri, &Ask::default(), &mut counting(), NOW);
        assert!(matches!(outcome, Err(ProviderError::RedirectUriUnusable(_))), "{uri}");
    }
}

/// Never the same twice, and the same in every run.
struct Congruential(u64);

impl Random for Congruential {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (self.0 >> 33) as u8;
        }
    }
}
