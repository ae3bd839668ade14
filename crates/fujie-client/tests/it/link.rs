//! The link that a sign-in begins with.

use std::collections::HashSet;

use fujie_client::{ProviderError, provider};
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
    let mut seed = 1_u64;
    let mut random = |bytes: &mut [u8]| {
        for byte in bytes {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (seed >> 33) as u8;
        }
    };
    let mut seen = HashSet::new();
    for _ in 0..10_000 {
        let state = client.begin(REDIRECT_URI, &mut random, NOW).unwrap().attempt.state;
        assert!(state.len() == 64 && state.bytes().all(|b| b.is_ascii_hexdigit()), "{state}");
        assert!(seen.insert(state));
    }
}

#[test]
fn a_provider_that_knows_pkce_gets_a_challenge_and_later_the_verifier() {
    let record = provider::wechat()
        .with(&json!({
            "pkce": "S256",
            "token_method": "post_form",
            "token_sends_redirect_uri": true,
            "authorization_parameters": [["display", "page"]],
            "state": {"alphabet": "base64url"},
        }))
        .unwrap();
    let client = client_of(record);
    let begun = begin(&client);
    assert!(
        begun.url.contains(
            "&state=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\
             &code_challenge=zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU\
             &code_challenge_method=S256&display=page#"
        ),
        "{}",
        begun.url
    );
    let query = format!("code=c&state={}", begun.attempt.state);
    let callback = client.read_callback(&begun.attempt, &query, NOW).unwrap();
    let request = client.exchange_request(&callback).unwrap();
    assert_eq!(request.url(), "https://api.weixin.qq.com/sns/oauth2/access_token");
    assert_eq!(
        String::from_utf8_lossy(request.body().unwrap()),
        "appid=wx0123456789abcdef&secret=canary-secret%2F%2B%26%3D%C3%A4&code=c\
         &grant_type=authorization_code\
         &redirect_uri=https%3A%2F%2Fapp.example%2Fcallback%3Ffrom%3D%E9%97%A8\
         &code_verifier=ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"
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
    ];
    for uri in good {
        assert!(client().begin(uri, &mut counting(), NOW).is_ok(), "{uri}");
    }
    let long = format!("https://app.example/{}", "a".repeat(1024));
    for uri in bad.into_iter().chain([long.as_str()]) {
        let outcome = client().begin(uri, &mut counting(), NOW);
        assert!(matches!(outcome, Err(ProviderError::RedirectUriUnusable(_))), "{uri}");
    }
}
