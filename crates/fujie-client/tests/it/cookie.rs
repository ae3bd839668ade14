//! The cookie of an attempt: whose it is, and under which name. Over the blocking client, which asks the other one.

use fujie_client::blocking::Client;
use fujie_client::{Begun, ProviderError, Request, Response, SignedIn, TransportError};

use crate::world::{CODE, OPENID, REDIRECT_URI, answer, client as registration, token_answer, user_answer};

const LOOPBACK: &str = "http://127.0.0.1:8080/callback?from=x";

fn wechat(request: &Request) -> Result<Response, TransportError> {
    let is_user = request.url().contains("/userinfo");
    Ok(answer(if is_user { user_answer() } else { token_answer() }.to_string()))
}

fn client() -> Client {
    Client::over(wechat, registration()).unwrap()
}

/// The address that the provider sends this browser to.
fn back(begun: &Begun) -> String {
    let (_, rest) = begun.url.split_once("state=").unwrap();
    format!("{REDIRECT_URI}&code={CODE}&state={}", rest.split(['&', '#']).next().unwrap())
}

fn finish(client: &Client, begun: &Begun, cookie: &str) -> Result<SignedIn, ProviderError> {
    client.finish(&back(begun), cookie)
}

#[test]
fn an_attempt_is_taken_under_its_own_name() {
    let client = client();
    for redirect_uri in [REDIRECT_URI, LOOPBACK] {
        let begun = client.begin(redirect_uri).unwrap();
        let (name, value) = (&begun.cookie.name, &begun.cookie.value);
        let good = [
            value.clone(),
            format!(" {value} "),
            format!("{name}={value}"),
            format!("sid=1; {name}=\"{value}\" ; other=2"),
            format!("{name}=x; {name}={value}"),
        ];
        for came in good {
            assert_eq!(finish(&client, &begun, &came).unwrap().identity.subject, OPENID, "{came}");
        }
    }
}

/// A sibling host can set cookies for the whole domain, but none with `__Host-` (RFC 6265bis §4.1.3.2).
#[test]
fn a_planted_attempt_is_not_taken() {
    let client = client();
    for redirect_uri in [REDIRECT_URI, LOOPBACK] {
        let begun = client.begin(redirect_uri).unwrap();
        let other = client.begin(redirect_uri).unwrap();
        let (name, value) = (&begun.cookie.name, &begun.cookie.value);
        let bare_name = name.trim_start_matches("__Host-");
        let renamed = if bare_name == name { format!("__Host-{name}") } else { bare_name.to_owned() };
        let planted = [
            format!("{renamed}={value}"),
            format!("x{name}={value}"),
            format!("{}={value}", name.to_uppercase()),
            format!("{}={value}", other.cookie.name),
            format!("fujie_attempt_={value}"),
            format!("={value}"),
            format!("sid=1; {value}"),
            format!("{value}; sid=1"),
            format!("{value};"),
        ];
        for came in planted {
            let error = finish(&client, &begun, &came).unwrap_err();
            assert!(matches!(error, ProviderError::CookieUnusable), "{came}: {error}");
        }
    }
}
