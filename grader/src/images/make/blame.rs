//! Whose fault it is when an image cannot be made.
//!
//! Owns: reading a failed tool's last lines. Must not: run anything.

use std::path::Path;

use super::super::catalogue::Recipe;
use super::super::tool::{Ended, plain};
use crate::fault::Fault;

/// Words by which a tool says that the network is at fault.
const NETWORK_WORDS: [&str; 10] = [
    "no such host",
    "Temporary failure",
    "Could not resolve",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ETIMEDOUT",
    "i/o timeout",
    "Network is unreachable",
    "Connection timed out",
    "connection refused",
];

/// Whether a text says that the network is at fault.
pub fn names_network(text: &str) -> bool {
    NETWORK_WORDS.iter().any(|word| text.contains(word))
}

/// The fault that a tool's failure is. `reason` is its own best line.
pub fn failure(recipe: &Recipe, ended: &Ended, reason: &str, log: &Path) -> Fault {
    if ended.status.is_none() {
        return Fault::TimedOut {
            action: format!("making {} (see {})", recipe.reference, log.display()),
            seconds: super::LIMIT.as_secs(),
        };
    }
    let text = ended.text();
    let best = text.lines().map(plain).find(|line| names_network(line) && !line.starts_with('[')).unwrap_or(reason);
    let reason = format!("{best}. The whole output is in {}", log.display());
    let command = || format!("images/{}/{}", recipe.folder(), recipe.method.file());
    cause(&recipe.reference, &text, &reason).unwrap_or_else(|| Fault::Command { command: command(), reason })
}

/// The fault behind a tool's failure, where its last lines show one that has a remedy of its own.
pub fn cause(name: &str, text: &str, reason: &str) -> Option<Fault> {
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let (making, reason) = (format!("making {name}"), reason.to_owned());
    match () {
        () if any(&["no space left on device", "No space left on device"]) => {
            Some(Fault::DiskFull { reason: format!("{making}: {reason}") })
        }
        () if any(&["Cannot connect to the Docker daemon", "error during connect"]) => Some(Fault::NoDaemon { reason }),
        () if any(&NETWORK_WORDS) => Some(Fault::Network { action: making, reason }),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_with_a_remedy_of_its_own_is_recognised() {
        let fault = |line: &str| cause("x:1", line, "r");
        assert!(matches!(fault("write /x: no space left on device"), Some(Fault::DiskFull { .. })));
        assert!(matches!(fault("E: Could not resolve 'deb'"), Some(Fault::Network { .. })));
        assert!(matches!(fault("Cannot connect to the Docker daemon at unix"), Some(Fault::NoDaemon { .. })));
        assert!(fault("exit code: 1").is_none());
    }
}
