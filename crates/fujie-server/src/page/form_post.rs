//! The page that carries an authorization answer by POST (OAuth 2.0 Form Post Response Mode §2).
//!
//! A script of ours sends it at once; without script there is a button. The policy of this page
//! must let the form go to `action` (`form-action`).

use serde::Serialize;

use super::Page;

/// The answer on its way back to the application. It carries a code, so it has no `Debug`.
#[derive(Clone, Serialize)]
pub struct FormPost {
    /// The proven redirect URI.
    pub action: String,
    /// The response parameters.
    pub fields: Vec<(String, String)>,
    /// The application's name.
    pub client_name: String,
}

impl Page for FormPost {
    const TEMPLATE: &'static str = "form_post.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            action: "https://notes.example.com/callback".to_owned(),
            fields: vec![
                ("code".to_owned(), "fj_code_sample".to_owned()),
                ("state".to_owned(), "a<b>&\"c\" 小明".to_owned()),
            ],
            client_name: "Demo Notes".to_owned(),
        }]
    }
}
