//! Two whole programs that sign people in with Fujie, filled in with this run's issuer, client and secret: Flask with
//! Authlib, and Express with openid-client. They are the libraries' own calls, in at most [`LINES_MAX`] lines.
//!
//! Deliberately not here: how the page shows them. They contain secrets, of clients that live as long as the demo.

use fujie_core::secret::Secret;

/// A client that one of the programs is.
pub struct SnippetClient {
    /// Its `client_id`.
    pub client_id: String,
    /// Its `client_secret`.
    pub client_secret: Secret,
    /// Where the program listens on 127.0.0.1.
    pub port: u16,
}

impl SnippetClient {
    /// Where the program is found.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What has to be registered for it.
    pub fn redirect_uri(&self) -> String {
        format!("{}/callback", self.origin())
    }
}

/// The Flask program.
pub fn flask(client: &SnippetClient, issuer: &str) -> String {
    fill(include_str!("../../templates/demo/flask.py"), client, issuer)
}

/// The Express program.
pub fn express(client: &SnippetClient, issuer: &str) -> String {
    fill(include_str!("../../templates/demo/express.mjs"), client, issuer)
}

/// Replaces the marked texts of a program, which stand in double quotes, by this run's own.
fn fill(program: &str, client: &SnippetClient, issuer: &str) -> String {
    program
        .replace("\"ISSUER\"", &quoted(issuer))
        .replace("\"METADATA\"", &quoted(&format!("{issuer}/.well-known/openid-configuration")))
        .replace("\"CLIENT_ID\"", &quoted(&client.client_id))
        .replace("\"CLIENT_SECRET\"", &quoted(client.client_secret.expose()))
        .replace("\"ORIGIN\"", &quoted(&client.origin()))
        .replace("\"REDIRECT_URI\"", &quoted(&client.redirect_uri()))
        .replace("PORT", &client.port.to_string())
}

/// A string literal that Python and JavaScript both read as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// No program is longer.
#[cfg(test)]
const LINES_MAX: usize = 25;

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> SnippetClient {
        SnippetClient { client_id: r#"a"b"#.into(), client_secret: Secret::new("fj_cs_secret".into()), port: 5000 }
    }

    #[test]
    fn both_programs_are_short_and_carry_this_runs_values() {
        for program in [flask(&client(), "http://127.0.0.1:8080"), express(&client(), "http://127.0.0.1:8080")] {
            assert!(program.lines().count() <= LINES_MAX, "{} lines", program.lines().count());
            assert!(program.lines().all(|line| line.chars().count() <= 110), "a line is too long to read");
            for expected in
                [r#""a\"b""#, r#""fj_cs_secret""#, "http://127.0.0.1:8080", "5000", "openid profile", "S256"]
            {
                assert!(program.contains(expected), "{expected}");
            }
            for mark in ["ISSUER", "METADATA", "CLIENT_", "ORIGIN", "REDIRECT_URI", "PORT"] {
                assert!(!program.contains(mark), "{mark} is left");
            }
        }
    }

    #[test]
    fn the_redirect_uri_is_on_loopback() {
        assert_eq!(client().redirect_uri(), "http://127.0.0.1:5000/callback");
    }
}
