//! Registration on Windows: a key in `HKEY_CURRENT_USER\Software\Classes`, written by the system's own `reg.exe`, without
//! a shell. A value of ours repeats the command: where the two differ, somebody else has taken the key over.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use super::{Error, Place, Registration, SchemeName, Status, Unfit};

const CLASSES: &str = r"HKEY_CURRENT_USER\Software\Classes";
const COMMAND: &str = r"shell\open\command";
const ICON: &str = "DefaultIcon";
const MARK: &str = "FujieCommand";
const PROTOCOL: &str = "URL Protocol";

/// A value in the registry. All are strings; a key's default value has no name.
#[derive(Debug, PartialEq, Eq)]
struct Value {
    key: String,
    name: Option<&'static str>,
    data: String,
}

pub(super) fn render(registration: &Registration) -> Result<String, Error> {
    let escaped = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"");
    let (mut text, mut key) = ("Windows Registry Editor Version 5.00\r\n".to_owned(), String::new());
    for value in values(registration)? {
        if value.key != key {
            text.push_str(&format!("\r\n[{}]\r\n", value.key));
            key = value.key;
        }
        let name = value.name.map_or("@".to_owned(), |name| format!("\"{}\"", escaped(name)));
        text.push_str(&format!("{name}=\"{}\"\r\n", escaped(&value.data)));
    }
    Ok(text)
}

pub(super) fn register(registration: &Registration, place: &Place) -> Result<(), Error> {
    let values = values(registration)?;
    let was_absent = status(registration.name(), place)? == Status::Absent;
    let written = values.iter().try_for_each(|value| {
        let mut arguments = vec!["add", &value.key];
        match value.name {
            Some(name) => arguments.extend(["/v", name]),
            None => arguments.push("/ve"),
        }
        arguments.extend(["/t", "REG_SZ", "/d", &value.data, "/f"]);
        succeeded(reg(place, &arguments)?)
    });
    if written.is_err() && was_absent {
        // Half a registration is worse than none; the error that is told is the first one.
        drop(reg(place, &["delete", &key(registration.name()), "/f"]));
    }
    written
}

pub(super) fn unregister(name: &SchemeName, place: &Place) -> Result<bool, Error> {
    match status(name, place)? {
        Status::Ours { .. } => remove(&key(name), place).map(|()| true),
        Status::Foreign { by } => Err(Error::Foreign { by }),
        Status::Absent => Ok(false),
    }
}

/// Removes the values that we wrote, and the keys that are empty then: others may have put theirs beside ours.
fn remove(key: &str, place: &Place) -> Result<(), Error> {
    let below = |path: &str| format!(r"{key}\{path}");
    // Somebody may have removed these before us.
    drop(reg(place, &["delete", &below(ICON), "/ve", "/f"])?);
    drop(reg(place, &["delete", key, "/v", PROTOCOL, "/f"])?);
    drop(reg(place, &["delete", key, "/ve", "/f"])?);
    succeeded(reg(place, &["delete", &below(COMMAND), "/ve", "/f"])?)?;
    // At last, because by these two the key is known for ours.
    succeeded(reg(place, &["delete", key, "/v", MARK, "/f"])?)?;
    for emptied in [&below(ICON), &below(COMMAND), &below(r"shell\open"), &below("shell"), key] {
        let left = reg(place, &["query", emptied])?;
        if left.status.success() && is_empty(&left.stdout, emptied) {
            succeeded(reg(place, &["delete", emptied, "/f"])?)?;
        }
    }
    Ok(())
}

/// Whether `reg query` shows neither a value nor a key in a key.
fn is_empty(output: &[u8], key: &str) -> bool {
    let mut lines = output.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.all(|line| line.is_empty() || line.eq_ignore_ascii_case(key.as_bytes()))
}

pub(super) fn status(name: &SchemeName, place: &Place) -> Result<Status, Error> {
    let key = key(name);
    if !reg(place, &["query", &key])?.status.success() {
        // What a program registered for the whole machine is seen in the merged view only.
        let merged = format!(r"HKEY_CLASSES_ROOT\{name}");
        return Ok(match reg(place, &["query", &merged])?.status.success() {
            true => Status::Foreign { by: merged },
            false => Status::Absent,
        });
    }
    let command = reg(place, &["query", &format!(r"{key}\{COMMAND}"), "/ve"])?;
    let mark = reg(place, &["query", &key, "/v", MARK])?;
    Ok(match (data(&command.stdout), data(&mark.stdout)) {
        (Some(command), Some(mark)) if command == mark => {
            Status::Ours { command: String::from_utf8_lossy(command).into_owned() }
        }
        _ => Status::Foreign { by: key },
    })
}

fn key(name: &SchemeName) -> String {
    format!(r"{CLASSES}\{name}")
}

fn values(registration: &Registration) -> Result<Vec<Value>, Error> {
    let (key, command) = (key(registration.name()), command_line(registration)?);
    let value = |key: &str, name, data: &str| Value { key: key.to_owned(), name, data: data.to_owned() };
    Ok(vec![
        // First, so that a registration that breaks off is known for ours.
        value(&key, Some(MARK), &command),
        value(&key, None, &format!("URL:{}", registration.name())),
        value(&key, Some(PROTOCOL), ""),
        value(&format!(r"{key}\{ICON}"), None, &format!("\"{}\",0", registration.program)),
        value(&format!(r"{key}\{COMMAND}"), None, &command),
    ])
}

