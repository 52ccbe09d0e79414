//! Following a tool that takes long: its output goes to a log, and somebody hears where it is.
//!
//! Owns: reading the output of a running command, its time limits, and ending it with all that it
//! has started. Must not: know what the tool is for.

mod lines;

use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::Say;
use crate::fault::Fault;
pub use lines::plain;
use lines::{shorten, step};

/// How long nothing is said while a tool works on.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How many of the last lines are kept for error messages.
const TAIL: usize = 60;

/// What to do with a tool's output.
pub struct Watch<'a> {
    /// What the lines that are said begin with.
    pub name: &'a str,
    /// The file that gets all output.
    pub log: &'a Path,
    /// After this time the tool is ended.
    pub limit: Duration,
    /// If it has written nothing after this time it is ended.
    pub first_word: Option<Duration>,
}

/// How a tool ended.
pub struct Ended {
    /// Its exit status; `None` when it was ended because of a limit.
    pub status: Option<ExitStatus>,
    /// The last lines that it wrote.
    pub tail: VecDeque<String>,
}

impl Ended {
    /// Whether it did what it should.
    pub fn ok(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// The last lines as one text.
    pub fn text(&self) -> String {
        self.tail.iter().map(String::as_str).collect::<Vec<_>>().join("\n").trim().to_owned()
    }

    /// The line that says best why it failed.
    pub fn reason(&self) -> String {
        let said = |line: &&String| !line.trim().is_empty();
        let error = |line: &&String| line.starts_with("ERROR:") || line.starts_with("Error");
        let line = self.tail.iter().rev().find(error).or_else(|| self.tail.iter().rev().find(said));
        match (self.status, line) {
            (None, _) => "it did not end in time".into(),
            (Some(_), Some(line)) => line.trim().trim_start_matches("Error response from daemon: ").to_owned(),
            (Some(status), None) => format!("it said nothing ({status})"),
        }
    }
}

/// A running tool in a process group of its own. When it is dropped before it has ended, the
/// whole group is told to end: a shell or a plugin would leave its children behind.
pub struct Tool {
    child: Child,
    group: Option<Pid>,
    shown: String,
}

impl Tool {
    /// Starts a command.
    pub fn start(mut command: Command) -> Result<Self, Fault> {
        let shown = command.as_std().get_program().to_string_lossy().into_owned();
        command.process_group(0);
        let child = command.spawn().map_err(failed(&shown))?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, group, shown })
    }

    /// Its standard output, for another command to read.
    pub fn stdout(&mut self) -> Option<tokio::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Reads all that it writes until it ends.
    pub async fn follow(mut self, watch: &Watch<'_>, say: &mut Say<'_>) -> Result<Ended, Fault> {
        let mut log = File::create(watch.log).map_err(Fault::file(watch.log))?;
        let (sender, mut written) = unbounded_channel();
        let out = pump(self.child.stdout.take(), sender.clone());
        let err = pump(self.child.stderr.take(), sender);
        let (begun, mut spoke) = (Instant::now(), Instant::now());
        let (mut tail, mut seen) = (VecDeque::new(), BTreeSet::new());
        let mut in_time = true;
        let group = self.group;
        let reading = async {
            loop {
                let limit = if tail.is_empty() { watch.first_word.unwrap_or(watch.limit) } else { watch.limit };
                let left = limit.saturating_sub(begun.elapsed());
                let quiet = PATIENCE.saturating_sub(spoke.elapsed());
                let about = if in_time { left.min(quiet) } else { PATIENCE };
                let mut tell = |text: &str| {
                    say(&format!("{}: {:>4} s  {}", watch.name, begun.elapsed().as_secs(), shorten(text)));
                    spoke = Instant::now();
                };
                match tokio::time::timeout(about, written.recv()).await {
                    Ok(None) => return Ok::<(), Fault>(()),
                    Ok(Some(line)) => {
                        writeln!(log, "{line}").map_err(Fault::file(watch.log))?;
                        if let Some(step) = step(&line)
                            && seen.insert(step.to_owned())
                        {
                            tell(step);
                        }
                        if tail.len() == TAIL {
                            tail.pop_front();
                        }
                        tail.push_back(line);
                    }
                    Err(_) if left <= quiet => {
                        in_time = false;
                        end(group);
                    }
                    Err(_) => tell(tail.back().map_or("still at work", |line| plain(line))),
                }
            }
        };
        let ((), (), read) = tokio::join!(out, err, reading);
        read?;
        let status = self.child.wait().await.map_err(failed(&self.shown))?;
        self.group = None;
        Ok(Ended { status: in_time.then_some(status), tail })
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        end(self.group);
    }
}

fn end(group: Option<Pid>) {
    if let Some(group) = group {
        // It may have ended by itself just now.
        let _ = kill_process_group(group, Signal::TERM);
    }
}

fn failed(command: &str) -> impl FnOnce(std::io::Error) -> Fault {
    let command = command.to_owned();
    move |error| Fault::Command { command, reason: error.to_string() }
}

async fn pump(from: Option<impl AsyncRead + Unpin>, to: UnboundedSender<String>) {
    let Some(from) = from else { return };
    let mut lines = BufReader::new(from).split(b'\n');
    // A pipe that cannot be read any more is a tool that has ended; its status tells how.
    while let Ok(Some(line)) = lines.next_segment().await {
        let text = String::from_utf8_lossy(&line);
        let last = text.trim_end().rsplit('\r').next().unwrap_or_default();
        if to.send(last.to_owned()).is_err() {
            return;
        }
    }
}

/// The log file of a step about `name`.
pub fn log_file(name: &str) -> Result<PathBuf, Fault> {
    let dir = crate::paths::cache()?.join("images");
    crate::paths::own_folder(&dir)?;
    Ok(dir.join(format!("{name}.log")))
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    async fn follow(script: &str, limit: Duration, first_word: Option<Duration>) -> (Ended, Vec<String>, String) {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut said = Vec::new();
        let watch = Watch { name: "x", log: log.path(), limit, first_word };
        let ended = Tool::start(command).unwrap().follow(&watch, &mut |line| said.push(line.to_owned())).await.unwrap();
        (ended, said, std::fs::read_to_string(log.path()).unwrap())
    }

    #[tokio::test]
    async fn output_is_logged_and_steps_are_said_once() {
        let script =
            "echo '#1 [internal] load'; echo '#2 [a 1/2] RUN x'; echo '#2 [a 1/2] RUN x'; echo 'ERROR: no' >&2; exit 3";
        let (ended, said, log) = follow(script, PATIENCE, None).await;
        assert_eq!(said, ["x:    0 s  [a 1/2] RUN x"]);
        assert_eq!((ended.ok(), ended.reason().as_str()), (false, "ERROR: no"));
        assert_eq!(ended.status.and_then(|status| status.code()), Some(3));
        assert_eq!(log.lines().count(), 4);
    }

    #[tokio::test]
    async fn a_tool_over_its_limit_is_ended_with_its_children() {
        let begun = Instant::now();
        let (ended, ..) = follow("echo word; sleep 60 & sleep 60", Duration::from_millis(200), None).await;
        assert!(ended.status.is_none() && begun.elapsed() < Duration::from_secs(5));
        let (silent, ..) = follow("sleep 60", PATIENCE, Some(Duration::from_millis(100))).await;
        assert!(silent.status.is_none() && begun.elapsed() < Duration::from_secs(5));
    }
}
