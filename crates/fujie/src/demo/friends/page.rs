//! The one page of the application, and the files beside it.
//!
//! No script and no inline style: the Content-Security-Policy allows neither.

use std::sync::Arc;

use anyhow::Context as _;
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use minijinja::{Environment, UndefinedBehavior, context, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;
use url::form_urlencoded;

use super::{
    App, FriendsConfig,
    answer::Contact,
    browser::{Browser, cookie, set_cookie},
};
use crate::demo::{
    diagram::{self, Drawing, Sentence},
    snippet,
    walk::{Act, Walk},
    words::{Lang, Words},
};

/// The template, the words, and what is the same on every page of a run.
pub(super) struct Pages {
    templates: Environment<'static>,
    en: Words,
    zh: Words,
    run: Run,
}

#[derive(Serialize)]
struct Run {
    issuer: String,
    phone_url: String,
    alice_password: String,
    programs: [Program; 2],
}

/// One of the two programs to copy.
#[derive(Serialize)]
struct Program {
    key: &'static str,
    name: &'static str,
    file: &'static str,
    code: String,
    commands: [String; 3],
    url: String,
}

/// What the page shows of one browser.
#[derive(Default, Serialize)]
struct View {
    person: Option<Person>,
    acts: Vec<ShownAct>,
    /// The eight steps, and which of them were taken.
    steps: Vec<Step>,
    is_lost: bool,
}

#[derive(Serialize)]
struct Person {
    nickname: String,
    initial: String,
    sub: String,
    contacts: Option<Vec<Contact>>,
    can_refresh: bool,
    sign_out_url: Option<String>,
}

#[derive(Serialize)]
struct ShownAct {
    anchor: String,
    button: &'static str,
    is_error: bool,
    drawings: [Drawing; 2],
    sentences: Vec<Sentence>,
}

#[derive(Serialize)]
struct Step {
    number: u8,
    is_done: bool,
}

impl Pages {
    /// Reads template and words, and fills in what this run is.
    pub(super) fn new(config: &FriendsConfig, origin: &str) -> anyhow::Result<Self> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        templates.add_template("page.html", TEMPLATE)?;
        let run = Run {
            issuer: config.issuer.clone(),
            phone_url: config.wechat_phone_url.clone(),
            alice_password: config.alice_password.clone(),
            programs: [flask_program(config, origin), express_program(config, origin)],
        };
        Ok(Self { templates, en: Lang::En.words()?, zh: Lang::Zh.words()?, run })
    }

    const fn words(&self, lang: Lang) -> &Words {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }

    fn render(&self, lang: Lang, view: &View) -> anyhow::Result<String> {
        let template = self.templates.get_template("page.html")?;
        let context =
            context! { lang => lang.tag(), t => self.words(lang), run => Serde(&self.run), view => Serde(view) };
        template.render(context).context("the page cannot be rendered")
    }

    fn view(&self, browser: &Browser, lang: Lang) -> View {
        let words = self.words(lang);
        let person = browser.signed_in.as_ref().map(|signed_in| Person {
            nickname: signed_in.nickname.clone(),
            initial: initial(&signed_in.nickname),
            sub: signed_in.sub.clone(),
            contacts: signed_in.contacts.clone(),
            can_refresh: signed_in.refresh_token.is_some(),
            sign_out_url: signed_in.metadata.end_session_endpoint.clone(),
        });
        let acts = browser.walk.acts().iter().map(|act| shown(act, words)).collect();
        View { person, acts, ..View::of(&browser.walk) }
    }
}

impl View {
    fn of(walk: &Walk) -> Self {
        let steps = (1..=8).map(|number| Step { number, is_done: walk.has_done(number) });
        Self { steps: steps.collect(), ..Self::default() }
    }
}

fn shown(act: &Act, words: &Words) -> ShownAct {
    ShownAct {
        anchor: act.anchor(),
        button: act.button.key(),
        is_error: act.messages.last().is_some_and(|message| message.is_error),
        drawings: diagram::draw(act, words),
        sentences: diagram::list(act, words),
    }
}

/// The first letter of a name, with the marks that belong to it.
fn initial(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    first + &letters.take_while(|letter| matches!(letter, '\u{300}'..='\u{36f}' | '\u{fe0f}')).collect::<String>()
}

