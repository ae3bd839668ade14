//! Requests of clients that are broken, or not of the client they name.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fujie_core::client::Client;

use crate::{
    browser::{Browser, Page, form},
    house::{House, Registered, client, public},
};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Who asks, with which fields, and the error it gets.
type Case<'a> = (&'a Registered, &'a [(&'a str, &'a str)], &'a str);

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

async fn with_header(house: &House, path: &str, authorization: &str, fields: &[(&str, &str)]) -> Page {
    let url = format!("{}{path}", house.issuer);
    Browser::new().send_as(&url, &[FORM, ("authorization", authorization)], Some(&form(fields))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_parameter_is_refused_at_each_endpoint_and_burns_nothing() {
    let house = House::new().await;
    let code = house.code(&mut Browser::new(), &house.app, &[]).await;
    let secret = house.app.secret.clone().unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", crate::house::CALLBACK),
        ("code_verifier", crate::house::VERIFIER),
        ("client_id", "friends"),
        ("client_secret", &secret),
    ];
    let good = form(&fields);
    for (name, value) in fields {
        for again in [form(&[(name, value)]), format!("{name}="), format!("%{:02X}{}", name.as_bytes()[0], &name[1..])]
        {
            let page = house.post_raw("/token", &format!("{good}&{again}")).await;
            assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"), "{again}: {}", page.body);
            assert!(page.body.contains(name), "{}", page.body);
        }
    }
    let page = house.post_raw("/token", &good).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let token = page.json()["access_token"].as_str().unwrap().to_owned();
    let own = form(&[("client_id", "friends"), ("client_secret", &secret), ("token", &token)]);
    for path in ["/introspect", "/revoke"] {
        for again in ["token=x", "client_id=friends", "token_type_hint=a&token_type_hint=b"] {
            let page = house.post_raw(path, &format!("{own}&{again}")).await;
            assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"), "{path} {again}");
        }
    }
    let page = house.post_raw("/userinfo", &form(&[("access_token", &token), ("access_token", &token)])).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"), "{}", page.body);
    assert!(page.header("www-authenticate").contains("invalid_request"), "RFC 6750 section 3");
    assert_eq!(house.userinfo(&token).await.status, 200, "nothing was revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_not_authenticated_learns_nothing() {
    let house = House::new().await;
    let other = house.add(client("other")).await;
    let public = house.add(public("app")).await;
    let code = house.code(&mut Browser::new(), &house.app, &[]).await;
    let secret = house.app.secret.clone().unwrap();
    let clients = [
        Registered { id: "friends".to_owned(), secret: None },
        Registered { id: "friends".to_owned(), secret: Some(String::new()) },
        Registered { id: "friends".to_owned(), secret: Some("secret".to_owned()) },
        Registered { id: "friends".to_owned(), secret: other.secret },
        Registered { id: "friends".to_owned(), secret: Some(secret[..secret.len() - 1].to_owned()) },
        Registered { id: "friends".to_owned(), secret: Some(format!("{secret} ")) },
        Registered { id: "nobody".to_owned(), secret: Some(secret.clone()) },
        Registered { id: "FRIENDS".to_owned(), secret: Some(secret.clone()) },
        Registered { id: public.id.clone(), secret: Some(secret.clone()) },
    ];
    let mut answers: Vec<String> = Vec::new();
    for client in &clients {
        for path in ["/token", "/introspect", "/revoke"] {
            let fields = [("grant_type", "authorization_code"), ("code", &*code), ("token", &*code)];
            let page = house.post(path, client, &fields).await;
            assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"), "{client:?} {path}");
            answers.push(page.body);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "which check failed is not told: {answers:?}");
    assert_eq!(house.redeem(&house.app, &code).await.status, 200, "the code is as good as before");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_authentication_methods_in_one_request_are_refused() {
    let house = House::new().await;
    let other = house.add(client("other")).await;
    let secret = house.app.secret.clone().unwrap();
    let header = basic("friends", &secret);
    let credentials = ("grant_type", "client_credentials");
    let both: [&[(&str, &str)]; 4] = [
        &[credentials, ("client_secret", &secret)],
        &[credentials, ("client_id", "friends"), ("client_secret", &secret)],
        &[credentials, ("client_id", "other")],
        &[credentials, ("client_id", "other"), ("client_secret", other.secret.as_deref().unwrap())],
    ];
    for fields in both {
        let page = with_header(&house, "/token", &header, fields).await;
        assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"), "{fields:?}");
    }
    // Naming oneself again is not another method.
    let page = with_header(&house, "/token", &header, &[credentials, ("client_id", "friends")]).await;
    assert_eq!(page.status, 200, "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn basic_is_read_as_the_standard_writes_it() {
    let house = House::new().await;
    let odd = house.add(Client { id: "a b:c%+/ü".to_owned(), ..client("odd") }).await;
    let secret = odd.secret.clone().unwrap();
    let fields = [("grant_type", "client_credentials")];
    for id in ["a+b%3Ac%25%2B%2F%C3%BC", "a%20b%3ac%25%2b/%c3%bc"] {
        let page = with_header(&house, "/token", &basic(id, &secret), &fields).await;
        assert_eq!(page.status, 200, "{id}: {}", page.body);
    }
    let page =
        with_header(&house, "/token", &basic("a+b%3Ac%25%2B%2F%C3%BC", &secret).replace("Basic", "bAsIc"), &fields)
            .await;
    assert_eq!(page.status, 200, "the scheme has no case");
    let friends = house.app.secret.clone().unwrap();
    let cases = [
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Basic !!!".to_owned(),
        format!("Basic {}", STANDARD.encode("friends")),
        format!("Basic {}", STANDARD.encode(b"friends:\xff\xfe")),
        basic("friends", ""),
        basic("friends", "%"),
        basic("friends&x=1", &friends),
        basic("fr%zzends", &friends),
        basic(&"a".repeat(3000), &friends),
        format!("Bearer {friends}"),
        format!("Digest {}", STANDARD.encode(format!("friends:{friends}"))),
        friends.clone(),
        format!("Basic {friends}"),
    ];
    for header in cases {
        for path in ["/token", "/introspect", "/revoke"] {
            let page =
                with_header(&house, path, &header, &[("grant_type", "client_credentials"), ("token", "x")]).await;
            assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"), "{header} {path}");
            assert_eq!(page.header("www-authenticate"), "Basic realm=\"fujie\"", "RFC 6749 section 5.2");
        }
    }
    assert_eq!(with_header(&house, "/token", &basic("friends", &friends), &fields).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_token_request_has_the_standards_error() {
    let house = House::new().await;
    let bare = house.add(Client { grant_types: Vec::new(), ..client("bare") }).await;
    let public = house.add(public("app")).await;
    let cases: &[Case] = &[
        (&house.app, &[], "invalid_request"),
        (&house.app, &[("grant_type", "")], "invalid_request"),
        (&house.app, &[("grant_type", "authorization_code")], "invalid_request"),
        (&house.app, &[("grant_type", "authorization_code"), ("code", "")], "invalid_request"),
        (&house.app, &[("grant_type", "refresh_token")], "invalid_request"),
        (&house.app, &[("grant_type", "urn:ietf:params:oauth:grant-type:device_code")], "unsupported_grant_type"),
        (&house.app, &[("grant_type", "AUTHORIZATION_CODE"), ("code", "x")], "unsupported_grant_type"),
        (&house.app, &[("grant_type", "implicit")], "unsupported_grant_type"),
        (&house.app, &[("grant_type", "password"), ("username", "alice"), ("password", "x")], "unauthorized_client"),
        (&house.app, &[("grant_type", "client_credentials"), ("scope", "openid")], "invalid_scope"),
        (&house.app, &[("grant_type", "client_credentials"), ("scope", "admin")], "invalid_scope"),
        (&house.app, &[("grant_type", "client_credentials"), ("resource", "https://x.example/")], "invalid_target"),
        (&house.app, &[("grant_type", "authorization_code"), ("code", "x")], "invalid_grant"),
        (&house.app, &[("grant_type", "refresh_token"), ("refresh_token", "x")], "invalid_grant"),
        (&public, &[("grant_type", "client_credentials")], "unauthorized_client"),
        (&bare, &[("grant_type", "client_credentials")], "unauthorized_client"),
        (&bare, &[("grant_type", "password"), ("username", "alice"), ("password", "x")], "unauthorized_client"),
    ];
    for (client, fields, expected) in cases {
        let page = house.post("/token", client, fields).await;
        assert_eq!((page.status, page.error().as_str()), (400, *expected), "{} {fields:?}", client.id);
        let description = page.json()["error_description"].as_str().unwrap().to_owned();
        assert!(description.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\'), "{description}");
        assert_eq!((page.header("cache-control"), page.header("pragma")), ("no-store", "no-cache"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_type_is_no_form() {
    let house = House::new().await;
    let code = house.code(&mut Browser::new(), &house.app, &[]).await;
    let secret = house.app.secret.clone().unwrap();
    let fields =
        [("grant_type", "authorization_code"), ("code", &code), ("client_id", "friends"), ("client_secret", &secret)];
    let url = format!("{}/token", house.issuer);
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x", ""] {
        let page = Browser::new().send_as(&url, &[("content-type", kind)], Some(&form(&fields))).await;
        assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"), "{kind}");
    }
    let json = serde_json::json!({ "grant_type": "client_credentials" }).to_string();
    let headers = [("content-type", "application/json"), ("authorization", &basic("friends", &secret))];
    let page = Browser::new().send_as(&url, &headers, Some(&json)).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"));
    // A charset is allowed, and the name of the type has no case.
    let kind = "Application/X-WWW-Form-URLEncoded; charset=UTF-8";
    let page = Browser::new()
        .send_as(
            &url,
            &[("content-type", kind)],
            Some(&form(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", crate::house::CALLBACK),
                ("code_verifier", crate::house::VERIFIER),
                ("client_id", "friends"),
                ("client_secret", &secret),
            ])),
        )
        .await;
    assert_eq!(page.status, 200, "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_is_an_invalid_request() {
    let house = House::new().await;
    let many: String = (0..101).map(|n| format!("p{n}=1&")).collect();
    for path in ["/token", "/introspect", "/revoke"] {
        for body in ["a=%", "a=%gg", "a=%ff", "%ff=1", "a=%F0%9F", many.as_str()] {
            let page = house.post_raw(path, body).await;
            assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"), "{path} {body}");
        }
        for body in ["", "&&&", "=", "x", "{}", "a[b]=c&a[d]=e"] {
            let page = house.post_raw(path, body).await;
            assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"), "{path} {body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_always_an_invalid_client_and_never_an_invalid_grant() {
    let house = House::new().await;
    let guesser = Registered { id: "friends".to_owned(), secret: Some("wrong".to_owned()) };
    for _ in 0..60 {
        let page = house.post("/token", &guesser, &[("grant_type", "client_credentials")]).await;
        assert_eq!((page.status, page.error().as_str()), (401, "invalid_client"));
        assert!(page.header("www-authenticate").starts_with("Basic"));
    }
    let page = house.post("/token", &house.app, &[("grant_type", "client_credentials")]).await;
    assert_eq!(page.status, 200, "the client itself is not locked out");
}
