//! A sequence diagram of one act: where every line, arrow and word stands. The template turns it into SVG.
//!
//! Two sizes are laid out, because a wide drawing shrunk to a phone cannot be read: in the narrow one the words stand
//! in full width above their arrow. Deliberately not here: colours and fonts (the style sheet) and masking, which is
//! done when a message is written down.

use serde::Serialize;

use super::{
    walk::{Act, Field, Message, Party, Shape},
    words::Words,
};

/// A drawing, in units of CSS pixels at its natural size.
#[derive(Debug, Serialize)]
pub struct Drawing {
    /// Name of its class: `wide` or `narrow`.
    pub size: &'static str,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Where lifelines begin.
    pub top: u32,
    /// The lifelines.
    pub columns: Vec<Column>,
    /// Messages and notes, downwards.
    pub rows: Vec<Row>,
}

/// A lifeline with its head.
#[derive(Debug, Serialize)]
pub struct Column {
    /// Its middle.
    pub x: u32,
    /// Left edge of its head.
    pub left: u32,
    /// Width of its head.
    pub width: u32,
    /// Class name.
    pub party: &'static str,
    /// Who it is.
    pub name: String,
    /// A second line under the name, or nothing.
    pub under: String,
}

/// One message or note.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The number in the circle.
    pub step: Option<u8>,
    /// Middle of the circle.
    pub badge: (u32, u32),
    /// When, for people: `12 ms`, `3.4 s`.
    pub time: String,
    /// Where the time ends (it is set flush right).
    pub time_at: (u32, u32),
    /// Its words.
    pub lines: Vec<Line>,
    /// The arrow, unless it is a note.
    pub arrow: Option<Arrow>,
    /// The box, if it is a note.
    pub frame: Option<Frame>,
    /// It is bad news.
    pub is_error: bool,
    /// It is an answer.
    pub is_answer: bool,
}

/// One line of text.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Its left end.
    pub x: u32,
    /// Its base line.
    pub y: u32,
    /// Class name: `says` for people, `wire` for what was sent.
    pub class: &'static str,
    /// The text.
    pub text: String,
}

/// A line with a head.
#[derive(Debug, Serialize)]
pub struct Arrow {
    /// From here.
    pub from: u32,
    /// To here.
    pub to: u32,
    /// At this height.
    pub y: u32,
    /// The corners of its head.
    pub head: String,
}

