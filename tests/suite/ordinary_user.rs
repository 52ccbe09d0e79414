//! The main ways as people run them: not as root, in the group that may use Docker, with a umask that
//! closes every file, in a home with an odd name.
//!
//! The test makes a user for that, which only root can do. Where the tests do not run as root, they run
//! as an ordinary user themselves, and this one says so and does nothing.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tests::{Ended, ended, lay, outcome, program};

/// No image of the course has a user with this id.
const UID: u32 = 47_110;
const SOCKET: &str = "/var/run/docker.sock";

/// Such a user; removed at the end.
struct User {
    folder: tempfile::TempDir,
    name: String,
    /// The group of Docker's socket.
    docker: u32,
}

impl User {
    fn make() -> Option<Self> {
        let root = fs::metadata("/proc/self").expect("this process").uid() == 0;
        let socket = fs::metadata(SOCKET).map(|data| (data.gid(), data.mode() & 0o060));
        let Ok((docker, 0o060)) = socket else {
            eprintln!("skipped: {SOCKET} is not there for a group");
            return None;
        };
        if !root {
            eprintln!("skipped: only root can make a user, and these tests do not run as root");
            return None;
        }
        let folder = tempfile::tempdir().expect("folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("mode");
        let user = Self { folder, name: format!("learner-{}", std::process::id()), docker };
        let made = Command::new("useradd")
            .args(["--no-user-group", "--no-create-home", "--uid", &UID.to_string(), "--groups", &docker.to_string()])
            .arg("--home-dir")
            .arg(user.home())
            .arg(&user.name)
            .status();
        assert!(made.expect("useradd starts").success(), "the user could not be made");
        fs::create_dir(user.home()).expect("home");
        fs::copy(program(), user.home().join("grader")).expect("copy");
        give(&user.home());
        Some(user)
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("the home of O'Brien, #1 \u{e9}")
    }

    /// The program as this user starts it.
    fn command(&self, here: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={UID}"), &format!("--regid={UID}"), &format!("--groups={}", self.docker)]);
        command.args(["sh", "-c", "umask 077; ulimit -n 1024; exec \"$@\"", "sh"]).arg(self.home().join("grader"));
        command.args(arguments).current_dir(here).stdin(Stdio::null()).env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("HOME", self.home()).env("USER", &self.name);
        command
    }

    fn grader(&self, here: &Path, arguments: &[&str]) -> Ended {
        ended(&self.command(here, arguments).output().expect("setpriv starts"))
    }

    fn cache(&self) -> PathBuf {
        self.home().join(".cache/grader")
    }

    fn runs(&self) -> Vec<PathBuf> {
        fs::read_dir(self.cache().join("runs")).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = Command::new("userdel").arg(&self.name).stderr(Stdio::null()).status();
    }
}

/// A stack whose container, as root, leaves in the mounted folder what its owner cannot remove: folders,
/// very deep ones among them, and a program that runs as root.
const LEAVES: &str = r#"services:
  app:
    build: .
    ports: ["3000:3000"]
    volumes: ["./:/srv/app"]
    command: ["sh", "-c", "mkdir -p dist/a && echo built > dist/a/out.js && chmod 700 dist && cp /bin/ls suid && chmod 4755 suid && exec node deep.js"]
"#;

#[test]
fn an_ordinary_user_learns_and_nothing_of_roots_stays() {
    let Some(user) = User::make() else { return };
    let home = user.home();
    let made = user.grader(&home, &["init", "my course"]);
    assert_eq!(made.code, 0, "{}", made.all());
    let course = home.join("my course");
    for arguments in [&["list"][..], &["images", "list"], &["sweep"], &["start", "lesson36"]] {
        let ended = user.grader(&course, arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.all());
    }
    passes_and_fails(&user, &course);
    watches(&user, &course);
    removes_what_only_root_can_remove(&user);

    let mut wrong = Vec::new();
    for entry in walkdir::WalkDir::new(&home).into_iter().flatten() {
        let data = entry.metadata().expect("data");
        if data.uid() != UID {
            wrong.push(format!("{} belongs to {}", entry.path().display(), data.uid()));
        }
    }
    let private = [home.join(".local/state/grader"), user.cache()];
    for entry in private.iter().flat_map(walkdir::WalkDir::new).flatten() {
        let rights = entry.metadata().expect("data").mode() & 0o7777;
        if rights & 0o077 != 0 {
            wrong.push(format!("others may use {}: {rights:o}", entry.path().display()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// A right submission, copied as with `cp` under this umask, passes with full points; a wrong one fails.
fn passes_and_fails(user: &User, course: &Path) {
    let copy = course.join("workspace/lesson36-dev-vs-prod");
    lay(&course.join("exercises/lesson36-dev-vs-prod/solutions/nodemon-stock-user"), &copy);
    give(&copy);
    let passed = user.grader(&copy, &["check", "--offline"]);
    assert_eq!(passed.code, 0, "{}", passed.all());
    assert!(passed.stdout.contains("100 of 100 points"), "{}", passed.all());
    assert_eq!(user.runs(), Vec::<PathBuf>::new());
    fs::write(
        copy.join("Dockerfile"),
        "FROM node:22-bookworm-slim AS development\nFROM development AS production\nCOPY nowhere /x\n",
    )
    .expect("write");
    let failed = user.grader(&copy, &["check", "--offline"]);
    assert!(failed.code == 1 && failed.stdout.contains("COPY nowhere /x"), "{}", failed.all());
    assert_eq!(user.runs(), Vec::<PathBuf>::new());
}

/// Watch mode grades what is there and ends when it is told to.
fn watches(user: &User, course: &Path) {
    let mut command = user.command(course, &["watch", "lesson36", "--offline"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("start");
    // Open until it has ended: whom nobody reads any more ends in another way.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("stdout")));
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.contains(" points")), "nothing was graded");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    assert_eq!(child.wait().expect("end").code(), Some(130));
    assert_eq!(user.runs(), Vec::<PathBuf>::new());
}

/// What containers have made as root goes with the run that made it, and after a kill with the next sweep.
fn removes_what_only_root_can_remove(user: &User) {
    let hostile = tests::course().join("tests/hostile");
    let (course, dir) = (user.home().join("another course"), user.home().join("handed in"));
    for part in ["exercises", "book/src"] {
        lay(&hostile.join("course").join(part), &course.join(part));
    }
    lay(&tests::course().join("images"), &course.join("images"));
    lay(&tests::course().join("scripts"), &course.join("scripts"));
    lay(&hostile.join("course/exercises/lesson01-tiny/starter"), &dir);
    lay(&hostile.join("folders-very-deep-made-by-a-container"), &dir);
    fs::remove_file(dir.join("hostile.toml")).expect("remove");
    fs::write(dir.join("docker-compose.yml"), LEAVES).expect("write");
    give(&course);
    give(&dir);
    let arguments = ["check", "lesson01", "--offline", "--fresh", "--format", "json", "--dir", "../handed in"];
    let unknown = user.grader(&course, &arguments);
    assert!(unknown.code == 2 && unknown.stderr.contains("grader trust "), "{}", unknown.all());
    assert_eq!(user.grader(&course, &["trust", "."]).code, 0);
    let ended = user.grader(&course, &arguments);
    let report = ended.json();
    assert_eq!(outcome(&report, "responds"), ("judged".into(), "pass".into()), "{report:#}");
    assert_eq!(user.runs(), Vec::<PathBuf>::new());

    let mut killed =
        user.command(&course, &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start");
    let deadline = Instant::now() + Duration::from_secs(120);
    let is_made = || user.runs().iter().any(|run| run.join("stack-app/suid").exists());
    while !is_made() {
        assert!(Instant::now() < deadline, "the container has made nothing: {:?}", killed.try_wait());
        std::thread::sleep(Duration::from_millis(20));
    }
    killed.kill().expect("kill");
    killed.wait().expect("end");
    let swept = user.grader(&course, &["sweep"]);
    assert!(swept.code == 0 && swept.stdout.contains("scratch folder"), "{}", swept.all());
    assert_eq!(user.runs(), Vec::<PathBuf>::new());
}

/// Makes everything below a folder the user's own, closed to all others.
fn give(folder: &Path) {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.expect("walk");
        let mode = entry.metadata().expect("data").mode() & 0o700;
        chown(entry.path(), Some(UID), Some(UID)).expect("owner");
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode)).expect("mode");
    }
}
