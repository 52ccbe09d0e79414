//! `grader dev new-lesson` writes a lesson that loads and a page that builds, and overwrites nothing.

use std::fs;
use std::path::Path;

use tests::{Ended, Learner, course, lay};

/// A copy of the course's book and exercises.
fn own_course() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("folder");
    for part in ["exercises", "book", "images"] {
        lay(&course().join(part), &dir.path().join(part));
    }
    dir
}

fn grader(course: &Path, arguments: &[&str]) -> Ended {
    let learner = Learner::with_solution("nodemon-stock-user");
    let mut command = learner.command(arguments);
    tests::ended(&command.env("GRADER_COURSE", course).output().expect("the program starts"))
}

#[test]
fn a_new_lesson_loads_and_its_page_builds() {
    let dir = own_course();
    let ended = grader(dir.path(), &["dev", "new-lesson", "35", "soup-of-the-day", "--title", "Soup \"of\" the day"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    let list = grader(dir.path(), &["list", "--format", "json"]).json();
    let ids: Vec<_> = list.as_array().expect("a list").iter().filter_map(|lesson| lesson["id"].as_str()).collect();
    assert!(ids.windows(2).any(|pair| pair == ["lesson35", "lesson36"]), "{ids:?}");
    let out = dir.path().join("out");
    let built = grader(dir.path(), &["book", "build", "--out", &out.display().to_string()]);
    assert!(built.code == 0 && !built.stderr.contains("WARN"), "{}", built.all());
    let page = fs::read_to_string(out.join("lesson35-soup-of-the-day.html")).expect("the summary names the page");
    assert!(page.contains("grader check lesson35") && page.contains("<fieldset"), "exercise and quiz are on the page");
    let summary = fs::read_to_string(dir.path().join("book/src/SUMMARY.md")).expect("summary");
    let place = |text: &str| summary.find(text).unwrap_or_else(|| panic!("{text} is not in\n{summary}"));
    assert!(place("[Lesson 35: Soup \"of\" the day](lesson35-soup-of-the-day.md)") < place("[Lesson 36"));
}

#[test]
fn the_skeleton_has_all_that_a_lesson_must_have() {
    let dir = own_course();
    assert_eq!(grader(dir.path(), &["dev", "new-lesson", "35", "soup"]).code, 0);
    let exercise = dir.path().join("exercises/lesson35-soup");
    let count = |folder: &str| fs::read_dir(exercise.join(folder)).expect("folder").count();
    assert!(count("starter") > 0 && count("solutions") >= 2 && count("wrong") >= 4);
    let page = fs::read_to_string(dir.path().join("book/src/lesson35-soup.md")).expect("page");
    for heading in ["What you will be able to do", "Kitchen vs restaurant", "Common mistakes", "The exercise"] {
        assert!(page.contains(&format!("\n## {heading}\n\n<!-- ")), "{heading} has no prompt");
    }
}

#[test]
fn the_skeleton_passes_the_validators() {
    let dir = own_course();
    assert_eq!(grader(dir.path(), &["dev", "new-lesson", "35", "soup"]).code, 0);
    let coverage = grader(dir.path(), &["dev", "coverage"]);
    assert_eq!(coverage.code, 0, "{}", coverage.all());
    for command in [["dev", "transcripts", "lesson35"], ["dev", "check", "lesson35"]] {
        let ended = grader(dir.path(), &command);
        assert!(ended.code == 0 && ended.stdout.contains("ok "), "{}", ended.all());
    }
}

#[test]
fn nothing_is_overwritten_and_a_wrong_name_says_why() {
    let dir = own_course();
    let before = fs::read_to_string(dir.path().join("book/src/SUMMARY.md")).expect("summary");
    for (arguments, why) in [
        (["36", "soup"], "there is a lesson `lesson36-dev-vs-prod` already"),
        (["35", "dev-vs-prod"], "there is a lesson `lesson36-dev-vs-prod` already"),
        (["35", "Soup_of_the_day"], "kebab-case"),
        (["0", "soup"], "1..=99"),
    ] {
        let ended = grader(dir.path(), &[&["dev", "new-lesson"], &arguments[..]].concat());
        assert_eq!(ended.code, 2, "{}", ended.all());
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    }
    fs::write(dir.path().join("book/src/lesson35-soup.md"), "mine").expect("write");
    let ended = grader(dir.path(), &["dev", "new-lesson", "35", "soup"]);
    assert!(ended.code == 2 && ended.stderr.contains("book/src/lesson35-soup.md is there already"), "{}", ended.all());
    assert!(!dir.path().join("exercises/lesson35-soup").exists());
    assert_eq!(fs::read_to_string(dir.path().join("book/src/SUMMARY.md")).expect("summary"), before);
}
