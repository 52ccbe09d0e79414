//! Copying folders with what their files may be used for.
//!
//! Owns: names, contents, links, modes and owners of copies. Must not: know what is copied, or read
//! anything but plain files.

use std::fs::{self, Metadata, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;

use walkdir::WalkDir;

use super::is_never_copied;
use crate::fault::Fault;
use crate::submission::links;

/// Copies files, folders and links (as links) below `from` into `to`, with their modes.
pub fn copy_tree(from: &Path, to: &Path) -> Result<(), Fault> {
    copy(from, to, &|_| false, &|data| data.mode() & 0o777, false)
}

/// Copies a learner's folder so that containers can do with the copy what they could with the folder:
/// files keep their modes, and where the grader is root, their owners. Links that mean nothing to a
/// run stay behind.
///
/// A umask that takes a right away from every new file says nothing about any of them: where it does,
/// others get the rights of the owner. Neither does the mode of the folder itself: what is handed in
/// is what lies in it.
pub fn copy_submission(from: &Path, to: &Path) -> Result<(), Fault> {
    let masked = umask();
    copy(from, to, &|link| links::is_left_out(from, link), &|data| usable(data.mode(), masked), true)?;
    let top = fs::metadata(to).map_err(Fault::file(to))?.mode();
    set_mode(to, top | 0o755)
}

/// Copies a run's copy once more, with modes and owners.
pub fn copy_again(from: &Path, to: &Path) -> Result<(), Fault> {
    copy(from, to, &|_| false, &|data| data.mode() & 0o777, true)
}

fn copy(
    from: &Path,
    to: &Path,
    is_left_out: &dyn Fn(&Path) -> bool,
    mode_of: &dyn Fn(&Metadata) -> u32,
    owners: bool,
) -> Result<(), Fault> {
    for entry in WalkDir::new(from).into_iter().filter_entry(|entry| !is_never_copied(entry.file_name())) {
        let entry = entry.map_err(|error| Fault::file(from)(error.into()))?;
        let target = to.join(entry.path().strip_prefix(from).unwrap_or(entry.path()));
        let data = entry.metadata().map_err(|error| Fault::file(entry.path())(error.into()))?;
        let kind = entry.file_type();
        if kind.is_dir() {
            fs::create_dir_all(&target).map_err(Fault::file(&target))?;
            // Files are still to be made in it.
            set_mode(&target, mode_of(&data) | 0o700)?;
        } else if kind.is_symlink() {
            if is_left_out(entry.path()) {
                continue;
            }
            let link = fs::read_link(entry.path()).map_err(Fault::file(entry.path()))?;
            std::os::unix::fs::symlink(link, &target).map_err(Fault::file(&target))?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target).map_err(Fault::file(entry.path()))?;
            set_mode(&target, mode_of(&data))?;
        } else {
            continue;
        }
        if owners {
            give_to_owner_of(&data, &target)?;
        }
    }
    Ok(())
}

/// Makes a folder in a copy that is as open as folders are, and belongs to whom the folder `like` does.
pub fn make_folder(path: &Path, like: &Path) -> Result<(), Fault> {
    fs::create_dir_all(path).map_err(Fault::file(path))?;
    settle(path, like, 0o755)
}

/// Gives a file or folder in a copy this mode, and the owner of the folder `like`.
pub fn settle(path: &Path, like: &Path, mode: u32) -> Result<(), Fault> {
    set_mode(path, mode)?;
    give_to_owner_of(&fs::metadata(like).map_err(Fault::file(like))?, path)
}

/// The mode that every file of a course has: all may read it, and run what can be run.
#[must_use]
pub fn ordinary(mode: u32) -> u32 {
    0o644 | (mode & 0o111)
}

pub(super) fn set_mode(path: &Path, mode: u32) -> Result<(), Fault> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(Fault::file(path))
}

/// Only root can give a file away, and only root reads files of others that nobody else may read.
fn give_to_owner_of(data: &Metadata, path: &Path) -> Result<(), Fault> {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root || (data.uid() == 0 && data.gid() == 0) {
        return Ok(());
    }
    lchown(path, Some(data.uid()), Some(data.gid())).map_err(Fault::file(path))
}

/// A file's mode, with the owner's rights for those from whom the umask takes them.
fn usable(mode: u32, masked: u32) -> u32 {
    let owner = mode >> 6 & 0o5;
    (mode & 0o777) | ((owner << 3 | owner) & masked)
}

/// This process's umask. It cannot be asked for without being set, except from the kernel's own files;
/// where there are none (macOS), it is taken for the usual one.
fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o022)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_stays_private_unless_the_umask_makes_all_files_so() {
        assert_eq!(
            (usable(0o100_600, 0o022), usable(0o100_644, 0o022), usable(0o104_755, 0o022)),
            (0o600, 0o644, 0o755)
        );
        assert_eq!(
            (usable(0o100_600, 0o077), usable(0o40_700, 0o077), usable(0o100_400, 0o077)),
            (0o644, 0o755, 0o444)
        );
        assert_eq!(usable(0o100_640, 0o027), 0o644);
    }

    #[test]
    fn a_copy_has_modes_and_links_and_no_lock_of_an_editor() {
        let dir = tempfile::tempdir().expect("folder");
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("sub")).expect("folder");
        for (file, mode) in [("a", 0o600), ("run.sh", 0o755), ("sub/b", 0o444)] {
            fs::write(from.join(file), "x").expect("write");
            set_mode(&from.join(file), mode).expect("mode");
        }
        set_mode(&from.join("sub"), 0o750).expect("mode");
        set_mode(&from, 0o700).expect("mode");
        std::os::unix::fs::symlink("a", from.join("link")).expect("link");
        std::os::unix::fs::symlink("me@here.1", from.join(".#a")).expect("link");
        copy_submission(&from, &to).expect("copied");
        let mode = |name: &str| fs::symlink_metadata(to.join(name)).expect("there").mode() & 0o777;
        assert_eq!(
            (mode("a"), mode("run.sh"), mode("sub/b"), mode("sub"), mode("")),
            (0o600, 0o755, 0o444, 0o750, 0o755)
        );
        assert!(to.join("link").is_symlink() && to.join(".#a").symlink_metadata().is_err());
    }
}
