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
    let mut options: Vec<(&str, String)> = Vec::new();
    for line in HELP.lines() {
        match (line.strip_prefix("  -"), options.last_mut()) {
            (Some(_), _) => {
                let (names, text) = line.trim_start().split_once("  ").unwrap_or((line.trim(), ""));
                options.push((names, text.trim().to_owned()));
            }
            (None, Some((_, text))) if line.starts_with(FAR) => {
                text.push(' ');
                text.push_str(line.trim());
            }
            _ => {}
        }
    }
    options.into_iter().filter_map(|(names, text)| receiver_option(names, text)).collect()
}

/// `-q, --quiet` or `--port N[,N...]`.
fn receiver_option(names: &str, text: String) -> Option<Arg> {
    let (short, long) = names.split_once("--")?;
    let (long, value) = long.split_once(' ').map_or((long, None), |(long, value)| (long, Some(value.trim())));
    let option = Arg::new(long.to_owned()).long(long.to_owned()).help(text);
    let option = match short.strip_prefix('-').and_then(|short| short.chars().next()) {
        Some(short) => option.short(short),
        None => option,
    };
    Some(match value {
        Some(value) => option.value_name(value.to_owned()),
        None => option.action(ArgAction::SetTrue),
    })
}

/// What `fujie receive --help` prints.
const HELP: &str = include_str!("../../fujie-receiver/src/command/help.en.txt");
/// Where an option's text goes on.
const FAR: &str = "          ";
