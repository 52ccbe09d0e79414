//! The commands around a check: names, copies, snapshots, hints, the quiz, output without colour.

use std::fs;

use tests::{Learner, course, ended, lay, program};

/// A course of its own, so that workspace/ of this checkout stays as it is.
pub fn own_course() -> (tempfile::TempDir, impl Fn(&[&str], &str) -> tests::Ended) {
    let dir = tempfile::tempdir().expect("folder");
    for part in ["exercises", "images", "book/src", "scripts"] {
        lay(&course().join(part), &dir.path().join(part));
    }
    let root = dir.path().to_path_buf();
    let run = move |arguments: &[&str], below: &str| {
        let mut command = std::process::Command::new(program());
        command.args(arguments).current_dir(root.join(below)).env("GRADER_HOME", root.join("home"));
        command.env("GRADER_COURSE", &root);
        ended(&command.stdin(std::process::Stdio::null()).output().expect("run"))
    };
    (dir, run)
}

#[test]
fn a_lesson_has_three_names_and_an_unknown_one_suggests_the_nearest() {
    let (_dir, grader) = own_course();
    for name in ["lesson36", "36", "dev-vs-prod"] {
        assert_eq!(grader(&["start", name], "").code, 0, "{name}");
    }
    let ended = grader(&["start", "dev-vs-prd"], "");
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("Did you mean `dev-vs-prod`?"), "{}", ended.stderr);
}

#[test]
fn start_leaves_a_copy_that_is_there_and_reset_keeps_what_it_replaces() {
    let (dir, grader) = own_course();
    assert_eq!(grader(&["start", "36"], "").code, 0);
    let copy = dir.path().join("workspace/lesson36-dev-vs-prod");
    fs::write(copy.join("Dockerfile"), "FROM mine\n").expect("write");
    assert!(grader(&["start", "36"], "").stdout.contains("was left as it is"));
    assert_eq!(fs::read_to_string(copy.join("Dockerfile")).expect("read"), "FROM mine\n");
    let reset = grader(&["reset"], "workspace/lesson36-dev-vs-prod/src");
    assert_eq!(reset.code, 0, "{}", reset.all());
    let starter = fs::read_to_string(course().join("exercises/lesson36-dev-vs-prod/starter/Dockerfile")).expect("read");
    assert_eq!(fs::read_to_string(copy.join("Dockerfile")).expect("read"), starter);
    let snapshots = dir.path().join("home/state/snapshots/lesson36-dev-vs-prod");
    let snapshot = fs::read_dir(snapshots).expect("snapshots").flatten().next().expect("one").path();
    assert_eq!(fs::read_to_string(snapshot.join("Dockerfile")).expect("read"), "FROM mine\n");
    assert!(snapshot.join(".env.production").is_file(), "hidden files are kept too");
}

#[test]
fn without_a_lesson_the_folder_decides_and_elsewhere_it_is_asked_for() {
    let (dir, grader) = own_course();
    assert_eq!(grader(&["start", "36"], "").code, 0);
    fs::remove_file(dir.path().join("workspace/lesson36-dev-vs-prod/Dockerfile")).expect("remove");
    let inside = grader(&["check"], "workspace/lesson36-dev-vs-prod/src");
    assert!(inside.stdout.contains("Dockerfile is missing"), "{}", inside.all());
    let outside = grader(&["check"], "");
    assert_eq!(outside.code, 2);
    assert!(outside.stderr.contains("which lesson?"), "{}", outside.stderr);
}

#[test]
fn without_a_failure_hints_open_only_when_asked_for() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let none = learner.grader(&["hint", "36", "hot-reload"]);
    assert!(
        none.code == 1 && none.stdout.contains("None of its 3 hints") && !none.stdout.contains("1. "),
        "{}",
        none.all()
    );
    for (open, message) in [(1, "1 of 3 hints is open"), (2, "2 of 3 hints are open"), (3, "All 3 hints are open")] {
        let more = learner.grader(&["hint", "36", "hot-reload", "--more"]);
        assert!(more.code == 0 && more.stdout.contains(message), "{}", more.all());
        let again = learner.grader(&["hint", "36", "hot-reload"]).stdout;
        assert_eq!(again, more.stdout, "looking again opens nothing");
        let numbers: Vec<bool> = (1..=4).map(|number| again.contains(&format!("\n  {number}. "))).collect();
        assert_eq!(numbers, [true, open > 1, open > 2, false], "{again}");
    }
    let unknown = learner.grader(&["hint", "36", "hot-relaod"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("Did you mean `hot-reload`?"), "{}", unknown.stderr);
    let nothing = learner.grader(&["hint", "36"]);
    assert!(nothing.stderr.contains("run `grader check lesson36` first"), "{}", nothing.stderr);
}

