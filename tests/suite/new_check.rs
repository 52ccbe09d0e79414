//! `grader dev new-check` writes the files of a kind of check, all of them and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use tests::{Ended, Learner};

/// A course without lessons, with a place for kinds.
fn empty_course() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("folder");
    for folder in ["exercises", "book/src", "grader/src/checks"] {
        fs::create_dir_all(dir.path().join(folder)).expect("folder");
    }
    dir
}

fn new_check(course: &Path, kind: &str) -> Ended {
    let learner = Learner::with_solution("nodemon-stock-user");
    let mut command = learner.command(&["dev", "new-check", kind]);
    tests::ended(&command.env("GRADER_COURSE", course).output().expect("the program starts"))
}

fn files(dir: &Path) -> BTreeSet<String> {
    let entries = walkdir::WalkDir::new(dir).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    entries.map(|entry| entry.path().strip_prefix(dir).expect("below").display().to_string()).collect()
}

#[test]
fn the_files_of_a_kind_are_written_and_fit_together() {
    let course = empty_course();
    let ended = new_check(course.path(), "few-open-files");
    assert_eq!(ended.code, 0, "{}", ended.all());
    let fixture = "tests/checks/few-open-files";
    let wanted = [
        "grader/src/checks/few_open_files.rs".to_owned(),
        format!("{fixture}/lesson.toml"),
        format!("{fixture}/limits.toml"),
        format!("{fixture}/starter/.gitkeep"),
        format!("{fixture}/solutions/one-process/Dockerfile"),
        format!("{fixture}/solutions/one-process/docker-compose.yml"),
        format!("{fixture}/wrong/mistake-left-running/Dockerfile"),
        format!("{fixture}/wrong/mistake-left-running/wrong.toml"),
        format!("{fixture}/wrong/cheat-other-session/Dockerfile"),
        format!("{fixture}/wrong/cheat-other-session/wrong.toml"),
    ];
    assert_eq!(files(course.path()), wanted.into_iter().collect());
    for step in ["grader dev check tests/checks/few-open-files", "grader dev record", "grader dev reference"] {
        assert!(ended.stdout.contains(step), "{}", ended.stdout);
    }
    let read = |path: &str| fs::read_to_string(course.path().join(path)).expect("read");
    let lesson: toml::Table = toml::from_str(&read(&format!("{fixture}/lesson.toml"))).expect("TOML");
    let checks = lesson["check"].as_array().expect("checks");
    let own = checks.iter().find(|check| check["id"].as_str() == Some("few-open-files")).expect("a check of the kind");
    assert_eq!(own["kind"].as_str(), Some("few-open-files"));
    for wrong in ["mistake-left-running", "cheat-other-session"] {
        let wrong: toml::Table = toml::from_str(&read(&format!("{fixture}/wrong/{wrong}/wrong.toml"))).expect("TOML");
        assert_eq!(wrong["fails"].as_array().expect("fails")[0].as_str(), Some("few-open-files"));
    }
    let limits: toml::Table = toml::from_str(&read(&format!("{fixture}/limits.toml"))).expect("TOML");
    assert!(limits["case"].as_array().is_some_and(|cases| cases.len() >= 2));
}

#[test]
fn the_source_is_formatted_whatever_the_length_of_the_name() {
    for kind in ["few", "nothing-that-is-not-needed-runs-beside-the-app"] {
        let course = empty_course();
        assert_eq!(new_check(course.path(), kind).code, 0);
        let source = course.path().join(format!("grader/src/checks/{}.rs", kind.replace('-', "_")));
        let mut rustfmt = Command::new("rustfmt");
        rustfmt.args(["--check", "--edition", "2024", "--config-path"]).arg(tests::course()).arg(&source);
        let ended = tests::ended(&rustfmt.output().expect("rustfmt comes with the toolchain"));
        assert_eq!(ended.code, 0, "{}", ended.all());
    }
}

#[test]
fn a_name_that_cannot_be_says_why() {
    let course = empty_course();
    for (kind, why) in
        [("FewFiles", "kebab-case"), ("few_files", "kebab-case"), ("builds", "there is a kind called `builds` already")]
    {
        let ended = new_check(course.path(), kind);
        assert_eq!(ended.code, 2, "{}", ended.all());
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    }
    assert_eq!(files(course.path()), BTreeSet::new());
    assert_eq!(new_check(course.path(), "few-files").code, 0);
    let twice = new_check(course.path(), "few-files");
    assert!(twice.code == 2 && twice.stderr.contains("few_files.rs is there already"), "{}", twice.all());
}
