//! The metadata document says what is alive, and nothing else (RFC 8414, OpenID Connect Discovery 1.0).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fujie_core::client::{Client, GrantType, PkcePolicy};
use serde_json::{Value, json};

use crate::{
    browser::{Browser, form},
    house::{House, claims, client, public},
};

async fn metadata(house: &House) -> Value {
    let page = Browser::new().get(&format!("{}/.well-known/openid-configuration", house.issuer)).await;
    assert_eq!((page.status, page.header("content-type")), (200, "application/json"));
    let other = Browser::new().get(&format!("{}/.well-known/oauth-authorization-server", house.issuer)).await;
    assert_eq!(page.body, other.body, "one truth under both names");
    page.json()
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_advertised_endpoint_answers() {
    let house = House::new().await;
    let metadata = metadata(&house).await;
    assert_eq!(metadata["issuer"], house.issuer);
    let cases = [
        ("authorization_endpoint", false, 400),
        ("token_endpoint", true, 401),
        ("userinfo_endpoint", false, 401),
        ("jwks_uri", false, 200),
        ("introspection_endpoint", true, 401),
        ("revocation_endpoint", true, 401),
        ("end_session_endpoint", false, 200),
        ("channel_event_endpoint", false, 401),
    ];
    for (name, is_post, status) in cases {
        let url = &metadata[name].as_str().unwrap().replace("{topic}", "team");
        let page = if is_post { Browser::new().post(url, &[]).await } else { Browser::new().get(url).await };
        assert_eq!(page.status, status, "{name} {}", page.body);
    }
    let socket = metadata["channel_socket_endpoint"].as_str().unwrap().replace("ws://", "http://");
    assert_eq!(Browser::new().get(&socket).await.status, 426);
    let line = metadata["channel_line_endpoint"].as_str().unwrap();
    assert_eq!(line, format!("tcp://{}", house.line));
    tokio::net::TcpStream::connect(house.line).await.unwrap();
    let all: Vec<_> = metadata.as_object().unwrap().keys().filter(|key| key.contains("endpoint")).collect();
    let methods = all.iter().filter(|key| key.contains("auth_methods")).count();
    assert_eq!(all.len() - methods, 9, "no other endpoint is promised: {all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_advertised_authentication_method_works_and_no_other() {
    let house = House::new().await;
    let app = house.add(public("app")).await;
    let metadata = metadata(&house).await;
    let secret = house.app.secret.clone().unwrap();
    let basic = format!("Basic {}", STANDARD.encode(format!("friends:{secret}")));
    for endpoint in ["token", "introspection", "revocation"] {
        let url = metadata[format!("{endpoint}_endpoint")].as_str().unwrap().to_owned();
        let named = words(&metadata[format!("{endpoint}_endpoint_auth_methods_supported")]);
        for method in ["client_secret_basic", "client_secret_post", "none"] {
            let owner = if method == "none" { &app } else { &house.app };
            let refresh = house.tokens(owner, &[]).await["refresh_token"].as_str().unwrap().to_owned();
            let mut fields = match endpoint {
                "token" => vec![("grant_type", "refresh_token"), ("refresh_token", &refresh)],
                _ => vec![("token", refresh.as_str())],
            };
            let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
            match method {
                "none" => fields.push(("client_id", "app")),
                "client_secret_post" => fields.extend([("client_id", "friends"), ("client_secret", &secret)]),
                _ => headers.push(("authorization", &basic)),
            }
            let page = Browser::new().send_as(&url, &headers, Some(&form(&fields))).await;
            let expected = if named.contains(&method) { 200 } else { 401 };
            assert_eq!(page.status, expected, "{endpoint} {method}: {}", page.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_advertised_response_mode_carries_code_state_and_issuer() {
    let house = House::new().await;
    let metadata = metadata(&house).await;
    assert_eq!(words(&metadata["response_modes_supported"]), ["query", "fragment", "form_post"]);
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    let mut browser = Browser::new();
    house.code(&mut browser, &house.app, &[]).await;
    for (mode, error) in ["query", "fragment", "form_post"].into_iter().flat_map(|mode| [(mode, false), (mode, true)]) {
        let scope = if error { "nothing" } else { "openid" };
        let page = browser.get(&house.authorize(&house.app, &[("response_mode", mode), ("scope", scope)])).await;
        let answer: Vec<(String, String)> = if mode == "form_post" {
            assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
            let policy = page.header("content-security-policy");
            assert!(policy.contains("form-action 'self' https: http:;"), "{policy}");
            page.hidden("https:&#x2f;&#x2f;app.example&#x2f;callback")
        } else {
            let mark = if mode == "query" { '?' } else { '#' };
            assert!(page.location().starts_with(&format!("https://app.example/callback{mark}")), "{}", page.location());
            ["code", "error", "state", "iss"]
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), page.answered(name)?)))
                .collect()
        };
        let find = |name: &str| answer.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        assert_eq!((find("state"), find("iss")), (Some("xyz"), Some(house.issuer.as_str())), "{mode}");
        assert_eq!((find("code").is_some(), find("error").is_some()), (!error, error), "{mode}");
        if let Some(code) = find("code") {
            assert_eq!(house.redeem(&house.app, code).await.status, 200, "{mode}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_is_not_advertised_and_appears_when_a_client_has_it_switched_on() {
    let house = House::new().await;
    let before = metadata(&house).await;
    assert_eq!(words(&before["response_types_supported"]), ["code"]);
    assert_eq!(words(&before["grant_types_supported"]), ["authorization_code", "client_credentials", "refresh_token"]);
    assert_eq!(words(&before["code_challenge_methods_supported"]), ["S256"]);
    assert_eq!(words(&before["id_token_signing_alg_values_supported"]), ["ES256", "EdDSA"]);
    assert_eq!(
        words(&before["scopes_supported"]),
        ["openid", "profile", "offline_access", "channel:read", "channel:write", "read_contacts"]
    );
    for name in ["claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"] {
        assert_eq!(before[name], false, "{name}");
    }
    for absent in ["registration_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint"] {
        assert!(before.get(absent).is_none(), "{absent}");
    }
    let grant_types = vec![GrantType::Implicit, GrantType::Password];
    let alg = fujie_core::jose::jws::Algorithm::Rs256;
    let old = Client { grant_types, pkce: PkcePolicy::PlainAllowed, id_token_alg: alg, ..client("old") };
    house.add(old).await;
    let after = metadata(&house).await;
    assert_eq!(words(&after["response_types_supported"]), ["code", "token"]);
    assert!(["implicit", "password"].iter().all(|word| words(&after["grant_types_supported"]).contains(word)));
    assert_eq!(words(&after["code_challenge_methods_supported"]), ["S256", "plain"]);
    assert_eq!(words(&after["id_token_signing_alg_values_supported"]), ["ES256", "EdDSA", "RS256"]);
    house.server.store().disable_client("old", house.clock.now()).await.unwrap();
    house.server.renew(true).await.unwrap();
    assert_eq!(words(&metadata(&house).await["response_types_supported"]), ["code"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_advertised_claims_are_those_that_are_told() {
    let house = House::new().await;
    let metadata = metadata(&house).await;
    let tokens = house.tokens(&house.app, &[("nonce", "n")]).await;
    let id_token = claims(tokens["id_token"].as_str().unwrap());
    let mut told: Vec<_> = id_token.as_object().unwrap().keys().cloned().collect();
    let named = words(&metadata["claims_supported"]);
    for claim in &told {
        assert!(named.contains(&claim.as_str()), "{claim} is told and not advertised");
    }
    // A picture is only there for who has one.
    told.push("picture".to_owned());
    for claim in named {
        assert!(told.iter().any(|own| own == claim), "{claim} is advertised and never told");
    }
    assert_eq!(metadata["subject_types_supported"], json!(["public"]));
}
