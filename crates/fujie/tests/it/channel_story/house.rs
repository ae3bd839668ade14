//! `fujie serve` with a connection to the simulated GitHub, the line protocol, and simulated robots and push service:
//! started, ended and started again over the same data folder and the same ports.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use fujie_simulator::github::{DEFAULT_CLIENT_ID, DEFAULT_SECRET};
use serde_json::Value;

use crate::durable::house::{fujie, lasting_port, run};

/// What is asked for to listen in a terminal.
pub const SCOPE: &str = "openid profile offline_access channel:read";

/// A house; its process ends with it.
pub struct House {
    folder: tempfile::TempDir,
    address: String,
    /// Where the line protocol is spoken: host and port.
    pub line: (String, String),
    /// The application that `fujie login` signs in with.
    pub client_id: String,
    process: Option<Child>,
}

/// Where the others are.
pub struct Neighbours<'a> {
    pub github: &'a str,
    pub robots: &'a str,
    pub push: &'a str,
}

impl House {
    /// A house as its configuration file says, and as it is served.
    pub fn start(at: &Neighbours<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [address, line] = [(); 2].map(|()| format!("127.0.0.1:{}", lasting_port()));
        let config = format!(
            "listen = \"{address}\"\n\
             [channel]\nlisten = \"{line}\"\nrobot_at = \"{}\"\npush_at = \"{}\"\n\
             push_contact = \"mailto:admin@example.com\"\n\
             [connection.github]\nclient_id = \"{DEFAULT_CLIENT_ID}\"\nclient_secret = \"{DEFAULT_SECRET}\"\n\
             at = \"{}\"\n",
            at.robots, at.push, at.github,
        );
        std::fs::write(folder.path().join("fujie.toml"), config).unwrap();
        let (host, port) = line.split_once(':').unwrap();
        let line = (host.to_owned(), port.to_owned());
        let add = ["client", "add", "laptop", "--public", "--redirect-uri", "http://127.0.0.1/callback"];
        let said = run(folder.path(), &[&add[..], &["--scope", SCOPE, "--output", "json"]].concat(), "");
        let client: Value = serde_json::from_str(&said).unwrap();
        let client_id = client["client_id"].as_str().unwrap().to_owned();
        let mut house = Self { folder, address, line, client_id, process: None };
        house.serve();
        house
    }

    pub fn serve(&mut self) {
        let mut child = fujie(self.folder.path()).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut issuer = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut issuer).unwrap();
        self.process = Some(child);
        assert_eq!(issuer.trim(), self.issuer(), "{}", self.log());
    }

    /// Ends the server as an operator does; the data stays.
    pub fn end(&mut self) {
        let Some(mut child) = self.process.take() else { return };
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        assert!(child.wait().unwrap().success(), "{}", self.log());
    }

    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the server logged, over all its lives.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}
