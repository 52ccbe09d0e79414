//! The policy gate lets in what is right. What it refuses, and what limits contain, is shown by the
//! corpus (`hostile.rs`).

use tests::{Learner, outcome};

#[test]
fn the_official_builder_is_let_in_and_works_without_a_registry() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let text = std::fs::read_to_string(learner.dir().join("Dockerfile")).expect("read");
    learner.write("Dockerfile", &format!("# syntax=docker/dockerfile:1\n{text}"));
    assert_eq!(outcome(&learner.report(), "targets-build"), ("judged".into(), "pass".into()));
}
