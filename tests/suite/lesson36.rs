//! Lesson 36: the report says what it must.

use tests::{Learner, outcome};

#[test]
fn one_broken_line_is_one_failure_and_the_rest_is_blocked_by_it() {
    let learner = Learner::with_solution("nodemon-stock-user");
    learner.replace("Dockerfile", "npm ci", "npm cii");
    let report = learner.report();
    assert_eq!(outcome(&report, "targets-build"), ("judged".into(), "fail".into()));
    let finding = &report["checks"][0]["verdict"];
    let text = finding["at"]["text"].as_str().unwrap_or_default();
    assert!(text.contains("npm cii"), "the line at fault is shown: {finding:#}");
    let others = report["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .filter(|check| check["id"] != "targets-build" && check["id"] != "quiz");
    for check in others {
        assert_eq!(
            (check["status"].as_str(), check["by"].as_str()),
            (Some("blocked"), Some("targets-build")),
            "{check:#}"
        );
    }
}

#[test]
fn the_map_of_both_environments_is_shown_even_when_all_is_well() {
    let learner = Learner::with_solution("watch-own-user");
    let ended = learner.check(&[]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    for line in ["the environment map, measured", "read-only", "unless-stopped", "100 of 100 points"] {
        let restart_differs = line == "unless-stopped" && ended.stdout.contains("always");
        assert!(ended.stdout.contains(line) || restart_differs, "{line} is not in:\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'), "no colour without a terminal");
}
