//! How a page tells a time: in UTC, in words of its language, and as `<time datetime>` for the
//! script that shows it in the reader's own zone.
//!
//! Deliberately not here: what time it is. Pages are given times and only spell them.

use super::Lang;

/// `20 Nov 2026, 14:03 UTC` or `2026年11月20日 14:03（UTC）`, from Unix milliseconds.
pub(super) fn text(at: i64, lang: Lang) -> String {
    let Civil { year, month, day, hour, minute } = civil(at);
    match lang {
        Lang::En => {
            let month = usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).unwrap_or(&"?");
            format!("{day} {month} {year}, {hour:02}:{minute:02} UTC")
        }
        Lang::Zh => format!("{year}年{month}月{day}日 {hour:02}:{minute:02}（UTC）"),
    }
}

/// `2026-11-20T14:03Z`, from Unix milliseconds.
pub(super) fn machine_text(at: i64) -> String {
    let Civil { year, month, day, hour, minute } = civil(at);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}Z")
}

struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
}

/// The Gregorian date of a Unix time, by counting 400-year cycles whose years begin in March, so
/// that the leap day is a year's last.
fn civil(at_milliseconds: i64) -> Civil {
    let minutes = at_milliseconds.div_euclid(60_000);
    let days = minutes.div_euclid(24 * 60) + DAYS_FROM_MARCH_OF_YEAR_0;
    let cycle = days.div_euclid(DAYS_PER_CYCLE);
    let day_of_cycle = days.rem_euclid(DAYS_PER_CYCLE);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    Civil {
        year: cycle * 400 + year_of_cycle + i64::from(month <= 2),
        month,
        day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
        hour: minutes.div_euclid(60).rem_euclid(24),
        minute: minutes.rem_euclid(60),
    }
}

const DAYS_FROM_MARCH_OF_YEAR_0: i64 = 719_468;
const DAYS_PER_CYCLE: i64 = 146_097;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::{Lang, machine_text, text};

    #[test]
    fn times_are_spelled_as_the_calendar_has_them() {
        for (at, expected) in [
            (0, "1970-01-01T00:00Z"),
            (-1, "1969-12-31T23:59Z"),
            (951_782_400_000, "2000-02-29T00:00Z"),
            (1_709_251_199_999, "2024-02-29T23:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00Z"),
            (1_795_183_380_000, "2026-11-20T14:03Z"),
        ] {
            assert_eq!(machine_text(at), expected);
        }
    }

    #[test]
    fn times_are_told_in_the_language_of_the_page() {
        assert_eq!(text(1_795_183_380_000, Lang::En), "20 Nov 2026, 14:03 UTC");
        assert_eq!(text(1_795_183_380_000, Lang::Zh), "2026年11月20日 14:03（UTC）");
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for at in [i64::MIN, i64::MAX] {
            assert!(!text(at, Lang::En).is_empty());
        }
    }
}
