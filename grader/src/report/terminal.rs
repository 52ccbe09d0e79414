//! A report as text for people.
//!
//! Owns: the layout of the final report. Must not: decide anything. Colour only repeats what a
//! word already says; without a terminal, or under `NO_COLOR`, there is none.

mod detail;

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use anstyle::{AnsiColor, Style};

use super::{CheckReport, CourseUsed, Report, RunResult};
use crate::verdict::{Detail, Finding, Location, Outcome, Verdict, millis};
pub use detail::{plain, write_detail};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const STRONG: Style = Style::new().bold();

/// Writes the whole report.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{STRONG}{}  {}{STRONG:#}\n", report.lesson, report.title)?;
    for note in &report.notes {
        labelled(out, "note", note)?;
    }
    for refusal in &report.refusals {
        let word = if refusal.mistake { "MISTAKE" } else { "REFUSED" };
        writeln!(out, "{BAD}{word}{BAD:#}  {}", plain(&refusal.what))?;
        write_location(refusal.at.as_ref(), out)?;
        labelled(out, "why", &refusal.why)?;
        writeln!(out)?;
    }
    if report.refusals.is_empty() {
        for check in &report.checks {
            write_check(report, check, out)?;
        }
    }
    summary(report, out)?;
    let CourseUsed { title, digest, folder } = &report.course;
    let digest = digest.get(..19).unwrap_or(digest);
    let text = format!("By the course {title} in {} ({digest}), grader {}", folder.display(), report.grader);
    writeln!(out, "{FAINT}{}{FAINT:#}", plain(&text))
}

/// Writes why a looking command cannot show something.
pub(crate) fn write_trouble(
    message: &str,
    at: Option<&Location>,
    log: &[String],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut lines = textwrap::wrap(message, textwrap::Options::new(WIDTH.load(Ordering::Relaxed) - 9)).into_iter();
    writeln!(out, "{BAD}NOT YET{BAD:#}  {}", lines.next().unwrap_or_default())?;
    for line in lines {
        writeln!(out, "         {line}")?;
    }
    write_location(at, out)?;
    if log.is_empty() {
        return Ok(());
    }
    write_detail(&Detail::log("the last lines", log.to_vec()), out)
}

/// Writes one check: its head, and what was found.
pub fn write_check(report: &Report, check: &CheckReport, out: &mut dyn Write) -> io::Result<()> {
    let points = format!("{}/{}", check.points, check.of);
    let mut head = |style: Style, word: &str| {
        writeln!(
            out,
            "{style}{word:<7}{style:#}  {STRONG}{:<62}{STRONG:#} {points:>5}  {FAINT}{}{}{FAINT:#}",
            check.title,
            check.id,
            if check.remembered { " (unchanged)" } else { "" }
        )
    };
    match &check.outcome {
        Outcome::Judged { verdict: Verdict::Pass(finding) } => {
            head(GOOD, "PASS")?;
            writeln!(out, "         {FAINT}{}{FAINT:#}", one_line(&finding.measured))?;
            // A table is worth showing even when all is well; other evidence is for failures.
            for detail in finding.details.iter().filter(|detail| shown_on_pass(check, detail)) {
                write_detail(detail, out)?;
            }
        }
        Outcome::Judged { verdict: Verdict::Fail(finding) } => {
            head(BAD, "FAIL")?;
            write_failure(report, check, finding, out)?;
        }
        Outcome::Judged { verdict: Verdict::Partial { finding, .. } } => {
            head(ODD, "PARTLY")?;
            write_failure(report, check, finding, out)?;
        }
        Outcome::Blocked { by } => {
            head(FAINT, "BLOCKED")?;
            writeln!(out, "         not measured, because `{by}` did not pass")?;
        }
        Outcome::Fault { message, remedy } => {
            head(ODD, "FAULT")?;
            labelled(out, "happened", message)?;
            labelled(out, "remedy", &format!("This is not your doing, and costs you nothing. {remedy}"))?;
        }
    }
    Ok(())
}

fn shown_on_pass(check: &CheckReport, detail: &Detail) -> bool {
    check.kind == "environment-map" || matches!(detail, Detail::Note { .. })
}

