//! A topic's events over the line protocol.

use super::{
    feed::{End, Feed},
    server::Endpoint,
};

/// Follows the topic until the connection ends.
pub async fn follow(_feed: &mut Feed, _line: &Endpoint) -> End {
    End::Lost(String::new())
}
