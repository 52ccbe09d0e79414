//! The learner's files, as the page edits them.
//!
//! Owns: which files may be read and written, and that nobody's edit is lost. Must not: follow a
//! link, or leave the exercise's folder.

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::problem::Problem;
use crate::course::Lesson;
use crate::fault::Fault;
use crate::memory::Tree;
use crate::sandbox::scratch::{NOT_COPIED, given_files};
use crate::submission::{TEXT_BYTES, plain};

/// The most files that are listed, among so many that are looked at.
const MOST: usize = 500;
const LOOKED_AT: usize = 20_000;
/// The most text that all of them together may have, bytes: a page has it all at once.
const ALL_TEXT_BYTES: u64 = 4_000_000;

/// A file of the exercise.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileEntry {
    /// The path below the exercise's folder.
    pub path: String,
    /// Whether it is given: the grader uses the course's own copy, so an edit has no effect.
    pub given: bool,
    /// The SHA-256 of its content, by which a change is noticed.
    pub digest: String,
    /// Its text; absent where it is no text, longer than a million bytes, or where all files have more than four million.
    pub text: Option<String>,
}

/// All files of the folder, and those that are to be delivered and are not there yet.
pub fn list(lesson: &Lesson, folder: &Path) -> Result<Vec<FileEntry>, Fault> {
    let given = given_files(lesson)?;
    let kept = |entry: &walkdir::DirEntry| !NOT_COPIED.iter().any(|name| entry.file_name() == *name);
    let walk = WalkDir::new(folder).into_iter().filter_entry(kept).take(LOOKED_AT).flatten();
    let mut found: Vec<_> = walk.filter(|entry| entry.file_type().is_file()).collect();
    found.sort_by(|one, other| one.path().cmp(other.path()));
    found.truncate(MOST);
    let mut left = ALL_TEXT_BYTES;
    let mut files: Vec<FileEntry> = found
        .iter()
        .map(|entry| {
            let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let bytes = plain::read(entry.path(), TEXT_BYTES.min(left)).ok();
            left -= bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
            FileEntry {
                path: relative.display().to_string(),
                given: given.iter().any(|path| path == relative),
                digest: digest(bytes.as_deref().unwrap_or_default()),
                text: bytes.and_then(|bytes| String::from_utf8(bytes).ok()),
            }
        })
        .collect();
    let missing: Vec<_> =
        lesson.spec.deliver.iter().filter(|path| !files.iter().any(|file| file.path == **path)).collect();
    let empty =
        |path: &String| FileEntry { path: path.clone(), given: false, digest: digest(b""), text: Some(String::new()) };
    let missing: Vec<FileEntry> = missing.into_iter().map(empty).collect();
    files.extend(missing);
    files.sort_by_cached_key(|file| place_in_list(file, &lesson.spec.deliver));
    Ok(files)
}

/// What has to be written as the lesson orders it, what was added, and what is given, which begins with
/// what tells of the rest.
fn place_in_list(file: &FileEntry, deliver: &[String]) -> (bool, usize, bool, String) {
    let wanted = deliver.iter().position(|path| *path == file.path).unwrap_or(deliver.len());
    (file.given, wanted, file.path != "README.md", file.path.clone())
}

/// Writes a file, if it is still what the page has seen: `base` is the digest of that.
pub fn write(folder: &Path, path: &str, text: &str, base: &str) -> Result<FileEntry, Problem> {
    let target = place(folder, path)?;
    let too_long = |whose: &str| {
        let error = format!("{path} {whose} more than {TEXT_BYTES} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, error, "Edit it in another editor.")
    };
    if text.len() as u64 > TEXT_BYTES {
        return Err(too_long("would have"));
    }
    let now = match fs::symlink_metadata(&target) {
        Ok(data) if data.is_file() => match plain::read(&target, TEXT_BYTES) {
            Err(error) if error.kind() == ErrorKind::FileTooLarge => return Err(too_long("has")),
            read => read.map_err(Fault::file(&target))?,
        },
        Ok(_) => {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                format!("{path} is no plain file"),
                "Look at it in a terminal.",
            ));
        }
        Err(_) => Vec::new(),
    };
    if digest(&now) != base {
        let remedy = "Compare both, and save again what is to stay.";
        let mut problem = Problem::new(StatusCode::CONFLICT, format!("{path} was changed elsewhere meanwhile"), remedy);
        problem.current = String::from_utf8(now).ok();
        return Err(problem);
    }
    let parent = target.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(Fault::file(parent))?;
    // Written beside it and renamed: nobody reads half of it, and a link in its place is not followed.
    let mut new = tempfile::Builder::new().prefix(".saving-").tempfile_in(parent).map_err(Fault::file(parent))?;
    std::io::Write::write_all(&mut new, text.as_bytes()).map_err(Fault::file(&target))?;
    let mode = fs::symlink_metadata(&target)
        .map_or_else(|_| std::os::unix::fs::PermissionsExt::from_mode(0o644), |data| data.permissions());
    fs::set_permissions(new.path(), mode).map_err(Fault::file(&target))?;
    new.persist(&target).map_err(|error| Fault::file(&target)(error.error))?;
    Ok(FileEntry { path: path.to_owned(), given: false, digest: digest(text.as_bytes()), text: None })
}

