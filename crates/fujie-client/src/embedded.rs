//! The sign-in page of a provider inside a page of one's own: WeChat's `wxLogin.js`.
//!
//! Owns the eight options of that script. The script joins them into an address without encoding
//! anything, so the redirect URI must be encoded here, and everything else must need none.

use fujie_core::random::Random;
use fujie_core::time::Timestamp;
use serde::Serialize;

use crate::error::ProviderError;
use crate::flow::Attempt;
use crate::provider::Provider;
use crate::registration::Registration;
use crate::request::encode_value;

/// The options of `new WxLogin({ … })`. It serialises to exactly these eight names.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Embedded {
    /// Whether the frame goes to the redirect URI itself (true) or the whole window does (false).
    pub self_redirect: bool,
    /// The id of the element that takes the frame.
    pub id: String,
    /// Our client id.
    pub appid: String,
    /// What is asked for.
    pub scope: String,
    /// Percent-encoded, as the script wants it.
    pub redirect_uri: String,
    /// What comes back.
    pub state: String,
    /// `black`, `white` or empty.
    pub style: String,
    /// The address of a style sheet (https) or `data:text/css;base64,…`, encoded, or empty.
    pub href: String,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Embedded").field("id", &self.id).field("appid", &self.appid).finish_non_exhaustive()
    }
}

impl Registration {
    /// Begins a sign-in inside the element `id` of a page of ours.
    ///
    /// # Errors
    /// As [`Registration::begin`]; [`ProviderError::NotOffered`] when the record is not one of
    /// WeChat's website.
    pub fn begin_embedded(
        &self,
        redirect_uri: &str,
        id: &str,
        self_redirect: bool,
        random: &mut dyn Random,
        now: Timestamp,
    ) -> Result<(Embedded, Attempt), ProviderError> {
        if !self.provider.is_embeddable() {
            return Err(ProviderError::NotOffered("embedded sign-in"));
        }
        let attempt = self.new_attempt(redirect_uri, false, random, now)?;
        Ok((self.embedded(&attempt, id, self_redirect), attempt))
    }

    /// The options for an attempt that [`Registration::begin_embedded`] made earlier, to show the
    /// same page again.
    pub fn embedded(&self, attempt: &Attempt, id: &str, self_redirect: bool) -> Embedded {
        Embedded {
            self_redirect,
            id: id.to_owned(),
            appid: self.client_id.clone(),
            scope: self.provider.scope.join(&self.provider.scope_separator),
            redirect_uri: encode_value(&attempt.redirect_uri),
            state: attempt.state.clone(),
            style: String::new(),
            href: String::new(),
        }
    }
}

impl Provider {
    /// Whether its sign-in page can stand inside a page of one's own: WeChat's for websites.
    pub fn is_embeddable(&self) -> bool {
        self.authorization_endpoint.ends_with(PAGE)
    }

    /// Where the script of the embedded page is; `None` when there is no such page. WeChat keeps
    /// it on another host than the page, a simulator or gateway beside it.
    pub fn embedded_script(&self) -> Option<String> {
        let base = self.authorization_endpoint.strip_suffix(PAGE)?;
        let host = if base == "https://open.weixin.qq.com" { "https://res.wx.qq.com" } else { base };
        Some(format!("{host}/connect/zh_CN/htmledition/js/wxLogin.js"))
    }
}

/// The page that can be embedded.
const PAGE: &str = "/connect/qrconnect";

impl Embedded {
    /// With text in this colour, `black` or `white`.
    #[must_use]
    pub fn style(mut self, style: &str) -> Self {
        self.style = encode_value(style);
        self
    }

    /// With a style sheet at this address.
    #[must_use]
    pub fn href(mut self, href: &str) -> Self {
        self.href = encode_value(href);
        self
    }

    /// The script to put behind `<script src="…/wxLogin.js">`: one call, safe inside a page.
    pub fn script(&self) -> String {
        // A closing tag inside a string would end the script.
        let options = serde_json::to_string(self).unwrap_or_default().replace('<', "\\u003c");
        format!("new WxLogin({options});")
    }
}
