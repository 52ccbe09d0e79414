//! Folders and disks of this machine.
//!
//! Owns: whether the grader's folders can be written, and how much space is left. Must not: leave
//! a file behind.

use std::path::{Path, PathBuf};

use super::{Finding, Level};
use crate::fault::Fault;
use crate::paths;

/// Below this much space things will fail soon.
pub const WARN_BYTES: u64 = 5_000_000_000;
/// Below this much space nothing can be built.
pub const FAIL_BYTES: u64 = 1_000_000_000;

/// The findings about the grader's own folders.
pub fn examine_folders() -> Vec<Finding> {
    let folders = [("state folder", paths::state()), ("cache folder", paths::cache())];
    folders.into_iter().map(|(name, path)| folder(name, path)).collect()
}

fn folder(name: &str, path: Result<PathBuf, Fault>) -> Finding {
    let written = path.and_then(|path| {
        tempfile::NamedTempFile::new_in(&path).map_err(Fault::file(&path))?;
        Ok(path)
    });
    match written {
        Err(fault) => Finding::new(name, Level::Fail, fault.to_string(), &fault.remedy()),
        Ok(path) => {
            let (level, text) = space(free_bytes(&path), &path);
            let fix = format!("Free some space on the disk of {}.", path.display());
            Finding::new(name, level, format!("{}, {text}", path.display()), &fix)
        }
    }
}

/// The bytes that this user may still write where `path` is.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// How bad it is that so many bytes are free, and the number in words.
pub fn space(free: Option<u64>, path: &Path) -> (Level, String) {
    let level = match free {
        Some(bytes) if bytes < FAIL_BYTES => Level::Fail,
        Some(bytes) if bytes < WARN_BYTES => Level::Warn,
        _ => Level::Ok,
    };
    let text = free.map_or_else(
        || format!("{} is on another machine", path.display()),
        |bytes| format!("{} free", gigabytes(bytes)),
    );
    (level, text)
}

/// Bytes in GB (10^9), with one digit after the point.
pub fn gigabytes(bytes: u64) -> String {
    let tenths = bytes / 100_000_000;
    format!("{}.{} GB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_space_warns_and_none_fails() {
        let level = |bytes| space(Some(bytes), Path::new("/x")).0;
        assert_eq!((level(WARN_BYTES), level(WARN_BYTES - 1)), (Level::Ok, Level::Warn));
        assert_eq!((level(FAIL_BYTES), level(FAIL_BYTES - 1)), (Level::Warn, Level::Fail));
        assert_eq!(gigabytes(4_260_000_000), "4.2 GB");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told_and_one_that_can_is_left_empty() {
        let dir = tempfile::tempdir().unwrap();
        assert_ne!(folder("x", Ok(dir.path().join("none"))).fix, None);
        let found = folder("x", Ok(dir.path().to_path_buf()));
        assert!(found.found.contains("GB free"), "{}", found.found);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
