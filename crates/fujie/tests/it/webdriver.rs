//! A real browser: Debian's Chromium, driven by its own driver over the WebDriver protocol (W3C).

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// The driver's process; ends with the test.
pub struct Driver {
    child: Child,
    base: String,
    http: reqwest::Client,
    profiles: tempfile::TempDir,
}

/// One browser window with a profile of its own.
pub struct Window {
    base: String,
    http: reqwest::Client,
}

const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Longer than anything takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// A command waits for pages to load, and the first one for the browser to start.
const COMMAND_MAX: Duration = Duration::from_secs(180);

impl Driver {
    pub fn start() -> Self {
        // Somebody else may take a port that was free.
        let (child, port) = (0..5).find_map(|_| Self::start_at_free_port()).expect("chromedriver does not start");
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http = reqwest::Client::builder().no_proxy().timeout(COMMAND_MAX).build().unwrap();
        Self { child, base: format!("http://127.0.0.1:{port}"), http, profiles: tempfile::tempdir().unwrap() }
    }

    /// We choose the port: a driver that is to choose says 0 where this machine has no `::1`.
    fn start_at_free_port() -> Option<(Child, u16)> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .env("TZ", "UTC") // pages show times in the zone of the browser
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing; ./test installs it");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        if lines.any(|line| line.contains("was started successfully")) {
            // The pipe must be read on, or the driver would stop at a full one.
            std::thread::spawn(move || lines.for_each(drop));
            return Some((child, port));
        }
        child.wait().unwrap();
        None
    }

    /// A window of this size, with these languages (as `zh-CN` or `en`), dark or light.
    pub async fn window(&self, (width, height): (u32, u32), language: &str, is_dark: bool) -> Window {
        let profile = tempfile::tempdir_in(self.profiles.path()).unwrap().keep();
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--blink-settings=preferredColorScheme={}", if is_dark { 0 } else { 1 }),
            format!("--accept-lang={language}"),
            format!("--user-data-dir={}", profile.display()),
        ];
        let emulation = json!({ "deviceMetrics": { "width": width, "height": height, "pixelRatio": 1.0, "touch": false, "mobile": false } });
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {
                "args": arguments,
                "mobileEmulation": emulation,
                "prefs": { "intl.accept_languages": language },
            },
        } } });
        let session = call(&self.http, &format!("{}/session", self.base), Some(capabilities)).await.unwrap();
        let id = session["sessionId"].as_str().unwrap();
        Window { base: format!("{}/session/{id}", self.base), http: self.http.clone() }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Not SIGKILL: told so, the driver takes its browsers along.
        drop(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status());
        drop(self.child.wait());
    }
}

impl Window {
    pub async fn open(&self, url: &str) {
        self.post("url", json!({ "url": url })).await;
    }

    pub async fn url(&self) -> String {
        self.get("url").await.as_str().unwrap().to_owned()
    }

