//! A report as JUnit XML, for CI systems that show tests.
//!
//! Owns: what a check is called and counts as there. Must not: decide anything.
//!
//! A lesson is a suite and a check is a case, named by its id, which stays the same when a title is
//! edited. What did not pass is a failure, what was blocked is skipped, a fault of the machine is
//! an error, and what the policy gate refused are failures of a case called `files`.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::{CheckReport, RefusalReport, Report, terminal};
use crate::fault::Fault;
use crate::shown;
use crate::verdict::{Finding, Location, Outcome, Verdict};

/// Writes a report.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut suite = TestSuite::new(clean(&report.lesson));
    suite.set_time(Duration::from_millis(report.millis));
    let properties = [
        ("title", report.title.clone()),
        ("result", report.result.word().into()),
        ("points", report.points.to_string()),
        ("of", report.of.to_string()),
        ("course", report.course.title.clone()),
        ("course-digest", report.course.digest.clone()),
        ("grader", report.grader.to_owned()),
    ];
    suite.add_properties(properties.map(|(name, value)| Property::new(name, clean(&value))));
    if !report.refusals.is_empty() {
        suite.add_test_case(case(&report.lesson, "files", refused(&report.refusals)));
    }
    for check in &report.checks {
        let mut case = case(&report.lesson, &check.id, status(report, check)?);
        case.set_time(Duration::from_millis(check.millis));
        let properties =
            [("title", check.title.clone()), ("points", check.points.to_string()), ("of", check.of.to_string())];
        case.add_properties(properties.map(|(name, value)| Property::new(name, clean(&value))));
        suite.add_test_case(case);
    }
    finish(suite, Duration::from_millis(report.millis), out)
}

/// Writes what stands in the place of a report when nothing could be run at all.
pub fn write_not_run(fault: &Fault, out: &mut dyn Write) -> io::Result<()> {
    let mut suite = TestSuite::new("grader");
    suite.add_test_case(case("grader", "run", error(&fault.to_string(), &fault.remedy())));
    finish(suite, Duration::ZERO, out)
}

fn finish(suite: TestSuite, time: Duration, out: &mut dyn Write) -> io::Result<()> {
    let mut document = quick_junit::Report::new("grader");
    document.set_time(time);
    document.add_test_suite(suite);
    document.serialize(&mut *out).map_err(io::Error::other)?;
    writeln!(out)
}

fn case(suite: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(clean(name), status);
    case.set_classname(clean(suite));
    case
}

fn status(report: &Report, check: &CheckReport) -> io::Result<TestCaseStatus> {
    Ok(match &check.outcome {
        Outcome::Judged { verdict: Verdict::Pass(_) } => TestCaseStatus::success(),
        Outcome::Judged { verdict: Verdict::Fail(finding) } => failure(report, check, "fail", finding)?,
        Outcome::Judged { verdict: Verdict::Partial { finding, .. } } => failure(report, check, "partial", finding)?,
        Outcome::Blocked { by } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(clean(&format!("not measured, because `{by}` did not pass")));
            status
        }
        Outcome::Fault { message, remedy } => error(message, remedy),
    })
}

fn failure(report: &Report, check: &CheckReport, kind: &str, finding: &Finding) -> io::Result<TestCaseStatus> {
    let mut text = Vec::new();
    write!(text, "wanted: {}\nmeasured: {}\n{}", finding.wanted, finding.measured, place(finding.at.as_ref()))?;
    for detail in &finding.details {
        terminal::write_detail(detail, &mut text)?;
    }
    writeln!(text, "why: {}\nhint: grader hint {} {}", check.why, report.lesson, check.id)?;
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(kind);
    status.set_message(clean(&format!("{}: {}", check.title, finding.measured)));
    status.set_description(clean(&String::from_utf8_lossy(&text)));
    Ok(status)
}

fn refused(refusals: &[RefusalReport]) -> TestCaseStatus {
    let what: Vec<&str> = refusals.iter().map(|refusal| refusal.what.as_str()).collect();
    let text =
        |refusal: &RefusalReport| format!("{}\n{}why: {}\n", refusal.what, place(refusal.at.as_ref()), refusal.why);
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type("refused");
    status.set_message(clean(&what.join("; ")));
    status.set_description(clean(&refusals.iter().map(text).collect::<Vec<_>>().join("\n")));
    status
}

fn error(message: &str, remedy: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("fault");
    status.set_message(clean(message));
    status.set_description(clean(&format!("{message}\n{remedy}\n")));
    status
}

fn place(at: Option<&Location>) -> String {
    at.map_or_else(String::new, |at| format!("at: {}:{} | {}\n", at.file, at.line, at.text))
}

/// Takes out colours; every character that steers a terminal or is not allowed in XML becomes a dot.
fn clean(text: &str) -> String {
    shown::lines(&anstream::adapter::strip_str(text).to_string())
}

#[cfg(test)]
mod tests;
