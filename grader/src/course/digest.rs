//! By what two courses are told apart.
//!
//! Owns: the digest of what decides a lesson's verdicts. Must not: judge, or write.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::{Course, Lesson};

/// Folders of a lesson that decide nothing: a teacher's copy of a course may have others than a
/// learner's.
const DECIDE_NOTHING: [&str; 2] = ["solutions", "wrong"];

/// The digest of a lesson's own files, its page, and the recipes of base images: `sha256:` and 64
/// hexadecimal digits. Names and contents count, and neither dates nor modes nor where the course
/// lies, so that the same course has the same digest on every machine.
#[must_use]
pub fn of(lesson: &Lesson) -> String {
    let course = Course { root: lesson.root.clone() };
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    let parts = [("lesson", lesson.dir.clone()), ("page", course.page(lesson)), ("images", course.root.join("images"))];
    for (part, folder) in parts {
        for path in files(&folder, &lesson.dir) {
            add(part.as_bytes());
            add(path.strip_prefix(&folder).unwrap_or(&path).as_os_str().as_encoded_bytes());
            // What cannot be read has no content here; whoever needs it says so.
            add(&Sha256::digest(fs::read(&path).unwrap_or_default()));
        }
    }
    format!("sha256:{}", hex::encode(hash.finalize()))
}

/// The plain files below a folder in the order of their names; a file stands for itself.
fn files(folder: &Path, lesson: &Path) -> Vec<PathBuf> {
    let decides = |entry: &walkdir::DirEntry| {
        entry.path().parent() != Some(lesson) || DECIDE_NOTHING.iter().all(|name| entry.file_name() != *name)
    };
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(decides).flatten();
    walk.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LESSON: &str = "id = \"lesson01\"\nslug = \"x\"\ntitle = \"X\"\nminutes = 1\nimages = []\n\
        deliver = [\"Dockerfile\"]\ncheck = []\n";

    #[test]
    fn it_changes_with_what_decides_and_is_the_same_elsewhere() {
        let made = || {
            let dir = tempfile::tempdir().expect("folder");
            let exercise = dir.path().join("exercises/lesson01-x");
            for folder in ["starter", "solutions/a", "wrong/b"] {
                fs::create_dir_all(exercise.join(folder)).expect("folder");
            }
            fs::create_dir_all(dir.path().join("book/src")).expect("folder");
            fs::create_dir_all(dir.path().join("images/debian")).expect("folder");
            fs::write(exercise.join("lesson.toml"), LESSON).expect("write");
            fs::write(exercise.join("starter/app.js"), "1").expect("write");
            dir
        };
        let of = |dir: &tempfile::TempDir| {
            let lesson = Lesson::load(dir.path(), &dir.path().join("exercises/lesson01-x"));
            of(&lesson.unwrap_or_else(|error| panic!("{error}")))
        };
        let (one, other) = (made(), made());
        let first = of(&one);
        assert_eq!(first, of(&other), "the same course elsewhere");
        fs::write(one.path().join("exercises/lesson01-x/solutions/a/Dockerfile"), "FROM x").expect("write");
        assert_eq!(first, of(&one), "a solution decides nothing");
        let mut seen = vec![first];
        for file in ["exercises/lesson01-x/starter/app.js", "book/src/lesson01-x.md", "images/debian/image.toml"] {
            fs::write(one.path().join(file), "changed").expect("write");
            let now = of(&one);
            assert!(!seen.contains(&now), "{file}");
            seen.push(now);
        }
    }
}
