//! Where tokens lie between two runs, and what is refused there.

use std::fs;
use std::path::{Path, PathBuf};

use fujie_client::token_store::{FileStore, MemoryStore, StoreError, StoredTokens, TokenStore};
use fujie_client::{Secret, Timestamp, Tokens};

const NAME: &str = "github/Iv1.8a61f9b3a7aba766/583231";

fn tokens(access_token: &str) -> Tokens {
    let mut tokens = Tokens::bare(Secret::new(access_token));
    tokens.refresh_token = Some(Secret::new("canary-refresh"));
    tokens.expires_at = Some(Timestamp::from_millis(1_790_000_000_000));
    tokens.scope = vec!["repo".into(), "用户".into()];
    tokens.subject = Some("583231".into());
    tokens.union_subject = Some("u1".into());
    tokens.provisional = true;
    tokens
}

fn record(access_token: &str) -> StoredTokens {
    StoredTokens::new(&tokens(access_token))
}

fn kept(store: &dyn TokenStore, name: &str) -> Option<String> {
    let tokens = store.load(name).unwrap()?.into_tokens();
    Some(tokens.access_token.expose().to_owned())
}

fn file_store() -> (tempfile::TempDir, FileStore) {
    let parent = tempfile::tempdir().unwrap();
    let store = FileStore::new(parent.path().join("tokens")).unwrap();
    (parent, store)
}

fn name_of(error: StoreError) -> &'static str {
    let told = format!("{error:?} {error}");
    assert!(!told.contains("canary"), "{told}");
    assert!(!error.next_step().is_empty());
    match error {
        StoreError::Io { .. } => "io",
        StoreError::Exposed { .. } => "exposed",
        StoreError::Misplaced { .. } => "misplaced",
        StoreError::Unreadable { .. } => "unreadable",
        StoreError::Newer { .. } => "newer",
        _ => "other",
    }
}

/// The same stories for every store.
fn every_store(check: impl Fn(&dyn TokenStore)) {
    check(&MemoryStore::new());
    let (_parent, store) = file_store();
    check(&store);
}

#[test]
fn what_is_kept_comes_back_whole() {
    every_store(|store| {
        assert!(store.load(NAME).unwrap().is_none());
        store.save(NAME, &record("one")).unwrap();
        let back = store.load(NAME).unwrap().unwrap().into_tokens();
        let sent = tokens("one");
        assert_eq!(back.access_token, sent.access_token);
        assert_eq!(back.refresh_token, sent.refresh_token);
        assert_eq!(back.expires_at, sent.expires_at);
        assert_eq!(back.scope, sent.scope);
        assert_eq!((back.subject, back.union_subject), (sent.subject, sent.union_subject));
        assert!(back.provisional);
    });
}

#[test]
fn names_are_apart_and_forgetting_one_keeps_the_others() {
    every_store(|store| {
        let names = ["a/b", "a_b", "A/b", "a/b/", "", "../../etc/passwd", "用户", &"x".repeat(5000)];
        for (number, name) in names.iter().enumerate() {
            store.save(name, &record(&number.to_string())).unwrap();
        }
        for (number, name) in names.iter().enumerate() {
            assert_eq!(kept(store, name), Some(number.to_string()), "{name}");
        }
        store.remove("a/b").unwrap();
        store.remove("a/b").unwrap();
        assert_eq!(kept(store, "a/b"), None);
        assert_eq!(kept(store, "a_b"), Some("1".into()));
    });
}

#[test]
fn a_lock_is_held_by_one_and_ends_with_it() {
    every_store(|store| {
        let held = store.try_lock(NAME).unwrap().unwrap();
        assert!(store.try_lock(NAME).unwrap().is_none());
        assert!(store.try_lock("another").unwrap().is_some(), "another name has another lock");
        store.save(NAME, &record("one")).unwrap();
        store.remove(NAME).unwrap();
        assert!(store.try_lock(NAME).unwrap().is_none(), "forgetting the tokens does not end the lock");
        drop(held);
        // Between fork and exec a child of another test holds every open file for a moment, and so the lock.
        let mut tries = (0..1_000_000).inspect(|_| std::thread::yield_now());
        assert!(tries.any(|_| store.try_lock(NAME).unwrap().is_some()), "the lock outlived its holder");
    });
}

