//! The book of sign-ins: who is signed in where, and under which name the store keeps their tokens.
//!
//! Owns the file `sign-ins.json` beside the tokens, which holds no secret, and the choice among several sign-ins: the
//! last one unless a provider or an account is named. The tokens themselves are the token store's.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use fujie_client::{
    Timestamp, Tokens,
    session::TokenSource,
    token_store::{FileStore, StoredTokens, TokenStore as _},
};
use fujie_server::clock::Clock;
use serde::{Deserialize, Serialize};

use super::{
    application::Application,
    failure::{self, Failure},
};

/// Which of the sign-ins.
#[derive(Clone, Debug, Default, Args)]
pub struct Which {
    /// Provider or issuer, as at the sign-in. Default: the last sign-in.
    #[arg(value_name = "PROVIDER|ISSUER")]
    pub provider: Option<String>,
    /// Account: the name given at the sign-in, the nickname or the subject.
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
}

/// One sign-in that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// In whose name.
    #[serde(flatten)]
    pub application: Application,
    /// What tells it from other sign-ins of the application.
    pub account: String,
    /// The person, as the provider knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What to call them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// When.
    pub signed_in_at: Timestamp,
}

impl SignIn {
    /// The person for people: nickname and subject, as far as they are known.
    pub fn person(&self) -> String {
        match (&self.nickname, &self.subject) {
            (Some(nickname), Some(subject)) if nickname != subject => format!("{nickname} ({subject})"),
            (Some(name), _) | (None, Some(name)) => name.clone(),
            (None, None) => self.account.clone(),
        }
    }

    /// The name under which the store keeps the tokens.
    fn name(&self) -> String {
        let place = &self.application.place;
        let at = place.at().map(|at| format!("@{at}")).unwrap_or_default();
        format!("{}{at}/{}/{}", place.name(), self.application.client_id, self.account)
    }

    /// Whether it is one of those that are meant.
    pub fn is(&self, which: &Which) -> bool {
        let is_provider =
            |name: &String| self.application.place.name().trim_end_matches('/') == name.trim_end_matches('/');
        let is_account = |name: &String| {
            self.account == *name || self.nickname.as_ref() == Some(name) || self.subject.as_ref() == Some(name)
        };
        which.provider.as_ref().is_none_or(is_provider) && which.account.as_ref().is_none_or(is_account)
    }
}

/// The book and the store beside it.
pub struct Book {
    store: Arc<FileStore>,
}

#[derive(Serialize, Deserialize)]
struct Page {
    version: u64,
    sign_ins: Vec<SignIn>,
}

impl Book {
    /// Opens the book in this folder, else where `FUJIE_TOKEN_STORE` says, else in the user's configuration folder.
    pub fn open(folder: Option<&Path>) -> Result<Self, Failure> {
        let folder = folder.map(Path::to_owned).or_else(usual_folder).ok_or_else(|| {
            Failure::new(
                "There is no home folder to keep tokens in; name one with --store.",
                "找不到用户目录来保存令牌，请用 --store 指定目录。",
            )
        })?;
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        Ok(Self { store: Arc::new(FileStore::new(folder)?) })
    }

    /// Which store it is, for people.
    pub fn folder(&self) -> &Path {
        self.store.folder()
    }

    /// All sign-ins in the order of signing in; the last one is the default.
    pub fn all(&self) -> Result<Vec<SignIn>, Failure> {
        let path = self.path();
        let mut text = Vec::new();
        match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?.take(LENGTH_MAX + 1).read_to_end(&mut text)?,
        };
        let page = serde_json::from_slice::<Page>(&text).ok().filter(|page| page.version == VERSION);
        let unreadable = || {
            let path = path.display();
            Failure::new(
                format!("{path} was not written by this version of fujie; remove it and sign in again."),
                format!("{path} 不是本版本写入的，请删除后重新登录。"),
            )
        };
        page.map(|page| page.sign_ins).ok_or_else(unreadable)
    }

    /// The sign-in that is meant: the latest of those that fit.
    pub fn find(&self, which: &Which) -> Result<SignIn, Failure> {
        let name = which.provider.as_deref().unwrap_or("PROVIDER");
        self.all()?.into_iter().rfind(|one| one.is(which)).ok_or_else(|| Failure::sign_in_needed(name))
    }

    /// Keeps a sign-in and its tokens, in place of an earlier one of the same account.
    pub fn add(&self, sign_in: SignIn, tokens: &Tokens) -> Result<(), Failure> {
        let name = sign_in.name();
        self.store.save(&name, &StoredTokens::new(tokens))?;
        self.change(|all| {
            all.retain(|one| one.name() != name);
            all.push(sign_in);
        })
    }

    /// Forgets a sign-in and its tokens.
    pub fn remove(&self, sign_in: &SignIn) -> Result<(), Failure> {
        let name = sign_in.name();
        self.store.remove(&name)?;
        self.change(|all| all.retain(|one| one.name() != name))
    }

    /// The tokens as they are kept, fresh or not.
    pub fn tokens(&self, sign_in: &SignIn) -> Result<Option<Tokens>, Failure> {
        Ok(self.store.load(&sign_in.name())?.map(StoredTokens::into_tokens))
    }

    /// The tokens of a sign-in, always fresh: refreshed once, however many processes ask.
    pub fn source(&self, sign_in: &SignIn) -> TokenSource {
        let clock = Clock::default();
        let renew = Arc::new(sign_in.application.clone());
        let store: Arc<FileStore> = Arc::clone(&self.store);
        TokenSource::new(store, sign_in.name(), renew, move || clock.now())
    }

    /// Fresh tokens of a sign-in.
    pub async fn fresh_tokens(&self, sign_in: &SignIn) -> Result<Arc<Tokens>, Failure> {
        let fresh = self.source(sign_in).fresh_tokens().await;
        fresh.map_err(|error| failure::of_tokens(&error, sign_in.application.place.name()))
    }

    fn path(&self) -> PathBuf {
        self.folder().join("sign-ins.json")
    }

    /// Changes the book, alone among processes, whole or not at all.
    fn change(&self, change: impl FnOnce(&mut Vec<SignIn>)) -> Result<(), Failure> {
        let lock = private().create(true).truncate(false).open(self.folder().join("sign-ins.lock"))?;
        lock.lock()?;
        let mut sign_ins = self.all()?;
        change(&mut sign_ins);
        let page = serde_json::to_vec_pretty(&Page { version: VERSION, sign_ins }).map_err(std::io::Error::from)?;
        let half = self.folder().join("sign-ins.new");
        let mut file = private().create(true).truncate(true).open(&half)?;
        file.write_all(&page)?;
        file.sync_all()?;
        Ok(fs::rename(&half, self.path())?)
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// `FUJIE_TOKEN_STORE`, else `fujie/tokens` in the configuration folder (XDG Base Directory Specification).
fn usual_folder() -> Option<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("FUJIE_TOKEN_STORE").or_else(|| {
        let configuration = folder("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
        let configuration = configuration.or_else(|| Some(folder("HOME")?.join(".config")))?;
        Some(configuration.join("fujie").join("tokens"))
    })
}

/// The form that this program writes.
const VERSION: u64 = 1;
/// Bytes of the book, at most.
const LENGTH_MAX: u64 = 1024 * 1024;
