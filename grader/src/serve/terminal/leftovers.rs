//! What a shell has started and what is still there when the shell ends.
//!
//! Owns: finding and ending the processes of a terminal. Must not: touch any other process. A program
//! that has left the terminal on purpose (`setsid`) stays, as in any terminal.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::wait::{in_ms, until};

/// How long programs may take to end by themselves, and to be gone after that, milliseconds.
const POLITE_MS: u64 = 1_000;
const KILLED_MS: u64 = 10_000;

/// Ends the session that a shell leads: first as a terminal that is closed, then by force.
pub async fn end(leader: u32) {
    for signal in [Signal::HUP, Signal::CONT] {
        tell(leader, signal);
    }
    if gone(leader, POLITE_MS, None).await {
        return;
    }
    // Again and again: one that is to be killed may start another one just before.
    gone(leader, KILLED_MS, Some(Signal::KILL)).await;
}

async fn gone(leader: u32, ms: u64, signal: Option<Signal>) -> bool {
    let look = || async {
        if let Some(signal) = signal {
            tell(leader, signal);
        }
        Ok(members(leader).is_empty().then_some(()))
    };
    matches!(until(&in_ms(ms), look).await, Ok(Some(())))
}

fn tell(leader: u32, signal: Signal) {
    for process in members(leader) {
        // One that has just ended needs no signal.
        let _ = kill_process(process, signal);
    }
}

/// The living processes of a session.
fn members(leader: u32) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    ids.filter(|id| session(*id) == Some(leader)).filter_map(Pid::from_raw).collect()
}

/// The session of a process that is alive. Its name stands in brackets, and may have brackets in it.
fn session(process: i32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut after = text.rsplit_once(')')?.1.split_whitespace();
    let is_alive = !matches!(after.next()?, "Z" | "X");
    let session = after.nth(2)?.parse().ok()?;
    is_alive.then_some(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_a_member_of_its_session() {
        let own = rustix::process::getpid();
        let session = session(own.as_raw_nonzero().get()).expect("a session");
        assert!(members(session).contains(&own));
        assert!(!members(u32::MAX).contains(&own));
    }
}
