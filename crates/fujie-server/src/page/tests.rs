//! What must hold for every page, every sample and both languages.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::value::{Serde, Value};
use serde_json::Value as Json;

use super::{
    Account, Bind, BindConfirm, ConnectRefused, Consent, Embedded, ErrorPage, FormPost, Integration, IntegrationChoice,
    IntegrationForm, Lang, LangLink, Page, Pages, RepositoryChoice, Setup, Shell, SignIn, SignOutConfirm, SignedOut,
    TEMPLATES, ToTop, Topic, TopicSettings, Topics, Unbind, asset, words,
};

#[test]
fn every_sample_renders_in_every_language() {
    let pages = Pages::new().unwrap();
    let folder = std::env::var_os("FUJIE_PAGES_OUT").map(std::path::PathBuf::from);
    for (number, (template, facts)) in samples().into_iter().enumerate() {
        for lang in Lang::ALL {
            let html = render(&pages, template, &facts, lang);
            assert!(html.starts_with("<!doctype html>"), "{template}");
            assert!(html.contains(&format!("<html lang=\"{}\">", lang.code())), "{template}");
            assert_eq!(html.matches("<h1>").count(), 1, "{template}");
            if let Some(folder) = &folder {
                let name = format!("{number:02}-{template}-{}.html", lang.code());
                std::fs::write(folder.join(name), html).unwrap();
            }
        }
    }
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder.join("assets")).unwrap();
        for (name, asset) in asset::all() {
            let body = asset.body;
            std::fs::write(folder.join("assets").join(name), body).unwrap();
        }
    }
}

#[test]
fn pages_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Pages>();
}

#[test]
fn both_languages_have_the_same_keys_with_the_same_variables() {
    let (en, zh) = (messages(words::EN), messages(words::ZH));
    assert_eq!(en, zh);
    assert!(en.len() > 100);
}

