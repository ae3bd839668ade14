//! Sign-ins on a plain thread: no runtime, no async, and no logger that listens to secrets.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, thread};

use fujie_client::blocking::Client;
use fujie_client::openid::token_exchange::{Exchange, TokenType};
use fujie_client::{
    Ask, Hook, Polled, Provider, ProviderError, Request, Response, Secret, SignedIn, Tokens, TransportError,
    UreqTransport, provider,
};
use log::LevelFilter;
use serde_json::json;

use crate::ear;
use crate::server::{Server, ok, with_status};
use crate::world::{
    APP, CODE, NOW, OPENID, REDIRECT_URI, SECRET, after, answer, callback, client, client_of, token_answer, tokens,
    user_answer,
};

/// WeChat, as a server.
fn wechat() -> Server {
    Server::new(|path, _| match path {
        "/sns/userinfo" => ok(user_answer().to_string()),
        _ => ok(token_answer().to_string()),
    })
}

/// WeChat, as a function.
fn exchange(request: &Request) -> Result<Response, TransportError> {
    let (path, _) = request.url().split_once('?').unwrap();
    Ok(answer(match path.rsplit('/').next() {
        Some("userinfo") => user_answer().to_string(),
        Some("auth") => json!({"errcode": 0, "errmsg": "ok"}).to_string(),
        _ => token_answer().to_string(),
    }))
}

/// The browser's part: it comes back with a code, its state and its cookie.
fn sign_in(client: &Client) -> Result<SignedIn, ProviderError> {
    let begun = client.begin(REDIRECT_URI)?;
    let (_, rest) = begun.url.split_once("state=").unwrap();
    let state = rest.split(['&', '#']).next().unwrap();
    client.finish(&format!("{REDIRECT_URI}&code={CODE}&state={state}"), &begun.cookie.value)
}

#[test]
fn a_person_signs_in_without_a_runtime() {
    let server = wechat();
    let client = Client::new(provider::wechat().at_host(&server.base).unwrap(), APP, Secret::new(SECRET)).unwrap();
    let signed_in = sign_in(&client).unwrap();
    assert_eq!(signed_in.identity.subject, OPENID);
    assert_eq!(client.user(&signed_in.tokens).unwrap().subject, OPENID);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn many_threads_share_one_client() {
    let server = wechat();
    let registration = client_of(provider::wechat().at_host(&server.base).unwrap());
    let transport = UreqTransport::new().unwrap();
    let client = Arc::new(Client::over(move |request| transport.exchange(request), registration).unwrap());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let client = Arc::clone(&client);
            thread::spawn(move || sign_in(&client).map(|signed_in| signed_in.identity.subject))
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap().unwrap(), OPENID);
    }
    assert_eq!(server.count("/sns/oauth2/access_token"), 4, "each code is redeemed once");
}

#[test]
fn a_plain_function_is_transport_enough() {
    let client = Client::over(exchange, client()).unwrap();
    assert_eq!(sign_in(&client).unwrap().identity.subject, OPENID);
    let kept = tokens(client.registration());
    assert_eq!(client.redeem(callback(client.registration())).unwrap().identity.subject, OPENID);
    assert_eq!(client.user(&kept).unwrap().subject, OPENID);
    assert!(client.refresh(&kept).is_ok());
    assert!(client.check(&kept).is_ok());
    assert!(matches!(client.revoke(&kept), Err(ProviderError::NotOffered(_))));
}

const ISSUER: &str = "https://op.example";

