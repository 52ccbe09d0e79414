//! What the daemon says about a stack's containers while it comes up.
//!
//! Owns: listening beside `docker compose up`. Must not: judge the order.
//!
//! A container's own facts tell its last start only, and nothing of when it became healthy.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use jiff::Timestamp;

use super::super::facts::{StackEvent, StackReport};
use super::super::{At, Sandbox};
use super::DockerSandbox;
use crate::fault::Fault;
use crate::plan::StackPlan;

/// How long the daemon may take to tell of a start that it has already made, milliseconds.
const LATE_MS: u64 = 10_000;

impl DockerSandbox {
    /// Waits for `up`, and adds what the daemon said meanwhile to its report.
    pub(super) async fn listen_while(
        &self,
        plan: &StackPlan,
        up: impl Future<Output = Result<StackReport, Fault>>,
    ) -> Result<StackReport, Fault> {
        let project = format!("com.docker.compose.project={}", plan.project);
        let filters = HashMap::from([("label", vec![project]), ("type", vec!["container".to_owned()])]);
        // What happens before the daemon has heard the question is told, too.
        let now = Timestamp::now();
        let since = format!("{}.{:09}", now.as_second(), now.subsec_nanosecond());
        let options = EventsOptionsBuilder::default().since(&since).filters(&filters).build();
        let mut said = self.parts.client.events(Some(options)).fuse();
        let failed = || Fault::docker(format!("listening for events of the {} stack", plan.name));
        let mut events = Vec::new();
        let mut up = Box::pin(up);
        let mut report = loop {
            tokio::select! {
                report = &mut up => break report?,
                Some(message) = said.next() => events.extend(event(message.map_err(failed())?)),
                else => return Err(broken_off(plan)),
            }
        };
        let mut untold = self.begun(&report).await?;
        let rest = async {
            loop {
                let told = |service: &String| {
                    events.iter().any(|event: &StackEvent| event.service == *service && event.action == "start")
                };
                untold.retain(|service| !told(service));
                if untold.is_empty() {
                    return Ok::<(), Fault>(());
                }
                match said.next().await {
                    Some(message) => events.extend(event(message.map_err(failed())?)),
                    None => return Err(broken_off(plan)),
                }
            }
        };
        // Without them the order of the starts would be judged by half of the events.
        let action = || format!("hearing from Docker of the starts in the {} stack", plan.name);
        self.within(LATE_MS).must(action, rest).await?;
        report.events = events;
        Ok(report)
    }

    /// The services whose container has been started at least once.
    async fn begun(&self, report: &StackReport) -> Result<BTreeSet<String>, Fault> {
        let mut begun = BTreeSet::new();
        for service in &report.services {
            let facts = self.container_facts(At { stack: &report.stack, service }).await?;
            if facts.exists() && facts.state != "created" {
                begun.insert(service.clone());
            }
        }
        Ok(begun)
    }
}

fn broken_off(plan: &StackPlan) -> Fault {
    let what = format!("what Docker tells of the {} stack", plan.name);
    Fault::Unreadable { what, reason: "it broke off before all was told".into() }
}

fn event(message: EventMessage) -> Option<StackEvent> {
    let attributes = message.actor?.attributes?;
    let action = message.action?;
    // A health check is a command that is run in the container, over and over.
    if action.starts_with("exec_") {
        return None;
    }
    Some(StackEvent {
        service: attributes.get("com.docker.compose.service")?.clone(),
        exit_code: attributes.get("exitCode").filter(|_| action == "die").and_then(|code| code.parse().ok()),
        action,
        at: Timestamp::from_nanosecond(message.time_nano?.into()).ok()?,
    })
}
