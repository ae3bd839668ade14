//! The authorization request as it arrives: what is read, what is refused, and where the refusal may be told.

use fujie_core::{
    client::{GrantType, PkcePolicy},
    request::{
        authorize::{PageCause, REQUEST_LENGTH_MAX, Refusal, ResponseType, parse},
        parameters::ParameterError,
        pkce::Challenge,
        redirect_uri::RequestedUri,
        response_mode::AuthorizationResponse,
    },
};

use crate::house::{
    API, CHALLENGE, House, ISSUER, VAULT, VERIFIER, house, house_where, query, request_of, scope, seconds, with,
};

const SHOP: &str = "https://shop.example/cb";
/// How every redirect of a request with the usual state ends.
const TAIL: &str = "&state=s%20t%2B%C3%A4&iss=https%3A%2F%2Fid.example";

fn good() -> Vec<(&'static str, &'static str)> {
    request_of("shop", SHOP)
}

/// The Location of a refusal.
fn location(house: &House, pairs: &[(&str, &str)]) -> String {
    match house.parse(pairs) {
        Err(Refusal::Redirect(target, error)) => match error.answer(target) {
            AuthorizationResponse::Redirect { location } => location,
            AuthorizationResponse::FormPost { .. } => panic!("a form"),
        },
        other => panic!("not a redirect: {other:?}"),
    }
}

/// The cause of a refusal that only a page may tell.
fn page(house: &House, pairs: &[(&str, &str)]) -> PageCause {
    match house.parse(pairs) {
        Err(Refusal::Page(cause)) => cause,
        other => panic!("not a page: {other:?}"),
    }
}

#[test]
fn a_good_request_is_read_whole() {
    let house = house();
    let extra = [("prompt", "login consent"), ("max_age", "300"), ("ui_locales", "zh-CN en"), ("login_hint", "小明")];
    let request = house.parse(&with(&good(), &extra)).unwrap();
    assert_eq!(request.client.id, "shop");
    assert_eq!(request.target.uri(), SHOP);
    assert_eq!(request.target.origin(), "https://shop.example");
    assert!(request.redirect_uri_sent);
    assert_eq!(request.response_type, ResponseType::Code);
    assert_eq!(request.scope, scope("openid profile offline_access"));
    assert_eq!(request.audience.resources, [""; 0]);
    assert!(request.challenge.unwrap().admits(VERIFIER));
    assert_eq!(request.nonce.as_deref(), Some("n-0S6"));
    assert_eq!((request.prompt.is_none, request.prompt.wants_login, request.prompt.wants_consent), (false, true, true));
    assert_eq!(request.max_age, Some(seconds(300)));
    assert_eq!(request.ui_locales.as_deref(), Some("zh-CN en"));
    assert_eq!(request.login_hint.as_deref(), Some("小明"));
}

#[test]
fn an_unknown_parameter_is_ignored_and_an_empty_one_is_absent() {
    let house = house();
    let query = format!("{}&max_age=&prompt=&resource=&unknown=1&&", query(&good()));
    let request = parse(query.as_bytes(), &house.registry, ISSUER).unwrap();
    assert_eq!(request.max_age, None);
    assert!(!request.prompt.is_none && !request.prompt.wants_login);
}

#[test]
fn the_redirect_target_is_proven_before_any_error_redirect() {
    let house = house();
    // Each of these would be told by redirect, if the redirect URI were registered.
    for broken in [
        ("response_type", "bogus"),
        ("scope", "\""),
        ("prompt", "none login"),
        ("prompt", "none"),
        ("request", "e30.e30."),
        ("code_challenge", "short"),
        ("state", "\r\nSet-Cookie: a=b"),
    ] {
        for uri in ["https://evil.test/cb", "https://shop.example/cb/", "javascript:alert(1)", "//evil.test", "\u{0}"] {
            let cause = page(&house, &with(&good(), &[broken, ("redirect_uri", uri)]));
            let client = house.registry.client("shop").unwrap().clone();
            assert_eq!(cause, PageCause::RedirectUriMismatch { client, requested: RequestedUri::new(uri) });
        }
    }
}

