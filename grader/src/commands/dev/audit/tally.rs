//! How often each check came out how.
//!
//! Owns: counting, and telling what is unstable. Must not: grade.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use crate::report::Report;
use crate::verdict::{Outcome, Verdict};

/// The version of the JSON form.
const SCHEMA: &str = "grader-audit/1";

/// The results of an audit.
#[derive(Debug, Serialize)]
pub struct Tally {
    /// The version of this form.
    schema: &'static str,
    /// The lesson's id.
    lesson: String,
    /// How often each submission is graded.
    runs: u32,
    /// Busy threads beside the grader.
    load: usize,
    /// How many checks had more than one verdict, submission by submission.
    unstable: usize,
    /// How often a check had none, because of a fault of the machine.
    untold: u32,
    /// The submissions, in the order of `grader dev check`.
    submissions: Vec<Submission>,
}

/// One submission's checks.
#[derive(Debug, Serialize)]
struct Submission {
    name: String,
    checks: Vec<Check>,
}

/// How often a check had each outcome; outcomes that never came are left out.
#[derive(Debug, Serialize)]
struct Check {
    id: String,
    outcomes: BTreeMap<&'static str, u32>,
}

impl Tally {
    /// A tally without any run yet.
    pub fn new(lesson: &str, runs: u32, load: usize) -> Self {
        Self { schema: SCHEMA, lesson: lesson.to_owned(), runs, load, unstable: 0, untold: 0, submissions: Vec::new() }
    }

    /// Counts one run of a submission.
    pub fn count(&mut self, submission: &str, report: &Report) {
        let index = self.submissions.iter().position(|one| one.name == submission).unwrap_or_else(|| {
            let checks = report.checks.iter().map(|check| Check { id: check.id.clone(), outcomes: BTreeMap::new() });
            self.submissions.push(Submission { name: submission.to_owned(), checks: checks.collect() });
            self.submissions.len() - 1
        });
        for (check, reported) in self.submissions[index].checks.iter_mut().zip(&report.checks) {
            let word = word(report, &reported.outcome);
            *check.outcomes.entry(word).or_default() += 1;
            self.untold += u32::from(word == UNTOLD);
        }
        self.unstable = self.unstable().count();
    }

    /// Checks that had more than one verdict, with their submissions.
    fn unstable(&self) -> impl Iterator<Item = (&str, &Check)> {
        self.submissions
            .iter()
            .flat_map(|one| one.checks.iter().map(|check| (one.name.as_str(), check)))
            .filter(|(_, check)| check.outcomes.keys().filter(|word| **word != UNTOLD).count() > 1)
    }

    /// Whether every check came out the same in all runs.
    pub fn is_stable(&self) -> bool {
        self.unstable == 0
    }

    /// Writes the results for people: what is unstable first.
    pub fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let Self { runs, load, untold, .. } = self;
        let builds = load / 2;
        writeln!(
            out,
            "{}: {runs} runs of each submission, beside {load} busy threads and {builds} builds",
            self.lesson
        )?;
        if *untold > 0 {
            writeln!(out, "\nNothing could be told {untold} times, because of a fault of the machine.")?;
        }
        if self.is_stable() {
            writeln!(out, "\nEvery check came out the same in all runs.")?;
        } else {
            writeln!(out, "\nUNSTABLE, {} in all:", self.unstable)?;
        }
        for (submission, check) in self.unstable() {
            let outcomes: Vec<String> = check.outcomes.iter().map(|(word, count)| format!("{word} {count}")).collect();
            writeln!(out, "  {submission:<44} {:<20} {}", check.id, outcomes.join(", "))?;
        }
        self.submissions.iter().try_for_each(|submission| submission.write(out))
    }
}

impl Submission {
    /// The checks by their outcome, if it was always the same or the machine's fault.
    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let mut by_outcome: BTreeMap<(&str, u32), Vec<&str>> = BTreeMap::new();
        for check in &self.checks {
            for (word, count) in &check.outcomes {
                by_outcome.entry((word, *count)).or_default().push(&check.id);
            }
        }
        writeln!(out, "\n{}", self.name)?;
        for ((word, count), ids) in by_outcome {
            let first = format!("  {word:<8}{count:>3}  ");
            let rest = " ".repeat(first.len());
            let options = textwrap::Options::new(110).initial_indent(&first).subsequent_indent(&rest);
            let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
            writeln!(out, "{}", textwrap::fill(&ids.join(", "), options))?;
        }
        Ok(())
    }
}

