//! The book of sign-ins: who is signed in where, and under which name the store keeps their tokens.
//!
//! Owns the file `sign-ins.json` beside the tokens, which holds no secret, and the choice among several sign-ins: the
//! last one unless a provider or an account is named. The tokens themselves are the token store's.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use fujie_client::{
    ProviderError, Timestamp, Tokens,
    session::{TokenError, TokenSource},
    token_store::{FileStore, Locked, StoredTokens, TokenStore as _},
};
use fujie_server::clock::Clock;
use serde::{Deserialize, Serialize};

use super::{
    application::Application,
    failure::{self, Failure, visible},
    lock::NotingStore,
};

/// Which of the sign-ins.
#[derive(Clone, Debug, Default, Args)]
pub struct Which {
    /// Provider or issuer, as at the sign-in. Default: the last sign-in.
    #[arg(value_name = "PROVIDER|ISSUER")]
    pub provider: Option<String>,
    /// Account: the name given at the sign-in, the subject, or a nickname that only one has.
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
    /// The person for people: nickname and subject, as far as they are known, in one line.
    pub fn person(&self) -> String {
        let person = match (&self.nickname, &self.subject) {
            (Some(nickname), Some(subject)) if nickname != subject => &format!("{nickname} ({subject})"),
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) => &self.account,
        };
        visible(person).replace('\n', " ")
    }

    /// The name under which the store keeps the tokens. Two sign-ins never share one: what joins the parts does not
    /// stand in them.
    fn name(&self) -> String {
        let plain = |part: &str| part.replace('%', "%25").replace('/', "%2F").replace('@', "%40");
        let place = &self.application.place;
        let at = place.at().map(|at| format!("@{}", plain(at))).unwrap_or_default();
        let (place, client_id) = (plain(place.name()), plain(&self.application.client_id));
        format!("{place}{at}/{client_id}/{}", plain(&self.account))
    }

    /// Why there is no fresh token for it.
    pub fn failure(&self, error: &TokenError) -> Failure {
        if let TokenError::NotRefreshed(cause) = error
            && matches!(**cause, ProviderError::Discovery(_))
            && let Err(failure) = self.application.credential()
        {
            return failure;
        }
        failure::of_tokens(error, self.application.place.name())
    }
}

impl Which {
    /// None of the sign-ins is meant.
    pub fn nobody(&self) -> Failure {
        Failure::sign_in_needed(self.provider.as_deref().unwrap_or("PROVIDER"))
    }

    /// Those of `all` that are meant. An account's own name goes before a subject, a subject before a nickname, which
    /// anybody may choose.
    fn of(&self, mut all: Vec<SignIn>) -> Result<Vec<SignIn>, Failure> {
        if let Some(name) = &self.provider {
            all.retain(|one| one.application.place.name().trim_end_matches('/') == name.trim_end_matches('/'));
        }
        let Some(name) = &self.account else { return Ok(all) };
        let names: [fn(&SignIn) -> Option<&String>; 2] = [|one| Some(&one.account), |one| one.subject.as_ref()];
        for of in names {
            if all.iter().any(|one| of(one) == Some(name)) {
                all.retain(|one| of(one) == Some(name));
                return Ok(all);
            }
        }
        all.retain(|one| one.nickname.as_ref() == Some(name));
        if all.len() > 1 {
            let accounts = all.iter().map(|one| visible(&one.account)).collect::<Vec<_>>().join(", ");
            return Err(Failure::usage(
                format!("Several sign-ins have the nickname {name}; say --account with one of: {accounts}"),
                format!("昵称 {name} 对应多个登录，请用 --account 指定其中一个：{accounts}"),
            ));
        }
        Ok(all)
    }
}

/// The book and the store beside it.
pub struct Book {
    store: Arc<NotingStore>,
}

#[derive(Serialize, Deserialize)]
struct Page {
    version: u64,
    sign_ins: Vec<SignIn>,
}