#[test]
fn every_message_is_spoken_by_some_sample() {
    let pages = Pages::new().unwrap();
    for (template, facts) in samples() {
        render(&pages, template, &facts, Lang::En);
    }
    let spoken = pages.words.spoken.lock().unwrap().clone();
    let written: BTreeSet<String> = messages(words::EN).into_keys().collect();
    assert_eq!(written.symmetric_difference(&spoken).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn nothing_is_inline_and_nothing_is_foreign() {
    for (name, source) in TEMPLATES {
        let source = source.to_lowercase();
        for banned in ["style=", "<style", "javascript:", "src=\"http", "href=\"http", "@import"] {
            assert!(!source.contains(banned), "{name}: {banned}");
        }
        for (at, _) in source.match_indices("<script") {
            let tag = source.split_at(at).1;
            // One page alone has a foreign script, and its own policy names that one.
            let is_providers = name == Embedded::TEMPLATE && tag.starts_with("<script src=\"{{ page.script }}\"");
            assert!(is_providers || tag.starts_with("<script src=\"/assets/"), "{name}");
            assert!(tag.contains(" defer></script>"), "{name}");
        }
        for word in source.split([' ', '\n']) {
            assert!(!(word.starts_with("on") && word.contains("=\"")), "{name}: {word}");
        }
    }
    for file in [asset::STYLE, asset::TOPIC_STYLE, asset::MARK] {
        let text = std::str::from_utf8(file).unwrap();
        assert!(!text.contains("url(") && !text.contains("<script") && !text.contains("href"));
    }
}

#[test]
fn markup_in_any_text_stays_text() {
    let pages = Pages::new().unwrap();
    let mut tried = 0;
    for (template, facts) in samples() {
        for place in text_places(&facts) {
            let with = |text: &str| {
                let mut facts = facts.clone();
                *facts.pointer_mut(&place).unwrap() = Json::from(text);
                render(&pages, template, &facts, Lang::Zh)
            };
            let attack = with(MARKUP);
            assert_eq!(tags(&attack), tags(&with("word")), "{template} {place}");
            assert!(!attack.contains("<img src=x"), "{template} {place}");
            tried += 1;
        }
    }
    assert!(tried > 200, "only {tried} places were tried");
}

#[test]
fn markup_in_the_shell_stays_text() {
    let pages = Pages::new().unwrap();
    let mut hostile = shell(Lang::En);
    hostile.instance_name = MARKUP.to_owned();
    hostile.lang_links.first_mut().unwrap().url = MARKUP.to_owned();
    let plain = pages.render(&SignedOut {}, &shell(Lang::En), Lang::En).unwrap();
    let attacked = pages.render(&SignedOut {}, &hostile, Lang::En).unwrap();
    assert_eq!(tags(&plain), tags(&attacked));
}

#[test]
fn no_chinese_page_holds_an_english_sentence() {
    each_visible_text(Lang::Zh, |place, text| {
        let mut run = 0;
        for word in text.split_whitespace() {
            let is_english = word.len() > 1 && word.chars().all(|c| c.is_ascii_alphabetic() || ",.'".contains(c));
            run = if is_english { run + 1 } else { 0 };
            assert!(run < 3, "{place}: {text}");
        }
    });
}

#[test]
fn no_english_page_holds_chinese() {
    each_visible_text(Lang::En, |place, text| {
        let han = text.chars().find(|c| matches!(c, '\u{2E80}'..='\u{9FFF}' | '\u{FF00}'..='\u{FFEF}'));
        assert_eq!(han, None, "{place}: {text}");
    });
}

#[test]
fn every_field_has_a_label_and_every_description_exists() {
    let pages = Pages::new().unwrap();
    for (template, facts) in samples() {
        let html = render(&pages, template, &facts, Lang::En);
        let ids: Vec<&str> = attributes(&html, " id=\"");
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{template} repeats an id");
        for attribute in [" for=\"", " aria-describedby=\"", " aria-labelledby=\"", " data-copy=\"", " href=\"#"] {
            for target in attributes(&html, attribute).iter().flat_map(|targets| targets.split(' ')) {
                assert!(unique.contains(target), "{template}: {attribute}{target}");
            }
        }
        let inputs = html.matches("<input id=").count() + html.matches("<textarea id=").count();
        assert_eq!(inputs, html.matches("<label for=").count(), "{template}");
        assert_eq!(inputs, html.matches(" autocomplete=").count(), "{template}");
        assert!(html.matches(" autofocus").count() <= 1, "{template}");
        for form in html.split("<form ").skip(1) {
            let form = form.split("</form>").next().unwrap();
            // A form that only looks for something has an address, and no secret in it.
            let is_post = form.contains("method=\"post\"");
            assert!(is_post || form.contains("role=\"search\""), "{template}");
            let has_csrf = template == FormPost::TEMPLATE || form.contains("name=\"csrf\"");
            assert_eq!(has_csrf, is_post, "{template}: a form that acts has a csrf, and no other has");
        }
    }
}

#[test]
fn a_page_shows_what_was_typed_but_never_a_password() {
    let pages = Pages::new().unwrap();
    let page = SignIn { username: "al\"ice".to_owned(), ..SignIn::samples().remove(1) };
    let html = pages.render(&page, &shell(Lang::En), Lang::En).unwrap();
    assert!(html.contains("value=\"al&quot;ice\""));
    let password = html.split("type=\"password\"").nth(1).unwrap();
    assert!(!password.split('>').next().unwrap().contains("value="));
}

fn samples() -> Vec<(&'static str, Json)> {
    fn of<P: Page>() -> Vec<(&'static str, Json)> {
        let facts = |page| serde_json::to_value(page).unwrap();
        P::samples().iter().map(|page| (P::TEMPLATE, facts(page))).collect()
    }
    [
        of::<SignIn>(),
        of::<Bind>(),
        of::<BindConfirm>(),
        of::<Consent>(),
        of::<SignOutConfirm>(),
        of::<SignedOut>(),
        of::<Account>(),
        of::<Unbind>(),
        of::<Setup>(),
        of::<FormPost>(),
        of::<Embedded>(),
        of::<ToTop>(),
        of::<ErrorPage>(),
        of::<Topics>(),
        of::<Topic>(),
        of::<TopicSettings>(),
        of::<IntegrationChoice>(),
        of::<IntegrationForm>(),
        of::<RepositoryChoice>(),
        of::<ConnectRefused>(),
        of::<Integration>(),
    ]
    .concat()
}

fn shell(lang: Lang) -> Shell {
    let link = |to: Lang| LangLink { lang: to, url: format!("/sign-in?ui_locales={}", to.code()), current: to == lang };
    Shell { lang_links: Lang::ALL.map(link).to_vec(), instance_name: "Fujie".to_owned(), demo_banner: true }
}

fn render(pages: &Pages, template: &str, facts: &Json, lang: Lang) -> String {
    pages
        .render_value(template, Value::from(Serde(facts)), &shell(lang), lang)
        .unwrap_or_else(|error| panic!("{template} {}: {error}\n{facts:#}", lang.code()))
}

/// Each key with the variables its message uses.
fn messages(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let lines = source.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let (key, text) = line.split_once(" = ").expect("one message, one line");
            let variables = text.split("{ $").skip(1).filter_map(|rest| rest.split(' ').next());
            (key.to_owned(), variables.map(str::to_owned).collect())
        })
        .collect()
}

