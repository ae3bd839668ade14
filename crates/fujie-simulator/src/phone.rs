//! The looks of the simulator's own pages: the frame around them, who asks, the choice of a person.
//!
//! Knows no provider: each provider's pages put their own words in.

use crate::page::{self, Language, escape};
use crate::people::Person;
use crate::simulation::Title;

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

/// The frame around the simulator's own pages. Its top says whose simulation it is.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    provider: Title,
    language: Language,
    is_phone: bool,
}

impl Frame {
    /// What would be on somebody's phone.
    pub(crate) fn phone(provider: Title, language: Language) -> Self {
        Self { provider, language, is_phone: true }
    }

    /// What would be in somebody's browser.
    pub(crate) fn browser(provider: Title, language: Language) -> Self {
        Self { provider, language, is_phone: false }
    }

    /// A page around `body`, which is HTML already.
    pub(crate) fn page(self, title: &str, body: &str) -> String {
        let head = "<link rel=\"stylesheet\" href=\"/_simulate/assets/phone.css\">\n";
        let what = match (self.language, self.is_phone) {
            (Language::Chinese, true) => "模拟手机",
            (Language::Chinese, false) => "模拟登录页",
            (Language::English, true) => "Simulated phone",
            (Language::English, false) => "Simulated page",
        };
        let not_real = match self.language {
            Language::Chinese => format!("并非真实{}", self.provider.within_chinese()),
            Language::English => format!("not the real {}", self.provider.english),
        };
        let class = if self.is_phone { "phone" } else { "phone browser" };
        let body = format!(
            "<body>\n<div class=\"{class}\">\n<header><p class=\"simulation\">{what} · {not_real}</p></header>\n\
             <main>\n{body}\n</main>\n</div>\n</body>",
            not_real = not_real.trim_end(),
        );
        page::document(self.language, title, head, &body)
    }

    /// A page that says one thing, with a sign of how it went.
    pub(crate) fn notice(self, mark: Mark, title: &str, text: &str) -> String {
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
        self.page(title, &body)
    }
}

/// How something went, for the eye.
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    Done,
    Stopped,
    Wrong,
}

/// Who asks, with the first letter of the name for a picture. `asks` is plain text.
pub(crate) fn app(name: &str, asks: &str) -> String {
    let initial: String = name.chars().take(1).collect();
    format!(
        "<section class=\"app\">\n<span class=\"initial\" aria-hidden=\"true\">{}</span>\n\
         <h1>{}</h1>\n<p class=\"quiet\">{}</p>\n</section>",
        escape(&initial),
        escape(name),
        escape(asks),
    )
}

/// The people who can be chosen, in the configuration's order.
pub(crate) fn choices_of(people: &[Person], language: Language) -> Vec<Choice> {
    let nickname = |person: &Person| match person.nickname.as_str() {
        "" => language.say("（无昵称）", "(no nickname)").to_owned(),
        nickname => nickname.to_owned(),
    };
    let choice =
        |person: &Person| Choice { name: person.name.clone(), nickname: nickname(person), picture: person.picture() };
    people.iter().map(choice).collect()
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
