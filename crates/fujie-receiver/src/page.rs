//! What the person sees in the browser, and the HTTP response around it (RFC 9112 §4).
//!
//! A page has no script, no foreign content and nothing of what the request said, so nothing can leak from it or act
//! in it. It says each thing in Chinese and in English.

use crate::callback::Refusal;

/// The language that stands first on a page and that the program speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

/// The pages for the end of a sign-in, as whole HTML documents. Scripts and foreign content in them are blocked by the
/// Content-Security-Policy that is sent along; inline style and `data:` images work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Shown when a code came.
    pub received: String,
    /// Shown when the provider or the person said no.
    pub denied: String,
}

impl Page {
    /// The pages of our own.
    pub fn new(first: Language) -> Self {
        let page = |chinese, english| document(first, chinese, english);
        Page {
            received: page(
                ("可以关闭此窗口了", "登录结果已交给等待中的程序，请回到该程序继续。"),
                ("You can close this window", "The result has reached the program that was waiting. Please go back to it."),
            ),
            denied: page(
                ("未获得授权", "您可能取消了登录，或对方平台拒绝了请求。可以关闭此窗口，回到原来的程序。"),
                (
                    "Access was not granted",
                    "Perhaps you cancelled, or the provider refused. You can close this window and go back to the program.",
                ),
            ),
        }
    }
}

/// The page for a request that is not the callback.
pub(crate) fn refused(first: Language, refusal: Refusal) -> String {
    if refusal == Refusal::State {
        return document(
            first,
            ("此页面与当前登录不符", "它可能来自更早的一次登录。请回到原来的程序，使用最新打开的登录页面。"),
            (
                "This belongs to another sign-in",
                "Perhaps to an earlier one. Please go back to the program and use the sign-in page it opened last.",
            ),
        );
    }
    document(
        first,
        ("这里没有内容", "本机有程序正在等待登录结果，但这个请求并不是它要的结果。"),
        ("Nothing is here", "A program on this computer waits for the result of a sign-in. This request is not it."),
    )
}

/// A whole response; a 405 names the methods. `HEAD` gets the same without the body.
pub(crate) fn response(status: u16, methods: &str, body: &str, is_head: bool) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", status, reason(status));
    head.push_str(HEADERS);
    if status == 405 {
        head.push_str(&format!("Allow: {}\r\n", methods));
    }
    if status != 204 {
        head.push_str(&format!("Content-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    if !is_head {
        head.push_str(body);
    }
    head.into_bytes()
}

fn document(first: Language, chinese: (&str, &str), english: (&str, &str)) -> String {
    let section = |lang, (title, text): (&str, &str)| {
        format!("<section lang=\"{}\"><h1>{}</h1><p>{}</p></section>\n", lang, title, text)
    };
    let (chinese_section, english_section) = (section("zh-CN", chinese), section("en", english));
    let (lang, title, sections) = match first {
        Language::Chinese => ("zh-CN", chinese.0, chinese_section + &english_section),
        Language::English => ("en", english.0, english_section + &chinese_section),
    };
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>{}</title>\n<style>{}</style>\n<main>\n{}</main>\n</html>\n",
        lang, title, STYLE, sections
    )
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        414 => "URI Too Long",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        _ => "Bad Request",
    }
}

const HEADERS: &str = "Connection: close\r\n\
    Cache-Control: no-store\r\n\
    Referrer-Policy: no-referrer\r\n\
    X-Content-Type-Options: nosniff\r\n\
    X-Frame-Options: DENY\r\n\
    Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'\r\n";

const STYLE: &str = ":root{color-scheme:light dark}\
    body{margin:0;min-height:100vh;display:grid;place-items:center;\
    font:16px/1.7 system-ui,\"PingFang SC\",\"Microsoft YaHei\",\"Noto Sans CJK SC\",sans-serif}\
    main{max-width:34em;padding:2em}\
    h1{font-size:1.5em;line-height:1.3;margin:0 0 .3em}\
    p{margin:0}\
    section+section{margin-top:1.6em;padding-top:1.6em;border-top:1px solid #8886;opacity:.75;font-size:.9em}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_whole_to_the_byte() {
        let text = String::from_utf8(response(405, "GET, HEAD", "no", false)).unwrap();
        assert_eq!(
            text,
            "HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nCache-Control: no-store\r\n\
             Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n\
             Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'\r\nAllow: GET, HEAD\r\n\
             Content-Type: text/html; charset=utf-8\r\nContent-Length: 2\r\n\r\nno"
        );
        let head = response(405, "GET, HEAD", "no", true);
        assert_eq!(head, text.as_bytes()[..text.len() - 2]);
        let none = String::from_utf8(response(204, "GET, HEAD", "", false)).unwrap();
        assert!(none.starts_with("HTTP/1.1 204 No Content\r\n") && none.ends_with("\r\n\r\n"), "{}", none);
        assert!(!none.contains("Content-Length") && !none.contains("Content-Type:"), "{}", none);
    }

    #[test]
    fn every_page_speaks_both_languages_and_holds_nothing_active() {
        for first in [Language::English, Language::Chinese] {
            let own = Page::new(first);
            for page in [own.received, own.denied, refused(first, Refusal::State), refused(first, Refusal::Path)] {
                let (chinese, english) = (page.find("<section lang=\"zh-CN\">"), page.find("<section lang=\"en\">"));
                assert_eq!(chinese.unwrap() < english.unwrap(), first == Language::Chinese);
                for active in ["<script", "http:", "https:", "//", "src=", "href", "<form", "url(", "@import"] {
                    assert!(!page.contains(active), "{}", active);
                }
            }
        }
    }
}
