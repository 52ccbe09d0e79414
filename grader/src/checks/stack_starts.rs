//! `stack-starts`: every service of a stack comes up and stays up.
//!
//! Owns: the opening check of stacks. Must not: talk to the services.

mod cause;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, StackEvent, StackReport, Unbuilt, last_words};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};
use cause::{Seen, Wait, Why, explained, without_preamble};

/// Starts the stack and waits until each service is up: it is healthy, or listens on the ports
/// that it publishes, or has just kept running for a while. Services that end by themselves with
/// code 0 and publish no port (jobs) count as done. Whether a health check tells the truth is another
/// check's matter.
/// The order is judged by the daemon's events: a service was started after what it needs was
/// healthy (where that has a health check), or had ended with code 0 (a job), or was started.
///
/// Why it matters: a stack that does not come up by one command is not a stack.
///
/// How it is cheated: a service that only sleeps comes up too; the checks that talk to it tell. One that
/// dies and is restarted over and over is seen by its count of restarts. An app that waits by itself
/// was started all the same, and the order is that of the starts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StackStarts {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// Services that must be among its services.
    pub services: Vec<String>,
    /// Pairs of services: the first must be ready before the second is started. Without a health check
    /// (and no job) `ready` means no more than started.
    #[serde(default)]
    pub order: Vec<[String; 2]>,
    /// Milliseconds of a quiet machine from the end of `docker compose up` until all of them are well.
    #[serde(default = "default_limit")]
    pub within_ms: u64,
}

fn default_limit() -> u64 {
    20_000
}

impl StackStarts {
    /// The check of a stack that must have one service, with the usual time limit.
    pub fn with_service(stack: &str, service: &str) -> Self {
        let services = vec![service.to_owned()];
        Self { stack: stack.to_owned(), services, order: Vec::new(), within_ms: default_limit() }
    }
}

