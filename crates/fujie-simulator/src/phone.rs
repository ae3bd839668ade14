//! The simulated phone's looks: the frame around every phone page, the choice of a person.
//!
//! Knows no provider: each provider's pages put their own words in.

use crate::page::{self, Language, escape};

/// The style sheet of all phone pages.
pub(crate) const STYLE: &str = include_str!("assets/phone.css");
/// Reloads the overview when a sign-in changed; the page works without it.
pub(crate) const SCRIPT: &str = include_str!("assets/phone.js");

/// Someone who can be chosen on the phone.
pub(crate) struct Choice {
    /// What the form sends.
    pub(crate) name: String,
    pub(crate) nickname: String,
    /// Address of a small picture, when the person has one.
    pub(crate) picture: Option<String>,
}

/// A phone page around `body`, which is HTML already.
pub(crate) fn frame(language: Language, title: &str, body: &str) -> String {
    let head = "<link rel=\"stylesheet\" href=\"/_simulate/assets/phone.css\">\n";
    let body = format!(
        "<body>\n<div class=\"phone\">\n<header><p class=\"simulation\">{simulation}</p></header>\n\
         <main>\n{body}\n</main>\n</div>\n</body>",
        simulation = language.say("模拟手机 · 并非真实微信", "Simulated phone · not the real WeChat"),
    );
    page::document(language, title, head, &body)
}

/// A phone page that says one thing, with a sign of how it went.
pub(crate) fn notice(language: Language, mark: Mark, title: &str, text: &str) -> String {
    let (class, sign) = match mark {
        Mark::Done => ("done", "✓"),
        Mark::Stopped => ("stopped", "–"),
        Mark::Wrong => ("wrong", "!"),
    };
    let body = format!(
        "<section class=\"notice\" role=\"status\">\n<p class=\"mark {class}\" aria-hidden=\"true\">{sign}</p>\n\
         <h1>{}</h1>\n<p class=\"quiet\">{}</p>\n</section>",
        escape(title),
        escape(text),
    );
    frame(language, title, &body)
}

/// How something went, for the eye.
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    Done,
    Stopped,
    Wrong,
}

/// Radio buttons, one per person, the first one chosen.
pub(crate) fn choices(legend: &str, people: &[Choice]) -> String {
    let mut html = format!("<fieldset class=\"people\">\n<legend>{}</legend>\n", escape(legend));
    for (number, person) in people.iter().enumerate() {
        let checked = if number == 0 { " checked" } else { "" };
        html.push_str(&format!(
            "<label class=\"person\"><input type=\"radio\" name=\"person\" value=\"{name}\"{checked}>\
             {picture}<span class=\"nickname\">{nickname}</span></label>\n",
            name = escape(&person.name),
            picture = picture(person),
            nickname = escape(&person.nickname),
        ));
    }
    html.push_str("</fieldset>");
    html
}

fn picture(person: &Choice) -> String {
    match &person.picture {
        Some(address) => {
            format!("<img src=\"{}\" alt=\"\" width=\"40\" height=\"40\">", escape(address))
        }
        None => {
            let initial: String = person.nickname.chars().take(1).collect();
            format!("<span class=\"initial\" aria-hidden=\"true\">{}</span>", escape(&initial))
        }
    }
}