#[test]
fn nothing_that_prints_itself_shows_a_token() {
    let (_parent, store) = file_store();
    let memory = MemoryStore::new();
    memory.save(NAME, &record("canary")).unwrap();
    let shown = format!("{store:?} {memory:?} {:?} {} {}", record("canary"), store.description(), memory.description());
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn the_stored_form_is_a_promise() {
    let json = record("one").to_json("here").unwrap();
    let expected = r#"{"version":1,"access_token":"one","refresh_token":"canary-refresh","expires_at":1790000000000,"scope":["repo","用户"],"subject":"583231","union_subject":"u1","provisional":true}"#;
    assert_eq!(json.as_str(), expected);
    let least = StoredTokens::from_json(br#"{"version":1,"access_token":"one"}"#, "here").unwrap().into_tokens();
    assert!(least.refresh_token.is_none() && least.expires_at.is_none() && !least.provisional);
}

#[test]
fn a_file_that_is_not_ours_is_an_error_that_shows_nothing_of_it() {
    let (_parent, store) = file_store();
    store.save(NAME, &record("one")).unwrap();
    let cases: [(&[u8], &str); 8] = [
        (b"", "unreadable"),
        (b"canary", "unreadable"),
        (b"{\"access_token\":\"canary\"}", "unreadable"),
        (b"{\"version\":1}", "unreadable"),
        (b"{\"version\":1,\"access_token\":7}", "unreadable"),
        (b"{\"version\":2,\"tokens\":\"canary\"}", "newer"),
        (b"{\"version\":\"1\",\"access_token\":\"canary\"}", "unreadable"),
        (b"\xff\xfe{}", "unreadable"),
    ];
    for (bytes, expected) in cases {
        fs::write(store.path(NAME), bytes).unwrap();
        assert_eq!(name_of(store.load(NAME).unwrap_err()), expected, "{}", String::from_utf8_lossy(bytes));
    }
    fs::write(store.path(NAME), vec![b' '; 1_000_000]).unwrap();
    assert_eq!(name_of(store.load(NAME).unwrap_err()), "unreadable");
    let long = record(&"canary".repeat(20_000));
    assert_eq!(name_of(store.save(NAME, &long).unwrap_err()), "unreadable", "what could not be read is not written");
}

#[test]
fn a_save_replaces_the_file_and_leaves_nothing_beside_it() {
    let (_parent, store) = file_store();
    for number in 0..20 {
        store.save(NAME, &record(&number.to_string())).unwrap();
    }
    assert_eq!(names_in(store.folder()).len(), 1);
    // A crash left a temporary file; signing out takes it along.
    let left = store.path(NAME).with_extension("1-1.tmp");
    fs::write(&left, "canary").unwrap();
    store.remove(NAME).unwrap();
    assert_eq!(names_in(store.folder()), Vec::<PathBuf>::new());
}

fn names_in(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_save_that_fails_keeps_what_was_there() {
    let (_parent, store) = file_store();
    store.save(NAME, &record("one")).unwrap();
    // A folder of that name cannot be replaced by a file.
    fs::remove_file(store.path(NAME)).unwrap();
    fs::create_dir(store.path(NAME)).unwrap();
    assert_eq!(name_of(store.save(NAME, &record("canary")).unwrap_err()), "io");
    assert_eq!(names_in(store.folder()), [store.path(NAME)], "no temporary file stays behind");
    assert_eq!(name_of(store.load(NAME).unwrap_err()), "misplaced");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn folder_and_files_are_ones_own() {
        let (_parent, store) = file_store();
        store.save(NAME, &record("one")).unwrap();
        let _held = store.try_lock(NAME).unwrap();
        assert_eq!(mode(store.folder()), 0o700);
        for path in names_in(store.folder()) {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }

    #[test]
    fn what_others_may_read_is_refused() {
        let (_parent, store) = file_store();
        store.save(NAME, &record("one")).unwrap();
        for open in [0o640, 0o604, 0o620, 0o602] {
            set_mode(&store.path(NAME), open);
            assert_eq!(name_of(store.load(NAME).unwrap_err()), "exposed", "{open:o}");
        }
        store.save(NAME, &record("two")).unwrap();
        assert_eq!(kept(&store, NAME), Some("two".into()), "a save makes the file anew");
        set_mode(store.folder(), 0o750);
        assert_eq!(name_of(store.load(NAME).unwrap_err()), "exposed");
        assert_eq!(name_of(store.save(NAME, &record("canary")).unwrap_err()), "exposed");
        assert_eq!(name_of(FileStore::new(store.folder()).unwrap_err()), "exposed");
    }

    #[test]
    fn no_link_is_followed() {
        let (parent, store) = file_store();
        let theirs = parent.path().join("theirs");
        fs::write(&theirs, br#"{"version":1,"access_token":"planted"}"#).unwrap();
        set_mode(&theirs, 0o600);
        symlink(&theirs, store.path(NAME)).unwrap();
        assert_eq!(name_of(store.load(NAME).unwrap_err()), "misplaced");
        store.save(NAME, &record("mine")).unwrap();
        assert_eq!(kept(&store, NAME), Some("mine".into()), "the link is replaced, not followed");
        assert!(fs::read_to_string(&theirs).unwrap().contains("planted"));

        let lock = store.path(NAME).with_extension("lock");
        symlink(&theirs, &lock).unwrap();
        assert_eq!(name_of(store.try_lock(NAME).unwrap_err()), "misplaced");

        let alias = parent.path().join("alias");
        symlink(store.folder(), &alias).unwrap();
        assert_eq!(name_of(FileStore::new(&alias).unwrap_err()), "misplaced");
        assert_eq!(name_of(FileStore::new(&theirs).unwrap_err()), "misplaced");
        assert_eq!(name_of(FileStore::new(parent.path().join("no/such/parent")).unwrap_err()), "io");
    }
}

/// The way to the keychain stands in the environment, so this story needs a process of its own.
#[cfg(all(feature = "keychain", target_os = "linux"))]
#[test]
fn a_keychain_that_is_not_there_says_so_and_nothing_takes_its_place() {
    use fujie_client::token_store::KeychainStore;

    if std::env::var_os("FUJIE_STORY_KEYCHAIN").is_some() {
        let (_parent, locks) = file_store();
        let error = KeychainStore::new("a program", locks).unwrap_err();
        let StoreError::Unreachable { store, .. } = &error else { panic!("{error:?}") };
        assert!(store.contains("Secret Service"), "{store}");
        assert!(error.next_step().contains("file"), "{}", error.next_step());
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "token_store::a_keychain_that_is_not_there_says_so_and_nothing_takes_its_place"])
        .env("FUJIE_STORY_KEYCHAIN", "1")
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/to/be/found")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
