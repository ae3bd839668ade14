//! Programs that somebody else wrote, as pip and npm install them. Authlib, openid-client, requests-oauthlib: the demo's
//! ready programs run as the demo gives them, in a real browser; the scripts in `tests/foreign` go further: refresh,
//! introspection, revocation, and the two legacy grants, switched on and off.
//!
//! [`simulator`] has them sign in at our simulators instead, and [`oidc_provider`] has us sign in at somebody else's
//! server. Deliberately not here: installing them. `./test` does it and says where they are.

mod oidc_provider;
mod simulator;

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{demo::Demo, durable::house::lasting_port, webdriver::Driver};

const PYTHON: &str = "FUJIE_TEST_PYTHON";
/// With what Flask-OAuthlib needs, which is old.
const PYTHON_FLASK_OAUTHLIB: &str = "FUJIE_TEST_PYTHON_FLASK_OAUTHLIB";
const NODE: &str = "FUJIE_TEST_NODE";
const NODE_MODULES: &str = "FUJIE_TEST_NODE_MODULES";

/// What `./test` told the tests.
fn told(variable: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(value) => PathBuf::from(value),
        None => panic!("{variable} is not set: run ./test, which installs the clients that somebody else wrote"),
    }
}

/// Says which versions a test met.
fn say_versions(runtime: &str, packages: &[&str]) {
    let run = |arguments: &[&str]| {
        let output = Command::new(told(runtime)).args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("{runtime}: {error}: run ./test"));
        String::from_utf8(output.stdout).unwrap().trim().replace('\n', ", ")
    };
    let installed = match runtime {
        PYTHON | PYTHON_FLASK_OAUTHLIB => {
            let script = "import sys; from importlib.metadata import version\nfor name in sys.argv[1:]: print(name, version(name))";
            run(&[&["-c", script], packages].concat())
        }
        _ => {
            let version = |name: &&str| {
                let manifest = fs::read(told(NODE_MODULES).join(name).join("package.json"));
                let manifest = manifest.unwrap_or_else(|error| panic!("{name}: {error}: run ./test"));
                let manifest: Value = serde_json::from_slice(&manifest).unwrap();
                format!("{name} {}", manifest["version"].as_str().unwrap())
            };
            packages.iter().map(version).collect::<Vec<_>>().join(", ")
        }
    };
    let runtime = if runtime == NODE { format!("Node.js {}", run(&["--version"])) } else { run(&["--version"]) };
    say(&format!("{installed} on {runtime}"));
}

/// On stderr itself, so that it is seen when the test passes.
fn say(what: &str) {
    std::io::stderr().write_all(format!("clients that somebody else wrote: {what}\n").as_bytes()).unwrap();
}

/// A folder in which Node.js finds the packages that `./test` installed.
fn folder(runtime: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    if runtime == NODE {
        std::os::unix::fs::symlink(told(NODE_MODULES), folder.path().join("node_modules")).unwrap();
    }
    folder
}

/// Such a folder with the scripts of `tests/foreign` in it.
fn scripts(runtime: &str) -> tempfile::TempDir {
    let folder = folder(runtime);
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

/// A command that speaks to loopback alone, whatever the environment says about proxies.
fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("NO_PROXY", "127.0.0.1").env("PYTHONUTF8", "1").stdin(Stdio::null());
    command
}

