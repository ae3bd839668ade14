//! The cookie of an attempt: whose it is, and under which name. Over the blocking client, which asks the other one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use fujie_client::blocking::Client;
use fujie_client::{Begun, ProviderError, Request, Response, SignedIn, TransportError};

use crate::world::{CODE, OPENID, REDIRECT_URI, after, answer, client as registration, token_answer, user_answer};

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

/// The names of what a browser keeps that was answered with these headers.
fn kept(before: &[&Begun], set: &[String]) -> Vec<String> {
    let stays = |begun: &&&Begun| !set.contains(&begun.cookie.clear_cookie());
    before.iter().filter(stays).map(|begun| begun.cookie.name.clone()).collect()
}

fn header(begun: &[&Begun]) -> String {
    let pairs: Vec<String> = begun.iter().map(|b| format!("{}={}", b.cookie.name, b.cookie.value)).collect();
    format!("sid=1; {}", pairs.join("; "))
}

#[test]
fn a_callback_takes_its_own_attempt_back_and_no_other_tabs() {
    let client = client();
    for redirect_uri in [REDIRECT_URI, LOOPBACK] {
        let (ours, other) = (client.begin(redirect_uri).unwrap(), client.begin(redirect_uri).unwrap());
        let cookies = header(&[&ours, &other]);
        let set = client.clear_cookies(&back(&ours), &cookies);
        assert_eq!(set, [ours.cookie.clear_cookie()]);
        assert_eq!(kept(&[&ours, &other], &set), std::slice::from_ref(&other.cookie.name));
        assert!(client.clear_cookies("https://app.example/callback?code=x&state=y", &cookies).is_empty());
        assert!(client.clear_cookies(&back(&ours), "sid=1").is_empty());
        // One that was planted under another name is not ours to answer.
        assert!(client.clear_cookies(&back(&ours), &format!("x={}", ours.cookie.value)).is_empty());
    }
}

/// In a frame of another site a browser takes nothing but `SameSite=None`, taking back included.
#[test]
fn an_attempt_of_a_frame_or_a_post_is_taken_back_as_it_was_set() {
    let client = client();
    for is_framed in [true, false] {
        let (options, cookie) = client.begin_embedded(REDIRECT_URI, "qr", is_framed).unwrap();
        let callback = format!("{REDIRECT_URI}&code={CODE}&state={}", options.state);
        let set = client.clear_cookies(&callback, &format!("{}={}", cookie.name, cookie.value));
        assert_eq!(set, [cookie.clear_cookie()]);
        assert_eq!(set.iter().any(|header| header.contains("SameSite=None; Secure")), is_framed);
    }
}

#[test]
fn a_browser_keeps_its_eight_newest_attempts() {
    let clock = Arc::new(AtomicI64::new(0));
    let hand = Arc::clone(&clock);
    let client = client().with_clock(Arc::new(move || after(hand.load(Relaxed))));
    let begin = |second| {
        clock.store(second, Relaxed);
        client.begin(REDIRECT_URI).unwrap()
    };
    let begun: Vec<Begun> = (0..12).map(begin).collect();
    // The browser sends them in any order.
    let mut sent: Vec<&Begun> = begun.iter().collect();
    sent.reverse();
    sent.swap(0, 7);
    let (eight, oldest): (Vec<&Begun>, Vec<&Begun>) = (begun.iter().skip(4).collect(), begun.iter().take(4).collect());
    let names = |begun: &[&Begun]| begun.iter().map(|b| b.cookie.name.clone()).collect::<Vec<_>>();
    let all: Vec<&Begun> = begun.iter().collect();
    // Before a sign-in begins, and with the callback of an old one or of a new one.
    assert_eq!(kept(&all, &client.clear_cookies("", &header(&sent))), names(&eight));
    let set = client.clear_cookies(&back(oldest[0]), &header(&sent));
    assert_eq!((set.len(), kept(&all, &set)), (4, names(&eight)));
    let set = client.clear_cookies(&back(eight[0]), &header(&sent));
    assert_eq!((set.len(), kept(&all, &set)), (4, names(&[&[oldest[3]], &eight[1..]].concat())));
}
