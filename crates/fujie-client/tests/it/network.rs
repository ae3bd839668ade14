//! Whole sign-ins over loopback, with a provider that is honest, slow, broken or hostile. Every story is told over
//! every transport.

use std::sync::Arc;
use std::time::Duration;

use fujie_client::{
    Callback, Client, Limits, ProviderError, Registration, SignedIn, Transport, UreqTransport, provider,
    transport::RESPONSE_BODY_MAX,
};
use serde_json::json;

use crate::server::{Reply, Server, nobody, ok, with_status};
use crate::world::{CODE, NOW, OPENID, SECRET, callback, changed, client_of, token_answer, user_answer};

pub const TOKEN: &str = "/sns/oauth2/access_token";
const USER: &str = "/sns/userinfo";

/// Every transport of this build. A story that waits until the time is up brings short limits.
fn transports_within(limits: Limits) -> Vec<Arc<dyn Transport>> {
    vec![
        Arc::new(UreqTransport::with_limits(limits).unwrap()),
        #[cfg(feature = "reqwest")]
        Arc::new(fujie_client::ReqwestTransport::with_limits(limits).unwrap()),
    ]
}

pub fn transports() -> Vec<Arc<dyn Transport>> {
    transports_within(Limits::default())
}

async fn sign_in(transport: &Arc<dyn Transport>, server: &Server) -> Result<SignedIn, ProviderError> {
    let (client, callback) = at(&server.base);
    redeem(transport, client, callback).await
}

pub async fn redeem(
    transport: &Arc<dyn Transport>,
    registration: Registration,
    callback: Callback,
) -> Result<SignedIn, ProviderError> {
    let client = Client::over(Arc::clone(transport), registration).unwrap();
    client.with_clock(Arc::new(|| NOW)).redeem(callback).await
}

pub fn at(base: &str) -> (Registration, Callback) {
    let client = client_of(provider::wechat().at_host(base).unwrap());
    let callback = callback(&client);
    (client, callback)
}

pub fn honest(path: &str) -> Reply {
    match path {
        TOKEN => ok(token_answer().to_string()),
        _ => ok(user_answer().to_string()),
    }
}

/// The name of the failure, having made sure that no secret is in its report.
async fn failure(transport: &Arc<dyn Transport>, server: &Server) -> &'static str {
    let error = sign_in(transport, server).await.unwrap_err();
    let told = format!("{error:?} {}", error.report());
    assert!(!told.contains("canary") && !told.contains(SECRET), "{told}");
    assert!(!told.contains(&server.base), "{told}");
    error.name()
}

#[tokio::test]
async fn a_person_signs_in_with_one_exchange_and_one_question() {
    for transport in transports() {
        let server = Server::new(|path, _| honest(path));
        let signed_in = sign_in(&transport, &server).await.unwrap();
        assert_eq!(signed_in.identity.subject, OPENID);
        assert_eq!(signed_in.identity.nickname.as_deref(), Some("小明🦊"));
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        assert!(requests[0].starts_with(&format!("GET {TOKEN}?appid=")), "{}", requests[0]);
        assert!(requests[0].contains(&format!("&code={CODE}&")));
        assert!(requests[1].starts_with(&format!("GET {USER}?access_token=")));
        assert!(!requests[1].to_lowercase().contains("referer"), "{}", requests[1]);
    }
}

#[tokio::test]
async fn a_form_is_sent_whole() {
    for transport in transports() {
        let server = Server::new(|path, _| {
            let token = json!({"access_token": "gho_canary", "token_type": "bearer", "scope": "read:user"});
            let user = json!({"id": 583231, "login": "xiaoming"});
            ok(if path.ends_with("access_token") { token } else { user }.to_string())
        });
        let client = client_of(provider::github().at_host(&server.base).unwrap());
        let callback = callback(&client);
        assert_eq!(redeem(&transport, client, callback).await.unwrap().identity.subject, "583231");
        let requests = server.requests();
        let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /login/oauth/access_token HTTP/1.1\r\n"), "{head}");
        assert!(head.to_lowercase().contains("\ncontent-type: application/x-www-form-urlencoded"), "{head}");
        assert!(head.to_lowercase().contains("\nuser-agent: fujie-client/"), "{head}");
        assert!(body.contains(&format!("code={CODE}")) && body.contains("code_verifier="), "{body}");
    }
}

