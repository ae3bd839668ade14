//! Answers of the other parties: what is taken from them, and what of them is drawn.

use fujie_core::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::demo::{http::Answer, walk::Field};

/// A token response (RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3).
#[derive(Deserialize)]
pub(super) struct Tokens {
    access_token: String,
    token_type: String,
    #[serde(default)]
    expires_in: Option<u64>,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    id_token: Option<String>,
    #[serde(default)]
    scope: Option<String>,
}

impl Tokens {
    /// `None` unless it is a token response with a bearer token.
    pub(super) fn read(answer: &Answer) -> Option<Self> {
        let tokens: Self = serde_json::from_slice(&answer.body).ok()?;
        tokens.token_type.eq_ignore_ascii_case("bearer").then_some(tokens)
    }

    /// Access token, refresh token, ID token.
    pub(super) fn into_secrets(self) -> (Secret, Option<Secret>, Option<Secret>) {
        (Secret::new(self.access_token), self.refresh_token.map(Secret::new), self.id_token.map(Secret::new))
    }
}

/// A userinfo response.
#[derive(Deserialize)]
pub(super) struct Userinfo {
    /// Who it is, for as long as the account lives.
    pub(super) sub: String,
    /// What they are called.
    #[serde(default)]
    pub(super) nickname: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    preferred_username: Option<String>,
}

impl Userinfo {
    pub(super) fn read(answer: &Answer) -> Option<Self> {
        serde_json::from_slice(&answer.body).ok()
    }

    /// The first name that is not empty.
    pub(super) fn shown_name(&self) -> &str {
        let names = [&self.nickname, &self.name, &self.preferred_username];
        names.into_iter().flatten().map(|name| name.trim()).find(|name| !name.is_empty()).unwrap_or(&self.sub)
    }
}

/// One of the contacts.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Contact {
    name: String,
    #[serde(default)]
    note: String,
}

/// What the contacts API said.
pub(super) fn contacts(answer: &Answer) -> Option<Vec<Contact>> {
    #[derive(Deserialize)]
    struct Contacts {
        contacts: Vec<Contact>,
    }
    let mut contacts = serde_json::from_slice::<Contacts>(&answer.body).ok()?.contacts;
    contacts.truncate(CONTACTS_MAX);
    Some(contacts)
}

/// What is drawn of a refusal: `error` and `error_description`, or the challenge that names them (RFC 6750 §3).
pub(super) fn refusal(answer: &Answer) -> Vec<Field> {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
        #[serde(default)]
        error_description: Option<String>,
    }
    if let Some(challenge) = &answer.www_authenticate {
        return vec![Field::plain("", &format!("WWW-Authenticate: {challenge}"))];
    }
    let Ok(refusal) = serde_json::from_slice::<Refusal>(&answer.body) else { return Vec::new() };
    let description = refusal.error_description.map(|text| Field::plain("error_description", &text));
    std::iter::once(Field::plain("error", &refusal.error)).chain(description).collect()
}

pub(super) fn no_fields(_answer: &Answer) -> Vec<Field> {
    Vec::new()
}

pub(super) fn token_fields(answer: &Answer) -> Vec<Field> {
    let Some(tokens) = Tokens::read(answer) else { return Vec::new() };
    let secret = |name, value: &Option<String>| value.as_ref().map(|value| Field::secret(name, value));
    let fields = [
        Some(Field::secret("access_token", &tokens.access_token)),
        Some(Field::plain("token_type", &tokens.token_type)),
        tokens.expires_in.map(|seconds| Field::plain("expires_in", &seconds.to_string())),
        secret("refresh_token", &tokens.refresh_token),
        secret("id_token", &tokens.id_token),
        tokens.scope.as_ref().map(|scope| Field::plain("scope", scope)),
    ];
    fields.into_iter().flatten().collect()
}

pub(super) fn userinfo_fields(answer: &Answer) -> Vec<Field> {
    let Some(userinfo) = Userinfo::read(answer) else { return Vec::new() };
    let nickname = userinfo.nickname.as_ref().map(|name| Field::plain("nickname", name));
    std::iter::once(Field::plain("sub", &userinfo.sub)).chain(nickname).collect()
}

pub(super) fn contacts_fields(answer: &Answer) -> Vec<Field> {
    contacts(answer).map(|list| Field::plain("contacts", &list.len().to_string())).into_iter().collect()
}

/// More contacts than this are not shown.
const CONTACTS_MAX: usize = 100;
