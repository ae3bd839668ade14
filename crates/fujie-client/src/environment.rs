//! A registration from the process's environment: which variables there are, and what is said of one that is missing.
//!
//! What the record's own variables mean is the record's ([`Provider::with_variables`]).

use std::fs::File;
use std::io::{self, Read as _};

use zeroize::Zeroizing;

use crate::openid::signing_key::{self, SigningKey};
use crate::provider::{self, Provider, RecordError};
use crate::registration::{Credential, Proof, Registration, Rsa2Key};
use crate::secret::Secret;
use crate::transport::TransportError;

/// Bytes of a file with a private key, at most; RSA with 8,192 bits has about 6,400.
const KEY_LENGTH_MAX: u64 = 16 * 1024;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The record, or what goes with it.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A variable of the environment that is needed, or that cannot be used.
    #[error("the environment variable {name} {fault}")]
    Variable {
        /// Its name.
        name: String,
        /// What is wrong with it. It shows nothing of a secret.
        fault: String,
    },
    /// The transport: TLS cannot be set up on this host.
    #[error("TLS cannot be set up")]
    Transport(#[source] TransportError),
}

impl Registration {
    /// A registration with this preset, from the process's environment. For `github` these are
    ///
    /// | variable | is |
    /// |---|---|
    /// | `GITHUB_CLIENT_ID` | the client id |
    /// | `GITHUB_CLIENT_SECRET` | its secret; none where the record's `client_authentication` is `none` |
    /// | `GITHUB_AT` | another host for every address, such as a simulator's ([`Provider::at_host`]) |
    /// | `GITHUB__…` | changes of the record ([`Provider::with_variables`]) |
    ///
    /// `GITHUB__CLIENT_AUTHENTICATION=none` makes a public client. Where the record takes a key
    /// instead of a secret, `…_PRIVATE_KEY_FILE` names its file (PKCS #8; `alipay`, `apple`, and
    /// `private_key_jwt`) and `…_KEY_ID` the key; `apple` needs `APPLE_TEAM_ID` too.
    ///
    /// # Errors
    /// [`SetupError::Variable`] names a variable that is missing, is not UTF-8, or leads to no
    /// key; [`SetupError::Record`] when there is no such preset, or as [`Registration::new`].
    pub fn from_env(preset: &str) -> Result<Self, SetupError> {
        let unknown =
            || RecordError::Preset { name: preset.to_owned(), known: provider::names().collect::<Vec<_>>().join(", ") };
        let mut record = provider::named(preset).ok_or_else(unknown)?;
        let own = Variables { prefix: preset.to_ascii_uppercase() };
        if let Some(base) = own.read("AT")? {
            record = record.at_host(&base)?;
        }
        record = record.with_variables(&format!("{}__", own.prefix), own.changes()?)?;
        let client_id = own.needed("CLIENT_ID")?;
        let credential = own.credential(&record)?;
        Ok(Self::new(record, client_id, credential)?)
    }
}

/// The variables of one preset.
struct Variables {
    prefix: String,
}

impl Variables {
    fn read(&self, name: &str) -> Result<Option<String>, SetupError> {
        let value = std::env::var_os(format!("{}_{name}", self.prefix));
        value.map(|value| value.into_string().or(Err(self.fault(name, NOT_UTF_8)))).transpose()
    }

    fn needed(&self, name: &str) -> Result<String, SetupError> {
        self.read(name)?.ok_or_else(|| self.fault(name, "is not set"))
    }

    /// Those that change the record. Of all others nothing is asked, not even that they are text.
    fn changes(&self) -> Result<Vec<(String, String)>, SetupError> {
        let prefix = format!("{}__", self.prefix);
        let ours = std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(prefix.as_bytes()));
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            let shown = name.to_string_lossy().into_owned();
            let pair = name.into_string().ok().zip(value.into_string().ok());
            pair.ok_or_else(|| SetupError::Variable { name: shown, fault: NOT_UTF_8.to_owned() })
        };
        ours.map(text).collect()
    }

    fn credential(&self, record: &Provider) -> Result<Credential, SetupError> {
        Ok(match Proof::of(record) {
            Proof::Secret | Proof::SecretInTemplates => Secret::new(self.needed("CLIENT_SECRET")?).into(),
            // One that is set all the same is told not to fit.
            Proof::Nothing => self.read("CLIENT_SECRET")?.map_or(Credential::None, |text| Secret::new(text).into()),
            Proof::PrivateKey => Credential::PrivateKey(self.signing_key(self.read("KEY_ID")?.unwrap_or_default())?),
            Proof::Apple => {
                let (team_id, key_id) = (self.needed("TEAM_ID")?, self.needed("KEY_ID")?);
                Credential::Apple { team_id, key: self.signing_key(key_id)? }
            }
            Proof::Rsa2 => {
                let key = Rsa2Key::from_pkcs8(&self.private_key()?);
                Credential::Rsa2(key.or(Err(self.fault(PRIVATE_KEY_FILE, "names no RSA key in PKCS #8")))?)
            }
        })
    }

    fn signing_key(&self, key_id: String) -> Result<SigningKey, SetupError> {
        let read = signing_key::read(&self.private_key()?, &key_id);
        read.map_err(|error| self.fault(PRIVATE_KEY_FILE, &format!("names no key to sign with: {error}")))
    }

    fn private_key(&self) -> Result<Zeroizing<String>, SetupError> {
        let path = self.needed(PRIVATE_KEY_FILE)?;
        let mut text = Zeroizing::new(String::new());
        let read = File::open(path).and_then(|file| file.take(KEY_LENGTH_MAX).read_to_string(&mut text));
        read.map_err(|error: io::Error| {
            self.fault(PRIVATE_KEY_FILE, &format!("names a file that cannot be read: {error}"))
        })?;
        Ok(text)
    }

    fn fault(&self, name: &str, fault: &str) -> SetupError {
        SetupError::Variable { name: format!("{}_{name}", self.prefix), fault: fault.to_owned() }
    }
}

const PRIVATE_KEY_FILE: &str = "PRIVATE_KEY_FILE";
const NOT_UTF_8: &str = "is not UTF-8";
