//! The XML is well-formed and says what the report says.

use quick_junit::Report as Junit;

use super::super::{RunResult, SCHEMA};
use super::*;
use crate::verdict::Detail;

fn check(id: &str, outcome: Outcome) -> CheckReport {
    CheckReport {
        id: id.into(),
        title: format!("title of {id}"),
        kind: "k".into(),
        points: outcome.points(4),
        of: 4,
        why: "it matters".into(),
        outcome,
        evidence: None,
        millis: 1_500,
        remembered: false,
    }
}

fn report(refusals: Vec<RefusalReport>, checks: Vec<CheckReport>) -> Report {
    Report {
        schema: SCHEMA,
        grader: "",
        course: crate::report::CourseUsed::default(),
        notes: Vec::new(),
        lesson: "lesson36".into(),
        title: "A & B".into(),
        result: RunResult::Failed,
        points: 4,
        of: 20,
        millis: 9_000,
        refusals,
        checks,
    }
}

/// Writes a report and reads it again with the crate's own parser.
fn suite(report: &Report) -> (String, TestSuite) {
    let mut out = Vec::new();
    write(report, &mut out).expect("write");
    let text = String::from_utf8(out).expect("text");
    let suites = Junit::deserialize_from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}")).test_suites;
    assert_eq!(suites.len(), 1, "{text}");
    (text, suites.into_iter().next().expect("one"))
}

/// The kind of a case that did not succeed, with its message and text.
fn not_passed(case: &TestCase) -> (NonSuccessKind, String, String) {
    let TestCaseStatus::NonSuccess { kind, message, description, .. } = &case.status else {
        panic!("{} passed", case.name.as_str())
    };
    let text = |text: &Option<quick_junit::XmlString>| text.as_ref().map(|t| t.as_str().to_owned()).unwrap_or_default();
    (*kind, text(message), text(description))
}

#[test]
fn every_outcome_has_its_place() {
    let finding = Finding::new("below 5 < 6", "7 & more")
        .at(Some(Location { file: "Dockerfile".into(), line: 3, text: "RUN x".into() }))
        .with(Detail::log("the log", vec!["\u{1b}[31mred\u{1b}[0m \u{0}\u{8}\u{fffe}]]>".into()]));
    let judged = |verdict| Outcome::Judged { verdict };
    let (text, suite) = suite(&report(
        Vec::new(),
        vec![
            check("good", judged(Verdict::Pass(Finding::default()))),
            check("bad", judged(Verdict::Fail(finding.clone()))),
            check("half", judged(Verdict::Partial { percent: 50, finding })),
            check("stopped", Outcome::Blocked { by: "bad".into() }),
            check("odd", Outcome::Fault { message: "gone".into(), remedy: "start it".into() }),
        ],
    ));
    assert_eq!(
        (suite.name.as_str(), suite.tests, suite.failures, suite.errors, suite.skipped),
        ("lesson36", 5, 2, 1, 1)
    );
    let names: Vec<&str> = suite.test_cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["good", "bad", "half", "stopped", "odd"]);
    assert!(suite.test_cases.iter().all(|case| case.time == Some(Duration::from_millis(1_500))));
    assert!(matches!(suite.test_cases[0].status, TestCaseStatus::Success { .. }));
    let (kind, message, failure) = not_passed(&suite.test_cases[1]);
    assert_eq!((kind, message.as_str()), (NonSuccessKind::Failure, "title of bad: 7 & more"));
    for part in [
        "wanted: below 5 < 6\n",
        "measured: 7 & more\n",
        "at: Dockerfile:3 | RUN x\n",
        "]]>",
        "why: it matters",
        "hint: grader hint lesson36 bad",
    ] {
        assert!(failure.contains(part), "{part:?} is not in {failure:?}");
    }
    assert_eq!(not_passed(&suite.test_cases[2]).0, NonSuccessKind::Failure);
    assert_eq!(not_passed(&suite.test_cases[4]), (NonSuccessKind::Error, "gone".into(), "gone\nstart it".into()));
    let TestCaseStatus::Skipped { message, .. } = &suite.test_cases[3].status else { panic!("not skipped") };
    assert_eq!(message.as_ref().map(quick_junit::XmlString::as_str), Some("not measured, because `bad` did not pass"));
    let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{fffe}';
    assert!(!text.contains(steers), "{text:?}");
}

#[test]
fn refusals_are_failures_of_files() {
    let refusal = |what: &str| RefusalReport { what: what.into(), why: "because".into(), at: None, mistake: false };
    let blocked = check("a", Outcome::Blocked { by: "files".into() });
    let (_, suite) = suite(&report(vec![refusal("privileged"), refusal("no Dockerfile")], vec![blocked]));
    let case = &suite.test_cases[0];
    let (kind, message, text) = not_passed(case);
    assert_eq!((case.name.as_str(), kind), ("files", NonSuccessKind::Failure));
    assert_eq!(message, "privileged; no Dockerfile");
    assert!(text.contains("privileged\nwhy: because"), "{text}");
    assert_eq!((suite.tests, suite.failures, suite.skipped), (2, 1, 1));
}

#[test]
fn a_run_that_could_not_be_is_an_error() {
    let mut out = Vec::new();
    write_not_run(&Fault::NoDaemon { reason: "refused".into() }, &mut out).expect("write");
    let report = Junit::deserialize_from_str(&String::from_utf8(out).expect("text")).expect("junit");
    assert_eq!((report.tests, report.errors), (1, 1));
}
