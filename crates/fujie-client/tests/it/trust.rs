//! Whom the transports believe over TLS: the authorities of the system, and nobody else.
//!
//! On Linux these can be named to a process, so the story is told by children of this test, which are this test again.

use std::env;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use rcgen::{CertificateParams, KeyPair};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::network::{TOKEN, at, honest, redeem, transports};
use crate::server::Reply;

/// A server for `localhost` whose certificate is its own authority: its address, and the certificate in a file.
fn server(folder: &Path, name: &str) -> (String, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let file = folder.join(name);
    std::fs::write(&file, certificate.pem()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let config = Arc::new(config);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            let mut head = Vec::new();
            let mut byte = [0];
            // A client that does not believe hangs up in the handshake.
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                head.extend(byte);
            }
            let path = if head.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()) { TOKEN } else { "" };
            if let (false, Reply::Bytes(bytes)) = (head.is_empty(), honest(path)) {
                drop(stream.write_all(&bytes));
                stream.conn.send_close_notify();
                drop(stream.flush());
            }
        }
    });
    (base, file)
}

async fn child(base: &str, expected: &str) {
    for transport in transports() {
        let (client, callback) = at(base);
        let outcome = redeem(&transport, client, callback).await;
        let told = outcome.map_or_else(|error| error.name(), |_| "signed in");
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn every_transport_believes_the_authorities_of_the_system_and_no_other() {
    if let (Ok(base), Ok(expected)) = (env::var("FUJIE_STORY_BASE"), env::var("FUJIE_STORY_EXPECTED")) {
        return child(&base, &expected).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let (base, own) = server(folder.path(), "own.pem");
    let (_, other) = server(folder.path(), "other.pem");
    for (authorities, expected) in [(own, "signed in"), (other, "unreachable")] {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "trust::every_transport_believes_the_authorities_of_the_system_and_no_other"])
            .envs([("FUJIE_STORY_BASE", base.as_str()), ("FUJIE_STORY_EXPECTED", expected)])
            .env("SSL_CERT_FILE", authorities)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        assert!(child.status.success(), "{expected}: {}", String::from_utf8_lossy(&child.stdout));
    }
}
