//! Token exchange (RFC 8693): one token for another, for somebody else to use or at another place.
//!
//! Owns the parameters and the two members that only this grant answers with. The rest of the answer is a token answer
//! like any other.

use super::{Fields, Malformed, text};
use crate::secret::Secret;

/// The grant type (§2.1).
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// What a token is (§3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// An access token of this authorization server.
    AccessToken,
    /// A refresh token of this authorization server.
    RefreshToken,
    /// An ID token.
    IdToken,
    /// A JWT, whoever made it.
    Jwt,
}

impl TokenType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::AccessToken, Self::RefreshToken, Self::IdToken, Self::Jwt];

    /// Its URI.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::RefreshToken => "urn:ietf:params:oauth:token-type:refresh_token",
            Self::IdToken => "urn:ietf:params:oauth:token-type:id_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }
}

/// What is exchanged, and for what. Nobody's `Debug` shows a token.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// For whom the new token speaks.
    pub subject: (&'a Secret, TokenType),
    /// Who acts for the subject, where that is another.
    pub actor: Option<(&'a Secret, TokenType)>,
    /// Where the new token will be used, as addresses (RFC 8707).
    pub resource: &'a [&'a str],
    /// Where the new token will be used, as names.
    pub audience: &'a [&'a str],
    /// Its scope, space-separated; empty leaves it to the server.
    pub scope: &'a str,
    /// What the new token shall be.
    pub requested: Option<TokenType>,
}

impl<'a> Exchange<'a> {
    /// The parameters of the token request (§2.1); those of client authentication come besides.
    pub fn parameters(&self) -> Vec<(&'static str, &'a str)> {
        let (subject, subject_type) = self.subject;
        let mut parameters = vec![
            ("grant_type", GRANT_TYPE),
            ("subject_token", subject.expose()),
            ("subject_token_type", subject_type.as_str()),
        ];
        if let Some((actor, actor_type)) = self.actor {
            parameters.extend([("actor_token", actor.expose()), ("actor_token_type", actor_type.as_str())]);
        }
        parameters.extend(self.resource.iter().map(|resource| ("resource", *resource)));
        parameters.extend(self.audience.iter().map(|audience| ("audience", *audience)));
        if !self.scope.is_empty() {
            parameters.push(("scope", self.scope));
        }
        parameters.extend(self.requested.map(|requested| ("requested_token_type", requested.as_str())));
        parameters
    }
}

/// What was issued (§2.2.1). It stands in `access_token`, whatever it is.
///
/// # Errors
/// [`Malformed`] when the answer does not say, or names a type that we do not know or did not ask for.
pub fn issued_token_type(fields: &Fields, requested: Option<TokenType>) -> Result<TokenType, Malformed> {
    let name = text(fields, "issued_token_type", 255)?;
    let issued = TokenType::ALL.into_iter().find(|own| own.as_str() == name);
    issued.filter(|issued| requested.is_none_or(|requested| requested == *issued)).ok_or(Malformed("issued_token_type"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_exchange_says_what_for_what() {
        let (subject, actor) = (Secret::new("subject"), Secret::new("actor"));
        let whole = Exchange {
            subject: (&subject, TokenType::IdToken),
            actor: Some((&actor, TokenType::AccessToken)),
            resource: &["https://api.example/a", "https://api.example/b"],
            audience: &["contacts"],
            scope: "read write",
            requested: Some(TokenType::Jwt),
        };
        let expected = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", "subject"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
            ("actor_token", "actor"),
            ("actor_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("resource", "https://api.example/a"),
            ("resource", "https://api.example/b"),
            ("audience", "contacts"),
            ("scope", "read write"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ];
        assert_eq!(whole.parameters(), expected);
        let least = Exchange { actor: None, resource: &[], audience: &[], scope: "", requested: None, ..whole };
        assert_eq!(least.parameters(), expected[..3]);
        assert!(!format!("{whole:?}").contains("\"subject\""));
    }

    #[test]
    fn what_was_issued_must_be_said_and_be_what_was_asked() {
        let read = |value: Value, requested| {
            issued_token_type(&Fields::from_iter([("issued_token_type".to_owned(), value)]), requested)
        };
        let bad = Err(Malformed("issued_token_type"));
        let jwt = json!(TokenType::Jwt.as_str());
        assert_eq!(read(jwt.clone(), None), Ok(TokenType::Jwt));
        assert_eq!(read(jwt.clone(), Some(TokenType::Jwt)), Ok(TokenType::Jwt));
        assert_eq!(read(jwt, Some(TokenType::AccessToken)), bad);
        for value in [json!(null), json!("jwt"), json!(1), json!("urn:ietf:params:oauth:token-type:saml2")] {
            assert_eq!(read(value, None), bad);
        }
    }
}