/// How the stack came up.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// What Compose said.
    pub report: StackReport,
    /// Each service's container at the end.
    pub containers: BTreeMap<String, ContainerFacts>,
    /// Services that publish ports, by the model: they are no jobs.
    #[serde(default)]
    pub publishing: BTreeSet<String>,
    /// Which services wait for which, by the model.
    #[serde(default)]
    pub waits: Vec<Wait>,
    /// The log of the first service that is not well.
    pub log: Vec<String>,
    /// Where that service stands.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for StackStarts {
    type Evidence = Evidence;
    const KIND: &'static str = "stack-starts";
    const MANNER: Manner = Manner::Opens;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let report = sandbox.started(&self.stack).await?;
        let begun = sandbox.pace().watch();
        let model = sandbox.model(&self.stack);
        let mut evidence = Evidence { waits: Wait::all(&model), report, ..Evidence::default() };
        if let Some(unbuilt) = &evidence.report.unbuilt {
            evidence.at.clone_from(&unbuilt.failure.at);
            return Ok(evidence);
        }
        let services = &evidence.report.services;
        evidence.publishing = services.iter().cloned().collect();
        evidence
            .publishing
            .retain(|name| model["services"][name]["ports"].as_array().is_some_and(|ports| !ports.is_empty()));
        // One time for all of them; where Compose gave up there is nothing to wait for.
        let deadline = sandbox.within(if evidence.report.failure.is_some() { 0 } else { self.within_ms });
        for service in services {
            let at = At { stack: &self.stack, service };
            let publishes = evidence.publishing.contains(service);
            let settled = || async {
                let facts = sandbox.container(at).await?;
                let over = is_broken(&facts, publishes)
                    || is_up(sandbox, at, &facts, publishes, begun.took().quiet_ms).await?;
                Ok::<_, Fault>(over.then_some(facts))
            };
            let facts = match until(&deadline, settled).await? {
                Some(facts) => facts,
                None => sandbox.container(at).await?,
            };
            evidence.containers.insert(service.clone(), facts);
        }
        if let Some(blamed) = evidence.seen().blamed() {
            let at = At { stack: &self.stack, service: blamed.service };
            let has_run = blamed.facts.exists() && blamed.facts.state != "created";
            let log = if has_run { last_words(sandbox.log_tail(at, 300).await?, 12) } else { Vec::new() };
            (evidence.at, evidence.log) = (sandbox.locate_key(at, blamed.key()), log);
        } else if let Some((_, second)) = self.out_of_order(&evidence.report, &evidence.containers) {
            evidence.at = sandbox.locate_key(At { stack: &self.stack, service: second }, &["depends_on"]);
        }
        Ok(evidence)
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let mut wanted = format!("the services {} come up and stay up", self.services.join(" and "));
        for [first, second] in &self.order {
            wanted = format!("{wanted}; `{second}` is started when `{first}` is ready");
        }
        let mut named = self.services.iter().chain(self.order.iter().flatten());
        if let Some(missing) = named.find(|service| !evidence.report.services.contains(service)) {
            let there = evidence.report.services.join(", ");
            return Verdict::Fail(Finding::new(
                wanted,
                format!("there is no service called `{missing}`, only {there}"),
            ));
        }
        if let Some(Unbuilt { service, failure }) = &evidence.report.unbuilt {
            let measured = format!("the image of `{service}` could not be built: {}", failure.message);
            let finding = Finding::new(wanted, measured).at(evidence.at.clone());
            let step = (!failure.log.is_empty()).then(|| Detail::log("the step's last lines", failure.log.clone()));
            return Verdict::Fail(finding.with_some(step));
        }
        let rows = evidence.containers.iter().map(|(name, facts)| vec![name.clone(), state(facts)]).collect();
        let table = Detail::table("services", &["service", "state"], rows);
        let seen = evidence.seen();
        let Some(blamed) = seen.blamed() else {
            if let Some(lines) = &evidence.report.failure {
                return Verdict::Fail(gave_up(wanted, lines).at(evidence.at.clone()).with(table));
            }
            if let Some((problem, _)) = self.out_of_order(&evidence.report, &evidence.containers) {
                let finding = Finding::new(wanted, problem).at(evidence.at.clone());
                return Verdict::Fail(finding.with(table).with(events(&evidence.report)));
            }
            let measured = format!("{} services up in {}", evidence.containers.len(), millis(evidence.report.millis));
            return Verdict::Pass(Finding::new(wanted, measured).with(table));
        };
        if let (Why::Unknown, Some(lines)) = (blamed.why, &evidence.report.failure) {
            return Verdict::Fail(gave_up(wanted, lines).at(evidence.at.clone()).with(table));
        }
        let (facts, (measured, note)) = (blamed.facts, seen.story(&blamed));
        let mut finding = Finding::new(wanted, measured).at(evidence.at.clone()).with(table);
        if let Some(note) = note {
            finding = finding.note(note);
        }
        if is_done(facts) {
            finding = finding.note(
                "A container lives as long as its main process. A service that publishes a port has to stay: \
                 start its program in the foreground, not in the background.",
            );
        }
        if !facts.health_said.is_empty() && facts.health.as_deref() == Some("unhealthy") {
            finding = finding.note(format!("Its health check last said: {}", facts.health_said));
        }
        if let Some(lines) = &evidence.report.failure {
            finding = finding.with(Detail::log("docker compose up said", lines.clone()));
        }
        if !evidence.log.is_empty() {
            finding = finding.with(Detail::log("its last log lines", evidence.log.clone()));
        }
        Verdict::Fail(finding)
    }
}

/// What Compose could not do, where no container tells why.
fn gave_up(wanted: String, lines: &[String]) -> Finding {
    let last = lines.last().map(String::as_str).unwrap_or_default();
    let finding = Finding::new(wanted, format!("Compose gave up: {}", without_preamble(last)));
    let finding = if let Some(note) = explained(last) { finding.note(note) } else { finding };
    finding.with(Detail::log("docker compose up said", lines.to_vec()))
}

impl Evidence {
    fn seen(&self) -> Seen<'_> {
        Seen { containers: &self.containers, publishing: &self.publishing, waits: &self.waits }
    }
}

