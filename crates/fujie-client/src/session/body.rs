//! What a request carries: bytes, a file, a stream, a form with files.
//!
//! Owns how a multipart form is written (RFC 7578), how files and streams are read while they are
//! sent, and whether a body can be sent a second time. What the pieces mean is the caller's.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::Notify;

use super::Error;

/// Bytes that are read and sent at once.
const PIECE_LENGTH: usize = 64 * 1024;

/// Something that is read while it is sent.
type Reader = Pin<Box<dyn AsyncRead + Send>>;

/// The body of a request.
pub(super) enum Content {
    Empty,
    Bytes(Bytes),
    File(PathBuf),
    Form(Form),
    /// Spent by the first sending.
    Reader(Mutex<Option<Reader>>),
}

impl Content {
    pub(super) fn reader(reader: impl AsyncRead + Send + 'static) -> Self {
        Self::Reader(Mutex::new(Some(Box::pin(reader))))
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether it can be sent again: a file is opened anew, a stream is gone.
    pub(super) fn is_replayable(&self) -> bool {
        !matches!(self, Self::Reader(_))
    }

    /// What is sent now. `progress` is told of every piece.
    pub(super) async fn open(&self, place: &str, progress: &Arc<Notify>) -> Result<Option<reqwest::Body>, Error> {
        let unreadable = |source: io::Error| Error::Body {
            place: place.to_owned(),
            what: "what was to be sent cannot be read",
            source: source.into(),
        };
        let pieces = match self {
            Self::Empty => return Ok(None),
            Self::Bytes(bytes) => return Ok(Some(bytes.clone().into())),
            Self::File(path) => VecDeque::from([file(path.clone()).await.map_err(unreadable)?]),
            Self::Form(form) => form.pieces().await.map_err(unreadable)?,
            Self::Reader(reader) => {
                let reader = reader.lock().unwrap_or_else(PoisonError::into_inner).take();
                let reader = reader.ok_or(Error::BadRequest("has a stream for a body, which was already sent"))?;
                VecDeque::from([Piece::Reader { reader: Mutex::new(reader), left: None }])
            }
        };
        let buffer = BytesMut::with_capacity(PIECE_LENGTH);
        Ok(Some(reqwest::Body::wrap(Sending { pieces, buffer, progress: Arc::clone(progress) })))
    }
}

/// A form with files: `multipart/form-data` (RFC 7578).
///
/// ```
/// use fujie_client::session::{Form, Part};
///
/// let form = Form::new()
///     .text("status", "天气很好")
///     .part("pic", Part::file("photo.jpg").content_type("image/jpeg"));
/// ```
#[derive(Default)]
pub struct Form {
    boundary: String,
    parts: Vec<(String, Part)>,
}

impl Form {
    /// A form without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field of text.
    #[must_use]
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let content = PartContent::Bytes(Bytes::from(value.into()));
        self.part(name, Part { content, file_name: None, content_type: None })
    }

    /// Adds a file or other part.
    #[must_use]
    pub fn part(mut self, name: impl Into<String>, part: Part) -> Self {
        self.parts.push((name.into(), part));
        self
    }

    /// Gives the form a boundary that nobody can foresee, and refuses what could leave its line.
    pub(super) fn sealed(mut self, boundary: String) -> Result<Self, Error> {
        let is_odd = |text: &str| text.chars().any(char::is_control);
        for (_, part) in &self.parts {
            if part.content_type.as_deref().is_some_and(is_odd) {
                return Err(Error::BadRequest("has a part whose content type has control characters"));
            }
        }
        self.boundary = boundary;
        Ok(self)
    }

    pub(super) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    async fn pieces(&self) -> io::Result<VecDeque<Piece>> {
        let mut pieces = VecDeque::new();
        for (name, part) in &self.parts {
            let mut head = format!("--{}\r\nContent-Disposition: form-data; name=\"{}\"", self.boundary, escaped(name));
            if let Some(file_name) = &part.file_name {
                head.push_str(&format!("; filename=\"{}\"", escaped(file_name)));
            }
            if let Some(content_type) = &part.content_type {
                head.push_str(&format!("\r\nContent-Type: {content_type}"));
            }
            head.push_str("\r\n\r\n");
            pieces.push_back(Piece::Bytes(head.into()));
            pieces.push_back(match &part.content {
                PartContent::Bytes(bytes) => Piece::Bytes(bytes.clone()),
                PartContent::File(path) => file(path.clone()).await?,
            });
            pieces.push_back(Piece::Bytes(Bytes::from_static(b"\r\n")));
        }
        pieces.push_back(Piece::Bytes(format!("--{}--\r\n", self.boundary).into()));
        Ok(pieces)
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Form").field("parts", &self.parts.len()).finish_non_exhaustive()
    }
}

