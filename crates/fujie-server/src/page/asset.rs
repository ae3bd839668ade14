//! The files that go with the pages, embedded: served under `/assets/`.
//!
//! Deliberately not here: caching headers. An [`Asset`] brings its entity tag (RFC 9110 §8.8.3);
//! the address of a file stays the same when its content changes, so it should be revalidated.

use std::sync::LazyLock;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its bytes.
    pub body: &'static [u8],
    /// Its media type, with charset.
    pub content_type: &'static str,
    /// A strong entity tag, quotes included, made from the bytes.
    pub etag: String,
}

/// The file at a request path such as `/assets/style.css`, compared exactly: nothing is decoded
/// and no folder is read.
#[must_use]
pub fn find(path: &str) -> Option<&'static Asset> {
    // What a service worker may look after lies below its own address.
    let name = if path == PUSH_PATH { "push.js" } else { path.strip_prefix("/assets/")? };
    ASSETS.iter().find(|(known, _)| *known == name).map(|(_, asset)| asset)
}

/// Every file by its name.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static (&'static str, Asset)> {
    ASSETS.iter()
}

/// Where browsers find the service worker that shows notifications.
const PUSH_PATH: &str = "/push.js";

static ASSETS: LazyLock<[(&str, Asset); 11]> = LazyLock::new(|| {
    [
        ("style.css", asset(STYLE, "text/css; charset=utf-8")),
        ("mark.svg", asset(MARK, "image/svg+xml; charset=utf-8")),
        ("copy.js", asset(COPY, "text/javascript; charset=utf-8")),
        ("embedded.js", asset(EMBEDDED, "text/javascript; charset=utf-8")),
        ("form_post.js", asset(FORM_POST, "text/javascript; charset=utf-8")),
        ("local_time.js", asset(LOCAL_TIME, "text/javascript; charset=utf-8")),
        ("manifest.json", asset(MANIFEST, "application/manifest+json")),
        ("push.js", asset(PUSH, "text/javascript; charset=utf-8")),
        ("to_top.js", asset(TO_TOP, "text/javascript; charset=utf-8")),
        ("topic.css", asset(TOPIC_STYLE, "text/css; charset=utf-8")),
        ("topic.js", asset(TOPIC, "text/javascript; charset=utf-8")),
    ]
});

fn asset(body: &'static [u8], content_type: &'static str) -> Asset {
    Asset { body, content_type, etag: format!("\"{:016x}\"", fnv1a(body)) }
}

/// FNV-1a: tells one release's file from another's. Not a defence against anybody.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

pub(super) const STYLE: &[u8] = include_bytes!("../../assets/style.css");
pub(super) const MARK: &[u8] = include_bytes!("../../assets/mark.svg");
const COPY: &[u8] = include_bytes!("../../assets/copy.js");
const EMBEDDED: &[u8] = include_bytes!("../../assets/embedded.js");
const FORM_POST: &[u8] = include_bytes!("../../assets/form_post.js");
const LOCAL_TIME: &[u8] = include_bytes!("../../assets/local_time.js");
const MANIFEST: &[u8] = include_bytes!("../../assets/manifest.json");
const PUSH: &[u8] = include_bytes!("../../assets/push.js");
const TO_TOP: &[u8] = include_bytes!("../../assets/to_top.js");
const TOPIC: &[u8] = include_bytes!("../../assets/topic.js");
pub(super) const TOPIC_STYLE: &[u8] = include_bytes!("../../assets/topic.css");

#[cfg(test)]
mod tests {
    use super::{STYLE, TOPIC_STYLE, find};

    #[test]
    fn only_the_exact_path_finds_a_file() {
        assert!(find("/assets/style.css").is_some());
        assert!(find("/push.js").is_some());
        for path in ["/assets/", "/assets/../style.css", "/assets/style%2ecss", "style.css", "/assets/none"] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn entity_tags_differ_and_are_quoted() {
        let tag = |path| find(path).map(|asset| asset.etag.clone());
        assert_ne!(tag("/assets/style.css"), tag("/assets/mark.svg"));
        assert!(tag("/assets/style.css").is_some_and(|tag| tag.len() == 18 && tag.starts_with('"')));
    }

    #[test]
    fn the_style_sheet_stays_small() {
        assert!(STYLE.len() <= 12 * 1024, "{} bytes", STYLE.len());
        assert!(TOPIC_STYLE.len() <= 6 * 1024, "{} bytes", TOPIC_STYLE.len());
    }
}
