//! Moments as GitHub's API writes them: RFC 3339 in UTC, with or without a fraction.

use fujie_core::time::Timestamp;

/// `2026-11-21T16:00:00Z`; `None` for anything else.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(clock, ':')?;
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day) && (1970..=9999).contains(&year);
    if !is_date || hour > 23 || minute > 59 || second > 60 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(Timestamp::from_seconds(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second))
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|_| is_number)
    });
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// Days since 1970-01-01. Years begin in March, so that the leap day is a year's last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = if month > 2 { month - 3 } else { month + 9 };
    year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_moment_is_read_as_the_calendar_has_it() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2024-02-29T23:59:59Z", Some(1_709_251_199)),
            ("2024-02-29T23:59:59.123Z", Some(1_709_251_199)),
            ("2100-03-01T00:00:00Z", Some(4_107_542_400)),
            ("2026-13-01T00:00:00Z", None),
            ("2026-11-21T16:00:00+08:00", None),
            ("2026-11-21", None),
            ("", None),
            ("99999-01-01T00:00:00Z", None),
            ("2026-11-21T16:00:00:00Z", None),
        ] {
            assert_eq!(parse(text).map(|at| at.seconds()), expected, "{text}");
        }
    }
}
