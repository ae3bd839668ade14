//! Registration on macOS: an applet in `~/Applications`. The system brings a URI as an Apple event, never as an argument
//! and never to a shell script, so the launcher is three lines of AppleScript that the system's own `osacompile` makes
//! into an applet; our `Info.plist` takes the place of the applet's.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
};

use super::{disk, Error, Place, Registration, SchemeName, Status};

const LAUNCH_SERVICES: &str = "/System/Library/Frameworks/CoreServices.framework/Frameworks/LaunchServices.framework/\
                               Support/lsregister";
/// No more of an `Info.plist` is read, in bytes.
const PLIST_LENGTH_MAX: usize = 64 * 1024;
const COMMAND: &str = "<key>FujieLauncher</key><string>";

pub(super) fn render(registration: &Registration) -> Result<String, Error> {
    let name = registration.name();
    Ok(format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>CFBundleExecutable</key><string>applet</string>
  <key>CFBundleIdentifier</key><string>fujie.scheme.{}</string>
  <key>CFBundleInfoDictionaryVersion</key><string>6.0</string>
  <key>CFBundleName</key><string>{name}</string>
  <key>CFBundlePackageType</key><string>APPL</string>
  <key>CFBundleShortVersionString</key><string>1.0</string>
  <key>CFBundleURLTypes</key>
  <array>
    <dict>
      <key>CFBundleTypeRole</key><string>Viewer</string>
      <key>CFBundleURLName</key><string>{name}</string>
      <key>CFBundleURLSchemes</key><array><string>{name}</string></array>
    </dict>
  </array>
  <key>LSUIElement</key><true/>
  {}
  {COMMAND}{}</string>
</dict>
</plist>
"#,
        // An identifier has letters, digits, `-` and `.` only.
        name.as_str().replace('+', "-plus-"),
        mark(name),
        escaped(&launcher(registration)),
    ))
}

pub(super) fn register(registration: &Registration, place: &Place) -> Result<(), Error> {
    let (plist, bundle) = (render(registration)?, bundle(registration.name(), place));
    let making = bundle.with_extension(format!("{}.app", process::id()));
    let folder = place.home.join("Applications");
    disk::make_folder(&folder).map_err(|error| Error::io(&folder, error))?;
    let mut compile = Command::new("/usr/bin/osacompile");
    compile.arg("-o").arg(&making);
    for line in launcher(registration).lines() {
        compile.arg("-e").arg(line);
    }
    let made = run(&mut compile, "osacompile").and_then(|()| {
        let file = making.join("Contents/Info.plist");
        fs::write(&file, plist).map_err(|error| Error::io(&file, error))?;
        // The applet was signed with the other Info.plist.
        run(Command::new("/usr/bin/codesign").args(["--force", "--sign", "-"]).arg(&making), "codesign")?;
        remove(&bundle)?;
        fs::rename(&making, &bundle).map_err(|error| Error::io(&bundle, error))
    });
    if made.is_err() {
        drop(fs::remove_dir_all(&making));
    }
    made.and_then(|()| run(Command::new(LAUNCH_SERVICES).arg("-f").arg(&bundle), "lsregister"))
}

pub(super) fn unregister(name: &SchemeName, place: &Place) -> Result<bool, Error> {
    match status(name, place)? {
        Status::Ours { .. } => {
            let bundle = bundle(name, place);
            // An applet that is gone is forgotten in time; to be told is only quicker.
            drop(run(Command::new(LAUNCH_SERVICES).arg("-u").arg(&bundle), "lsregister"));
            remove(&bundle).map(|()| true)
        }
        Status::Foreign { by } => Err(Error::Foreign { by }),
        Status::Absent => Ok(false),
    }
}

/// Sees our own place only: who else opens a scheme is asked of Launch Services through no tool.
pub(super) fn status(name: &SchemeName, place: &Place) -> Result<Status, Error> {
    let bundle = bundle(name, place);
    if fs::symlink_metadata(&bundle).is_err() {
        return Ok(Status::Absent);
    }
    let file = fs::File::open(bundle.join("Contents/Info.plist"));
    let bytes = file.and_then(|file| disk::read(file, PLIST_LENGTH_MAX)).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let launcher = text.split_once(COMMAND).and_then(|(_, rest)| rest.split_once("</string>"));
    Ok(match launcher {
        Some((launcher, _)) if text.contains(&mark(name)) => Status::Ours { command: launcher.trim().to_owned() },
        _ => Status::Foreign { by: bundle.display().to_string() },
    })
}

