//! Registration on Linux and the BSDs: a `.desktop` file (Desktop Entry Specification) and one line in `mimeapps.list`.
//! `update-desktop-database` is not asked for: its cache serves those who look for a program without a default.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process,
};

use super::{
    disk,
    mime_apps::{self, CACHE, DEFAULTS},
    Error, Place, Registration, SchemeName, Status, Unfit,
};

/// Longest file of the desktop's that is read or edited, in bytes.
const FILE_LENGTH_MAX: usize = 1024 * 1024;

pub(super) fn render(registration: &Registration) -> Result<String, Error> {
    let (mime_type, id, entry) = (mime_type(registration.name()), id(registration.name()), entry(registration)?);
    Ok(format!(
        "# ~/.local/share/applications/{id}\n# and in ~/.config/mimeapps.list, under [{DEFAULTS}]: {mime_type}={id}\n\
         {entry}"
    ))
}

pub(super) fn register(registration: &Registration, place: &Place) -> Result<(), Error> {
    let (entry, name) = (entry(registration)?, registration.name());
    let list = place.mime_apps();
    let text = read(&list)?.unwrap_or_default();
    replace(&place.applications().join(id(name)), entry.as_bytes())?;
    replace_if_changed(&list, &text, &mime_apps::with_default(&text, &mime_type(name), &id(name)))?;
    Ok(())
}

pub(super) fn unregister(name: &SchemeName, place: &Place) -> Result<bool, Error> {
    let (file, list) = (place.applications().join(id(name)), place.mime_apps());
    let entry = read(&file)?;
    match &entry {
        Some(entry) if !is_ours(entry, name) => return Err(Error::Foreign { by: shown(&file) }),
        Some(_) => fs::remove_file(&file).map_err(|error| Error::io(&file, error))?,
        None => {}
    }
    let text = read(&list)?.unwrap_or_default();
    let without = mime_apps::without_default(&text, &mime_type(name), &id(name));
    replace_if_changed(&list, &text, &without)?;
    let is_removed = entry.is_some() || text != without;
    match status(name, place)? {
        Status::Foreign { by } if !is_removed => Err(Error::Foreign { by }),
        _ => Ok(is_removed),
    }
}

pub(super) fn status(name: &SchemeName, place: &Place) -> Result<Status, Error> {
    let (mime_type, id) = (mime_type(name), id(name));
    let file = place.applications().join(&id);
    let entry = read(&file)?;
    if entry.as_ref().map_or(false, |entry| !is_ours(entry, name)) {
        return Ok(Status::Foreign { by: shown(&file) });
    }
    for list in place.mime_lists() {
        let text = read(&list)?.unwrap_or_default();
        for own in mime_apps::handlers(&text, DEFAULTS, &mime_type) {
            match &entry {
                _ if own != id.as_bytes() => return Ok(foreign(own, &list)),
                Some(entry) => return Ok(Status::Ours { command: command(entry) }),
                // A program without an entry is passed over by the desktop too.
                None => {}
            }
        }
    }
    // An installed application may open the type without having been made the default.
    for folder in place.data_folders() {
        let cache = folder.join("applications/mimeinfo.cache");
        let text = read(&cache)?.unwrap_or_default();
        let offers = mime_apps::handlers(&text, CACHE, &mime_type);
        if let Some(other) = offers.into_iter().find(|own| *own != id.as_bytes()) {
            return Ok(foreign(other, &cache));
        }
    }
    Ok(Status::Absent)
}

fn command(entry: &[u8]) -> String {
    let command = entry.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"Exec="));
    String::from_utf8_lossy(command.unwrap_or_default()).into_owned()
}