#[test]
fn what_cannot_be_redirected_is_told_on_a_page() {
    let house = house();
    let check =
        |changes: &[(&str, &str)], expected: PageCause| assert_eq!(page(&house, &with(&good(), changes)), expected);
    check(&[("client_id", "")], PageCause::ClientMissing);
    check(&[("client_id", "nobody")], PageCause::ClientUnknown);
    check(&[("client_id", "SHOP")], PageCause::ClientUnknown);
    check(&[("client_id", "closed"), ("redirect_uri", "https://closed.example/cb")], PageCause::ClientUnknown);
    let native = with(&request_of("native", "x"), &[("redirect_uri", "")]);
    assert_eq!(page(&house, &native), PageCause::RedirectUriMissing, "two are registered, so one must be named");
    let api = with(&request_of("api", "x"), &[("redirect_uri", "")]);
    assert_eq!(page(&house, &api), PageCause::RedirectUriMissing, "none is registered");
    let another = page(&house, &request_of("other", SHOP));
    assert!(matches!(another, PageCause::RedirectUriMismatch { client, .. } if client.id == "other"));
}

#[test]
fn a_repeated_parameter_is_refused_on_a_page() {
    let house = house();
    for name in ["client_id", "redirect_uri", "state", "scope", "response_type", "nonce", "code_challenge", "unknown"] {
        let query = format!("{}&{name}=x&{name}=x", query(&with(&good(), &[(name, "")])));
        let refusal = parse(query.as_bytes(), &house.registry, ISSUER);
        let expected = PageCause::Parameters(ParameterError::Repeated(name.to_owned()));
        assert!(matches!(refusal, Err(Refusal::Page(cause)) if cause == expected), "{name}");
    }
}

#[test]
fn a_request_longer_than_an_address_is_refused_before_it_is_read() {
    let house = house();
    let start = format!("{}&x=", query(&good()));
    let of_length = |length: usize| format!("{start}{}", "x".repeat(length - start.len()));
    assert!(parse(of_length(REQUEST_LENGTH_MAX).as_bytes(), &house.registry, ISSUER).is_ok());
    let refusal = parse(of_length(REQUEST_LENGTH_MAX + 1).as_bytes(), &house.registry, ISSUER);
    assert!(matches!(refusal, Err(Refusal::Page(PageCause::TooLong))));
}

#[test]
fn hostile_bytes_never_panic_and_never_redirect() {
    let house = house();
    let mut random = crate::house::Seeded(5);
    for _ in 0..2_000 {
        let mut bytes = fujie_core::random::bytes::<64>(&mut random).to_vec();
        bytes.extend_from_slice(b"&client_id=shop&redirect_uri=https%3A%2F%2Fevil.test");
        assert!(matches!(parse(&bytes, &house.registry, ISSUER), Err(Refusal::Page(_))));
    }
}

#[test]
fn an_error_redirect_is_whole_with_state_and_issuer() {
    let location = location(&house(), &with(&good(), &[("response_type", "")]));
    assert_eq!(
        location,
        "https://shop.example/cb?error=invalid_request&error_description=response_type%20is%20missing\
         &state=s%20t%2B%C3%A4&iss=https%3A%2F%2Fid.example"
    );
}

#[test]
fn an_error_without_state_invents_none() {
    let location = location(&house(), &with(&good(), &[("response_type", ""), ("state", "")]));
    assert_eq!(
        location,
        "https://shop.example/cb?error=invalid_request&error_description=response_type%20is%20missing\
         &iss=https%3A%2F%2Fid.example"
    );
}

#[test]
fn each_fault_has_the_code_of_the_standards() {
    let house = house();
    let check = |changes: &[(&str, &str)], expected: &str| {
        let location = location(&house, &with(&good(), changes));
        let start = format!("{SHOP}?error={expected}&error_description=");
        assert!(location.starts_with(&start) && location.ends_with(TAIL), "{changes:?}: {location}");
    };
    for unsupported in ["none", "id_token", "code id_token", "code token", "token id_token", "CODE", "code "] {
        let mode = ("response_mode", "query");
        if !unsupported.contains("token") {
            check(&[("response_type", unsupported), mode], "unsupported_response_type");
        }
    }
    check(&[("response_mode", "web_message")], "invalid_request");
    check(&[("response_mode", "QUERY")], "invalid_request");
    check(&[("scope", "read\"")], "invalid_scope");
    check(&[("scope", "read admin")], "invalid_scope");
    check(&[("resource", "https://nobody.example")], "invalid_target");
    check(&[("resource", "https://api.example/")], "invalid_target");
    check(&[("prompt", "none login")], "invalid_request");
    check(&[("prompt", "login none")], "invalid_request");
    check(&[("prompt", "none none")], "invalid_request");
    check(&[("prompt", "LOGIN")], "invalid_request");
    for bad in ["-1", "x", "1.5", "99999999999", " 5", "+5"] {
        check(&[("max_age", bad)], "invalid_request");
    }
    check(&[("nonce", &"n".repeat(513))], "invalid_request");
    check(&[("request", "e30.e30.")], "request_not_supported");
    check(&[("request_uri", "https://shop.example/request")], "request_uri_not_supported");
}

