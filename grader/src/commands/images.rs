//! `grader images`: shows, makes, removes and carries base images.
//!
//! Owns: its arguments and what it prints. Must not: know how any of it is done.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::fault::Fault;
use crate::images::{self, Catalogue, Recipe, State, Status, bundle, make, remove};
use crate::sandbox::daemon;

/// What to do with the course's base images.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ImagesCommand {
    /// Show which images the course uses, and whether they are here.
    List,
    /// Bring what is missing or outdated: from a registry, or as a stand-in made on this machine.
    ///
    /// Each missing image is asked for at its registry first. Where none answers, a stand-in is
    /// made by the recipe in images/. Stand-ins whose recipe has changed are made anew. An image
    /// that came from a registry is never replaced.
    Make {
        /// References such as node:22-bookworm-slim; left out, all images of the course.
        #[arg(value_name = "IMAGE")]
        images: Vec<String>,
    },
    /// Remove stand-ins.
    ///
    /// Only stand-ins of the course are removed, never an image that came from a registry.
    Remove {
        /// References such as node:22-bookworm-slim; left out, all stand-ins.
        #[arg(value_name = "IMAGE")]
        images: Vec<String>,
    },
    /// Write images into a file, for machines without a network.
    Save {
        /// The file, such as course-images.tar.gz.
        file: PathBuf,
        /// References such as node:22-bookworm-slim; left out, all that are here.
        #[arg(value_name = "IMAGE")]
        images: Vec<String>,
    },
    /// Read images from a file that `grader images save` has written.
    ///
    /// The file is checked before anything is loaded. Images that came from a registry and
    /// stand-ins that are current are kept.
    Load {
        /// The file.
        file: PathBuf,
    },
}

/// Runs the command for the course in `root`; gives the exit code. Ctrl-C ends the tools that
/// were started, too: they would go on without us.
pub async fn run(root: &Path, command: ImagesCommand, out: &mut dyn Write) -> Result<u8, Fault> {
    tokio::select! {
        done = work(root, command, out) => done,
        () = super::interrupted() => Err(Fault::Interrupted),
    }
}

async fn work(root: &Path, command: ImagesCommand, out: &mut dyn Write) -> Result<u8, Fault> {
    let catalogue = Catalogue::load(root)?;
    let client = daemon::connect().await?;
    let mut written = Ok(());
    let mut say = |line: &str| {
        // A reader that has gone away must not leave an image half made.
        if written.is_ok() {
            written = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    };
    match command {
        ImagesCommand::List => {
            let recipes: Vec<&Recipe> = catalogue.recipes.iter().collect();
            let states = images::look_all(&client, &recipes).await?;
            for line in table(&recipes, &states) {
                say(&line);
            }
        }
        ImagesCommand::Make { images } => make::make(&client, &catalogue, &catalogue.named(&images)?, &mut say).await?,
        ImagesCommand::Remove { images } => remove::stand_ins(&client, &catalogue, &images, &mut say).await?,
        ImagesCommand::Save { file, images } => {
            bundle::save(&client, &catalogue, &file, &images, &mut say).await?;
        }
        ImagesCommand::Load { file } => bundle::load(&client, &catalogue, &file, &mut say).await?,
    }
    written.map_err(Fault::file("standard output"))?;
    Ok(0)
}

fn table(recipes: &[&Recipe], states: &[State]) -> Vec<String> {
    let width = recipes.iter().map(|recipe| recipe.reference.len()).max().unwrap_or(0);
    let mut lines = vec![format!("{:width$}  {:18}  {:>7}", "IMAGE", "STATUS", "SIZE")];
    for (recipe, state) in recipes.iter().zip(states) {
        let size = if state.bytes == 0 { "-".to_owned() } else { format!("{} MB", state.bytes.div_ceil(1_000_000)) };
        lines.push(format!("{:width$}  {:18}  {size:>7}", recipe.reference, state.status.words()));
    }
    let any = |wanted: Status| states.iter().any(|state| state.status == wanted);
    if any(Status::Absent) || any(Status::Outdated) {
        lines.push("`grader images make` makes what is absent or outdated.".into());
    }
    lines
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(subcommand)]
        command: ImagesCommand,
    }

    #[test]
    fn arguments_are_read() {
        Cli::command().debug_assert();
        let parse = |words: &[&str]| Cli::try_parse_from([&["images"], words].concat()).map(|cli| cli.command);
        assert_eq!(parse(&["list"]).unwrap(), ImagesCommand::List);
        assert_eq!(parse(&["make"]).unwrap(), ImagesCommand::Make { images: vec![] });
        let save = ImagesCommand::Save { file: "f".into(), images: vec!["a:1".into()] };
        assert_eq!(parse(&["save", "f", "a:1"]).unwrap(), save);
        assert!(parse(&["load"]).is_err());
    }
}
