//! WeChat's QR page inside a page of ours, and the page in that frame that leads out of it again.
//!
//! WeChat's own script makes the frame; a script of ours reads what it must be told from the
//! element. The server's policy for this page lets in that one script and that one frame.
//!
//! Form. `POST /broker/{id}/start`: `resume`, `csrf`, `full`, and `ticket_digest` while attaching.

use serde::Serialize;

use super::{Page, Provider, ProviderKind};

/// The page with the frame.
#[derive(Debug, Clone, Serialize)]
pub struct Embedded {
    /// Whose page it is.
    pub provider: Provider,
    /// The address of the provider's script.
    pub script: String,
    /// What the script is told.
    pub options: FrameOptions,
    /// The sealed authorization request to go on with; may be empty.
    pub resume: String,
    /// The token that proves the form is ours.
    pub csrf: String,
    /// Names the bind ticket while a new identity is being attached.
    pub ticket_digest: Option<String>,
}

/// What the provider's script joins into the frame's address, unencoded.
#[derive(Clone, Serialize)]
pub struct FrameOptions {
    /// Our client id there.
    pub appid: String,
    /// What is asked for.
    pub scope: String,
    /// Percent-encoded.
    pub redirect_uri: String,
    /// What comes back.
    pub state: String,
    /// Whether the frame comes back, or the whole window.
    pub self_redirect: bool,
}

impl std::fmt::Debug for FrameOptions {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("FrameOptions").field("appid", &self.appid).finish_non_exhaustive()
    }
}

/// Inside the frame: on to the whole window. It carries a code, so it has no `Debug`.
#[derive(Clone, Serialize)]
pub struct ToTop {
    /// Where the whole window goes: an address of ours.
    pub url: String,
}

impl Page for Embedded {
    const TEMPLATE: &'static str = "embedded.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            provider: Provider::of(ProviderKind::Wechat),
            script: "https://res.wx.qq.com/connect/zh_CN/htmledition/js/wxLogin.js".to_owned(),
            options: FrameOptions {
                appid: "wx0123456789abcdef".to_owned(),
                scope: "snsapi_login".to_owned(),
                redirect_uri: "https%3A%2F%2Fid.example.com%2Fbroker%2Fwechat%2Fcallback".to_owned(),
                state: "0123456789abcdef".to_owned(),
                self_redirect: false,
            },
            resume: "fj_resume_sample".to_owned(),
            csrf: "csrf-sample".to_owned(),
            ticket_digest: None,
        };
        let attaching = Self { ticket_digest: Some("digest-sample".to_owned()), ..plain.clone() };
        vec![plain, attaching]
    }
}

impl Page for ToTop {
    const TEMPLATE: &'static str = "to_top.html";

    fn samples() -> Vec<Self> {
        vec![Self { url: "/broker/wechat/callback?code=sample&state=sample&top=1".to_owned() }]
    }
}
