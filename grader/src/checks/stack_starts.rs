//! `stack-starts`: every service of a stack comes up and stays up.
//!
//! Owns: the opening check of stacks. Must not: talk to the services.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, StackEvent, StackReport};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

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
    /// Milliseconds of a quiet machine from the end of `docker compose up` until all are well.
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
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// What Compose said.
    pub report: StackReport,
    /// Each service's container at the end.
    pub containers: BTreeMap<String, ContainerFacts>,
    /// Services that publish ports, by the model: they are no jobs.
    #[serde(default)]
    pub publishing: BTreeSet<String>,
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
        let mut publishing = report.services.iter().cloned().collect::<BTreeSet<_>>();
        publishing.retain(|name| model["services"][name]["ports"].as_array().is_some_and(|ports| !ports.is_empty()));
        let mut containers = BTreeMap::new();
        for service in &report.services {
            let at = At { stack: &self.stack, service };
            let publishes = publishing.contains(service);
            let settled = || async {
                let facts = sandbox.container(at).await?;
                let over = is_broken(&facts, publishes)
                    || is_up(sandbox, at, &facts, publishes, begun.took().quiet_ms).await?;
                Ok::<_, Fault>(over.then_some(facts))
            };
            // Where Compose gave up there is nothing to wait for.
            let deadline = sandbox.within(if report.failure.is_some() { 0 } else { self.within_ms });
            let facts = match until(&deadline, settled).await? {
                Some(facts) => facts,
                None => sandbox.container(at).await?,
            };
            containers.insert(service.clone(), facts);
        }
        let unwell = unwell(&containers, &publishing);
        let (mut log, mut at) = (Vec::new(), None);
        if let Some((service, _)) = unwell {
            let place = At { stack: &self.stack, service };
            log = if containers[service].exists() { sandbox.log_tail(place, 12).await? } else { Vec::new() };
            at = sandbox.locate_key(place, &[]);
        }
        if let (None, Some((_, second))) = (unwell, self.out_of_order(&report, &containers)) {
            at = sandbox.locate_key(At { stack: &self.stack, service: second }, &["depends_on"]);
        }
        Ok(Evidence { report, containers, publishing, log, at })
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
        let rows = evidence.containers.iter().map(|(name, facts)| vec![name.clone(), state(facts)]).collect();
        let table = Detail::table("services", &["service", "state"], rows);
        let unwell = unwell(&evidence.containers, &evidence.publishing);
        match (unwell, &evidence.report.failure) {
            (None, None) => {
                if let Some((problem, _)) = self.out_of_order(&evidence.report, &evidence.containers) {
                    let finding = Finding::new(wanted, problem).at(evidence.at.clone());
                    return Verdict::Fail(finding.with(table).with(events(&evidence.report)));
                }
                let measured =
                    format!("{} services up in {}", evidence.containers.len(), millis(evidence.report.millis));
                Verdict::Pass(Finding::new(wanted, measured).with(table))
            }
            (unwell, failure) => {
                let measured = unwell.map_or_else(
                    || "Compose gave up".to_owned(),
                    |(name, facts)| format!("`{name}` is {}", state(facts)),
                );
                let mut finding = Finding::new(wanted, measured).at(evidence.at.clone()).with(table);
                if unwell.is_some_and(|(_, facts)| is_done(facts)) {
                    finding = finding.note(
                        "A container lives as long as its main process. A service that publishes a port has to stay: \
                         start its program in the foreground, not in the background.",
                    );
                }
                if let Some(lines) = failure {
                    finding = finding.with(Detail::log("docker compose up said", lines.clone()));
                }
                if !evidence.log.is_empty() {
                    finding = finding.with(Detail::log("its last log lines", evidence.log.clone()));
                }
                Verdict::Fail(finding)
            }
        }
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

/// The service to blame: one that is not well. Where others were never started because somebody is
/// unhealthy, it is that one.
fn unwell<'c>(
    containers: &'c BTreeMap<String, ContainerFacts>,
    publishing: &BTreeSet<String>,
) -> Option<(&'c String, &'c ContainerFacts)> {
    let first = containers.iter().find(|(name, facts)| !is_well(facts, publishing.contains(*name)))?;
    let unhealthy = containers.iter().find(|(_, facts)| facts.health.as_deref() == Some("unhealthy"));
    Some(if first.1.state == "created" { unhealthy.unwrap_or(first) } else { first })
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
