//! What a person sees: the pages, their words in two languages, and the files that go with them.
//!
//! A page is a plain struct that implements [`Page`] and a template of the same name. To add one:
//! a struct with `samples()`, a template, its messages in both `i18n` files, and a line in
//! `TEMPLATES` and in the tests, which render every sample in every language.
//!
//! Deliberately not here: what is decided, what is stored, headers and status lines. A page is
//! given facts and shows them. Every page works without script and holds no inline script or
//! style, so that a `Content-Security-Policy` without `unsafe-inline` holds.

mod account;
pub mod asset;
mod bind;
mod consent;
mod embedded;
mod error;
mod form_post;
mod integration;
mod integration_new;
mod lang;
mod moment;
mod provider;
mod setup;
mod sign_in;
mod sign_out;
#[cfg(test)]
mod tests;
mod topic;
mod topic_settings;
mod unbind;
mod words;

pub use account::{Account, Application, BoundIdentity, EndedWhy, SignInMethod, SignedInSession};
pub use bind::{Bind, BindConfirm};
pub use consent::{Consent, ScopeWords};
pub use embedded::{Embedded, FrameOptions, ToTop};
pub use error::{Difference, ErrorKind, ErrorPage, RequestFault, UriPart};
pub use form_post::FormPost;
pub use integration::{DeliveryRow, DeliveryState, HookState, HookTold, Integration, IntegrationSaid};
pub use integration_new::{
    ConnectRefused, ConnectState, EventChoice, GithubFault, HookEvent, IntegrationChoice, IntegrationError,
    IntegrationForm, Preset, RepositoryChoice,
};
pub use lang::Lang;
pub use provider::{Provider, ProviderKind};
pub use setup::{Setup, SetupError};
pub use sign_in::{AttachTo, SignIn, SignInError};
pub use sign_out::{SignOutConfirm, SignedOut};
pub use topic::{
    Card, CardLink, NoticeDraft, NoticeError, NoticeKind, PushDevice, PushOffer, Topic, TopicError, TopicRole,
    TopicRow, TopicSaid, Topics,
};
pub use topic_settings::{
    IntegrationKind, IntegrationRow, MemberKind, MemberRow, SettingsError, SettingsSaid, TargetKind, TargetRow,
    TargetState, TopicSettings,
};
pub use unbind::Unbind;

use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{Environment, ErrorKind as TemplateErrorKind, State, UndefinedBehavior, context};
use serde::Serialize;

use words::Words;

/// One page: the facts it shows. Enums serialise as `{"is": "their-name", …}`, so that a template
/// can choose by `is` and every other string is known to be mere text.
pub trait Page: Serialize {
    /// The template's file name in `templates/`.
    const TEMPLATE: &'static str;

    /// One example of every state of this page, for tests and for people who look at pages.
    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

/// What surrounds every page.
#[derive(Debug, Clone, Serialize)]
pub struct Shell {
    /// This page in each language, the current one included; empty shows no switch (the answer to
    /// a POST has no address of its own unless the server gives it one).
    pub lang_links: Vec<LangLink>,
    /// What the operator calls this server.
    pub instance_name: String,
    /// Says at the top that this is a demonstration with simulated providers.
    pub demo_banner: bool,
}

/// The same page in another language.
#[derive(Debug, Clone, Serialize)]
pub struct LangLink {
    /// The language it leads to.
    pub lang: Lang,
    /// An address of this server. The caller vouches for it: it is escaped, not judged.
    pub url: String,
    /// Whether this is the language being shown.
    pub current: bool,
}

/// A page could not be made. Every sample of every page renders in the tests, so this is a fault
/// of ours; its text names templates and message keys and is for the log only.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A template does not parse, or did not render.
    #[error("template: {0:#}")]
    Template(#[from] minijinja::Error),
    /// A language file does not parse or says a key twice.
    #[error("words for {lang}: {detail}")]
    Words {
        /// The language's code.
        lang: &'static str,
        /// What the parser said.
        detail: String,
    },
}

/// Every template and every message, read once. Cheap to share between threads.
pub struct Pages {
    templates: Environment<'static>,
    #[cfg(test)]
    words: Arc<Words>,
}

impl Pages {
    /// Parses all templates and both languages.
    ///
    /// # Errors
    /// When an embedded file is broken, which the tests exclude.
    pub fn new() -> Result<Self, PageError> {
        let words = Arc::new(Words::new()?);
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        for (name, source) in TEMPLATES {
            templates.add_template(name, source)?;
        }
        let spoken = Arc::clone(&words);
        templates.add_function("t", move |state: &State, key: &str, args: Kwargs| {
            spoken.say(shown_lang(state)?, key, &args)
        });
        let spoken = Arc::clone(&words);
        templates.add_function("provider_name", move |state: &State, provider: Value| {
            provider::name(&spoken, shown_lang(state)?, &provider)
        });
        let spoken = Arc::clone(&words);
        templates.add_function("scope_sentence", move |state: &State, scope: &str| {
            consent::sentence(&spoken, shown_lang(state)?, scope)
        });
        let spoken = Arc::clone(&words);
        templates.add_function("method_names", move |state: &State, methods: Vec<Value>| {
            account::method_names(&spoken, shown_lang(state)?, &methods)
        });
        templates.add_filter("moment", |state: &State, at: i64| {
            Ok::<_, minijinja::Error>(moment::text(at, shown_lang(state)?))
        });
        templates.add_filter("machine_moment", moment::machine_text);
        templates.add_filter("initial", initial);
        Ok(Self {
            templates,
            #[cfg(test)]
            words,
        })
    }

