//! Two processes of one user, as two threads: what is handed over, and what is not.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    thread,
    time::Duration,
};

use super::{file, hand_over, notes, HandoverError, Note, Waiting};
use crate::{
    uri_scheme::{Opening, Place, SchemeName, OPEN},
    Error,
};

pub(super) const LONG: Duration = Duration::from_secs(60);

/// A home of its own for each test, removed at the end.
pub(super) struct Home(PathBuf);

impl Home {
    pub(super) fn new(test: &str) -> Home {
        let folder = env::temp_dir().join(format!("fujie-handover-{}-{test}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Home(folder)
    }

    pub(super) fn place(&self) -> Place {
        Place::from_variables(|name| matches!(name, "HOME" | "LOCALAPPDATA").then(|| self.0.clone().into())).unwrap()
    }

    #[cfg(unix)]
    fn place_with_runtime(&self) -> Place {
        let runtime = self.0.join("run");
        fs::create_dir_all(&runtime).unwrap();
        Place::from_variables(|name| match name {
            "HOME" => Some(self.0.clone().into()),
            "XDG_RUNTIME_DIR" => Some(runtime.clone().into()),
            _ => None,
        })
        .unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

pub(super) fn mayx() -> SchemeName {
    SchemeName::parse("mayx").unwrap()
}

pub(super) fn opening(uri: &str) -> Opening {
    Opening::from_arguments(&[OPEN.into(), "mayx".into(), uri.into()]).unwrap().unwrap()
}

/// Says lines to the waiting process and returns what it said until it closed.
fn say(port: u16, lines: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // The other side may have closed already: that is an answer too.
    let _ = stream.write_all(lines.as_bytes());
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8(said).unwrap()
}

/// Is the process of this note at its port? By now that may be somebody else's, who may keep silent.
fn is_answered(note: &Note) -> bool {
    let mut said = vec![0; note.waiting.expose().len()];
    let ask = |said: &mut [u8]| {
        let mut stream = TcpStream::connect(("127.0.0.1", note.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(format!("{}\n", note.opener.expose()).as_bytes())?;
        stream.read_exact(said)
    };
    ask(&mut said).is_ok() && said == note.waiting.expose().as_bytes()
}

#[test]
fn a_uri_is_handed_over_and_only_the_right_one_ends_the_wait() {
    let home = Home::new("state");
    let (place, waiting) = (home.place(), Waiting::open(&mayx(), Some("s1"), &home.place()).unwrap());
    let waiter = thread::spawn(move || waiting.wait(LONG));
    for refused in
        ["mayx://get?code=c&state=s2", "mayx://get?code=c", "mayx://get", "mayx://get?code=a&code=b&state=s1", "mayx:"]
    {
        assert!(matches!(hand_over(&opening(refused), &place), Err(HandoverError::Refused)), "{refused}");
    }
    hand_over(&opening("MAYX://get/?code=a%20b&state=s1#_=_"), &place).unwrap();
    assert_eq!(waiter.join().unwrap().unwrap().code(), Ok("a b"));
    assert!(notes(&mayx(), &place).unwrap().is_empty(), "the file is gone");
}

#[test]
fn nobody_waits_and_nothing_is_stored() {
    let home = Home::new("nobody");
    let error = hand_over(&opening("mayx://get?code=c"), &home.place()).unwrap_err();
    assert!(matches!(error, HandoverError::NobodyWaits));
    assert_eq!(fs::read_dir(&home.0).unwrap().count(), 0);
}

#[test]
fn a_stranger_without_the_secret_changes_nothing() {
    let home = Home::new("stranger");
    let waiting = Waiting::open(&mayx(), None, &home.place()).unwrap();
    let (_, note) = notes(&mayx(), &home.place()).unwrap().remove(0);
    let waiter = thread::spawn(move || waiting.wait(LONG));
    let wrong = "0".repeat(64);
    let uri = "mayx://get?code=evil\n";
    for lines in [
        format!("{wrong}\n{uri}"),
        uri.to_owned(),
        format!("{}\n{uri}", note.waiting.expose()),
        "a".repeat(100_000),
        String::new(),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        // The second line in one breath with the first: the opener has not seen who listens.
        format!("{}\n{uri}", note.opener.expose()),
    ] {
        assert_eq!(say(note.port, &lines), "", "{lines:.20}");
    }
    let silent: Vec<_> = (0..8).map(|_| TcpStream::connect(("127.0.0.1", note.port)).unwrap()).collect();
    hand_over(&opening("mayx://get?code=good"), &home.place()).unwrap();
    assert_eq!(waiter.join().unwrap().unwrap().code(), Ok("good"));
    drop(silent);
}

#[test]
fn the_process_that_knows_the_secret_may_send_hostile_lines_and_waiting_goes_on() {
    let home = Home::new("hostile");
    let waiting = Waiting::open(&mayx(), None, &home.place()).unwrap();
    let (_, note) = notes(&mayx(), &home.place()).unwrap().remove(0);
    let waiter = thread::spawn(move || waiting.wait(LONG));
    let greet = || {
        let mut stream = TcpStream::connect(("127.0.0.1", note.port)).unwrap();
        stream.write_all(format!("{}\n", note.opener.expose()).as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        assert_eq!(line, format!("{}\n", note.waiting.expose()));
        stream
    };
    for (sent, answer) in [
        (&b"other://get?code=c\n"[..], "no\n"),
        (b"mayx:\xff\n", "no\n"),
        (b"\n", "no\n"),
        (b"mayx://get?code=c\nmayx://get?code=d\n", ""),
        (b"", ""),
    ] {
        let mut stream = greet();
        stream.write_all(sent).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut said = String::new();
        let _ = stream.read_to_string(&mut said);
        assert_eq!(said, answer, "{sent:?}");
    }
    let longest = format!("mayx://get?code=c&x={}", "x".repeat(8192 - 20));
    hand_over(&opening(&longest), &home.place()).unwrap();
    assert_eq!(waiter.join().unwrap().unwrap().code(), Ok("c"));
}

#[test]
fn one_process_waits_for_a_scheme() {
    let home = Home::new("one");
    let first = Waiting::open(&mayx(), None, &home.place()).unwrap();
    let (_, note) = notes(&mayx(), &home.place()).unwrap().remove(0);
    let handle = first.handle();
    let waiter = thread::spawn(move || first.wait(LONG));
    assert!(matches!(Waiting::open(&mayx(), None, &home.place()), Err(HandoverError::SomebodyWaits)));
    handle.cancel();
    assert!(matches!(waiter.join().unwrap(), Err(Error::Cancelled)));
    assert!(!is_answered(&note), "the port is given back");
    drop(Waiting::open(&mayx(), None, &home.place()).unwrap());
}

#[test]
fn what_a_dead_process_left_is_removed() {
    let home = Home::new("dead");
    let mut dead = Waiting::open(&mayx(), None, &home.place()).unwrap();
    let (path, note) = notes(&mayx(), &home.place()).unwrap().remove(0);
    let text = fs::read(&path).unwrap();
    let leave = |text: &[u8]| {
        drop(fs::remove_file(&path));
        let mut options = fs::OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.write(true).create_new(true).open(&path).unwrap().write_all(text).unwrap();
    };
    // A stranger has its port now, and answers whatever he is told.
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = String::from_utf8(text).unwrap();
    let with_port = |port: u16| text.replacen(&format!("\n{}\n", note.port), &format!("\n{port}\n"), 1);
    let taken = with_port(stranger.local_addr().unwrap().port());
    let heard = thread::spawn(move || {
        let mut stream = stranger.accept().unwrap().0;
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
        stream.write_all(line.as_bytes()).unwrap();
        stream.read_to_string(&mut line).unwrap();
        line
    });
    leave(taken.as_bytes());
    assert!(matches!(hand_over(&opening("mayx://get?code=c"), &home.place()), Err(HandoverError::NobodyWaits)));
    assert!(!heard.join().unwrap().contains("code"), "the stranger was shown no code");
    assert!(!path.exists());
    // Nobody has its port: one that the system gives to no other test.
    dead = {
        drop(dead);
        leave(with_port(1).as_bytes());
        Waiting::open(&mayx(), None, &home.place()).unwrap()
    };
    // It died while it wrote.
    drop(dead);
    leave(b"fujie-handover 1\n491");
    drop(Waiting::open(&mayx(), None, &home.place()).unwrap());
    assert!(!path.exists());
}

#[test]
fn many_silent_connections_shut_nobody_out() {
    let home = Home::new("crowd");
    let waiting = Waiting::open(&mayx(), None, &home.place()).unwrap();
    let (path, note) = notes(&mayx(), &home.place()).unwrap().remove(0);
    let silent: Vec<_> = (0..40).map(|_| TcpStream::connect(("127.0.0.1", note.port)).unwrap()).collect();
    hand_over(&opening("mayx://get?code=c"), &home.place()).unwrap();
    assert!(path.exists());
    assert_eq!(waiting.wait(LONG).unwrap().code(), Ok("c"));
    drop(silent);
}

#[test]
fn a_process_that_is_there_but_says_nothing_keeps_its_file() {
    let home = Home::new("busy");
    let waiting = Waiting::open(&mayx(), None, &home.place()).unwrap();
    let (path, note) = notes(&mayx(), &home.place()).unwrap().remove(0);
    let text = fs::read_to_string(&path).unwrap();
    for is_closing in [true, false] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        fs::write(&path, text.replacen(&note.port.to_string(), &port.to_string(), 1)).unwrap();
        if is_closing {
            thread::spawn(move || listener.incoming().take(4).for_each(drop));
            let opened = Waiting::open(&mayx(), None, &home.place());
            assert!(matches!(opened, Err(HandoverError::Unanswered(own)) if own == path));
            assert!(path.exists());
        }
        let handed = hand_over(&opening("mayx://get?code=c"), &home.place());
        assert!(matches!(handed, Err(HandoverError::Unanswered(own)) if own == path));
        assert!(path.exists());
    }
    fs::write(&path, text).unwrap();
    drop(waiting);
    assert!(!path.exists());
}

#[cfg(unix)]
#[test]
fn of_two_processes_that_wait_the_one_with_the_state_gets_the_uri() {
    let home = Home::new("two");
    let first = Waiting::open(&mayx(), Some("s1"), &home.place_with_runtime()).unwrap();
    let second = Waiting::open(&mayx(), Some("s2"), &home.place()).unwrap();
    let place = home.place_with_runtime();
    assert_eq!(notes(&mayx(), &place).unwrap().len(), 2);
    assert!(matches!(hand_over(&opening("mayx://get?code=c&state=s3"), &place), Err(HandoverError::Refused)));
    hand_over(&opening("mayx://get?code=c2&state=s2"), &place).unwrap();
    hand_over(&opening("mayx://get?code=c1&state=s1"), &place).unwrap();
    assert_eq!(second.wait(LONG).unwrap().code(), Ok("c2"));
    assert_eq!(first.wait(LONG).unwrap().code(), Ok("c1"));
}

#[test]
fn debug_shows_no_state() {
    let home = Home::new("debug");
    let waiting = Waiting::open(&mayx(), Some("s3cret"), &home.place()).unwrap();
    let shown = format!("{waiting:?} {:?}", waiting.handle());
    assert!(shown.contains("mayx") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_file_that_was_replaced_is_not_removed_at_the_end() {
    let home = Home::new("replaced");
    let waiting = Waiting::open(&mayx(), None, &home.place()).unwrap();
    let (path, _) = notes(&mayx(), &home.place()).unwrap().remove(0);
    let other = format!("fujie-handover 1\n9\n{}\n{}\n", "a".repeat(64), "b".repeat(64));
    fs::write(&path, &other).unwrap();
    drop(waiting);
    assert_eq!(fs::read_to_string(&path).unwrap(), other);
}

#[test]
fn a_wait_ends_in_time_and_may_begin_again() {
    let home = Home::new("time");
    let waiting = Waiting::open(&mayx(), None, &home.place()).unwrap();
    let soon = Duration::from_millis(1);
    let ended = waiting.wait(soon);
    assert!(matches!(ended, Err(Error::TimedOut { refusal: None })));
    let place = home.place();
    let opener = thread::spawn(move || hand_over(&opening("mayx://get?error=access_denied"), &place));
    assert_eq!(waiting.wait(LONG).unwrap().code(), Err("access_denied"));
    opener.join().unwrap().unwrap();
}

#[cfg(unix)]
#[test]
fn only_this_user_reads_the_file_and_no_link_is_followed() {
    use std::os::unix::fs::{symlink, PermissionsExt};
    let home = Home::new("private");
    let waiting = Waiting::open(&mayx(), None, &home.place()).unwrap();
    let (path, _) = notes(&mayx(), &home.place()).unwrap().remove(0);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    // Somebody loosened the file: what it says is not believed.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let uri = opening("mayx://get?code=c");
    assert!(matches!(hand_over(&uri, &home.place()), Err(HandoverError::NotPrivate(_))));
    // A link stands in the place of the file.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let elsewhere = home.0.join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert!(matches!(file::read(&path, &home.place()), Err(HandoverError::NotPrivate(_))));
    assert!(matches!(Waiting::open(&mayx(), None, &home.place()), Err(HandoverError::NotPrivate(_))));
    drop(waiting);
    assert!(elsewhere.exists() && fs::symlink_metadata(&path).is_ok(), "neither was touched");
    // A folder that others may enter is not used.
    fs::remove_file(&path).unwrap();
    fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(Waiting::open(&mayx(), None, &home.place()), Err(HandoverError::NotPrivate(_))));
    // A link to a folder is none.
    fs::remove_dir(path.parent().unwrap()).unwrap();
    symlink(&home.0, path.parent().unwrap()).unwrap();
    assert!(matches!(Waiting::open(&mayx(), None, &home.place()), Err(HandoverError::NotPrivate(_))));
    assert!(!home.0.join("mayx").exists());
}

#[cfg(unix)]
#[test]
fn what_belongs_to_another_user_is_not_believed() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new("owner");
    let waiting = Waiting::open(&mayx(), None, &home.place()).unwrap();
    let (path, _) = notes(&mayx(), &home.place()).unwrap().remove(0);
    let folder = path.parent().unwrap().to_owned();
    let stranger = home.place().of_another_user();
    assert!(matches!(notes(&mayx(), &stranger), Err(HandoverError::NotPrivate(own)) if own == folder));
    assert!(matches!(Waiting::open(&mayx(), None, &stranger), Err(HandoverError::NotPrivate(own)) if own == folder));
    // Others may put files into the folder.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o770)).unwrap();
    assert!(matches!(notes(&mayx(), &home.place()), Err(HandoverError::NotPrivate(own)) if own == folder));
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    drop(waiting);
    assert!(!path.exists());
}

#[cfg(unix)]
#[test]
fn a_runtime_folder_of_another_user_is_none() {
    let home = Home::new("su");
    let place = home.place_with_runtime();
    assert_eq!(place.waiting_folders()[0], home.0.join("run/fujie"));
    let stranger = place.of_another_user();
    assert_eq!(stranger.waiting_folders(), [home.place().waiting_folder(), home.place().waiting_folder()]);
}
