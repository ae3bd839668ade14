//! An answer: whole, or piece by piece.
//!
//! Owns the limits on reading, what the text's charset is, and telling a broken answer from a
//! false one. What an answer means is the caller's.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use encoding_rs::{Encoding, UTF_8};
use reqwest::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::Error;
use super::send::Deadline;

/// An answer's body that is yet to be read. Dropping it closes the connection.
pub struct Download {
    place: String,
    incoming: reqwest::Response,
    silence_max: Duration,
    deadline: Deadline,
    length_max: u64,
    read: u64,
}

impl Download {
    pub(super) fn new(
        place: String,
        incoming: reqwest::Response,
        silence_max: Duration,
        deadline: Deadline,
        length_max: u64,
    ) -> Self {
        Self { place, incoming, silence_max, deadline, length_max, read: 0 }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.incoming.status().as_u16()
    }

    /// A header of the answer: the first of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.incoming.headers().get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }

    /// The next piece, decompressed; `None` at the end.
    ///
    /// # Errors
    /// [`Error::ReadTimeout`], [`Error::Timeout`], [`Error::TooLarge`], [`Error::Body`] when it
    /// breaks off, [`Error::Decode`] when it is not compressed as it says.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let place = || self.place.clone();
        let reading = timeout(self.silence_max, self.incoming.chunk());
        let piece = tokio::select! {
            biased;
            piece = reading => piece,
            () = self.deadline.as_mut() => return Err(Error::Timeout { place: place() }),
        };
        let piece = match piece {
            Err(_) => return Err(Error::ReadTimeout { place: place() }),
            Ok(piece) => piece.map_err(|error| broken(error, place()))?,
        };
        let Some(piece) = piece else {
            return Ok(None);
        };
        self.read = self.read.saturating_add(piece.len() as u64);
        if self.read > self.length_max {
            return Err(Error::TooLarge { place: place(), limit: self.length_max });
        }
        Ok(Some(piece.into()))
    }

    /// Writes the whole body there, and says how many bytes it had. What was written before an
    /// error stays: name a file only when this succeeds.
    ///
    /// # Errors
    /// As [`Download::chunk`]; [`Error::Body`] when it cannot be written.
    pub async fn write_to(mut self, writer: &mut (impl AsyncWrite + Unpin)) -> Result<u64, Error> {
        let unwritable = |place: &str, source: io::Error| Error::Body {
            place: place.to_owned(),
            what: "what came cannot be written",
            source: source.into(),
        };
        while let Some(piece) = self.chunk().await? {
            writer.write_all(&piece).await.map_err(|source| unwritable(&self.place, source))?;
        }
        writer.flush().await.map_err(|source| unwritable(&self.place, source))?;
        Ok(self.read)
    }

    /// An error when the status is 400 or above.
    ///
    /// # Errors
    /// [`Error::Status`].
    pub fn error_for_status(self) -> Result<Self, Error> {
        check_status(&self.place, self.status())?;
        Ok(self)
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Download").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// A whole answer. `Debug` shows its status and length.
pub struct Response {
    place: String,
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Response {
    pub(super) async fn read(mut download: Download) -> Result<Self, Error> {
        let headers = download.incoming.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
        let mut body = Vec::new();
        while let Some(piece) = download.chunk().await? {
            body.extend_from_slice(&piece);
        }
        Ok(Self { status: download.status(), headers, body, place: download.place })
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header: the first of this name, in whatever case, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(&found.1).ok()
    }

    /// All headers, their names in small letters.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The body, decompressed.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body, decompressed, to keep.
    pub fn into_bytes(self) -> Vec<u8> {
        self.body
    }

    /// The body as text: by its byte order mark, else in the charset that its `Content-Type`
    /// names, else as UTF-8. Bytes that are none of it become `U+FFFD`.
    pub fn text(&self) -> String {
        self.decoded(self.charset().unwrap_or(UTF_8))
    }

    /// The body as text in this charset, such as `gbk`, for a server that says the wrong one or
    /// none.
    ///
    /// # Errors
    /// [`Error::BadRequest`] when there is no such charset.
    pub fn text_in(&self, charset: &str) -> Result<String, Error> {
        let encoding = Encoding::for_label_no_replacement(charset.as_bytes());
        Ok(self.decoded(encoding.ok_or(Error::BadRequest("names a charset that is none"))?))
    }

    /// The body as JSON, whatever its `Content-Type`: providers mislabel.
    ///
    /// # Errors
    /// [`Error::Decode`] when it is not JSON, or not what `T` is.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let error = match serde_json::from_str(&self.text()) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        // Serde's own words may quote the answer.
        let what = format!("{:?} error in line {}, column {}", error.classify(), error.line(), error.column());
        Err(Error::Decode { place: self.place.clone(), what: "is not the JSON that was expected", source: what.into() })
    }

    /// An error when the status is 400 or above.
    ///
    /// # Errors
    /// [`Error::Status`].
    pub fn error_for_status(self) -> Result<Self, Error> {
        check_status(&self.place, self.status)?;
        Ok(self)
    }

    fn decoded(&self, encoding: &'static Encoding) -> String {
        encoding.decode(&self.body).0.into_owned()
    }

    fn charset(&self) -> Option<&'static Encoding> {
        let content_type = self.header(CONTENT_TYPE.as_str())?;
        let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
        let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let label = charsets.next()?.1.trim().trim_matches(['"', '\'']);
        Encoding::for_label_no_replacement(label.as_bytes())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Response")
            .field("status", &self.status)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

fn check_status(place: &str, status: u16) -> Result<(), Error> {
    if status >= 400 { Err(Error::Status { place: place.to_owned(), status }) } else { Ok(()) }
}

/// A body that ended before its time, or was not what its `Content-Encoding` says. Decoders speak
/// in errors of input and output, the connection in its own.
fn broken(error: reqwest::Error, place: String) -> Error {
    let is_decoder = error.source().is_some_and(|source| source.is::<io::Error>());
    let source = error.without_url().into();
    if is_decoder {
        Error::Decode { place, what: "is not compressed as it says", source }
    } else {
        Error::Body { place, what: "the answer broke off", source }
    }
}