/// JSON pointers to every string that is text; those under `is` are names of ours.
fn text_places(facts: &Json) -> Vec<String> {
    match facts {
        Json::String(_) => vec![String::new()],
        Json::Array(items) => {
            let places = |(index, item)| -> Vec<String> {
                text_places(item).iter().map(|rest| format!("/{index}{rest}")).collect()
            };
            items.iter().enumerate().flat_map(places).collect()
        }
        Json::Object(fields) => {
            let places = |(name, value): (&String, &Json)| -> Vec<String> {
                text_places(value).iter().map(|rest| format!("/{name}{rest}")).collect()
            };
            fields.iter().filter(|(name, _)| *name != "is").flat_map(places).collect()
        }
        _ => Vec::new(),
    }
}

fn tags(html: &str) -> usize {
    let mut rest = html.chars().peekable();
    let mut count = 0;
    while let Some(c) = rest.next() {
        count += usize::from(c == '<' && rest.peek().is_some_and(|next| next.is_ascii_alphabetic() || *next == '/'));
    }
    count
}

fn attributes<'h>(html: &'h str, opening: &str) -> Vec<&'h str> {
    html.split(opening).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// What a person reads or hears on each page, piece by piece, without the facts of the sample and
/// without the language switch, which names each language in itself.
fn each_visible_text(lang: Lang, look: impl Fn(&str, &str)) {
    let pages = Pages::new().unwrap();
    for (template, facts) in samples() {
        let mut html = render(&pages, template, &facts, lang);
        let places = text_places(&facts);
        let mut texts: Vec<&str> = places.iter().filter_map(|place| facts.pointer(place)?.as_str()).collect();
        // Longest first: a short text may be part of a long one.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        for text in texts.into_iter().filter(|text| text.len() > 2) {
            html = html.replace(text, "").replace(&minijinja::HtmlEscape(text).to_string(), "");
        }
        let html = html.split("<footer>").next().unwrap().split("<head>").nth(1).unwrap();
        let labels = attributes(html, " aria-label=\"");
        // The letter in a half of the tally is a fact's first one.
        let pieces = html
            .split('<')
            .filter_map(|piece| piece.split_once('>'))
            .filter(|(tag, _)| !tag.contains("class=\"half"))
            .map(|(_, text)| text);
        for text in pieces.chain(labels) {
            look(template, text);
        }
    }
}

const MARKUP: &str = "\"'><img src=x onerror=alert(1)></a></textarea><script>alert(1)</script>{{ 7*7 }}";
