//! How tokens and people are printed: for people, for JSON readers, for `eval`, for a header.

use clap::ValueEnum;
use fujie_client::Tokens;
use serde_json::{Map, Value, json};

use super::book::SignIn;

/// Form of a result that may hold a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// Shell assignments for `eval`: `OAUTH_ACCESS_TOKEN='…'`.
    Env,
    /// The access token alone.
    Token,
}

impl Output {
    /// The result of a command about these tokens; `text` is what people read.
    pub fn of(self, sign_in: &SignIn, tokens: &Tokens, text: &str) -> String {
        match self {
            Self::Text => format!("{text}\n"),
            Self::Token => format!("{}\n", tokens.access_token.expose()),
            Self::Json => {
                let mut object = person(sign_in);
                object.insert("access_token".into(), json!(tokens.access_token.expose()));
                object.insert("token_type".into(), json!(tokens.token_type.as_deref().unwrap_or("Bearer")));
                object.insert("expires_at".into(), json!(tokens.expires_at.map(|end| end.seconds())));
                object.insert("scope".into(), json!(tokens.scope.join(" ")));
                format!("{}\n", Value::Object(object))
            }
            Self::Env => {
                let expires_at = tokens.expires_at.map(|end| end.seconds().to_string());
                let pairs = [
                    ("OAUTH_ACCESS_TOKEN", Some(tokens.access_token.expose())),
                    ("OAUTH_TOKEN_TYPE", Some(tokens.token_type.as_deref().unwrap_or("Bearer"))),
                    ("OAUTH_EXPIRES_AT", expires_at.as_deref()),
                    ("OAUTH_SUBJECT", sign_in.subject.as_deref()),
                ];
                let line = |(name, value): (&str, Option<&str>)| Some(format!("{name}={}\n", quoted(value?)));
                pairs.into_iter().filter_map(line).collect()
            }
        }
    }
}

/// A sign-in as JSON. It holds no secret.
pub fn person(sign_in: &SignIn) -> Map<String, Value> {
    let application = &sign_in.application;
    let members = [
        ("provider", json!(application.place.name())),
        ("at", json!(application.place.at())),
        ("client_id", json!(application.client_id)),
        ("account", json!(sign_in.account)),
        ("subject", json!(sign_in.subject)),
        ("nickname", json!(sign_in.nickname)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Within single quotes a shell reads everything as it stands, up to the next single quote.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_shell_reads_a_value_as_it_stands() {
        assert_eq!(super::quoted("a'b $(id)"), r"'a'\''b $(id)'");
    }
}
