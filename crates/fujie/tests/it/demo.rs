//! The demo as a process, as a person starts it.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

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

    /// What stands behind `label` in what the demo said at its start.
    pub fn told(&self, label: &str) -> String {
        for _ in 0..200 {
            let said = self.said.lock().unwrap().clone();
            if let Some(rest) = said.lines().find_map(|line| line.trim().strip_prefix(label)) {
                return rest.split_whitespace().next().unwrap().to_owned();
            }
            std::thread::yield_now();
            std::thread::park_timeout(std::time::Duration::from_millis(10));
        }
        panic!("the demo did not say {label}: {}", self.said.lock().unwrap())
    }

    /// Base address of the simulated WeChat.
    pub fn wechat(&self) -> String {
        self.told("simulated WeChat").trim_end_matches("/phone").to_owned()
    }

    /// Alice's password.
    pub fn password(&self) -> String {
        let said = self.told("account            alice,");
        assert_eq!(said, "password");
        let said = self.said.lock().unwrap().clone();
        said.split("alice, password ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // As Ctrl-C would, so that the demo deletes its folder.
        drop(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status());
        drop(self.child.wait());
    }
}
