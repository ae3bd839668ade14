//! Reading a `.netrc` file: machine, login, password.
//!
//! Owns the format as curl and Python read it, and where the file is looked for. To whom what it
//! says is shown is the session's.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Error;
use crate::secret::Secret;

/// Bytes of the file, at most.
const NETRC_LENGTH_MAX: u64 = 256 * 1024;

/// What a `.netrc` says about one host.
pub(super) struct Entry {
    pub login: String,
    pub password: Secret,
}

impl fmt::Debug for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Entry([redacted])")
    }
}

/// The file that `NETRC` names, else the one in the home folder.
pub(super) fn usual_path() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("NETRC").filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    let home = std::env::home_dir()?;
    let name = if cfg!(windows) { "_netrc" } else { ".netrc" };
    Some(home.join(name)).filter(|path| path.exists())
}

/// What the file says about this host, or else about every host.
pub(super) fn read(path: &Path, host: &str) -> Result<Option<Entry>, Error> {
    let fault = |what| move |source: std::io::Error| Error::Setup { what, source: Some(source.into()) };
    let file = File::open(path).map_err(fault("cannot open its .netrc"))?;
    let mut text = Zeroizing::new(String::new());
    let read = file.take(NETRC_LENGTH_MAX + 1).read_to_string(&mut text).map_err(fault("cannot read its .netrc"))?;
    if read as u64 > NETRC_LENGTH_MAX {
        return Err(Error::Setup { what: "has a .netrc of more than 256 KiB", source: None });
    }
    Ok(find(&text, host))
}

fn find(text: &str, host: &str) -> Option<Entry> {
    let mut words = Words { rest: text };
    let mut drafts: Vec<Draft> = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "machine" => drafts.push(Draft { machine: words.next(), ..Draft::default() }),
            "default" => drafts.push(Draft::default()),
            "macdef" => words.skip_macro(),
            key @ ("login" | "user" | "password" | "account") => {
                let value = words.next();
                match (drafts.last_mut(), key) {
                    (Some(draft), "password") => draft.password = value,
                    (Some(draft), "login" | "user") => draft.login = value,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    let is_ours = |draft: &Draft| draft.machine.as_deref().is_some_and(|machine| machine.eq_ignore_ascii_case(host));
    // The first entry that fits is the one.
    let at = drafts.iter().position(is_ours).or_else(|| drafts.iter().position(|draft| draft.machine.is_none()))?;
    let draft = drafts.swap_remove(at);
    Some(Entry { login: draft.login.unwrap_or_default(), password: Secret::new(draft.password?) })
}

/// One entry as far as it is read. The entry for every host names no machine.
#[derive(Default)]
struct Draft {
    machine: Option<String>,
    login: Option<String>,
    password: Option<String>,
}

/// Words, some of them in quotes; a word that begins with `#` ends its line, unless a value is
/// due: passwords may begin so.
struct Words<'t> {
    rest: &'t str,
}

impl Words<'_> {
    /// A macro lasts to the next empty line.
    fn skip_macro(&mut self) {
        let ends = [self.rest.find("\n\n").map(|at| at + 2), self.rest.find("\n\r\n").map(|at| at + 3)];
        let end = ends.into_iter().flatten().min();
        self.rest = end.and_then(|end| self.rest.get(end..)).unwrap_or_default();
    }

    fn quoted(&mut self, inside: &str) -> String {
        let mut word = String::new();
        let mut characters = inside.chars();
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                '\\' => word.extend(characters.next()),
                character => word.push(character),
            }
        }
        // What stands behind the closing quote is the rest, of which this is the end.
        let left = characters.as_str().len();
        self.rest = self.rest.get(self.rest.len() - left..).unwrap_or_default();
        word
    }
}

impl Iterator for Words<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        while let Some(comment) = self.rest.strip_prefix("# ").or_else(|| self.rest.strip_prefix("#\n")) {
            self.rest = comment.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
        }
        if let Some(inside) = self.rest.strip_prefix('"') {
            return Some(self.quoted(inside));
        }
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, host: &str, expected: Option<(&str, &str)>) {
        let entry = find(text, host);
        let entry = entry.as_ref().map(|entry| (entry.login.as_str(), entry.password.expose()));
        assert_eq!(entry, expected, "{host} in {text}");
    }

    #[test]
    fn a_host_has_its_login_and_password() {
        let text = "# mine\nmachine a.example login alice password pa\n\
                    machine b.example\n\tlogin bob\n\taccount x\n\tpassword \"p b\\\"\"\n\
                    macdef init\n machine c.example login evil password evil\n\n\
                    machine A.example login later password later\n\
                    default login anonymous password guest\n";
        check(text, "a.example", Some(("alice", "pa")));
        check(text, "b.example", Some(("bob", "p b\"")));
        check(text, "c.example", Some(("anonymous", "guest")));
        check(text, "example", Some(("anonymous", "guest")));
    }

    #[test]
    fn odd_files_say_nothing_and_end() {
        for text in ["", "machine", "machine a.example login", "login x password y", "macdef", "\"", "#", "\\"] {
            check(text, "a.example", None);
        }
        check("machine a.example password #1", "a.example", Some(("", "#1")));
        check("machine a.example login x", "a.example", None);
    }
}