/// An OpenID provider, as a function.
fn openid(request: &Request) -> Result<Response, TransportError> {
    let path = request.url().strip_prefix(ISSUER).unwrap();
    let body = String::from_utf8_lossy(request.body().unwrap_or_default()).into_owned();
    let spoken = match path {
        "/.well-known/openid-configuration" => json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "token_endpoint": format!("{ISSUER}/token"),
            "device_authorization_endpoint": format!("{ISSUER}/device"),
            "pushed_authorization_request_endpoint": format!("{ISSUER}/par"),
            "jwks_uri": format!("{ISSUER}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }),
        "/par" => json!({"request_uri": "urn:ietf:params:oauth:request_uri:x", "expires_in": 60}),
        "/device" => json!({
            "device_code": "canary-device", "user_code": "WDJB-MJHT", "verification_uri": format!("{ISSUER}/device"),
            "expires_in": 900, "interval": 5,
        }),
        "/token" => {
            let grant = body.split('&').find_map(|field| field.strip_prefix("grant_type=")).unwrap();
            let issued = TokenType::AccessToken.as_str();
            json!({"access_token": format!("for {grant}"), "token_type": "Bearer", "issued_token_type": issued})
        }
        _ => panic!("{path}"),
    };
    Ok(answer(spoken.to_string()))
}

#[test]
fn grants_without_a_page_and_pushed_requests_need_no_runtime() {
    let provider = Provider::discover_blocking(openid, ISSUER).unwrap();
    let client = Client::over(openid, client_of(provider)).unwrap().with_clock(Arc::new(|| NOW));
    let (subject, person) = (Secret::new("subject"), Secret::new("password"));
    let exchange = Exchange {
        subject: (&subject, TokenType::AccessToken),
        actor: None,
        resource: &[],
        audience: &[],
        scope: "",
        requested: None,
    };
    for (tokens, grant) in [
        (client.client_credentials(&["notes"]), "client_credentials"),
        (client.password("xiaoming", &person, &[]), "password"),
        (client.exchange(&exchange), "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"),
    ] {
        assert_eq!(tokens.unwrap().access_token.expose(), format!("for {grant}"));
    }
    let begun = client.begin_pushed("https://app.example/callback", &Ask::default()).unwrap();
    assert!(begun.url.contains("request_uri=urn"), "{}", begun.url);
    let begin = client.begin_unsealed("https://app.example/callback", &Ask::default(), NOW).unwrap();
    assert!(begin.url.contains(&begin.attempt.state), "{}", begin.url);

    let mut device = client.begin_device().unwrap();
    assert_eq!(device.authorization.user_code, "WDJB-MJHT");
    let Polled::Wait(span) = client.poll_device(&mut device).unwrap() else { panic!("asked too early") };
    assert!(Duration::from_secs(5) <= span && span < Duration::from_secs(10), "{span:?}");
    let later = client.with_clock(Arc::new(|| after(10)));
    let Polled::Tokens(tokens) = later.poll_device(&mut device).unwrap() else { panic!("not asked") };
    assert!(tokens.access_token.expose().ends_with("device_code"), "{}", tokens.access_token.expose());
}

#[test]
fn github_makes_a_hook_without_a_runtime() {
    let github = |request: &Request| {
        assert_eq!(request.url(), "https://api.github.com/repos/xiaoming/demo/hooks");
        Ok(Response::new(201, Some("application/json"), r#"{"url": "https://api.github.com/hooks/1"}"#))
    };
    let client = Client::over(github, client_of(provider::github())).unwrap();
    let hook = Hook { url: "https://app.example/hook", events: &["push"], secret: None };
    let tokens = Tokens::bare(Secret::new("gho_canary"));
    assert_eq!(client.create_hook(&tokens, "xiaoming/demo", &hook).unwrap()["url"], "https://api.github.com/hooks/1");
}

/// Discovery and the environment, over ureq. The variables are a child's, which is this test again.
#[test]
fn a_client_comes_from_an_issuer_or_from_the_environment() {
    if std::env::var_os("WECHAT_CLIENT_ID").is_some() {
        let signed_in = sign_in(&Client::from_env("wechat").unwrap()).unwrap();
        assert_eq!(signed_in.identity.subject, OPENID);
        return;
    }
    let server = Server::new(|path, _| with_status("404 Not Found", path));
    let refused = Client::discover(&server.base, APP, Secret::new(SECRET)).unwrap_err();
    assert!(matches!(refused, ProviderError::Discovery(_)), "{refused}");
    assert!(server.count("/.well-known/openid-configuration") > 0);
    assert!(Client::from_env("nobody").unwrap_err().to_string().contains("wechat"), "it says what there is");

    let server = wechat();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "blocking::a_client_comes_from_an_issuer_or_from_the_environment"])
        .envs([("WECHAT_CLIENT_ID", APP), ("WECHAT_CLIENT_SECRET", SECRET), ("WECHAT_AT", &server.base)])
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert_eq!(server.count("/sns/oauth2/access_token"), 1);
}

/// Names of the public methods of every `impl Client` in the files below this folder that are to be read.
fn methods(folder: &Path, is_read: &dyn Fn(&Path) -> bool) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            names.extend(methods(&path, is_read));
        } else if is_read(&path) {
            let text = fs::read_to_string(&path).unwrap();
            let blocks = text.split("\nimpl Client {\n").skip(1).filter_map(|rest| rest.split("\n}\n").next());
            let lines = blocks.flat_map(str::lines).map(str::trim);
            let found = lines.filter_map(|line| line.strip_prefix("pub async fn ").or(line.strip_prefix("pub fn ")));
            names.extend(found.filter_map(|rest| rest.split(['(', '<']).next()).map(str::to_owned));
        }
    }
    names
}

#[test]
fn whatever_the_client_does_can_be_done_without_a_runtime() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let own = methods(&source, &|path| path.ends_with("blocking.rs"));
    // A session streams, over reqwest, and is left to those who have a runtime.
    let theirs = methods(&source, &|path| !path.ends_with("blocking.rs") && !path.ends_with("client/session.rs"));
    assert!(["finish", "begin_pushed", "create_hook"].iter().all(|name| theirs.contains(*name)), "{theirs:?}");
    assert_eq!(own, theirs);
}

/// One sign-in at this level: how it ended, what was logged, and how many requests came.
fn logged_at(level: LevelFilter) -> (Result<SignedIn, ProviderError>, String, usize) {
    let server = wechat();
    let client = Client::new(provider::wechat().at_host(&server.base).unwrap(), APP, Secret::new(SECRET)).unwrap();
    ear::listen(level);
    let outcome = sign_in(&client);
    (outcome, ear::heard(), server.requests().len())
}

#[test]
fn a_log_at_level_debug_has_no_secret() {
    let (outcome, lines, _) = logged_at(LevelFilter::Debug);
    assert_eq!(outcome.unwrap().identity.subject, OPENID);
    assert!(lines.contains("ureq"), "nothing was heard: {lines}");
    assert!(!lines.to_lowercase().contains("canary"), "{lines}");
}

#[test]
fn nothing_is_sent_while_a_logger_listens_to_every_byte() {
    let (outcome, lines, requests) = logged_at(LevelFilter::Trace);
    let error = outcome.unwrap_err();
    assert!(error.report().contains("trace messages"), "{}", error.report());
    assert_eq!(requests, 0);
    assert!(!lines.to_lowercase().contains("canary"), "{lines}");
}