/// The word for a check of which nothing was told.
const UNTOLD: &str = "fault";

fn word(report: &Report, outcome: &Outcome) -> &'static str {
    let is_fault =
        |id: &str| report.checks.iter().any(|other| other.id == id && matches!(other.outcome, Outcome::Fault { .. }));
    match outcome {
        // What waits for a check that was not told is not told either.
        Outcome::Blocked { by } if is_fault(by) => UNTOLD,
        Outcome::Judged { verdict: Verdict::Pass(_) } => "pass",
        Outcome::Judged { verdict: Verdict::Fail(_) } => "fail",
        Outcome::Judged { verdict: Verdict::Partial { .. } } => "partial",
        Outcome::Blocked { .. } => "blocked",
        Outcome::Fault { .. } => UNTOLD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{CheckReport, RunResult};
    use crate::verdict::Finding;

    fn report(outcomes: &[(&str, Outcome)]) -> Report {
        let check = |(id, outcome): &(&str, Outcome)| CheckReport {
            id: (*id).to_owned(),
            title: String::new(),
            kind: String::new(),
            points: 0,
            of: 1,
            why: String::new(),
            outcome: outcome.clone(),
            evidence: None,
            millis: 0,
            remembered: false,
        };
        Report {
            schema: "",
            grader: "",
            course: crate::report::CourseUsed::default(),
            notes: Vec::new(),
            lesson: String::new(),
            title: String::new(),
            result: RunResult::Failed,
            points: 0,
            of: 2,
            millis: 0,
            refusals: Vec::new(),
            checks: outcomes.iter().map(check).collect(),
        }
    }

    fn judged(pass: bool) -> Outcome {
        Outcome::Judged { verdict: Finding::new(String::new(), String::new()).decide(pass) }
    }

    fn blocked(by: &str) -> Outcome {
        Outcome::Blocked { by: by.into() }
    }

    fn shown(tally: &Tally) -> String {
        let mut text = Vec::new();
        tally.write(&mut text).expect("written");
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn a_check_with_two_outcomes_is_unstable_and_stands_first() {
        let mut tally = Tally::new("lesson01", 3, 2);
        for pass in [true, false, true] {
            tally.count("starter", &report(&[("a", judged(false)), ("b", judged(true))]));
            tally.count("solutions/x", &report(&[("a", judged(pass)), ("b", judged(true))]));
        }
        assert!(!tally.is_stable());
        let shown = shown(&tally);
        let unstable = shown.lines().position(|line| line.contains("solutions/x") && line.contains("fail 1, pass 2"));
        let starter = shown.lines().position(|line| line == "starter");
        assert!(unstable.is_some() && unstable < starter, "{shown}");
        let json = serde_json::to_value(&tally).expect("JSON");
        assert_eq!(json["unstable"], 1);
        assert_eq!(json["submissions"][1]["checks"][0]["outcomes"], serde_json::json!({"fail": 1, "pass": 2}));
    }

    #[test]
    fn a_fault_is_counted_and_is_no_other_verdict_nor_is_what_it_blocks() {
        let fault = || Outcome::Fault { message: "too slow".into(), remedy: String::new() };
        let mut tally = Tally::new("lesson01", 2, 4);
        tally.count("starter", &report(&[("a", judged(true)), ("b", judged(false))]));
        tally.count("starter", &report(&[("a", fault()), ("b", blocked("a"))]));
        assert!(tally.is_stable());
        let shown = shown(&tally);
        assert!(shown.contains("Nothing could be told 2 times") && shown.contains("2 builds"), "{shown}");
        assert!(shown.contains("fault     1  a, b"), "{shown}");
        tally.count("starter", &report(&[("a", blocked("b")), ("b", judged(false))]));
        assert!(!tally.is_stable(), "blocked by a failure is another outcome than passed");
    }

    #[test]
    fn one_outcome_in_all_runs_is_stable_whoever_blocks() {
        let mut tally = Tally::new("lesson01", 2, 0);
        tally.count("starter", &report(&[("a", judged(false)), ("b", blocked("a"))]));
        tally.count("starter", &report(&[("a", judged(false)), ("b", blocked("c"))]));
        assert!(tally.is_stable());
        assert!(shown(&tally).contains("blocked   2  b"), "{}", shown(&tally));
    }
}
