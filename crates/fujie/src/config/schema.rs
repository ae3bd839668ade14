//! The keys of the configuration: their names, forms and defaults. What a value means is `value`'s.

use super::fault::nearest;

/// How a key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A string.
    Text,
    /// A string that is never shown, and may come from a file of its own.
    Secret,
    /// An integer.
    Integer,
    /// `true` or `false`.
    Switch,
}

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    /// Its sections and its name, joined by dots; `*` stands for a connection's name.
    pub path: &'static str,
    /// How it is written.
    pub form: Form,
    /// Its value when nobody gives one; `None` when it is required, optional or follows from others.
    pub default: Option<&'static str>,
}

/// Every key, in the order in which they are shown.
pub(super) const KEYS: &[Key] = &[
    key("issuer", Form::Text, None),
    key("insecure_http_issuer", Form::Switch, Some("false")),
    key("listen", Form::Text, Some("127.0.0.1:8080")),
    key("data_dir", Form::Text, Some("./fujie-data")),
    key("name", Form::Text, Some("Fujie")),
    key("sign_in.password", Form::Switch, Some("true")),
    key("lifetime.access_token", Form::Integer, Some("3600")),
    key("lifetime.access_token_jwt", Form::Integer, Some("600")),
    key("lifetime.refresh_idle", Form::Integer, Some("2592000")),
    key("lifetime.refresh_total", Form::Integer, Some("31536000")),
    key("lifetime.session", Form::Integer, Some("1209600")),
    key("log.level", Form::Text, Some("info")),
    key("log.format", Form::Text, Some("text")),
    key("channel.listen", Form::Text, None),
    key("channel.tls_certificate", Form::Text, None),
    key("channel.tls_key", Form::Text, None),
    key("channel.insecure_plaintext", Form::Switch, Some("false")),
    key("channel.line_endpoint", Form::Text, None),
    key("channel.keep", Form::Integer, Some("604800")),
    key("channel.storage_max", Form::Integer, Some("10240")),
    key("channel.overflow", Form::Text, Some("cut")),
    key("channel.push_contact", Form::Text, None),
    key("channel.robot_at", Form::Text, None),
    key("channel.push_at", Form::Text, None),
    key("connection.*.provider", Form::Text, None),
    key("connection.*.client_id", Form::Text, None),
    key("connection.*.client_secret", Form::Secret, None),
    key("connection.*.private_key", Form::Secret, None),
    key("connection.*.key_id", Form::Text, None),
    key("connection.*.team_id", Form::Text, None),
    key("connection.*.agent_id", Form::Text, None),
    key("connection.*.issuer", Form::Text, None),
    key("connection.*.authorization_endpoint", Form::Text, None),
    key("connection.*.token_endpoint", Form::Text, None),
    key("connection.*.user_endpoint", Form::Text, None),
    key("connection.*.client_authentication", Form::Text, None),
    key("connection.*.scope", Form::Text, None),
    key("connection.*.subject_field", Form::Text, None),
    key("connection.*.name_field", Form::Text, None),
    key("connection.*.picture_field", Form::Text, None),
    key("connection.*.label", Form::Text, None),
    key("connection.*.group", Form::Text, None),
    key("connection.*.at", Form::Text, None),
    key("connection.*.embedded", Form::Switch, Some("false")),
    key("connection.*.self_redirect", Form::Switch, Some("false")),
];

const fn key(path: &'static str, form: Form, default: Option<&'static str>) -> Key {
    Key { path, form, default }
}

/// What a path leads to.
pub(super) enum Place {
    /// A key.
    Key(&'static Key),
    /// A section, which has keys and no value.
    Section,
    /// Nothing.
    Unknown(Unknown),
    /// A connection whose name cannot be one.
    Name,
}

/// A path that leads nowhere.
pub(super) struct Unknown {
    /// The first part that is not known, counted from 0.
    pub depth: usize,
    /// What was probably meant, as a whole path.
    pub meant: Option<Vec<String>>,
    /// What could stand there instead.
    pub known: Vec<&'static str>,
}

/// Follows `path`.
pub(super) fn place(path: &[String]) -> Place {
    let mut keys: Vec<(&'static Key, std::str::Split<'static, char>)> =
        KEYS.iter().map(|key| (key, key.path.split('.'))).collect();
    for (depth, part) in path.iter().enumerate() {
        let parts: Vec<&'static str> = keys.iter_mut().filter_map(|(_, parts)| parts.next()).collect();
        if parts.contains(&"*") {
            if !is_name(part) {
                return Place::Name;
            }
            continue;
        }
        let mut known = parts.clone();
        known.dedup();
        if !known.contains(&part.as_str()) {
            return Place::Unknown(Unknown { depth, meant: meant(path, depth, part, &known), known });
        }
        // A key that ended earlier has no part here, but then it is the only one and `known` is empty.
        let mut parts = parts.into_iter();
        keys.retain(|_| parts.next() == Some(part.as_str()));
    }
    match keys.into_iter().find(|(_, parts)| parts.clone().next().is_none()) {
        Some((key, _)) => Place::Key(key),
        None => Place::Section,
    }
}

/// The key at `path`, a path with a connection's name in it or not.
pub(super) fn key_at(path: &str) -> Option<&'static Key> {
    let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
    match place(&parts) {
        Place::Key(key) => Some(key),
        Place::Section | Place::Unknown(_) | Place::Name => None,
    }
}

/// A name of a connection: 1 to 32 of `a-z`, `0-9` and `-`.
pub(super) fn is_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A neighbour that is spelled alike, or else the same word in another section.
fn meant(path: &[String], depth: usize, part: &str, known: &[&'static str]) -> Option<Vec<String>> {
    if let Some(word) = nearest(part, known.iter().copied()) {
        let mut path = path.to_vec();
        *path.get_mut(depth)? = word.to_owned();
        return Some(path);
    }
    let elsewhere = |key: &&Key| !key.path.contains('*') && key.path.rsplit('.').next() == Some(part);
    KEYS.iter().find(elsewhere).map(|key| key.path.split('.').map(str::to_owned).collect())
}
