//! The id of a run, from which anybody can tell whether the run is still alive.
//!
//! Owns: [`RunId`]. Must not: remove anything.
//!
//! Every object that a run makes carries the id: in a label, or in its name where there are no
//! labels (images, folders). The id holds the machine, the boot, the process id and the time at
//! which that process started, so a later run needs no lock file to know that the owner is gone.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest, Sha256};

/// The label that every container, network and volume of a run carries.
pub const LABEL: &str = "course.grader.run";

/// The id of one run: `machine-boot-pid-start-number`, all in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// A new id for a run of this process.
    #[must_use]
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let pid = std::process::id();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(format!("{}-{}-{pid:x}-{:x}-{number:x}", machine(), boot(), start_of(pid).unwrap_or(0)))
    }

    /// The id that a label or a name holds, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let is_hex = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_hexdigit());
        (parts.len() == 5 && parts.iter().all(is_hex)).then(|| Self(text.to_owned()))
    }

    /// The id as it stands in labels and names.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what this run has made may be removed by somebody else: it belongs to this
    /// machine, and the process that made it is gone.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        let parts: Vec<&str> = self.0.split('-').collect();
        if parts[0] != machine() {
            return false;
        }
        let alive = u32::from_str_radix(parts[2], 16)
            .ok()
            .and_then(start_of)
            .is_some_and(|start| format!("{start:x}") == parts[3]);
        parts[1] != boot() || !alive
    }
}

impl Default for RunId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// This machine and this process id namespace: process ids mean something only within them.
fn machine() -> String {
    let name = read("/etc/machine-id").or_else(|| read("/proc/sys/kernel/hostname")).unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default();
    short_hash(&format!("{name}{namespace}"))
}

fn boot() -> String {
    short_hash(&read("/proc/sys/kernel/random/boot_id").unwrap_or_default())
}

/// The time at which a process started, in clock ticks after boot (field 22 of `/proc/PID/stat`,
/// see proc(5)); `None` when there is no such process.
fn start_of(pid: u32) -> Option<u64> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    // The second field is the command in brackets, which may contain spaces and brackets.
    let after_command = stat.rsplit_once(')')?.1;
    after_command.split_whitespace().nth(19)?.parse().ok()
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn short_hash(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_this_process_is_alive() {
        assert!(!RunId::new().is_abandoned());
    }

    #[test]
    fn ids_differ_within_a_process() {
        assert_ne!(RunId::new(), RunId::new());
    }

    #[test]
    fn a_run_whose_process_started_at_another_time_is_abandoned() {
        let mine = RunId::new();
        let parts: Vec<&str> = mine.as_str().split('-').collect();
        let reused = format!("{}-{}-{}-1-0", parts[0], parts[1], parts[2]);
        assert!(RunId::parse(&reused).is_some_and(|id| id.is_abandoned()));
    }

    #[test]
    fn a_run_before_the_last_boot_is_abandoned_and_one_of_another_machine_is_not_ours() {
        let mine = RunId::new();
        let parts: Vec<&str> = mine.as_str().split('-').collect();
        let before = format!("{}-000000-{}-{}-0", parts[0], parts[2], parts[3]);
        assert!(RunId::parse(&before).is_some_and(|id| id.is_abandoned()));
        let elsewhere = format!("000000-{}-1-1-0", parts[1]);
        assert!(RunId::parse(&elsewhere).is_some_and(|id| !id.is_abandoned()));
    }

    #[test]
    fn text_that_is_no_id_is_not_taken_for_one() {
        for text in ["", "x", "a-b-c-d", "a-b-c-d-zz", "1-2-3-4-"] {
            assert!(RunId::parse(text).is_none(), "{text}");
        }
    }
}
