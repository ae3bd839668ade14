//! The server that is listened to: which issuer, where its channel is, and with whose token.
//!
//! Owns that a token goes to its own issuer and to the line protocol that this issuer names, and in plain text only
//! where the issuer's own address is no better.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use fujie_channel::{client::Endpoint, post::is_loopback};
use fujie_client::{
    Secret,
    session::{self, Limits, Session, TokenSource},
};
use rustls::{ClientConfig, crypto::aws_lc_rs};
use rustls_platform_verifier::BuilderVerifierExt;
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::handle::Fault;
use crate::login::{Book, Failure, Manner, Place, SignIn, Which, of_file};

/// Which server, and whose token, as the arguments say.
#[derive(Debug)]
pub struct Wish<'a> {
    pub issuer: Option<&'a str>,
    pub account: Option<&'a str>,
    pub token_file: Option<&'a Path>,
    pub line: Option<&'a str>,
    pub manner: &'a Manner,
}

/// A server.
pub struct Server {
    /// Its issuer; `None`: nothing but its line protocol is known.
    pub issuer: Option<String>,
    /// Where its line protocol is.
    pub line: Option<Endpoint>,
    /// Not the server but the person said so: there is no other way.
    pub is_line_given: bool,
    /// Where a topic's events are, with `{topic}` in it.
    events: Option<String>,
    bearer: Bearer,
}

/// A token, and where the next one comes from.
enum Bearer {
    /// The book of sign-ins, refreshed for all processes once.
    SignIn(Box<SignIn>, TokenSource),
    /// A file that somebody else keeps fresh.
    File(PathBuf),
    /// The environment.
    Variable,
}

/// What an issuer says of its channel (RFC 8414).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    channel_line_endpoint: Option<String>,
    channel_event_endpoint: Option<String>,
}

impl Server {
    /// Finds it.
    pub async fn find(wish: &Wish<'_>) -> Result<Self, Failure> {
        let own = wish.line.map(direct).transpose()?;
        let bearer = bearer(wish)?;
        let issuer = wish.issuer.map(|issuer| issuer.trim_end_matches('/').to_owned());
        let issuer = issuer.or_else(|| match &bearer {
            Bearer::SignIn(sign_in, _) => Some(sign_in.application.place.name().trim_end_matches('/').to_owned()),
            Bearer::File(_) | Bearer::Variable => None,
        });
        let metadata = match (&issuer, &own) {
            (Some(issuer), None) => metadata(issuer).await?,
            (_, Some(_)) => None,
            (None, None) => {
                return Err(Failure::usage("Which server? Say --issuer URL.", "缺少服务器地址：请用 --issuer 给出。"));
            }
        };
        let (line, events) = match metadata {
            Some(metadata) => {
                let line = metadata.channel_line_endpoint.as_deref();
                let line = line.map(|line| advertised(&metadata.issuer, line)).transpose()?;
                (line.flatten(), metadata.channel_event_endpoint)
            }
            None => (None, None),
        };
        Ok(Self { issuer, is_line_given: own.is_some(), line: own.or(line), events, bearer })
    }

    /// What a cursor and messages name it by.
    pub fn name(&self) -> String {
        match (&self.issuer, &self.line) {
            (Some(issuer), _) => issuer.clone(),
            (None, Some(line)) => line.to_string(),
            (None, None) => String::new(),
        }
    }

    /// A fresh token; another one than that which was refused, if one was.
    pub async fn token(&self, refused: Option<&Secret>) -> Result<Secret, Failure> {
        let token = match &self.bearer {
            Bearer::SignIn(sign_in, source) => {
                let tokens = match refused {
                    Some(refused) => source.instead_of(refused).await,
                    None => source.fresh_tokens().await,
                };
                Secret::new(tokens.map_err(|error| sign_in.failure(&error))?.access_token.expose())
            }
            Bearer::File(path) => read_token(path)?,
            Bearer::Variable => variable().ok_or_else(|| Failure::sign_in_needed(&self.name()))?,
        };
        if refused == Some(&token) { Err(no_longer_signed_in()) } else { Ok(token) }
    }

    /// Does the next token come without anybody's doing?
    pub const fn renews(&self) -> bool {
        matches!(self.bearer, Bearer::SignIn(..))
    }

    /// The address of a topic's events.
    pub fn events(&self, topic: &str) -> Option<String> {
        let issuer = self.issuer.as_ref()?;
        let template = self.events.clone().unwrap_or_else(|| format!("{issuer}/topics/{{topic}}/events"));
        Some(template.replace("{topic}", topic)).filter(|address| is_below(issuer, address))
    }

