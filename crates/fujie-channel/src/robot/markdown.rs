//! Text inside the Markdown of the robots that take it.
//!
//! Neither provider documents an escape, and their applications differ: a backslash may be shown. So what could make a
//! link, a picture, a mention, a colour or a block is replaced by its full-width twin, which no parser takes for markup
//! and every reader takes for the same sign.

/// A clean line as text that stays text.
pub(super) fn escaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for (position, sign) in line.chars().enumerate() {
        text.push(match sign {
            '[' => '［',
            ']' => '］',
            '<' => '＜',
            '>' => '＞',
            '@' => '＠',
            '*' => '＊',
            '`' => '｀',
            '\\' => '＼',
            '&' => '＆',
            // Only at the beginning: a heading, a list, a rule, an underline.
            '#' if position == 0 => '＃',
            '-' if position == 0 => '－',
            '+' if position == 0 => '＋',
            '=' if position == 0 => '＝',
            '_' if position == 0 => '＿',
            other => other,
        });
    }
    text
}

/// An address between the round brackets of a link: what would end it, or begin something, is percent-encoded.
pub(super) fn target(link: &str) -> String {
    let mut target = String::with_capacity(link.len());
    for sign in link.chars() {
        match sign {
            '(' | ')' | '[' | ']' | '<' | '>' | '@' | '*' | '`' | '\\' | '"' | '\'' | ' ' => {
                target.push_str(&format!("%{:02X}", u32::from(sign)));
            }
            other => target.push(other),
        }
    }
    target
}
