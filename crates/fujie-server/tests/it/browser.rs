//! A browser without script: cookies, forms, redirects one at a time, so that a story sees every step.

use std::collections::BTreeMap;

/// A browser with its own cookies.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    pub cookies: BTreeMap<String, String>,
    pub language: &'static str,
    /// Everything that was visible outside of the pages' own origin: addresses, redirects, cookies, and the pages.
    pub seen: Vec<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Page {
    pub url: String,
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Browser {
    pub fn new() -> Self {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { http, cookies: BTreeMap::new(), language: "en", seen: Vec::new() }
    }

    /// A browser whose person reads these languages.
    pub fn speaking(language: &'static str) -> Self {
        Self { language, ..Self::new() }
    }

    pub async fn get(&mut self, url: &str) -> Page {
        let request = self.http.get(url);
        self.send(request).await
    }

    /// Posts fields as a page of the same origin would.
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Page {
        let origin = url::Url::parse(url).unwrap().origin().ascii_serialization();
        let request = self
            .http
            .post(url)
            .header("origin", origin)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(fields));
        self.send(request).await
    }

    /// A request with these headers and no others but cookies and language; with `body` it is a POST.
    pub async fn send_as(&mut self, url: &str, headers: &[(&str, &str)], body: Option<&str>) -> Page {
        let mut request = match body {
            Some(body) => self.http.post(url).body(body.to_owned()),
            None => self.http.get(url),
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// The value of the cookie whose name ends so.
    pub fn cookie(&self, word: &str) -> Option<&str> {
        let tail = format!("_{word}");
        self.cookies.iter().find(|(name, _)| name.ends_with(&tail)).map(|(_, value)| value.as_str())
    }

    /// Puts `value` into the cookie whose name ends so; a server's prefix is taken from the browser cookie.
    pub fn put_cookie(&mut self, word: &str, value: &str) {
        let known = self.cookies.keys().find(|name| name.ends_with("_browser")).unwrap();
        let name = format!("{}{word}", known.strip_suffix("browser").unwrap());
        self.cookies.insert(name, value.to_owned());
    }

    /// The cookies of sign-ins with a provider.
    pub fn flows(&self) -> Vec<(String, String)> {
        let is_flow = |(name, _): &(&String, &String)| name.contains("_flow_");
        self.cookies.iter().filter(is_flow).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Presses the button of the form with this action, with `fields` beside the hidden ones.
    pub async fn submit(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let hidden = page.hidden(action);
        let mut all: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.extend_from_slice(fields);
        let url = url::Url::parse(&page.url).unwrap().join(action).unwrap();
        self.post(url.as_str(), &all).await
    }

    /// Follows the redirect of `page`, if it is one.
    pub async fn follow(&mut self, page: &Page) -> Page {
        let location = page.location();
        self.get(&location).await
    }

    /// Follows redirects as long as they stay at `origin`.
    pub async fn follow_within(&mut self, mut page: Page, origin: &str) -> Page {
        for _ in 0..10 {
            if !(300..400).contains(&page.status) || !page.location().starts_with(origin) {
                return page;
            }
            page = self.follow(&page).await;
        }
        panic!("redirected in circles: {}", page.url)
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("accept-language", self.language);
        let request = if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) };
        let response = request.send().await.unwrap();
        let (url, status, headers) =
            (response.url().to_string(), response.status().as_u16(), response.headers().clone());
        for cookie in headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0;") || attributes.contains("Max-Age=0 ") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap();
        self.seen.push(format!("{url} {headers:?} {body}"));
        Page { url, status, headers, body }
    }
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where it redirects to, as an absolute address.
    pub fn location(&self) -> String {
        let location = self.header("location");
        assert!(!location.is_empty(), "no redirect: {} {} {}", self.status, self.url, self.body);
        url::Url::parse(&self.url).unwrap().join(location).unwrap().to_string()
    }

    /// A parameter of the address it redirects to, query or fragment.
    pub fn answered(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(&self.location()).unwrap();
        let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let fragment = url.fragment().unwrap_or_default().to_owned();
        pairs.extend(url::form_urlencoded::parse(fragment.as_bytes()).into_owned());
        pairs.into_iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// The hidden fields of the form with this action.
    pub fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let start = self
            .body
            .find(&format!("action=\"{action}\""))
            .unwrap_or_else(|| panic!("no form {action}: {}", self.body));
        let form = &self.body[start..];
        let form = &form[..form.find("</form>").unwrap()];
        form.split("<input type=\"hidden\" name=\"")
            .skip(1)
            .map(|rest| {
                let (name, rest) = rest.split_once("\" value=\"").unwrap();
                (name.to_owned(), unescape(rest.split_once('"').unwrap().0))
            })
            .collect()
    }

    /// The `error` of a JSON answer; empty when it has none.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// Does it lead nowhere: no redirect, no form, no link out of this server?
    pub fn leads_nowhere(&self) -> bool {
        self.header("location").is_empty() && !self.body.contains("<form") && !self.body.contains("http-equiv")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.body))
    }
}

pub fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn unescape(text: &str) -> String {
    let pairs = [("&quot;", "\""), ("&#x2f;", "/"), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
