//! Redirect URIs against a thousand and more spellings that look alike (RFC 9700 §2.1, RFC 8252 §7.3).

use std::collections::BTreeSet;

use fujie_core::request::redirect_uri::{RedirectUriError, RegisteredUri, RequestedUri};

const REGISTERED: [&str; 8] = [
    "https://app.example/cb",
    "https://app.example:8443/a/cb?x=1",
    "https://app.example",
    "http://127.0.0.1/cb",
    "http://127.0.0.1:8000/cb?y=2",
    "http://[::1]/cb",
    "http://localhost:3000/cb",
    "com.example.app:/cb",
];

/// Put in at every position.
const INSERTED: [&str; 34] = [
    "\t", "\n", "\r", " ", "\0", "\u{7f}", "\\", "/", "//", "@", "#", "?", "&", ";", ":", ".", "..", "%", "%00", "%09",
    "%0a", "%20", "%23", "%2e", "%2f", "%40", "%5c", "%252f", "..;/", "/../", "\u{200b}", "\u{ff0e}", "\u{3002}",
    "\u{ad}",
];

/// Put at the end, or right after the authority.
const APPENDED: [&str; 22] = [
    "/",
    "?",
    "#",
    "#x",
    "?x=1",
    "&x=1",
    "/..",
    "/.",
    "/../evil",
    "/%2e%2e/evil",
    ";jsessionid=1",
    "..;/evil",
    "\\..\\evil",
    ".evil.test",
    "@evil.test",
    ":@evil.test/",
    "%00.evil.test",
    "\n.evil.test",
    "//evil.test",
    "/cb",
    "%2F",
    "%3f",
];

/// Instead of the authority, or before it; `{}` is the authority.
const AUTHORITIES: [&str; 32] = [
    "evil.test",
    "{}.evil.test",
    "evil.test/{}",
    "evil.test#{}",
    "evil.test?{}",
    "evil.test\\{}",
    "evil.test\\@{}",
    "{}@evil.test",
    "{}:x@evil.test",
    "{}%40evil.test",
    "{}@evil.test@{}",
    "good@{}",
    ":@{}",
    "@{}",
    "evil{}",
    "evil.{}",
    "{}.",
    "{}..",
    "{}:",
    "{}:443",
    "{}:80",
    "{}:0",
    "{}:00080",
    "{}:+80",
    "{}:65536",
    "{}:99999999999999999999",
    "{}:８０",
    "{}: 80",
    "[{}]",
    "{}%00",
    "{}\t",
    "127.0.0.1.evil.test",
];

/// Letters that look like others.
const HOMOGRAPHS: [(char, &str); 9] =
    [('a', "а"), ('c', "с"), ('e', "е"), ('l', "ӏ"), ('o', "о"), ('p', "р"), ('x', "х"), ('/', "／"), ('.', "．")];

/// Every variant of `registered`, each once, without itself.
fn attacks(registered: &str) -> BTreeSet<String> {
    let mut list = Vec::new();
    let positions: Vec<usize> = registered.char_indices().map(|(at, _)| at).chain([registered.len()]).collect();
    for at in &positions {
        let (head, tail) = registered.split_at(*at);
        list.extend(INSERTED.iter().map(|text| format!("{head}{text}{tail}")));
        let Some(first) = tail.chars().next() else { continue };
        let rest = &tail[first.len_utf8()..];
        let upper = first.to_ascii_uppercase();
        list.push(format!("{head}{rest}"));
        list.push(format!("{head}{first}{tail}"));
        list.push(format!("{head}{upper}{rest}"));
        list.push(format!("{head}%{:02x}{rest}", u32::from(first)));
        list.push(format!("{head}%{:02X}{rest}", u32::from(first)));
        list.push(format!("{head}%25{:02x}{rest}", u32::from(first)));
        list.push(head.to_owned());
        list.push(tail.to_owned());
        list.extend(
            HOMOGRAPHS.iter().filter(|(own, _)| *own == first).map(|(_, other)| format!("{head}{other}{rest}")),
        );
    }
    list.extend(APPENDED.iter().map(|text| format!("{registered}{text}")));
    if let Some((scheme, rest)) = registered.split_once("://") {
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        list.extend(AUTHORITIES.iter().map(|form| format!("{scheme}://{}{path}", form.replace("{}", authority))));
        let bare =
            authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or(authority, |(host, _)| host);
        list.extend(AUTHORITIES.iter().map(|form| format!("{scheme}://{}{path}", form.replace("{}", bare))));
        list.extend(APPENDED.iter().map(|text| format!("{scheme}://{authority}{text}{path}")));
        for other in ["http", "https", "HTTPS", "javascript", "data", "file", "ftp", "com.evil"] {
            list.push(format!("{other}://{authority}{path}"));
        }
        list.extend([
            format!("//{authority}{path}"),
            format!("{scheme}:{authority}{path}"),
            format!("{scheme}:/{authority}{path}"),
        ]);
    }
    list.into_iter().filter(|attack| attack != registered).collect()
}

