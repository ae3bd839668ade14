//! Reading records and changing them: JSON, TOML, the environment, another host.

use serde_json::{Map, Value};

use super::check::address_fault;
use super::field::{read, takes};
use super::github::{API, ENTERPRISE_API};
use super::{Call, Provider, RecordError, named, names};

impl Provider {
    /// This record with single fields changed: objects are merged, all else is replaced.
    ///
    /// # Errors
    /// [`RecordError::Field`] names a field that does not exist or has the wrong type.
    pub fn with(&self, changes: &Value) -> Result<Self, RecordError> {
        let written = serde_json::to_value(self);
        let mut record = written.map_err(|source| RecordError::Field { field: String::new(), line: None, source })?;
        merge(&mut record, changes);
        read(&record)
    }

    /// A record from a table of changes. `preset` names where it starts from; without it the
    /// table must be a whole record.
    ///
    /// # Errors
    /// [`RecordError::Preset`] for a preset that does not exist, otherwise [`RecordError::Field`].
    pub fn from_table(mut table: Map<String, Value>) -> Result<Self, RecordError> {
        match table.remove("preset") {
            None => read(&Value::Object(table)),
            Some(Value::String(name)) => match named(&name) {
                Some(preset) => preset.with(&Value::Object(table)),
                None => Err(RecordError::Preset { name, known: names().collect::<Vec<_>>().join(", ") }),
            },
            Some(_) => Err(RecordError::Text("preset is not a string".into())),
        }
    }

    /// A record from TOML text: fields of [`Provider`], and `preset` to start from.
    ///
    /// # Errors
    /// [`RecordError::Text`] when it is not TOML, otherwise as [`Provider::from_table`].
    #[cfg(feature = "toml")]
    pub fn from_toml(text: &str) -> Result<Self, RecordError> {
        let table: Map<String, Value> = toml::from_str(text).map_err(|error| RecordError::Text(error.to_string()))?;
        Self::from_table(table).map_err(|error| match error {
            RecordError::Field { field, source, .. } => {
                RecordError::Field { line: super::field::line(text, &field), field, source }
            }
            other => other,
        })
    }

    /// This record changed by variables of the environment: with the prefix `WECHAT_`, the
    /// variable `WECHAT_TOKEN__ENDPOINT` is the field `token.endpoint`. Values that are JSON are
    /// read as such, all others are text, and so are those of which the field takes only the text.
    /// Names without the prefix are ignored.
    ///
    /// # Errors
    /// [`RecordError::Field`] names a field that does not exist or has the wrong type.
    pub fn with_variables(
        &self,
        prefix: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, RecordError> {
        let mut changes = Value::Object(Map::new());
        for (name, value) in variables {
            let Some(path) = name.strip_prefix(prefix) else {
                continue;
            };
            let path = path.to_ascii_lowercase();
            let path: Vec<&str> = path.split("__").collect();
            let text = Value::String(value.clone());
            let value = match serde_json::from_str(&value) {
                // An id of digits looks like a number.
                Ok(json) if takes(&path, &json) || !takes(&path, &text) => json,
                _ => text,
            };
            let nested =
                path.iter().rfold(value, |inner, part| Value::Object(Map::from_iter([(part.to_string(), inner)])));
            merge(&mut changes, &nested);
        }
        self.with(&changes)
    }

    /// This record with one more parameter in the authorization URL: a name and a template.
    /// A parameter that is there already is replaced.
    #[must_use]
    pub fn with_authorization_parameter(mut self, name: &str, value: &str) -> Self {
        self.authorization_parameters.retain(|(known, _)| known != name);
        self.authorization_parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// This record asking for other scopes.
    #[must_use]
    pub fn with_scope(&self, scope: &[&str]) -> Self {
        Self { scope: scope.iter().map(|scope| scope.to_string()).collect(), ..self.clone() }
    }

    /// This record with every address moved below `base`, a scheme and host with an optional
    /// port and path: a server or a gateway of one's own, or a simulator. What the provider names
    /// itself stays: behind a gateway there is still the real one. GitHub's API, which has a host of
    /// its own, moves to `/api/v3` below `base`, where Enterprise Server has it.
    ///
    /// # Errors
    /// [`RecordError::Address`] when `base` is no address, or is `http` beyond loopback.
    pub fn at_host(&self, base: &str) -> Result<Self, RecordError> {
        self.moved(base, |endpoint| match endpoint.strip_prefix(API) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{ENTERPRISE_API}{rest}"),
            _ => path(endpoint).to_owned(),
        })
    }

    /// This record with what `path` makes of every address behind `base`.
    fn moved(&self, base: &str, path: fn(&str) -> String) -> Result<Self, RecordError> {
        if let Some(fault) = address_fault(base) {
            return Err(self.bad_address("base", fault));
        }
        if base.contains('?') {
            return Err(self.bad_address("base", "must not have a query"));
        }
        let base = base.trim_end_matches('/');
        let moved = |endpoint: &String| {
            if endpoint.is_empty() { String::new() } else { format!("{base}{}", path(endpoint)) }
        };
        let mut record = self.clone();
        record.authorization_endpoint = moved(&self.authorization_endpoint);
        record.base_url = moved(&self.base_url);
        record.device_authorization_endpoint = self.device_authorization_endpoint.as_ref().map(moved);
        record.pushed_authorization_request_endpoint = self.pushed_authorization_request_endpoint.as_ref().map(moved);
        for call in record.calls_mut() {
            call.endpoint = moved(&call.endpoint);
        }
        if let Some(rule) = &mut record.id_token {
            rule.jwks_uri = moved(&rule.jwks_uri);
        }
        Ok(record)
    }

    /// As [`Provider::at_host`], for a simulator: where it signs ID tokens it names itself in them, and
    /// every path is the provider's own.
    ///
    /// # Errors
    /// As [`Provider::at_host`].
    pub fn at_simulator(&self, base: &str) -> Result<Self, RecordError> {
        let mut record = self.moved(base, |endpoint| path(endpoint).to_owned())?;
        if let Some(rule) = &mut record.id_token {
            let base = base.trim_end_matches('/');
            for issuer in std::iter::once(&mut rule.issuer).chain(&mut record.callback.issuer) {
                *issuer = format!("{base}{}", path(issuer));
            }
        }
        Ok(record)
    }

    fn calls_mut(&mut self) -> impl Iterator<Item = &mut Call> {
        let optional = [&mut self.refresh, &mut self.check, &mut self.subject, &mut self.user, &mut self.revocation];
        std::iter::once(&mut self.token).chain(optional.into_iter().filter_map(Option::as_mut))
    }
}

/// Path and query of an absolute URL.
fn path(endpoint: &str) -> &str {
    let behind_scheme = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    behind_scheme.find(['/', '?']).and_then(|at| behind_scheme.get(at..)).unwrap_or_default()
}

fn merge(record: &mut Value, changes: &Value) {
    match (record, changes) {
        (Value::Object(record), Value::Object(changes)) => {
            for (name, change) in changes {
                merge(record.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
        (record, change) => *record = change.clone(),
    }
}
