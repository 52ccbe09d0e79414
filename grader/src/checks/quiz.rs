//! `quiz`: the lesson's questions were answered.
//!
//! Owns: judging the share of right answers. Must not: judge an answer; the quiz does.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::QuizFacts;
use crate::verdict::{Finding, Verdict};

/// Counts the right answers that were given by `grader quiz`.
///
/// Why it matters: what you can say in your own words, you have understood.
///
/// How it is cheated: by asking a friend.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quiz {
    /// The share of right answers that passes, percent.
    pub percent: usize,
}

#[async_trait]
impl Check for Quiz {
    type Evidence = QuizFacts;
    const KIND: &'static str = "quiz";

    fn needs(&self) -> Vec<Resource> {
        Vec::new()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<QuizFacts, Fault> {
        Ok(sandbox.quiz())
    }

    fn judge(&self, evidence: &QuizFacts) -> Verdict {
        let (right, all) = (evidence.right.len(), evidence.questions);
        let wanted = format!("at least {} % of {all} questions right", self.percent);
        if evidence.right.is_empty() && evidence.wrong.is_empty() {
            return Verdict::Fail(Finding::new(
                wanted,
                "no question is answered yet: they stand on the page, and `grader quiz` asks them",
            ));
        }
        let mut measured = format!("{right} of {all} right");
        let open = all.saturating_sub(right + evidence.wrong.len());
        if open > 0 {
            measured = format!("{measured}, {open} not answered yet");
        }
        if !evidence.wrong.is_empty() {
            measured = format!("{measured}; wrong: {}", evidence.wrong.join(", "));
        }
        let finding = Finding::new(wanted, measured);
        let holds = all > 0 && right * 100 >= self.percent * all;
        if holds {
            Verdict::Pass(finding)
        } else {
            Verdict::Fail(finding.note("`grader quiz` asks only what is still open or was wrong."))
        }
    }
}

crate::register!(Quiz);