impl Book {
    /// Opens the book in this folder, else where `FUJIE_TOKEN_STORE` says, else in the user's configuration folder. A
    /// folder that is not there is made.
    pub fn open(folder: Option<&Path>) -> Result<Self, Failure> {
        let folder = folder_of_tokens(folder)?;
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
            made.map_err(|error| failure::of_file(parent, &error))?;
        }
        Ok(Self { store: Arc::new(NotingStore(FileStore::new(folder)?)) })
    }

    /// As [`Book::open`], but makes nothing; `None` when nobody ever signed in there.
    pub fn existing(folder: Option<&Path>) -> Result<Option<Self>, Failure> {
        let folder = folder_of_tokens(folder)?;
        match fs::symlink_metadata(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => Self::open(Some(&folder)).map(Some),
        }
    }

    /// Which store it is, for people.
    pub fn folder(&self) -> &Path {
        self.store.0.folder()
    }

    /// All sign-ins in the order of signing in; the last one is the default.
    pub fn all(&self) -> Result<Vec<SignIn>, Failure> {
        let path = self.path();
        let mut text = Vec::new();
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened.and_then(|file| file.take(LENGTH_MAX + 1).read_to_end(&mut text)),
        }
        .map_err(|error| failure::of_file(&path, &error))?;
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

    /// All sign-ins that are meant, in the order of signing in.
    pub fn all_of(&self, which: &Which) -> Result<Vec<SignIn>, Failure> {
        which.of(self.all()?)
    }

    /// The sign-in that is meant: the latest of those that fit.
    pub fn find(&self, which: &Which) -> Result<SignIn, Failure> {
        self.all_of(which)?.pop().ok_or_else(|| which.nobody())
    }

    /// Takes the lock of a sign-in's tokens: nobody refreshes or replaces them meanwhile.
    pub async fn lock(&self, sign_in: &SignIn) -> Result<Locked, Failure> {
        let name = sign_in.name();
        patiently(|| Ok(self.store.try_lock(&name)?)).await
    }

    /// Keeps a sign-in and its tokens, in place of an earlier one of the same account: both or neither.
    pub async fn add(&self, sign_in: SignIn, tokens: &Tokens) -> Result<(), Failure> {
        let name = sign_in.name();
        let _locked = self.lock(&sign_in).await?;
        // What cannot be read is replaced.
        let earlier = self.store.load(&name).ok().flatten();
        self.store.save(&name, &StoredTokens::new(tokens))?;
        let change = |all: &mut Vec<SignIn>| {
            all.retain(|one| one.name() != name);
            all.push(sign_in);
        };
        let kept = self.change(change).await;
        if kept.is_err() {
            // Why the book failed is what the person needs to know.
            drop(match earlier {
                Some(earlier) => self.store.save(&name, &earlier),
                None => self.store.remove(&name),
            });
        }
        kept
    }

    /// Forgets a sign-in and its tokens. The caller holds its lock.
    pub async fn remove(&self, sign_in: &SignIn) -> Result<(), Failure> {
        let name = sign_in.name();
        self.store.remove(&name)?;
        self.change(|all| all.retain(|one| one.name() != name)).await
    }

    /// The tokens as they are kept, fresh or not.
    pub fn tokens(&self, sign_in: &SignIn) -> Result<Option<Tokens>, Failure> {
        Ok(self.store.load(&sign_in.name())?.map(StoredTokens::into_tokens))
    }

    /// The tokens of a sign-in, always fresh: refreshed once, however many processes ask.
    pub fn source(&self, sign_in: &SignIn) -> TokenSource {
        let clock = Clock::default();
        let renew = Arc::new(sign_in.application.clone());
        let store: Arc<NotingStore> = Arc::clone(&self.store);
        TokenSource::new(store, sign_in.name(), renew, move || clock.now())
    }

    /// Fresh tokens of a sign-in.
    pub async fn fresh_tokens(&self, sign_in: &SignIn) -> Result<Arc<Tokens>, Failure> {
        let fresh = self.source(sign_in).fresh_tokens().await;
        fresh.map_err(|error| sign_in.failure(&error))
    }

    fn path(&self) -> PathBuf {
        self.folder().join("sign-ins.json")
    }

    /// Changes the book, alone among processes, whole or not at all.
    async fn change(&self, change: impl FnOnce(&mut Vec<SignIn>)) -> Result<(), Failure> {
        let path = self.folder().join("sign-ins.lock");
        let opened = private().create(true).truncate(false).open(&path);
        let lock = opened.map_err(|error| failure::of_file(&path, &error))?;
        patiently(|| match lock.try_lock() {
            Ok(()) => Ok(Some(())),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failure::of_file(&path, &error)),
        })
        .await?;
        let mut sign_ins = self.all()?;
        change(&mut sign_ins);
        let path = self.path();
        self.write(&Page { version: VERSION, sign_ins }, &path).map_err(|error| failure::of_file(&path, &error))
    }

    fn write(&self, page: &Page, path: &Path) -> io::Result<()> {
        let page = serde_json::to_vec_pretty(page)?;
        let half = self.folder().join("sign-ins.new");
        let mut file = private().create(true).truncate(true).open(&half)?;
        file.write_all(&page)?;
        file.sync_all()?;
        fs::rename(&half, path)
    }
}