#[test]
fn control_characters_in_state_are_refused() {
    let house = house();
    for (state, encoded) in
        [("a\r\nSet-Cookie: x=y", "a%0D%0ASet-Cookie%3A%20x%3Dy"), ("\0", "%00"), ("\u{85}", "%C2%85")]
    {
        let location = location(&house, &with(&good(), &[("state", state)]));
        let expected = format!(
            "{SHOP}?error=invalid_request&error_description=the%20parameter%20state%20has%20a%20control%20character\
             &state={encoded}&iss=https%3A%2F%2Fid.example"
        );
        assert_eq!(location, expected);
    }
    for name in ["scope", "nonce", "prompt", "max_age", "code_challenge", "resource", "ui_locales", "response_mode"] {
        let location = location(&house, &with(&good(), &[(name, "x\ny")]));
        assert!(location.contains("has%20a%20control%20character"), "{name}: {location}");
    }
    assert!(house.parse(&with(&good(), &[("state", "小\u{1F31F} ~!@#$%^&*()")])).is_ok());
}

#[test]
fn a_stripped_challenge_is_refused() {
    let house = house();
    for changes in [
        &[("code_challenge", ""), ("code_challenge_method", "")][..],
        &[("code_challenge", "")],
        &[("code_challenge_method", "")],
        &[("code_challenge_method", "plain")],
        &[("code_challenge_method", "s256")],
        &[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c")],
        &[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")],
        &[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN")],
        &[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")],
    ] {
        for client in ["shop", "spa"] {
            let uri = format!("https://{client}.example/cb");
            let location = location(&house, &with(&request_of(client, &uri), changes));
            assert!(location.contains("?error=invalid_request&"), "{client} {changes:?}: {location}");
        }
    }
}

#[test]
fn pkce_is_what_the_client_was_registered_for() {
    let house = house();
    let none = [("code_challenge", ""), ("code_challenge_method", "")];
    let plain = [("code_challenge", VERIFIER), ("code_challenge_method", "plain")];
    let implied = [("code_challenge", VERIFIER), ("code_challenge_method", "")];
    let stripped = [("code_challenge", "")];
    let check = |client: &str, changes: &[(&str, &str)], expected: Option<Option<Challenge>>| {
        let uri = format!("https://{client}.example/cb");
        let request = house.parse(&with(&request_of(client, &uri), changes));
        assert_eq!(request.ok().map(|request| request.challenge), expected, "{client} {changes:?}");
    };
    check("lax", &none, Some(None));
    check("lax", &plain, None);
    check("lax", &implied, None);
    check("lax", &stripped, None);
    check("legacy", &none, None);
    check("legacy", &plain, Some(Some(Challenge::Plain(VERIFIER.to_owned()))));
    check("legacy", &implied, Some(Some(Challenge::Plain(VERIFIER.to_owned()))));
    check("legacy", &stripped, None);
    check("legacy", &[("code_challenge", "short"), ("code_challenge_method", "plain")], None);
    for client in ["shop", "lax", "legacy"] {
        let s256 = Challenge::parse(Some(CHALLENGE), Some("S256"), PkcePolicy::Required).unwrap();
        check(client, &[], Some(s256));
    }
}

#[test]
fn a_response_type_is_off_until_switched_on_for_the_client() {
    let house = house_where(|client| {
        if client.id == "other" {
            client.grant_types = vec![GrantType::ClientCredentials];
        }
    });
    let token = with(&good(), &[("response_type", "token")]);
    let location_of_token = location(&house, &token);
    assert!(location_of_token.starts_with(&format!("{SHOP}#error=unauthorized_client&")), "{location_of_token}");
    let code = location(&house, &request_of("other", "https://other.example/cb"));
    assert!(code.starts_with("https://other.example/cb?error=unauthorized_client&"), "{code}");
    let legacy = with(&request_of("legacy", "https://legacy.example/cb"), &[("response_type", "token")]);
    assert_eq!(house.parse(&legacy).unwrap().response_type, ResponseType::Token);
}

#[test]
fn nothing_about_a_token_travels_in_a_query() {
    let house = house();
    let legacy = with(&request_of("legacy", "https://legacy.example/cb"), &[("response_type", "token")]);
    let check = |mode: &str, start: &str| {
        let location = location(&house, &with(&legacy, &[("response_mode", mode), ("prompt", "bogus")]));
        assert!(location.starts_with(&format!("https://legacy.example/cb{start}")), "{mode}: {location}");
    };
    check("query", "#error=invalid_request&");
    check("fragment", "#error=invalid_request&");
    check("", "#error=invalid_request&");
    for mixed in ["id_token", "code token", "token id_token"] {
        let location = location(&house, &with(&good(), &[("response_type", mixed), ("response_mode", "query")]));
        assert!(location.starts_with(&format!("{SHOP}#error=unsupported_response_type&")), "{location}");
    }
}

#[test]
fn a_form_post_tells_the_same_in_fields() {
    let house = house();
    let pairs = with(&good(), &[("response_mode", "form_post"), ("response_type", "")]);
    let Err(Refusal::Redirect(target, error)) = house.parse(&pairs) else { panic!("not refused") };
    let fields = vec![
        ("error", "invalid_request".to_owned()),
        ("error_description", "response_type is missing".to_owned()),
        ("state", "s t+ä".to_owned()),
        ("iss", ISSUER.to_owned()),
    ];
    assert_eq!(error.answer(target), AuthorizationResponse::FormPost { action: SHOP.to_owned(), fields });
}

#[test]
fn a_redirect_uri_with_a_query_keeps_it() {
    let house = house_where(|client| {
        if client.id == "shop" {
            client.redirect_uris = vec!["https://shop.example/cb?a=1"].into_iter().map(registered).collect();
        }
    });
    let uri = "https://shop.example/cb?a=1";
    let told = location(&house, &with(&request_of("shop", uri), &[("response_type", ""), ("state", "")]));
    assert_eq!(
        told,
        "https://shop.example/cb?a=1&error=invalid_request&error_description=response_type%20is%20missing\
         &iss=https%3A%2F%2Fid.example"
    );
}

fn registered(text: &str) -> fujie_core::request::redirect_uri::RegisteredUri {
    fujie_core::request::redirect_uri::RegisteredUri::parse(text).unwrap()
}

#[test]
fn the_only_registered_uri_need_not_be_named() {
    let request = house().parse(&with(&good(), &[("redirect_uri", "")])).unwrap();
    assert_eq!(request.target.uri(), SHOP);
    assert!(!request.redirect_uri_sent);
}

#[test]
fn a_native_client_is_answered_on_the_port_it_listens_on() {
    let house = house();
    let pairs = with(&request_of("native", "http://127.0.0.1:50123/cb"), &[("response_type", "bogus"), ("state", "")]);
    let told = location(&house, &pairs);
    assert!(told.starts_with("http://127.0.0.1:50123/cb?error=unsupported_response_type&"), "{told}");
}

#[test]
fn scope_is_asked_within_what_is_registered() {
    let house = house_where(|client| {
        if client.id == "other" {
            client.scope = scope("read write");
        }
    });
    let check = |client: &str, asked: &str, expected: Option<&str>| {
        let uri = format!("https://{client}.example/cb");
        let request = house.parse(&with(&request_of(client, &uri), &[("scope", asked)]));
        assert_eq!(
            request.ok().map(|request| request.scope.to_string()),
            expected.map(str::to_owned),
            "{client} {asked}"
        );
    };
    check("shop", "read", Some("read"));
    check("shop", "openid read openid", Some("openid read"));
    check("shop", "openid email address", Some("openid"));
    check("shop", "email", None);
    check("shop", "", Some("profile read write open"));
    check("other", "openid read", None);
    check("other", "read", Some("read"));
    check("other", "READ", None);
    check("other", "", Some("read write"));
}

#[test]
fn the_audience_is_what_was_asked_or_what_the_scope_belongs_to() {
    let house = house();
    let check = |scope: &str, resources: &[&str], expected: &[&str]| {
        let mut pairs = with(&good(), &[("scope", scope)]);
        pairs.extend(resources.iter().map(|uri| ("resource", *uri)));
        assert_eq!(house.parse(&pairs).unwrap().audience.resources, expected, "{scope} {resources:?}");
    };
    check("openid", &[], &[]);
    check("openid read", &[], &[API]);
    check("read open", &[], &[API, VAULT]);
    check("read open", &[VAULT], &[VAULT]);
    check("read open", &[API, API], &[API]);
    check("read open", &[API, VAULT, API], &[API, VAULT]);
}
