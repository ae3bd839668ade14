//! Repositories of a person, as far as somebody who chooses one must know them.

use serde_json::Value;

use super::{Ask, Github, Part};
use crate::error::ProviderError;
use crate::request::Method;

/// Repositories in one part of the list: a hundred of them would be more than a transport takes.
const PER_PAGE: &str = "30";

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// `owner/name`.
    pub full_name: String,
    /// Not everybody sees it.
    pub is_private: bool,
    /// The person may administer it, and so make hooks.
    pub is_administered: bool,
}

impl Github<'_> {
    /// The repositories that the person owns or works on, the last updated first. Without the scope `repo` these are
    /// the public ones. `page` begins at 1.
    ///
    /// # Errors
    /// [`ProviderError::AccessTokenRefused`] when the token is over; the causes of the network.
    pub async fn repositories(&self, page: u32) -> Result<Part<Repository>, ProviderError> {
        let page = page.max(1).to_string();
        let query = [("per_page", PER_PAGE), ("sort", "updated"), ("page", page.as_str())];
        let told = self.call(Ask { query: &query, ..Ask::new(Method::Get, "/user/repos") }).await?;
        let items = told.items(repository).ok_or_else(|| self.odd("the repositories are not a list"))?;
        Ok(Part { items, next: told.next("page") })
    }
}

impl Repository {
    /// Whether this can be the name of a repository: `owner/name`.
    pub fn is_name(name: &str) -> bool {
        super::is_repository(name)
    }
}

fn repository(value: &Value) -> Option<Repository> {
    let full_name = value.get("full_name")?.as_str()?;
    let is = |pointer: &str| value.pointer(pointer).and_then(Value::as_bool).unwrap_or_default();
    super::is_repository(full_name).then(|| Repository {
        full_name: full_name.to_owned(),
        is_private: is("/private"),
        is_administered: is("/permissions/admin"),
    })
}
