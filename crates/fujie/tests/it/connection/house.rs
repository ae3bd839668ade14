//! A house of these stories: `fujie serve` over a configuration, and one application that is registered with it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::browser::{Browser, Page, form};
use crate::durable::house::lasting_port;

pub const CALLBACK: &str = "https://app.example/callback";
pub const PASSWORD: &str = "correct horse battery staple";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A server that ends with the test.
pub struct House {
    serving: Option<Child>,
    port: u16,
    pub issuer: String,
    /// The application, as `client add` printed it.
    pub app: Value,
    pub http: reqwest::Client,
    folder: tempfile::TempDir,
}

impl House {
    /// A house that is not served yet, so that what depends on its address can be made first. `host` is how browsers
    /// know this machine.
    pub fn at(host: &str) -> Self {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let (port, folder) = (lasting_port(), tempfile::tempdir().unwrap());
        let issuer = format!("http://{host}:{port}");
        let mut house = Self { serving: None, port, issuer, app: Value::Null, http, folder };
        house.app = house.client_add("Friends", CALLBACK);
        house
    }

    /// A house with these connections.
    pub fn serving(connections: &str) -> Self {
        let mut house = Self::at("127.0.0.1");
        house.serve(connections);
        house
    }

    pub fn serve(&mut self, connections: &str) {
        let config = self.file("fujie.toml", &format!("issuer = \"{}\"\n{connections}", self.issuer));
        let mut command = self.fujie();
        command.arg("--config").arg(config).args(["serve", "--listen", &format!("127.0.0.1:{}", self.port)]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut stdout, mut stderr) = (BufReader::new(child.stdout.take().unwrap()), child.stderr.take().unwrap());
        let mut said = String::new();
        stdout.read_line(&mut said).unwrap();
        if said.is_empty() {
            stderr.read_to_string(&mut said).unwrap();
            panic!("it does not serve: {said}");
        }
        // Both pipes are read on, or the server would stop at a full one.
        std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        std::thread::spawn(move || stderr.read_to_end(&mut Vec::new()));
        self.serving = Some(child);
    }

    /// Ends the server; the data stays.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.serving.take() {
            drop(Command::new("kill").args(["-TERM", &child.id().to_string()]).status());
            drop(child.wait());
        }
    }

    /// A file in the folder.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn fujie(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fujie"));
        command.arg("--data-dir").arg(self.folder.path().join("data")).env("FUJIE__ISSUER", &self.issuer);
        command
    }

    pub fn client_add(&self, name: &str, redirect_uri: &str) -> Value {
        let arguments = ["client", "add", name, "--output", "json", "--redirect-uri", redirect_uri];
        let output = self.fujie().args(arguments).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    pub fn user_add(&self, name: &str) {
        let mut add = self.fujie();
        let add = add.args(["user", "add", name, "--password-stdin"]).stdin(Stdio::piped()).stderr(Stdio::null());
        let mut add = add.stdout(Stdio::null()).spawn().unwrap();
        add.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(add.wait().unwrap().success());
    }

    fn app(&self, name: &str) -> &str {
        self.app[name].as_str().unwrap()
    }

    /// The sign-in page that the application's request leads to.
    pub async fn sign_in_page(&self, browser: &mut Browser) -> Page {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let fields = [
            ("response_type", "code"),
            ("client_id", self.app("client_id")),
            ("redirect_uri", CALLBACK),
            ("scope", "openid profile"),
            ("state", "xyz"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let page = browser.get(&format!("{}/authorize?{}", self.issuer, form(&fields))).await;
        browser.follow_within(page, &self.issuer).await
    }

    /// Where the button of this connection sends the browser.
    pub async fn start(&self, browser: &mut Browser, connection: &str) -> String {
        let page = self.sign_in_page(browser).await;
        browser.submit(&page, &format!("/broker/{connection}/start"), &[]).await.location()
    }

    /// The provider's page, on which somebody decides; where that sends the browser, if anywhere.
    pub async fn decided(&self, browser: &mut Browser, connection: &str, act: &str, person: &str) -> Option<String> {
        let address = self.start(browser, connection).await;
        let base = url::Url::parse(&address).unwrap().origin().ascii_serialization();
        let page = browser.get(&address).await;
        let page = browser.follow_within(page, &base).await;
        assert_eq!(page.status, 200, "{connection}: {address}: {}", page.body);
        decide(&self.http, &base, act, person).await
    }

    /// The browser at the callback, as the provider sends it there.
    pub async fn arrive(&self, browser: &mut Browser, address: &str) -> Page {
        let page = browser.get(address).await;
        if address.starts_with(&self.issuer) {
            return browser.follow_within(page, &self.issuer).await;
        }
        self.post_answer(browser, &page).await
    }

    /// A page of the provider's that posts to us: from another site, so no cookie of ours comes along.
    pub async fn post_answer(&self, browser: &mut Browser, page: &Page) -> Page {
        let to = page.body.split_once("action=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        let fields = page.hidden(&to);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
        ];
        let mut without = browser.clone();
        without.cookies.clear();
        let page = without.send_as(&to, &headers, Some(&form(&fields))).await;
        assert!(page.headers.get("set-cookie").is_none(), "cookies that were not sent are not replaced");
        let page = browser.get(&page.location()).await;
        browser.follow_within(page, &self.issuer).await
    }

    /// From wherever the sign-in led to the application: the `sub` that it is told, and whether a bind page was shown.
    pub async fn sub(&self, browser: &mut Browser, mut page: Page) -> (String, bool) {
        let is_new = page.body.contains("action=\"/bind\"");
        if is_new {
            page = browser.submit(&page, "/bind", &[("action", "create")]).await;
            page = browser.follow_within(page, &self.issuer).await;
        }
        if page.status == 200 && page.body.contains("action=\"/consent\"") {
            page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        }
        let code = page.answered("code").unwrap_or_else(|| panic!("no code: {} {}", page.url, page.body));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("client_id", self.app("client_id")),
            ("client_secret", self.app("client_secret")),
        ];
        let request = self.http.post(format!("{}/token", self.issuer)).body(form(&fields));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let tokens = request.send().await.unwrap().text().await.unwrap();
        let tokens: Value = serde_json::from_str(&tokens).unwrap();
        let claims = tokens["id_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        (claims["sub"].as_str().unwrap().to_owned(), is_new)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Somebody decides about the newest sign-in of the simulator at `base`.
pub async fn decide(http: &reqwest::Client, base: &str, act: &str, person: &str) -> Option<String> {
    let listed = http.get(format!("{base}/_simulate/sign-ins")).send().await.unwrap().text().await.unwrap();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let id = listed[0]["id"].as_str().or(listed[0]["uuid"].as_str()).unwrap_or_else(|| panic!("{listed}")).to_owned();
    let body = if act == "confirm" { json!({ "person": person }) } else { json!({}) };
    let decided = control(http, base, &format!("sign-ins/{id}/{act}"), body).await;
    decided["redirect_url"].as_str().map(str::to_owned)
}

/// Tells the simulator at `base` something.
pub async fn control(http: &reqwest::Client, base: &str, what: &str, body: Value) -> Value {
    let response = http.post(format!("{base}/_simulate/{what}")).body(body.to_string()).send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    assert!(status.is_success(), "{what}: {text}");
    serde_json::from_str(&text).unwrap_or_default()
}
