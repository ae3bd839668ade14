//! Where a request carries the access token.
//!
//! Owns the choice and its two forms, header and query (RFC 6750 §2). Form bodies (§2.2) are not
//! offered: they fit half of the methods.

use serde::{Deserialize, Serialize};

/// Where the access token stands in a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPlacement {
    /// `Authorization: Bearer …` (RFC 6750 §2.1).
    #[default]
    Bearer,
    /// A header, with something before the token, such as `Authorization` and `OAuth2 `.
    Header {
        /// The header's name.
        name: String,
        /// What stands before the token, with its space.
        prefix: String,
    },
    /// A parameter of the query (RFC 6750 §2.3), for a provider that knows no other way: a query
    /// is written into the logs of all it passes.
    Query {
        /// The parameter's name.
        name: String,
    },
}
