//! The Markdown of DingTalk and WeCom, as far as a person could be led astray by it: links, pictures, mentions.
//!
//! More lenient than either application: a backslash escapes nothing, tags need no closing one, and a bare address is a
//! link. What is no link and no mention here is none there.

use super::world::{Said, Span};

/// A text as the group sees it. Headings and bold are plain; the first line is the title where there is no other.
pub(crate) fn read(text: &str) -> Said {
    let lines: Vec<Vec<Span>> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(spans).collect();
    Said { title: String::new(), lines }
}

fn spans(line: &str) -> Vec<Span> {
    let line = line.trim_start_matches('#').trim_start_matches("> ").trim_start();
    let mut spans = Vec::new();
    let mut text = String::new();
    let mut rest = line;
    while let Some(sign) = rest.chars().next() {
        let found = match sign {
            '[' => link(rest),
            '<' => tag(rest),
            'h' => bare(rest),
            _ => None,
        };
        match found {
            Some((span, after)) => {
                flush(&mut text, &mut spans);
                spans.extend(span);
                rest = after;
            }
            None => {
                text.push(sign);
                rest = rest.get(sign.len_utf8()..).unwrap_or_default();
            }
        }
    }
    flush(&mut text, &mut spans);
    spans
}

fn flush(text: &mut String, spans: &mut Vec<Span>) {
    let plain = std::mem::take(text).replace("**", "");
    if !plain.is_empty() {
        spans.push(Span::Text(plain));
    }
}

type Found<'a> = Option<(Option<Span>, &'a str)>;

/// `[text](address)`; a picture is one too.
fn link(rest: &str) -> Found<'_> {
    let (text, after) = rest.strip_prefix('[')?.split_once("](")?;
    let (href, after) = after.split_once(')')?;
    Some((Some(Span::Link { text: text.to_owned(), href: href.to_owned() }), after))
}

/// `<@somebody>`, `<https://…>`, or a tag, which is not seen.
fn tag(rest: &str) -> Found<'_> {
    let (inside, after) = rest.strip_prefix('<')?.split_once('>')?;
    if let Some(whom) = inside.strip_prefix('@') {
        return Some((Some(Span::Mention(whom.to_owned())), after));
    }
    if inside.starts_with("http://") || inside.starts_with("https://") {
        return Some((Some(Span::Link { text: inside.to_owned(), href: inside.to_owned() }), after));
    }
    let is_tag = inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    is_tag.then_some((None, after))
}

/// An address that stands in the text.
fn bare(rest: &str) -> Found<'_> {
    if !rest.starts_with("http://") && !rest.starts_with("https://") {
        return None;
    }
    let end = rest.find(|c: char| c.is_whitespace() || !c.is_ascii() || "<>()[]\"".contains(c)).unwrap_or(rest.len());
    let (address, after) = rest.split_at_checked(end)?;
    Some((Some(Span::Link { text: address.to_owned(), href: address.to_owned() }), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_mentions_and_tags_are_seen() {
        let link = |text: &str, href: &str| Span::Link { text: text.to_owned(), href: href.to_owned() };
        let cases = [
            ("#### **a** b", vec!["a b".into()]),
            ("a [b](c) d", vec!["a ".into(), link("b", "c"), " d".into()]),
            ("![b](c)", vec!["!".into(), link("b", "c")]),
            ("\\[b\\](c)", vec!["\\".into(), link("b\\", "c")]),
            ("<@all> x", vec![Span::Mention("all".to_owned()), " x".into()]),
            ("<font color=\"warning\">x</font>", vec!["x".into()]),
            (
                "see https://a.example/b(c",
                vec!["see ".into(), link("https://a.example/b", "https://a.example/b"), "(c".into()],
            ),
            ("1 < 2 > 1", vec!["1 < 2 > 1".into()]),
            ("［b］(c) ＜＠all＞ ＠all", vec!["［b］(c) ＜＠all＞ ＠all".into()]),
            ("[b] (c) [", vec!["[b] (c) [".into()]),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).lines, [expected], "{text}");
        }
    }
}
