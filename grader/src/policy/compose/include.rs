//! `include`: other Compose files of the exercise.
//!
//! Owns: what may stand under the key. Must not: read the files, or know where they lie.

use std::collections::BTreeSet;

use crate::submission::compose_file::{ComposeFile, FileRead};
use crate::submission::yaml::{Data, Node};

/// Why an `include` is refused: the line, and what is said of it.
pub type Refused = (usize, &'static str);

/// Settings of an included file would change how it is read; they are nothing that an exercise needs.
const NO_PATH: &str = "`include` names something other than a file by its path";
const TWICE: &str = "`include` names a file twice";

/// The files that a file includes.
pub fn paths(file: &ComposeFile) -> Result<Vec<FileRead>, Refused> {
    let mut found: Vec<FileRead> = Vec::new();
    let mut known = BTreeSet::new();
    for entry in file.documents.iter().filter_map(|root| root.get("include")) {
        if !matches!(entry.value.data, Data::List(_)) {
            return Err((entry.line, NO_PATH));
        }
        for item in entry.value.items() {
            let path = path(item).ok_or((item.line, NO_PATH))?;
            if !known.insert(path) {
                return Err((item.line, TWICE));
            }
            found.push(FileRead { line: item.line, key: "include", path: path.to_owned() });
        }
    }
    Ok(found)
}

/// `more.yml`, or `path: more.yml` alone.
fn path(item: &Node) -> Option<&str> {
    match item.entries() {
        [] => item.text(),
        [only] if only.key.text == "path" => only.value.text(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, Refused> {
        let found = paths(&ComposeFile::parse(text).expect("YAML"))?;
        Ok(found.into_iter().map(|read| read.path).collect())
    }

    #[test]
    fn files_are_included_by_their_paths_alone() {
        let both = ["a.yml".to_owned(), "b.yml".to_owned()];
        assert_eq!(read("include: [a.yml, {path: b.yml}]\n"), Ok(both.to_vec()));
        assert_eq!(read("include:\n  - a.yml\n---\ninclude:\n  - b.yml\n"), Ok(both.to_vec()));
        assert_eq!(read("services: {}\n"), Ok(Vec::new()));
        for (text, line) in [
            ("include: a.yml\n", 1),
            ("include:\n - a.yml\n - path: [b.yml]\n", 3),
            ("include:\n - path: b.yml\n   env_file: c\n", 2),
            ("include:\n - path: b.yml\n   project_directory: /\n", 2),
            ("include: [[a.yml]]\n", 1),
        ] {
            assert_eq!(read(text), Err((line, NO_PATH)), "{text}");
        }
        assert_eq!(read("include:\n - a.yml\n - path: a.yml\n"), Err((3, TWICE)));
    }
}
