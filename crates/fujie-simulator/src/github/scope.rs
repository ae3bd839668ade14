//! Scopes of OAuth apps: which there are, which contain which, and how they are written.
//!
//! A GitHub App's user token has none; its permissions stand in the configuration.

/// Every scope that is known, with the one that contains it. Unknown names are dropped silently.
const KNOWN: &[(&str, Option<&str>)] = &[
    ("repo", None),
    ("repo:status", Some("repo")),
    ("repo_deployment", Some("repo")),
    ("public_repo", Some("repo")),
    ("repo:invite", Some("repo")),
    ("security_events", Some("repo")),
    ("admin:repo_hook", None),
    ("write:repo_hook", Some("admin:repo_hook")),
    ("read:repo_hook", Some("write:repo_hook")),
    ("admin:org", None),
    ("write:org", Some("admin:org")),
    ("read:org", Some("write:org")),
    ("admin:public_key", None),
    ("write:public_key", Some("admin:public_key")),
    ("read:public_key", Some("write:public_key")),
    ("admin:gpg_key", None),
    ("write:gpg_key", Some("admin:gpg_key")),
    ("read:gpg_key", Some("write:gpg_key")),
    ("admin:org_hook", None),
    ("user", None),
    ("read:user", Some("user")),
    ("user:email", Some("user")),
    ("user:follow", Some("user")),
    ("project", None),
    ("read:project", Some("project")),
    ("codespace", None),
    ("codespace:secrets", Some("codespace")),
    ("write:packages", None),
    ("read:packages", Some("write:packages")),
    ("delete:packages", None),
    ("gist", None),
    ("notifications", None),
    ("workflow", None),
    ("delete_repo", None),
];

/// Asks for a refresh token; never a scope of a token.
const OFFLINE_ACCESS: &str = "offline_access";

/// Known scopes, none of which contains another, in the order they were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(Vec<&'static str>);

/// What a `scope` parameter asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) scopes: Scopes,
    pub(crate) offline_access: bool,
}

impl Asked {
    /// Reads a `scope` parameter, whose names are set apart by spaces or commas.
    pub(crate) fn of(scope: &str) -> Self {
        let names = || scope.split([' ', ',']).filter(|name| !name.is_empty());
        let known = names().filter_map(|asked| KNOWN.iter().find(|(name, _)| *name == asked)).map(|(name, _)| *name);
        Self { scopes: Scopes::normalised(known), offline_access: names().any(|name| name == OFFLINE_ACCESS) }
    }
}

impl Scopes {
    fn normalised(names: impl Iterator<Item = &'static str>) -> Self {
        let mut all = Vec::new();
        for name in names {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        let whole = Self(all);
        Self(whole.0.iter().copied().filter(|name| !parent(name).is_some_and(|parent| whole.allow(parent))).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of these is `name` or contains it.
    pub(crate) fn allow(&self, name: &str) -> bool {
        self.0.contains(&name) || parent(name).is_some_and(|parent| self.allow(parent))
    }

    /// These and `more`, without those contained in others.
    pub(crate) fn and(&self, more: &Self) -> Self {
        Self::normalised(self.0.iter().chain(&more.0).copied())
    }

    /// Whether both hold the same, in whatever order.
    pub(crate) fn same_set(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|name| other.0.contains(name))
    }

    pub(crate) fn names(&self) -> &[&'static str] {
        &self.0
    }

    /// As token answers tell them: with commas, though they are asked for with spaces.
    pub(crate) fn in_answer(&self) -> String {
        self.0.join(",")
    }

    /// As `X-OAuth-Scopes` tells them: with comma and space, in alphabetical order.
    pub(crate) fn in_header(&self) -> String {
        let mut names = self.0.clone();
        names.sort_unstable();
        names.join(", ")
    }
}

fn parent(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(known, _)| *known == name).and_then(|(_, parent)| *parent)
}

#[cfg(test)]
mod tests {
    use super::Asked;

    #[test]
    fn contained_and_unknown_scopes_are_dropped() {
        let cases = [
            ("user,gist,user:email", "user,gist"),
            ("user:email user", "user"),
            ("repo gist", "repo,gist"),
            ("gist repo gist", "gist,repo"),
            ("read:org admin:org", "admin:org"),
            ("read:repo_hook,write:repo_hook", "write:repo_hook"),
            ("openid profile user:email", "user:email"),
            ("", ""),
        ];
        for (asked, told) in cases {
            assert_eq!(Asked::of(asked).scopes.in_answer(), told, "{asked}");
        }
    }

    #[test]
    fn offline_access_is_no_scope() {
        let asked = Asked::of("repo offline_access");
        assert_eq!((asked.scopes.in_answer().as_str(), asked.offline_access), ("repo", true));
        assert!(!Asked::of("repo").offline_access);
    }

    #[test]
    fn a_scope_allows_what_it_contains_and_nothing_beside_it() {
        let scopes = Asked::of("write:repo_hook user repo").scopes;
        for (name, is_allowed) in [
            ("read:repo_hook", true),
            ("admin:repo_hook", false),
            ("user:email", true),
            ("public_repo", true),
            ("gist", false),
        ] {
            assert_eq!(scopes.allow(name), is_allowed, "{name}");
        }
        assert_eq!(scopes.in_header(), "repo, user, write:repo_hook");
    }
}
