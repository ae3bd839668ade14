//! `--forward`: every event is posted to a server on this machine, as webhook development on a laptop wants it.
//!
//! What GitHub delivered looks again as GitHub sends it: its headers, its body byte for byte, signed anew if a secret is
//! given. Anything else is posted as CloudEvents JSON (structured mode).

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

use ::aws_lc_rs::hmac;
use clap::Args;
use fujie_channel::{post::is_loopback, webhook::sender};
use fujie_core::secret::{hex, sha256};
use http::{
    HeaderName,
    header::{CONTENT_TYPE, USER_AGENT},
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use url::Url;
use zeroize::Zeroizing;

use super::{event::Event, handle::Fault, server::Server};
use crate::login::{Failure, of_file};

/// Where events are posted.
#[derive(Debug, Default, Args)]
pub struct ForwardTo {
    /// Post every event there: a server under development. GitHub's look as GitHub sends them.
    #[arg(long, value_name = "URL")]
    forward: Option<String>,
    /// File with the secret that forwarded GitHub events are signed with (X-Hub-Signature-256).
    #[arg(long, value_name = "FILE", requires = "forward")]
    secret_file: Option<PathBuf>,
}

/// Posts events.
pub struct Forward {
    url: Url,
    /// The URL as it is told to people: what signs in to it is left out.
    shown: Url,
    key: Option<hmac::Key>,
    http: reqwest::Client,
}

/// One request.
struct Posted {
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
}

impl ForwardTo {
    /// What posts, if that is wanted.
    pub fn open(&self) -> Result<Option<Forward>, Failure> {
        let Some(text) = &self.forward else { return Ok(None) };
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| {
            Failure::usage(
                "--forward must be a URL such as http://127.0.0.1:3000/hook",
                "--forward 应为 http://127.0.0.1:3000/hook 这样的网址",
            )
        })?;
        let key = self.secret_file.as_deref().map(key).transpose()?;
        if CryptoProvider::get_default().is_none() {
            let _installed_meanwhile = aws_lc_rs::default_provider().install_default();
        }
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(ANSWER_TIMEOUT);
        let http = if is_loopback(&url) { http.no_proxy() } else { http };
        let http = http.build().map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
        let shown = without_sign_in(&url);
        Ok(Some(Forward { url, shown, key, http }))
    }
}

impl Forward {
    /// Posts `event`, again and again for a while when nobody answers; the status.
    pub async fn post(&self, event: &Event, server: &Server) -> Result<u16, Fault> {
        let posted = self.posted(event, server).await?;
        let mut pauses = PAUSES.iter();
        loop {
            let fault = match self.send(&posted).await {
                Ok(status @ 200..300) => return Ok(status),
                Ok(status) => {
                    let fault = Fault::new(
                        format!("{} answered {status}", self.shown),
                        format!("{} 返回 {status}", self.shown),
                    );
                    if status < 500 && status != 429 {
                        return Err(fault);
                    }
                    fault
                }
                Err(error) => {
                    let error = error.without_url();
                    let cause = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
                    let cause = cause.last().map(ToString::to_string).unwrap_or_default();
                    Fault::new(format!("{}: {cause}", self.shown), format!("{}：{cause}", self.shown))
                }
            };
            match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return Err(fault),
            }
        }
    }

    async fn send(&self, posted: &Posted) -> reqwest::Result<u16> {
        let mut request = self.http.post(self.url.clone()).body(posted.body.clone());
        for (name, value) in &posted.headers {
            request = request.header(name, value);
        }
        Ok(request.send().await?.status().as_u16())
    }

    async fn posted(&self, event: &Event, server: &Server) -> Result<Posted, Fault> {
        let Some(name) = event.event_type.strip_prefix("com.github.") else {
            let headers = vec![(CONTENT_TYPE, "application/cloudevents+json".to_owned())];
            return Ok(Posted { headers, body: event.line.clone().into_bytes() });
        };
        let body = match (event.data(), &event.dataref) {
            (Some(data), _) => data.as_bytes().to_vec(),
            (None, Some(dataref)) => server.data(dataref).await?,
            (None, None) => b"null".to_vec(),
        };
        let mut headers = vec![
            (CONTENT_TYPE, "application/json".to_owned()),
            (USER_AGENT, "GitHub-Hookshot/fujie".to_owned()),
            (sender::GITHUB_EVENT, name.to_owned()),
            (sender::GITHUB_DELIVERY, delivery(event)),
        ];
        if let Some(key) = &self.key {
            let tag = hex(hmac::sign(key, &body).as_ref());
            headers.push((sender::GITHUB_SIGNATURE, format!("{}{tag}", sender::GITHUB.prefix)));
        }
        Ok(Posted { headers, body })
    }
}

