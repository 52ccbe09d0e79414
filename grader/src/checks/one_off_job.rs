//! `one-off-job`: a service does its work once, before those that need it, and can do it again.
//!
//! Owns: a job's end, its place in the order, and its second and third run. Must not: judge what
//! the job does, but for one question afterwards.

use async_trait::async_trait;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, HttpAnswer, HttpRequest, StackReport};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// Waits for the job's end and compares it, by the daemon's clock, with the first start of the
/// services that need it. Then the job runs again: once in its old container, and once in a new
/// one, as the next deployment does it.
///
/// Why it matters: a migration that runs beside the app changes tables under its feet, and one
/// that cannot run twice breaks the second deployment.
///
/// How it is cheated: a note of the job to itself ("done") in its own container is gone in the new
/// one; a `sleep` in the app does not change when the app was started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneOffJob {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service that is the job.
    pub service: String,
    /// The services that must be started after its end.
    #[serde(default)]
    pub before: Vec<String>,
    /// Milliseconds until it must have ended, each time.
    pub within_ms: u64,
    /// Whether it must be able to run again.
    #[serde(default = "yes")]
    pub again: bool,
    /// A question whose answer must be the same after it has run again.
    #[serde(default)]
    pub still: Option<Still>,
}

/// A question to a service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Still {
    /// The service.
    pub service: String,
    /// Its port in the container.
    pub port: u16,
    /// The path.
    pub path: String,
    /// Text that must be in the answer, before and after.
    pub contains: String,
}

fn yes() -> bool {
    true
}

/// How long the question may take to be answered.
const ANSWERS_WITHIN_MS: u64 = 10_000;

/// What the job did.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// How the stack came up.
    pub report: StackReport,
    /// The job's container after its first end, or when the time was up.
    pub first: ContainerFacts,
    /// How it was run again, in this order, and its container afterwards.
    pub again: Vec<Again>,
    /// The answers before and after it ran again.
    pub answers: Option<[HttpAnswer; 2]>,
    /// The job's last log lines, when it did not end well.
    pub log: Vec<String>,
    /// Where the job stands.
    pub at: Option<Location>,
    /// Where the first service that must come after it says what it waits for.
    pub order_at: Option<Location>,
}

/// One more run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Again {
    /// `in its old container` or `in a new container`.
    pub place: String,
    /// The container afterwards.
    pub container: ContainerFacts,
}

#[async_trait]
impl Check for OneOffJob {
    type Evidence = Evidence;
    const KIND: &'static str = "one-off-job";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let report = sandbox.started(&self.stack).await?;
        let first = self.ended(sandbox).await?;
        let waits = |service| sandbox.locate_key(At { stack: &self.stack, service }, &["depends_on"]);
        let mut evidence = Evidence {
            again: Vec::new(),
            answers: None,
            log: Vec::new(),
            at: sandbox.locate_restart(at),
            order_at: self
                .before
                .iter()
                .find(|service| !self.came_after(&report, &first, service))
                .and_then(|s| waits(s)),
            report,
            first,
        };
        let in_order = self.before.iter().all(|service| self.came_after(&evidence.report, &evidence.first, service));
        if ended_well(&evidence.first) && in_order && self.again {
            let before = self.ask(sandbox).await?;
            let container = sandbox.run_again(at, self.within_ms).await?;
            evidence.again.push(Again { place: "in its old container".into(), container });
            if evidence.again.iter().all(|again| ended_well(&again.container)) {
                sandbox.recreate(at).await?;
                let container = self.ended(sandbox).await?;
                evidence.again.push(Again { place: "in a new container".into(), container });
            }
            evidence.answers = before.zip(self.ask(sandbox).await?).map(|(before, after)| [before, after]);
        }
        let all_well = ended_well(&evidence.first) && evidence.again.iter().all(|again| ended_well(&again.container));
        if !all_well && evidence.first.exists() {
            evidence.log = sandbox.log_story(at, 10).await?;
        }
        Ok(evidence)
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let limit = millis(self.within_ms);
        let mut wanted = format!("the job `{}` ends with code 0 within {limit}", self.service);
        if !self.before.is_empty() {
            let services: Vec<String> = self.before.iter().map(|service| format!("`{service}`")).collect();
            wanted = format!(
                "{wanted}, before {} {} started",
                services.join(" and "),
                if services.len() == 1 { "is" } else { "are" }
            );
        }
        if self.again {
            wanted = format!("{wanted}, and does so when it is run again");
        }
        let fail = |measured: String, at: &Option<Location>| {
            let mut finding = Finding::new(wanted.clone(), measured).at(at.clone());
            if !evidence.log.is_empty() {
                finding =
                    finding.with(Detail::log(format!("the last log lines of {}", self.service), evidence.log.clone()));
            }
            Verdict::Fail(finding)
        };
        if let Some(problem) = how_it_failed(&evidence.first) {
            return fail(format!("{problem} within {limit}"), &evidence.at);
        }
        for service in &self.before {
            let Some(start) = evidence.report.first(service, "start") else {
                return fail(format!("`{service}` was never started"), &evidence.order_at);
            };
            if !self.came_after(&evidence.report, &evidence.first, service) {
                let late =
                    self.end(&evidence.report, &evidence.first).map(|end| end.duration_since(start.at).as_millis());
                let late = millis(late.and_then(|late| u64::try_from(late).ok()).unwrap_or(0));
                return fail(format!("`{service}` was started {late} before the job had ended"), &evidence.order_at);
            }
        }
        for again in &evidence.again {
            if let Some(problem) = how_it_failed(&again.container) {
                return fail(format!("it ended well at first, but run again {}, {problem}", again.place), &evidence.at);
            }
        }
        if let (Some(still), Some([before, after])) = (&self.still, &evidence.answers) {
            let [was, is] = [before, after].map(|answer| answer.body.contains(&still.contains));
            if !was || !is || before.body != after.body {
                let when = if was { "after it ran again" } else { "before it ran again" };
                let answer = if was { after } else { before };
                let measured = format!("{when}, `{}` answers {} with: {}", still.service, still.path, answer.summary());
                let diff = Detail::Diff {
                    title: "the answer before and after".into(),
                    before: before.summary(),
                    after: after.summary(),
                };
                return Verdict::Fail(Finding::new(wanted, measured).at(evidence.at.clone()).with(diff));
            }
        }
        let runs = 1 + evidence.again.len();
        Verdict::Pass(Finding::new(wanted, format!("it ended with code 0, {runs} times out of {runs}")))
    }
}

