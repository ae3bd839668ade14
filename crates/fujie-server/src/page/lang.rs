//! Which language a page is shown in: `ui_locales` (OpenID Connect Core §3.1.2.1), then the
//! visitor's own choice in a cookie, then `Accept-Language` (RFC 9110 §12.5.4), then English.
//!
//! Deliberately not here: the cookie's name and how it is set.

use serde::{Serialize, Serializer};

/// A language the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English.
    En,
    /// Chinese in simplified characters; also what is shown for any other kind of Chinese.
    Zh,
}

impl Lang {
    /// Every language, in the order of the language switch.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// Chooses from what a request says, all of it unproven and any of it missing. The first
    /// source that names a language we speak wins.
    #[must_use]
    pub fn choose(ui_locales: Option<&str>, cookie: Option<&str>, accept_language: Option<&str>) -> Self {
        ui_locales
            .and_then(first_spoken)
            .or_else(|| cookie.and_then(Self::from_tag))
            .or_else(|| accept_language.and_then(most_wanted))
            .unwrap_or(Self::En)
    }

    /// The BCP 47 tag for the `lang` attribute, `Content-Language` and the cookie.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }

    /// The exact opposite of [`Lang::code`].
    pub(super) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code() == code)
    }

    /// Any BCP 47 tag by its primary subtag: `zh`, `zh-Hans`, `zh-TW` are all Chinese to us.
    fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        if primary.eq_ignore_ascii_case("zh") {
            Some(Self::Zh)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else {
            None
        }
    }
}

impl Serialize for Lang {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

fn first_spoken(ui_locales: &str) -> Option<Lang> {
    ui_locales.split(' ').take(TAGS_MAX).find_map(Lang::from_tag)
}

fn most_wanted(accept_language: &str) -> Option<Lang> {
    let mut best: Option<(u16, Lang)> = None;
    for range in accept_language.split(',').take(TAGS_MAX) {
        let mut parts = range.split(';');
        let Some(lang) = parts.next().and_then(Lang::from_tag) else {
            continue;
        };
        let weight = parts.next().map_or(Some(1000), weight);
        match weight {
            // Of equal weights the first one stands.
            Some(weight) if weight > best.map_or(0, |(most, _)| most) => {
                best = Some((weight, lang));
            }
            _ => {}
        }
    }
    best.map(|(_, lang)| lang)
}

/// `q=0.8` in thousandths; `None` when it is not a weight (RFC 9110 §12.4.2).
fn weight(parameter: &str) -> Option<u16> {
    let value = parameter.trim().strip_prefix(['q', 'Q'])?.strip_prefix('=')?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// How many tags of a list are read at most.
const TAGS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::Lang::{self, En, Zh};

    fn accepts(header: &str) -> Lang {
        Lang::choose(None, None, Some(header))
    }

    #[test]
    fn the_request_outranks_the_cookie_and_the_cookie_the_browser() {
        assert_eq!(Lang::choose(Some("zh-CN"), Some("en"), Some("en")), Zh);
        assert_eq!(Lang::choose(None, Some("zh"), Some("en")), Zh);
        assert_eq!(Lang::choose(Some("fr de"), Some("zh"), Some("en")), Zh);
        assert_eq!(Lang::choose(Some("fr zh-Hans en"), None, None), Zh);
        assert_eq!(Lang::choose(None, Some("xx"), None), En);
        assert_eq!(Lang::choose(None, None, None), En);
    }

    #[test]
    fn accept_language_is_read_by_weight() {
        assert_eq!(accepts("zh-CN,zh;q=0.9,en;q=0.8"), Zh);
        assert_eq!(accepts("zh;q=0.3, en-GB;q=0.7"), En);
        assert_eq!(accepts("fr, de;q=0.9, zh-TW;q=0.1"), Zh);
        assert_eq!(accepts("zh;q=0, en;q=0.001"), En);
        assert_eq!(accepts("zh;q=0"), En);
        assert_eq!(accepts("zh;q=1.5, en;q=0.1"), En);
        assert_eq!(accepts("zhx, *"), En);
        assert_eq!(accepts("zh;q=, ;;;,,=,🌟;q=0.5"), En);
    }

    #[test]
    fn a_list_without_end_is_read_only_so_far() {
        let long = "fr,".repeat(100_000) + "zh";
        assert_eq!(accepts(&long), En);
    }
}