/// The URL without user name and password (RFC 3986 §3.2.1).
fn without_sign_in(url: &Url) -> Url {
    let mut shown = url.clone();
    // Only a URL without a host refuses, and has neither.
    let _hostless = shown.set_username("").and(shown.set_password(None));
    shown
}

/// The name that GitHub gave the delivery.
fn delivery(event: &Event) -> String {
    event.delivery().unwrap_or_else(|| derived(event))
}

/// A name for a delivery that has none, the same whenever the event is posted, in the form of GitHub's (RFC 9562 §5.8).
fn derived(event: &Event) -> String {
    let name = format!("{}#{}", event.source, event.id);
    let mut bytes = sha256(name.as_bytes());
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = 0x80 | (*version & 0x0f);
    *variant = 0x80 | (*variant & 0x3f);
    let digits = hex(&bytes);
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| digits.get(part).unwrap_or_default()).join("-")
}

fn key(path: &Path) -> Result<hmac::Key, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = File::open(path).and_then(|file| file.take(SECRET_LENGTH_MAX).read_to_string(&mut text));
    read.map_err(|error| of_file(path, &error))?;
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() {
        return Err(Failure::usage("--secret-file: the file is empty", "--secret-file 指定的文件是空的"));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
}

/// A server under development is often down for a moment.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// GitHub waits as long for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a secret's file, at most.
const SECRET_LENGTH_MAX: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_address_is_sent_and_not_told() {
        let to = ForwardTo { forward: Some("http://me:s3cret@127.0.0.1:3000/hook?a=b".to_owned()), secret_file: None };
        let forward = to.open().unwrap().unwrap();
        assert_eq!(forward.url.password(), Some("s3cret"));
        assert_eq!(forward.shown.as_str(), "http://127.0.0.1:3000/hook?a=b");
    }

    #[test]
    fn a_delivery_keeps_the_name_that_its_sender_gave_it() {
        let delivery_of = |line: &str| delivery(&Event::read(line).unwrap());
        let named = |name: &str| {
            delivery_of(&format!(r#"{{"id":"17","source":"/hooks/a","delivery":{name},"data":{{"delivery":"x"}}}}"#))
        };
        let guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
        let longest = "x".repeat(128);
        for good in [guid, "1", "!~", &longest] {
            assert_eq!(named(&format!("\"{good}\"")), good);
        }
        let derived = delivery_of(r#"{"id":"17","source":"/hooks/a","data":{"delivery":"x"}}"#);
        let too_long = format!("\"{longest}x\"");
        for bad in [r#""""#, r#""a b""#, r#""a\r\nX-B: c""#, r#""a\u007f""#, r#""花""#, "17", "null", "[]", &too_long]
        {
            assert_eq!(named(bad), derived, "{bad}");
        }
    }

    #[test]
    fn a_delivery_without_a_name_is_named_alike_each_time_and_unlike_its_neighbours() {
        let event = |line: &str| Event::read(line).unwrap();
        let own = delivery(&event(r#"{"id":"17","source":"/hooks/a"}"#));
        assert_eq!(own, delivery(&event(r#"{"id":"17","source":"/hooks/a","type":"x"}"#)));
        assert_ne!(own, delivery(&event(r#"{"id":"18","source":"/hooks/a"}"#)));
        assert_ne!(own, delivery(&event(r#"{"id":"17","source":"/hooks/b"}"#)));
        let parts: Vec<usize> = own.split('-').map(str::len).collect();
        assert_eq!((parts.as_slice(), own.as_bytes()[14]), ([8, 4, 4, 4, 12].as_slice(), b'8'));
    }
}
