//! The learner's own copies of exercises.
//!
//! Owns: making and resetting copies, with a snapshot of whatever is replaced, and copies of
//! solutions elsewhere. Must not: delete anything that is not in a snapshot.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::course::solution::Solution;
use crate::course::{Course, Lesson, LessonName};
use crate::fault::Fault;
use crate::sandbox::scratch::{copy_tree, ordinary, personalise_tree};
use crate::submission::is_inside;
use crate::{learner, paths};

/// The learner's folder of a lesson.
#[must_use]
pub fn folder(course: &Course, lesson: &Lesson) -> PathBuf {
    course.workspace().join(lesson.folder())
}

/// The lesson whose folder `start` lies in, if it does.
pub fn lesson_at(course: &Course, start: &Path) -> Result<Option<LessonName>, Fault> {
    let workspace = course.workspace();
    let Ok(workspace) = workspace.canonicalize() else { return Ok(None) };
    let start = start.canonicalize().map_err(Fault::file(start))?;
    let Ok(inside) = start.strip_prefix(&workspace) else { return Ok(None) };
    let name = inside.components().next().map(|part| part.as_os_str().to_owned());
    Ok(course.names()?.into_iter().find(|lesson| name.as_deref() == lesson.dir.file_name()))
}

/// Makes the learner's copy. One that is there already is left as it is (`false`).
pub fn start(course: &Course, lesson: &Lesson) -> Result<(PathBuf, bool), Fault> {
    let to = folder(course, lesson);
    if to.exists() {
        return Ok((to, false));
    }
    put_starter(lesson, &to)?;
    Ok((to, true))
}

/// Puts the starter's files in the place of the learner's. Returns the snapshot of what was
/// there.
pub fn reset(course: &Course, lesson: &Lesson) -> Result<(PathBuf, Option<PathBuf>), Fault> {
    let to = folder(course, lesson);
    let snapshot = if to.exists() { Some(snapshot(lesson, &to)?) } else { None };
    put_starter(lesson, &to)?;
    Ok((to, snapshot))
}

/// Writes the starter with a solution over it to a folder that does not exist yet and is not among
/// learners' copies.
pub fn copy_solution(course: &Course, lesson: &Lesson, solution: &Solution, to: &Path) -> Result<(), Fault> {
    if to.symlink_metadata().is_ok() {
        let message = format!("{} is there already: name a folder that does not exist yet", to.display());
        return Err(Fault::Usage { message });
    }
    let is_among = |folder: &Path| is_inside(to, folder) || to.starts_with(folder);
    if is_among(&course.workspace()) {
        let message =
            format!("{} is among your own copies, where no solution is written: name a folder elsewhere", to.display());
        return Err(Fault::Usage { message });
    }
    put(&[&lesson.starter(), &solution.dir], &learner::number(&lesson.spec.id)?, to)
}

/// Moves the learner's folder to a snapshot, whole, so that nothing can be lost on the way.
fn snapshot(lesson: &Lesson, from: &Path) -> Result<PathBuf, Fault> {
    let now = jiff::Zoned::now().strftime("%Y-%m-%d-%H%M%S").to_string();
    let parent = paths::state()?.join("snapshots").join(lesson.folder());
    paths::own_folder(&parent)?;
    let numbered = |number: u32| parent.join(if number == 1 { now.clone() } else { format!("{now}-{number}") });
    let to = (1..10_000).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| parent.join(&now));
    if fs::rename(from, &to).is_ok() {
        return Ok(to);
    }
    // Another file system: copy all, and only then take the original away.
    let copied = copy_all(from, &to);
    if copied.is_err() {
        let _ = fs::remove_dir_all(&to);
    }
    copied?;
    fs::remove_dir_all(from).map_err(Fault::file(from))?;
    Ok(to)
}

/// Unlike the copies for a run, a snapshot has everything.
fn copy_all(from: &Path, to: &Path) -> Result<(), Fault> {
    copy_tree(from, to)?;
    for left_out in crate::sandbox::scratch::NOT_COPIED {
        let folder = from.join(left_out);
        if folder.is_dir() {
            fs::create_dir_all(to.join(left_out)).map_err(Fault::file(to))?;
            copy_tree(&folder, &to.join(left_out))?;
        }
    }
    Ok(())
}

fn put_starter(lesson: &Lesson, to: &Path) -> Result<(), Fault> {
    put(&[&lesson.starter()], &learner::renew(&lesson.spec.id)?, to)
}

/// Lays folders over each other, with the learner's number filled in, in a folder beside the place and renames it, so that a copy is
/// whole or not there.
fn put(layers: &[&Path], number: &str, to: &Path) -> Result<(), Fault> {
    let parent = to.parent().unwrap_or(to);
    fs::create_dir_all(parent).map_err(Fault::file(parent))?;
    let unfinished = tempfile::Builder::new().prefix(".new-").tempdir_in(parent).map_err(Fault::file(parent))?;
    for layer in layers {
        copy_tree(layer, unfinished.path())?;
    }
    personalise_tree(unfinished.path(), number)?;
    let path = unfinished.keep();
    set_readable(&path)?;
    fs::rename(&path, to).map_err(Fault::file(to))
}

/// Opens a folder to be read: a learner's folder is an ordinary one, whatever the umask says: its containers run as other users, and
/// read what is mounted.
pub fn set_readable(path: &Path) -> Result<(), Fault> {
    for entry in walkdir::WalkDir::new(path) {
        let entry = entry.map_err(|error| Fault::file(path)(error.into()))?;
        let data = entry.metadata().map_err(|error| Fault::file(entry.path())(error.into()))?;
        if data.is_symlink() {
            continue;
        }
        let mode = if data.is_dir() { 0o755 } else { ordinary(data.permissions().mode()) };
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode)).map_err(Fault::file(entry.path()))?;
    }
    Ok(())
}