    /// The page as HTML, in one language.
    ///
    /// # Errors
    /// When the template asks for what the page does not have; excluded by the tests.
    pub fn render<P: Page>(&self, page: &P, shell: &Shell, lang: Lang) -> Result<String, PageError> {
        self.render_value(P::TEMPLATE, Value::from(Serde(page)), shell, lang)
    }

    fn render_value(&self, template: &str, page: Value, shell: &Shell, lang: Lang) -> Result<String, PageError> {
        let shell = Value::from(Serde(shell));
        let lang = lang.code();
        let html = self.templates.get_template(template)?.render(context! { page, shell, lang })?;
        Ok(html)
    }
}

fn shown_lang(state: &State) -> Result<Lang, minijinja::Error> {
    state
        .lookup("lang")
        .as_ref()
        .and_then(Value::as_str)
        .and_then(Lang::from_code)
        .ok_or_else(|| minijinja::Error::new(TemplateErrorKind::InvalidOperation, "no language is set"))
}

/// What stands for a name in its half of the tally: its first letter or character.
fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "·".to_owned(), |c| c.to_uppercase().collect())
}

/// The names end in `.html`, which is what switches escaping on.
const TEMPLATES: [(&str, &str); 29] = [
    ("layout.html", include_str!("../../templates/layout.html")),
    ("provider.html", include_str!("../../templates/provider.html")),
    ("account.html", include_str!("../../templates/account.html")),
    ("bind.html", include_str!("../../templates/bind.html")),
    ("bind_confirm.html", include_str!("../../templates/bind_confirm.html")),
    ("confirm.html", include_str!("../../templates/confirm.html")),
    ("connect.html", include_str!("../../templates/connect.html")),
    ("connect_refused.html", include_str!("../../templates/connect_refused.html")),
    ("consent.html", include_str!("../../templates/consent.html")),
    ("embedded.html", include_str!("../../templates/embedded.html")),
    ("error.html", include_str!("../../templates/error.html")),
    ("form_post.html", include_str!("../../templates/form_post.html")),
    ("hook_events.html", include_str!("../../templates/hook_events.html")),
    ("identity.html", include_str!("../../templates/identity.html")),
    ("integration.html", include_str!("../../templates/integration.html")),
    ("integration_choice.html", include_str!("../../templates/integration_choice.html")),
    ("integration_form.html", include_str!("../../templates/integration_form.html")),
    ("repository_choice.html", include_str!("../../templates/repository_choice.html")),
    ("setup.html", include_str!("../../templates/setup.html")),
    ("sign_in.html", include_str!("../../templates/sign_in.html")),
    ("sign_out_confirm.html", include_str!("../../templates/sign_out_confirm.html")),
    ("signed_out.html", include_str!("../../templates/signed_out.html")),
    ("target.html", include_str!("../../templates/target.html")),
    ("to_top.html", include_str!("../../templates/to_top.html")),
    ("topic.html", include_str!("../../templates/topic.html")),
    ("topic_nav.html", include_str!("../../templates/topic_nav.html")),
    ("topic_settings.html", include_str!("../../templates/topic_settings.html")),
    ("topics.html", include_str!("../../templates/topics.html")),
    ("unbind.html", include_str!("../../templates/unbind.html")),
];
