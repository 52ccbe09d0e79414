//! Runs commands one after the other in one `bash`, as a reader would, and tells their outputs apart.
//!
//! Owns: the shell's folder, its environment, and its end. Must not: look at what is printed, or
//! stop after a command that fails: a page's last commands clean up.

use std::fmt::Write;
use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What became of a command.
#[derive(Debug)]
pub struct Did {
    /// Both outputs, in the order in which they were written.
    pub output: String,
    /// The exit code; none if the command was still running when the shell ended.
    pub status: Option<i32>,
}

/// Runs the programs in a new, empty folder. If the shell ends early or takes too long, there are
/// fewer results than programs, and the last one has no status.
pub fn run(programs: &[&str], limit: Duration) -> Vec<Did> {
    // The script and its output lie elsewhere: the reader's folder is empty.
    let (own, folder) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
    let mark = format!("ended-{}", own.path().file_name().expect("name").display());
    fs::write(own.path().join("script"), script(programs, &mark)).expect("write");
    // A file and no pipe: a process that the page forgets would keep a pipe open.
    let output = File::create(own.path().join("output")).expect("create");
    let mut command = Command::new("timeout");
    command.arg("--kill-after=10").arg(limit.as_secs().to_string());
    command.args(["bash", "--noprofile", "--norc"]).arg(own.path().join("script")).current_dir(folder.path());
    plain_environment(&mut command);
    command.stdin(Stdio::null()).stderr(output.try_clone().expect("clone")).stdout(output);
    command.status().expect("`timeout` and `bash` are there");
    let printed = fs::read(own.path().join("output")).expect("read");
    split(&String::from_utf8_lossy(&printed), &mark, programs.len())
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
        write!(script, "{program}\nended {index}\n").expect("a string takes it");
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

#[test]
fn one_shell_keeps_its_state_and_outputs_stay_apart() {
    let programs = ["x=5; mkdir d; cd d", "printf $x; false", "echo $?; pwd | grep -c /d$ >&2", "exit 3", "echo never"];
    let done: Vec<_> =
        run(&programs, Duration::from_secs(60)).into_iter().map(|did| (did.output, did.status)).collect();
    let did = |output: &str, status| (output.to_owned(), status);
    assert_eq!(done, [did("", Some(0)), did("5\n", Some(1)), did("1\n1\n", Some(0)), did("", None)]);
}
