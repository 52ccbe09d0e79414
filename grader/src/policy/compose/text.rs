//! The text of a Compose file, before Compose reads it.
//!
//! Owns: what would make Compose read or fetch other files. Must not: merge; Compose does.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use super::super::Refusal;
use crate::submission::compose_file::{ComposeFile, FileRead};
use crate::submission::{Submission, is_inside};

const ONLY_OWN: &str = "Compose would read it before anybody has looked at it. Only files of the exercise are read, named by a plain path such as ./settings.env";

/// What must not stand in a Compose file, nor in those that it extends.
pub fn inspect_text(submission: &Submission, file: &str) -> Vec<Refusal> {
    let (mut refusals, mut seen, mut waiting) = (Vec::new(), BTreeSet::new(), vec![file.to_owned()]);
    while let Some(file) = waiting.pop() {
        if seen.insert(file.clone()) {
            let (more, extended) = one(submission, &file);
            refusals.extend(more);
            waiting.extend(extended);
        }
    }
    refusals
}

/// One file: its refusals, and the files that it extends.
fn one(submission: &Submission, file: &str) -> (Vec<Refusal>, Vec<String>) {
    let Some(text) = submission.text(file) else { return Default::default() };
    let refuse = |line: usize, what: String, why: &str| Refusal::new(what, why, submission.location(file, line));
    if let Some(error) = ComposeFile::error(&text) {
        let what = format!("{file} is not valid YAML: {}", error.message);
        let why = "Compose cannot read the file. Indentation is by spaces, and each key needs a colon and a value.";
        return (vec![refuse(error.line, what, why)], Vec::new());
    }
    let Some(yaml) = ComposeFile::parse(&text) else { return Default::default() };
    let mut refusals = Vec::new();
    if let Some(line) = ComposeFile::second_document(&text) {
        let why = "Compose merges all that stands between `---` lines. Keep one document per file, so that everybody sees what counts.";
        refusals.push(refuse(line, format!("{file} holds more than one document"), why));
    }
    if let Some(line) = yaml.top_key("include") {
        let why = "The files of the exercise are named by `-f`; put what you need there.";
        refusals.push(refuse(line, "`include` reads other Compose files".into(), why));
    }
    let mut extended = Vec::new();
    for FileRead { line, key, path } in yaml.files_read().into_iter().collect::<BTreeSet<_>>() {
        match below(submission, file, &path) {
            Ok(inside) if key == "extends" => extended.push(inside),
            Ok(_) => {}
            Err(reason) => refusals.push(refuse(line, format!("`{key}` reads {path}, {reason}"), ONLY_OWN)),
        }
    }
    (refusals, extended)
}

/// The path, relative to the exercise folder, that a path in `file` means; or why it is not one.
fn below(submission: &Submission, file: &str, path: &str) -> Result<String, &'static str> {
    if path.contains('$') {
        return Err("a path that only Compose can tell");
    }
    let is_remote = path.contains("://") || path.starts_with("git@") || path.starts_with("github.com/");
    let leads_elsewhere = path.starts_with(['/', '~']) || is_remote;
    let mut parts = Vec::new();
    for part in Path::new(file).parent().unwrap_or(Path::new("")).join(path).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::ParentDir if parts.pop().is_none() => return Err("outside of the exercise folder"),
            _ => {}
        }
    }
    let inside = parts.join("/");
    if leads_elsewhere || !is_inside(&submission.dir.join(&inside), &submission.dir) {
        return Err("outside of the exercise folder");
    }
    Ok(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_followed_from_the_file_that_names_them() {
        let dir = tempfile::tempdir().expect("folder");
        let submission = Submission { dir: dir.path().to_path_buf() };
        assert_eq!(below(&submission, "a/b.yml", "../x.env"), Ok("x.env".into()));
        for bad in ["../../x", "/etc/passwd", "~/x", "${X}/y", "https://x/y", "github.com/x/y", "c/../../../x"] {
            assert!(below(&submission, "a/b.yml", bad).is_err(), "{bad}");
        }
    }
}
