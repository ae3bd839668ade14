//! Leaving: the question (OpenID Connect RP-Initiated Logout §2) and the page afterwards.
//!
//! Form. `POST /sign-out`: `csrf`, `resume`.

use serde::Serialize;

use super::Page;

/// Sign out? An application's link alone never signs anybody out.
#[derive(Debug, Clone, Serialize)]
pub struct SignOutConfirm {
    /// Who is signed in.
    pub account_name: String,
    /// The application that asked, when one did.
    pub client_name: Option<String>,
    /// The sealed logout request to go on with; may be empty.
    pub resume: String,
    /// The token that proves the form is ours.
    pub csrf: String,
}

/// You are signed out.
#[derive(Debug, Clone, Serialize)]
pub struct SignedOut {}

impl Page for SignOutConfirm {
    const TEMPLATE: &'static str = "sign_out_confirm.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            account_name: "alice".to_owned(),
            client_name: None,
            resume: String::new(),
            csrf: "csrf-sample".to_owned(),
        };
        let asked = Self { client_name: Some("Demo Notes".to_owned()), ..plain.clone() };
        vec![plain, asked]
    }
}

impl Page for SignedOut {
    const TEMPLATE: &'static str = "signed_out.html";

    fn samples() -> Vec<Self> {
        vec![Self {}]
    }
}
