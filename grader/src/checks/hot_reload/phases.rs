//! What was answered after a save, and when.
//!
//! Owns: answers of one kind as phases, and their timeline. Must not: ask.

use serde::{Deserialize, Serialize};

use super::{Evidence, HotReload};
use crate::verdict::{Detail, Mark, Span};

/// Answers of one kind, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// What they were.
    pub answer: Answer,
    /// When the first of them had come, milliseconds since the save.
    pub from_ms: u64,
    /// When the last of them had come.
    pub to_ms: u64,
}

/// An answer after the save.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// One without the edited text.
    Before,
    /// None: the app is starting anew, or gone.
    Nothing,
    /// One with the edited text.
    Edited,
}

impl HotReload {
    /// What was answered when, counted from the save.
    pub(super) fn timeline(&self, evidence: &Evidence, place: &str) -> Option<Detail> {
        let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        let last = evidence.answers.last()?.to_ms;
        // A phase ends when another kind of answer comes.
        let ends = evidence.answers.iter().skip(1).map(|next| next.from_ms).chain([last]);
        let mut spans = Vec::new();
        let mut from = 0;
        for (phase, to) in evidence.answers.iter().zip(ends) {
            let label = match phase.answer {
                Answer::Before => "the answer is as it was",
                Answer::Nothing => "no answer: the app is not there",
                Answer::Edited => continue,
            };
            spans.push(Span::new(label, from, signed(to)));
            from = signed(to);
        }
        spans.push(Span::new(format!("all this {place}"), 0, signed(last)));
        Some(Detail::Timeline {
            title: format!("from a save of {} to its effect", evidence.file),
            zero: "the save".into(),
            spans,
            marks: evidence.millis.map(|taken| Mark::new("the edit shows", signed(taken))).into_iter().collect(),
            limit: Some(Mark::new("the limit", signed(self.within_ms))),
        })
    }
}

/// Adds an answer to the last phase, or begins another one.
pub(super) fn remember(phases: &mut Vec<Phase>, answer: Answer, at_ms: u64) {
    match phases.last_mut().filter(|last| last.answer == answer) {
        Some(last) => last.to_ms = at_ms,
        None => phases.push(Phase { answer, from_ms: at_ms, to_ms: at_ms }),
    }
}
