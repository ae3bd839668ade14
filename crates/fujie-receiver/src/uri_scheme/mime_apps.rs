//! `mimeapps.list` (freedesktop.org, association between MIME types and applications): one line is put in or taken out,
//! every other byte stays. Works on bytes, because what other programs wrote there need not be UTF-8.

/// The group that names who opens what by default.
pub(super) const DEFAULTS: &str = "Default Applications";
/// The group of `mimeinfo.cache`, which lists every application that offers itself.
pub(super) const CACHE: &str = "MIME Cache";

/// The applications that a group names for a type, in order. Of two lines for one type the last counts, as in GLib.
pub(super) fn handlers<'a>(text: &'a [u8], group: &str, mime_type: &str) -> Vec<&'a [u8]> {
    let own = lines(text, group).filter(|line| line.is_of(mime_type)).last();
    own.map_or_else(Vec::new, |line| values(line.bytes).collect())
}

/// The text with `id` as the default for a type. The caller has made sure that no other default is there.
pub(super) fn with_default(text: &[u8], mime_type: &str, id: &str) -> Vec<u8> {
    if handlers(text, DEFAULTS, mime_type).contains(&id.as_bytes()) {
        return text.to_vec();
    }
    let lines: Vec<_> = lines(text, DEFAULTS).collect();
    // Behind a line that names nobody, so that ours is the last; else below the header.
    let own = lines.iter().rposition(|line| line.is_of(mime_type));
    let before = own.or_else(|| lines.iter().position(|line| line.is_header && line.is_in_group));
    let mut whole = Vec::with_capacity(text.len() + 128);
    for (index, line) in lines.iter().enumerate() {
        whole.extend_from_slice(line.bytes);
        if before == Some(index) {
            // The new line ends as this one does, unless nothing ends this one.
            let end: &[u8] = if line.bytes.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
            if !line.bytes.ends_with(b"\n") {
                whole.push(b'\n');
            }
            whole.extend_from_slice([mime_type, "=", id].concat().as_bytes());
            whole.extend_from_slice(end);
        }
    }
    if before.is_none() {
        if !whole.is_empty() && !whole.ends_with(b"\n") {
            whole.push(b'\n');
        }
        whole.extend_from_slice(["[", DEFAULTS, "]\n", mime_type, "=", id, "\n"].concat().as_bytes());
    }
    whole
}

/// The text without `id` as a default for a type. What else such a line names stays.
pub(super) fn without_default(text: &[u8], mime_type: &str, id: &str) -> Vec<u8> {
    let mut whole = Vec::with_capacity(text.len());
    for line in lines(text, DEFAULTS) {
        let id = id.as_bytes();
        if !line.is_of(mime_type) || !values(line.bytes).any(|own| own == id) {
            whole.extend_from_slice(line.bytes);
            continue;
        }
        let start = whole.len();
        for other in values(line.bytes).filter(|own| *own != id) {
            if whole.len() == start {
                whole.extend_from_slice(mime_type.as_bytes());
                whole.push(b'=');
            }
            whole.extend_from_slice(other);
            whole.push(b';');
        }
        if whole.len() > start {
            whole.push(b'\n');
        }
    }
    whole
}

struct Line<'a> {
    bytes: &'a [u8],
    is_header: bool,
    is_in_group: bool,
}

impl Line<'_> {
    /// Whether it says something of this type.
    fn is_of(&self, mime_type: &str) -> bool {
        self.is_in_group && halves(self.bytes).map_or(false, |(own, _)| own == mime_type.as_bytes())
    }
}

/// Every line with its end, and whether it stands in the group (its header counts as in it).
fn lines<'a>(text: &'a [u8], group: &str) -> impl Iterator<Item = Line<'a>> {
    let header = ["[", group, "]"].concat().into_bytes();
    let mut is_in_group = false;
    text.split_inclusive(|byte| *byte == b'\n').map(move |bytes| {
        let is_header = bytes.starts_with(b"[");
        if is_header {
            is_in_group = trimmed(bytes) == header;
        }
        Line { bytes, is_header, is_in_group }
    })
}