/// The rule, told a second time in other words: the same text, or the same but for the port on a loopback literal.
fn is_good(registered: &str, requested: &str) -> bool {
    let rest_of = |text: &str| -> Option<(&'static str, String)> {
        let host = ["http://127.0.0.1", "http://[::1]"].into_iter().find(|host| text.starts_with(host))?;
        let rest = &text[host.len()..];
        let end = rest.find('/')?;
        let port = &rest[..end];
        let is_port = port.is_empty() || (1..=65535).any(|number| port == format!(":{number}"));
        is_port.then(|| (host, rest[end..].to_owned()))
    };
    registered == requested || (rest_of(registered).is_some() && rest_of(registered) == rest_of(requested))
}

#[test]
fn thousands_of_redirect_uris_that_look_alike_are_refused() {
    let (mut refused, mut admitted) = (0, 0);
    for registered in REGISTERED {
        let own = RegisteredUri::parse(registered).unwrap();
        for attack in attacks(registered) {
            let is_admitted = own.admits(&RequestedUri::new(&attack));
            assert_eq!(is_admitted, is_good(registered, &attack), "registered {registered:?}, requested {attack:?}");
            if is_admitted {
                admitted += 1;
                assert_same_door(registered, &attack);
            } else {
                refused += 1;
            }
        }
    }
    assert!(refused >= 5_000, "only {refused} variants");
    assert!(admitted <= 10, "{admitted} admitted: other ports of loopback literals alone");
}

/// What a browser would make of an admitted URI leads to the same host and path.
fn assert_same_door(registered: &str, requested: &str) {
    let (own, theirs) = (url::Url::parse(registered).unwrap(), url::Url::parse(requested).unwrap());
    assert_eq!((own.scheme(), own.host_str(), own.path()), (theirs.scheme(), theirs.host_str(), theirs.path()));
    assert_eq!((own.query(), own.fragment()), (theirs.query(), theirs.fragment()));
    assert_eq!(theirs.username(), "");
}

#[test]
fn a_registration_admits_itself_and_no_other_registration() {
    for registered in REGISTERED {
        let own = RegisteredUri::parse(registered).unwrap();
        assert_eq!(own.as_str(), registered);
        for requested in REGISTERED {
            assert_eq!(own.admits(&RequestedUri::new(requested)), registered == requested, "{registered} {requested}");
        }
    }
}

#[test]
fn every_port_of_a_loopback_literal_is_admitted_in_its_one_spelling() {
    for (registered, host) in [("http://127.0.0.1/cb", "127.0.0.1"), ("http://[::1]:7/cb", "[::1]")] {
        let own = RegisteredUri::parse(registered).unwrap();
        let check = |port: &str| own.admits(&RequestedUri::new(&format!("http://{host}{port}/cb")));
        for port in [1, 80, 443, 1024, 49_152, 65_535] {
            assert!(check(&format!(":{port}")), "{port}");
        }
        assert!(check(""));
        for port in [":", ":0", ":080", ":00000000000080", ":65536", ":+80", ":-1", ":80:80", ":8 0", ":0x50", ":٨٠"]
        {
            assert!(!check(port), "{port}");
        }
    }
}

#[test]
fn localhost_by_name_is_not_a_loopback_literal() {
    let own = RegisteredUri::parse("http://localhost:3000/cb").unwrap();
    assert!(own.admits(&RequestedUri::new("http://localhost:3000/cb")));
    for requested in
        ["http://localhost/cb", "http://localhost:3001/cb", "http://127.0.0.1:3000/cb", "http://[::1]:3000/cb"]
    {
        assert!(!own.admits(&RequestedUri::new(requested)), "{requested}");
    }
}

