//! A request as it is described, before it is sent.
//!
//! Owns query, headers and body. A description that cannot be is told when it is sent, so that
//! calls can be chained.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Serialize;
use tokio::io::AsyncRead;
use url::form_urlencoded::Serializer;

use super::body::{Content, Form};
use super::builder::header_pair;
use super::response::{Download, Response};
use super::{Error, Limits, Session};

/// Random bytes of a multipart boundary: nobody can write it into a part on purpose.
const BOUNDARY_LENGTH: usize = 16;

/// A request that is yet to be sent. `Debug` shows the method alone.
#[must_use = "nothing happens before it is sent"]
pub struct Request<'s> {
    session: &'s Session,
    method: Method,
    target: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    content: Content,
    limits: Limits,
    fault: Option<Error>,
}

/// A request that can be sent, and all that goes with it.
pub(super) struct Draft {
    pub method: Method,
    pub url: url::Url,
    pub headers: HeaderMap,
    pub content: Content,
    pub limits: Limits,
}

impl<'s> Request<'s> {
    pub(super) fn new(session: &'s Session, method: Method, target: &str) -> Self {
        Self {
            session,
            method,
            target: target.to_owned(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            content: Content::Empty,
            limits: session.inner.limits,
            fault: None,
        }
    }

    pub(super) fn faulty(session: &'s Session, fault: Error) -> Self {
        Self { fault: Some(fault), ..Self::new(session, Method::GET, "") }
    }

    /// Adds a parameter to the query.
    pub fn query(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Sets a header. What the session would set itself gives way to it.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match header_pair(name, value) {
            Ok((name, value)) => {
                self.headers.insert(name, value);
            }
            Err(error) => self.fault = Some(error),
        }
        self
    }

    /// Sends this as JSON.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.content(Content::Bytes(json.into())).content_type("application/json"),
            // Serde's error may quote what was to be sent.
            Err(_) => self.fault(Error::BadRequest("has a body that cannot be written as JSON")),
        }
    }

    /// Sends these parameters as a form (`application/x-www-form-urlencoded`).
    pub fn form(self, parameters: &[(&str, &str)]) -> Self {
        let form = Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.content(Content::Bytes(form.into())).content_type("application/x-www-form-urlencoded")
    }

    /// Sends a form with files.
    pub fn multipart(self, form: Form) -> Self {
        let mut random = [0; BOUNDARY_LENGTH];
        if aws_lc_rs::rand::fill(&mut random).is_err() {
            return self.fault(Error::BadRequest("has no boundary: the system gives no random bytes"));
        }
        match form.sealed(random.iter().map(|byte| format!("{byte:02x}")).collect()) {
            Ok(form) => {
                let content_type = form.content_type();
                self.content(Content::Form(form)).content_type(&content_type)
            }
            Err(error) => self.fault(error),
        }
    }

    /// Sends these bytes.
    pub fn body(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.content(Content::Bytes(Bytes::from(bytes.into())))
    }

    /// Sends a file, read while it is sent.
    pub fn body_file(self, path: impl Into<PathBuf>) -> Self {
        self.content(Content::File(path.into()))
    }

    /// Sends what this yields, in chunks, for a length that nobody knows yet. It can be sent
    /// once: such a request is not repeated after a refresh, a challenge or a redirect.
    pub fn body_reader(self, reader: impl AsyncRead + Send + 'static) -> Self {
        self.content(Content::reader(reader))
    }

    /// Another limit for the whole than the session's.
    pub fn timeout(mut self, total: Duration) -> Self {
        self.limits.total = total;
        self
    }

    /// Sends it and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`Error`] by cause. A status of 400 or above is not an error here: see
    /// [`Response::error_for_status`].
    pub async fn send(self) -> Result<Response, Error> {
        let (session, body_length_max) = (self.session, self.limits.body_length_max);
        let download = session.start(self.draft()?, body_length_max).await?;
        Response::read(download).await
    }

    /// Sends it and leaves the body to be read piece by piece: at most `length_max` bytes of it,
    /// decompressed.
    ///
    /// # Errors
    /// As [`Request::send`], before the body.
    pub async fn download(self, length_max: u64) -> Result<Download, Error> {
        let session = self.session;
        session.start(self.draft()?, length_max).await
    }

    fn draft(self) -> Result<Draft, Error> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let url = self.session.inner.base.address(&self.target, &self.query)?;
        Ok(Draft { method: self.method, url, headers: self.headers, content: self.content, limits: self.limits })
    }

    fn content(mut self, content: Content) -> Self {
        self.content = content;
        self
    }

    fn content_type(mut self, content_type: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(content_type) {
            self.headers.entry(CONTENT_TYPE).or_insert(value);
        }
        self
    }

    fn fault(mut self, fault: Error) -> Self {
        self.fault = Some(fault);
        self
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Request").field("method", &self.method.as_str()).finish_non_exhaustive()
    }
}
