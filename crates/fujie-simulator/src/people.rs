//! The people who sign in: the same ones at every provider.
//!
//! Knows no provider. What a provider calls a person (openid, uid, id, `sub`) is derived there from
//! the name, with `random::settled`, so that it stays the same for ever.

use crate::random;
use serde::{Deserialize, Deserializer, Serialize};

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Names the person in forms and in the control API; every provider's ids depend on it.
    pub name: String,
    /// What profiles show.
    pub nickname: String,
    /// 1 male, 2 female, 0 unknown.
    #[serde(default, deserialize_with = "sex")]
    pub sex: u8,
    /// The picture.
    #[serde(default)]
    pub avatar: Avatar,
    /// An e-mail address, for the providers that tell one.
    #[serde(default)]
    pub email: Option<String>,
    /// The user name, where a provider has user names; `name` when there is none.
    #[serde(default)]
    pub login: Option<String>,
}

impl Person {
    /// Somebody with a drawn avatar, without an e-mail address.
    pub fn named(name: &str, nickname: &str, sex: u8) -> Self {
        let (name, nickname) = (name.to_owned(), nickname.to_owned());
        Self { name, nickname, sex, avatar: Avatar::Drawn, email: None, login: None }
    }

    /// The user name, where a provider has user names.
    pub fn login(&self) -> &str {
        self.login.as_deref().unwrap_or(&self.name)
    }

    /// Whether this is the person's name, user name or e-mail address.
    pub(crate) fn is_called(&self, text: &str) -> bool {
        self.name == text || self.login() == text || self.email.as_deref() == Some(text)
    }

    /// What a drawn avatar's address holds: 48 letters and digits.
    pub(crate) fn avatar_key(&self) -> String {
        random::settled(&["avatar", &self.name], random::ALPHANUMERIC, 48)
    }

    /// The picture on the simulator's own pages, if the person has one.
    pub(crate) fn picture(&self) -> Option<String> {
        match &self.avatar {
            Avatar::Drawn => Some(format!("/_simulate/avatar/{}", self.avatar_key())),
            Avatar::None => None,
            Avatar::Url(url) => Some(url.clone()),
        }
    }
}

fn sex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    match u8::deserialize(deserializer)? {
        sex @ 0..=2 => Ok(sex),
        _ => Err(serde::de::Error::custom("sex is 1 (male), 2 (female) or 0 (unknown)")),
    }
}

/// A person's picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Avatar {
    /// A pattern the simulator draws and serves.
    #[default]
    Drawn,
    /// None.
    None,
    /// This address.
    Url(String),
}

/// The three people of every default configuration.
pub fn default_people() -> Vec<Person> {
    let with_email = |person: Person| Person { email: Some(format!("{}@example.com", person.name)), ..person };
    vec![
        with_email(Person::named("xiaoming", "小明🌟", 1)),
        with_email(Person::named("lihua", "李华", 2)),
        with_email(Person::named("zoe", "Zoë 👩‍💻", 0)),
    ]
}
