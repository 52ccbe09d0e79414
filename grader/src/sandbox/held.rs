//! Puts the sources of mounts where no container can reach what they are.
//!
//! Owns: carrying out what [`mounts`](crate::plan::mounts) has planned, once, before anything of the
//! stack is started. Must not: decide what has to be moved.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fault::Fault;
use crate::plan::mounts::{Held, How, place_of};

/// Moves and links what has to be held, outer folders first, as the plan has them.
pub fn hold(held: &[Held], dir: &Path) -> Result<(), Fault> {
    for (number, one) in held.iter().enumerate() {
        let (root, rest) = place_of(&held[..number], dir, &one.path);
        let from = if rest.as_os_str().is_empty() { root } else { root.join(rest) };
        let parent = one.at.parent().unwrap_or(dir);
        fs::create_dir_all(parent).map_err(Fault::file(parent))?;
        let done = match one.how {
            How::Linked => fs::hard_link(&from, &one.at),
            How::Moved => moved(&from, &one.at),
            How::Made => fs::create_dir_all(&from).and_then(|()| fs::create_dir(&one.at)),
            How::Absent => Ok(()),
        };
        done.map_err(Fault::file(&from))?;
    }
    Ok(())
}

/// An empty folder stays, so that there is something to mount upon.
fn moved(from: &PathBuf, to: &Path) -> std::io::Result<()> {
    let mode = fs::metadata(from)?.permissions();
    fs::rename(from, to)?;
    fs::create_dir(from)?;
    fs::set_permissions(from, mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_shared_folders_are_moved_and_what_is_missing_is_made() {
        let root = tempfile::tempdir().expect("folder");
        let (dir, keep) = (root.path().join("stack"), root.path().join("held"));
        fs::create_dir_all(dir.join("sub/deep")).expect("folder");
        fs::write(dir.join("sub/deep/a.txt"), "a").expect("file");
        fs::write(dir.join("sub/pw.txt"), "old").expect("file");
        let one = |path: &str, at: &str, how| Held { path: path.into(), at: keep.join(at), how };
        let held = [
            one("new/er", "0", How::Made),
            one("none", "1", How::Absent),
            one("sub", "2", How::Moved),
            one("sub/deep", "3", How::Moved),
            one("sub/pw.txt", "4", How::Linked),
        ];
        hold(&held, &dir).expect("held");
        assert!(keep.join("0").is_dir() && dir.join("new/er").is_dir() && !keep.join("1").exists());
        assert_eq!(fs::read_to_string(keep.join("3/a.txt")).expect("moved"), "a");
        assert!(fs::read_dir(dir.join("sub")).expect("left").next().is_none());
        assert!(fs::read_dir(keep.join("2/deep")).expect("left").next().is_none());
        // One file with two names: who writes to it in one place is seen in the other.
        fs::write(keep.join("2/pw.txt"), "new").expect("write");
        assert_eq!(fs::read_to_string(keep.join("4")).expect("linked"), "new");
    }
}
