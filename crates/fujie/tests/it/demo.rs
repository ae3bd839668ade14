//! The demo as a process, as a person starts it.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Longer than anything takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `fujie demo`.
pub struct Demo {
    child: Child,
    /// The application's address.
    pub friends: String,
    said: Arc<Mutex<String>>,
}

impl Demo {
    pub fn start(flask_port: u16, express_port: u16) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fujie"))
            .args(["demo", "--port", "0"])
            .args(["--flask-port", &flask_port.to_string(), "--express-port", &express_port.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut friends = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut friends).unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (mut stderr, heard) = (child.stderr.take().unwrap(), Arc::clone(&said));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut buffer) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
        assert!(friends.starts_with("http://127.0.0.1:"), "the demo did not start: {}", said.lock().unwrap());
        Self { child, friends: friends.trim().to_owned(), said }
    }

    /// What stands behind `label` in what the demo said at its start. A line comes in pieces: only a whole one counts.
    pub fn told(&self, label: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let said = self.said.lock().unwrap().clone();
            let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
            if let Some(rest) = whole.lines().find_map(|line| line.trim().strip_prefix(label)) {
                return rest.trim().to_owned();
            }
            assert!(Instant::now() < until, "the demo did not say {label}: {said}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Base address of the simulated WeChat.
    pub fn wechat(&self) -> String {
        self.told("simulated WeChat").split_once("/phone").unwrap().0.to_owned()
    }

    /// Alice's password.
    pub fn password(&self) -> String {
        self.told("account            alice, password ")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // As Ctrl-C would, so that the demo deletes its folder.
        drop(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status());
        drop(self.child.wait());
    }
}
