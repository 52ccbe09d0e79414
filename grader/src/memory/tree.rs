//! What a folder holds, by content.
//!
//! Owns: the digest of each file and link below a folder. Must not: know what files mean.
//!
//! Names, contents, permission bits, owners and the targets of links count: a container may or may not
//! write by them. Dates do not: the copies that are measured do not have them either.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::digest::{Builder, Key};
use crate::fault::Fault;
use crate::policy::limits;
use crate::sandbox::scratch::NOT_COPIED;
use crate::submission::{links, plain};

/// The files and links below a folder, without those that are never copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// What is at each path, relative to the folder.
    entries: BTreeMap<PathBuf, String>,
    /// The folders, relative to the folder itself, which is the first.
    pub folders: Vec<PathBuf>,
}

/// Entries of a folder that nobody has looked at yet are counted up to here.
const LOOKED_AT: usize = 20_000;

impl Tree {
    /// Reads everything below `dir`, which the gate has let in.
    pub fn read(dir: &Path) -> Result<Self, Fault> {
        let mut tree = Self::default();
        for entry in walk(dir) {
            tree.add(dir, &entry.map_err(|error| Fault::file(dir)(error.into()))?, true)?;
        }
        Ok(tree)
    }

    /// The same of a folder that may hold anything. Of more than the gate lets in, sizes and dates are looked at and no
    /// contents: that is enough to see a change, and nobody waits until a disk image is read.
    pub fn glance(dir: &Path) -> Result<Self, Fault> {
        let (mut tree, mut entries, mut bytes) = (Self::default(), Vec::new(), 0);
        for entry in walk(dir).take(LOOKED_AT) {
            let entry = entry.map_err(|error| Fault::file(dir)(error.into()))?;
            bytes += entry.metadata().map_or(0, |data| data.len());
            entries.push(entry);
        }
        let is_small = entries.len() <= limits::FILES && bytes <= limits::BYTES;
        for entry in &entries {
            tree.add(dir, entry, is_small)?;
        }
        Ok(tree)
    }

    fn add(&mut self, dir: &Path, entry: &DirEntry, reads: bool) -> Result<(), Fault> {
        let (path, kind) = (entry.path(), entry.file_type());
        let relative = path.strip_prefix(dir).unwrap_or(path).to_path_buf();
        let data = entry.metadata().map_err(|error| Fault::file(path)(error.into()))?;
        let rights = format!("{:o} {} {}", data.mode() & 0o7777, data.uid(), data.gid());
        let content = if kind.is_dir() {
            self.folders.push(relative.clone());
            format!("folder {rights}")
        } else if kind.is_symlink() {
            if links::is_left_out(dir, path) {
                return Ok(());
            }
            let to = fs::read_link(path).map_err(Fault::file(path))?;
            format!("link {}", hex::encode(to.as_os_str().as_bytes()))
        } else if kind.is_file() && reads {
            let (_, digest) = plain::digest(path, u64::MAX).map_err(Fault::file(path))?;
            format!("file {rights} {}", hex::encode(digest))
        } else if kind.is_file() {
            format!("file {rights}, {} bytes of {}.{:09}", data.len(), data.mtime(), data.mtime_nsec())
        } else {
            return Ok(());
        };
        self.entries.insert(relative, content);
        Ok(())
    }

    /// The digest of all of it.
    #[must_use]
    pub fn key(&self) -> Key {
        self.key_of(|_| true)
    }

    /// The digest of the entries whose path is wanted.
    #[must_use]
    pub fn key_of(&self, wanted: impl Fn(&Path) -> bool) -> Key {
        let wanted = self.entries.iter().filter(|(path, _)| wanted(path));
        wanted
            .fold(Builder::of("tree"), |builder, (path, content)| {
                builder.with("path", path.as_os_str().as_bytes()).with("content", content)
            })
            .key()
    }

    /// The digest of a file or a folder with everything below it.
    #[must_use]
    pub fn key_below(&self, path: &Path) -> Key {
        self.key_of(|entry| entry.starts_with(path))
    }
}