fn values(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let list = halves(line).map_or(&[][..], |(_, value)| value);
    list.split(|byte| *byte == b';').map(trimmed).filter(|id| !id.is_empty())
}

fn halves(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut halves = line.splitn(2, |byte| *byte == b'=');
    Some((trimmed(halves.next()?), trimmed(halves.next()?)))
}

fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes {
        if !first.is_ascii_whitespace() {
            break;
        }
        bytes = rest;
    }
    while let [rest @ .., last] = bytes {
        if !last.is_ascii_whitespace() {
            break;
        }
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "x-scheme-handler/mayx";
    const ID: &str = "fujie-mayx.desktop";

    #[test]
    fn one_line_is_put_in_and_taken_out_and_every_other_byte_stays() {
        for text in [
            &b"[Default Applications]\ntext/html=firefox.desktop\n"[..],
            b"# mine\n\n[Added Associations]\nx-scheme-handler/mayx=other.desktop;\n[Default Applications]\n\xff\xfe=\x80\n",
            b"[Default Applications]\r\ntext/html = firefox.desktop ;\r\n\r\n[Removed Associations]\r\na/b=c\r\n",
            b"  [Default Applications]\nkey\n[Default Applications]\na=b",
            b"[Default Applications]\n\n\n\n[Default Applications]\nx-scheme-handler/mayxx=other.desktop",
        ] {
            let with = with_default(text, TYPE, ID);
            assert_eq!(handlers(&with, DEFAULTS, TYPE), [ID.as_bytes()]);
            assert_eq!(with.len(), text.len() + TYPE.len() + ID.len() + if text.contains(&b'\r') { 3 } else { 2 });
            assert_eq!(with_default(&with, TYPE, ID), with, "a second time changes nothing");
            assert_eq!(without_default(&with, TYPE, ID), text);
        }
    }

    #[test]
    fn a_file_without_the_group_gets_it_at_its_end() {
        assert_eq!(with_default(b"", TYPE, ID), b"[Default Applications]\nx-scheme-handler/mayx=fujie-mayx.desktop\n");
        assert_eq!(
            with_default(b"[Other]\na=b", TYPE, ID),
            b"[Other]\na=b\n[Default Applications]\nx-scheme-handler/mayx=fujie-mayx.desktop\n"
        );
        assert_eq!(without_default(b"[Other]\na=b", TYPE, ID), b"[Other]\na=b");
    }

    #[test]
    fn of_two_lines_for_a_type_the_last_counts() {
        let text =
            b"[Default Applications]\nx-scheme-handler/mayx=fujie-mayx.desktop\n[Other]\n[Default Applications]\n\
            x-scheme-handler/mayx=other.desktop\n";
        assert_eq!(handlers(text, DEFAULTS, TYPE), [b"other.desktop"]);
        let empty = b"[Default Applications]\nx-scheme-handler/mayx=other.desktop\nx-scheme-handler/mayx=\na/b=c\n";
        assert_eq!(handlers(empty, DEFAULTS, TYPE), Vec::<&[u8]>::new());
        let with = with_default(empty, TYPE, ID);
        assert_eq!(handlers(&with, DEFAULTS, TYPE), [ID.as_bytes()]);
        assert_eq!(without_default(&with, TYPE, ID), empty);
    }

    #[test]
    fn what_others_registered_is_seen_and_stays() {
        let text = b"[Default Applications]\nx-scheme-handler/mayx=a.desktop;fujie-mayx.desktop;b.desktop\n";
        assert_eq!(handlers(text, DEFAULTS, TYPE), [&b"a.desktop"[..], ID.as_bytes(), b"b.desktop"]);
        assert_eq!(
            without_default(text, TYPE, ID),
            b"[Default Applications]\nx-scheme-handler/mayx=a.desktop;b.desktop;\n"
        );
        let other = b"[Added Associations]\nx-scheme-handler/mayx=fujie-mayx.desktop\n";
        assert_eq!(handlers(other, DEFAULTS, TYPE), Vec::<&[u8]>::new());
        assert_eq!(without_default(other, TYPE, ID), other);
    }
}
