//! Whether a recipe has changed since a stand-in was made.
//!
//! Owns: what counts as an input of a recipe, and their hash. Must not: talk to Docker.
//!
//! Names, contents and exec bits count; dates, owners and the course's own place do not.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::course::{CourseError, source::Source};

/// The comment by which a shell script says which file it sources, from the course's root.
const SOURCES: &str = "# shellcheck source=";

/// The hash of everything that an image is made from: the recipe's folder, the files that its
/// scripts source, the lessons' lockfiles if it gets them, and the recipe that it stands on.
pub fn of(root: &Path, dir: &Path, lockfiles: bool, on: Option<&str>) -> Result<String, CourseError> {
    let own = files_below(dir)?;
    let mut paths: BTreeSet<PathBuf> = own.iter().cloned().collect();
    let mut unread = own;
    while let Some(path) = unread.pop() {
        for sourced in sourced_by(root, &path)? {
            if paths.insert(sourced.clone()) {
                unread.push(sourced);
            }
        }
    }
    if lockfiles {
        paths.extend(self::lockfiles(root)?.into_iter().flat_map(|lesson| lesson.files));
    }
    let mut hasher = Sha256::new();
    for path in &paths {
        let name = path.strip_prefix(root).unwrap_or(path);
        let unreadable = |source| CourseError::Unreadable { path: path.clone(), source };
        let executable = fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o111 != 0;
        field(&mut hasher, name.as_os_str().as_encoded_bytes());
        field(&mut hasher, &[u8::from(executable)]);
        field(&mut hasher, &fs::read(path).map_err(unreadable)?);
    }
    field(&mut hasher, on.unwrap_or_default().as_bytes());
    // 64 bits tell versions of one recipe apart, and can be read in a label.
    let start = hasher.finalize().first_chunk().copied().unwrap_or_default();
    Ok(format!("{:016x}", u64::from_be_bytes(start)))
}

/// Adds one value, with its length, so that no two lists of values give the same bytes.
fn field(hasher: &mut Sha256, bytes: &[u8]) {
    hasher.update((bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

fn files_below(dir: &Path) -> Result<Vec<PathBuf>, CourseError> {
    let mut files = Vec::new();
    for entry in WalkDir::new(dir).follow_links(true) {
        let entry = entry.map_err(|error| CourseError::Unreadable { path: dir.to_path_buf(), source: error.into() })?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

fn sourced_by(root: &Path, script: &Path) -> Result<Vec<PathBuf>, CourseError> {
    let Ok(source) = Source::read(root, script) else {
        // What is no text sources nothing; what cannot be read is told when it is hashed.
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let Some(name) = line.trim().strip_prefix(SOURCES) else { continue };
        let path = root.join(name.trim());
        if name.trim() == "/dev/null" {
            continue;
        }
        if !path.is_file() {
            let span = source.span_of_line(index + 1);
            return Err(source.error(span, format!("there is no {}", name.trim()), "a path from the course's root"));
        }
        found.push(path);
    }
    Ok(found)
}

/// The lockfile of one lesson.
pub struct Lockfile {
    /// The lesson's folder name, such as `lesson36-dev-vs-prod`.
    pub lesson: String,
    /// `package.json` and `package-lock.json`.
    pub files: [PathBuf; 2],
}

/// The lockfiles of all lessons that have one, by the names of their folders.
pub fn lockfiles(root: &Path) -> Result<Vec<Lockfile>, CourseError> {
    let exercises = root.join("exercises");
    let unreadable = |source| CourseError::Unreadable { path: exercises.clone(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(&exercises).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let files = ["package.json", "package-lock.json"].map(|name| entry.path().join("starter").join(name));
        if files.iter().all(|file| file.is_file()) {
            found.push(Lockfile { lesson: entry.file_name().to_string_lossy().into_owned(), files });
        }
    }
    found.sort_by(|a, b| a.lesson.cmp(&b.lesson));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::catalogue::tests::sample_course;

    fn rootfs(root: &Path) -> String {
        of(root, &root.join("images/base-1"), false, None).unwrap()
    }

    #[test]
    fn it_depends_on_contents_and_not_on_place_or_dates() {
        let (one, other) = (sample_course(), sample_course());
        assert_eq!(rootfs(one.path()), rootfs(other.path()));
        let recipe = one.path().join("images/base-1/rootfs.sh");
        let text = fs::read(&recipe).unwrap();
        fs::write(&recipe, text).unwrap();
        assert_eq!(rootfs(one.path()), rootfs(other.path()));
    }

    #[test]
    fn every_input_changes_it() {
        let course = sample_course();
        let root = course.path();
        let mut seen = BTreeSet::from([rootfs(root)]);
        let mut changed = |what: &str| assert!(seen.insert(rootfs(root)), "{what}");
        fs::write(root.join("images/base-1/rootfs.sh"), "# shellcheck source=lib.sh\ntrue\n").unwrap();
        changed("the recipe");
        fs::write(root.join("lib.sh"), "# other\n").unwrap();
        changed("a sourced file");
        fs::write(root.join("images/base-1/more.txt"), "").unwrap();
        changed("a new file");
        fs::rename(root.join("images/base-1/more.txt"), root.join("images/base-1/other.txt")).unwrap();
        changed("a file's name");
        fs::set_permissions(root.join("images/base-1/other.txt"), fs::Permissions::from_mode(0o755)).unwrap();
        changed("the exec bit");
    }

    #[test]
    fn lockfiles_and_what_it_stands_on_count_only_where_they_are_used() {
        let course = sample_course();
        let root = course.path();
        let app = |on: &str, lockfiles| of(root, &root.join("images/app-2"), lockfiles, Some(on)).unwrap();
        let (with, without) = (app("a", true), app("a", false));
        assert_ne!(app("b", true), with);
        fs::write(root.join("exercises/lesson01-x/starter/package-lock.json"), "{\"new\": 1}").unwrap();
        assert_ne!(app("a", true), with);
        assert_eq!(app("a", false), without);
        fs::write(root.join("exercises/lesson01-x/starter/other.js"), "").unwrap();
        assert_eq!(lockfiles(root).unwrap().len(), 1);
    }

    #[test]
    fn a_sourced_file_that_is_not_there_is_told_with_its_line() {
        let course = sample_course();
        fs::remove_file(course.path().join("lib.sh")).unwrap();
        let error = of(course.path(), &course.path().join("images/base-1"), false, None).unwrap_err().to_string();
        assert!(error.contains("images/base-1/rootfs.sh:2"), "{error}");
    }
}