/// Every word in quotes, and the URI too: a path may have spaces in it and a URI may come with them.
fn command_line(registration: &Registration) -> Result<String, Error> {
    // Neither can be escaped in this place: `%` is taken for a placeholder, and a quote ends a word.
    if registration.words().any(|word| word.contains(&['"', '%'][..]) || word.ends_with('\\')) {
        return Err(Error::Unfit(Unfit::Windows));
    }
    let mut line = format!("\"{}\"", registration.program);
    for word in &registration.arguments {
        let is_plain = !word.is_empty() && !word.contains(char::is_whitespace);
        line.push_str(&if is_plain { format!(" {word}") } else { format!(" \"{word}\"") });
    }
    line.push_str(" \"%1\"");
    Ok(line)
}

/// The data of the one value that `reg query` shows. Only bytes, because its code page is the machine's: two data are
/// compared, not read.
fn data(output: &[u8]) -> Option<&[u8]> {
    const KIND: &[u8] = b"    REG_SZ    ";
    output.split(|byte| *byte == b'\n').find_map(|line| {
        let start = line.windows(KIND.len()).position(|part| part == KIND)?;
        let data = line.get(start + KIND.len()..)?;
        Some(data.strip_suffix(b"\r").unwrap_or(data))
    })
}

fn succeeded(output: Output) -> Result<(), Error> {
    match output.status.success() {
        true => Ok(()),
        false => Err(Error::Tool { name: "reg.exe", said: String::from_utf8_lossy(&output.stderr).trim().to_owned() }),
    }
}

fn reg(place: &Place, arguments: &[&str]) -> Result<Output, Error> {
    let program = place.system_program("reg.exe");
    run(&program, arguments).map_err(|error| Error::io(&program, error))
}

fn run(program: &Path, arguments: &[&str]) -> std::io::Result<Output> {
    Command::new(program).args(arguments).stdin(Stdio::null()).output()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(program: &str) -> Registration {
        Registration::with_program(SchemeName::parse("mayx").unwrap(), Path::new(program)).unwrap()
    }

    #[test]
    fn the_reg_file_quotes_the_program_and_the_uri() {
        assert_eq!(
            render(&registration(r"D:\my tools\fujie-receive.exe")).unwrap(),
            concat!(
                "Windows Registry Editor Version 5.00\r\n\r\n",
                "[HKEY_CURRENT_USER\\Software\\Classes\\mayx]\r\n",
                r#""FujieCommand"="\"D:\\my tools\\fujie-receive.exe\" scheme-open mayx \"%1\"""#,
                "\r\n@=\"URL:mayx\"\r\n\"URL Protocol\"=\"\"\r\n\r\n",
                "[HKEY_CURRENT_USER\\Software\\Classes\\mayx\\DefaultIcon]\r\n",
                r#"@="\"D:\\my tools\\fujie-receive.exe\",0""#,
                "\r\n\r\n[HKEY_CURRENT_USER\\Software\\Classes\\mayx\\shell\\open\\command]\r\n",
                r#"@="\"D:\\my tools\\fujie-receive.exe\" scheme-open mayx \"%1\"""#,
                "\r\n"
            )
        );
    }

    #[test]
    fn a_command_that_cannot_be_quoted_is_refused() {
        for program in [r"C:\100%1\x.exe", "C:\\a\"b.exe", "C:\\a\\"] {
            assert!(matches!(render(&registration(program)), Err(Error::Unfit(_))), "{program}");
        }
        let name = SchemeName::parse("mayx").unwrap();
        let words = [r"C:\my app\main.py".to_owned(), "--open".to_owned()];
        let python = Registration::with_command(name, Path::new(r"C:\py\python.exe"), words).unwrap();
        assert_eq!(command_line(&python).unwrap(), r#""C:\py\python.exe" "C:\my app\main.py" --open "%1""#);
    }

    #[test]
    fn a_key_with_anything_in_it_is_not_empty() {
        let key = r"HKEY_CURRENT_USER\Software\Classes\mayx";
        for empty in ["", "\r\n", "\r\nHKEY_CURRENT_USER\\Software\\Classes\\MayX\r\n\r\n"] {
            assert!(is_empty(empty.as_bytes(), key), "{empty:?}");
        }
        let value = b"\r\nHKEY_CURRENT_USER\\Software\\Classes\\mayx\r\n    EditFlags    REG_DWORD    0x2\r\n\r\n";
        assert!(!is_empty(value, key));
        assert!(!is_empty(b"\r\nHKEY_CURRENT_USER\\Software\\Classes\\mayx\\shell\r\n", key));
    }

    #[test]
    fn the_data_of_a_value_is_read_in_any_code_page() {
        let output = b"\r\nHKEY_CURRENT_USER\\Software\\Classes\\mayx\r\n    (\xc4\xac\xc8\xcf)    REG_SZ    \"C:\\\xc4\xac\\x\" \"%1\"\r\n\r\n";
        assert_eq!(data(output), Some(&b"\"C:\\\xc4\xac\\x\" \"%1\""[..]));
        assert_eq!(data(b"ERROR: The system was unable to find the specified registry key or value.\r\n"), None);
    }
}
