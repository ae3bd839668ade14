//! Shell completions and manual pages. Both are drawn from the definitions that the arguments are parsed by, so neither
//! can say anything else than the program does.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::{Context as _, Result};
use clap::Args;
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
pub fn complete(wish: &Completions, mut command: clap::Command) -> Result<()> {
    // Into memory first: the generator takes a closed pipe for a bug.
    let mut script = Vec::new();
    clap_complete::generate(wish.shell, &mut command, "fujie", &mut script);
    Ok(io::stdout().write_all(&script)?)
}

/// Prints the page of the whole program, or writes the pages of all commands.
pub fn write(wish: &Manual, command: clap::Command) -> Result<()> {
    // `help` has no page of its own.
    let command = command.disable_help_subcommand(true);
    let Some(folder) = &wish.folder else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        return Ok(io::stdout().write_all(&page)?);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .with_context(|| format!("{} cannot be written to", folder.display()))
}
