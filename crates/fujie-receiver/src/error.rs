//! Why no callback was received.

use std::{fmt, io};

use crate::callback::Refusal;

/// Why no callback was received. A denial by the provider is none of these: it is a
/// [`Callback`](crate::callback::Callback) too.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The time was up.
    TimedOut {
        /// Why the request that came closest was refused, if any came.
        refusal: Option<Refusal>,
    },
    /// Another thread gave up.
    Cancelled,
    /// The operating system.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::TimedOut { refusal: None } => f.write_str("the time is up and no request came"),
            Error::TimedOut { refusal: Some(refusal) } => {
                write!(f, "the time is up; a request came, but {}", refusal)
            }
            Error::Cancelled => f.write_str("cancelled"),
            Error::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io(error) => Some(error),
            Error::TimedOut { .. } | Error::Cancelled => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Error::Io(error)
    }
}
