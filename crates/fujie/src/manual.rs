//! Shell completions and manual pages. Both are drawn from the definitions that the arguments are parsed by, and from
//! the receiver's own help where the receiver reads them, so neither can say anything else than the program does.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::{Context as _, Result};
use clap::{Arg, ArgAction, Args};
use clap_complete::Shell;
use clap_mangen::Man;

/// `fujie completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell that is to complete.
    shell: Shell,
}

/// `fujie man`.
#[derive(Debug, Args)]
pub struct Manual {
    /// Folder to write a page for each command to. Default: print the first page, for `fujie man | man -l -`.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Prints what the shell is to load.
pub fn complete(wish: &Completions, command: clap::Command) -> Result<()> {
    let mut command = with_receiver(command);
    // Into memory first: the generator takes a closed pipe for a bug.
    let mut script = Vec::new();
    clap_complete::generate(wish.shell, &mut command, "fujie", &mut script);
    Ok(io::stdout().write_all(&script)?)
}

/// Prints the page of the whole program, or writes the pages of all commands.
pub fn write(wish: &Manual, command: clap::Command) -> Result<()> {
    // `help` has no page of its own.
    let command = with_receiver(command).disable_help_subcommand(true);
    let Some(folder) = &wish.folder else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        return Ok(io::stdout().write_all(&page)?);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .with_context(|| format!("{} cannot be written to", folder.display()))
}

/// The command line with what `fujie-receiver` reads by itself.
fn with_receiver(command: clap::Command) -> clap::Command {
    command.mut_subcommand("receive", |receive| receive.args(receiver_options())).mut_subcommand("scheme", |scheme| {
        scheme.mut_arg("words", |words| {
            words.value_parser(["register", "unregister", "status"]).value_name("ACTION NAME")
        })
    })
}

/// The options of the receiver's help: `  --port N[,N...]     ports to try …`, gone on with on lines far to the right.
fn receiver_options() -> Vec<Arg> {
    let mut options: Vec<Vec<&str>> = Vec::new();
    for line in HELP.lines() {
        match options.last_mut() {
            _ if line.starts_with("  -") => options.push(line.split_whitespace().collect()),
            Some(words) if line.starts_with(FAR) => words.extend(line.split_whitespace()),
            _ => {}
        }
    }
    options.iter().filter_map(|words| receiver_option(words)).collect()
}

/// `-q, --quiet say …` or `--port N[,N...] ports …`.
fn receiver_option(words: &[&str]) -> Option<Arg> {
    let at = words.iter().position(|word| word.starts_with("--"))?;
    let (names, words) = words.split_at(at + 1);
    let long = names.last()?.strip_prefix("--")?.to_owned();
    let option = Arg::new(long.clone()).long(long);
    let option = match names.first()?.strip_suffix(',').and_then(|short| short.chars().nth(1)) {
        Some(short) => option.short(short),
        None => option,
    };
    // A value is written in capitals, or as a choice.
    Some(match words.split_first() {
        Some((value, words)) if value.contains('|') || !value.contains(char::is_lowercase) => {
            // The one name that an option's text has a place for.
            option.value_name((*value).to_owned()).help(words.join(" ").replace("{}", "fujie scheme"))
        }
        _ => option.action(ArgAction::SetTrue).help(words.join(" ")),
    })
}

/// What `fujie receive --help` prints.
const HELP: &str = include_str!("../../fujie-receiver/src/command/help.en.txt");
/// Where an option's text goes on.
const FAR: &str = "          ";
