//! Base images in one file, to carry them to machines without a network.
//!
//! Owns: writing, checking and loading bundles. Must not: replace an image that came from a
//! registry, or a stand-in that is current.
//!
//! A bundle is a gzipped tar archive: first our own list of what it holds, then the entries that
//! `docker save` wrote. `docker load` skips the list, so it reads a bundle as well.

mod archive;
mod packing;

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use bollard::Docker;

use super::catalogue::{Catalogue, Recipe};
use super::tool::{Tool, Watch, log_file};
use super::{Say, State, Status, give_name, lock, look, look_all, remove};
use crate::fault::Fault;
use crate::sandbox::daemon;
use archive::{Contents, Entry, FORMAT, Flaw};

/// The longest that the daemon may take to load a bundle.
const LIMIT: Duration = Duration::from_secs(1800);

/// Writes the named images (or all that are here) into `file`, and gives its size in bytes.
pub async fn save(
    client: &Docker,
    catalogue: &Catalogue,
    file: &Path,
    called: &[String],
    say: &mut Say<'_>,
) -> Result<u64, Fault> {
    if let Some(recipe) = catalogue.recipes.iter().find(|recipe| file == Path::new(&recipe.reference)) {
        let name = &recipe.reference;
        return Err(Fault::Usage {
            message: format!("{name} is an image; the file comes first: `grader images save FILE {name}`"),
        });
    }
    let recipes = catalogue.named(called)?;
    let states = look_all(client, &recipes).await?;
    let (here, absent): (Vec<_>, Vec<_>) =
        recipes.into_iter().zip(states).partition(|(_, state)| state.status != Status::Absent);
    if let Some((recipe, _)) = absent.first()
        && (!called.is_empty() || here.is_empty())
    {
        return Err(Fault::ImageMissing { reference: recipe.reference.clone() });
    }
    for (recipe, _) in &absent {
        say(&format!("{}: absent, left out", recipe.reference));
    }
    let images: Vec<Entry> = here.iter().map(|(recipe, state)| entry(recipe, state)).collect();
    let names = images.iter().map(|entry| entry.reference.as_str());
    let mut command = daemon::command(&["save"].into_iter().chain(names).collect::<Vec<_>>());
    let contents = Contents { format: FORMAT.into(), images };
    for entry in &contents.images {
        say(&format!("{}: {:.0} MB before compression", entry.reference, entry.megabytes()));
    }
    let written = packing::write(&mut command, contents, file, say).await?;
    say(&format!("{}: {:.0} MB", file.display(), megabytes(written)));
    Ok(written)
}

fn entry(recipe: &Recipe, state: &State) -> Entry {
    Entry {
        reference: recipe.reference.clone(),
        id: state.id.clone().unwrap_or_default(),
        fingerprint: state.fingerprint.clone(),
        bytes: state.bytes,
        architecture: state.architecture.clone(),
    }
}

/// Checks a bundle, loads it, and says what came. What is here and better is kept.
pub async fn load(client: &Docker, catalogue: &Catalogue, file: &Path, say: &mut Say<'_>) -> Result<(), Fault> {
    say(&format!("{}: checking", file.display()));
    let contents = checked(file).await?;
    let version = client.version().await.map_err(Fault::docker("asking the daemon for its version"))?;
    let mut recipes = Vec::new();
    for entry in &contents.images {
        let refuse =
            |why: String| Err(Fault::Usage { message: format!("{} holds {}, {why}", file.display(), entry.reference) });
        let Some(recipe) = catalogue.get(&entry.reference) else {
            return refuse("which is no image of this course. Is it a bundle of another version of the course?".into());
        };
        if let Some(here) = version.arch.as_ref().filter(|arch| **arch != entry.architecture) {
            let why = format!(
                "which is for {} processors; this engine's is {here}. `grader images make` makes it here.",
                entry.architecture
            );
            return refuse(why);
        }
        recipes.push(recipe);
    }
    let _lock = lock::take(say).await?;
    let before = look_all(client, &recipes).await?;
    let keep = |state: &State| !state.status.wants_making();
    if before.iter().all(keep) {
        for (recipe, state) in recipes.iter().zip(&before) {
            say(&format!("{}: kept ({})", recipe.reference, state.status.words()));
        }
        return Ok(());
    }
    docker_load(file, say).await?;
    for (recipe, old) in recipes.into_iter().zip(before) {
        let name = &recipe.reference;
        let new = look(client, name, Some(&recipe.fingerprint)).await?;
        let (verb, state, leaving) = match &old.id {
            old_id if new.id == *old_id => ("here already", new.status, None),
            Some(old_id) if keep(&old) => {
                give_name(client, old_id, name).await?;
                ("kept", old.status, new.id)
            }
            _ => ("loaded", new.status, old.id),
        };
        if let Some(id) = leaving {
            remove::dangling(client, &id).await;
        }
        say(&format!("{name}: {verb} ({})", state.words()));
    }
    Ok(())
}

/// Reads the whole bundle once, so that a damaged one is told before anything is loaded.
async fn checked(file: &Path) -> Result<Contents, Fault> {
    let opened = File::open(file).map_err(Fault::file(file))?;
    let checked = tokio::task::spawn_blocking(move || archive::check(opened)).await;
    let checked = checked.map_err(|error| Fault::file(file)(error.into()))?;
    checked.map_err(|flaw| {
        let shown = file.display();
        let message = match flaw {
            Flaw::Foreign => format!(
                "{shown} was not written by `grader images save`. If you trust it: `docker load --input {shown}`"
            ),
            Flaw::Damaged(how) => {
                format!("{shown} is damaged or ends too early ({how}): copy it again, or have it saved again")
            }
            Flaw::Newer(format) => {
                format!("{shown} is a bundle of the form {format}, which this grader does not know: update the course")
            }
        };
        Fault::Usage { message }
    })
}

async fn docker_load(file: &Path, say: &mut Say<'_>) -> Result<(), Fault> {
    let log = log_file("load")?;
    let mut input = std::ffi::OsString::from("--input=");
    input.push(file);
    let command = daemon::command(&["load".into(), "--quiet".into(), input]);
    let name = file.display().to_string();
    let watch = Watch { name: &name, log: &log, limit: LIMIT, first_word: None };
    let ended = Tool::start(command)?.follow(&watch, say).await?;
    if !ended.ok() {
        let reason = ended.reason();
        if reason.contains("no space left") {
            return Err(Fault::DiskFull { reason: format!("loading {name}") });
        }
        return Err(Fault::Command { command: "docker load".into(), reason });
    }
    let _ = std::fs::remove_file(&log);
    Ok(())
}

fn megabytes(bytes: u64) -> f64 {
    u32::try_from(bytes / 1000).map_or(f64::INFINITY, |kilobytes| f64::from(kilobytes) / 1000.0)
}

impl Entry {
    fn megabytes(&self) -> f64 {
        megabytes(self.bytes)
    }
}