#[tokio::test]
async fn the_usual_transport_is_usable_and_signing_in_can_be_spawned() {
    for transport in transports() {
        let server = Server::new(|path, _| honest(path));
        let (client, callback) = at(&server.base);
        let task = tokio::spawn(async move { redeem(&transport, client, callback).await });
        assert!(task.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    for transport in transports() {
        for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
            let elsewhere = Server::new(|_, _| ok(token_answer().to_string()));
            let location = elsewhere.base.clone();
            let server = Server::new(move |_, _| {
                let answer = format!("HTTP/1.1 {status}\r\nLocation: {location}{TOKEN}\r\nContent-Length: 0\r\n\r\n");
                Reply::Bytes(answer.into_bytes())
            });
            assert_eq!(failure(&transport, &server).await, "redirected");
            assert_eq!((server.count(TOKEN), elsewhere.requests().len()), (1, 0), "{status}");
        }
    }
}

#[tokio::test]
async fn a_body_without_end_is_refused() {
    for transport in transports() {
        let server = Server::new(|_, _| Reply::Endless);
        assert_eq!(failure(&transport, &server).await, "too_large");
        assert_eq!(server.count(TOKEN), 1);
    }
}

#[tokio::test]
async fn a_slow_provider_is_given_up_on() {
    let limits = Limits { connect: Duration::from_secs(30), total: Duration::from_secs(1) };
    for transport in transports_within(limits) {
        let beginnings = ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"];
        for beginning in beginnings {
            let server = Server::new(move |_, _| Reply::Silence(beginning.into()));
            assert_eq!(failure(&transport, &server).await, "timeout", "{beginning}");
            // What was sent may still wait to be read.
            server.asked().await;
            assert_eq!(server.count(TOKEN), 1, "a code is redeemed once");
        }
    }
}

#[tokio::test]
async fn a_broken_exchange_is_not_repeated() {
    for transport in transports() {
        let cases: [(&str, &str); 5] = [
            ("", "interrupted"),
            ("SSH-2.0-OpenSSH_9.9\r\n", "interrupted"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"access_token\":\"80_canary", "interrupted"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "interrupted"),
            ("HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"80_canary", "unreadable"),
        ];
        for (bytes, expected) in cases {
            let server = Server::new(move |_, _| Reply::Bytes(bytes.into()));
            assert_eq!(failure(&transport, &server).await, expected, "{bytes}");
            assert_eq!(server.count(TOKEN), 1, "{bytes}");
        }
    }
}

#[tokio::test]
async fn a_code_is_not_sent_again_when_a_kept_connection_breaks() {
    for transport in transports() {
        let server = Server::new(|path, earlier| match (path, earlier, honest(path)) {
            (TOKEN, 1, _) => Reply::Bytes(Vec::new()),
            (_, _, Reply::Bytes(bytes)) => {
                let text = String::from_utf8(bytes).unwrap();
                Reply::KeepAlive(text.replace("Connection: close\r\n", "").into_bytes())
            }
            (_, _, reply) => reply,
        });
        let (client, first) = at(&server.base);
        assert!(redeem(&transport, client, first).await.is_ok());
        let (client, second) = at(&server.base);
        let error = redeem(&transport, client, second).await.unwrap_err();
        assert_eq!(error.name(), "interrupted");
        assert_eq!(server.count(TOKEN), 2, "one for each code");
    }
}

#[tokio::test]
async fn a_failure_that_repeats_the_request_gives_nothing_away() {
    for transport in transports() {
        let echo = format!("<h1>502</h1> GET {TOKEN}?secret={SECRET}&code={CODE}");
        let server = Server::new(move |_, _| with_status("502 Bad Gateway", &echo));
        assert_eq!(failure(&transport, &server).await, "busy");
        assert_eq!(server.count(TOKEN), 1);
        let echo = json!({"errcode": 40125, "errmsg": format!("invalid appsecret {SECRET} {CODE}")});
        let server = Server::new(move |_, _| ok(echo.to_string()));
        assert_eq!(failure(&transport, &server).await, "credentials_refused");
    }
}

#[tokio::test]
async fn the_question_who_it_is_may_be_asked_twice_but_not_more() {
    for transport in transports() {
        let once = Server::new(|path, earlier| match (path, earlier) {
            (USER, 0) => with_status("503 Unavailable", ""),
            _ => honest(path),
        });
        assert!(sign_in(&transport, &once).await.is_ok());
        assert_eq!((once.count(TOKEN), once.count(USER)), (1, 2));

        let always = Server::new(|path, _| match path {
            USER => ok(json!({"errcode": -1, "errmsg": "system error"}).to_string()),
            _ => honest(path),
        });
        assert_eq!(failure(&transport, &always).await, "busy");
        assert_eq!((always.count(TOKEN), always.count(USER)), (1, 2));

        for (errcode, expected) in [(48001, "not_permitted"), (45011, "rate_limited"), (42001, "access_token_refused")]
        {
            let refused = Server::new(move |path, _| match path {
                USER => ok(json!({"errcode": errcode, "errmsg": "x"}).to_string()),
                _ => honest(path),
            });
            assert_eq!(failure(&transport, &refused).await, expected);
            assert_eq!(refused.count(USER), 1);
        }
    }
}

#[tokio::test]
async fn a_provisional_visitor_is_refused_before_anything_is_asked() {
    for transport in transports() {
        let server = Server::new(|_, _| ok(changed(&token_answer(), "is_snapshotuser", Some(json!(1))).to_string()));
        assert_eq!(failure(&transport, &server).await, "provisional");
        assert_eq!(server.count(USER), 0);
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_unreachable() {
    for transport in transports() {
        let nobody = nobody();
        let (client, callback) = at(&format!("http://{}", nobody.local_addr().unwrap()));
        let error = redeem(&transport, client, callback).await.unwrap_err();
        assert_eq!(error.name(), "unreachable");
        let told = format!("{error:?} {}", error.report());
        assert!(told.contains("refused") && !told.contains("canary"), "{told}");
    }
}

#[tokio::test]
async fn plain_http_where_tls_was_promised_is_unreachable() {
    for transport in transports() {
        let server = Server::new(|path, _| honest(path));
        let (client, callback) = at(&server.base.replace("http:", "https:"));
        let error = redeem(&transport, client, callback).await.unwrap_err();
        assert_eq!(error.name(), "unreachable", "{}", error.report());
    }
}

#[tokio::test]
async fn a_name_that_nobody_can_have_is_unreachable() {
    for transport in transports() {
        // A label has 63 characters at most, so no lookup leaves this machine.
        let (client, callback) = at(&format!("https://{}.example", "a".repeat(64)));
        let error = redeem(&transport, client, callback).await.unwrap_err();
        assert_eq!(error.name(), "unreachable", "{}", error.report());
    }
}

#[tokio::test]
async fn a_body_may_be_as_long_as_the_limit_and_no_longer() {
    for transport in transports() {
        for (length, expected) in [(RESPONSE_BODY_MAX, None), (RESPONSE_BODY_MAX + 1, Some("too_large"))] {
            let server = Server::new(move |path, _| match path {
                TOKEN => {
                    let answer = token_answer().to_string();
                    ok(answer.clone() + &" ".repeat(length - answer.len()))
                }
                _ => honest(path),
            });
            let outcome = sign_in(&transport, &server).await;
            assert_eq!(outcome.err().map(|error| error.name()), expected, "{length}");
        }
    }
}

#[tokio::test]
async fn an_answer_is_read_as_it_came_and_never_unpacked() {
    for transport in transports() {
        let server = Server::new(|_, _| {
            let body = "\u{1f}packed";
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n");
            Reply::Bytes([head.as_bytes(), body.as_bytes()].concat())
        });
        assert_eq!(failure(&transport, &server).await, "unreadable");
        assert!(!server.requests()[0].to_lowercase().contains("accept-encoding"), "{}", server.requests()[0]);
    }
}
