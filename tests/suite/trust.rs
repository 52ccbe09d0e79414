//! A course is believed when somebody has said so, and never because it lies around a submission.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tests::{Ended, Learner, course, ended, lay, program};

const LESSON: &str = r#"
id = "lesson36"
slug = "dev-vs-prod"
title = "Docker in dev vs prod"
minutes = 1
images = ["localhost:1/canary:1"]
deliver = ["Dockerfile"]
check = []
"#;

/// A submission that brings a course of its own, with full points for everybody and a script for the
/// machine.
struct Submission {
    folder: tempfile::TempDir,
}

impl Submission {
    fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().expect("folder") };
        let canary = made.folder.path().join("canary");
        let write = |file: &str, text: &str| {
            let path = made.dir().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
            fs::write(path, text).expect("write");
        };
        write("Dockerfile", "FROM node:22-bookworm-slim\n");
        write("exercises/lesson36-dev-vs-prod/lesson.toml", LESSON);
        write("exercises/lesson36-dev-vs-prod/starter/Dockerfile", "FROM node:22-bookworm-slim\n");
        write("book/src/lesson36-dev-vs-prod.md", "# Docker in dev vs prod\n");
        write(
            "images/canary/image.toml",
            "reference = \"localhost:1/canary:1\"\nsummary = \"x\"\nrecipe = \"rootfs.sh\"\n",
        );
        write("images/canary/rootfs.sh", &format!("#!/bin/sh\ntouch '{}'\nexit 1\n", canary.display()));
        let script = made.dir().join("images/canary/rootfs.sh");
        fs::set_permissions(script, fs::Permissions::from_mode(0o755)).expect("mode");
        made
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("submission")
    }

    fn script_has_run(&self) -> bool {
        self.folder.path().join("canary").exists()
    }

    fn grader(&self, here: &Path, named: Option<&Path>, arguments: &[&str]) -> Ended {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(here).env("GRADER_HOME", self.folder.path().join("home"));
        command.stdin(Stdio::null()).env_remove("GRADER_COURSE").envs(named.map(|named| ("GRADER_COURSE", named)));
        ended(&command.output().expect("the program starts"))
    }
}

#[test]
fn a_submission_is_never_its_own_course() {
    let submission = Submission::new();
    let dir = submission.dir();
    for arguments in [
        &["check", "lesson36", "--dir", "."][..],
        &["check", "lesson36", "--dir", ".", "--format", "json"],
        &["layers", "lesson36", "--dir", "."],
        &["images", "make"],
        &["list"],
    ] {
        let ended = submission.grader(&dir, None, arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.all());
        assert!(ended.stderr.contains("grader trust ") && ended.stderr.contains("GRADER_COURSE"), "{}", ended.all());
    }
    // Not below it either, as in a clone of a learner's repository.
    let below = dir.join("exercises");
    assert_eq!(submission.grader(&below, None, &["check", "lesson36", "--dir", "."]).code, 2);
    // Whoever names it by mistake, or trusts it, grades nothing by it.
    for here in [dir.clone(), submission.folder.path().to_path_buf()] {
        let ended = submission.grader(&here, Some(&dir), &["check", "lesson36", "--dir", "."]);
        assert!(ended.code == 2 && ended.stderr.contains("holds the course itself"), "{}", ended.all());
    }
    assert_eq!(submission.grader(&dir, None, &["trust", "."]).code, 0);
    let ended = submission.grader(&dir, None, &["check", "lesson36", "--dir", "."]);
    assert!(ended.code == 2 && ended.stderr.contains("holds the course itself"), "{}", ended.all());
    assert!(!submission.script_has_run());
}

#[test]
fn what_only_looks_like_a_course_does_not_hide_the_one_that_is_trusted() {
    let (submission, learner) = (Submission::new(), Learner::with_solution("nodemon-stock-user"));
    let course = submission.folder.path().join("course");
    let named = course.display().to_string();
    let here = submission.folder.path();
    assert_eq!(submission.grader(here, None, &["init", &named]).code, 0, "the course that it wrote is trusted");
    let copy = course.join("workspace/lesson36-dev-vs-prod");
    lay(&learner.dir(), &copy);
    lay(&submission.dir(), &copy);
    fs::write(copy.join("Dockerfile"), "").expect("write");
    let report = submission.grader(&copy, None, &["check", "--format", "json"]).json();
    assert_eq!(report["result"], "refused", "{report:#}");
    assert_eq!(report["checks"].as_array().map(Vec::len), Some(27), "it is the course's own lesson: {report:#}");
    assert_eq!(report["course"]["title"], "From Kitchen to Restaurant");

    assert!(submission.grader(here, None, &["trust"]).stdout.contains("/course\n"));
    assert_eq!(submission.grader(here, None, &["trust", "course", "--forget"]).code, 0);
    assert_eq!(submission.grader(&course, None, &["list"]).code, 2);
}

#[test]
fn a_report_names_the_grader_and_the_same_course_by_the_same_digest() {
    let learner = Learner::with_solution("nodemon-stock-user");
    learner.write("Dockerfile", "");
    let report = learner.report();
    let digest = report["course"]["digest"].as_str().expect("a digest").to_owned();
    let version = report["grader"].as_str().expect("a version").to_owned();
    assert!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");
    assert!(version.contains('+') && learner.grader(&["--version"]).stdout.contains(&version), "{version}");

    // A copy of it elsewhere, without the solutions.
    let elsewhere = tempfile::tempdir().expect("folder");
    let lesson = "exercises/lesson36-dev-vs-prod";
    for part in ["images", "scripts", "book/src", &format!("{lesson}/starter")] {
        lay(&course().join(part), &elsewhere.path().join(part));
    }
    fs::copy(course().join(lesson).join("lesson.toml"), elsewhere.path().join(lesson).join("lesson.toml"))
        .expect("copy");
    let dir = learner.dir().display().to_string();
    let check = |format: &str| {
        let mut command = learner.command(&["check", "lesson36", "--dir", &dir, "--format", format]);
        ended(&command.env("GRADER_COURSE", elsewhere.path()).output().expect("the program starts"))
    };
    assert_eq!(check("json").json()["course"]["digest"], digest.as_str());
    let human = check("human").stdout;
    assert!(human.contains(&digest[..19]) && human.contains(&version), "{human}");
    fs::write(elsewhere.path().join(lesson).join("starter/README.md"), "changed").expect("write");
    assert_ne!(check("json").json()["course"]["digest"], digest.as_str());
    assert!(check("junit").stdout.contains("course-digest"));
}
