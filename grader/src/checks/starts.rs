//! `starts`: a service that has come up keeps running.
//!
//! Owns: watching one container for a while. Must not: judge whether the stack came up; that is
//! `stack-starts`, which opens it.

use std::time::Instant;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, last_words};
use crate::sandbox::wait::{since, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// Watches one service for a while after its stack has come up: it must run all the time, and the
/// daemon must not have started it again.
///
/// Why it matters: many services end a moment after they have come up, when the first thing that they
/// need is not there. `docker ps` shows them as running at the moment when you look.
///
/// How it is cheated: a restart policy that starts it over and over makes it run whenever somebody
/// looks; the number of restarts and the time of the last start give it away. A shell that starts the
/// program again inside keeps the container running: the checks that talk to the service tell.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Starts {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// For how many milliseconds it is watched.
    #[serde(default = "default_watch")]
    pub after_ms: u64,
}

fn default_watch() -> u64 {
    3_000
}

/// What was seen, each time that something had changed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The states, in their order; there is at least one.
    pub seen: Vec<Seen>,
    /// For how long it was watched, milliseconds.
    pub watched_ms: u64,
    /// Its last log lines, when it did not keep running.
    pub log: Vec<String>,
    /// Where the service stands.
    pub at: Option<Location>,
}

/// A state of the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Milliseconds after the first look.
    pub at_ms: u64,
    /// `running`, `restarting`, `exited`, ...
    pub state: String,
    /// How often the restart policy had started it again.
    pub restarts: i64,
    /// The exit code of its last end.
    pub exit_code: i64,
    /// When its main process was started, as the daemon says it.
    pub started_at: String,
}

impl Seen {
    fn of(facts: ContainerFacts, at_ms: u64) -> Self {
        let ContainerFacts { state, restarts, exit_code, started_at, .. } = facts;
        Self { at_ms, state, restarts, exit_code, started_at }
    }

    fn differs(&self, other: &Self) -> bool {
        Self { at_ms: 0, ..self.clone() } != Self { at_ms: 0, ..other.clone() }
    }
}

/// More changes than these tell nothing new.
const MOST_SEEN: usize = 12;

#[async_trait]
impl Check for Starts {
    type Evidence = Evidence;
    const KIND: &'static str = "starts";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let begun = Instant::now();
        let mut seen = vec![Seen::of(sandbox.container(at).await?, 0)];
        let deadline = sandbox.within(self.after_ms);
        // To the end in any case: a crash loop shows itself by what comes after.
        while !deadline.is_over()? && seen.len() < MOST_SEEN {
            let last = seen[seen.len() - 1].clone();
            let changed = || async {
                let now = Seen::of(sandbox.container(at).await?, since(begun));
                Ok::<_, Fault>(now.differs(&last).then_some(now))
            };
            seen.extend(until(&deadline, changed).await?);
        }
        let watched_ms = since(begun);
        let kept = keeps_running(&seen);
        let made = seen[0].state != crate::sandbox::facts::NOT_MADE;
        let log = if kept || !made { Vec::new() } else { last_words(sandbox.log_tail(at, 300).await?, 12) };
        Ok(Evidence { seen, watched_ms, log, at: sandbox.locate_key(at, &["command"]) })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted =
            format!("`{}` keeps running for {}, without being started again", self.service, millis(self.after_ms));
        let (first, last) = (&evidence.seen[0], &evidence.seen[evidence.seen.len() - 1]);
        if keeps_running(&evidence.seen) {
            return Verdict::Pass(Finding::new(wanted, format!("running for {}", millis(evidence.watched_ms))));
        }
        let measured = if last.restarts > first.restarts || first.restarts > 0 {
            let times = if last.restarts == 1 { "once".into() } else { format!("{} times", last.restarts) };
            format!("it ended with code {}, and was started again {times}", last.exit_code)
        } else if last.state == "running" {
            format!("it was started again at {}", last.started_at)
        } else if last.state == "exited" {
            format!("it ended with code {} after {}", last.exit_code, millis(last.at_ms))
        } else {
            format!("it is {}", last.state)
        };
        let rows = evidence.seen.iter().map(|seen| {
            let exit =
                if seen.state == "running" && seen.restarts == 0 { String::new() } else { seen.exit_code.to_string() };
            vec![millis(seen.at_ms), seen.state.clone(), seen.restarts.to_string(), exit]
        });
        let table = Detail::table("its states", &["after", "state", "restarts", "exit code"], rows.collect());
        let finding = Finding::new(wanted, measured).at(evidence.at.clone()).with(table);
        let finding = if evidence.log.is_empty() {
            finding.note("It wrote nothing to its log.")
        } else {
            finding.with(Detail::log("its last log lines", evidence.log.clone()))
        };
        Verdict::Fail(finding)
    }
}

fn keeps_running(seen: &[Seen]) -> bool {
    seen.iter().all(|one| one.state == "running" && one.restarts == 0 && one.started_at == seen[0].started_at)
}

crate::register!(Starts);
