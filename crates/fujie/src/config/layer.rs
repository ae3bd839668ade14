//! Where values come from: built-in defaults, the file, the environment, flags; the later wins.
//!
//! Owns reading the sources and the names in them. What a value means is not looked at here.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{
    Sources,
    fault::Fault,
    schema::{self, Form, Place, Unknown},
};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Built in.
    Default,
    /// It follows from another key, which is named.
    Derived(&'static str),
    /// A file, and a line in it counted from 1.
    File(PathBuf, usize),
    /// A file that a line of a file names.
    FileFile(PathBuf, usize, PathBuf),
    /// An environment variable.
    Variable(String),
    /// A file that an environment variable names.
    VariableFile(String, PathBuf),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Derived(from) => write!(f, "default, from {from}"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::FileFile(path, line, file) => write!(f, "{}:{line}, {}", path.display(), file.display()),
            Self::Variable(name) => f.write_str(name),
            Self::VariableFile(name, path) => write!(f, "{name}, {}", path.display()),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value as written. Not `Debug`: it may be a secret.
pub(super) struct Given {
    /// `None` when it could not be read, which is told already.
    pub text: Option<String>,
    pub origin: Origin,
}

/// What all sources together say.
#[derive(Default)]
pub(super) struct Layers {
    /// The last word on every key that somebody gave.
    pub given: BTreeMap<String, Given>,
    /// Connections, in the order in which they were first named.
    pub connections: Vec<String>,
    pub faults: Vec<Fault>,
    /// The file could not be read: what is missing may well stand there.
    pub file_is_lost: bool,
}

impl Layers {
    /// Reads all sources; relative paths are taken below `base`.
    pub(super) fn read(base: &Path, sources: &Sources) -> Self {
        let mut layers = Self::default();
        let mut environment: Vec<_> = sources.environment.iter().collect();
        environment.sort();
        let variable = |name: &str| {
            let found = environment.iter().find(|(own, value)| own == name && !value.is_empty())?;
            Some(found.1.as_str())
        };
        if let Some(path) = variable("STATE_DIRECTORY").and_then(|paths| paths.split(':').next()) {
            // Set by the service manager; several folders are joined by colons.
            let origin = Origin::Variable("STATE_DIRECTORY".to_owned());
            layers.give("data_dir", Given { text: Some(path.to_owned()), origin });
        }
        let mut above = Self::default();
        above.environment(base, &environment);
        above.flags(&sources.flags);
        let named = sources.file.clone().or_else(|| variable("FUJIE_CONFIG").map(PathBuf::from));
        match named {
            Some(path) => layers.file(base, &path, Presence::Required),
            None => {
                let data_dir = above.given.get("data_dir").or_else(|| layers.given.get("data_dir"));
                let data_dir = data_dir.and_then(|given| given.text.clone());
                let data_dir = data_dir.or_else(|| schema::key_at("data_dir")?.default.map(str::to_owned));
                if !layers.file(base, Path::new("fujie.toml"), Presence::Optional) {
                    let path = Path::new(&data_dir.unwrap_or_default()).join("fujie.toml");
                    layers.file(base, &path, Presence::Optional);
                }
                true
            }
        };
        layers.lay_over(above);
        layers
    }

    fn lay_over(&mut self, above: Self) {
        self.given.extend(above.given);
        self.faults.extend(above.faults);
        above.connections.iter().for_each(|name| self.connection(name));
    }

    fn give(&mut self, path: &str, given: Given) {
        self.given.insert(path.to_owned(), given);
    }

    fn connection(&mut self, name: &str) {
        if !self.connections.iter().any(|own| own == name) {
            self.connections.push(name.to_owned());
        }
    }

    /// Reads a file; says whether there is one.
    fn file(&mut self, base: &Path, path: &Path, presence: Presence) -> bool {
        let text = match read_text(&base.join(path), FILE_BYTES_MAX) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && presence == Presence::Optional => return false,
            Err(error) => {
                self.file_is_lost = true;
                let what = format!("this configuration file cannot be read: {error}");
                self.faults.push(Fault::of_file(path.display(), what));
                return true;
            }
        };
        let lines = Lines { base, path, text: &text };
        let (table, errors) = DeTable::parse_recoverable(&text);
        if errors.is_empty() {
            self.table(&lines, &[], table.get_ref());
        } else {
            self.file_is_lost = true;
        }
        // The message names what TOML expects; the line itself, which may hold a secret, is not shown.
        let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
        let mut told: Vec<_> = errors.iter().map(|error| (start(error), error.message())).collect();
        told.sort_by_key(|(start, _)| *start);
        let mut told: Vec<_> = told.into_iter().map(|(start, message)| (lines.origin(start), message)).collect();
        told.dedup_by(|later, earlier| later.0 == earlier.0);
        for (origin, message) in told.into_iter().take(SYNTAX_FAULTS_MAX) {
            self.faults.push(Fault::of_file(origin, format!("not TOML: {}", message.replace('\n', "; "))));
        }
        true
    }

    fn table(&mut self, lines: &Lines<'_>, above: &[String], table: &DeTable<'_>) {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        for (name, value) in entries {
            let origin = lines.origin(name.span().start);
            let mut path = above.to_vec();
            path.push(name.get_ref().to_string());
            if let Some(table) = value.get_ref().as_table() {
                if self.section(&path, &origin) {
                    self.table(lines, &path, table);
                }
            } else if let (Some(secret), Some(file)) = (secret_named_by_file(&path), value.get_ref().as_str()) {
                self.file_file(lines, &secret, &origin, file);
            } else if let Some(key) = self.key(&path, &origin) {
                let path = path.join(".");
                if key.form == Form::Secret && self.given.contains_key(&path) {
                    self.faults.push(Fault::at(&path, &origin, SECRET_TWICE));
                    continue;
                }
                let text = match written(key.form, value.get_ref()) {
                    Ok(text) => Some(text),
                    Err(what) => {
                        self.faults.push(Fault::at(&path, &origin, what));
                        None
                    }
                };
                self.give(&path, Given { text, origin });
            }
        }
    }

    /// A line of the file that names a secret's file.
    fn file_file(&mut self, lines: &Lines<'_>, secret: &[String], origin: &Origin, file: &str) {
        let path = secret.join(".");
        // It is a key, or it would not be a secret's; named here so that its connection is known.
        if self.key(secret, origin).is_none() {
            return;
        }
        if self.given.contains_key(&path) {
            self.faults.push(Fault::at(&path, origin, SECRET_TWICE));
            return;
        }
        let origin = match origin {
            Origin::File(own, line) => Origin::FileFile(own.clone(), *line, PathBuf::from(file)),
            other => other.clone(),
        };
        let given = self.secret_file(lines.base, &path, origin, file);
        self.give(&path, given);
    }

    /// Whether `path` is a section; a fault if not.
    fn section(&mut self, path: &[String], origin: &Origin) -> bool {
        let what = match schema::place(path) {
            Place::Section => {
                if let [_, name] = path {
                    self.connection(name);
                }
                return true;
            }
            Place::Key(key) => format!("is a section here; write {}", expected(key.form)),
            Place::Unknown(unknown) => unknown_said(&unknown, origin, "section"),
            Place::Name => name_said(),
        };
        self.faults.push(Fault::at(&path.join("."), origin, what));
        false
    }

    /// The key at `path`; a fault if there is none.
    fn key(&mut self, path: &[String], origin: &Origin) -> Option<&'static schema::Key> {
        let what = match schema::place(path) {
            Place::Key(key) => {
                if let [_, name, _] = path {
                    self.connection(name);
                }
                return Some(key);
            }
            Place::Section => "is a section and has no value of its own; set the keys in it".to_owned(),
            Place::Unknown(unknown) => unknown_said(&unknown, origin, "key"),
            Place::Name => name_said(),
        };
        self.faults.push(Fault::at(&path.join("."), origin, what));
        None
    }

    fn environment(&mut self, base: &Path, environment: &[&(String, String)]) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (name, value) in environment {
            let Some(mut path) = variable_path(name) else { continue };
            let origin = Origin::Variable(name.clone());
            let file_of = secret_named_by_file(&path);
            if let Some(secret) = &file_of {
                path.clone_from(secret);
            }
            if self.key(&path, &origin).is_none() {
                continue;
            }
            let path = path.join(".");
            if let Some(other) = seen.insert(path.clone(), name) {
                self.faults.push(Fault::at(&path, &origin, format!("{other} sets it too; keep one of the two")));
                continue;
            }
            let given = match file_of {
                Some(_) => {
                    let origin = Origin::VariableFile(name.clone(), PathBuf::from(value));
                    self.secret_file(base, &path, origin, value)
                }
                None => Given { text: Some(value.clone()), origin },
            };
            self.give(&path, given);
        }
    }

    fn secret_file(&mut self, base: &Path, path: &str, origin: Origin, file: &str) -> Given {
        let text = match read_text(&base.join(file), SECRET_FILE_BYTES_MAX) {
            Ok(text) => {
                let line = text.strip_suffix('\n').unwrap_or(&text);
                Some(line.strip_suffix('\r').unwrap_or(line).to_owned())
            }
            Err(error) => {
                let what = match &origin {
                    Origin::VariableFile(name, _) => format!("the file that {name} names cannot be read: {error}"),
                    _ => format!("the file cannot be read: {error}"),
                };
                self.faults.push(Fault::at(path, &origin, what));
                None
            }
        };
        Given { text, origin }
    }

    fn flags(&mut self, flags: &[(String, String)]) {
        for (path, value) in flags {
            let origin = Origin::Flag(flag_name(path));
            let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
            if self.key(&parts, &origin).is_some() {
                self.give(path, Given { text: Some(value.clone()), origin });
            }
        }
    }
}