/// The digest of everything in the folder, by which a page notices that something has changed; empty where there is no
/// folder.
pub fn state(folder: &Path) -> String {
    if !folder.is_dir() {
        return String::new();
    }
    // What cannot be read is a state of its own, which ends, too.
    Tree::glance(folder).map_or_else(|fault| digest(fault.to_string().as_bytes()), |tree| tree.key().to_string())
}

/// The file's place, if that lies in the folder and no link leads there.
fn place(folder: &Path, path: &str) -> Result<PathBuf, Problem> {
    let refuse =
        |error: String| Problem::new(StatusCode::BAD_REQUEST, error, "It wants a path such as `src/server.js`.");
    let parts: Vec<_> = Path::new(path).components().collect();
    let is_plain = !parts.is_empty() && parts.iter().all(|part| matches!(part, Component::Normal(_)));
    if !is_plain || path.contains('\0') || path.len() > 300 || path.ends_with('/') {
        return Err(refuse(format!("{path:?} is no file of the exercise")));
    }
    let mut at = folder.to_path_buf();
    for part in &parts[..parts.len() - 1] {
        at.push(part);
        if fs::symlink_metadata(&at).is_ok_and(|data| !data.is_dir()) {
            return Err(refuse(format!("{path:?} leads through something that is no folder")));
        }
    }
    Ok(folder.join(path))
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_only_over_what_was_seen() {
        let dir = tempfile::tempdir().expect("folder");
        let seen = digest(b"");
        let written = write(dir.path(), "src/a.js", "1", &seen).expect("a new file");
        assert_eq!(fs::read_to_string(dir.path().join("src/a.js")).expect("read"), "1");
        fs::write(dir.path().join("src/a.js"), "2").expect("an edit elsewhere");
        let problem = write(dir.path(), "src/a.js", "3", &written.digest).expect_err("a conflict");
        assert_eq!((problem.status, problem.current.as_deref()), (StatusCode::CONFLICT, Some("2")));
        assert_eq!(fs::read_to_string(dir.path().join("src/a.js")).expect("read"), "2", "nothing is lost");
        assert!(write(dir.path(), "src/a.js", "3", &digest(b"2")).is_ok());
    }

    #[test]
    fn what_is_too_long_is_neither_read_nor_written() {
        let dir = tempfile::tempdir().expect("folder");
        fs::File::create(dir.path().join("dump.img")).and_then(|file| file.set_len(4 << 40)).expect("a hole");
        let long = "x".repeat(1_000_001);
        for (path, text) in [("dump.img", "x"), ("a.js", &long)] {
            let problem = write(dir.path(), path, text, &digest(b"")).expect_err("too long");
            assert_eq!(problem.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", problem.error);
        }
        let before = state(dir.path());
        assert!(!before.is_empty() && before == state(dir.path()));
        fs::write(dir.path().join("a.js"), "1").expect("write");
        assert_ne!(before, state(dir.path()));
        assert_eq!(state(&dir.path().join("none")), "");
    }

    #[test]
    fn files_stand_as_the_lesson_orders_them_and_given_ones_come_last() {
        let deliver = ["Dockerfile".to_owned(), ".env".to_owned()];
        let file = |path: &str, given| FileEntry { path: path.into(), given, digest: String::new(), text: None };
        let mut files = [("a.js", true), ("README.md", true), (".env", false), ("extra", false), ("Dockerfile", false)]
            .map(|(path, given)| file(path, given));
        files.sort_by_cached_key(|file| place_in_list(file, &deliver));
        assert_eq!(files.map(|file| file.path), ["Dockerfile", ".env", "extra", "README.md", "a.js"]);
    }

    #[test]
    fn no_path_and_no_link_leads_out() {
        let (dir, other) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        fs::write(other.path().join("x"), "theirs").expect("write");
        std::os::unix::fs::symlink(other.path(), dir.path().join("link")).expect("link");
        std::os::unix::fs::symlink(other.path().join("x"), dir.path().join("file")).expect("link");
        for path in ["../x", "/etc/passwd", "a/../../x", "", "a/", "link/x", "file", "link/new", "a\0b"] {
            assert!(write(dir.path(), path, "mine", &digest(b"theirs")).is_err(), "{path}");
        }
        assert_eq!(fs::read_to_string(other.path().join("x")).expect("read"), "theirs");
        assert_eq!(fs::read_dir(other.path()).expect("folder").count(), 1);
    }
}
