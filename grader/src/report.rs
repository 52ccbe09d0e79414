//! What a run has found, for people and programs.
//!
//! Owns: the report's data and its JSON form (described in the book, by `reference`). Must not:
//! measure, or keep anything.

pub mod junit;
pub mod reference;
pub mod terminal;

use std::io::{self, Write};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::VERSION;
use crate::course::{Course, Lesson, LessonCheck, digest};
use crate::fault::Fault;
use crate::policy::Refusal;
use crate::verdict::{Location, Outcome};

/// The version of the JSON form. The book's page (`reference.md`) says which changes keep it.
pub const SCHEMA: &str = "grader-report/1";

/// One run's findings.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Report {
    /// The version of this form, `grader-report/1`.
    pub schema: &'static str,
    /// The grader: its version, and behind `+` which sources it was made of.
    pub grader: &'static str,
    /// The course by which the submission was judged.
    pub course: CourseUsed,
    /// The lesson's id.
    pub lesson: String,
    /// The lesson's title.
    pub title: String,
    /// `passed` (full points), `failed`, `refused` (by the policy gate), or `fault` (something
    /// could not be measured for reasons that are not the learner's).
    pub result: RunResult,
    /// Points earned.
    pub points: u32,
    /// Points that can be earned.
    pub of: u32,
    /// Milliseconds from the start of the run until everything was removed.
    pub millis: u64,
    /// What was left out of the run, and why: nothing that costs a point.
    pub notes: Vec<String>,
    /// Why the submission was not run at all.
    pub refusals: Vec<RefusalReport>,
    /// Every check, in the lesson's order.
    pub checks: Vec<CheckReport>,
}

/// By which course a submission was judged.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct CourseUsed {
    /// What the course is called.
    pub title: String,
    /// The digest of what decides this lesson's verdicts: the same for the same course on every machine.
    pub digest: String,
    /// Where it lies. Reports are handed on, and this is nobody else's business.
    #[serde(skip)]
    pub folder: PathBuf,
}

impl CourseUsed {
    /// The course of a lesson.
    #[must_use]
    pub fn of(lesson: &Lesson) -> Self {
        let course = Course { root: lesson.root.clone() };
        Self { title: course.title(), digest: digest::of(lesson), folder: course.root }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunResult {
    /// Full points.
    Passed,
    /// Some check did not pass.
    Failed,
    /// The policy gate did not let the submission in.
    Refused,
    /// Something could not be measured, and that is not the learner's doing.
    Fault,
}

impl RunResult {
    /// The word that stands for it in the JSON form.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Fault => "fault",
        }
    }
}

/// A refusal of the policy gate.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RefusalReport {
    /// What is wrong.
    pub what: String,
    /// Why it is refused and what to do instead.
    pub why: String,
    /// The line at fault.
    pub at: Option<Location>,
    /// Whether it is a slip, such as a misspelt key, and nothing that is forbidden.
    pub mistake: bool,
}

/// One check's findings.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CheckReport {
    /// The check's id.
    pub id: String,
    /// What holds when it passes.
    pub title: String,
    /// The kind of check.
    pub kind: String,
    /// Points earned.
    pub points: u32,
    /// Points that can be earned.
    pub of: u32,
    /// Why it matters.
    pub why: String,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What was measured, in the kind's own form.
    pub evidence: Option<serde_json::Value>,
    /// Milliseconds that measuring took, with the waiting before it.
    pub millis: u64,
    /// Whether the evidence is of an earlier run, because nothing has changed that it depends on.
    pub remembered: bool,
}

/// What stands in the place of a report when nothing could be run at all.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NotRun {
    /// The version of this form, `grader-report/1`.
    pub schema: &'static str,
    /// Always `fault`.
    pub result: RunResult,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl NotRun {
    /// The object for a fault.
    #[must_use]
    pub fn new(fault: &Fault) -> Self {
        Self { schema: SCHEMA, result: RunResult::Fault, message: fault.to_string(), remedy: fault.remedy() }
    }

    /// Writes it as JSON.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", serde_json::to_string_pretty(self)?)
    }
}

impl CheckReport {
    /// The report of one check.
    #[must_use]
    pub fn new(check: &LessonCheck, outcome: Outcome, evidence: Option<serde_json::Value>, millis: u64) -> Self {
        let spec = &check.spec;
        Self {
            id: spec.id.clone(),
            title: spec.title.clone(),
            kind: spec.kind.clone(),
            points: outcome.points(spec.points),
            of: spec.points,
            why: spec.why.clone(),
            outcome,
            evidence,
            millis,
            remembered: false,
        }
    }

    /// Whether something was measured for it in this run.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        !self.remembered && !matches!(self.outcome, Outcome::Blocked { .. })
    }
}

impl Report {
    /// The report of a run.
    #[must_use]
    pub fn new(lesson: &Lesson, refusals: Vec<Refusal>, checks: Vec<CheckReport>, millis: u64) -> Self {
        let points = checks.iter().map(|check| check.points).sum();
        let of = lesson.points();
        let any_fault = checks.iter().any(|check| matches!(check.outcome, Outcome::Fault { .. }));
        let result = match () {
            () if !refusals.is_empty() => RunResult::Refused,
            () if any_fault => RunResult::Fault,
            () if points == of => RunResult::Passed,
            () => RunResult::Failed,
        };
        let refusals = refusals
            .into_iter()
            .map(|r| RefusalReport { what: r.what, why: r.why, at: r.at, mistake: r.is_mistake })
            .collect();
        let (course, notes) = (CourseUsed::of(lesson), Vec::new());
        let (lesson, title) = (lesson.spec.id.clone(), lesson.spec.title.clone());
        Self {
            schema: SCHEMA,
            grader: VERSION,
            course,
            lesson,
            title,
            result,
            points,
            of,
            millis,
            notes,
            refusals,
            checks,
        }
    }

    /// The exit code that stands for this report (see README, "Exit codes").
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.result {
            RunResult::Passed => 0,
            RunResult::Failed | RunResult::Refused => 1,
            RunResult::Fault => 3,
        }
    }

    /// How many checks were measured in this run; the others were remembered, or blocked.
    #[must_use]
    pub fn measured(&self) -> usize {
        self.checks.iter().filter(|check| check.is_measured()).count()
    }

    /// The ids of the checks that were judged and failed (not those that were blocked).
    #[must_use]
    pub fn failed_ids(&self) -> Vec<&str> {
        let failed = |check: &&CheckReport| {
            matches!(
                check.outcome,
                Outcome::Judged { verdict: crate::verdict::Verdict::Fail(_) | crate::verdict::Verdict::Partial { .. } }
            )
        };
        self.checks.iter().filter(failed).map(|check| check.id.as_str()).collect()
    }
}
