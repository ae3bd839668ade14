//! GitHub beyond sign-in: a person's repositories, their webhooks, and what was delivered to these.
//!
//! Owns the addresses of these calls and what is read of their answers (GitHub REST API, version 2022-11-28). A call is
//! sent once and no redirect is followed; a list has parts, and whoever wants the next one asks again.

mod delivery;
mod hook;
mod moment;
mod repository;

use serde_json::Value;

pub use delivery::HookDelivery;
pub use hook::{Hook, HookFault};
pub use repository::Repository;

use crate::answer::Answer;
use crate::client::Client;
use crate::error::{Endpoint, ProviderError};
use crate::provider::{Call, CallMethod};
use crate::request::{Method, Request};
use crate::token::Tokens;
use crate::transport::RESPONSE_BODY_MAX;

/// GitHub's API in a person's name.
#[derive(Clone, Copy, Debug)]
pub struct Github<'a> {
    client: &'a Client,
    tokens: &'a Tokens,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T> {
    /// What is in this part.
    pub items: Vec<T>,
    /// What to ask for the next part with; `None` when this is the last.
    pub next: Option<String>,
}

impl Client {
    /// GitHub's API in the name of whom these tokens are about. They need the scope that each call names.
    pub fn github<'a>(&'a self, tokens: &'a Tokens) -> Github<'a> {
        Github { client: self, tokens }
    }
}

/// One call below the API's address.
struct Ask<'a> {
    method: Method,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    body: Option<Value>,
    /// What the body holds and a log must not.
    secret: Option<&'a str>,
}

impl<'a> Ask<'a> {
    fn new(method: Method, path: &'a str) -> Self {
        Self { method, path, query: &[], body: None, secret: None }
    }
}

/// What came back: JSON, null where nothing did, and the header that leads to the next part.
struct Told {
    value: Value,
    link: Option<String>,
}

impl Github<'_> {
    async fn call(&self, ask: Ask<'_>) -> Result<Told, ProviderError> {
        let (client, provider) = (self.client, self.client.provider());
        let user = provider.user.as_ref().ok_or(ProviderError::NotOffered("an API"))?;
        let endpoint = format!("{}{}", provider.base_url.trim_end_matches('/'), ask.path);
        let parameters = ask.query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let call = Call { endpoint, method: CallMethod::Get, parameters, ..user.clone() };
        let values = client.registration().token_values(self.tokens);
        let mut request: Request = client.registration().request(&call, values, client.now());
        request.set_method(ask.method);
        if let Some(body) = &ask.body {
            request.set_json(body);
        }
        let response = client.send(Endpoint::Api, request).await?;
        let mut known = client.registration().known(self.tokens);
        known.extend(ask.secret);
        let is_good = (200..300).contains(&response.status) && response.body.len() <= RESPONSE_BODY_MAX;
        let value = match serde_json::from_slice(&response.body) {
            Ok(value) if is_good => value,
            _ if is_good && response.body.iter().all(u8::is_ascii_whitespace) => Value::Null,
            _ => {
                let answer = Answer::read(provider, Endpoint::Api, &call, &response, known)?;
                return Err(answer.bad("the answer is neither JSON nor empty"));
            }
        };
        Ok(Told { value, link: response.header("link").map(str::to_owned) })
    }

    /// An answer that is not what it should be. Nothing of it is repeated.
    fn odd(&self, what: &str) -> ProviderError {
        let evidence = Box::new(crate::error::Evidence::bare(Endpoint::Api, 200));
        ProviderError::Unreadable { what: what.to_owned(), evidence }
    }
}

impl Told {
    /// The elements of a list, each read by `read`; what it cannot read is left out.
    fn items<T>(&self, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
        Some(self.value.as_array()?.iter().filter_map(read).collect())
    }

    /// A parameter of the address of the next part.
    fn next(&self, parameter: &str) -> Option<String> {
        let link = self.link.as_deref()?.split(',').find(|link| link.contains("rel=\"next\""))?;
        let (_, query) = link.split_once('<')?.1.split_once('>')?.0.split_once('?')?;
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == parameter).map(|(_, value)| value.into_owned())
    }
}

/// `owner/name`, each of the characters that GitHub allows.
fn path(repository: &str) -> Result<&str, ProviderError> {
    if is_repository(repository) {
        return Ok(repository);
    }
    Err(ProviderError::NotOffered("repository of that name; write owner/name"))
}

/// Whether this can be the name of a repository: `owner/name`.
fn is_repository(repository: &str) -> bool {
    let is_part = |part: &str| {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !part.is_empty() && part.len() <= 100 && !matches!(part, "." | "..") && part.bytes().all(is_name)
    };
    matches!(repository.split_once('/'), Some((owner, name)) if is_part(owner) && is_part(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_part_is_found_in_the_link() {
        let told = |link: &str| Told { value: Value::Null, link: Some(link.to_owned()) };
        let link = r#"<https://api.github.com/x?per_page=2&cursor=v1_12%2B>; rel="next""#;
        assert_eq!(told(link).next("cursor").as_deref(), Some("v1_12+"));
        let link =
            r#"<https://a/?page=1>; rel="prev", <https://a/?page=3>; rel="next", <https://a/?page=9>; rel="last""#;
        assert_eq!(told(link).next("page").as_deref(), Some("3"));
        for none in [r#"<https://a/?page=1>; rel="prev""#, "", "rel=\"next\"", r#"<https://a/>; rel="next""#] {
            assert_eq!(told(none).next("page"), None, "{none}");
        }
    }
}