#[test]
fn each_failure_with_changed_files_opens_a_hint_of_the_first_failed_check() {
    let learner = Learner::with_solution("nodemon-stock-user");
    learner.replace("Dockerfile", "npm ci", "npm cii");
    let report = learner.check(&[]);
    assert_eq!(report.code, 1);
    assert!(report.stdout.contains("grader hint lesson36 targets-build"), "{}", report.stdout);
    let open = |message: &str| {
        let hint = learner.grader(&["hint", "lesson36"]).stdout;
        assert!(hint.contains("(targets-build)") && hint.contains(message), "{hint}");
    };
    open("1 of 3 hints is open");
    let junit = learner.check(&["--format", "junit"]);
    assert!(junit.code == 1 && junit.stdout.starts_with("<?xml") && junit.stderr.is_empty(), "{}", junit.all());
    for part in ["name=\"targets-build\"", "<failure ", "<skipped message=\"not measured, because `targets-build`"] {
        assert!(junit.stdout.contains(part), "{part} is not in:\n{}", junit.stdout);
    }
    open("1 of 3 hints is open");
    learner.replace("Dockerfile", "npm cii", "npm ciii");
    assert_eq!(learner.check(&[]).code, 1);
    open("2 of 3 hints are open");
    learner.replace("docker-compose.prod.yml", "  payments:\n", "  payments:\n    privileged: true\n");
    assert_eq!(learner.report()["result"], "refused");
    open("2 of 3 hints are open");
    let list = learner.grader(&["list"]);
    assert!(list.stdout.contains("points so far"), "{}", list.stdout);
    let progress = learner.grader(&["progress", "36"]).stdout;
    // The same files again, answered from memory, are the same attempt.
    let lines = progress.lines().filter(|line| line.starts_with("20")).count();
    assert!(lines == 3 && progress.contains("refused: ") && progress.contains("no check changed"), "{progress}");
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    let learner = Learner::with_solution("nodemon-stock-user");
    assert_eq!(learner.grader(&["chekc"]).code, 2);
    assert_eq!(learner.grader(&["check", "36", "--dir", "/nowhere"]).code, 2);
    let ended = learner.grader(&["completions", "bash"]);
    assert!(ended.code == 0 && ended.stdout.contains("_grader()"));
}

#[test]
fn list_and_doctor_speak_json() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let list = learner.grader(&["list", "--format", "json"]).json();
    let ids: Vec<_> = list.as_array().expect("a list").iter().filter_map(|lesson| lesson["id"].as_str()).collect();
    assert!(ids.contains(&"lesson36") && ids.is_sorted(), "{ids:?}");
    let doctor = learner.grader(&["doctor", "--format", "json"]).json();
    let names: Vec<&str> =
        doctor["findings"].as_array().expect("findings").iter().filter_map(|f| f["name"].as_str()).collect();
    assert!(names.len() >= 8, "{names:?}");
}

#[test]
fn quiz_answers_count_in_the_next_check_and_survive() {
    let learner = Learner::with_solution("nodemon-stock-user");
    fs::remove_file(learner.dir().join("quiz.toml")).expect("the solution's answers");
    // Every question is skipped: nothing is answered, and nothing is lost.
    let skipped = learner.grader(&["quiz", "36"]);
    assert_eq!(skipped.code, 1, "{}", skipped.all());
    learner.replace("Dockerfile", "npm ci", "npm cii");
    let report = learner.report();
    let quiz = report["checks"].as_array().expect("checks").iter().find(|check| check["id"] == "quiz").expect("quiz");
    assert_eq!(quiz["verdict"]["result"], "fail");
}
