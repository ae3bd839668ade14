//! The scripts of `examples/desktop`: real sign-ins at the GitHub simulator, through `fujie-receive`, in three
//! languages. The browser is a stand-in that follows redirects; the person agrees by herself.

use std::{
    env, fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use fujie_simulator::{
    Github, GithubConfig,
    github::{DEFAULT_CLIENT_ID, DEFAULT_SECRET},
};

/// Follows the redirects, once: the receiver must be there before the browser. Then it stays, as a browser does.
const BROWSER: &str = "#!/bin/sh
curl --silent --show-error --location --noproxy '*' --output /dev/null \"$1\" || exit
exec sleep 5
";
/// A browser that has no display.
const BROKEN: &str = "#!/bin/sh
exit 3
";

/// Most lines of a script, without blank ones and comments, and their columns: it is to be read on one screen.
const LINES_MAX: usize = 20;
const COLUMNS_MAX: usize = 120;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/desktop").join(name)
}

/// The folder of `fujie` and `fujie-receive`.
fn programs() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_fujie")).parent().unwrap();
    assert!(folder.join("fujie-receive").exists(), "cargo build -p fujie-receiver");
    folder.to_owned()
}

/// A port outside the range from which systems give ports away.
fn quiet_port() -> u16 {
    let first = 22_000 + u16::try_from(std::process::id() % 8_000).unwrap();
    (first..).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

/// Runs a script from a program's start to its end, and gives what it printed and what it said.
async fn run(program: &str, script: &str, secret: &str, browser_script: &str) -> (bool, String, String) {
    let config = GithubConfig { auto_confirm: Some("xiaoming".to_owned()), ..GithubConfig::default() };
    let github = Github::start("127.0.0.1:0", config).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let browser = folder.path().join("browser");
    fs::write(&browser, browser_script).unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o700)).unwrap();
    let mut path = vec![programs()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let mut command = Command::new("timeout");
    command
        .args([if browser_script == BROWSER { "60" } else { "5" }, program])
        .arg(example(script))
        .current_dir(folder.path())
        .env("PATH", env::join_paths(path).unwrap())
        .env("BROWSER", &browser)
        .env("GITHUB_AT", github.base_url())
        .env("GITHUB_CLIENT_ID", DEFAULT_CLIENT_ID)
        .env("GITHUB_CLIENT_SECRET", secret)
        .env("PORT", quiet_port().to_string())
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONUTF8", "1");
    // The simulator answers meanwhile.
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    eprintln!("{program}: {said}");
    (output.status.success(), String::from_utf8(output.stdout).unwrap(), said)
}

async fn signs_in(program: &str, script: &str) {
    let text = fs::read_to_string(example(script)).unwrap();
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with('#') && !line.starts_with("//");
    let lines = text.lines().filter(is_code).count();
    assert!(lines <= LINES_MAX, "{script}: {lines} lines");
    assert!(text.lines().all(|line| line.chars().count() <= COLUMNS_MAX), "{script}");
    let (is_done, printed, _) = run(program, script, DEFAULT_SECRET, BROWSER).await;
    assert_eq!((is_done, printed.as_str()), (true, "Signed in as xiaoming\n"));
    let (is_done, printed, said) = run(program, script, "another secret", BROWSER).await;
    assert_eq!((is_done, printed.as_str()), (false, ""));
    assert!(said.contains("Are the client id and its secret right?"), "{said}");
    let (_, printed, said) = run(program, script, DEFAULT_SECRET, BROKEN).await;
    assert!(printed.is_empty() && said.contains("Open this address yourself: http://127.0.0.1:"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_script_signs_a_person_in() {
    signs_in("python3", "github.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_script_signs_a_person_in() {
    // `./test` installs a newer one where Debian's is too old.
    let node = env::var("FUJIE_TEST_NODE").unwrap_or_else(|_| "node".to_owned());
    signs_in(&node, "github.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_script_signs_a_person_in() {
    signs_in("sh", "github.sh").await;
}