impl StackStarts {
    /// The first pair that came up in the wrong order: what happened, and the second of them.
    fn out_of_order<'a>(
        &'a self,
        report: &StackReport,
        containers: &BTreeMap<String, ContainerFacts>,
    ) -> Option<(String, &'a str)> {
        self.order.iter().find_map(|[first, second]| {
            let needed = containers.get(first)?;
            let (action, ready) = if needed.health.is_some() {
                (HEALTHY, "healthy")
            } else if needed.state == "exited" {
                ("die", "done")
            } else {
                ("start", "started")
            };
            let Some(start) = report.first(second, "start") else {
                return Some((format!("`{second}` was never started"), second.as_str()));
            };
            // A job that failed at first and was tried again is done when it has ended well.
            let well = |event: &&StackEvent| event.exit_code.is_none_or(|code| code == 0);
            let mut told = report.events.iter().filter(|event| event.service == *first && event.action == action);
            let after = match told.find(well) {
                Some(event) if event.at <= start.at => return None,
                Some(event) => {
                    let late = u64::try_from(event.at.duration_since(start.at).as_millis()).unwrap_or(0);
                    format!("{} after it", millis(late))
                }
                None => "only after the whole stack was up, or not at all".to_owned(),
            };
            Some((format!("`{second}` was started before `{first}` was {ready} (that came {after})"), second.as_str()))
        })
    }
}

/// The daemon's event for a health check that has said yes.
const HEALTHY: &str = "health_status: healthy";

fn events(report: &StackReport) -> Detail {
    let told = report.events.iter().filter(|event| ["start", "die", HEALTHY].contains(&event.action.as_str()));
    let begun = report.events.first().map(|event| event.at);
    let rows = told.map(|event| {
        let spent = begun.map_or(0, |begun| u64::try_from(event.at.duration_since(begun).as_millis()).unwrap_or(0));
        let code = event.exit_code.map(|code| format!(" with code {code}")).unwrap_or_default();
        vec![millis(spent), event.service.clone(), format!("{}{code}", event.action)]
    });
    Detail::table("what the daemon told while the stack came up", &["after", "service", "event"], rows.collect())
}

/// How long a service that shows no sign of life must have kept running, milliseconds of a quiet machine.
const KEPT_RUNNING_MS: u64 = 1_500;
/// The same of one that publishes ports and does not listen on all of them: it may still be on its way up, or down.
const KEPT_RUNNING_SILENT_MS: u64 = 5_000;

async fn is_up(
    sandbox: &dyn Sandbox,
    at: At<'_>,
    facts: &ContainerFacts,
    publishes: bool,
    waited_ms: u64,
) -> Result<bool, Fault> {
    if !is_well(facts, publishes) {
        return Ok(false);
    }
    let enough_ms = if facts.ports.is_empty() { KEPT_RUNNING_MS } else { KEPT_RUNNING_SILENT_MS };
    if facts.state == "exited" || facts.health.as_deref() == Some("healthy") || waited_ms >= enough_ms {
        return Ok(true);
    }
    if facts.ports.is_empty() {
        return Ok(false);
    }
    let listening = sandbox.kernel(at).await?.listening;
    Ok(facts.ports.iter().all(|port| listening.contains(&port.container)))
}

fn is_well(facts: &ContainerFacts, publishes: bool) -> bool {
    (is_done(facts) && !publishes) || (facts.is_running() && facts.restarts == 0)
}

/// Whether it has ended well, as a job does.
fn is_done(facts: &ContainerFacts) -> bool {
    // These policies leave a job alone that has ended with code 0.
    let rests = ["no", "on-failure"].contains(&facts.restart_policy.as_str());
    facts.state == "exited" && facts.exit_code == 0 && rests
}

fn is_broken(facts: &ContainerFacts, publishes: bool) -> bool {
    let ended = facts.state == "exited" && (facts.exit_code != 0 || publishes);
    ended || facts.restarts > 1 || facts.oom_killed
}

fn state(facts: &ContainerFacts) -> String {
    let mut text = facts.state.clone();
    if let Some(health) = &facts.health {
        text = format!("{text}, {health}");
    }
    if facts.state == "exited" {
        text = format!("{text} with code {}", facts.exit_code);
    }
    if facts.restarts > 0 {
        text = format!("{text}, restarted {} times", facts.restarts);
    }
    if facts.oom_killed {
        text = format!("{text}, killed for lack of memory");
    }
    text
}

crate::register!(StackStarts);
