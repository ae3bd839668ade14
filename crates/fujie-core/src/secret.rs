//! Secrets and their digests: how a value that must not leak is held, spelled and compared.
//!
//! Every token of ours is spelled `fj_<kind>_<base64url>`, where the bytes end with a CRC-32 over kind
//! and body: junk is refused before any work, and secret scanners can match the prefix.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::random::{self, Random};

/// What a token of ours is for. The kind is part of the spelling, of the digest and of the sealing key,
/// so that a token of one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An opaque access token (sealed).
    AccessToken,
    /// A refresh token (authenticated by a MAC).
    RefreshToken,
    /// An authorization code (sealed).
    AuthorizationCode,
    /// An authorization request while the person signs in (sealed).
    Resume,
    /// A sign-in with a provider while it is under way (sealed).
    Flow,
    /// What a provider answered by POST, on its way to the GET that reads it (sealed).
    Callback,
    /// A browser session (256 random bits).
    Session,
    /// The cookie that binds forms to a browser before anyone signed in (256 random bits).
    Browser,
    /// A provider's identity waiting to be bound (256 random bits).
    BindTicket,
    /// A client's secret (256 random bits).
    ClientSecret,
    /// The first administrator's link (256 random bits).
    SetupLink,
    /// A form's defence against cross-site requests (a MAC).
    Csrf,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::AccessToken,
        Self::RefreshToken,
        Self::AuthorizationCode,
        Self::Resume,
        Self::Flow,
        Self::Callback,
        Self::Session,
        Self::Browser,
        Self::BindTicket,
        Self::ClientSecret,
        Self::SetupLink,
        Self::Csrf,
    ];

    /// The prefix of its spelling, for example `fj_at_`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::AccessToken => "fj_at_",
            Self::RefreshToken => "fj_rt_",
            Self::AuthorizationCode => "fj_ac_",
            Self::Resume => "fj_rq_",
            Self::Flow => "fj_fl_",
            Self::Callback => "fj_cb_",
            Self::Session => "fj_ss_",
            Self::Browser => "fj_br_",
            Self::BindTicket => "fj_bt_",
            Self::ClientSecret => "fj_cs_",
            Self::SetupLink => "fj_al_",
            Self::Csrf => "fj_cf_",
        }
    }

    /// Spells `body` as a token of this kind.
    pub fn spell(self, body: &[u8]) -> String {
        let mut bytes = Vec::with_capacity(body.len() + 4);
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(&self.checksum(body).to_le_bytes());
        let mut text = String::with_capacity(6 + bytes.len().div_ceil(3) * 4);
        text.push_str(self.prefix());
        URL_SAFE_NO_PAD.encode_string(&bytes, &mut text);
        text
    }

    /// Reads a token of this kind and gives its body. `None` for every other spelling: another kind, another
    /// alphabet, stray bits, a wrong checksum. Nothing is looked up.
    pub fn read(self, text: &str) -> Option<Vec<u8>> {
        if text.len() > TOKEN_LENGTH_MAX {
            return None;
        }
        let encoded = text.strip_prefix(self.prefix())?;
        let mut bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (body, checksum) = bytes.split_last_chunk::<4>()?;
        if u32::from_le_bytes(*checksum) != self.checksum(body) {
            return None;
        }
        bytes.truncate(bytes.len() - 4);
        Some(bytes)
    }

    fn checksum(self, body: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.prefix().as_bytes());
        hasher.update(body);
        hasher.finalize()
    }
}

/// No token of ours is longer than this, in characters. The longest is a sign-in with a provider that carries the
/// longest authorization request.
pub const TOKEN_LENGTH_MAX: usize = 12 * 1024;

/// A text that must not leak: wiped when dropped, never printed, compared in constant time.
///
/// It is not `Clone`, `Display` or `Serialize` on purpose; [`Secret::expose`] is where it leaves.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes `text` over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// 256 random bits, spelled as a token of `kind`.
    pub fn random(kind: Kind, random: &mut dyn Random) -> Self {
        let body = Zeroizing::new(random::bytes::<32>(random));
        Self::new(kind.spell(body.as_slice()))
    }

    /// The text itself. The caller must not log it or put it in a URL.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// SHA-256 over kind and value: what is stored of a 256-bit random secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a whole token text of `kind`.
    pub fn of(kind: Kind, text: &str) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(kind.prefix().as_bytes());
        context.update(text.as_bytes());
        Self::from_slice(context.finish().as_ref())
    }

    /// The digest of a token text if it is spelled as `kind` spells its 256-bit random secrets.
    pub fn of_token(kind: Kind, text: &str) -> Option<Self> {
        (kind.read(text)?.len() == 32).then(|| Self::of(kind, text))
    }

    /// From its 32 bytes as stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its 32 bytes in lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// Equality in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    fn from_slice(slice: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(slice).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// `bytes` in lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of `data`, 32 bytes.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    *Digest::from_slice(digest::digest(&digest::SHA256, data).as_ref()).as_bytes()
}
