//! `grader init`: the course's files, written out of the program itself.
//!
//! Owns: a folder with a course, where there was none. Must not: write over anything.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::here;
use crate::fault::Fault;
use crate::trust;
use crate::workspace::set_readable;

/// The course as it was when this program was compiled (`build.rs`).
const COURSE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/course.tar"));

/// The folder's name when none is given.
const FOLDER: &str = "docker-course";

/// Writes the course into a folder that is not there yet, or is empty.
pub fn run(folder: Option<&Path>, out: &mut dyn Write) -> Result<u8, Fault> {
    let to = here()?.join(folder.unwrap_or(Path::new(FOLDER)));
    write(&to)?;
    // It came out of this very program.
    trust::trust(&to)?;
    let shown = to.display();
    let text = format!(
        "The course is in {shown}\n\n  cd {shown}\n  grader doctor          # what this machine has and lacks\n  grader images make     # the base images\n  grader list            # the lessons\n"
    );
    out.write_all(text.as_bytes()).map_err(Fault::file("standard output"))?;
    Ok(0)
}

fn write(to: &Path) -> Result<(), Fault> {
    let is_free = std::fs::read_dir(to)
        .map_or_else(|error| error.kind() == std::io::ErrorKind::NotFound, |mut entries| entries.next().is_none());
    if !is_free {
        let message = format!("{} is there already: name a folder that is new or empty", to.display());
        return Err(Fault::Usage { message });
    }
    // Written beside it and renamed, so that a course is whole or not there.
    let parent = to.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    std::fs::create_dir_all(&parent).map_err(Fault::file(&parent))?;
    let unfinished = tempfile::Builder::new().prefix(".new-").tempdir_in(&parent).map_err(Fault::file(&parent))?;
    tar::Archive::new(COURSE).unpack(unfinished.path()).map_err(Fault::file(to))?;
    let path = unfinished.keep();
    set_readable(&path)?;
    std::fs::rename(&path, to).map_err(Fault::file(to))
}
