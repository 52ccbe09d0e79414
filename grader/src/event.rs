//! What a run tells whoever listens: the terminal now, the browser and the classroom later.
//!
//! Owns: the events. Must not: print, or know who listens.

use serde::Serialize;
use tokio::sync::mpsc::UnboundedSender;

use crate::verdict::{Outcome, Quantity, Sample};

/// Something that happened during a run, in the order in which it happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run has begun.
    RunStarted {
        /// The lesson's id, such as `lesson36`.
        lesson: String,
        /// How many checks will be measured.
        checks: usize,
    },
    /// Something that takes time has begun: a build, a stack.
    StageStarted {
        /// A stable name, such as `build:production`.
        stage: String,
    },
    /// Where a stage is.
    StageProgress {
        /// The stage.
        stage: String,
        /// The step that it is at.
        step: String,
    },
    /// A stage is over.
    StageEnded {
        /// The stage.
        stage: String,
        /// Whether what it made is there.
        ok: bool,
        /// How long it took.
        millis: u64,
    },
    /// What a check that pushes something sees just now. Verdicts do not depend on it.
    Sample {
        /// The check's id.
        check: String,
        /// What is counted.
        quantity: Quantity,
        /// The limit, in the same unit.
        limit: Option<u64>,
        /// The value and its moment.
        #[serde(flatten)]
        sample: Sample,
    },
    /// A check has its outcome.
    CheckEnded {
        /// The check's id.
        check: String,
        /// How it ended.
        outcome: Outcome,
        /// How long measuring took.
        millis: u64,
    },
    /// What the run had made is being removed.
    CleaningUp,
}

tokio::task_local! {
    /// The id of the check whose work is done.
    static CHECK: String;
}

/// Does the work of a check: samples that are told meanwhile carry its id, which the sandbox does not know.
pub async fn of_check<T>(id: &str, work: impl Future<Output = T>) -> T {
    CHECK.scope(id.to_owned(), work).await
}

/// Where events go. Sending never fails: nobody has to listen.
#[derive(Debug, Clone, Default)]
pub struct Events(Option<UnboundedSender<Event>>);

impl Events {
    /// Events that go to `sender`.
    #[must_use]
    pub fn to(sender: UnboundedSender<Event>) -> Self {
        Self(Some(sender))
    }

    /// Tells whoever listens.
    pub fn send(&self, event: Event) {
        if let Some(sender) = &self.0 {
            // A listener that has gone away must not end a run.
            let _ = sender.send(event);
        }
    }

    /// Tells a sample of the check whose work is done. Where no check works, nobody waits for samples.
    pub fn sample(&self, quantity: Quantity, limit: Option<u64>, sample: Sample) {
        if let Ok(check) = CHECK.try_with(Clone::clone) {
            self.send(Event::Sample { check, quantity, limit, sample });
        }
    }
}