impl OneOffJob {
    /// Waits for the end of the job; one that is started again and again has none.
    async fn ended(&self, sandbox: &dyn Sandbox) -> Result<ContainerFacts, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let over = || async {
            let facts = sandbox.container(at).await?;
            let over = facts.state == "exited" || facts.restarts > 0 || !facts.exists();
            Ok::<_, Fault>(over.then_some(facts))
        };
        match until(&sandbox.within(self.within_ms), over).await? {
            Some(facts) => Ok(facts),
            None => sandbox.container(at).await,
        }
    }

    /// When the job's first run ended.
    fn end(&self, report: &StackReport, first: &ContainerFacts) -> Option<Timestamp> {
        let during_start = report.first(&self.service, "die").map(|event| event.at);
        // What ends after the stack is up is not among the events of its start.
        during_start.or_else(|| first.finished_at.parse().ok())
    }

    fn came_after(&self, report: &StackReport, first: &ContainerFacts, service: &str) -> bool {
        let start = report.first(service, "start").map(|event| event.at);
        start.zip(self.end(report, first)).is_some_and(|(start, end)| end <= start)
    }

    async fn ask(&self, sandbox: &dyn Sandbox) -> Result<Option<HttpAnswer>, Fault> {
        let Some(still) = &self.still else { return Ok(None) };
        let at = At { stack: &self.stack, service: &still.service };
        let request = HttpRequest::get(still.port, &still.path);
        let answers = || async {
            let answer = sandbox.http(at, &request).await?;
            Ok::<_, Fault>(answer.body.contains(&still.contains).then_some(answer))
        };
        match until(&sandbox.within(ANSWERS_WITHIN_MS), answers).await? {
            Some(answer) => Ok(Some(answer)),
            None => sandbox.http(at, &request).await.map(Some),
        }
    }
}

fn ended_well(facts: &ContainerFacts) -> bool {
    how_it_failed(facts).is_none()
}

fn how_it_failed(facts: &ContainerFacts) -> Option<String> {
    if !facts.exists() {
        return Some("it was never made".into());
    }
    if facts.restarts > 0 {
        let policy = &facts.restart_policy;
        return Some(format!("it was started again {} times by its restart policy `{policy}`", facts.restarts));
    }
    if facts.state != "exited" {
        return Some(format!("it did not end (it is {})", facts.state));
    }
    (facts.exit_code != 0).then(|| format!("it ended with code {}", facts.exit_code))
}

crate::register!(OneOffJob);
