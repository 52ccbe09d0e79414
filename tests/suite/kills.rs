//! The grader is killed at random moments: after the next command nothing is left of it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tests::{Learner, SmallCourse, docker};

/// Everything of runs of the process with this id: a run's id holds it in hex, between dashes.
fn of_process(pid: u32) -> Vec<String> {
    let mine = |id: &String| id.split('-').nth(2) == Some(format!("{pid:x}").as_str());
    let label = |line: String| line.split_once(' ').map(|(object, run)| (object.to_owned(), run.to_owned()));
    let format = "{{.ID}} {{.Label \"course.grader.run\"}}";
    let named = "{{.Name}} {{.Label \"course.grader.run\"}}";
    let filter = "label=course.grader.run";
    let mut lines = docker(&["ps", "--all", "--filter", filter, "--format", format]);
    lines.extend(docker(&["network", "ls", "--filter", filter, "--format", format]));
    lines.extend(docker(&["volume", "ls", "--filter", filter, "--format", named]));
    let images = docker(&["image", "ls", "grader-run/*/*", "--format", "{{.Repository}}"]);
    lines.extend(images.into_iter().filter_map(|name| Some(format!("{name} {}", name.split('/').nth(1)?))));
    lines.into_iter().filter_map(label).filter(|(_, run)| mine(run)).map(|(object, _)| object).collect()
}

/// Commands that the process has started and that still run.
fn orphans(pid: u32) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let marked = entries.filter(|entry| {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let mark = environment
            .split(|byte| *byte == 0)
            .find_map(|text| std::str::from_utf8(text).ok()?.strip_prefix("COURSE_GRADER_PROCESS=").map(str::to_owned));
        mark.is_some_and(|id| id.split('-').nth(2) == Some(format!("{pid:x}").as_str()))
    });
    marked.map(|entry| entry.path().display().to_string()).collect()
}

/// Starts `command`, kills it after `moment`, and runs `sweep`. Gives what is left.
fn left_after_a_kill(mut command: Command, moment: Duration, mut sweep: Command) -> Vec<String> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start");
    let begun = Instant::now();
    while begun.elapsed() < moment && child.try_wait().expect("look").is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = child.id();
    child.kill().expect("kill");
    child.wait().expect("end");
    let swept = sweep.output().expect("sweep");
    assert!(swept.status.success(), "{}", String::from_utf8_lossy(&swept.stderr));
    [of_process(pid), orphans(pid)].concat()
}

/// Moments that are spread over a run: one at random in each of `count` equal parts of it.
fn moments(whole: Duration, count: u32) -> Vec<Duration> {
    let part = whole / count;
    (0..count).map(|index| part * index + part.mul_f64(random())).collect()
}

/// From 0 to 1.
fn random() -> f64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let bits = RandomState::new().build_hasher().finish() >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    let share = bits as f64 / (1_u64 << 53) as f64;
    share
}

#[test]
fn a_small_run_that_is_killed_at_many_random_moments_leaves_nothing() {
    let course = SmallCourse::new();
    let begun = Instant::now();
    assert!(course.check().output().expect("a whole run").status.success());
    for moment in moments(begun.elapsed(), 24) {
        // Another text makes another image, so that each run builds.
        course.write(
            "Dockerfile",
            &format!("FROM debian:bookworm-slim\nRUN echo {} > /built\nCMD [\"sleep\", \"infinity\"]\n", random()),
        );
        let left = left_after_a_kill(course.check(), moment, course.command(&["sweep"]));
        assert_eq!(left, Vec::<String>::new(), "killed after {moment:?}");
        assert_eq!(course.run_folders(), Vec::<String>::new(), "killed after {moment:?}");
    }
    assert!(course.check().output().expect("a last run").status.success());
}

#[test]
fn a_large_run_that_is_killed_at_random_moments_leaves_nothing() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let dir = learner.dir().display().to_string();
    let check = || learner.command(&["check", "lesson36", "--fresh", "--offline", "--dir", &dir]);
    let begun = Instant::now();
    let whole = tests::ended(&check().output().expect("a whole run"));
    assert_eq!(whole.code, 0, "{}", whole.all());
    for moment in moments(begun.elapsed(), 8) {
        let left = left_after_a_kill(check(), moment, learner.command(&["sweep"]));
        assert_eq!(left, Vec::<String>::new(), "killed after {moment:?}");
        assert_eq!(tests::left_behind(&learner), Vec::<String>::new(), "killed after {moment:?}");
    }
}
