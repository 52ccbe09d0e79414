//! Where the grader keeps its own files on the learner's machine.
//!
//! Owns: two folders, and who may look into what the grader makes. Must not: write anything but these
//! folders.
//!
//! Copies of submissions hold secrets, and containers leave behind what they like in them, also programs
//! that run as root. So nobody but their owner may enter the grader's folders, whatever the umask says.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::fault::Fault;

/// Data that must last: progress, snapshots, the planted secret.
pub fn state() -> Result<PathBuf, Fault> {
    folder("XDG_STATE_HOME", ".local/state")
}

/// Data that can be made again: scratch copies of runs, what layers hold.
pub fn cache() -> Result<PathBuf, Fault> {
    folder("XDG_CACHE_HOME", ".cache")
}

/// `$GRADER_HOME` holds both when it is set (tests use it).
fn folder(variable: &str, below_home: &str) -> Result<PathBuf, Fault> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let last = below_home.rsplit('/').next().unwrap_or(below_home).trim_start_matches('.');
    let path = set("GRADER_HOME")
        .map(|home| home.join(last))
        .or_else(|| set(variable).map(|base| base.join("grader")))
        .or_else(|| set("HOME").map(|home| home.join(below_home).join("grader")))
        .ok_or_else(|| Fault::Usage {
            message: "neither HOME nor GRADER_HOME is set: there is nowhere to keep progress".into(),
        })?;
    own_folder(&path)?;
    Ok(path)
}

/// Makes a folder that only its owner may enter, with those above it. One that is there already and is
/// open to others is closed.
pub fn own_folder(path: &Path) -> Result<(), Fault> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Fault::file(path))?;
    close(path, 0o700)
}

/// Makes an empty file that only its owner may read, or closes the one that is there to others.
pub fn own_file(path: &Path) -> Result<File, Fault> {
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).read(true).write(true).mode(0o600).open(path);
    let file = file.map_err(Fault::file(path))?;
    close(path, 0o600)?;
    Ok(file)
}

/// Takes from others what they may do, and gives the owner what the umask has taken.
pub fn close(path: &Path, mode: u32) -> Result<(), Fault> {
    let is_mode = std::fs::metadata(path).map_err(Fault::file(path))?.permissions().mode() & 0o777;
    if is_mode == mode {
        return Ok(());
    }
    match std::fs::set_permissions(path, Permissions::from_mode(mode)) {
        // A folder of somebody else's, such as one on a share: its owner decides.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
        done => done.map_err(Fault::file(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_and_what_was_open_is_the_owners_alone() {
        let dir = tempfile::tempdir().expect("folder");
        let (folder, file) = (dir.path().join("a/b"), dir.path().join("c"));
        own_folder(&folder).expect("made");
        drop(own_file(&file).expect("made"));
        assert_eq!((mode(&dir.path().join("a")), mode(&folder), mode(&file)), (0o700, 0o700, 0o600));
        std::fs::write(&file, "kept").expect("write");
        for path in [&folder, &file] {
            std::fs::set_permissions(path, Permissions::from_mode(0o777)).expect("mode");
        }
        own_folder(&folder).expect("closed");
        drop(own_file(&file).expect("closed"));
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        assert_eq!(std::fs::read_to_string(&file).expect("read"), "kept");
    }
}
