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

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::digest::{Builder, Key};
use crate::fault::Fault;
use crate::sandbox::scratch::NOT_COPIED;
use crate::submission::links;

/// The files and links below a folder, without those that are never copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// What is at each path, relative to the folder.
    entries: BTreeMap<PathBuf, String>,
    /// The folders, relative to the folder itself, which is the first.
    pub folders: Vec<PathBuf>,
}

impl Tree {
    /// Reads everything below `dir`.
    pub fn read(dir: &Path) -> Result<Self, Fault> {
        let mut tree = Self::default();
        let walk = WalkDir::new(dir)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| !NOT_COPIED.iter().any(|left_out| entry.file_name() == *left_out));
        for entry in walk {
            let entry = entry.map_err(|error| Fault::file(dir)(error.into()))?;
            let unreadable = || Fault::file(entry.path());
            let relative = entry.path().strip_prefix(dir).unwrap_or(entry.path()).to_path_buf();
            let kind = entry.file_type();
            let data = entry.metadata().map_err(|error| unreadable()(error.into()))?;
            let rights = format!("{:o} {} {}", data.mode() & 0o7777, data.uid(), data.gid());
            let content = if kind.is_dir() {
                tree.folders.push(relative.clone());
                format!("folder {rights}")
            } else if kind.is_symlink() {
                if links::is_left_out(dir, entry.path()) {
                    continue;
                }
                let to = fs::read_link(entry.path()).map_err(unreadable())?;
                format!("link {}", hex::encode(to.as_os_str().as_bytes()))
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).map_err(unreadable())?;
                format!("file {rights} {}", hex::encode(Sha256::digest(bytes)))
            } else {
                continue;
            };
            tree.entries.insert(relative, content);
        }
        Ok(tree)
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