fn foreign(id: &[u8], list: &Path) -> Status {
    Status::Foreign { by: [&*String::from_utf8_lossy(id), " in ", &list.to_string_lossy()].concat() }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn id(name: &SchemeName) -> String {
    format!("fujie-{name}.desktop")
}

fn mime_type(name: &SchemeName) -> String {
    format!("x-scheme-handler/{name}")
}

/// The `.desktop` file.
fn entry(registration: &Registration) -> Result<String, Error> {
    let (name, mime_type) = (registration.name(), mime_type(registration.name()));
    // GLib looks for the program before it undoes `%%`; the specification forbids `=`.
    if registration.program.contains(&['%', '='][..]) {
        return Err(Error::Unfit(Unfit::Desktop));
    }
    let words: Vec<_> = registration.words().map(quoted).collect();
    Ok(format!(
        "[Desktop Entry]\nType=Application\nName={name}\nComment=Opens {name}: URIs\nExec={} %u\nTerminal=false\n\
         NoDisplay=true\nStartupNotify=false\nMimeType={mime_type};\nX-Fujie-Scheme={name}\n",
        words.join(" ")
    ))
}

fn is_ours(entry: &[u8], name: &SchemeName) -> bool {
    let mark = format!("X-Fujie-Scheme={name}").into_bytes();
    entry.split(|byte| *byte == b'\n').any(|line| line == mark)
}

/// A word of `Exec=`: quoted where a reserved character demands it, and only there, because xdg-open before 1.2 takes
/// the quotes for a part of the path.
fn quoted(word: &str) -> String {
    let is_reserved = |c: char| c.is_whitespace() || "\"'\\><~|&;$*?#()`".contains(c);
    // `%` begins a field code.
    let word = word.replace('%', "%%");
    if !word.is_empty() && !word.contains(is_reserved) {
        return word;
    }
    let mut inner = String::with_capacity(word.len() + 8);
    for c in word.chars() {
        if "\"`$\\".contains(c) {
            inner.push('\\');
        }
        inner.push(c);
    }
    // A value is unescaped once more, as a string, before it is taken apart into words.
    format!("\"{}\"", inner.replace('\\', "\\\\"))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::File::open(path).and_then(|file| disk::read(file, FILE_LENGTH_MAX + 1)) {
        Ok(bytes) if bytes.len() > FILE_LENGTH_MAX => {
            Err(Error::io(path, io::Error::new(io::ErrorKind::Other, "too long")))
        }
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(path, error)),
    }
}

fn replace_if_changed(path: &Path, before: &[u8], after: &[u8]) -> Result<(), Error> {
    match before == after {
        true => Ok(()),
        false => replace(path, after),
    }
}

/// Puts a whole file in the place of another: a reader sees the one or the other. What a link points to is replaced, not
/// the link, and keeps its permissions.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |error| Error::io(path, error);
    if let Some(folder) = path.parent() {
        disk::make_folder(folder).map_err(failed)?;
    }
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(_) if fs::symlink_metadata(path).is_ok() => {
            return Err(failed(io::Error::new(io::ErrorKind::NotFound, "a link that leads nowhere")));
        }
        Err(_) => path.to_owned(),
    };
    let mut beside = target.clone().into_os_string();
    beside.push(format!(".fujie-{}", process::id()));
    let written = fs::OpenOptions::new().write(true).create_new(true).open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        if let Ok(metadata) = fs::metadata(&target) {
            file.set_permissions(metadata.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&beside, &target)
    });
    written.map_err(|error| {
        // A name that was taken already is not ours to remove.
        if error.kind() != io::ErrorKind::AlreadyExists {
            drop(fs::remove_file(&beside));
        }
        failed(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(program: &str) -> Registration {
        Registration::with_program(SchemeName::parse("mayx").unwrap(), Path::new(program)).unwrap()
    }

    #[test]
    fn the_entry_is_written_as_the_specification_says() {
        assert_eq!(
            entry(&registration("/usr/bin/fujie-receive")).unwrap(),
            "[Desktop Entry]\nType=Application\nName=mayx\nComment=Opens mayx: URIs\n\
             Exec=/usr/bin/fujie-receive scheme-open mayx %u\nTerminal=false\nNoDisplay=true\nStartupNotify=false\n\
             MimeType=x-scheme-handler/mayx;\nX-Fujie-Scheme=mayx\n"
        );
        let text = render(&registration("/usr/bin/fujie-receive")).unwrap();
        assert!(text.contains("x-scheme-handler/mayx=fujie-mayx.desktop") && text.starts_with('#'));
    }

    #[test]
    fn a_word_is_quoted_where_a_reserved_character_demands_it() {
        assert_eq!(quoted("/opt/福/x"), "/opt/福/x");
        assert_eq!(quoted("/a b/x"), "\"/a b/x\"");
        assert_eq!(quoted("a$`\"\\"), r#""a\\$\\`\\"\\\\""#);
        assert_eq!(quoted("100%u"), "100%%u");
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(quoted("it's"), "\"it's\"");
    }

    #[test]
    fn a_program_that_a_desktop_cannot_start_is_refused() {
        for program in ["/a%b/x", "/a=b/x"] {
            assert!(matches!(entry(&registration(program)), Err(Error::Unfit(_))), "{program}");
        }
        let name = SchemeName::parse("mayx").unwrap();
        assert!(matches!(Registration::with_program(name, Path::new("/a\nExec=evil")), Err(Error::Unfit(_))));
    }

    #[test]
    fn only_an_entry_with_our_mark_is_ours() {
        let name = SchemeName::parse("mayx").unwrap();
        assert!(is_ours(b"[Desktop Entry]\nX-Fujie-Scheme=mayx\n", &name));
        assert!(!is_ours(b"[Desktop Entry]\nX-Fujie-Scheme=mayx2\n#X-Fujie-Scheme=mayx\n", &name));
    }
}
