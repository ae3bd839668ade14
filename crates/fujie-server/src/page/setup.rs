//! The first administrator's page, reached by the link of the first start.
//!
//! Form. `POST /setup`: `token`, `csrf`, `username`, `password`, `password_repeat`.

use serde::Serialize;

use super::Page;

/// Make the first administrator.
#[derive(Clone, Serialize)]
pub struct Setup {
    /// The token of the link. It is a secret, so this page has no `Debug`.
    pub token: String,
    /// The token that proves the form is ours.
    pub csrf: String,
    /// What was typed before; may be empty.
    pub username: String,
    /// The shortest password that is taken, in characters.
    pub password_length_min: u32,
    /// What was wrong the last time.
    pub error: Option<SetupError>,
}

/// Why the administrator was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum SetupError {
    /// The name is empty, too long or has characters that names may not have.
    UsernameInvalid,
    /// The name is in use.
    UsernameTaken,
    /// The password is shorter than `password_length_min`.
    PasswordTooShort,
    /// The password is longer than what is hashed.
    PasswordTooLong,
    /// The two passwords differ.
    PasswordsDiffer,
}

impl Page for Setup {
    const TEMPLATE: &'static str = "setup.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            token: "token-sample".to_owned(),
            csrf: "csrf-sample".to_owned(),
            username: String::new(),
            password_length_min: 10,
            error: None,
        };
        let mut samples = vec![plain.clone()];
        samples.extend(
            [
                SetupError::UsernameInvalid,
                SetupError::UsernameTaken,
                SetupError::PasswordTooShort,
                SetupError::PasswordTooLong,
                SetupError::PasswordsDiffer,
            ]
            .map(|error| Self { username: "admin".to_owned(), error: Some(error), ..plain.clone() }),
        );
        samples
    }
}
