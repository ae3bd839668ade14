//! HTTP/1.1 as plain as it gets: one connection for each request, so that a story knows whether an answer was read
//! whole; and a browser without script on top of it.

use std::{collections::BTreeMap, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a server listens.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Host and port.
    pub address: String,
}

/// An answer that was read whole.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Wire {
    /// Asks; `None` when the answer did not arrive whole.
    pub async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Option<Page> {
        let mut request = format!("{line} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            let length = body.len();
            request
                .push_str(&format!("content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        timeout(PATIENCE, self.exchange(&request)).await.ok().flatten()
    }

    /// Posts fields as an application does.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Option<Page> {
        self.ask(&format!("POST {path}"), &[], &form(fields)).await
    }

    async fn exchange(&self, request: &str) -> Option<Page> {
        let mut stream = TcpStream::connect(&self.address).await.ok()?;
        // The request leaves in one piece, so that the server reads it in one.
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut read = Vec::new();
        loop {
            if let Some(page) = Page::whole(&read) {
                return Some(page);
            }
            if stream.read_buf(&mut read).await.ok()? == 0 {
                return None;
            }
        }
    }
}

impl Page {
    fn whole(read: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(read).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let page = Self { status: head.get(9..12)?.parse().ok()?, head: head.to_owned(), body: body.to_owned() };
        let length: usize = page.headers("content-length").next()?.parse().ok()?;
        (page.body.len() == length).then_some(page)
    }

    /// The values of a header.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.body))
    }
}

/// An application as it was registered.
#[derive(Clone, Debug)]
pub struct Application {
    pub id: String,
    pub secret: Option<String>,
    pub redirect_uri: &'static str,
}

impl Application {
    /// What it adds to a request to be known.
    pub fn names_itself<'a>(&'a self, fields: &mut Vec<(&'a str, &'a str)>) {
        fields.push(("client_id", &self.id));
        fields.extend(self.secret.iter().map(|secret| ("client_secret", secret.as_str())));
    }
}

/// RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The one account of these stories.
pub const NAME: &str = "alice";
pub const PASSWORD: &str = "correct horse battery";

/// A browser without script, with its own cookies.
#[derive(Clone, Debug)]
pub struct Browser {
    wire: Wire,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new(wire: &Wire) -> Self {
        Self { wire: wire.clone(), cookies: BTreeMap::new() }
    }

    /// A code for `application`, through whatever pages stand between; `None` when the server went away meanwhile.
    pub async fn code(&mut self, application: &Application) -> Option<String> {
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &application.id),
            ("redirect_uri", application.redirect_uri),
            ("scope", "openid offline_access"),
            ("state", "s"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        self.way_out(&format!("/authorize?{query}")).await.map(|location| code_in(&location))
    }

    /// Where the browser is sent in the end, through whatever pages stand between.
    pub async fn way_out(&mut self, path: &str) -> Option<String> {
        let mut page = self.get(path).await?;
        for _ in 0..8 {
            let location = page.headers("location").next().map(str::to_owned);
            page = match location {
                Some(location) if location.starts_with('/') => self.get(&location).await?,
                Some(location) => return Some(location),
                None if page.body.contains("action=\"/sign-in\"") => {
                    self.submit(&page, "/sign-in", &[("username", NAME), ("password", PASSWORD)]).await?
                }
                None => self.submit(&page, "/consent", &[("decision", "allow")]).await?,
            };
        }
        panic!("redirected in circles: {} {}", page.status, page.body)
    }

    /// Is somebody signed in here?
    pub async fn is_signed_in(&mut self) -> bool {
        self.get("/account").await.is_some_and(|page| page.status == 200)
    }

    async fn get(&mut self, path: &str) -> Option<Page> {
        let cookies = self.cookies();
        let page = self.wire.ask(&format!("GET {path}"), &[("cookie", &cookies)], "").await?;
        self.keep(&page);
        Some(page)
    }

    /// Presses the button of the form with this action, with `fields` beside the hidden ones.
    async fn submit(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Option<Page> {
        let start = page.body.find(&format!("action=\"{action}\""));
        let form_text =
            &page.body[start.unwrap_or_else(|| panic!("no form {action}: {} {}", page.status, page.body))..];
        let hidden = form_text[..form_text.find("</form>").unwrap()].split("<input type=\"hidden\" name=\"").skip(1);
        let hidden = hidden.map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"").unwrap();
            (name, rest.split_once('"').unwrap().0)
        });
        let all: Vec<_> = hidden.chain(fields.iter().copied()).collect();
        let (cookies, origin) = (self.cookies(), format!("http://{}", self.wire.address));
        let headers = [("cookie", cookies.as_str()), ("origin", &origin), ("sec-fetch-site", "same-origin")];
        let page = self.wire.ask(&format!("POST {action}"), &headers, &form(&all)).await?;
        self.keep(&page);
        Some(page)
    }

    fn cookies(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, page: &Page) {
        for cookie in page.headers("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

fn code_in(location: &str) -> String {
    let url = url::Url::parse(location).unwrap();
    let code = url.query_pairs().find(|(name, _)| name == "code");
    code.unwrap_or_else(|| panic!("no code: {location}")).1.into_owned()
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
