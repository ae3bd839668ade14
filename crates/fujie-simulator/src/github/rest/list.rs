//! Lists in parts: `per_page`, `page`, and the `Link` header that leads to the others.
//!
//! Lists of deliveries go by `cursor` instead; they are in `delivery`.

use super::{Answer, Call};
use serde_json::Value;
use url::form_urlencoded;

const PER_PAGE: usize = 30;
const PER_PAGE_MAX: usize = 100;

/// How many elements a part has; what is not a number counts as not said.
pub(crate) fn per_page(call: &Call<'_>) -> usize {
    let asked = call.query.filled("per_page").and_then(|text| text.parse().ok());
    asked.unwrap_or(PER_PAGE).clamp(1, PER_PAGE_MAX)
}

/// The part that was asked for. `url` is the list's address by ids, which links use.
pub(crate) fn page(call: &Call<'_>, items: Vec<Value>, url: &str) -> Answer {
    let per_page = per_page(call);
    let page: usize = call.query.filled("page").and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
    let last = items.len().div_ceil(per_page).max(1);
    let mut links = Vec::new();
    let mut link = |to: usize, rel: &str| links.push(format!("<{}>; rel=\"{rel}\"", at_page(url, call.raw_query, to)));
    if page > 1 {
        link(page - 1, "prev");
    }
    if page < last {
        link(page + 1, "next");
        link(last, "last");
    }
    if page > 1 {
        link(1, "first");
    }
    let part: Vec<Value> = items.into_iter().skip(per_page.saturating_mul(page - 1)).take(per_page).collect();
    Answer::part(Value::Array(part), (!links.is_empty()).then(|| links.join(", ")))
}

fn at_page(url: &str, raw_query: &str, page: usize) -> String {
    with_field(url, raw_query, "page", &page.to_string())
}

/// The address with the query that was sent, one field of it replaced.
pub(crate) fn with_field(url: &str, raw_query: &str, name: &str, value: &str) -> String {
    let others = form_urlencoded::parse(raw_query.as_bytes()).filter(|(known, _)| known != name).take(20);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(others).append_pair(name, value);
    format!("{url}?{}", query.finish())
}
