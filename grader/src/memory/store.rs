//! Files that hold what was measured, by key.
//!
//! Owns: the folder `memory/` below the grader's cache folder, and its bounds. Must not: ever fail
//! loudly; a file that is damaged, too old or not there is the same as nothing, and what cannot be
//! written is measured again next time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::digest::Key;

/// The form of the files. A new form begins with an empty folder.
const FORM: &str = "1";
/// Days for which something is remembered.
pub const DAYS: u64 = 14;
/// Files that are kept at the most.
const FILES: usize = 4_000;
/// Bytes that are kept at the most.
const BYTES: u64 = 100_000_000;

/// The folder; one that is not there is empty.
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The store below the grader's cache folder.
    #[must_use]
    pub fn below(cache: &Path) -> Self {
        Self { folder: cache.join("memory").join(FORM) }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(key.as_str()).with_extension("json")
    }

    /// What was put under this key.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        let path = self.path(key);
        let is_fresh = !is_old(fs::metadata(&path).ok()?.modified().ok()?);
        serde_json::from_slice(&fs::read(path).ok().filter(|_| is_fresh)?).ok()
    }

    /// Puts something under a key, in the place of what was there. Readers see all of it or nothing.
    pub fn put<T: Serialize>(&self, key: &Key, value: &T) {
        let write = || -> std::io::Result<()> {
            crate::paths::own_folder(&self.folder).map_err(std::io::Error::other)?;
            let unfinished = tempfile::NamedTempFile::new_in(&self.folder)?;
            serde_json::to_writer(&unfinished, value)?;
            unfinished.persist(self.path(key)).map_err(|error| error.error)?;
            Ok(())
        };
        // A full disk is told by what needs the disk; this is only a convenience.
        let _ = write();
    }

    /// Removes what is too old, and the oldest of what is too much.
    pub fn tidy(&self) {
        self.tidy_to(FILES, BYTES);
    }

    fn tidy_to(&self, most_files: usize, most_bytes: u64) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let seen = |entry: fs::DirEntry| {
            let data = entry.metadata().ok()?;
            Some((data.modified().ok()?, data.len(), entry.path()))
        };
        let mut files: Vec<_> = entries.flatten().filter_map(seen).collect();
        files.sort_by_key(|(modified, ..)| std::cmp::Reverse(*modified));
        let mut bytes = 0;
        for (index, (modified, length, path)) in files.into_iter().enumerate() {
            bytes += length;
            if index >= most_files || bytes > most_bytes || is_old(modified) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn is_old(modified: SystemTime) -> bool {
    // A date that lies ahead (the clock was set back) says nothing, so it counts as old.
    SystemTime::now().duration_since(modified).map_or(true, |age| age > Duration::from_secs(DAYS * 24 * 3600))
}

#[cfg(test)]
mod tests {
    use super::super::digest::Builder;
    use super::*;

    fn key(name: &str) -> Key {
        Builder::of(name).key()
    }

    fn set_age(store: &Store, key: &Key, seconds: u64) {
        let at = SystemTime::now() - Duration::from_secs(seconds);
        let file = fs::File::options().write(true).open(store.path(key)).expect("file");
        file.set_modified(at).expect("date");
    }

    #[test]
    fn what_was_put_is_found_under_its_key_only() {
        let dir = tempfile::tempdir().expect("folder");
        let store = Store::below(dir.path());
        assert_eq!(store.get::<String>(&key("a")), None);
        store.put(&key("a"), &"x");
        assert_eq!(store.get::<String>(&key("a")).as_deref(), Some("x"));
        assert_eq!(store.get::<String>(&key("b")), None);
    }

    #[test]
    fn what_is_damaged_or_too_old_is_as_good_as_absent() {
        let dir = tempfile::tempdir().expect("folder");
        let store = Store::below(dir.path());
        store.put(&key("a"), &vec![1, 2, 3]);
        fs::write(store.path(&key("a")), "[1, 2").expect("damage");
        assert_eq!(store.get::<Vec<u8>>(&key("a")), None);
        store.put(&key("a"), &vec![1]);
        set_age(&store, &key("a"), DAYS * 24 * 3600 + 60);
        assert_eq!(store.get::<Vec<u8>>(&key("a")), None);
        store.tidy();
        assert!(!store.path(&key("a")).exists());
    }

    #[test]
    fn the_oldest_go_first_when_there_are_too_many() {
        let dir = tempfile::tempdir().expect("folder");
        let store = Store::below(dir.path());
        for (age, name) in [(30, "old"), (20, "middle"), (10, "new")] {
            store.put(&key(name), &name);
            set_age(&store, &key(name), age);
        }
        store.tidy_to(2, BYTES);
        assert_eq!(store.get::<String>(&key("old")), None);
        store.tidy_to(2, 8);
        assert_eq!(store.get::<String>(&key("middle")), None);
        assert_eq!(store.get::<String>(&key("new")).as_deref(), Some("new"));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_no_fault() {
        let dir = tempfile::tempdir().expect("folder");
        fs::write(dir.path().join("memory"), "a file in its place").expect("write");
        let store = Store::below(dir.path());
        store.put(&key("a"), &"x");
        store.tidy();
        assert_eq!(store.get::<String>(&key("a")), None);
    }
}