    /// Calls with this token, refreshed as need be.
    pub fn session(&self, limits: Limits) -> Result<Session, Failure> {
        let builder = Session::builder(self.issuer.clone().unwrap_or_default()).limits(limits).without_cookies();
        let builder = match &self.bearer {
            Bearer::SignIn(_, source) => builder.tokens(source.clone()),
            Bearer::File(path) => {
                let path = path.clone();
                builder.token_getter(move || read_token(&path).ok())
            }
            Bearer::Variable => builder.token_getter(variable),
        };
        Ok(builder.build()?)
    }

    /// Why a call did not succeed.
    pub fn failure(&self, error: session::Error) -> Failure {
        match (&error, &self.bearer) {
            (session::Error::Token(cause), Bearer::SignIn(sign_in, _)) => sign_in.failure(cause),
            _ => error.into(),
        }
    }

    /// The data that was too long for an event's line. The token goes to the issuer alone.
    pub async fn data(&self, dataref: &str) -> Result<Vec<u8>, Fault> {
        let is_ours = self.issuer.as_ref().is_some_and(|issuer| is_below(issuer, dataref));
        if !is_ours {
            return Err(Fault::new(
                "its data lies elsewhere; say --issuer".to_owned(),
                "数据不在事件中，请用 --issuer 指定服务器".to_owned(),
            ));
        }
        let limits = Limits { body_length_max: DATA_LENGTH_MAX, ..Limits::default() };
        let fetch = async {
            let request = self.session(limits)?.get(dataref).header("accept", "application/json").send().await;
            let response = request.and_then(session::Response::error_for_status);
            Ok::<_, Failure>(response.map_err(|error| self.failure(error))?.into_bytes())
        };
        fetch.await.map_err(|failure: Failure| Fault::new(failure.english, failure.chinese))
    }
}

/// Where the arguments say that the line protocol is. Plain text beyond this machine must be written out.
fn direct(text: &str) -> Result<Endpoint, Failure> {
    let endpoint = Endpoint::parse(text).map_err(|_malformed| not_an_endpoint(text))?.with_tls(tls()?);
    let endpoint = if text.starts_with("tcp://") { endpoint.with_insecure_plaintext() } else { endpoint };
    match endpoint.check() {
        Ok(()) => Ok(endpoint),
        Err(_) => Err(Failure::usage(
            format!(
                "--line {text}: the token would travel in plain text; write tls://{text}, or tcp:// if nobody can listen"
            ),
            format!("--line {text}：令牌会以明文传输；请写 tls://{text}，确定无人能监听时才写 tcp://"),
        )),
    }
}

/// Where the issuer says that it is, unless a token had better not go there.
fn advertised(issuer: &str, text: &str) -> Result<Option<Endpoint>, Failure> {
    let Ok(endpoint) = Endpoint::parse(text) else { return Ok(None) };
    let endpoint = endpoint.with_tls(tls()?);
    let is_near = endpoint.check().is_ok();
    let is_told = may_tell(issuer, text.starts_with("tls://"), is_near);
    Ok(is_told.then(|| endpoint.with_insecure_plaintext()))
}

/// May this issuer have us send a token there? In plain text only within this machine, or when the issuer is plain
/// itself.
fn may_tell(issuer: &str, is_tls: bool, is_near: bool) -> bool {
    let issuer = Url::parse(issuer).ok();
    let is_here = issuer.as_ref().is_some_and(is_loopback);
    // Another machine's loopback is not ours.
    is_tls || if is_near { is_here } else { issuer.is_some_and(|url| url.scheme() == "http") }
}

/// TLS that trusts whom this machine trusts.
fn tls() -> Result<Arc<ClientConfig>, Failure> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = builder.with_safe_default_protocol_versions().and_then(BuilderVerifierExt::with_platform_verifier);
    let config = config.map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
    Ok(Arc::new(config.with_no_client_auth()))
}

fn is_below(issuer: &str, address: &str) -> bool {
    address.strip_prefix(issuer).is_some_and(|rest| rest.starts_with('/'))
}

/// Of the issuer's metadata, what concerns the channel.
async fn metadata(issuer: &str) -> Result<Option<Metadata>, Failure> {
    let session = Session::builder(issuer).build()?;
    let response = session.get(METADATA).send().await?.error_for_status()?;
    let metadata: Metadata = response.json()?;
    if metadata.issuer.trim_end_matches('/') != issuer {
        return Err(Failure::new(
            format!("{issuer} says that it is another issuer; write the address that it says"),
            format!("{issuer} 自称是另一个签发者，请填写它自己的地址"),
        ));
    }
    Ok(Some(metadata))
}