/// A browser without eyes.
fn http() -> reqwest::Client {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A child that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Running {
    /// Starts a ready program and waits until it shows its button at `origin`.
    async fn program(runtime: &str, folder: &Path, file: &str, origin: &str) -> Self {
        let said = folder.join("said");
        let child = command(told(runtime), folder)
            .arg(file)
            .stdout(Stdio::null())
            .stderr(File::create(&said).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{runtime}: {error}: run ./test"));
        let mut running = Self(child);
        let http = http();
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            if let Ok(answer) = http.get(origin).send().await
                && answer.text().await.unwrap().contains("<button>")
            {
                return running;
            }
            let has_ended = running.0.try_wait().unwrap();
            let words = || fs::read_to_string(&said).unwrap();
            assert!(
                has_ended.is_none(),
                "{file} ended ({has_ended:?}); run ./test to install what it needs:\n{}",
                words()
            );
            assert!(Instant::now() < until, "{file} does not answer at {origin}:\n{}", words());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Presses the program's button and signs in with WeChat; gives what the program says at the end. `is_first` is the
/// first sign-in of this person, who then makes an account and consents.
async fn sign_in(driver: &Driver, origin: &str, is_first: bool) -> String {
    let window = driver.window((1280, 900), "zh-CN", false).await;
    window.open(origin).await;
    window.click("form[action='/login'] button").await;
    window.click("form[action='/broker/wechat/start'] button").await;
    window.wait_url("/connect/qrconnect").await;
    let picture = tempfile::tempdir().unwrap();
    let phone = driver.window((360, 780), "zh-CN", false).await;
    phone.open(&window.scan(picture.path()).await).await;
    phone.click("button[name=decision][value=agree]").await;
    if is_first {
        window.wait_url("/bind").await;
        window.click("button[name=action][value=create]").await;
        window.wait_url("/authorize").await;
        window.click("button[name=decision][value=allow]").await;
    }
    window.wait_url(origin).await;
    window.wait_text("小明🌟").await;
    window.wait_text("sub: ").await;
    let text = window.text().await;
    phone.close().await;
    window.close().await;
    text
}

/// Runs a ready program as the demo gives it, and signs in twice.
async fn ready_file(runtime: &str, path: &str) {
    let (flask_port, express_port) = (lasting_port(), lasting_port());
    let demo = Demo::start(flask_port, express_port);
    let driver = Driver::start();
    let http = http();
    let answer = http.get(format!("{}{path}", demo.friends)).send().await.unwrap().error_for_status().unwrap();
    let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    let file = disposition.split('"').nth(1).unwrap();
    let text = answer.text().await.unwrap();
    assert!(text.lines().count() <= 25, "{file} has {} lines", text.lines().count());

    let folder = folder(runtime);
    fs::write(folder.path().join(file), text).unwrap();
    let origin = format!("http://127.0.0.1:{}", if runtime == PYTHON { flask_port } else { express_port });
    let _program = Running::program(runtime, folder.path(), file, &origin).await;
    let first = sign_in(&driver, &origin, true).await;
    let sub = first.split("sub: ").nth(1).unwrap().trim();
    assert!(!sub.is_empty() && sub != "undefined", "{first}");

    // Later, in a fresh browser: the same person.
    assert_eq!(sign_in(&driver, &origin, false).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ready_flask_file_signs_in_with_authlib() {
    say_versions(PYTHON, &["Flask", "Authlib"]);
    ready_file(PYTHON, "/flask.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ready_express_file_signs_in_with_openid_client() {
    say_versions(NODE, &["express", "openid-client"]);
    ready_file(NODE, "/express.mjs").await;
}

const PASSWORD: &str = "correct horse battery staple";
const REDIRECT_URI: &str = "https://app.example/callback";

/// A data folder with the account alice and one client, and a server on it.
struct House {
    folder: tempfile::TempDir,
    alice: String,
    client: Value,
}

impl House {
    /// Registers a client with these options, as an operator does.
    fn with_client(options: &[&str]) -> Self {
        let mut house = Self { folder: tempfile::tempdir().unwrap(), alice: String::new(), client: Value::Null };
        house.alice = house.fujie(&["user", "add", "alice", "--password-stdin"]).trim().to_owned();
        house.fujie(&[
            "client",
            "add",
            "Contacts",
            "--api",
            "https://contacts.example/",
            "--api-scope",
            "read_contacts",
        ]);
        let add = ["client", "add", "Application", "--output", "json", "--redirect-uri", REDIRECT_URI];
        house.client = serde_json::from_str(&house.fujie(&[&add, options].concat())).unwrap();
        house
    }

    /// Runs a command; what it reads is alice's password.
    fn fujie(&self, arguments: &[&str]) -> String {
        let input = self.folder.path().join("password");
        fs::write(&input, PASSWORD).unwrap();
        let output = self.command().args(arguments).stdin(File::open(input).unwrap()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fujie"));
        command.arg("--data-dir").arg(self.folder.path().join("data"));
        command
    }

    /// Runs a script of `tests/foreign` against the server; gives the line of JSON that it ends with.
    fn run(&self, runtime: &str, script: &str) -> Value {
        let mut serve = self.command();
        serve.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut serve = Running(serve.spawn().unwrap());
        let mut issuer = String::new();
        BufReader::new(serve.0.stdout.take().unwrap()).read_line(&mut issuer).unwrap();

        let folder = scripts(runtime);
        let output = command("timeout", folder.path())
            .arg("300")
            .arg(told(runtime))
            .arg(script)
            .envs([("ISSUER", issuer.trim()), ("PASSWORD", PASSWORD), ("REDIRECT_URI", REDIRECT_URI)])
            .envs(["CLIENT_ID", "CLIENT_SECRET"].map(|name| (name, self.client[name.to_lowercase()].as_str().unwrap())))
            // Plain http, on loopback.
            .env("OAUTHLIB_INSECURE_TRANSPORT", "1")
            .output()
            .unwrap();
        let [said, complained] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(
            output.status.success(),
            "{script} failed (are its packages installed? run ./test):\n{said}{complained}"
        );
        serde_json::from_str(said.lines().last().unwrap()).unwrap()
    }
}

#[test]
fn authlib_refreshes_introspects_and_revokes() {
    say_versions(PYTHON, &["Authlib", "joserfc", "requests"]);
    let house = House::with_client(&[]);
    let end = house.run(PYTHON, "code_with_authlib.py");
    assert_eq!(end, json!({ "sub": house.alice, "name": "alice", "after_revocation": "invalid_grant" }));
}

#[test]
fn openid_client_refreshes_introspects_and_revokes() {
    say_versions(NODE, &["openid-client"]);
    let grants = ["--grant", "authorization_code", "--grant", "refresh_token", "--grant", "client_credentials"];
    let scope = ["--scope", "openid profile offline_access read_contacts"];
    let house = House::with_client(&[&grants[..], &scope].concat());
    let end = house.run(NODE, "code_with_openid_client.mjs");
    assert_eq!(end, json!({ "sub": house.alice, "name": "alice", "after_revocation": "invalid_grant" }));
}

#[test]
fn requests_oauthlib_signs_in_by_password_when_it_is_switched_on() {
    say_versions(PYTHON, &["requests-oauthlib", "oauthlib"]);
    let house = House::with_client(&["--grant", "password"]);
    let end = house.run(PYTHON, "password_with_requests_oauthlib.py");
    assert_eq!(end, json!({ "sub": house.alice, "name": "alice" }));
}

#[test]
fn requests_oauthlib_is_refused_a_password_when_it_is_switched_off() {
    let house = House::with_client(&[]);
    let end = house.run(PYTHON, "password_with_requests_oauthlib.py");
    assert_eq!(end, json!({ "error": "unauthorized_client", "status": 400 }));
}

#[test]
fn requests_oauthlib_signs_in_by_implicit_when_it_is_switched_on() {
    say_versions(PYTHON, &["requests-oauthlib", "oauthlib"]);
    let house = House::with_client(&["--grant", "implicit"]);
    let end = house.run(PYTHON, "implicit_with_requests_oauthlib.py");
    assert_eq!(end, json!({ "sub": house.alice, "name": "alice" }));
}

#[test]
fn requests_oauthlib_is_refused_a_token_in_the_fragment_when_it_is_switched_off() {
    let house = House::with_client(&[]);
    let end = house.run(PYTHON, "implicit_with_requests_oauthlib.py");
    assert_eq!(end, json!({ "error": "unauthorized_client" }));
}
