//! Watch mode: saves are graded, the last one too, and the terminal is given back.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tests::Learner;

/// The longest that anything here may take.
const LIMIT: Duration = tests::PATIENCE;

/// A `grader watch` whose output is read line by line.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(learner: &Learner, more: &[&str]) -> Self {
        let dir = learner.dir().display().to_string();
        let arguments: Vec<&str> =
            ["watch", "lesson36", "--offline", "--dir", &dir].iter().chain(more).copied().collect();
        let mut command = learner.command(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("start");
        let stdout = BufReader::new(child.stdout.take().expect("stdout"));
        let (sender, lines) = channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    /// All lines up to one that has this in it.
    fn until(&self, text: &str) -> String {
        let deadline = Instant::now() + LIMIT;
        let mut seen = String::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no {text:?} in:\n{seen}"));
            seen.push_str(&line);
            seen.push('\n');
            if line.contains(text) {
                return seen;
            }
        }
    }

    fn interrupt(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill starts").success());
        self.child.wait().expect("end").code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // Only where a test has failed is it still there.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A submission whose builds fail at once, so that a run is short.
fn broken(mark: &str) -> String {
    format!("FROM node:22-bookworm-slim AS development\nFROM development AS production\nCOPY {mark} /x\n")
}

#[test]
fn each_save_is_graded_and_an_old_state_is_remembered() {
    let learner = Learner::with_solution("nodemon-stock-user");
    learner.write("Dockerfile", &broken("first-mark"));
    let mut watching = Watching::start(&learner, &[]);
    assert!(watching.until(" points").contains("first-mark"));
    learner.write("Dockerfile", &broken("second-mark"));
    assert!(watching.until(" points").contains("second-mark"));
    // As editors save: a new file is put in the place of the old one.
    fs::write(learner.dir().join("Dockerfile~"), broken("third-mark")).expect("write");
    fs::rename(learner.dir().join("Dockerfile~"), learner.dir().join("Dockerfile")).expect("rename");
    watching.until("third-mark");
    watching.until(" points");
    learner.write("Dockerfile", &broken("first-mark"));
    let again = watching.until("measured now");
    assert!(again.contains("first-mark") && again.contains("targets-build (unchanged)"), "{again}");
    assert_eq!(watching.interrupt(), Some(130));
    assert_eq!(tests::left_behind(&learner), Vec::<String>::new());
}

#[test]
fn a_save_during_a_run_is_graded_in_the_end() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let mut watching = Watching::start(&learner, &[]);
    // The copy that the run works on is made first, so this save is not in it.
    let runs = learner.grader_home().join("cache/runs");
    let deadline = Instant::now() + LIMIT;
    let is_copied = || {
        fs::read_dir(&runs).is_ok_and(|mut all| all.any(|run| run.is_ok_and(|run| run.path().join("build").exists())))
    };
    while !is_copied() {
        assert!(Instant::now() < deadline, "no run has begun");
        std::thread::sleep(Duration::from_millis(10));
    }
    learner.write("Dockerfile", &broken("saved-meanwhile"));
    let first = watching.until(" points");
    assert!(!first.contains("saved-meanwhile"), "{first}");
    let second = watching.until(" points");
    assert!(second.contains("saved-meanwhile"), "{second}");
    assert_eq!(watching.interrupt(), Some(130));
}

#[test]
fn a_disk_image_in_the_folder_is_refused_without_being_read() {
    let learner = Learner::with_solution("nodemon-stock-user");
    learner.write("Dockerfile", &broken("nowhere"));
    // A hole: it takes no room on the disk.
    let image = learner.dir().join("dump.img");
    fs::File::create(&image).and_then(|file| file.set_len(3 << 30)).expect("a hole");
    let mut watching = Watching::start(&learner, &[]);
    watching.until("the exercise folder holds more than");
    let status = fs::read_to_string(format!("/proc/{}/status", watching.child.id())).expect("status");
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    let most = most.trim().trim_end_matches(" kB").parse::<u64>().expect("kilobytes") / 1_000;
    assert!(most < 500, "{most} MB");
    fs::remove_file(&image).expect("remove");
    watching.until("nowhere");
    assert_eq!(watching.interrupt(), Some(130));
}

/// Runs watch mode in a terminal of 80 columns and 24 lines, types, and gives what was written to
/// the terminal, with the exit code.
fn in_terminal(learner: &Learner, keys: &str) -> (String, i32) {
    let script = format!(
        "stty rows 24 cols 80; before=$(stty -g); {} watch lesson36 --offline --dir {}; code=$?; \
         test \"$before\" = \"$(stty -g)\" && echo 'terminal as before'; exit $code",
        tests::program().display(),
        learner.dir().display()
    );
    let python = "import os, pty, sys, time, select\n\
        pid, end = pty.fork()\n\
        if pid == 0: os.execvp('sh', ['sh', '-c', sys.argv[1]])\n\
        seen, keys, limit = b'', sys.argv[2], time.monotonic() + 150\n\
        while time.monotonic() < limit:\n\
        \x20   if not select.select([end], [], [], 1)[0]: continue\n\
        \x20   try: part = os.read(end, 65536)\n\
        \x20   except OSError: break\n\
        \x20   if not part: break\n\
        \x20   seen += part\n\
        \x20   if keys and b'waiting for a save' in seen:\n\
        \x20       os.write(end, keys[0].encode()); keys = keys[1:]\n\
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n\
        sys.stdout.buffer.write(seen); sys.exit(code)\n";
    let mut command = Command::new("python3");
    command.args(["-c", python, &script, keys]).env("GRADER_HOME", learner.grader_home()).env("TERM", "xterm-256color");
    command.env("GRADER_COURSE", tests::course());
    let mut child = command.current_dir(tests::course()).stdout(Stdio::piped()).spawn().expect("python3 starts");
    let mut seen = String::new();
    child.stdout.take().expect("stdout").read_to_string(&mut seen).expect("text");
    (seen, child.wait().expect("end").code().unwrap_or(-1))
}

#[test]
fn keys_show_hints_and_the_list_and_the_terminal_is_given_back() {
    let learner = Learner::with_solution("nodemon-stock-user");
    learner.write("Dockerfile", &broken("nowhere"));
    let (seen, code) = in_terminal(&learner, "hlrq");
    assert_eq!(code, 0, "{seen}");
    for text in ["CHECKING", "COPY nowhere /x", "1. Read the line", "Only your own copy", "(waits for `targets-build`)"]
    {
        assert!(seen.contains(text), "no {text:?} in:\n{seen}");
    }
    assert!(seen.contains("terminal as before"), "{seen}");
    assert!(seen.contains("\u{1b}[?1049l"), "the person's own screen is back");
    // Ctrl-C is a key here.
    assert_eq!(in_terminal(&learner, "\u{3}").1, 130);
}
