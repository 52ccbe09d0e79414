//! What a lesson's page shows is true: its blocks and its predictions are run against the daemon.
//!
//! Owns: asking the grader for it. Must not: allow a page an exception.

use tests::{Learner, course, ended};

#[test]
fn pages_print_what_they_show_and_predictions_come_true() {
    let learner = Learner::with_solution("watch-own-user");
    let told = ended(&learner.command(&["dev", "transcripts"]).output().expect("the grader starts"));
    assert_eq!(told.code, 0, "{}", told.all());
    let names = std::fs::read_dir(course().join("book/src")).expect("the book").flatten();
    let pages = names.filter(|entry| entry.file_name().to_string_lossy().starts_with("lesson")).count();
    assert_eq!(told.stdout.lines().filter(|line| line.starts_with("ok ")).count(), pages, "{}", told.stdout);
}
