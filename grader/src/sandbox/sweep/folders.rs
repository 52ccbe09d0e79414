//! Removing a folder, whatever containers have made in it.
//!
//! Owns: the removal with the grader's own rights. Must not: follow a link, or need more than three
//! open files.
//!
//! A container may leave thousands of folders in each other: their path is longer than a path may be,
//! and a walk that keeps each level open runs out of files. So a folder is emptied by moving the
//! folders in it up, beside it, and going on with those. All is done relative to opened folders, so
//! what is swapped for a link meanwhile leads nowhere else.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::path::Arg;

/// Removes a folder with everything in it. What cannot be removed stays, and the first reason is given;
/// the file called `last` stays with it. A folder that is gone already is fine.
pub fn remove(folder: &Path, last: &str) -> io::Result<()> {
    let root = match openat(CWD, folder, DIRECTORY, Mode::empty()) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(()),
        // Not a folder: a link or a file in its place goes as such.
        Err(Errno::NOTDIR | Errno::LOOP) => return Ok(unlinkat(CWD, folder, AtFlags::empty())?),
        Err(error) => return Err(error.into()),
    };
    let (mut stuck, mut reason) = (BTreeSet::new(), None);
    let mut numbers = 0..;
    loop {
        let mut names = names(&root)?;
        names.retain(|name| !stuck.contains(name) && name.to_bytes() != last.as_bytes());
        if names.is_empty() {
            break;
        }
        for name in names {
            if let Err(error) = clear(&root, &name, &mut numbers) {
                stuck.insert(name);
                reason.get_or_insert(error);
            }
        }
    }
    if let Some(reason) = reason {
        Err(reason.into())
    } else {
        is_removed(&root, last)?;
        Ok(unlinkat(CWD, folder, AtFlags::REMOVEDIR)?)
    }
}

/// A folder itself, never one that a link leads to.
const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::RDONLY).union(OFlags::CLOEXEC);

/// Removes what has this name in `root`. The folders in it are moved to `root`.
fn clear(root: &OwnedFd, name: &CStr, numbers: &mut impl Iterator<Item = u64>) -> Result<(), Errno> {
    if is_removed(root, name)? {
        return Ok(());
    }
    let folder = openat(root, name, DIRECTORY, Mode::empty())?;
    for inner in names(&folder)? {
        if !is_removed(&folder, inner.as_c_str())? {
            up(&folder, &inner, root, numbers)?;
        }
    }
    unlinkat(root, name, AtFlags::REMOVEDIR)
}

/// Removes what is no folder, or an empty one; `false` when there is something in it.
fn is_removed(folder: &OwnedFd, name: impl Arg + Copy) -> Result<bool, Errno> {
    match unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        // Linux says the first, POSIX the second, which also means that there is no right to remove it:
        // then the folder, or what else it is, cannot be opened or moved either. Whose an empty folder
        // is does not matter.
        Err(Errno::ISDIR | Errno::PERM) => Ok(unlinkat(folder, name, AtFlags::REMOVEDIR).is_ok()),
        Err(error) => Err(error),
    }
}

/// Moves a folder to `root`, under a name that is free there.
fn up(from: &OwnedFd, name: &CStr, root: &OwnedFd, numbers: &mut impl Iterator<Item = u64>) -> Result<(), Errno> {
    loop {
        let number = numbers.next().ok_or(Errno::OVERFLOW)?;
        match renameat(from, name, root, format!(".removed-{number}")) {
            // Somebody else's folder or file has that name.
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR | Errno::ISDIR) => {}
            done => return done,
        }
    }
}

fn names(folder: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let all = Dir::read_from(folder)?.map(|entry| entry.map(|entry| entry.file_name().to_owned()));
    all.filter(|name| !name.as_ref().is_ok_and(|name| [&b"."[..], b".."].contains(&name.to_bytes()))).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_links_and_very_deep_folders_go_and_what_links_lead_to_stays() {
        let dir = tempfile::tempdir().expect("folder");
        let (run, outside) = (dir.path().join("run"), dir.path().join("outside"));
        fs::create_dir_all(run.join(".removed-0/x")).expect("folder");
        fs::create_dir_all(run.join("a/b")).expect("folder");
        fs::create_dir(&outside).expect("folder");
        for file in [run.join("f"), run.join("last"), run.join("a/f"), run.join("a/.removed-1"), outside.join("kept")] {
            fs::write(file, "x").expect("write");
        }
        std::os::unix::fs::symlink(&outside, run.join("link")).expect("link");
        std::os::unix::fs::symlink(&outside, run.join("a/b/link")).expect("link");
        // Deeper than there may be open files, and longer than a path may be.
        let mut deepest = openat(CWD, &run, DIRECTORY, Mode::empty()).expect("open");
        for _ in 0..6_000 {
            rustix::fs::mkdirat(&deepest, "d", Mode::RWXU).expect("folder");
            deepest = openat(&deepest, "d", DIRECTORY, Mode::empty()).expect("open");
        }
        remove(&run, "last").expect("removed");
        assert!(!run.exists() && outside.join("kept").is_file());
        remove(&run, "last").expect("gone already");
    }

    #[test]
    fn a_link_in_the_folders_place_is_removed_and_not_followed() {
        let dir = tempfile::tempdir().expect("folder");
        fs::write(dir.path().join("kept"), "x").expect("write");
        std::os::unix::fs::symlink(dir.path(), dir.path().join("run")).expect("link");
        remove(&dir.path().join("run"), "last").expect("removed");
        assert!(dir.path().join("kept").is_file() && dir.path().join("run").symlink_metadata().is_err());
    }
}
