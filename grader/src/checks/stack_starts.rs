//! `stack-starts`: every service of a stack comes up and stays up.
//!
//! Owns: the opening check of stacks. Must not: talk to the services.

use std::collections::BTreeMap;
use std::time::Instant;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, StackReport};
use crate::sandbox::wait::{in_ms, since, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// Starts the stack and waits until each service is up: it is healthy, or listens on the ports
/// that it publishes, or has just kept running for a while. Services that end by themselves with
/// code 0 (jobs) count as done. Whether a health check tells the truth is another check's matter.
///
/// Why it matters: a stack that does not come up by one command is not a stack.
///
/// How it is cheated: a service that only sleeps comes up too; the checks that talk to it tell.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StackStarts {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// Services that must be among its services.
    pub services: Vec<String>,
    /// Milliseconds from the end of `docker compose up` until all are well.
    #[serde(default = "default_limit")]
    pub within_ms: u64,
}

fn default_limit() -> u64 {
    20_000
}

impl StackStarts {
    /// The check of a stack that must have one service, with the usual time limit.
    pub fn with_service(stack: &str, service: &str) -> Self {
        Self { stack: stack.to_owned(), services: vec![service.to_owned()], within_ms: default_limit() }
    }
}

/// How the stack came up.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// What Compose said.
    pub report: StackReport,
    /// Each service's container at the end.
    pub containers: BTreeMap<String, ContainerFacts>,
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
        let begun = Instant::now();
        let mut containers = BTreeMap::new();
        for service in &report.services {
            let at = At { stack: &self.stack, service };
            let settled = || async {
                let facts = sandbox.container(at).await?;
                let over = is_broken(&facts) || is_up(sandbox, at, &facts, since(begun)).await?;
                Ok::<_, Fault>(over.then_some(facts))
            };
            // Where Compose gave up there is nothing to wait for.
            let deadline = in_ms(if report.failure.is_some() { 0 } else { self.within_ms });
            let facts = match until(deadline, settled).await? {
                Some(facts) => facts,
                None => sandbox.container(at).await?,
            };
            containers.insert(service.clone(), facts);
        }
        let unwell = containers.iter().find(|(_, facts)| !is_well(facts));
        let (mut log, mut at) = (Vec::new(), None);
        if let Some((service, _)) = unwell {
            let place = At { stack: &self.stack, service };
            log = if containers[service].exists() { sandbox.log_tail(place, 12).await? } else { Vec::new() };
            at = sandbox.locate_key(place, &[]);
        }
        Ok(Evidence { report, containers, log, at })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("the services {} come up and stay up", self.services.join(" and "));
        if let Some(missing) = self.services.iter().find(|service| !evidence.report.services.contains(service)) {
            let there = evidence.report.services.join(", ");
            return Verdict::Fail(Finding::new(wanted, format!("there is no service called `{missing}`, only {there}")));
        }
        let rows = evidence.containers.iter().map(|(name, facts)| vec![name.clone(), state(facts)]).collect();
        let table = Detail::table("services", &["service", "state"], rows);
        let unwell = evidence.containers.iter().find(|(_, facts)| !is_well(facts));
        match (unwell, &evidence.report.failure) {
            (None, None) => {
                let measured = format!("{} services up in {}", evidence.containers.len(), millis(evidence.report.millis));
                Verdict::Pass(Finding::new(wanted, measured).with(table))
            }
            (unwell, failure) => {
                let measured = unwell.map_or_else(
                    || "Compose gave up".to_owned(),
                    |(name, facts)| format!("`{name}` is {}", state(facts)),
                );
                let mut finding = Finding::new(wanted, measured).at(evidence.at.clone()).with(table);
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

/// How long a service that shows no sign of life must have kept running.
const KEPT_RUNNING_MS: u64 = 1_500;

async fn is_up(sandbox: &dyn Sandbox, at: At<'_>, facts: &ContainerFacts, waited_ms: u64) -> Result<bool, Fault> {
    if !is_well(facts) {
        return Ok(false);
    }
    if facts.state == "exited" || facts.health.as_deref() == Some("healthy") || waited_ms >= KEPT_RUNNING_MS {
        return Ok(true);
    }
    if facts.ports.is_empty() {
        return Ok(false);
    }
    let listening = sandbox.kernel(at).await?.listening;
    Ok(facts.ports.iter().all(|port| listening.contains(&port.container)))
}

fn is_well(facts: &ContainerFacts) -> bool {
    let done = facts.state == "exited" && facts.exit_code == 0 && facts.restart_policy == "no";
    done || (facts.is_running() && facts.restarts == 0)
}

fn is_broken(facts: &ContainerFacts) -> bool {
    let ended = facts.state == "exited" && facts.exit_code != 0;
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
