//! Fields of a query string or a form, read the way providers do: the first of a name counts.
//!
//! Checks nothing; an absent field and an empty one are told apart only on request.

use url::form_urlencoded;

/// More fields than any client sends; what follows is not read.
const FIELDS_MAX: usize = 100;

/// Names and decoded values, in the order they came.
#[derive(Clone, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl FromIterator<(String, String)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().take(FIELDS_MAX).collect())
    }
}

impl Fields {
    /// All of them, in the order they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn of(encoded: &[u8]) -> Self {
        let mut fields = Self::default();
        fields.append(encoded);
        fields
    }

    /// Reads more fields behind those that are there, so that the earlier ones win.
    pub(crate) fn append(&mut self, encoded: &[u8]) {
        let room = FIELDS_MAX.saturating_sub(self.0.len());
        self.0.extend(form_urlencoded::parse(encoded).into_owned().take(room));
    }

    /// The field as it was sent, perhaps empty.
    pub(crate) fn sent(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The names, in the order they came.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The field, unless it is absent or empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.sent(name).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn the_query_wins_over_the_form() {
        let mut fields = Fields::of(b"appid=query&code=");
        fields.append(b"appid=form&secret=a%2Bb+c&code=late");
        assert_eq!(fields.filled("appid"), Some("query"));
        assert_eq!(fields.filled("secret"), Some("a+b c"));
        assert_eq!((fields.sent("code"), fields.filled("code")), (Some(""), None));
    }
}