/// Must a file be there?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

/// A file's text, to say on which line something stands.
struct Lines<'a> {
    base: &'a Path,
    path: &'a Path,
    text: &'a str,
}

impl Lines<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
        Origin::File(self.path.to_owned(), before + 1)
    }
}

/// A value of the file as text, if it is written as the key wants it.
fn written(form: Form, value: &DeValue<'_>) -> Result<String, String> {
    match (form, value) {
        (Form::Text | Form::Secret, DeValue::String(text)) => Ok(text.to_string()),
        (Form::Switch, DeValue::Boolean(is_on)) => Ok(is_on.to_string()),
        (Form::Integer, DeValue::Integer(number)) => {
            let read = i64::from_str_radix(number.as_str(), number.radix());
            Ok(read.map_or_else(|_| number.as_str().to_owned(), |number| number.to_string()))
        }
        (form, value) => {
            let article = if matches!(value.type_str(), "integer" | "array") { "an" } else { "a" };
            Err(format!("is {article} {} here; write {}", value.type_str(), expected(form)))
        }
    }
}

const fn expected(form: Form) -> &'static str {
    match form {
        Form::Text | Form::Secret => "a string in quotes",
        Form::Integer => "an integer without quotes",
        Form::Switch => "true or false without quotes",
    }
}

