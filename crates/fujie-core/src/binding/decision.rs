//! What an identity at a provider leads to (design: account binding, steps 3 and 4).

use super::identity::Bound;
use crate::id::Id;

/// Where a person who was vouched for goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Into this account.
    SignIn(Id),
    /// To the bind page: nobody knows them yet.
    Pending,
    /// Nowhere by themselves: the two rows lead to two accounts.
    Conflict {
        /// The account of the identity's own row.
        identity: Id,
        /// The account of the union row.
        union: Id,
    },
}

/// Decides by the two rows. A row that is missing says nothing: the person may have joined the group later.
pub fn decide(bound: Bound) -> Decision {
    match (bound.identity, bound.union) {
        (Some(identity), Some(union)) if identity != union => Decision::Conflict { identity, union },
        (Some(account), _) | (None, Some(account)) => Decision::SignIn(account),
        (None, None) => Decision::Pending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_lead_to_one_account_or_to_a_question() {
        let (a, b) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
        let check = |identity, union, expected| assert_eq!(decide(Bound { identity, union }), expected);
        check(None, None, Decision::Pending);
        check(Some(a), None, Decision::SignIn(a));
        check(None, Some(a), Decision::SignIn(a));
        check(Some(a), Some(a), Decision::SignIn(a));
        check(Some(a), Some(b), Decision::Conflict { identity: a, union: b });
    }
}