fn write_failure(report: &Report, check: &CheckReport, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    labelled(out, "wanted", &finding.wanted)?;
    labelled(out, "measured", &finding.measured)?;
    write_location(finding.at.as_ref(), out)?;
    for detail in &finding.details {
        write_detail(detail, out)?;
    }
    labelled(out, "why", &check.why)?;
    labelled(out, "hint", &format!("grader hint {} {}", report.lesson, check.id))?;
    writeln!(out)
}

/// The width to which text is wrapped, columns.
static WIDTH: AtomicUsize = AtomicUsize::new(WIDEST);
const WIDEST: usize = 110;

/// Wraps text for a window of this width; wide ones are not filled, because long lines read badly.
pub fn fit(columns: usize) {
    WIDTH.store(columns.clamp(60, WIDEST), Ordering::Relaxed);
}

/// A label and a text beside it, wrapped. What was measured stands out.
fn labelled(out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    let style = if label == "measured" { STRONG } else { Style::new() };
    let options = textwrap::Options::new(WIDTH.load(Ordering::Relaxed) - 19).break_words(false);
    let text = shown(text);
    for (index, line) in textwrap::wrap(&text, options).iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        writeln!(out, "         {label:<10}{style}{line}{style:#}")?;
    }
    Ok(())
}

/// Text with no other control characters than ends of lines: some of it was written by containers,
/// which must not steer the terminal.
fn shown(text: &str) -> String {
    crate::shown::lines(text).replace('\t', "·")
}

fn write_location(at: Option<&Location>, out: &mut dyn Write) -> io::Result<()> {
    let Some(at) = at else { return Ok(()) };
    writeln!(out, "         at        {}:{}", plain(&at.file), at.line)?;
    writeln!(out, "                   {FAINT}{:>4} |{FAINT:#} {}", at.line, plain(&at.text))
}

fn summary(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let count = |wanted: fn(&Outcome) -> bool| report.checks.iter().filter(|check| wanted(&check.outcome)).count();
    let passed = count(|outcome| matches!(outcome, Outcome::Judged { verdict: Verdict::Pass(_) }));
    let blocked = count(|outcome| matches!(outcome, Outcome::Blocked { .. }));
    let faults = count(|outcome| matches!(outcome, Outcome::Fault { .. }));
    let failed = report.checks.len() - passed - blocked - faults;
    let mut parts = vec![format!("{passed} passed")];
    for (number, word) in [(failed, "failed"), (blocked, "blocked"), (faults, "could not be measured")] {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    let (style, word) = match report.result {
        RunResult::Passed => (GOOD, "PASSED"),
        RunResult::Failed => (BAD, "NOT YET"),
        RunResult::Refused if report.refusals.iter().all(|refusal| refusal.mistake) => (BAD, "NOT YET"),
        RunResult::Refused => (BAD, "REFUSED"),
        RunResult::Fault => (ODD, "FAULT"),
    };
    writeln!(
        out,
        "\n{style}{word}{style:#}  {STRONG}{} of {} points{STRONG:#}  ({} checks: {})  in {}",
        report.points,
        report.of,
        report.checks.len(),
        parts.join(", "),
        millis(report.millis)
    )?;
    if report.checks.iter().any(|check| check.remembered) {
        writeln!(
            out,
            "{FAINT}{} of {} measured now; the others are unchanged since they were. `--fresh` measures all.{FAINT:#}",
            report.measured(),
            report.checks.len()
        )?;
    }
    match report.result {
        RunResult::Passed => Ok(()),
        RunResult::Failed => {
            writeln!(out, "Begin with the first FAIL. `grader hint {}` shows its hints.", report.lesson)
        }
        RunResult::Refused => writeln!(out, "Nothing was built or started. Mend what stands above, then check again."),
        RunResult::Fault => {
            writeln!(out, "What could not be measured is no fault of yours: see the lines marked FAULT.")
        }
    }
}

fn one_line(text: &str) -> String {
    let line = shown(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > 150 { line.chars().take(149).chain(['…']).collect() } else { line }
}
