//! The person's browser: whether this process has one, and how it is told to open an address.
//!
//! An address comes from a provider's description, so it is a web address or nothing, and it is one argument of one
//! program: no shell ever reads it. Other users of this computer may see that argument while the program runs.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use url::Url;

use super::terminal::Terminal;

/// Where the person's browser is.
#[derive(Debug, PartialEq, Eq)]
pub enum Browser {
    /// Any of these commands opens it: a program, with arguments if there are any, as `$BROWSER` has them.
    Here(Vec<OsString>),
    /// On another computer, from which this one is reached by SSH: how it calls us, as `user@host`, and on which port.
    OverSsh {
        /// `user@host`.
        login: String,
        /// The port of the SSH server, unless it is the usual one.
        port: Option<String>,
    },
    /// There is no display.
    Nowhere,
}

impl Browser {
    /// What the environment says. `BROWSER` is the person's own word and counts first.
    pub fn of_environment(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        if let Some(programs) = variable("BROWSER").filter(|programs| !programs.is_empty()) {
            return Self::Here(env::split_paths(&programs).map(OsString::from).filter(|one| !one.is_empty()).collect());
        }
        if let Some(connection) = variable("SSH_CONNECTION").filter(|value| !value.is_empty()) {
            return Self::over_ssh(&connection.to_string_lossy(), variable("USER").or_else(|| variable("LOGNAME")));
        }
        let needs_display = cfg!(all(unix, not(target_os = "macos")));
        if needs_display && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
            return Self::Nowhere;
        }
        Self::Here(vec![SYSTEM.into()])
    }

    /// `SSH_CONNECTION` is client address, client port, server address, server port.
    fn over_ssh(connection: &str, user: Option<OsString>) -> Self {
        let mut parts = connection.split(' ').skip(2).map(str::to_owned);
        let is_plain = |text: &String| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:%-_".contains(&byte))
        };
        let host = parts.next().filter(is_plain).unwrap_or_else(|| "HOST".to_owned());
        let port = parts.next().filter(|port| port != "22" && port.parse::<u16>().is_ok());
        let user = user.and_then(|user| user.into_string().ok()).filter(is_plain);
        Self::OverSsh { login: user.map_or(host.clone(), |user| format!("{user}@{host}")), port }
    }

    /// The line that brings the port of this redirect URI to the computer with the browser.
    pub fn forwarding(&self, redirect_uri: &str) -> String {
        let (login, ssh_port) = match self {
            Self::OverSsh { login, port } => (login.as_str(), port.as_deref()),
            Self::Here(_) | Self::Nowhere => ("USER@HOST", None),
        };
        let url = Url::parse(redirect_uri).ok();
        let port = url.as_ref().and_then(Url::port_or_known_default).unwrap_or(80);
        let ssh_port = ssh_port.map(|port| format!("-p {port} ")).unwrap_or_default();
        // At `localhost` we listen on both.
        let (here, there) = match url.as_ref().and_then(Url::host_str) {
            Some("[::1]") => ("[::1]:", "[::1]"),
            _ => ("", "127.0.0.1"),
        };
        format!("ssh {ssh_port}-L {here}{port}:{there}:{port} {login}")
    }
}

/// Tells the first of the commands that can be started to open a web address, and does not wait for it. When it fails
/// at once the next is tried; when none is left the person is shown the address, whether they want quiet or not.
pub fn open(commands: &[OsString], address: &str, terminal: Terminal) -> bool {
    let Some(address) = web_address(address) else { return false };
    let commands = commands.to_vec();
    let mut left = commands.into_iter();
    let Some(mut child) = left.find_map(|command| start(&command, &address)) else { return false };
    let watching = move || {
        while has_failed(child) {
            match left.find_map(|command| start(&command, &address)) {
                Some(next) => child = next,
                None => {
                    return terminal.insist(
                        &format!("The browser did not open. Open this address yourself:\n  {address}"),
                        &format!("浏览器没有打开，请手动打开以下网址：\n  {address}"),
                    );
                }
            }
        }
    };
    thread::Builder::new().spawn(watching).is_ok()
}

fn start(command: &OsStr, address: &str) -> Option<Child> {
    let mut words = words(command, address).into_iter();
    let mut command = Command::new(words.next()?);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A browser outlives us, and all that it starts could read them.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().ends_with("CLIENT_SECRET")) {
        command.env_remove(name);
    }
    command.spawn().ok()
}

/// The program and its arguments. `%s` stands for the address; without it the address is the last argument.
fn words(command: &OsStr, address: &str) -> Vec<OsString> {
    let text = command.to_str().filter(|_| !Path::new(command).is_file());
    let mut words: Vec<_> = match text {
        Some(SYSTEM) if cfg!(windows) => vec![SYSTEM.into(), "url.dll,FileProtocolHandler".into()],
        Some(text) => text.split_ascii_whitespace().map(|word| word.replace("%s", address).into()).collect(),
        None => vec![command.to_owned()],
    };
    if text.is_none_or(|text| !text.contains("%s")) {
        words.push(address.into());
    }
    words
}

