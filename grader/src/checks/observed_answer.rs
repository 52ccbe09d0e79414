//! `observed-answer`: the learner wrote down what is really so.
//!
//! Owns: measuring a value again and finding the learner's answer. Must not: tell the value.

mod compare;
mod observe;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::learner::filled;
use crate::sandbox::Sandbox;
use crate::verdict::{Finding, Location, Verdict};
use observe::{Observe, Observed};

/// Reads the learner's answer (`key = value` in a file that the exercise delivers) and measures the
/// same value now. The right value is not shown.
///
/// Why it matters: who has read a value off a running system knows where it stands.
///
/// How it is cheated: by a neighbour's answer. Let the value differ from learner to learner
/// (`{learner}` in given files and in names of containers), and it fails.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservedAnswer {
    /// The key of the answer.
    pub answer: String,
    /// The file that holds it (TOML), relative to the exercise folder.
    #[serde(default = "answers")]
    pub file: String,
    /// What is measured.
    pub observe: Observe,
    /// How far a number may be off, percent of what is measured.
    #[serde(default)]
    pub tolerance_percent: f64,
}

fn answers() -> String {
    "answers.toml".into()
}

/// The answer and the value.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// What the learner wrote; `null` when there is none.
    pub answer: Value,
    /// Why the file could not be read.
    pub unreadable: Option<String>,
    /// What is measured now.
    pub observed: Observed,
    /// Where the answer stands, if it does.
    pub at: Option<Location>,
    /// The learner's number.
    #[serde(default)]
    pub learner: String,
}

#[async_trait]
impl Check for ObservedAnswer {
    type Evidence = Evidence;
    const KIND: &'static str = "observed-answer";
    // It reads a file, and may look at what the learner made by hand.
    const REMEMBERED: bool = false;

    fn needs(&self) -> Vec<Resource> {
        self.observe.needs()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let text = sandbox.file(&self.file).unwrap_or_default();
        let (table, broken) = match text.parse::<toml::Table>() {
            Ok(table) => (table, None),
            Err(error) => (toml::Table::new(), Some(error)),
        };
        let line = match &broken {
            Some(error) => error.span().map(|span| text[..span.start].lines().count().max(1)),
            None => line_of(&text, &self.answer),
        };
        let answer = table.get(&self.answer).and_then(|value| serde_json::to_value(value).ok());
        Ok(Evidence {
            answer: answer.unwrap_or_default(),
            unreadable: broken.map(|error| error.message().to_owned()),
            observed: self.observe.now(sandbox).await?,
            at: line.and_then(|line| sandbox.locate_line(&self.file, line)),
            learner: sandbox.learner(),
        })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let what = filled(&self.observe.in_words(), &evidence.learner);
        let mut wanted = format!("`{}` in {} is {what}, as measured now", self.answer, self.file);
        if self.tolerance_percent > 0.0 {
            wanted = format!("{wanted} (within {} %)", self.tolerance_percent);
        }
        let fail = |measured: String| Verdict::Fail(Finding::new(wanted.clone(), measured).at(evidence.at.clone()));
        if let Some(reason) = &evidence.unreadable {
            return fail(format!("{} cannot be read: {reason}. A line is `key = 12` or `key = \"text\"`", self.file));
        }
        if let Observed::Nothing { reason } = &evidence.observed {
            return fail(format!("there is nothing to compare with: {reason}"));
        }
        match compare::problem(&evidence.answer, &evidence.observed, self.tolerance_percent) {
            None => Verdict::Pass(Finding::new(wanted.clone(), format!("you wrote {}, and so it is", evidence.answer))),
            Some(problem) if evidence.answer.is_null() => fail(problem),
            Some(problem) => fail(format!("you wrote {}: {problem}", evidence.answer)),
        }
    }
}

/// The line, from 1, on which a key stands.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let is = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim().trim_matches('"') == key);
    text.lines().position(is).map(|at| at + 1)
}

crate::register!(ObservedAnswer);
