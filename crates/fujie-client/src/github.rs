//! GitHub beyond sign-in: a webhook on a repository, in one call.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::client::Client;
use crate::error::{Endpoint, ProviderError};
use crate::provider::{Call, CallMethod};
use crate::request::Request;
use crate::secret::Secret;
use crate::token::Tokens;

/// A webhook to be made. GitHub then posts these events to `url`, signed with `secret`.
#[derive(Debug)]
pub struct Hook<'a> {
    /// Where deliveries go.
    pub url: &'a str,
    /// Event names, for example `push` and `issues`; `*` is all of them.
    pub events: &'a [&'a str],
    /// What deliveries are signed with; without it anybody may forge one.
    pub secret: Option<&'a Secret>,
}

impl Client {
    /// Creates a webhook on the repository `owner/name` and brings GitHub's description of it.
    /// The tokens need the scope `admin:repo_hook`, `repo` or `public_repo`.
    ///
    /// # Errors
    /// [`ProviderError::NotOffered`] when that is no repository's name,
    /// [`ProviderError::RequestRefused`] when the hook exists already or its address is refused,
    /// [`ProviderError::NotPermitted`] when the repository is missing or may not be
    /// changed: GitHub does not tell these apart.
    pub async fn create_hook(
        &self,
        tokens: &Tokens,
        repository: &str,
        hook: &Hook<'_>,
    ) -> Result<Value, ProviderError> {
        let provider = self.provider();
        let call = provider.user.as_ref().ok_or(ProviderError::NotOffered("webhooks"))?;
        let endpoint = format!("{}/repos/{}/hooks", provider.base_url.trim_end_matches('/'), path(repository)?);
        let call = Call { endpoint, method: CallMethod::PostJson, parameters: Vec::new(), ..call.clone() };
        let mut request: Request =
            self.registration().request(&call, self.registration().token_values(tokens), self.now());
        let mut config = json!({"url": hook.url, "content_type": "json", "insecure_ssl": "0"});
        if let (Some(secret), Some(config)) = (hook.secret, config.as_object_mut()) {
            config.insert("secret".to_owned(), secret.expose().into());
        }
        request.set_json(&json!({"name": "web", "active": true, "events": hook.events, "config": config}));
        let response = self.send(Endpoint::Api, request).await?;
        let mut known = self.registration().known(tokens);
        known.extend(hook.secret.map(Secret::expose));
        let answer = Answer::read(provider, Endpoint::Api, &call, &response, known)?;
        answer.required("url")?;
        Ok(answer.into_value())
    }
}

/// `owner/name`, each of the characters that GitHub allows.
fn path(repository: &str) -> Result<&str, ProviderError> {
    let is_part = |part: &str| {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !part.is_empty() && !matches!(part, "." | "..") && part.bytes().all(is_name)
    };
    match repository.split_once('/') {
        Some((owner, name)) if is_part(owner) && is_part(name) => Ok(repository),
        _ => Err(ProviderError::NotOffered("repository of that name; write owner/name")),
    }
}
