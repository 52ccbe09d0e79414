//! What attempts come to, also in a course that has changed since; and reports for other tests.

use super::super::tests::fresh;
use super::*;
use crate::report::{CheckReport, RunResult};
use crate::verdict::{Finding, Outcome, Verdict};

/// A report on checks with one point each: `Some(true)` passes, `None` is blocked.
pub fn report(checks: &[(&str, Option<bool>)]) -> Report {
    let check = |(id, passed): &(&str, Option<bool>)| {
        let finding = Finding::new("w", "m");
        let outcome = match passed {
            Some(passed) => Outcome::Judged { verdict: finding.decide(*passed) },
            None => Outcome::Blocked { by: "other".into() },
        };
        CheckReport {
            id: (*id).into(),
            title: String::new(),
            kind: String::new(),
            points: u32::from(outcome.is_passed()),
            of: 1,
            why: String::new(),
            outcome,
            evidence: None,
            millis: 1,
            remembered: false,
        }
    };
    let checks: Vec<CheckReport> = checks.iter().map(check).collect();
    let points = checks.iter().map(|check| check.points).sum();
    let of = u32::try_from(checks.len()).expect("few");
    let result = if points == of { RunResult::Passed } else { RunResult::Failed };
    Report {
        schema: crate::report::SCHEMA,
        grader: "",
        course: crate::report::CourseUsed::default(),
        notes: Vec::new(),
        lesson: "lesson36".into(),
        title: String::new(),
        result,
        points,
        of,
        millis: 1,
        refusals: Vec::new(),
        checks,
    }
}

#[test]
fn the_best_attempt_stays_when_a_later_one_is_worse() {
    let (_dir, progress) = fresh();
    progress.keep(&report(&[("a", Some(true)), ("b", Some(false))]), "1").expect("keep");
    progress.keep(&report(&[("a", Some(false)), ("b", Some(false))]), "2").expect("keep");
    let summary = progress.summary("lesson36").expect("summary");
    assert_eq!((summary.attempts, summary.best, summary.passed), (2, Some((1, 2)), None));
    let last = progress.last("lesson36").expect("last").expect("one");
    assert_eq!((last.points, last.failed), (0, vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(progress.summary("lesson01").expect("summary"), Summary::default());
    let report = progress.last_report("lesson36").expect("report").expect("one");
    assert_eq!((&report["points"], &report["checks"][1]["id"]), (&0.into(), &"b".into()));
    assert_eq!(progress.last_report("lesson01").expect("report"), None);
}

#[test]
fn a_pass_stays_a_pass_when_the_course_gets_more_points_and_other_checks() {
    let (_dir, progress) = fresh();
    progress.keep(&report(&[("old", Some(true))]), "1").expect("keep");
    let upgraded = report(&[("a", Some(true)), ("b", Some(true)), ("c", Some(false))]);
    progress.keep(&upgraded, "1").expect("keep");
    let summary = progress.summary("lesson36").expect("summary");
    assert_eq!(summary.best, Some((1, 1)), "one of one is better than two of three");
    assert_eq!(summary.passed, summary.first);
    let ids: Vec<_> = progress.attempts("lesson36").expect("attempts").into_iter().map(|(a, _)| a.failed).collect();
    assert_eq!(ids, [vec![], vec!["c".to_owned()]]);
}

#[test]
fn a_partial_verdict_counts_as_failed_and_a_refused_run_is_not_the_last_measured_one() {
    let (_dir, progress) = fresh();
    let mut partly = report(&[("a", Some(true))]);
    let verdict = Verdict::Partial { percent: 50, finding: Finding::new("w", "m") };
    partly.checks[0].outcome = Outcome::Judged { verdict };
    (partly.points, partly.result) = (0, RunResult::Failed);
    progress.keep(&partly, "1").expect("keep");
    let mut refused = report(&[("a", None)]);
    refused.result = RunResult::Refused;
    progress.keep(&refused, "2").expect("keep");
    assert_eq!(progress.last("lesson36").expect("last").expect("one").failed, ["a"]);
    assert_eq!(progress.summary("lesson36").expect("summary").attempts, 2);
}