    /// The text that a person sees; none while a page has only begun to come.
    pub async fn text(&self) -> String {
        let text = self.look("return document.body.innerText").await;
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    pub async fn script(&self, script: &str) -> Value {
        self.look(script).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// What `script` gives, or why it gave nothing: there may be no page where one is just left for another.
    async fn look(&self, script: &str) -> Result<Value, String> {
        let body = json!({ "script": script, "args": [] });
        call(&self.http, &format!("{}/execute/sync", self.base), Some(body)).await
    }

    pub async fn click(&self, selector: &str) {
        self.act(selector, "click", json!({})).await;
    }

    /// Waits until `script` gives `true`.
    pub async fn wait_true(&self, script: &str) {
        let until = Instant::now() + PATIENCE;
        while self.look(script).await != Ok(Value::Bool(true)) {
            assert!(Instant::now() < until, "waited for {script} at {}:\n{}", self.url().await, self.text().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn write(&self, selector: &str, text: &str) {
        self.act(selector, "clear", json!({})).await;
        self.act(selector, "value", json!({ "text": text })).await;
    }

    /// Does something with an element; when the page changes between the look and the act, looks again.
    async fn act(&self, selector: &str, act: &str, more: Value) {
        let until = Instant::now() + PATIENCE;
        loop {
            let element = self.find(selector).await;
            let url = format!("{}/element/{element}/{act}", self.base);
            match call(&self.http, &url, Some(more.clone())).await {
                Ok(_) => return,
                Err(error) => {
                    assert!(error.contains("stale element") && Instant::now() < until, "{act} {selector}: {error}");
                }
            }
        }
    }

    pub async fn has(&self, selector: &str) -> bool {
        self.try_find(selector).await.is_some()
    }

    /// Waits until there is such an element.
    pub async fn wait_has(&self, selector: &str) {
        self.wait_true(&format!("return document.querySelector({selector:?}) !== null")).await;
    }

    /// Waits until `text` is on the page.
    pub async fn wait_text(&self, text: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.text().await.contains(text) {
            assert!(Instant::now() < until, "waited for {text:?} at {}:\n{}", self.url().await, self.text().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the address contains `part`.
    pub async fn wait_url(&self, part: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.url().await.contains(part) {
            assert!(Instant::now() < until, "waited for {part:?} at {}:\n{}", self.url().await, self.text().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The picture of the whole page, as PNG.
    pub async fn screenshot(&self) -> Vec<u8> {
        STANDARD.decode(self.get("screenshot").await.as_str().unwrap()).unwrap()
    }

    /// Gives the window another size.
    pub async fn resize(&self, (width, height): (u32, u32)) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Keeps a picture in the folder that `FUJIE_SCREENSHOTS` names, for people who look at pages.
    pub async fn keep(&self, name: &str) {
        if let Ok(folder) = std::env::var("FUJIE_SCREENSHOTS") {
            std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), self.screenshot().await).unwrap();
        }
    }

    /// What a QR code on the page says, read by a scanner that somebody else wrote.
    pub async fn scan(&self, folder: &Path) -> String {
        let until = Instant::now() + PATIENCE;
        let picture = folder.join("qr.png");
        loop {
            std::fs::write(&picture, self.screenshot().await).unwrap();
            let output = Command::new("zbarimg")
                .args(["--quiet", "--raw"])
                .arg(&picture)
                .output()
                .expect("zbarimg is missing; ./test installs it");
            let text = String::from_utf8(output.stdout).unwrap().trim().to_owned();
            if !text.is_empty() {
                return text;
            }
            assert!(Instant::now() < until, "no QR code at {}", self.url().await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A command of Chromium's own protocol.
    pub async fn command(&self, name: &str, parameters: Value) -> Value {
        self.post("goog/cdp/execute", json!({ "cmd": name, "params": parameters })).await
    }

    pub async fn close(self) {
        drop(self.http.delete(&self.base).send().await);
    }

    async fn find(&self, selector: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(element) = self.try_find(selector).await {
                return element;
            }
            assert!(Instant::now() < until, "no {selector} at {}:\n{}", self.url().await, self.text().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn try_find(&self, selector: &str) -> Option<String> {
        let query = json!({ "using": "css selector", "value": selector });
        let found = call(&self.http, &format!("{}/element", self.base), Some(query)).await.ok()?;
        found[ELEMENT].as_str().map(str::to_owned)
    }

    async fn get(&self, path: &str) -> Value {
        call(&self.http, &format!("{}/{path}", self.base), None).await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        call(&self.http, &format!("{}/{path}", self.base), Some(body))
            .await
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

async fn call(http: &reqwest::Client, url: &str, body: Option<Value>) -> Result<Value, String> {
    let request = match body {
        Some(body) => http.post(url).header("content-type", "application/json").body(body.to_string()),
        None => http.get(url),
    };
    let response = request.send().await.map_err(|error| error.to_string())?;
    let is_good = response.status().is_success();
    let text = response.text().await.map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    if is_good { Ok(value["value"].clone()) } else { Err(value["value"]["message"].to_string()) }
}
