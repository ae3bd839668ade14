//! The section `[channel]`: where the line protocol is spoken, how long events are kept, whom push services may write to.
//!
//! Owns the rules that hold between these keys, above all that a token never travels beyond this machine in plain text
//! unless the operator says so by name.

use std::{fs::File, io::Read as _, net::SocketAddr, path::Path, sync::Arc};

use fujie_channel::{hub::Overflow, outbox::Simulators};
use fujie_core::time::Lifetime;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use zeroize::Zeroizing;

use super::{
    reader::Reader,
    value::{self, Issuer, Read},
};

/// Events that reach people.
#[derive(Debug)]
pub struct ChannelConfig {
    /// The listener of the line protocol; `None`: there is none.
    pub line: Option<LineConfig>,
    /// How long events are kept.
    pub keep: Lifetime,
    /// What the events of all topics may take on disk, in bytes.
    pub storage_max: i64,
    /// What becomes of a subscriber that reads too slowly.
    pub overflow: Overflow,
    /// Whom push services may write to about us (RFC 8292 §2.1).
    pub push_contact: Option<String>,
    /// Where simulated robots and push services are.
    pub simulators: Simulators,
}

/// The listener of the line protocol.
#[derive(Debug)]
pub struct LineConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its certificate and key, checked; `None`: plain text.
    pub tls: Option<Arc<ServerConfig>>,
    /// Where applications reach it, when that is not where it listens.
    endpoint: Option<String>,
}

impl LineConfig {
    /// Where applications reach it: as configured, or the issuer's host where any address or a certificate's name is
    /// meant, or else the address itself. `bound` is what it listens on now.
    pub fn endpoint(&self, issuer: &str, bound: SocketAddr) -> String {
        if let Some(endpoint) = &self.endpoint {
            return endpoint.clone();
        }
        let scheme = if self.tls.is_some() { "tls" } else { "tcp" };
        let issuer = url::Url::parse(issuer).ok();
        let host = issuer.as_ref().and_then(url::Url::host_str);
        match host.filter(|_| self.tls.is_some() || bound.ip().is_unspecified()) {
            Some(host) => format!("{scheme}://{host}:{}", bound.port()),
            None => format!("{scheme}://{bound}"),
        }
    }
}

impl Reader {
    pub(super) fn channel(&mut self, issuer: Option<&Issuer>) -> Option<ChannelConfig> {
        let line = self.line(issuer);
        let keep = self.read("channel.keep", value::seconds(60..=YEAR));
        let storage_max = self.read("channel.storage_max", value::mebibytes(64..=TEBIBYTE));
        let overflow = self.read("channel.overflow", value::overflow);
        let push_contact = self.read("channel.push_contact", value::contact);
        let robot_at = self.read("channel.robot_at", value::simulator);
        let push_at = self.read("channel.push_at", value::simulator);
        let simulators = Simulators { robot_at, push_at };
        let (line, keep, storage_max, overflow) = (line?, keep?, storage_max?, overflow?);
        Some(ChannelConfig { line, keep, storage_max, overflow, push_contact, simulators })
    }

    /// `None` when something is at fault, `Some(None)` when there is no listener.
    fn line(&mut self, issuer: Option<&Issuer>) -> Option<Option<LineConfig>> {
        let base = self.base.clone();
        let listen = self.read("channel.listen", value::address);
        let certificate = self.read(CERTIFICATE, |path| certificates(&base.join(path)));
        let key = self.read(KEY, |path| private_key(&base.join(path)));
        let is_open = self.read("channel.insecure_plaintext", value::switch)?;
        let endpoint = self.read("channel.line_endpoint", value::line_endpoint);
        if !self.is_given("channel.listen") {
            for key in [CERTIFICATE, KEY, "channel.line_endpoint"] {
                if self.is_given(key) {
                    self.refuse(key, "goes with channel.listen; write that too, or remove this line");
                }
            }
            return Some(None);
        }
        for (key, other) in [(CERTIFICATE, KEY), (KEY, CERTIFICATE)] {
            if self.is_given(key) && !self.is_given(other) {
                self.refuse(key, format!("goes with {other}; write that too"));
            }
        }
        let is_tls = self.is_given(CERTIFICATE) || self.is_given(KEY);
        let listen = listen?;
        if !is_tls && !is_open && !listen.ip().is_loopback() {
            self.refuse("channel.listen", PLAINTEXT);
        }
        if let (Some(endpoint), Some(issuer)) = (&endpoint, issuer)
            && endpoint.starts_with("tcp://")
            && issuer.is_https
            && !is_open
        {
            self.refuse("channel.line_endpoint", PLAINTEXT_ENDPOINT);
        }
        let tls = match (certificate, key) {
            (Some(certificate), Some(key)) => match tls(certificate, key) {
                Ok(tls) => Some(tls),
                Err(what) => {
                    self.refuse(KEY, what);
                    None
                }
            },
            _ => None,
        };
        Some(Some(LineConfig { listen, tls, endpoint }))
    }
}

/// TLS with this certificate; rustls looks whether the key is its own.
fn tls(certificate: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Read<Arc<ServerConfig>> {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let tls = builder.with_no_client_auth().with_single_cert(certificate, key);
    tls.map(Arc::new).map_err(|error| format!("does not go with the certificate: {error}"))
}

fn certificates(path: &Path) -> Read<Vec<CertificateDer<'static>>> {
    let text = pem(path)?;
    match CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>() {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err("holds no certificate; it must be PEM, the server's own certificate first".to_owned()),
        Err(error) => Err(format!("is not PEM: {error}")),
    }
}

fn private_key(path: &Path) -> Read<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(&pem(path)?).map_err(|error| format!("holds no private key in PEM: {error}"))
}

fn pem(path: &Path) -> Read<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::new());
    let read = File::open(path).and_then(|file| file.take(PEM_LENGTH_MAX + 1).read_to_end(&mut text));
    match read {
        Err(error) => Err(format!("cannot be read: {error}")),
        Ok(length) if length as u64 > PEM_LENGTH_MAX => Err(format!("is longer than {PEM_LENGTH_MAX} bytes")),
        Ok(_) => Ok(text),
    }
}

const CERTIFICATE: &str = "channel.tls_certificate";
const KEY: &str = "channel.tls_key";
/// Bytes of a PEM file, at most.
const PEM_LENGTH_MAX: u64 = 256 * 1024;
const YEAR: u32 = 365 * 24 * 60 * 60;
/// In MiB.
const TEBIBYTE: u32 = 1024 * 1024;
const PLAINTEXT: &str = "others can reach this address, and tokens would travel there in plain text; set \
                         channel.tls_certificate and channel.tls_key (or channel.insecure_plaintext = true where nobody \
                         can listen)";
const PLAINTEXT_ENDPOINT: &str = "tokens would travel there in plain text although the issuer is https; write tls:// (or \
                                  channel.insecure_plaintext = true where nobody can listen)";