fn unknown_said(unknown: &Unknown, origin: &Origin, noun: &str) -> String {
    match (&unknown.meant, origin) {
        (Some(meant), Origin::File(..)) if meant.len() == 1 && unknown.depth > 0 => {
            format!("unknown {noun}; did you mean `{}`, which stands above the first [section]?", meant.join("."))
        }
        (Some(meant), _) => format!("unknown {noun}; did you mean `{}`?", spelled(meant, origin)),
        (None, _) if unknown.known.is_empty() => format!("unknown {noun}; what stands above it is no section"),
        (None, _) => format!("unknown {noun}; known here: {}", unknown.known.join(", ")),
    }
}

fn name_said() -> String {
    "a connection's name is 1 to 32 of a-z, 0-9 and -; choose another".to_owned()
}

/// A path as this kind of source spells it.
fn spelled(path: &[String], origin: &Origin) -> String {
    match origin {
        Origin::Variable(_) | Origin::VariableFile(..) => variable_name(path),
        Origin::Flag(_) => flag_name(&path.join(".")),
        Origin::Default | Origin::Derived(_) | Origin::File(..) | Origin::FileFile(..) => path.join("."),
    }
}

/// `listen` → `--listen`, `log.level` → `--log-level`.
fn flag_name(path: &str) -> String {
    format!("--{}", path.replace(['.', '_'], "-"))
}

/// `connection.wechat-a.client_id` → `FUJIE__CONNECTION__WECHAT_A__CLIENT_ID`.
pub(super) fn variable_name(path: &[String]) -> String {
    let parts: Vec<String> = path.iter().map(|part| part.replace('-', "_").to_ascii_uppercase()).collect();
    format!("{PREFIX}{}", parts.join("__"))
}

/// The other way; `None` for a variable that is not ours. A name of a connection has no `_`, and shells allow no `-` in
/// a variable's name, so the one stands for the other there.
fn variable_path(name: &str) -> Option<Vec<String>> {
    let prefix = name.get(..PREFIX.len())?;
    let rest = name.get(PREFIX.len()..)?;
    if !prefix.eq_ignore_ascii_case(PREFIX) {
        return None;
    }
    let mut path: Vec<String> = rest.to_ascii_lowercase().split("__").map(str::to_owned).collect();
    if let [section, name, ..] = path.as_mut_slice()
        && section == "connection"
    {
        *name = name.replace('_', "-");
    }
    Some(path)
}

/// `…client_secret_file` → `…client_secret`: only secrets can be in files of their own.
fn secret_named_by_file(path: &[String]) -> Option<Vec<String>> {
    let (last, above) = path.split_last()?;
    let mut secret = above.to_vec();
    secret.push(last.strip_suffix("_file")?.to_owned());
    matches!(schema::place(&secret), Place::Key(key) if key.form == Form::Secret).then_some(secret)
}

/// A text file of at most `bytes_max` bytes.
fn read_text(path: &Path, bytes_max: u64) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(bytes_max + 1).read_to_string(&mut text)?;
    if text.len() as u64 > bytes_max {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it is longer than {bytes_max} bytes")));
    }
    Ok(text)
}

const SECRET_TWICE: &str = "the secret and its file are both given; keep one of the two";
/// What our variables begin with.
const PREFIX: &str = "FUJIE__";
/// No configuration file is longer.
const FILE_BYTES_MAX: u64 = 256 << 10;
/// No secret's file is longer.
const SECRET_FILE_BYTES_MAX: u64 = 64 << 10;
/// Syntax that goes wrong leads to more of it; these lines are enough.
const SYNTAX_FAULTS_MAX: usize = 5;
