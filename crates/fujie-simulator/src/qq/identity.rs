//! What an app learns of who somebody is: openid and unionid.
//!
//! Both are settled by names, so that they stay the same between runs.

use crate::random;

const UPPER_HEX: &[u8; 16] = b"0123456789ABCDEF";

/// 32 characters, another for every app.
pub(crate) fn openid(client_id: &str, person: &str) -> String {
    random::settled(&["qq openid", client_id, person], UPPER_HEX, 32)
}

/// `UID_` and 32 characters, one for all apps of a developer.
pub(crate) fn unionid(developer: &str, person: &str) -> String {
    format!("UID_{}", random::settled(&["qq unionid", developer, person], UPPER_HEX, 32))
}

#[cfg(test)]
mod tests {
    use super::{openid, unionid};

    #[test]
    fn an_openid_is_per_app_and_a_unionid_per_developer() {
        assert_eq!((openid("1", "zoe").len(), unionid("a", "zoe").len()), (32, 36));
        assert_ne!(openid("1", "zoe"), openid("2", "zoe"));
        assert_eq!(unionid("a", "zoe"), unionid("a", "zoe"));
        assert_ne!(unionid("a", "zoe"), unionid("b", "zoe"));
        assert!(unionid("a", "zoe").starts_with("UID_"));
    }
}
