//! Links in a learner's folder that mean nothing to a run.
//!
//! Owns: which links are left out of every copy. Must not: decide what is refused; that is the gate.
//!
//! Editors and tools put links beside a learner's files: Emacs a lock that leads nowhere while a file
//! is edited, a Python environment its interpreters. Docker only ever follows a link of the host where a
//! file names it (a source of a mount, of a `COPY`, an `env_file`). One that leads nowhere and that no
//! file names is nobody's loss.

use std::fs;
use std::path::Path;

use walkdir::WalkDir;

use super::TEXT_BYTES;
use crate::policy::limits;
use crate::sandbox::scratch::NOT_COPIED;

/// Whether a link below `dir` is left out of copies.
#[must_use]
pub fn is_left_out(dir: &Path, link: &Path) -> bool {
    let Ok(relative) = link.strip_prefix(dir) else { return false };
    is_lock(link) || is_of_an_environment(dir, link) || (leads_nowhere(dir, link) && !is_named(dir, relative))
}

/// What is left out of a run, in words for the report.
#[must_use]
pub fn notes(dir: &Path) -> Vec<String> {
    let kept = |entry: &walkdir::DirEntry| !NOT_COPIED.iter().any(|name| entry.file_name() == *name);
    let walk = WalkDir::new(dir).max_depth(limits::DEPTH).sort_by_file_name().into_iter().filter_entry(kept);
    let links = walk.take(limits::FILES + 1).flatten().filter(|entry| entry.file_type().is_symlink());
    let left_out = links.filter(|entry| is_left_out(dir, entry.path()));
    let each = left_out.map(|entry| entry.path().strip_prefix(dir).unwrap_or(entry.path()).display().to_string());
    let names: Vec<String> = each.collect();
    let Some((first, others)) = names.split_first() else { return Vec::new() };
    let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
    let are = if others.is_empty() { "is a link that was" } else { "are links that were" };
    vec![format!("{first}{more} {are} left out: nothing is built from it, and nothing mounts it")]
}

/// Emacs' lock of a file that is being edited: `.#name`, which leads to `user@host.process`.
fn is_lock(link: &Path) -> bool {
    link.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".#"))
}

/// A Python environment is made for the machine that it is on.
fn is_of_an_environment(dir: &Path, link: &Path) -> bool {
    let folders = link.ancestors().skip(1).take_while(|folder| *folder != dir);
    folders.into_iter().any(|folder| fs::symlink_metadata(folder.join("pyvenv.cfg")).is_ok_and(|data| data.is_file()))
}

/// Whether a link leads to a place within the folder where nothing is.
fn leads_nowhere(dir: &Path, link: &Path) -> bool {
    let gone = fs::metadata(link).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    gone && super::stays_inside(dir, link)
}

/// Whether one of the files that Docker and Compose read names this path.
fn is_named(dir: &Path, relative: &Path) -> bool {
    let Some(name) = relative.to_str() else { return true };
    let kept = |entry: &walkdir::DirEntry| !NOT_COPIED.iter().any(|name| entry.file_name() == *name);
    let walk = WalkDir::new(dir).max_depth(limits::DEPTH).into_iter().filter_entry(kept);
    let files = walk.take(limits::FILES + 1).flatten().filter(|entry| entry.file_type().is_file());
    let read = files.filter(|entry| {
        let file = entry.file_name().to_string_lossy().to_lowercase();
        let ending = Path::new(&file).extension();
        file.contains("dockerfile") || ending.is_some_and(|ending| ending == "yml" || ending == "yaml")
    });
    let small = read.filter(|entry| entry.metadata().is_ok_and(|data| data.len() <= TEXT_BYTES));
    small.flat_map(|entry| fs::read_to_string(entry.path())).any(|text| has_path(&text, name))
}

/// Whether a text has this path in it, and not only as a part of another name.
fn has_path(text: &str, path: &str) -> bool {
    let of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.match_indices(path).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + path.len()..]);
        let begins = !before.ends_with(of_a_name) || before.ends_with("./");
        begins && !after.starts_with(of_a_name)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn locks_environments_and_what_leads_nowhere_are_left_out_and_named() {
        let dir = tempfile::tempdir().expect("folder");
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at(".venv/bin")).expect("folder");
        fs::write(at(".venv/pyvenv.cfg"), "").expect("write");
        fs::write(at("compose.yml"), "services: {x: {volumes: ['./data:/data']}}\n").expect("write");
        for (link, to, left_out) in [
            (".#compose.yml", "me@host.1:2", true),
            (".venv/bin/python", "/usr/bin/env", true),
            ("old", "was-here", true),
            ("data", "was-here", false),
            ("out", "../elsewhere", false),
            ("away", "/nowhere/at/all", false),
            ("fine", "compose.yml", false),
            ("ping", "ping", false),
        ] {
            symlink(to, at(link)).expect("link");
            assert_eq!(is_left_out(dir.path(), &at(link)), left_out, "{link}");
        }
        assert_eq!(notes(dir.path()).len(), 1);
        assert!(notes(dir.path())[0].starts_with(".#compose.yml (and 2 more) are links"), "{:?}", notes(dir.path()));
    }

    #[test]
    fn a_path_is_named_as_a_whole() {
        for text in ["COPY data /x", "- ./data:/x", "source: \"data\"", "data/"] {
            assert!(has_path(text, "data"), "{text}");
        }
        for text in ["COPY data.txt /x", "metadata", "my-data", "data_1"] {
            assert!(!has_path(text, "data"), "{text}");
        }
    }
}
