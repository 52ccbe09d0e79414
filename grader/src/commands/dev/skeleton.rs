//! Files that authors begin with: what `new-check` and `new-lesson` write.
//!
//! Owns: replacing names in a skeleton and writing it without overwriting anything. Must not: know
//! what is in it.
//!
//! Skeletons lie in `grader/skeletons/`, as files like those that they become.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::fault::Fault;

/// The files of a skeleton, by their paths in its folder.
macro_rules! skeleton {
    ($folder:literal, [$($file:literal),* $(,)?]) => {
        &[$(($file, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/skeletons/", $folder, "/", $file)))),*]
    };
}
pub(super) use skeleton;

/// A skeleton's files, by their paths in its folder.
pub type Skeleton = &'static [(&'static str, &'static str)];

/// A file to write: its path relative to the course, and its text.
pub type NewFile = (PathBuf, String);

/// Replaces each of `names` by what stands beside it.
pub fn filled(text: &str, names: &[(&str, &str)]) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// Writes new files below the course's folder, all or, if one of them is there already, none.
pub fn write(root: &Path, files: &[NewFile]) -> Result<(), Fault> {
    if let Some((there, _)) = files.iter().find(|(path, _)| root.join(path).exists()) {
        let message = format!("{} is there already, and nothing is overwritten: choose another name", there.display());
        return Err(Fault::Usage { message });
    }
    for (path, text) in files {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Fault::file(folder))?;
        }
        let mut file = fs::File::create_new(&path).map_err(Fault::file(&path))?;
        file.write_all(text.as_bytes()).map_err(Fault::file(&path))?;
    }
    Ok(())
}

/// Whether a name is in kebab case: `runs-as-non-root`, words of small letters and digits with
/// single hyphens between them, the first one beginning with a letter.
#[must_use]
pub fn is_kebab_case(name: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('-').all(is_word)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use walkdir::WalkDir;

    use super::*;

    /// The files that lie in a skeleton's folder are the ones that are written.
    pub fn assert_complete(folder: &str, skeleton: Skeleton) {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("skeletons").join(folder);
        let entries = WalkDir::new(&dir).into_iter().flatten().filter(|entry| entry.file_type().is_file());
        let name = |path: &Path| path.strip_prefix(&dir).expect("below").display().to_string();
        let there: BTreeSet<String> = entries.map(|entry| name(entry.path())).collect();
        let listed: BTreeSet<String> = skeleton.iter().map(|(file, _)| (*file).to_owned()).collect();
        assert_eq!(there, listed);
    }

    #[test]
    fn kebab_case_is_told_from_other_cases() {
        for name in ["builds", "runs-as-non-root", "http2-only"] {
            assert!(is_kebab_case(name), "{name}");
        }
        for name in ["", "Builds", "a_b", "-a", "a-", "a--b", "2a", "a b", "ä"] {
            assert!(!is_kebab_case(name), "{name}");
        }
    }

    #[test]
    fn when_one_file_is_there_nothing_is_written() {
        let dir = tempfile::tempdir().expect("folder");
        fs::write(dir.path().join("b"), "mine").expect("write");
        let files = [("a/a".into(), "new".to_owned()), ("b".into(), "new".to_owned())];
        let message = write(dir.path(), &files).expect_err("b is there").to_string();
        assert!(message.starts_with("b is there already"), "{message}");
        assert!(!dir.path().join("a").exists());
        assert_eq!(fs::read_to_string(dir.path().join("b")).expect("read"), "mine");
    }
}
