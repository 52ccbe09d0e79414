//! Commands that outlive the grader that started them.
//!
//! Owns: a mark in the environment of every command of ours, and ending those whose grader is
//! gone. Must not: end any process without the mark, or of a grader that is alive.
//!
//! When a grader is killed, its `docker compose up` goes on by itself and makes containers after
//! the sweep has looked. So a sweep ends such commands first. Where there is no `/proc` (macOS)
//! none are found, and the run after the next removes what they have made.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::run_id::RunId;
use super::wait::{in_ms, until};

/// The environment variable that holds an id of the grader's process.
pub const MARK: &str = "COURSE_GRADER_PROCESS";

/// Ends the commands of graders that are gone, and waits until they have ended. Tells whether there
/// were any.
pub async fn end() -> bool {
    let orphans = find();
    let were_any = !orphans.is_empty();
    for pid in orphans {
        // Gone already is as good.
        let _ = kill_process(pid, Signal::KILL);
    }
    let gone = || async { Ok(find().is_empty().then_some(())) };
    // What cannot be ended (another user's) is not waited for any longer than this.
    let _ = until(&in_ms(5_000), gone).await;
    were_any
}

fn find() -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| is_orphan(*pid)).filter_map(Pid::from_raw).collect()
}

fn is_orphan(pid: i32) -> bool {
    // Other users' processes, and those that have ended, cannot be read.
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    let mark = environment.split(|byte| *byte == 0).find_map(|entry| {
        let text = std::str::from_utf8(entry).ok()?;
        RunId::parse(text.strip_prefix(MARK)?.strip_prefix('=')?)
    });
    mark.is_some_and(|id| id.is_abandoned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn sleeper(mark: &str) -> std::process::Child {
        Command::new("sleep").arg("600").env(MARK, mark).spawn().expect("sleep")
    }

    #[tokio::test]
    async fn a_command_of_a_dead_grader_is_ended_and_one_of_a_living_is_not() {
        let mine = RunId::new();
        let parts: Vec<&str> = mine.as_str().split('-').collect();
        // A process with this id that started at another time: gone.
        let dead = format!("{}-{}-{}-1-0", parts[0], parts[1], parts[2]);
        let (mut orphan, mut child) = (sleeper(&dead), sleeper(mine.as_str()));
        end().await;
        let ended = orphan.wait().expect("end");
        assert!(!ended.success());
        assert!(child.try_wait().expect("look").is_none(), "the living grader's command goes on");
        child.kill().expect("kill");
        child.wait().expect("end");
    }
}