/// In no order, so that a folder of a million files is not kept in memory to be sorted.
fn walk(dir: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let kept = |entry: &DirEntry| !NOT_COPIED.iter().any(|left_out| entry.file_name() == *left_out);
    WalkDir::new(dir).into_iter().filter_entry(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(dir: &Path) -> Key {
        Tree::read(dir).expect("tree").key()
    }

    #[test]
    fn names_contents_modes_and_links_count_and_dates_do_not() {
        let dir = tempfile::tempdir().expect("folder");
        let at = |name: &str| dir.path().join(name);
        let mut seen = vec![key(dir.path())];
        let mut changed = |what: &str| {
            let now = key(dir.path());
            assert!(!seen.contains(&now), "{what}");
            seen.push(now);
        };
        fs::write(at("a"), "1").expect("write");
        changed("a new file");
        fs::write(at("a"), "2").expect("write");
        changed("the content");
        fs::rename(at("a"), at("b")).expect("rename");
        changed("the name");
        fs::set_permissions(at("b"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("mode");
        changed("the mode");
        std::os::unix::fs::symlink("b", at("c")).expect("link");
        changed("a link");
        fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o750)).expect("mode");
        changed("the mode of a folder");
        fs::create_dir(at("d")).expect("folder");
        changed("an empty folder");
        let before = key(dir.path());
        fs::write(at("b"), "2").expect("write");
        fs::create_dir(at("node_modules")).expect("folder");
        fs::write(at("node_modules/x"), "2").expect("write");
        std::os::unix::fs::symlink("me@here.1", at(".#b")).expect("link");
        assert_eq!(before, key(dir.path()), "a file that was written again, and what is never copied");
    }

    #[test]
    fn what_is_too_much_to_be_graded_is_not_read_and_its_changes_are_seen() {
        let dir = tempfile::tempdir().expect("folder");
        let at = |name: &str| dir.path().join(name);
        let glance = || Tree::glance(dir.path()).expect("tree").key();
        fs::write(at("a"), "1").expect("write");
        assert_eq!(glance(), key(dir.path()), "of what can be graded, the content counts");
        // Four million million bytes, none of them on the disk: whoever read them would never come back.
        let large = fs::File::create(at("dump.img")).expect("file");
        large.set_len(4 << 40).expect("a hole");
        let mut seen = vec![glance()];
        let mut changed = |what: &str| {
            let now = glance();
            assert_eq!(now, glance(), "{what}: twice the same");
            assert!(!seen.contains(&now), "{what}");
            seen.push(now);
        };
        large.set_len(3 << 40).expect("a hole");
        changed("the size");
        large.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("a date");
        changed("the date");
        fs::write(at("b"), "1").expect("write");
        changed("another file");
        fs::remove_file(at("dump.img")).expect("remove");
        assert_eq!(glance(), key(dir.path()), "it can be graded again");
        fs::create_dir(at("many")).expect("folder");
        for number in 0..limits::FILES {
            fs::write(at("many").join(number.to_string()), "").expect("write");
        }
        let before = glance();
        assert_ne!(before, key(dir.path()), "so many are not read");
        fs::write(at("a"), "22").expect("write");
        assert_ne!(before, glance());
    }

    #[test]
    fn below_a_path_only_what_lies_there_counts() {
        let dir = tempfile::tempdir().expect("folder");
        fs::create_dir(dir.path().join("src")).expect("folder");
        fs::write(dir.path().join("src/a"), "1").expect("write");
        let below = |path: &str| Tree::read(dir.path()).expect("tree").key_below(Path::new(path));
        let (src, all) = (below("src"), below(""));
        fs::write(dir.path().join("srcs"), "1").expect("write");
        assert_eq!(src, below("src"));
        assert_ne!(all, below(""));
        fs::write(dir.path().join("src/a"), "2").expect("write");
        assert_ne!(src, below("src"));
    }
}
