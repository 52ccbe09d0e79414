//! Runs commands one after the other in one `bash`, as a reader would, and tells their outputs apart.
//!
//! Owns: the shell's folder, its environment, and its end. Must not: look at what is printed, or
//! stop after a command that fails: a page's last commands clean up.

use std::fmt::Write;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::super::super::interrupted;
use crate::course::blocks::Step;
use crate::fault::Fault;
use crate::sandbox::pace::Pace;

/// What became of a command.
#[derive(Debug)]
pub struct Did {
    /// Both outputs, in the order in which they were written.
    pub output: String,
    /// The exit code; none if the command was still running when the shell ended.
    pub status: Option<i32>,
}

/// Runs the programs in a new, empty folder. Each may take `limit_ms` of a quiet machine. If the shell ends
/// early or one takes longer, there are fewer results than programs, and the last one has no status.
pub async fn run(steps: &[Step], limit_ms: u64) -> Result<Vec<Did>, Fault> {
    let temporary = || tempfile::tempdir().map_err(Fault::file(std::env::temp_dir()));
    // The script and its output lie elsewhere: the reader's folder is empty.
    let (own, folder) = (temporary()?, temporary()?);
    let programs: Vec<&str> = steps.iter().map(|step| step.program.as_str()).collect();
    let mark = format!("ended-{}", std::process::id());
    let path = own.path().join("script");
    fs::write(&path, script(&programs, &mark)).map_err(Fault::file(path))?;
    // A file and no pipe: a process that the page forgets would keep a pipe open.
    let path = own.path().join("output");
    let output = File::create(&path).map_err(Fault::file(&path))?;
    let errors = output.try_clone().map_err(Fault::file(&path))?;
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc"]).arg(own.path().join("script")).current_dir(folder.path());
    plain_environment(&mut command);
    command.stdin(Stdio::null()).stderr(errors).stdout(output);
    let failed = |error: std::io::Error| Fault::Command { command: "bash".into(), reason: error.to_string() };
    // A group of its own, so that it can be ended with all that it has started.
    let mut child = command.process_group(0).spawn().map_err(failed)?;
    let stop = async {
        tokio::select! {
            late = one_is_late(&path, &mark, limit_ms) => late.err(),
            () = interrupted() => Some(Fault::Interrupted),
        }
    };
    let fault = tokio::select! {
        ended = child.wait() => { ended.map_err(failed)?; None }
        fault = stop => fault,
    };
    end(&child);
    let _ = child.wait().await;
    if let Some(fault) = fault {
        return Err(fault);
    }
    let printed = fs::read(&path).map_err(Fault::file(&path))?;
    Ok(split(&String::from_utf8_lossy(&printed), &mark, programs.len()))
}

/// How often it is looked at which command runs.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Returns when a command has taken longer than it may. Each has its own limit, which begins when the one before
/// has ended: what hangs is named after minutes, and a long page has as long as it needs.
async fn one_is_late(output: &Path, mark: &str, limit_ms: u64) -> Result<(), Fault> {
    let pace = Pace::start();
    let (mut ended, mut deadline) = (0, pace.within(limit_ms));
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let printed = fs::read(output).map_err(Fault::file(output))?;
        let now = String::from_utf8_lossy(&printed).matches(mark).count();
        if now != ended {
            (ended, deadline) = (now, pace.within(limit_ms));
        } else if deadline.is_over()? {
            return Ok(());
        }
    }
}

/// Ends the shell and what runs in it.
fn end(child: &Child) {
    let id = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(id) = id {
        let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
    }
}

/// Nothing of this shell's variables but where Docker is, and none of the terminal's decorations.
fn plain_environment(command: &mut Command) {
    let kept = std::env::vars().filter(|(name, _)| {
        ["PATH", "HOME", "TMPDIR", "XDG_RUNTIME_DIR"].contains(&name.as_str()) || name.starts_with("DOCKER_")
    });
    command.env_clear().envs(kept);
    command.envs([("LANG", "C"), ("LC_ALL", "C"), ("TERM", "dumb"), ("NO_COLOR", "1")]);
    command.envs([("COMPOSE_PROGRESS", "plain"), ("COMPOSE_ANSI", "never"), ("BUILDKIT_PROGRESS", "plain")]);
}

/// All programs with a line after each that says that it has ended, and how.
fn script(programs: &[&str], mark: &str) -> String {
    // The exit code is handed on, because the next command may ask for it.
    let mut script = format!("ended() {{ local s=$?; printf '\\n{mark} %s %s\\n' \"$1\" \"$s\"; return \"$s\"; }}\n");
    for (index, program) in programs.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(script, "{program}\nended {index}\n");
    }
    script
}

/// Cuts the output at the marks.
fn split(printed: &str, mark: &str, count: usize) -> Vec<Did> {
    let mut rest = printed;
    let mut done = Vec::new();
    for index in 0..count {
        let Some((output, after)) = rest.split_once(&format!("\n{mark} {index} ")) else {
            done.push(Did { output: lines(rest), status: None });
            break;
        };
        let (status, after) = after.split_once('\n').unwrap_or((after, ""));
        done.push(Did { output: lines(output), status: status.parse().ok() });
        rest = after;
    }
    done
}

/// A page cannot show whether the last line of an output has an end.
fn lines(output: &str) -> String {
    let end = if output.is_empty() || output.ends_with('\n') { "" } else { "\n" };
    format!("{output}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_shell_keeps_its_state_and_outputs_stay_apart() {
        let programs =
            ["x=5; mkdir d; cd d", "printf $x; false", "echo $?; pwd | grep -c /d$ >&2", "exit 3", "echo never"];
        let step = |program: &str| Step { line: 1, program: program.into(), expect: String::new(), shown: 0..0 };
        let done = run(&programs.map(step), 60_000).await.expect("bash");
        let done: Vec<_> = done.into_iter().map(|did| (did.output, did.status)).collect();
        let did = |output: &str, status| (output.to_owned(), status);
        assert_eq!(done, [did("", Some(0)), did("5\n", Some(1)), did("1\n1\n", Some(0)), did("", None)]);
    }
}
