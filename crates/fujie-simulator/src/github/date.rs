//! Moments as GitHub writes them: ISO 8601 in UTC, to the second.
//!
//! Proleptic Gregorian calendar by counting 400-year cycles; no time zones, no leap seconds.

const DAY: u64 = 86_400;
const DAYS_OF_400_YEARS: u64 = 146_097;
/// From 0000-03-01, where the count of cycles begins, to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_468;

/// `2026-11-21T16:00:00Z`
pub(crate) fn iso(unix_seconds: u64) -> String {
    let (year, month, day, clock) = parts(unix_seconds);
    format!("{year:04}-{month:02}-{day:02}T{clock}Z")
}

/// `2026-11-21T16:00:00+00:00`, as in commits.
pub(crate) fn iso_with_offset(unix_seconds: u64) -> String {
    iso(unix_seconds).replace('Z', "+00:00")
}

/// `2026-11-21 16:00:00 UTC`, as in the header that tells when a token expires.
pub(crate) fn spaced(unix_seconds: u64) -> String {
    let (year, month, day, clock) = parts(unix_seconds);
    format!("{year:04}-{month:02}-{day:02} {clock} UTC")
}

/// Year, month, day, and the time of day as text. Years begin in March here, so that the leap day
/// is the last of its year and months have a fixed beginning.
fn parts(unix_seconds: u64) -> (u64, u64, u64, String) {
    let days = unix_seconds / DAY + DAYS_BEFORE_1970;
    let (cycle, day_of_cycle) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = cycle * 400 + year_of_cycle + u64::from(month <= 2);
    let second = unix_seconds % DAY;
    (year, month, day, format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60))
}

#[cfg(test)]
mod tests {
    use super::{iso, iso_with_offset, spaced};

    #[test]
    fn moments_are_written_as_the_calendar_has_them() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_795_276_800, "2026-11-21T16:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, written) in cases {
            assert_eq!(iso(seconds), written);
        }
        assert_eq!(iso_with_offset(0), "1970-01-01T00:00:00+00:00");
        assert_eq!(spaced(1_795_276_800), "2026-11-21 16:00:00 UTC");
    }
}
