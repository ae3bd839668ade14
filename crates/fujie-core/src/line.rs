//! Text that somebody typed and others read on one line: titles, labels, names.

/// Is `text` a line of 1 to `length_max` characters, nothing white at its ends, and nothing in it that [steers](is_steering)?
pub fn is_line(text: &str, length_max: usize) -> bool {
    text.trim() == text && (1..=length_max).contains(&text.chars().count()) && !text.chars().any(is_steering)
}

/// Does a reader see something other than this character: a control character, or one that turns the order of others?
pub fn is_steering(character: char) -> bool {
    character.is_control() || is_bidi(character)
}

/// The characters with the property Bidi_Control (Unicode Standard Annex #9).
pub fn is_bidi(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_is_written() {
        for line in ["a", "发布与回滚", "a b", &"长".repeat(80)] {
            assert!(is_line(line, 80), "{line}");
        }
        for other in ["", " ", " a", "a\u{a0}", "a\nb", "a\u{1b}[2J", "a\u{202e}b", "\u{200f}a", &"长".repeat(81)] {
            assert!(!is_line(other, 80), "{other:?}");
        }
    }
}
