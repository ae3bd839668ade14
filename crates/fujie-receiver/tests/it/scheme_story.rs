//! The URI scheme on a Linux desktop, under a home of its own: registered by `fujie-receive`, called through `gio open`
//! and `xdg-open`, handed over to a process that waits, given back.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use fujie_receiver::uri_scheme::{handover::Waiting, Place, Registration, SchemeName, System};

const LONG: Duration = Duration::from_secs(60);

/// URIs that would be several words, an option or a command if anybody on the way took them apart.
const HOSTILE: [&str; 12] = [
    "mayx://get?code=something",
    "mayx://get?code=a b\"c\" d",
    "mayx://get?code=a'b'`id`$(id)$HOME",
    "mayx:--no-state --state=x -h",
    "mayx://get?code=%u%U%f%F%i%c%k%%&x=%25",
    "mayx://get?code=a&b;c|d>e<f*?[g]~#h",
    "mayx://get?code=\\n\\\\\\\"",
    "mayx://get?code=100%",
    "mayx://获取?code=福\u{202e}",
    "MAYX://get?code=upper",
    "mayx:///../../etc/passwd?code=x",
    "mayx:",
];

/// A person's home, with a program of ours installed in it.
struct Home {
    folder: PathBuf,
    program: PathBuf,
}

impl Home {
    fn new() -> Home {
        Home::with_program_at("bin/fujie-receive")
    }

    fn with_program_at(path: &str) -> Home {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("fujie-scheme-{}-{count}", std::process::id()));
        let program = folder.join(path);
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        // By another process: a program that another test's child has open for writing cannot be started.
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_fujie-receive")).arg(&program).status().unwrap();
        assert!(copied.success());
        let runtime = folder.join("run");
        fs::create_dir(&runtime).unwrap();
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).unwrap();
        Home { folder, program }
    }

    fn variables(&self) -> [(&'static str, PathBuf); 6] {
        [
            ("HOME", self.folder.clone()),
            ("XDG_DATA_HOME", self.folder.join("data")),
            ("XDG_CONFIG_HOME", self.folder.join("config")),
            ("XDG_CONFIG_DIRS", self.folder.join("xdg")),
            ("XDG_DATA_DIRS", self.folder.join("system")),
            ("XDG_RUNTIME_DIR", self.folder.join("run")),
        ]
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").envs(self.variables()).stdin(Stdio::null());
        command
    }

    fn place(&self) -> Place {
        let variables = self.variables();
        Place::from_variables(|name| variables.iter().find(|(own, _)| *own == name).map(|(_, path)| path.into()))
            .unwrap()
    }

    /// Runs our program to its end.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        told(self.command(&self.program).args(arguments).output().unwrap())
    }

    fn register(&self) {
        let (code, _, stderr) = self.run(&["scheme", "register", "mayx"]);
        assert_eq!(code, 0, "{stderr}");
    }

    fn entry(&self) -> PathBuf {
        self.folder.join("data/applications/fujie-mayx.desktop")
    }

    fn list(&self) -> PathBuf {
        self.folder.join("config/mimeapps.list")
    }

    /// Every file of the home, without our program.
    fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found)
                } else {
                    found.push(path)
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.folder, &mut found);
        found.retain(|path| *path != self.program);
        found
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn mayx() -> SchemeName {
    SchemeName::parse("mayx").unwrap()
}