/// Asks until there is something, for a bounded time.
async fn patiently<T>(mut ask: impl FnMut() -> Result<Option<T>, Failure>) -> Result<T, Failure> {
    let asking = async {
        loop {
            if let Some(got) = ask()? {
                return Ok(got);
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    };
    let busy = || {
        Failure::new(
            "Another fujie has been using these tokens for 30 seconds. See whether it hangs.",
            "另一个 fujie 进程占用这些令牌已超过 30 秒，请检查它是否卡住。",
        )
    };
    tokio::time::timeout(LOCK_WAIT, asking).await.unwrap_or_else(|_| Err(busy()))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

fn folder_of_tokens(named: Option<&Path>) -> Result<PathBuf, Failure> {
    named.map(Path::to_owned).or_else(usual_folder).ok_or_else(|| {
        Failure::new(
            "There is no home folder to keep tokens in; name one with --store.",
            "找不到用户目录来保存令牌，请用 --store 指定目录。",
        )
    })
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
/// How long another process may hold a lock, and the time between two looks at it.
const LOCK_WAIT: Duration = Duration::from_secs(30);
const LOCK_PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in(client_id: &str, account: &str, subject: &str, nickname: &str) -> SignIn {
        let application = serde_json::json!({"place": {"preset": {"name": "github"}}, "client_id": client_id});
        SignIn {
            application: serde_json::from_value(application).unwrap(),
            account: account.into(),
            subject: Some(subject.into()),
            nickname: Some(nickname.into()),
            signed_in_at: Timestamp::from_seconds(0),
        }
    }

    #[test]
    fn an_account_goes_before_a_subject_and_a_nickname_must_be_alone() {
        let all = [sign_in("c", "work", "1", "2"), sign_in("c", "home", "2", "work"), sign_in("c", "x", "3", "2")];
        let found = |account: &str| {
            let which = Which { provider: None, account: Some(account.into()) };
            which.of(all.to_vec()).map(|found| found.into_iter().map(|one| one.account).collect::<Vec<_>>())
        };
        assert_eq!(found("work").unwrap(), ["work"]);
        assert_eq!(found("2").unwrap(), ["home"]);
        assert_eq!(found("nobody").unwrap(), [""; 0]);
        let all = [sign_in("c", "a", "1", "zoe"), sign_in("c", "b", "2", "zoe")];
        let which = Which { provider: None, account: Some("zoe".into()) };
        assert_eq!(which.of(all.to_vec()).unwrap_err().code, 64);
        assert_eq!(which.of(all[..1].to_vec()).unwrap().len(), 1);
    }

    #[test]
    fn two_sign_ins_never_share_a_name() {
        assert_ne!(sign_in("a/b", "c", "1", "n").name(), sign_in("a", "b/c", "1", "n").name());
        assert_ne!(sign_in("a%2Fb", "c", "1", "n").name(), sign_in("a/b", "c", "1", "n").name());
    }

    #[test]
    fn a_person_is_shown_in_one_line_that_turns_nothing() {
        assert_eq!(sign_in("c", "a", "1", "z\u{202e}o\ne\u{1b}").person(), "zo e (1)");
    }

    #[tokio::test]
    async fn tokens_are_not_kept_without_the_book() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::open(Some(&folder.path().join("tokens"))).unwrap();
        fs::write(book.path(), "not a book").unwrap();
        let (sign_in, tokens) = (sign_in("c", "a", "1", "n"), Tokens::bare(fujie_client::Secret::new("t")));
        assert!(book.add(sign_in.clone(), &tokens).await.is_err());
        assert!(book.tokens(&sign_in).unwrap().is_none());
    }
}
