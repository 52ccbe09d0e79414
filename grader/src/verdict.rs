//! What a check decided, and the evidence shown with it.
//!
//! Owns: the vocabulary of results. Must not: measure, print, or know any kind of check.

pub mod drawn;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use drawn::{Mark, Quantity, Sample, Span};

/// What a check decided about a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Verdict {
    /// The outcome is as wanted.
    Pass(Finding),
    /// Some of the points are earned.
    Partial {
        /// Points earned, in percent of the check's points (1 to 99).
        percent: u8,
        /// What was wanted and measured.
        #[serde(flatten)]
        finding: Finding,
    },
    /// The outcome is not as wanted.
    Fail(Finding),
}

impl Verdict {
    /// What was wanted and measured, whatever the decision.
    #[must_use]
    pub fn finding(&self) -> &Finding {
        match self {
            Self::Pass(finding) | Self::Fail(finding) | Self::Partial { finding, .. } => finding,
        }
    }
}

/// What was wanted, what was measured, and what shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What the check asks for, with its limit and unit.
    pub wanted: String,
    /// What was measured, with its unit.
    pub measured: String,
    /// Where in the learner's files the cause stands, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Location>,
    /// Evidence, in the order in which it is shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
}

impl Finding {
    /// A finding without evidence.
    pub fn new(wanted: impl Into<String>, measured: impl Into<String>) -> Self {
        Self { wanted: wanted.into(), measured: measured.into(), ..Self::default() }
    }

    /// Adds the place in the learner's files.
    #[must_use]
    pub fn at(mut self, location: Option<Location>) -> Self {
        self.at = location;
        self
    }

    /// Adds a piece of evidence.
    #[must_use]
    pub fn with(mut self, detail: Detail) -> Self {
        self.details.push(detail);
        self
    }

    /// Adds a piece of evidence, if there is one.
    #[must_use]
    pub fn with_some(self, detail: Option<Detail>) -> Self {
        match detail {
            Some(detail) => self.with(detail),
            None => self,
        }
    }

    /// Adds a sentence of evidence.
    #[must_use]
    pub fn note(self, text: impl Into<String>) -> Self {
        self.with(Detail::Note { text: text.into() })
    }

    /// Passes when `holds`, fails otherwise.
    #[must_use]
    pub fn decide(self, holds: bool) -> Verdict {
        if holds { Verdict::Pass(self) } else { Verdict::Fail(self) }
    }
}

/// A line in one of the learner's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// The file, relative to the exercise folder.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The text of that line.
    pub text: String,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Detail {
    /// A sentence.
    Note {
        /// The sentence.
        text: String,
    },
    /// Lines of output of a build or a container, oldest first.
    Log {
        /// Whose output it is.
        title: String,
        /// The last lines.
        lines: Vec<String>,
    },
    /// Rows and columns.
    Table {
        /// What the table shows.
        title: String,
        /// Column heads.
        head: Vec<String>,
        /// Rows, each as long as the head.
        rows: Vec<Vec<String>>,
    },
    /// Two texts that should be the same, or should not.
    Diff {
        /// What is compared.
        title: String,
        /// The text that was wanted or was there before.
        before: String,
        /// The text that was found.
        after: String,
    },
    /// What grew or was used over time, sampled while it was pushed.
    Curve {
        /// What the curve shows.
        title: String,
        /// What is counted, and its unit.
        quantity: Quantity,
        /// The limit, in the same unit, when there is one.
        limit: Option<u64>,
        /// The highest value, as the kernel itself has kept it where it does, else the highest sample.
        highest: u64,
        /// At most 200 samples, oldest first.
        samples: Vec<Sample>,
    },
    /// What happened when.
    Timeline {
        /// What the timeline shows.
        title: String,
        /// What happened at zero.
        zero: String,
        /// What lasted, one line each.
        spans: Vec<Span>,
        /// Moments within.
        marks: Vec<Mark>,
        /// The latest moment that was allowed.
        limit: Option<Mark>,
    },
}

impl Detail {
    /// A table of evidence.
    #[must_use]
    pub fn table(title: &str, head: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self::Table { title: title.into(), head: head.iter().map(ToString::to_string).collect(), rows }
    }

    /// The last lines of something's output.
    #[must_use]
    pub fn log(title: impl Into<String>, lines: Vec<String>) -> Self {
        Self::Log { title: title.into(), lines }
    }
}

/// How a check ended within a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Outcome {
    /// It was measured and judged.
    Judged {
        /// The decision.
        verdict: Verdict,
    },
    /// It could not be measured because another check did not pass.
    Blocked {
        /// The id of the one check that is the cause.
        by: String,
    },
    /// It could not be measured, and that is not the learner's doing.
    Fault {
        /// What happened.
        message: String,
        /// What to do about it.
        remedy: String,
    },
}

impl Outcome {
    /// True when checks that come after this one may be measured.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        matches!(self, Self::Judged { verdict: Verdict::Pass(_) | Verdict::Partial { .. } })
    }

    /// Points earned out of `points`.
    #[must_use]
    pub fn points(&self, points: u32) -> u32 {
        match self {
            Self::Judged { verdict: Verdict::Pass(_) } => points,
            Self::Judged { verdict: Verdict::Partial { percent, .. } } => points * u32::from(*percent) / 100,
            _ => 0,
        }
    }
}

/// Bytes as people read them: 1 kB is 1,000 bytes and 1 MB is 1,000,000.
#[must_use]
pub fn bytes(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let value = count as f64;
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.2} GB", value / 1e9),
    }
}

/// Memory as Docker counts it: `512M` is 512 MiB, and 1 MiB is 1,048,576 bytes.
#[must_use]
pub fn memory(count: u64) -> String {
    const MIB: u64 = 1 << 20;
    if count.is_multiple_of(MIB) { format!("{} MiB", count / MIB) } else { format!("{count} bytes") }
}

/// Milliseconds as people read them.
#[must_use]
pub fn millis(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    if count < 1_000 { format!("{count} ms") } else { format!("{:.1} s", count as f64 / 1e3) }
}
