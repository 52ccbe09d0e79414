//! Where the grader keeps its own files on the learner's machine.
//!
//! Owns: two folders. Must not: write anything but these folders.

use std::path::PathBuf;

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
    std::fs::create_dir_all(&path).map_err(Fault::file(&path))?;
    Ok(path)
}