/// The box of a note.
#[derive(Debug, Serialize)]
pub struct Frame {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// Draws `act` in both sizes.
pub fn draw(act: &Act, words: &Words) -> [Drawing; 2] {
    [WIDE.draw(act, words), NARROW.draw(act, words)]
}

/// The same messages in one sentence each, for those who do not see the drawing.
#[derive(Debug, Serialize)]
pub struct Sentence {
    /// Which of the eight steps.
    pub step: Option<u8>,
    /// Who, to whom.
    pub who: String,
    /// What it means.
    pub says: String,
    /// What was sent.
    pub wire: Vec<String>,
    /// When.
    pub time: String,
    /// It is bad news.
    pub is_error: bool,
}

/// `act` as a list.
pub fn list(act: &Act, words: &Words) -> Vec<Sentence> {
    let sentence = |message: &Message| {
        let (from, to) = (word(words, message.from.key()), word(words, message.to.key()));
        Sentence {
            step: message.step,
            who: match message.shape {
                Shape::Request | Shape::Answer => format!("{from} → {to}"),
                Shape::Note if message.from == message.to => from,
                Shape::Note => format!("{from} … {to}"),
            },
            says: word(words, message.label.key()),
            wire: wire(message),
            time: time(message.at_millis),
            is_error: message.is_error,
        }
    };
    act.messages.iter().map(sentence).collect()
}

/// The measures of one size.
struct Layout {
    size: &'static str,
    width: u32,
    /// Middles of the lifelines.
    columns: [u32; 5],
    head_width: u32,
    head_height: u32,
    /// How far a text stands from its lifeline; `None` when texts have the whole width.
    text_indent: Option<u32>,
    /// Width of the column of numbers and times.
    gutter: u32,
    says_height: u32,
    /// Average width of a Latin letter in a sentence, in hundredths.
    says_letter: u32,
    wire_height: u32,
    /// Width of a Latin letter of the fixed-width font, in hundredths.
    wire_letter: u32,
}

const WIDE: Layout = Layout {
    size: "wide",
    width: 1000,
    columns: [110, 300, 530, 720, 910],
    head_width: 132,
    head_height: 48,
    text_indent: Some(12),
    gutter: 40,
    says_height: 20,
    says_letter: 860,
    wire_height: 18,
    wire_letter: 740,
};

const NARROW: Layout = Layout {
    size: "narrow",
    width: 340,
    columns: [34, 102, 170, 238, 306],
    head_width: 64,
    head_height: 40,
    text_indent: None,
    gutter: 24,
    says_height: 19,
    says_letter: 800,
    wire_height: 16,
    wire_letter: 660,
};

impl Layout {
    fn draw(&self, act: &Act, words: &Words) -> Drawing {
        let mut y = self.head_height + 14;
        let mut rows = Vec::with_capacity(act.messages.len());
        for message in &act.messages {
            let (row, bottom) = self.row(message, words, y);
            rows.push(row);
            y = bottom;
        }
        let columns = Party::ALL.iter().map(|party| self.column(*party, words)).collect();
        Drawing { size: self.size, width: self.width, height: y + 10, top: self.head_height, columns, rows }
    }

    fn column(&self, party: Party, words: &Words) -> Column {
        let x = self.middle(party);
        Column {
            x,
            left: x - self.head_width / 2,
            width: self.head_width,
            party: match party {
                Party::You => "you",
                Party::Friends => "friends",
                Party::Fujie => "fujie",
                Party::Wechat => "wechat",
                Party::Contacts => "contacts",
            },
            name: word(words, party.key()),
            under: words.get(&format!("{}_under", party.key())).cloned().unwrap_or_default(),
        }
    }

    fn middle(&self, party: Party) -> u32 {
        let position = Party::ALL.iter().position(|own| *own == party).unwrap_or_default();
        self.columns.get(position).copied().unwrap_or_default()
    }

    /// The row that begins at height `y`, and the height where the next one may begin.
    fn row(&self, message: &Message, words: &Words, y: u32) -> (Row, u32) {
        let (one, other) = (self.middle(message.from), self.middle(message.to));
        let (left, right) = (one.min(other), one.max(other));
        let is_note = message.shape == Shape::Note;
        let (edge, width) = if is_note && self.text_indent.is_some() {
            (left - self.head_width / 2, (right - left + self.head_width).max(NOTE_WIDTH_MIN))
        } else {
            (0, self.width)
        };
        let padding = if is_note { 10 } else { 0 };
        let text_left = match self.text_indent {
            Some(_) if is_note => edge + padding,
            Some(indent) => left + indent,
            None => padding,
        };
        let badge_room = if message.step.is_some() && self.text_indent.is_none() { self.gutter } else { 0 };
        let text_right = if is_note { (edge + width).min(self.width) - padding } else { self.width - 4 };
        let mut lines = Vec::new();
        let mut base = y + padding;
        for text in
            wrap(&[word(words, message.label.key())], self.room(text_left + badge_room, text_right, self.says_letter))
        {
            base += self.says_height;
            lines.push(Line { x: text_left + badge_room, y: base - 5, class: "says", text });
        }
        for text in wrap(&wire(message), self.room(text_left, text_right, self.wire_letter)) {
            base += self.wire_height;
            lines.push(Line { x: text_left, y: base - 5, class: "wire", text });
        }
        let (arrow, frame, bottom) = if is_note {
            let height = base + padding - y;
            (None, Some(Frame { x: edge, y, width: width.min(self.width - edge), height }), y + height + 18)
        } else {
            (Some(arrow(one, other, base + 8)), None, base + 30)
        };
        let badge_x = if self.text_indent.is_some() { self.gutter / 2 } else { text_left + 9 };
        let row = Row {
            step: message.step,
            badge: (badge_x, y + padding + 11),
            time: time(message.at_millis),
            time_at: self.time_at(y + padding, base + 3, is_note),
            lines,
            arrow,
            frame,
            is_error: message.is_error,
            is_answer: message.shape == Shape::Answer,
        };
        (row, bottom)
    }