#[test]
fn what_is_registered_is_what_a_browser_reads() {
    use RedirectUriError::{Credentials, Fragment, Length, NotAbsolute, PlainHttp, Scheme, Spelling};
    let check = |text: &str, expected: Result<(), RedirectUriError>| {
        assert_eq!(RegisteredUri::parse(text).map(|_| ()), expected, "{text:?}");
    };
    check("https://app.example:443/cb", Ok(()));
    check("http://127.0.0.1:80/cb", Ok(()));
    check("https://app.example?x=1", Err(Spelling));
    for text in [
        "https://app.example:443/a/../b",
        "https://app.example:443/a/%2e%2e/b",
        "https://APP.example:443/cb",
        "https:///app.example:443/cb",
        "http://127.1:80/cb",
        "http://[0:0:0:0:0:0:0:1]:80/cb",
        "https://app.example:0443/cb",
        "https://app.example:/cb",
        "https://APP.example/cb",
        "HTTPS://app.example/cb",
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://0x7f.0.0.1/cb",
        "https://app.example/%2e%2e/cb",
        "https://app.example/./cb",
        "https://аpp.example/cb",
        "https://app.example/\tcb",
        "https://app.example/cb\n",
        "\u{feff}https://app.example/cb",
    ] {
        check(text, Err(Spelling));
    }
    for text in [
        "http://127.0.0.2/cb",
        "http://0.0.0.0/cb",
        "http://[::ffff:7f00:1]/cb",
        "http://localhost./cb",
        "http://10.0.0.1/cb",
    ] {
        check(text, Err(PlainHttp));
    }
    for text in [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "blob:https://a/b",
        "about:blank",
        "app:/cb",
        "ws://app.example/",
        "com.app:x@evil.test",
    ] {
        check(text, Err(Scheme));
    }
    for text in [
        "https://u@app.example/cb",
        "https://u:p@app.example/cb",
        "https://@app.example/cb",
        "https://a@b@app.example/cb",
    ] {
        check(text, Err(Credentials));
    }
    check("https://app.example/cb#", Err(Fragment));
    for text in ["", "cb", "/cb", "//app.example/cb", "https:", "https://", "?x", "https:app.example/cb"] {
        check(text, Err(NotAbsolute));
    }
    check(&format!("https://app.example/{}", "x".repeat(1980)), Ok(()));
    check(&format!("https://app.example/{}", "x".repeat(1981)), Err(Length));
}

#[test]
fn the_page_names_the_first_part_that_differs() {
    let check = |registered: &str, requested: &str, expected: Option<(&str, &str, &str)>| {
        let registered = RegisteredUri::parse(registered).unwrap();
        let difference = RequestedUri::new(requested).difference(&registered);
        let found = difference.as_ref().map(|own| (own.part, own.registered.as_str(), own.requested.as_str()));
        assert_eq!(found, expected, "{requested}");
    };
    check("https://app.example/cb", "https://app.example/cb", None);
    check("https://app.example/cb", "http://app.example/cb", Some(("scheme", "https", "http")));
    check("https://app.example/cb", "https://app.example.evil/cb", Some(("host", "app.example", "app.example.evil")));
    check("https://app.example/cb", "https://app.example:1/cb", Some(("port", "", "1")));
    check("https://app.example/cb", "https://app.example/cb/", Some(("path", "/cb", "/cb/")));
    check("https://app.example/cb", "https://app.example/cb?x", Some(("query", "", "x")));
    check("https://app.example/cb", "https://app.example/cb#x", Some(("fragment", "", "x")));
    check("http://[::1]/cb", "http://[::1]:5/cc", Some(("port", "", "5")));
}

#[test]
fn a_content_security_policy_names_the_origin_alone() {
    let check = |text: &str, expected: &str| assert_eq!(RegisteredUri::parse(text).unwrap().origin(), expected);
    check("https://app.example/cb?x=1", "https://app.example");
    check("https://app.example:8443/cb", "https://app.example:8443");
    check("http://[::1]:99/cb", "http://[::1]:99");
    check("com.example.app:/cb", "com.example.app:");
}
