//! A transport that remembers what was sent, so that a story can tell it and no report repeats it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use fujie_client::{Limits, Method, Request, ReqwestTransport, Response, Transport, TransportError};
use url::form_urlencoded;

/// Values from this length on are secrets of somebody, unless they are addresses or words.
const SECRET_LENGTH_MIN: usize = 16;

/// One request as it left us.
#[derive(Clone)]
pub struct Sent {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
}

impl Sent {
    pub fn query(&self) -> &str {
        self.url.split_once('?').map_or("", |(_, query)| query)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The names of the query's parameters, in their order.
    pub fn names(&self) -> Vec<String> {
        form_urlencoded::parse(self.query().as_bytes()).map(|(name, _)| name.into_owned()).collect()
    }

    pub fn in_query(&self, name: &str) -> Option<String> {
        value(self.query(), name)
    }

    pub fn in_body(&self, name: &str) -> Option<String> {
        value(self.body.as_deref()?, name)
    }

    fn secrets(&self) -> Vec<String> {
        let body = self.body.clone().unwrap_or_default();
        let decoded = form_urlencoded::parse(self.query().as_bytes()).chain(form_urlencoded::parse(body.as_bytes()));
        let of_headers = self.header("authorization").and_then(|value| value.split_once(' ')).map(|(_, value)| value);
        decoded
            .map(|(_, value)| value.into_owned())
            .chain(of_headers.map(str::to_owned))
            .filter(|value| value.len() >= SECRET_LENGTH_MIN && !value.contains(':') && value.contains(is_digit))
            .collect()
    }
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

fn value(form: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(form.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

pub struct Recorder {
    transport: ReqwestTransport,
    sent: Mutex<Vec<Sent>>,
    secrets: Mutex<Vec<String>>,
}

impl Recorder {
    /// One that waits long enough for any machine.
    pub fn patient() -> Self {
        Self::waiting(Duration::from_secs(60))
    }

    /// One for the stories that wait until the time is up.
    pub fn waiting(total: Duration) -> Self {
        let limits = Limits { connect: Duration::from_secs(30), total };
        Self {
            transport: ReqwestTransport::with_limits(limits).unwrap(),
            sent: Mutex::default(),
            secrets: Mutex::default(),
        }
    }

    /// What was sent since this was last asked.
    pub fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }

    /// Every secret that was ever sent.
    pub fn secrets(&self) -> Vec<String> {
        self.secrets.lock().unwrap().clone()
    }
}

impl Transport for Recorder {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + '_>> {
        let body = request.body().map(|body| String::from_utf8(body.to_vec()).unwrap());
        let (method, url, headers) = (request.method(), request.url().to_owned(), request.headers().to_vec());
        let sent = Sent { method, url, headers, body };
        self.secrets.lock().unwrap().extend(sent.secrets());
        self.sent.lock().unwrap().push(sent);
        self.transport.send(request)
    }
}