/// One part of a [`Form`].
pub struct Part {
    content: PartContent,
    file_name: Option<String>,
    content_type: Option<String>,
}

enum PartContent {
    Bytes(Bytes),
    File(PathBuf),
}

impl Part {
    /// Bytes that are uploaded as a file of this name.
    pub fn bytes(file_name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let content = PartContent::Bytes(Bytes::from(bytes.into()));
        Self { content, file_name: Some(file_name.into()), content_type: Some("application/octet-stream".to_owned()) }
    }

    /// A file, read while it is sent: its size is no matter. Only the last part of its path is
    /// told to the server.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let content_type = Some("application/octet-stream".to_owned());
        Self { content: PartContent::File(path), file_name, content_type }
    }

    /// Another name than the file's own.
    #[must_use]
    pub fn file_name(mut self, file_name: impl Into<String>) -> Self {
        self.file_name = Some(file_name.into());
        self
    }

    /// What the part is, such as `image/png`.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Part").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

/// A name as browsers write it into a form: UTF-8, with what could end it percent-encoded.
fn escaped(name: &str) -> String {
    let mut escaped = String::new();
    for character in name.chars() {
        match character {
            '"' => escaped.push_str("%22"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            character => escaped.push(if character.is_control() { ' ' } else { character }),
        }
    }
    escaped
}

async fn file(path: PathBuf) -> io::Result<Piece> {
    let file = File::open(path).await?;
    let metadata = file.metadata().await?;
    // A pipe or device does not know its length; it is sent in chunks.
    let left = metadata.is_file().then_some(metadata.len());
    Ok(Piece::Reader { reader: Mutex::new(Box::pin(file)), left })
}

enum Piece {
    Bytes(Bytes),
    Reader {
        /// Never locked: the lock only lets the body be shared, which nobody does.
        reader: Mutex<Reader>,
        /// Bytes that were promised and are not yet sent.
        left: Option<u64>,
    },
}

/// A body that is read while it is sent.
struct Sending {
    pieces: VecDeque<Piece>,
    buffer: BytesMut,
    progress: Arc<Notify>,
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        loop {
            let bytes = match this.pieces.front_mut() {
                None => return Poll::Ready(None),
                Some(Piece::Bytes(bytes)) => std::mem::take(bytes),
                Some(Piece::Reader { reader, left }) => {
                    let reader = reader.get_mut().unwrap_or_else(PoisonError::into_inner);
                    ready!(read(reader, left, &mut this.buffer, context))?
                }
            };
            this.progress.notify_one();
            if matches!(this.pieces.front(), Some(Piece::Bytes(_))) || bytes.is_empty() {
                this.pieces.pop_front();
            }
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.pieces.iter().try_fold(0_u64, |sum, piece| match piece {
            Piece::Bytes(bytes) => sum.checked_add(bytes.len() as u64),
            Piece::Reader { left, .. } => sum.checked_add((*left)?),
        });
        length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The next bytes of a reader, none at its end. A file that shrinks while it is sent is an error;
/// what it gains is left out.
fn read(
    reader: &mut Reader,
    left: &mut Option<u64>,
    buffer: &mut BytesMut,
    context: &mut Context<'_>,
) -> Poll<io::Result<Bytes>> {
    let length = left.map_or(PIECE_LENGTH, |left| usize::try_from(left).unwrap_or(PIECE_LENGTH).min(PIECE_LENGTH));
    if length == 0 {
        return Poll::Ready(Ok(Bytes::new()));
    }
    buffer.resize(length, 0);
    let mut into = ReadBuf::new(buffer);
    ready!(reader.as_mut().poll_read(context, &mut into))?;
    let read = into.filled().len();
    if let Some(left) = left {
        *left = left.saturating_sub(read as u64);
        if read == 0 {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")));
        }
    }
    Poll::Ready(Ok(buffer.split_to(read).freeze()))
}