    /// Wide: in the gutter, beside the arrow. Narrow: at the right edge, beside the sentence.
    fn time_at(&self, top: u32, bottom: u32, is_note: bool) -> (u32, u32) {
        match self.text_indent {
            Some(_) if is_note => (self.gutter / 2, top + 32),
            Some(_) => (self.gutter / 2, bottom + 8),
            None => (self.width - if is_note { 10 } else { 0 }, top + 14),
        }
    }

    /// How many letters fit between `left` and `right`. The narrow size leaves room for the time in its first line.
    fn room(&self, left: u32, right: u32, letter: u32) -> usize {
        let time = if self.text_indent.is_none() && letter == self.says_letter { 44 } else { 0 };
        usize::try_from(right.saturating_sub(left + time) * 100 / letter).unwrap_or_default().max(12)
    }
}

fn arrow(from: u32, to: u32, y: u32) -> Arrow {
    let back = if to > from { to - 9 } else { to + 9 };
    let head = format!("{to},{y} {back},{} {back},{}", y - 5, y + 5);
    // The line ends inside the head, so that a broken line never shows a gap at its point.
    Arrow { from, to: if to > from { to - 5 } else { to + 5 }, y, head }
}

/// The parts of what was sent, each of which is kept together when lines are broken.
fn wire(message: &Message) -> Vec<String> {
    let field = |field: &Field| match field.name {
        "" => field.value.clone(),
        name => format!("{name}={}", field.value),
    };
    let head = (!message.head.is_empty()).then(|| message.head.clone());
    head.into_iter().chain(message.fields.iter().map(field)).collect()
}

/// Sets `parts` in lines of at most `room` letters. A part that is longer than a line is broken where it must be.
fn wrap(parts: &[String], room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for part in parts {
        let needed = letters(part);
        match lines.last_mut() {
            Some(line) if used + needed + 3 <= room => {
                line.push_str("   ");
                line.push_str(part);
                used += needed + 3;
            }
            _ => {
                lines.extend(broken(part, room));
                used = lines.last().map_or(0, |line| letters(line));
            }
        }
    }
    lines
}

/// `text` in pieces of at most `room` letters: between words where there are any, else anywhere.
fn broken(text: &str, room: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut used = 0;
    for letter in text.chars() {
        if used + width(letter) > room {
            let space = piece.rfind(' ').filter(|at| at * 2 > piece.len());
            let rest = space.map_or_else(String::new, |at| piece.split_off(at).trim_start().to_owned());
            pieces.push(std::mem::replace(&mut piece, rest));
            used = letters(&piece);
            if letter == ' ' && piece.is_empty() {
                continue;
            }
        }
        piece.push(letter);
        used += width(letter);
    }
    pieces.push(piece);
    pieces
}

fn letters(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Han characters, their punctuation and emoji take the room of two Latin letters.
const fn width(letter: char) -> usize {
    if matches!(letter, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{ffef}' | '\u{1f000}'..) { 2 } else { 1 }
}

/// Milliseconds for people.
fn time(millis: i64) -> String {
    match millis {
        ..1000 => format!("{millis} ms"),
        1000..100_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        _ => format!("{} min", millis / 60_000),
    }
}

/// The words are complete (a test says so); a key on the page is still better than no page.
fn word(words: &Words, key: &str) -> String {
    words.get(key).cloned().unwrap_or_else(|| key.to_owned())
}

/// A note over one lifeline still needs room for its words.
const NOTE_WIDTH_MIN: u32 = 560;

#[cfg(test)]
mod tests {
    use fujie_core::time::Timestamp;

    use super::*;
    use crate::demo::{
        walk::{Button, Label, Walk},
        words::Lang,
    };

    fn act() -> Act {
        let mut walk = Walk::default();
        walk.begin(Button::SignIn, Timestamp::from_millis(0));
        let long = Field::plain("redirect_uri", &"http://127.0.0.1:8000/callback?".repeat(9));
        let messages = [
            Message::new(Shape::Request, Party::You, Party::Friends, Label::PressSignIn).step(1),
            Message::new(Shape::Answer, Party::Friends, Party::You, Label::GoToFujie).fields(vec![long]),
            Message::note(Party::You, Party::Wechat, Label::Consented).step(3),
            Message::new(Shape::Request, Party::Friends, Party::Contacts, Label::CallContacts)
                .head("GET /contacts".into()),
            Message::new(Shape::Answer, Party::Contacts, Party::Friends, Label::Refused).error(),
        ];
        messages.into_iter().for_each(|message| walk.record(message, Timestamp::from_millis(1234)));
        walk.acts()[0].clone()
    }

    #[test]
    fn every_message_has_its_arrow_and_every_note_its_box() {
        for lang in Lang::ALL {
            let words = lang.words().unwrap();
            for drawing in draw(&act(), &words) {
                let arrows: Vec<_> = drawing.rows.iter().map(|row| row.arrow.is_some()).collect();
                assert_eq!(arrows, [true, true, false, true, true], "{}", drawing.size);
                assert!(drawing.rows[2].frame.is_some());
                let [down, up] = [0, 1].map(|row| drawing.rows[row].arrow.as_ref().unwrap());
                assert!(down.from < down.to && up.from > up.to, "arrows point where messages went");
                assert!(drawing.rows[4].is_error && drawing.rows[4].is_answer);
            }
            assert_eq!(list(&act(), &words).len(), 5);
        }
    }

    #[test]
    fn nothing_stands_outside_the_drawing_or_on_the_next_row() {
        for lang in Lang::ALL {
            let words = lang.words().unwrap();
            for drawing in draw(&act(), &words) {
                let mut above = drawing.top;
                for row in &drawing.rows {
                    for line in &row.lines {
                        let letter = 6 + u32::from(drawing.size == "wide") + u32::from(line.class == "says");
                        let right = line.x + u32::try_from(letters(&line.text)).unwrap() * letter;
                        assert!(right <= drawing.width, "{}: {} ends at {right}", drawing.size, line.text);
                        assert!(line.y > above && line.y < drawing.height, "{}: {}", drawing.size, line.text);
                    }
                    above = row.arrow.as_ref().map_or_else(
                        || row.frame.as_ref().map(|frame| frame.y + frame.height).unwrap(),
                        |arrow| arrow.y,
                    );
                }
                assert!(above < drawing.height);
            }
        }
    }

    #[test]
    fn lines_break_between_parts_then_words_then_anywhere() {
        let parts = ["a=1", "b=2", "scope=openid profile", "abcdefghijkl"].map(str::to_owned);
        assert_eq!(wrap(&parts, 12), ["a=1   b=2", "scope=openid", "profile", "abcdefghijkl"]);
        assert_eq!(broken("一二三四五", 4), ["一二", "三四", "五"]);
        assert_eq!(wrap(&[], 12), Vec::<String>::new());
    }

    #[test]
    fn times_are_short() {
        assert_eq!([0, 999, 1000, 99_999, 180_000].map(time), ["0 ms", "999 ms", "1.0 s", "99.9 s", "3 min"]);
    }
}
