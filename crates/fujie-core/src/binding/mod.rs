//! Account binding: which local account an identity at a provider leads to.

pub mod decision;
pub mod identity;