fn bundle(name: &SchemeName, place: &Place) -> PathBuf {
    place.home.join("Applications").join(format!("fujie-{name}.app"))
}

fn mark(name: &SchemeName) -> String {
    format!("<key>FujieScheme</key><string>{name}</string>")
}

/// `quoted form of` makes one word of whatever a URI contains.
fn launcher(registration: &Registration) -> String {
    let word = |word: &str| format!("quoted form of \"{}\"", word.replace('\\', r"\\").replace('"', "\\\""));
    let words: Vec<_> = registration.words().map(word).collect();
    format!(
        "on open location theURI\ndo shell script {} & \" \" & quoted form of theURI\nend open location\n",
        words.join(" & \" \" & ")
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn remove(bundle: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(bundle) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(bundle, error)),
        _ => Ok(()),
    }
}

fn run(command: &mut Command, name: &'static str) -> Result<(), Error> {
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(Error::Tool { name, said: String::from_utf8_lossy(&output.stderr).trim().to_owned() }),
        Err(error) => Err(Error::Tool { name, said: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(name: &str, program: &str) -> Registration {
        Registration::with_program(SchemeName::parse(name).unwrap(), Path::new(program)).unwrap()
    }

    #[test]
    fn the_applet_claims_the_scheme_and_quotes_the_uri() {
        let own = registration("web+mayx", "/Applications/a & \"b\"/fujie-receive");
        let text = render(&own).unwrap();
        assert!(text.contains("<key>CFBundleURLSchemes</key><array><string>web+mayx</string></array>"));
        assert!(text.contains("<string>fujie.scheme.web-plus-mayx</string>"));
        assert!(text.contains("quoted form of \"/Applications/a &amp; \\\"b\\\"/fujie-receive\" &amp; \" \" &amp;"));
        assert_eq!(
            launcher(&registration("mayx", "/opt/x")),
            "on open location theURI\ndo shell script quoted form of \"/opt/x\" & \" \" & quoted form of \
             \"scheme-open\" & \" \" & quoted form of \"mayx\" & \" \" & quoted form of theURI\nend open location\n"
        );
    }

    #[test]
    fn only_an_applet_with_our_mark_is_ours() {
        let home = std::env::temp_dir().join(format!("fujie-macos-{}", process::id()));
        let place = Place::from_variables(|name| (name == "HOME").then(|| home.clone().into())).unwrap();
        let own = registration("mayx", "/opt/x");
        let bundle = bundle(own.name(), &place);
        assert_eq!(status(own.name(), &place).unwrap(), Status::Absent);
        fs::create_dir_all(bundle.join("Contents")).unwrap();
        fs::write(bundle.join("Contents/Info.plist"), "<plist/>").unwrap();
        assert!(matches!(status(own.name(), &place).unwrap(), Status::Foreign { .. }));
        assert!(matches!(unregister(own.name(), &place), Err(Error::Foreign { .. })));
        fs::write(bundle.join("Contents/Info.plist"), render(&own).unwrap()).unwrap();
        assert!(matches!(status(own.name(), &place).unwrap(), Status::Ours { command } if command.contains("/opt/x")));
        // Longer than any of ours: what stands behind the limit is not read.
        let padded = ["<!--", &" ".repeat(PLIST_LENGTH_MAX), "-->", &render(&own).unwrap()].concat();
        fs::write(bundle.join("Contents/Info.plist"), padded).unwrap();
        assert!(matches!(status(own.name(), &place).unwrap(), Status::Foreign { .. }));
        fs::write(bundle.join("Contents/Info.plist"), render(&own).unwrap()).unwrap();
        assert!(unregister(own.name(), &place).unwrap() && !bundle.exists());
        fs::remove_dir_all(&home).unwrap();
    }
}
