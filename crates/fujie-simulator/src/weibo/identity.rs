//! Who somebody is on Weibo: one number for all apps, above 2³¹.

use crate::random;

/// Ten digits, the same for this name for ever, as a number and as text.
pub(crate) fn uid(person: &str) -> u64 {
    let digits = random::settled(&["weibo uid", person], random::DIGIT, 9);
    // Nine digits always are a number.
    5_000_000_000 + digits.parse::<u64>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::uid;

    #[test]
    fn a_uid_has_ten_digits_and_does_not_fit_into_32_bits() {
        assert_eq!(uid("zoe"), uid("zoe"));
        assert_ne!(uid("zoe"), uid("lihua"));
        assert!(uid("zoe") > u64::from(u32::MAX) && uid("zoe").to_string().len() == 10);
    }
}