/// A process of another language that waits, and the lines it prints.
struct Python {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Python {
    fn wait(home: &Home, count: usize) -> Python {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/wait_for_uri.py");
        let mut child = home
            .command("python3")
            .arg(script)
            .args(["mayx", &count.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut python = Python { child, lines };
        assert_eq!(python.line(), "waiting");
        python
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // Ended already when the test passed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_uri_that_gio_opens_reaches_a_python_process_as_one_argument() {
    let home = Home::new();
    home.register();
    let mut python = Python::wait(&home, HOSTILE.len());
    for uri in HOSTILE {
        assert!(home.command("gio").args(["open", uri]).status().unwrap().success(), "{uri}");
        assert_eq!(python.line(), uri);
    }
    assert!(python.child.wait().unwrap().success());
}

#[test]
fn a_uri_that_xdg_open_opens_reaches_a_python_process_as_one_argument() {
    let home = Home::new();
    home.register();
    // Without a desktop xdg-open reads the files itself; with one it asks that desktop's own program.
    for (variable, value) in [("DISPLAY", ":99"), ("XDG_CURRENT_DESKTOP", "GNOME")] {
        // Reading the files itself, it does not know that a scheme's case means nothing.
        let uris: Vec<_> = HOSTILE.into_iter().filter(|uri| uri.starts_with("mayx:")).collect();
        let mut python = Python::wait(&home, uris.len());
        for uri in uris {
            let status = home.command("xdg-open").env(variable, value).arg(uri).status().unwrap();
            assert!(status.success(), "{variable}: {uri}");
            assert_eq!(python.line(), uri, "{variable}");
        }
        assert!(python.child.wait().unwrap().success());
    }
}

#[test]
fn a_program_in_a_folder_with_a_difficult_name_is_started() {
    let home = Home::with_program_at("my $programs `1` \"2\" \\ 福's/fujie-receive");
    home.register();
    let (code, stdout, _) = home.run(&["scheme", "status", "mayx"]);
    assert!(code == 0 && stdout.contains("registered"), "{stdout}");
    let mut python = Python::wait(&home, 1);
    assert!(home.command("gio").args(["open", "mayx://get?code=c"]).status().unwrap().success());
    assert_eq!(python.line(), "mayx://get?code=c");
}

#[test]
fn a_code_comes_through_the_desktop_to_the_process_with_the_right_state() {
    let home = Home::new();
    home.register();
    let waiting = Waiting::open(&mayx(), Some("s1"), &home.place()).unwrap();
    let file = home.folder.join("run/fujie/mayx");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700), "another user can read neither");
    let (code, _, stderr) = home.run(&["scheme-open", "mayx", "mayx://get?code=evil&state=s2"]);
    assert!(code == 6 && stderr.contains("another link"), "{code} {stderr}");
    assert!(home.command("gio").args(["open", "mayx://get?code=something&state=s1"]).status().unwrap().success());
    assert_eq!(waiting.wait(LONG).unwrap().code(), Ok("something"));
    drop(waiting);
    assert!(!file.exists());
}

#[test]
fn a_terminal_without_a_runtime_folder_is_found_by_a_browser_with_one() {
    let home = Home::new();
    let variables = home.variables();
    let place = Place::from_variables(|name| {
        variables.iter().find(|(own, _)| *own == name && name == "HOME").map(|(_, path)| path.into())
    });
    let waiting = Waiting::open(&mayx(), None, &place.unwrap()).unwrap();
    assert!(home.folder.join(".local/state/fujie/mayx").exists());
    let (code, _, stderr) = home.run(&["scheme-open", "mayx", "mayx://get?code=c"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(waiting.wait(LONG).unwrap().code(), Ok("c"));
}

#[test]
fn when_nobody_waits_it_says_so_and_stores_nothing() {
    let home = Home::new();
    let (code, stdout, stderr) = home.run(&["scheme-open", "mayx", "mayx://get?code=s3cret"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("no program waits") && !stderr.contains("s3cret"), "{stderr}");
    assert_eq!(home.files(), Vec::<PathBuf>::new());
}

#[test]
fn what_is_not_one_uri_is_refused_and_waiting_goes_on() {
    let home = Home::new();
    let waiting = Waiting::open(&mayx(), None, &home.place()).unwrap();
    let too_long = format!("mayx://get?code={}", "c".repeat(8 * 1024));
    for arguments in [
        &["mayx"][..],
        &["mayx", "mayx://get?code=a", "--no-state"],
        &["mayx", "--scheme"],
        &["mayx", "other://get?code=a"],
        &["mayx", "mayx://get?code=a\nmayx://get?code=b"],
        &["mayx", &too_long],
        &["file", "file:///etc/passwd"],
    ] {
        let arguments: Vec<_> = ["scheme-open"].iter().chain(arguments).copied().collect();
        assert_eq!(home.run(&arguments).0, 64, "{arguments:.40?}");
    }
    let mut raw = home.command(&home.program);
    raw.args(["scheme-open", "mayx"]).arg(std::ffi::OsStr::from_bytes(b"mayx://get?code=\xff"));
    assert_eq!(raw.output().unwrap().status.code(), Some(64));
    let opener = thread::spawn(move || home.run(&["scheme-open", "mayx", "mayx://get?code=good"]).0);
    assert_eq!(waiting.wait(LONG).unwrap().code(), Ok("good"));
    assert_eq!(opener.join().unwrap(), 0);
}

#[test]
fn registering_twice_and_back_leaves_every_other_byte_as_it_was() {
    let home = Home::new();
    fs::create_dir_all(home.list().parent().unwrap()).unwrap();
    let before =
        b"# mine \xff\n[Added Associations]\ntext/html=a.desktop;\r\n\n[Default Applications]\nimage/png = b.desktop";
    fs::write(home.list(), before).unwrap();
    fs::set_permissions(home.list(), fs::Permissions::from_mode(0o640)).unwrap();
    home.register();
    let after = fs::read(home.list()).unwrap();
    home.register();
    assert_eq!(fs::read(home.list()).unwrap(), after, "a second time changes nothing");
    assert!(String::from_utf8_lossy(&after).contains("\nx-scheme-handler/mayx=fujie-mayx.desktop\n"));
    assert_eq!(fs::metadata(home.list()).unwrap().permissions().mode() & 0o777, 0o640);
    let validated = told(home.command("desktop-file-validate").arg(home.entry()).output().unwrap());
    assert_eq!(validated, (0, String::new(), String::new()));
    let (code, _, stderr) = home.run(&["scheme", "unregister", "mayx"]);
    assert!(code == 0 && stderr.contains("no longer registered"), "{stderr}");
    assert_eq!(fs::read(home.list()).unwrap(), before);
    assert!(!home.entry().exists());
    let (code, _, stderr) = home.run(&["scheme", "unregister", "mayx"]);
    assert!(code == 0 && stderr.contains("was not registered"), "{stderr}");
}

#[test]
fn a_list_that_is_a_link_stays_one() {
    let home = Home::new();
    fs::create_dir_all(home.list().parent().unwrap()).unwrap();
    let kept = home.folder.join("dotfiles.list");
    fs::write(&kept, "[Default Applications]\n").unwrap();
    std::os::unix::fs::symlink(&kept, home.list()).unwrap();
    home.register();
    assert!(fs::symlink_metadata(home.list()).unwrap().file_type().is_symlink());
    assert!(fs::read_to_string(&kept).unwrap().contains("x-scheme-handler/mayx=fujie-mayx.desktop"));
}

#[test]
fn what_somebody_else_registered_is_left_alone() {
    let home = Home::new();
    let write = |path: &Path, text: &str| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let cache = home.folder.join("system/applications/mimeinfo.cache");
    for (path, text) in [
        (home.list(), "[Default Applications]\nx-scheme-handler/mayx=other.desktop\n"),
        (cache, "[MIME Cache]\nx-scheme-handler/mayx=other.desktop;\n"),
        (home.entry(), "[Desktop Entry]\nType=Application\nName=Somebody\nExec=other %u\n"),
    ] {
        write(&path, text);
        let before = home.files();
        for act in ["register", "unregister"] {
            let (code, _, stderr) = home.run(&["scheme", act, "mayx"]);
            assert!(code == 1 && stderr.contains("another program"), "{act}: {code} {stderr}");
        }
        assert_eq!(home.run(&["scheme", "status", "mayx"]).0, 1);
        assert_eq!((home.files(), fs::read_to_string(&path).unwrap()), (before, text.to_owned()));
        fs::remove_file(&path).unwrap();
    }
    home.register();
}

#[test]
fn a_stronger_list_that_names_another_program_is_told() {
    let home = Home::new();
    home.register();
    let line = "[Default Applications]\nx-scheme-handler/mayx=other.desktop\n";
    fs::write(home.folder.join("config/gnome-mimeapps.list"), line).unwrap();
    let run = |act: &str| {
        let mut command = home.command(&home.program);
        told(command.env("XDG_CURRENT_DESKTOP", "ubuntu:GNOME").args(["scheme", act, "mayx"]).output().unwrap())
    };
    assert_eq!(home.run(&["scheme", "status", "mayx"]).0, 0, "another desktop does not read it");
    let (code, stdout, _) = run("status");
    assert!(code == 1 && stdout.contains("other.desktop in ") && stdout.contains("gnome-mimeapps.list"), "{stdout}");
    let (code, _, stderr) = run("register");
    assert!(code == 1 && stderr.contains("gnome-mimeapps.list"), "{stderr}");
    let (code, _, stderr) = home.run(&["scheme", "unregister", "mayx"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(fs::read_to_string(home.folder.join("config/gnome-mimeapps.list")).unwrap(), line);
}

#[test]
fn a_list_of_the_machine_counts_only_where_the_users_says_nothing() {
    for path in ["xdg/mimeapps.list", "data/applications/mimeapps.list", "system/applications/mimeapps.list"] {
        let home = Home::new();
        let list = home.folder.join(path);
        fs::create_dir_all(list.parent().unwrap()).unwrap();
        fs::write(&list, "[Default Applications]\nx-scheme-handler/mayx=other.desktop\n").unwrap();
        let (code, stdout, _) = home.run(&["scheme", "status", "mayx"]);
        assert!(code == 1 && stdout.contains(path), "{path}: {stdout}");
        fs::remove_file(&list).unwrap();
        home.register();
        fs::write(&list, "[Default Applications]\nx-scheme-handler/mayx=other.desktop\n").unwrap();
        assert_eq!(home.run(&["scheme", "status", "mayx"]).0, 0, "{path}");
        // Without the entry our line names nothing that could be started.
        fs::remove_file(home.entry()).unwrap();
        assert!(home.run(&["scheme", "status", "mayx"]).1.contains(path), "{path}");
    }
}

#[test]
fn print_shows_what_would_be_written_and_writes_nothing() {
    let home = Home::new();
    let (code, stdout, _) = home.run(&["scheme", "register", "mayx", "--print"]);
    assert_eq!(code, 0);
    assert_eq!(home.files(), Vec::<PathBuf>::new());
    home.register();
    assert!(stdout.ends_with(&fs::read_to_string(home.entry()).unwrap()), "{stdout}");
}

#[test]
fn the_forms_of_other_systems_are_left_to_the_larger_program() {
    let home = Home::new();
    let mayx = SchemeName::parse("mayx").unwrap();
    let registration = Registration::with_program(mayx, Path::new(r"D:\mayx.exe")).unwrap();
    for (name, system, part) in [
        ("windows", System::Windows, r#"@="\"D:\\mayx.exe\" scheme-open mayx \"%1\"""#),
        ("macos", System::MacOs, "CFBundleURLSchemes"),
    ] {
        assert!(registration.render(system).unwrap().contains(part));
        let (code, stdout, stderr) = home.run(&["scheme", "register", "mayx", "--print", "--system", name]);
        assert!(code == 64 && stdout.is_empty() && stderr.contains("fujie scheme"), "{stderr}");
    }
}

#[test]
fn a_name_of_everybodys_is_refused_and_a_short_one_is_warned_of() {
    let home = Home::new();
    for name in ["https", "javascript", "exefile", "c", "1x", "a b", "../x"] {
        assert_eq!(home.run(&["scheme", "register", name]).0, 64, "{name}");
    }
    assert!(home.run(&["scheme", "register", "mayx"]).2.contains("com.example.mayx"));
    assert!(!home.run(&["scheme", "register", "com.example.mayx"]).2.contains("RFC 8252"));
}

#[test]
fn the_program_prints_the_code_that_comes_through_the_desktop() {
    let home = Home::new();
    let (code, _, stderr) = home.run(&["--scheme", "mayx", "--no-state"]);
    assert!(code == 1 && stderr.contains("fujie-receive scheme register mayx"), "{stderr}");
    home.register();
    let mut receive = home.command(&home.program);
    receive.args(["--scheme", "mayx", "--state", "s1"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = receive.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("mayx:"), "{line}");
    let (code, _, stderr) = home.run(&["--scheme", "mayx", "--state", "s2"]);
    assert!(code == 1 && stderr.contains("waits for this scheme already"), "{stderr}");
    assert!(home.command("gio").args(["open", "mayx://get?code=something&state=s1"]).status().unwrap().success());
    assert_eq!(told(child.wait_with_output().unwrap()), (0, "something\n".to_owned(), String::new()));
    assert_eq!(home.run(&["--scheme", "mayx", "--state", "s1", "--timeout", "1"]).0, 3);
}

#[test]
fn a_scheme_that_stays_silent_falls_back_to_loopback() {
    let home = Home::new();
    home.register();
    let mut receive = home.command(&home.program);
    receive.args(["--scheme", "mayx", "--state", "s1", "--fall-back", "1", "--path", "/getcode"]);
    let mut child = receive.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let uri = said
        .lines()
        .map(Result::unwrap)
        .find_map(|line| line.split(' ').find_map(|word| word.strip_prefix("http://").map(str::to_owned)));
    let uri = uri.unwrap();
    let (authority, path) = uri.split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(authority).unwrap();
    let request = format!("GET /{path}?code=c1&state=s1 HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut page = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut page).unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"c1\n");
}

#[test]
fn a_port_that_is_taken_is_told_before_anybody_waits() {
    let home = Home::new();
    home.register();
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let (code, stdout, stderr) = home.run(&["--scheme", "mayx", "--state", "s1", "--fall-back", "1", "--port", &port]);
    assert!(code == 1 && stdout.is_empty() && stderr.contains("is using port"), "{stderr}");
    assert!(!stderr.contains("Waiting at"), "{stderr}");
}