fn bearer(wish: &Wish<'_>) -> Result<Bearer, Failure> {
    if let Some(path) = wish.token_file {
        read_token(path)?;
        return Ok(Bearer::File(path.to_owned()));
    }
    if variable().is_some() {
        return Ok(Bearer::Variable);
    }
    let which = Which { provider: wish.issuer.map(str::to_owned), account: wish.account.map(str::to_owned) };
    let book = Book::existing(wish.manner.store.as_deref())?.ok_or_else(|| nobody(wish.issuer))?;
    // Presets such as github have no channel.
    let is_issuer = |sign_in: &SignIn| matches!(sign_in.application.place, Place::Issuer(_));
    let sign_in = book.all_of(&which)?.into_iter().rfind(is_issuer).ok_or_else(|| nobody(wish.issuer))?;
    let source = book.source(&sign_in);
    Ok(Bearer::SignIn(Box::new(sign_in), source))
}

fn nobody(issuer: Option<&str>) -> Failure {
    let issuer = issuer.unwrap_or("ISSUER");
    let login = format!("fujie login {issuer} --client-id ID --scope \"openid offline_access channel:read\"");
    Failure {
        english: format!("Sign in first: {login}"),
        chinese: format!("请先登录：{login}"),
        ..Failure::sign_in_needed("")
    }
}

/// The token is refused, and there is no other.
pub fn no_longer_signed_in() -> Failure {
    Failure {
        english: "The server does not accept the token any more. Sign in again.".to_owned(),
        chinese: "服务器不再接受这个令牌，请重新登录。".to_owned(),
        ..Failure::sign_in_needed("")
    }
}

fn variable() -> Option<Secret> {
    std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty()).map(Secret::new)
}

fn read_token(path: &Path) -> Result<Secret, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = File::open(path).and_then(|file| file.take(TOKEN_LENGTH_MAX).read_to_string(&mut text));
    read.map_err(|error| of_file(path, &error))?;
    match text.trim() {
        "" => Err(of_file(path, &std::io::ErrorKind::UnexpectedEof.into())),
        token => Ok(Secret::new(token)),
    }
}

fn not_an_endpoint(text: &str) -> Failure {
    Failure::usage(
        format!("--line {text}: write HOST:PORT, or tls://HOST:PORT"),
        format!("--line {text}：应为 HOST:PORT 或 tls://HOST:PORT"),
    )
}

const METADATA: &str = "/.well-known/oauth-authorization-server";
/// A token for a script that has one.
const TOKEN_VARIABLE: &str = "FUJIE_TOKEN";
/// Bytes of a file with a token, at most.
const TOKEN_LENGTH_MAX: u64 = 16 * 1024;
/// GitHub's deliveries have at most 25 MB.
const DATA_LENGTH_MAX: u64 = 26 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_out_in_plain_text_only_where_the_issuer_does() {
        let check = |issuer: &str, line: &str| advertised(issuer, line).unwrap().is_some();
        assert!(check("https://id.example", "tls://id.example:1"));
        assert!(check("http://127.0.0.1:8080", "tcp://127.0.0.1:1"));
        assert!(check("http://id.lan", "tcp://id.lan:1"));
        assert!(!check("https://id.example", "tcp://id.example:1"));
        assert!(!check("https://id.example", "tcp://127.0.0.1:1"), "another machine's loopback");
        assert!(!check("https://id.example", "https://id.example:1"));
    }

    #[test]
    fn plain_text_beyond_this_machine_is_written_out() {
        for good in ["127.0.0.1:8885", "localhost:8885", "tls://id.example:8885", "tcp://id.lan:8885"] {
            assert!(direct(good).is_ok(), "{good}");
        }
        for bad in ["id.lan:8885", "id.lan", "https://id.lan:1"] {
            assert_eq!(direct(bad).err().map(|failure| failure.code), Some(64), "{bad}");
        }
    }

    #[test]
    fn what_is_below_an_issuer_is_its_own() {
        assert!(is_below("https://id.example", "https://id.example/topics/t/events/1"));
        for other in
            ["https://id.example.evil/x", "https://id.example@evil/x", "http://id.example/x", "https://id.example"]
        {
            assert!(!is_below("https://id.example", other), "{other}");
        }
    }
}
