//! Completions and manual pages, as a shell and `man` take them.

use std::{
    fs,
    io::Write as _,
    process::{Command, Output, Stdio},
};

fn fujie(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fujie")).args(arguments).output().unwrap()
}

fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a person finds who presses the Tab key in bash behind these words.
fn completed(words: &[&str]) -> Vec<String> {
    let script = r#"
        source /dev/stdin
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _fujie fujie "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let mut bash = Command::new("bash");
    bash.args(["-c", script, "bash"]).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut bash = bash.spawn().unwrap();
    bash.stdin.take().unwrap().write_all(text(fujie(&["completions", "bash"])).as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    text(output).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_options() {
    assert_eq!(completed(&["fujie", "sim"]), ["simulate"]);
    assert_eq!(completed(&["fujie", "client", "ad"]), ["add"]);
    assert_eq!(completed(&["fujie", "serve", "--iss"]), ["--issuer"]);
    assert_eq!(completed(&["fujie", "receive", "--fo"]), ["--form-post"]);
    assert_eq!(completed(&["fujie", "nothing-like-this"]), [""]);
}

#[test]
fn every_shell_has_completions() {
    for (shell, mark) in [
        ("bash", "complete -F _fujie"),
        ("zsh", "#compdef fujie"),
        ("fish", "complete -c fujie"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName 'fujie'"),
    ] {
        let script = text(fujie(&["completions", shell]));
        assert!(script.contains(mark) && script.contains("simulate"), "{shell}:\n{script}");
    }
    assert!(!fujie(&["completions", "nothing-like-this"]).status.success());
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    text(fujie(&["man", pages.to_str().unwrap()]));
    // What one page names is another page.
    for entry in fs::read_dir(&pages).unwrap() {
        let page = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(page.starts_with(".ie") && page.contains("\n.TH ") && page.contains("\n.SH SYNOPSIS"), "{page}");
        for named in page.split("fujie\\-").skip(1).filter_map(|rest| rest.split_once("(1)")) {
            let name = format!("fujie-{}.1", named.0.replace("\\-", "-"));
            assert!(named.0.contains(char::is_whitespace) || pages.join(&name).exists(), "{name} is missing");
        }
    }
    let page = |name: &str| fs::read_to_string(pages.join(name)).unwrap();
    assert!(page("fujie-client-add.1").contains("redirect\\-uri"));
    // Every option that the receiver's own help shows, and the whole of what it says there.
    let (receive, help) = (page("fujie-receive.1"), text(fujie(&["receive", "--help", "--lang", "en"])));
    let options = help.lines().filter_map(|line| line.strip_prefix("  ")?.split_once("--")?.1.split(' ').next());
    let options: Vec<_> = options.map(|name| format!("\\-\\-{}", name.replace('-', "\\-"))).collect();
    assert!(options.len() > 10 && options.iter().all(|name| receive.contains(name)), "{options:?}\n{receive}");
    assert!(receive.contains("listen as well when no link came by then") && !receive.contains("SECONDS with"));
    assert!(receive.contains("once before: fujie scheme register NAME"), "{receive}");
    assert!(receive.contains("take a code without a state; only for a provider that returns none"), "{receive}");
}

#[test]
fn the_manual_page_is_read_without_complaint() {
    let page = fujie(&["man"]).stdout;
    let mut groff = Command::new("groff");
    groff.args(["-man", "-ww", "-Tutf8"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut groff = groff.spawn().unwrap_or_else(|error| panic!("groff: {error}: run ./test"));
    groff.stdin.take().unwrap().write_all(&page).unwrap();
    let output = groff.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(text(output).contains("Run simulated providers"));
}