/// Whether the browser ends with an error so soon that it cannot have shown anything. Somebody waits for its end in any
/// case, or it stays as a zombie until we end.
fn has_failed(mut child: Child) -> bool {
    let (sender, ended) = mpsc::channel();
    let waiter = thread::Builder::new().spawn(move || {
        // Nobody listens any longer when it took its time.
        let _ = sender.send(child.wait().is_ok_and(|status| !status.success()));
    });
    waiter.is_ok() && ended.recv_timeout(QUICK).unwrap_or(false)
}

/// The address in the one spelling that browsers agree on, if it is a web address.
fn web_address(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    is_web.then(|| url.into())
}

/// A browser that fails later than this had been there.
const QUICK: Duration = Duration::from_secs(10);
/// The system's own opener.
const SYSTEM: &str = if cfg!(windows) {
    "rundll32"
} else if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: &Browser) {
        let found = |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| value.into());
        assert_eq!(Browser::of_environment(found), *expected, "{variables:?}");
    }

    #[test]
    fn the_environment_says_where_the_browser_is() {
        let here = |programs: &[&str]| Browser::Here(programs.iter().map(OsString::from).collect());
        let ssh =
            |login: &str, port: Option<&str>| Browser::OverSsh { login: login.into(), port: port.map(str::to_owned) };
        check(&[("DISPLAY", ":0")], &here(&[SYSTEM]));
        check(&[("WAYLAND_DISPLAY", "wayland-0")], &here(&[SYSTEM]));
        check(&[("BROWSER", "/a:/b"), ("SSH_CONNECTION", "1.2.3.4 1 5.6.7.8 22")], &here(&["/a", "/b"]));
        check(&[("SSH_CONNECTION", "1.2.3.4 1 5.6.7.8 22"), ("USER", "ann")], &ssh("ann@5.6.7.8", None));
        check(&[("SSH_CONNECTION", "::1 1 fe80::1%eth0 2222"), ("DISPLAY", ":10")], &ssh("fe80::1%eth0", Some("2222")));
        check(&[("SSH_CONNECTION", "1 2 $(x);y 22"), ("USER", "a b")], &ssh("HOST", None));
        if cfg!(target_os = "linux") {
            check(&[], &Browser::Nowhere);
        }
    }

    #[test]
    fn the_forwarding_line_can_be_copied() {
        let over_ssh = Browser::OverSsh { login: "ann@5.6.7.8".into(), port: Some("2222".into()) };
        let line = over_ssh.forwarding("http://127.0.0.1:8000/callback");
        assert_eq!(line, "ssh -p 2222 -L 8000:127.0.0.1:8000 ann@5.6.7.8");
        assert_eq!(Browser::Nowhere.forwarding("http://localhost:1/"), "ssh -L 1:127.0.0.1:1 USER@HOST");
        assert_eq!(Browser::Nowhere.forwarding("http://[::1]:9/cb"), "ssh -L [::1]:9:[::1]:9 USER@HOST");
    }

    #[test]
    fn a_command_may_have_arguments_and_a_place_for_the_address() {
        for (command, expected) in [
            ("firefox", ["firefox", "http://a/ b"].as_slice()),
            ("prog %s", &["prog", "http://a/ b"]),
            ("prog  -new-window --url=%s -x", &["prog", "-new-window", "--url=http://a/ b", "-x"]),
            ("prog $(id) ;", &["prog", "$(id)", ";", "http://a/ b"]),
        ] {
            assert_eq!(words(OsStr::new(command), "http://a/ b"), expected, "{command}");
        }
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("a browser");
        std::fs::write(&program, "").unwrap();
        assert_eq!(words(program.as_os_str(), "http://a/"), [program.as_os_str(), OsStr::new("http://a/")]);
    }

    #[test]
    fn only_a_web_address_is_opened_and_nothing_in_it_ends_an_argument() {
        let refused = [
            "",
            "a",
            "-h",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,x",
            "vscode://x",
            "\\\\host\\x",
        ];
        for address in refused {
            assert_eq!(web_address(address), None, "{address}");
        }
        for address in ["https://a.example/?q=$(id)&r=`id`;|%PATH%\"'<> \n\t", "http://a.example/\" --x"] {
            let opened = web_address(address).unwrap();
            assert!(opened.starts_with("http"), "{opened}");
            assert!(!opened.contains(['"', ' ', '\n', '\t', '<', '>']), "{opened}");
        }
    }
}
