//! Which courses may be believed.
//!
//! Owns: the list of courses that this user trusts, and finding one from a folder. Must not: read
//! what a course says.
//!
//! A course decides what is built, which scripts run on the machine, and what counts as right. One
//! that was merely found above the current folder may have come with a submission. So, as with git's
//! `safe.directory`, a course counts when somebody has said so: by `grader init`, which wrote it, by
//! `grader trust`, by naming it (`GRADER_COURSE`), or by running a grader that lies in it, as in the
//! checkout in which one works.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::course::{Course, CourseError};
use crate::fault::Fault;
use crate::paths;

/// The list's name in the state folder: a line for each course, the id of its owner and its path.
const LIST: &str = "trusted-courses";

/// A course that somebody has said may be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trusted {
    /// Whose the folder was then: somebody else's in its place is another course.
    owner: u32,
    root: PathBuf,
}

/// The nearest course at `start` or above it that may be believed. What only looks like one is passed
/// over: a submission in a learner's folder does not hide the course that the folder belongs to.
pub fn course_at(start: &Path) -> Result<Course, Fault> {
    let found: Vec<Course> = Course::candidates(start).collect();
    let trusted = if found.is_empty() { Vec::new() } else { read()? };
    let program = std::env::current_exe().and_then(|program| program.canonicalize()).ok();
    let believed = |course: &&Course| {
        let Ok(root) = course.root.canonicalize() else { return false };
        program.as_ref().is_some_and(|program| program.starts_with(&root)) || is_among(&root, &trusted)
    };
    if let Some(course) = found.iter().find(believed) {
        return Ok(course.clone());
    }
    Err(match found.into_iter().next() {
        Some(course) => CourseError::Unknown { root: course.root },
        None => CourseError::NotFound { start: start.to_path_buf() },
    }
    .into())
}

/// Trusts the course in a folder from now on.
pub fn trust(folder: &Path) -> Result<PathBuf, Fault> {
    let root = folder.canonicalize().map_err(Fault::file(folder))?;
    if Course::candidates(&root).next().is_none_or(|course| course.root != root) {
        let message = format!("{} is no course: it has no `exercises/` and `book/`", root.display());
        return Err(Fault::Usage { message });
    }
    if root.to_str().is_none_or(|path| path.contains('\n')) {
        let message = format!("the name of {} cannot be kept: give the folder another one", root.display());
        return Err(Fault::Usage { message });
    }
    let mut all = read()?;
    all.retain(|one| one.root != root);
    all.push(Trusted { owner: owner(&root).map_err(Fault::file(&root))?, root: root.clone() });
    write(&all)?;
    Ok(root)
}

/// Trusts a course no longer; tells whether it was trusted. Its folder may be gone already.
pub fn forget(folder: &Path) -> Result<bool, Fault> {
    let mut all = read()?;
    let (before, root) = (all.len(), folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf()));
    all.retain(|one| one.root != root);
    if all.len() < before {
        write(&all)?;
    }
    Ok(all.len() < before)
}

/// The folders of the courses that are trusted.
pub fn all() -> Result<Vec<PathBuf>, Fault> {
    Ok(read()?.into_iter().map(|one| one.root).collect())
}

fn is_among(root: &Path, trusted: &[Trusted]) -> bool {
    owner(root).is_ok_and(|owner| trusted.iter().any(|one| one.root == root && one.owner == owner))
}

fn owner(path: &Path) -> std::io::Result<u32> {
    Ok(fs::metadata(path)?.uid())
}

fn read() -> Result<Vec<Trusted>, Fault> {
    let path = paths::state()?.join(LIST);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().filter_map(parsed).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Fault::file(path)(error)),
    }
}

fn parsed(line: &str) -> Option<Trusted> {
    let (owner, root) = line.split_once(' ')?;
    Some(Trusted { owner: owner.parse().ok()?, root: PathBuf::from(root) })
}

/// Written beside it and renamed, so that the list is whole or as it was.
fn write(all: &[Trusted]) -> Result<(), Fault> {
    let folder = paths::state()?;
    let path = folder.join(LIST);
    let text: String = all.iter().map(|one| format!("{} {}\n", one.owner, one.root.display())).collect();
    let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(Fault::file(&path))?;
    file.write_all(text.as_bytes()).map_err(Fault::file(&path))?;
    file.persist(&path).map_err(|error| Fault::file(&path)(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_list_may_have_spaces_in_its_path_and_nonsense_is_left_out() {
        let root = PathBuf::from("/home/me/my course");
        assert_eq!(parsed("1000 /home/me/my course"), Some(Trusted { owner: 1000, root }));
        assert_eq!((parsed("/home/me"), parsed("")), (None, None));
    }

    #[test]
    fn a_folder_that_now_belongs_to_somebody_else_is_another_course() {
        let dir = tempfile::tempdir().expect("folder");
        let owner = owner(dir.path()).expect("owner");
        let trusted = |owner| [Trusted { owner, root: dir.path().to_path_buf() }];
        assert!(is_among(dir.path(), &trusted(owner)));
        assert!(!is_among(dir.path(), &trusted(owner + 1)));
        assert!(!is_among(&dir.path().join("x"), &trusted(owner)));
    }

    #[test]
    fn a_course_that_only_lies_above_is_named_and_not_believed() {
        let dir = tempfile::tempdir().expect("folder");
        fs::create_dir_all(dir.path().join("exercises/x")).expect("folder");
        fs::create_dir(dir.path().join("book")).expect("folder");
        let found = course_at(&dir.path().join("exercises/x"));
        assert!(matches!(found, Err(Fault::Course(CourseError::Unknown { root })) if root == dir.path()));
    }
}
