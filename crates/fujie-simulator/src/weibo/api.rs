//! The calls of the API: who asks with which token, and what they are told.
//!
//! A token comes in the query, in the form, or as `Authorization: OAuth2 TOKEN`; a header of another shape counts for
//! nothing, so that `Bearer` alone is 21301. Every call but that for the limits is counted.

use super::error::WeiboError;
use super::identity;
use super::ledger::Grant;
use super::user::User;
use super::world::World;
use crate::clock::Timestamp;
use crate::fields::Fields;
use serde::Serialize;

/// Who calls, and with what.
pub(crate) struct Caller<'a> {
    pub(crate) fields: &'a Fields,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) now: Timestamp,
}

impl Caller<'_> {
    /// The fields win over the header: some clients send a malformed one besides.
    fn access_token(&self) -> Option<&str> {
        let of_header = || {
            let token = self.authorization?.strip_prefix("OAuth2 ")?.trim();
            let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
            is_token.then_some(token)
        };
        self.fields.filled("access_token").or_else(of_header)
    }

    /// The grant behind the token of somebody who may use the app.
    pub(crate) fn grant(&self, world: &World) -> Result<Grant, WeiboError> {
        let access_token = self.access_token().ok_or(WeiboError::AUTH_FAILED)?;
        let grant = world.ledger.open_access_token(access_token, self.now)?.grant.clone();
        let app = world.app(&grant.client_id).ok_or(WeiboError::INVALID_ACCESS_TOKEN)?;
        let is_tester = app.testers.as_ref().is_none_or(|testers| testers.contains(&grant.person));
        if is_tester { Ok(grant) } else { Err(WeiboError::NOT_A_TESTER) }
    }

    /// Counts the call as well.
    pub(crate) fn counted_grant(&self, world: &mut World) -> Result<Grant, WeiboError> {
        let grant = self.grant(world)?;
        world.limits.count(&grant.client_id, &grant.person, &world.switches, self.now)?;
        Ok(grant)
    }
}

/// `/2/account/get_uid.json`
#[derive(Serialize)]
pub(crate) struct Uid {
    uid: u64,
}

pub(crate) fn uid(grant: &Grant) -> Uid {
    Uid { uid: identity::uid(&grant.person) }
}

/// `/2/account/profile/email.json`: an array with one object in the official example, an object elsewhere.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Emails {
    Array(Vec<Email>),
    Object(Email),
}

/// Empty for somebody without an address (a choice).
#[derive(Serialize)]
pub(crate) struct Email {
    email: String,
}

pub(crate) fn email(world: &World, grant: &Grant) -> Result<Emails, WeiboError> {
    if !grant.scopes.iter().any(|scope| scope == "email") {
        return Err(WeiboError::ACCESS_DENIED);
    }
    let person = world.scene.person(&grant.person).ok_or(WeiboError::INVALID_ACCESS_TOKEN)?;
    let email = Email { email: person.email.clone().unwrap_or_default() };
    Ok(if world.switches.email_object { Emails::Object(email) } else { Emails::Array(vec![email]) })
}

/// `/2/users/show.json`, by `uid` or by `screen_name`. Only apps with high rights may ask for others.
pub(crate) fn user<'a>(
    world: &'a World,
    grant: &Grant,
    fields: &Fields,
    base_url: &str,
) -> Result<User<'a>, WeiboError> {
    let people = &world.scene.people;
    let person = match (fields.filled("uid"), fields.filled("screen_name")) {
        (Some(uid), _) => {
            let Ok(uid) = uid.parse::<i64>() else {
                return Err(WeiboError::PARAM);
            };
            people.iter().find(|person| i64::try_from(identity::uid(&person.name)).is_ok_and(|known| known == uid))
        }
        (None, Some(name)) => people.iter().find(|person| person.nickname == name),
        (None, None) => return Err(WeiboError::PARAM),
    };
    let person = person.ok_or(WeiboError::NO_SUCH_USER)?;
    let may_read = person.name == grant.person || world.app(&grant.client_id).is_some_and(|app| app.has_high_rights);
    if may_read { Ok(User::of(person, base_url, &world.switches)) } else { Err(WeiboError::OTHER_USER) }
}

#[cfg(test)]
mod tests {
    use super::Caller;
    use crate::clock::Clock;
    use crate::fields::Fields;

    #[test]
    fn a_token_is_taken_from_the_fields_then_from_a_well_formed_oauth2_header() {
        let cases = [
            ("access_token=2.00A", None, Some("2.00A")),
            ("", Some("OAuth2 2.00B"), Some("2.00B")),
            ("access_token=2.00A", Some("OAuth2 uid=1&access_token=2.00B"), Some("2.00A")),
            ("", Some("OAuth2 uid=1&access_token=2.00B"), None),
            ("", Some("Bearer 2.00B"), None),
            ("access_token=2.00A", Some("Bearer 2.00B"), Some("2.00A")),
            ("access_token=", Some("OAuth2 "), None),
        ];
        for (fields, authorization, expected) in cases {
            let fields = Fields::of(fields.as_bytes());
            let call = Caller { fields: &fields, authorization, now: Clock::default().now() };
            assert_eq!(call.access_token(), expected, "{authorization:?}");
        }
    }
}
