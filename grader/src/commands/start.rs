//! `grader start` and `grader reset`: the learner's copy of an exercise.
//!
//! Owns: what is said about it. Must not: copy files itself.

use std::io::Write;
use std::path::Path;

use super::here;
use crate::course::{Course, Lesson};
use crate::fault::Fault;
use crate::workspace;

/// Makes the copy.
pub fn start(course: &Course, lesson: &Lesson, out: &mut dyn Write) -> Result<u8, Fault> {
    let (folder, is_new) = workspace::start(course, lesson)?;
    let shown = shown(&folder);
    let text = if is_new {
        format!(
            "Your copy of {} is in {shown}\n\nFiles to work on: {}\nThe rest is given; the grader always uses its own copy of it.\n\n  cd {shown}\n  grader check\n",
            lesson.spec.id,
            lesson.spec.deliver.join(", ")
        )
    } else {
        format!(
            "{shown} is there already, and was left as it is. `grader reset {}` puts the starter back.\n",
            lesson.spec.id
        )
    };
    out.write_all(text.as_bytes()).map_err(Fault::file("standard output"))?;
    Ok(0)
}

/// Puts the starter back.
pub fn reset(course: &Course, lesson: &Lesson, out: &mut dyn Write) -> Result<u8, Fault> {
    let inside = here().is_ok_and(|dir| dir.starts_with(workspace::folder(course, lesson)));
    let (folder, snapshot) = workspace::reset(course, lesson)?;
    let mut text = format!("The starter's files are back in {}\n", shown(&folder));
    if let Some(snapshot) = snapshot {
        text = format!("{text}What you had is kept in {}\n", snapshot.display());
    }
    if inside {
        text.push_str("Your shell is still in the old folder: run `cd .` once.\n");
    }
    out.write_all(text.as_bytes()).map_err(Fault::file("standard output"))?;
    Ok(0)
}

/// The path relative to the current folder where that is shorter.
fn shown(path: &Path) -> String {
    let relative = here().ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    relative.filter(|path| !path.as_os_str().is_empty()).unwrap_or_else(|| path.to_path_buf()).display().to_string()
}
