//! Helpers of the end-to-end tests: a learner with a folder, a home and the `grader` program.
//!
//! Owns: running the program as a person would, and looking at the daemon with the `docker`
//! command. Must not: use the grader's own code to measure what the grader did.

pub mod axe;
pub mod browser;
pub mod daemon;
pub mod fuzz;
pub mod registry;
pub mod served;
pub mod serving;
pub mod terminal;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The folder of the course.
#[must_use]
pub fn course() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the course").to_path_buf()
}

/// How long a test waits for what must come in the end, before it says that it never does. Nothing is proven by
/// how fast something comes, so it is long enough for any machine.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// Puts cases into another order in each run, so that none leans on the one before it. The order is told, and
/// `SUITE_ORDER=<number>` repeats it.
pub fn shuffle<T>(cases: &mut [T]) {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let given = std::env::var("SUITE_ORDER").ok().and_then(|text| text.parse().ok());
    let mut state: u64 = given.unwrap_or_else(|| RandomState::new().build_hasher().finish() % 1_000_000);
    println!("SUITE_ORDER={state}");
    for last in (1..cases.len()).rev() {
        // Knuth's MMIX generator; its high bits are the good ones.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(state >> 33).unwrap_or(0) % (last + 1);
        cases.swap(last, other);
    }
}

/// Judges all cases, in their order and two at a time, for some of it is waiting for containers. Gives the complaints.
pub fn two_at_a_time<T: Send>(cases: Vec<T>, judge: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    let (waiting, wrong) = (Mutex::new(cases.into_iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = { waiting.lock().expect("no judge panics").next() } {
                    let complaints = judge(&case);
                    wrong.lock().expect("no judge panics").extend(complaints);
                }
            });
        }
    });
    wrong.into_inner().expect("no judge panics")
}

/// The folder of lesson 36's exercise.
#[must_use]
pub fn lesson36() -> PathBuf {
    course().join("exercises/lesson36-dev-vs-prod")
}

/// The program, which `make build` puts beside the test programs' folder, and beside our own programs.
#[must_use]
pub fn program() -> PathBuf {
    let own = std::env::current_exe().expect("the path of this program");
    let built = own.ancestors().skip(1).take(2).map(|folder| folder.join("grader")).find(|built| built.is_file());
    built.unwrap_or_else(|| panic!("there is no grader beside {}: run `make build` first", own.display()))
}

/// A learner: a folder with a submission, and a home for the grader's own files.
pub struct Learner {
    /// Holds both; removed at the end.
    home: TempDir,
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    /// The report of `--format json`.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in:\n{}\n{}", self.stdout, self.stderr))
    }

    /// Both outputs.
    #[must_use]
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl Learner {
    /// A learner who has handed in a solution.
    #[must_use]
    pub fn with_solution(name: &str) -> Self {
        let learner = Self { home: tempfile::tempdir().expect("a temporary folder") };
        lay(&lesson36().join("starter"), &learner.dir());
        lay(&lesson36().join("solutions").join(name), &learner.dir());
        learner
    }

    /// The submission's folder.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        self.home.path().join("submission")
    }

    /// Where the grader keeps progress and scratch copies.
    #[must_use]
    pub fn grader_home(&self) -> PathBuf {
        self.home.path().join("home")
    }

    /// Replaces a file of the submission.
    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.dir().join(file), text).expect("write");
    }

    /// Replaces text in a file of the submission; the text must stand there.
    pub fn replace(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.dir().join(file)).expect("read");
        assert!(text.contains(from), "{file} has no {from:?}:\n{text}");
        self.write(file, &text.replacen(from, to, 1));
    }

    /// The program with this learner's home, not yet started.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(course()).env("GRADER_HOME", self.grader_home()).stdin(Stdio::null());
        command.env("GRADER_COURSE", course());
        command
    }

    /// Runs the program to its end.
    #[must_use]
    pub fn grader(&self, arguments: &[&str]) -> Ended {
        ended(&self.command(arguments).output().expect("the program starts"))
    }

    /// Grades the submission without a network; further arguments follow.
    #[must_use]
    pub fn check(&self, more: &[&str]) -> Ended {
        let dir = self.dir().display().to_string();
        let arguments: Vec<&str> =
            ["check", "lesson36", "--offline", "--dir", &dir].iter().chain(more).copied().collect();
        self.grader(&arguments)
    }

    /// Grades the submission and gives the JSON report.
    #[must_use]
    pub fn report(&self) -> Value {
        self.check(&["--format", "json"]).json()
    }
}

