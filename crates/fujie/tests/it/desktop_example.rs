//! The scripts of `examples/desktop`: real sign-ins at the GitHub simulator, through `fujie token` and `fujie login`, in
//! three languages. The browser is a stand-in that follows redirects; the person agrees by herself.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fujie_simulator::{
    Github, GithubConfig, Running,
    github::{DEFAULT_CLIENT_ID, DEFAULT_SECRET},
};

/// Follows the redirects, once: the listener must be there before the browser.
const FOLLOW: &str = "curl --silent --show-error --location --noproxy * --output /dev/null";
/// A browser that has no display.
const BROKEN: &str = "false";

/// Most lines of a script, without blank ones and comments, and their columns.
const LINES_MAX: usize = 10;
const COLUMNS_MAX: usize = 120;

/// A script and the person who runs it.
struct Script {
    program: String,
    path: PathBuf,
    github: Running,
    folder: tempfile::TempDir,
}

/// How it ended, what it printed, and what it said to the person.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    is_done: bool,
    out: String,
    err: String,
}

impl Script {
    async fn new(program: &str, name: &str) -> Self {
        let config = GithubConfig { auto_confirm: Some("xiaoming".to_owned()), ..GithubConfig::default() };
        Self {
            program: program.to_owned(),
            path: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/desktop").join(name),
            github: Github::start("127.0.0.1:0", config).await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Runs it to its end, with this client secret, browser and store of tokens. When the browser did not open, the
    /// person opens the address that is shown.
    async fn run(&self, secret: &str, browser: &str, store: &str) -> Told {
        let fujie = Path::new(env!("CARGO_BIN_EXE_fujie")).parent().unwrap().to_owned();
        let mut path = vec![fujie];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
        let mut command = Command::new("timeout");
        command.args(["300", &self.program]).arg(&self.path).current_dir(self.folder.path());
        command.env("PATH", env::join_paths(path).unwrap()).env("LC_ALL", "C.UTF-8").env("NO_PROXY", "127.0.0.1");
        command.env("BROWSER", browser).env("FUJIE_TOKEN_STORE", self.folder.path().join(store));
        command.env("GITHUB_AT", self.github.base_url());
        command.env("GITHUB_CLIENT_ID", DEFAULT_CLIENT_ID).env("GITHUB_CLIENT_SECRET", secret);
        // The simulator answers meanwhile.
        tokio::task::spawn_blocking(move || watch(command)).await.unwrap()
    }

    /// It is short enough to be read at a glance.
    fn is_short(&self) {
        let text = fs::read_to_string(&self.path).unwrap();
        let is_code = |line: &&str| !["#", "//"].iter().any(|mark| line.starts_with(mark)) && !line.is_empty();
        let lines = text.lines().map(str::trim).filter(is_code).count();
        assert!(lines <= LINES_MAX, "{}: {lines} lines", self.path.display());
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS_MAX), "{}", self.path.display());
    }
}

fn watch(mut command: Command) -> Told {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    while let Some(line) = lines.next() {
        err = err + &line + "\n";
        if line.contains("Open this address yourself:") {
            let address = lines.next().unwrap();
            let mut words = FOLLOW.split(' ').chain([address.trim()]);
            assert!(Command::new(words.next().unwrap()).args(words).status().unwrap().success(), "{address}");
        }
    }
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    Told { is_done: child.wait().unwrap().success(), out, err }
}

async fn signs_in(program: &str, name: &str) {
    let script = Script::new(program, name).await;
    script.is_short();
    let signed_in = "Signed in as xiaoming\n";
    let told = script.run(DEFAULT_SECRET, FOLLOW, "tokens").await;
    assert_eq!((told.is_done, told.out.as_str()), (true, signed_in), "{}", told.err);
    // The token is there: nobody is asked, and no browser opens.
    let told = script.run(DEFAULT_SECRET, BROKEN, "tokens").await;
    assert_eq!(told, Told { is_done: true, out: signed_in.to_owned(), err: String::new() });
    let told = script.run(DEFAULT_SECRET, BROKEN, "by hand").await;
    assert_eq!((told.is_done, told.out.as_str()), (true, signed_in), "{}", told.err);
    assert!(told.err.contains("The browser did not open."), "{}", told.err);
    let told = script.run("another secret", FOLLOW, "never").await;
    assert_eq!((told.is_done, told.out.as_str()), (false, ""), "{}", told.err);
    assert!(told.err.contains("incorrect_client_credentials"), "{}", told.err);
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
