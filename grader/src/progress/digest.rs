//! By what two attempts at the same files are recognised.
//!
//! Owns: the digest of a submission. Must not: follow links, or read what the gate refuses anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::course::Lesson;
use crate::course::quiz::StoredAnswer;
use crate::fault::Fault;
use crate::policy::limits;
use crate::sandbox::scratch::{NOT_COPIED, given_files};
use crate::submission::{links, plain};

/// The digest of everything of the learner's that a run looks at: files (names, contents, whether
/// they can be run), links, and the answers to the quiz that are kept. Given files are the course's and do not count.
pub fn submission(lesson: &Lesson, dir: &Path, answers: &BTreeMap<String, StoredAnswer>) -> Result<String, Fault> {
    let given: BTreeSet<PathBuf> = given_files(lesson)?.into_iter().collect();
    let mut hash = Sha256::new();
    let mut add = |parts: &[&[u8]]| {
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    };
    let kept = |entry: &walkdir::DirEntry| !NOT_COPIED.iter().any(|name| entry.file_name() == *name);
    // Sorted here, so that a folder of a million files is not kept in memory to be sorted.
    let walk = WalkDir::new(dir).into_iter().filter_entry(kept).take(limits::FILES + 1).flatten();
    let mut entries: Vec<_> = walk.collect();
    entries.sort_by(|one, other| one.path().cmp(other.path()));
    let mut left = limits::BYTES;
    for entry in entries {
        let relative = entry.path().strip_prefix(dir).unwrap_or(entry.path());
        if entry.file_type().is_dir() || given.contains(relative) {
            continue;
        }
        let name = relative.as_os_str().as_encoded_bytes();
        if entry.file_type().is_symlink() {
            if links::is_left_out(dir, entry.path()) {
                continue;
            }
            let target = fs::read_link(entry.path()).unwrap_or_default();
            add(&[b"link", name, target.as_os_str().as_encoded_bytes()]);
        } else {
            let runs = entry.metadata().is_ok_and(|data| data.permissions().mode() & 0o111 != 0);
            add(&[b"file", name, &[u8::from(runs)], &content(entry.path(), &mut left)]);
        }
    }
    for (question, stored) in answers {
        add(&[b"answer", question.as_bytes(), stored.answer.to_string().as_bytes()]);
    }
    Ok(hex::encode(hash.finalize()))
}

/// The digest of a file. One that is too large for a submission, alone or with those before it, cannot be read or is no
/// ordinary file is refused by the gate; here it has none.
fn content(path: &Path, left: &mut u64) -> Vec<u8> {
    let Ok((length, digest)) = plain::digest(path, *left) else { return Vec::new() };
    *left -= length;
    digest.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LESSON: &str = "id = \"lesson01\"\nslug = \"x\"\ntitle = \"X\"\nminutes = 1\nimages = []\n\
        deliver = [\"Dockerfile\"]\ncheck = []\n";

    #[test]
    fn it_changes_with_the_learners_files_and_answers_and_with_nothing_else() {
        let course = tempfile::tempdir().expect("folder");
        fs::create_dir(course.path().join("starter")).expect("folder");
        fs::write(course.path().join("starter/app.js"), "given").expect("write");
        fs::write(course.path().join("lesson.toml"), LESSON).expect("write");
        let lesson = Lesson::load(course.path(), course.path()).unwrap_or_else(|error| panic!("{error}"));
        let dir = tempfile::tempdir().expect("folder");
        let file = |name: &str| dir.path().join(name);
        let mut quiz = BTreeMap::new();
        let of = |quiz: &BTreeMap<_, _>| submission(&lesson, dir.path(), quiz).expect("digest");

        fs::write(file("Dockerfile"), "FROM a").expect("write");
        let first = of(&quiz);
        fs::write(file("app.js"), "edited").expect("write");
        fs::create_dir(file("node_modules")).expect("folder");
        fs::write(file("node_modules/x"), "x").expect("write");
        assert_eq!(of(&quiz), first, "given files and what is never copied");

        let mut seen = BTreeSet::from([first]);
        let mut is_new = |digest: String, what: &str| assert!(seen.insert(digest), "{what}");
        fs::write(file("Dockerfile"), "FROM b").expect("write");
        is_new(of(&quiz), "other contents");
        fs::set_permissions(file("Dockerfile"), fs::Permissions::from_mode(0o755)).expect("mode");
        is_new(of(&quiz), "it can be run");
        fs::write(file("start.sh"), "").expect("write");
        is_new(of(&quiz), "one more file");
        std::os::unix::fs::symlink("Dockerfile", file("link")).expect("link");
        is_new(of(&quiz), "a link");
        for word in ["one", "another"] {
            quiz.insert("q".into(), StoredAnswer { answer: toml::Value::String(word.into()), right: false });
            is_new(of(&quiz), "an answer");
        }
    }
}