/// A course with one small exercise, and a learner with its solution.
pub struct SmallCourse {
    folder: TempDir,
}

impl Default for SmallCourse {
    fn default() -> Self {
        Self::new()
    }
}

impl SmallCourse {
    /// The course and the learner.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let exercise = course().join("tests/faults/lesson01-small");
        lay(&exercise, &folder.path().join("course/exercises/lesson01-small"));
        lay(&course().join("images"), &folder.path().join("course/images"));
        lay(&course().join("scripts"), &folder.path().join("course/scripts"));
        fs::create_dir_all(folder.path().join("course/book/src")).expect("folder");
        lay(&exercise.join("solutions/plain"), &folder.path().join("submission"));
        Self { folder }
    }

    /// The course's folder.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("course")
    }

    /// Writes a file of the course.
    pub fn add(&self, file: &str, text: &str) {
        fs::write(self.root().join(file), text).expect("write");
    }

    /// Replaces a file of the submission.
    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.path().join("submission").join(file), text).expect("write");
    }

    /// Puts the solution's file back.
    pub fn restore(&self, file: &str) {
        let solution = self.folder.path().join("course/exercises/lesson01-small/solutions/plain");
        self.write(file, &fs::read_to_string(solution.join(file)).expect("read"));
    }

    /// The program in this course, with this learner's home.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.folder.path().join("course")).stdin(Stdio::null());
        command.env("GRADER_HOME", self.folder.path().join("home")).env("GRADER_COURSE", self.root());
        command
    }

    /// The command that grades the submission and reports as JSON.
    #[must_use]
    pub fn check(&self) -> Command {
        let dir = self.folder.path().join("submission").display().to_string();
        self.command(&["check", "lesson01", "--fresh", "--offline", "--format", "json", "--dir", &dir])
    }

    /// Scratch folders of runs.
    #[must_use]
    pub fn run_folders(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("home/cache/runs")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().display().to_string()).collect()
    }
}

/// How one check of a report ended, such as `("judged", "pass")`, `("blocked", "dev-starts")`.
#[must_use]
pub fn outcome(report: &Value, id: &str) -> (String, String) {
    let check = report["checks"].as_array().and_then(|all| all.iter().find(|check| check["id"] == id));
    let check = check.unwrap_or_else(|| panic!("no check {id} in {report:#}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let more = match check["status"].as_str() {
        Some("judged") => &check["verdict"]["result"],
        Some("blocked") => &check["by"],
        _ => &check["message"],
    };
    (text(&check["status"]), text(more))
}

/// What a finished process said.
#[must_use]
pub fn ended(output: &Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs `docker` and gives the lines that it prints.
#[must_use]
pub fn docker(arguments: &[&str]) -> Vec<String> {
    let output = Command::new("docker").args(arguments).output().expect("docker starts");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Everything in the daemon and on disk that belongs to runs with this home.
#[must_use]
pub fn left_behind(learner: &Learner) -> Vec<String> {
    let runs = learner.grader_home().join("cache/runs");
    let folders: Vec<String> =
        fs::read_dir(runs).into_iter().flatten().flatten().map(|entry| entry.path().display().to_string()).collect();
    folders
}

/// Objects of a run, by its id, in the daemon.
#[must_use]
pub fn objects_of(run: &str) -> Vec<String> {
    let label = format!("label=course.grader.run={run}");
    let mut all = docker(&["ps", "--all", "--quiet", "--filter", &label]);
    all.extend(docker(&["network", "ls", "--quiet", "--filter", &label]));
    all.extend(docker(&["volume", "ls", "--quiet", "--filter", &label]));
    all.extend(docker(&["image", "ls", "--quiet", &format!("grader-run/{run}/*")]));
    all
}

/// Copies a folder's files over another's.
pub fn lay(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("walk");
        let target = to.join(entry.path().strip_prefix(from).expect("below"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).expect("folder");
        } else {
            fs::copy(entry.path(), &target).expect("copy");
        }
    }
}
