//! The book's reference of all kinds of check is what the code says now.

use std::fs;

use grader::book::reference;
use grader::check::Kind;
use grader::course::Course;
use tests::{Learner, course};

#[test]
fn the_reference_is_as_the_code_is() {
    let course = Course { root: course() };
    let now = reference::page(&course).unwrap_or_else(|error| panic!("{error}"));
    let written = fs::read_to_string(reference::path(&course)).unwrap_or_default();
    let mut lines = now.lines().zip(written.lines());
    let differs = lines.find(|(now, written)| now != written).map(|(now, written)| format!("- {written}\n+ {now}\n"));
    assert!(
        now == written,
        "book/src/reference/checks.md is older than the code:\n{}run `grader dev reference` and commit the page",
        differs.unwrap_or_default()
    );
}

#[test]
fn the_book_shows_every_kind_once() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let out = learner.dir().join("book");
    let ended = learner.grader(&["book", "build", "--out", &out.display().to_string()]);
    assert!(ended.code == 0 && !ended.stderr.contains("WARN"), "{}", ended.all());
    let page = fs::read_to_string(out.join("reference/checks.html")).expect("SUMMARY.md names the page");
    for kind in Kind::all() {
        let heading = format!("<h3 id=\"{}\">", kind.name);
        assert_eq!(page.matches(&heading).count(), 1, "{heading} in the reference");
    }
}