fn flask_program(config: &FriendsConfig, origin: &str) -> Program {
    Program {
        key: "flask",
        name: "Flask · Authlib",
        file: FLASK_FILE,
        code: snippet::flask(&config.flask, &config.issuer),
        commands: [
            "pip install flask authlib requests".to_owned(),
            format!("curl -o {FLASK_FILE} {origin}/flask.py"),
            format!("python3 {FLASK_FILE}"),
        ],
        url: config.flask.origin(),
    }
}

fn express_program(config: &FriendsConfig, origin: &str) -> Program {
    Program {
        key: "express",
        name: "Express · openid-client",
        file: EXPRESS_FILE,
        code: snippet::express(&config.express, &config.issuer),
        commands: [
            "npm install express openid-client".to_owned(),
            format!("curl -o {EXPRESS_FILE} {origin}/express.mjs"),
            format!("node {EXPRESS_FILE}"),
        ],
        url: config.express.origin(),
    }
}

/// `GET /`. `?lang=` chooses the language from now on.
pub(super) async fn home(State(app): State<Arc<App>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let chosen = query.as_deref().and_then(|query| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find_map(|(name, value)| if name == "lang" { Lang::of_tag(&value) } else { None })
    });
    let lang = lang(chosen, &headers);
    let view = match app.browsers.find(&headers, app.now()) {
        Some(browser) => app.pages.view(&*browser.lock().await, lang),
        None => View::of(&Walk::default()),
    };
    let mut response = page(&app, StatusCode::OK, lang, &view);
    if let Some(cookie) = chosen.and_then(|lang| set_cookie(LANG_COOKIE, lang.tag())) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The answer to a response that no sign-in of this browser waits for.
pub(super) fn lost(app: &App, headers: &HeaderMap) -> Response {
    let view = View { is_lost: true, ..View::of(&Walk::default()) };
    page(app, StatusCode::BAD_REQUEST, lang(None, headers), &view)
}

fn page(app: &App, status: StatusCode, lang: Lang, view: &View) -> Response {
    match app.pages.render(lang, view) {
        Ok(html) => {
            let language = [(header::CONTENT_LANGUAGE, lang.tag()), (header::VARY, "Accept-Language, Cookie")];
            (status, language, Html(html)).into_response()
        }
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the demo page failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What was chosen now, or before, or what the browser prefers.
pub(super) fn lang(chosen: Option<Lang>, headers: &HeaderMap) -> Lang {
    let accepted = || headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    chosen.or_else(|| cookie(headers, LANG_COOKIE).and_then(Lang::of_tag)).unwrap_or_else(|| Lang::accepted(accepted()))
}

/// Where on the page the latest act is drawn.
pub(super) fn newest(walk: &Walk) -> String {
    walk.acts().last().map_or_else(|| "/".to_owned(), |act| format!("/#{}", act.anchor()))
}

/// `GET /flask.py`.
pub(super) async fn flask(State(app): State<Arc<App>>) -> Response {
    program(&app, 0, "text/x-python; charset=utf-8")
}

/// `GET /express.mjs`.
pub(super) async fn express(State(app): State<Arc<App>>) -> Response {
    program(&app, 1, "text/javascript; charset=utf-8")
}

fn program(app: &App, number: usize, content_type: &'static str) -> Response {
    let Some(program) = app.pages.run.programs.get(number) else { return StatusCode::NOT_FOUND.into_response() };
    // Saved as `flask.py` it would be imported in the place of Flask itself.
    let disposition = format!("attachment; filename=\"{}\"", program.file);
    let mut response = ([(header::CONTENT_TYPE, content_type)], program.code.clone()).into_response();
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// `GET /assets/demo.css`.
pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../../assets/demo/demo.css"))
}

/// `GET /assets/friends.svg`.
pub(super) async fn mark() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("../../../assets/demo/friends.svg"))
}

const LANG_COOKIE: &str = "friends_lang";

const FLASK_FILE: &str = "fujie_flask.py";

const EXPRESS_FILE: &str = "fujie_express.mjs";

const TEMPLATE: &str = include_str!("../../../templates/demo/page.html");

#[cfg(test)]
mod tests {
    use super::initial;

    #[test]
    fn an_initial_is_one_letter_with_its_marks() {
        let cases =
            [("alice", "A"), ("小满 🌾", "小"), ("🌾麦", "🌾"), ("❤️心", "❤️"), ("e\u{301}a", "E\u{301}"), ("", "")];
        for (name, expected) in cases {
            assert_eq!(initial(name), expected, "{name}");
        }
    }
}
