//! A container's beginning and end: made anew, run once more, watched while it dies.
//!
//! Owns: the [`Lifecycle`] of a [`DockerSandbox`]. Must not: judge.

use std::collections::HashMap;
use std::fs;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use serde_json::Value;

use super::super::facts::{ContainerEvent, ContainerFacts, HttpRequest};
use super::super::wait::{since, until};
use super::super::{At, Lifecycle, Sandbox, compose, container};
use super::DockerSandbox;
use super::images::edited;
use crate::fault::Fault;

#[async_trait]
impl Lifecycle for DockerSandbox {
    async fn files_with(&self, at: At<'_>, text: &str) -> Result<Vec<String>, Fault> {
        let facts = self.container_facts(at).await?;
        let mut paths = container::changed_paths(&self.parts.client, &self.container_name(at)?).await?;
        paths.extend(facts.mounts.into_iter().map(|mount| mount.target));
        self.probe().await?.files_with(facts.pid, text, &paths).await
    }

    async fn recreate(&self, at: At<'_>) -> Result<(), Fault> {
        let dir = self.stack_dir(at.stack)?;
        compose::recreate(at.service, &dir, &self.model_file(at.stack), &self.parts.pace).await
    }

    async fn deploy_edited(&self, at: At<'_>) -> Result<bool, Fault> {
        let file = self.model_file(at.stack);
        let text = fs::read_to_string(&file).map_err(Fault::file(&file))?;
        let mut model: Value = serde_json::from_str(&text)
            .map_err(|error| Fault::Unreadable { what: file.display().to_string(), reason: error.to_string() })?;
        let image = &mut model["services"][at.service]["image"];
        let Some(build) = self.parts.plan.builds.iter().find(|build| Some(build.reference.as_str()) == image.as_str())
        else {
            return Ok(false);
        };
        if self.rebuild(&build.name).await?.failure.is_some() {
            return Ok(false);
        }
        *image = Value::String(edited(&build.reference));
        let next = self.parts.scratch.own_file(&format!("{}.next.compose.json", at.stack));
        fs::write(&next, model.to_string()).map_err(Fault::file(&next))?;
        compose::replace(at.service, &self.stack_dir(at.stack)?, &next, &self.parts.pace).await?;
        Ok(true)
    }

    async fn run_again(&self, at: At<'_>, limit_ms: u64) -> Result<ContainerFacts, Fault> {
        let name = self.container_name(at)?;
        let before = self.container_facts(at).await?.finished_at;
        let starting = self.parts.client.start_container(&name, None).await;
        starting.map_err(Fault::docker(format!("starting {} again", at.service)))?;
        let ended = || async {
            let facts = self.container_facts(at).await?;
            Ok::<_, Fault>((!facts.is_running() && facts.finished_at != before).then_some(facts))
        };
        match until(&self.within(limit_ms), ended).await? {
            Some(facts) => Ok(facts),
            None => self.container_facts(at).await,
        }
    }

    async fn ask_until_it_dies(
        &self,
        at: At<'_>,
        request: &HttpRequest,
        limit_ms: u64,
    ) -> Result<Vec<ContainerEvent>, Fault> {
        let filters = HashMap::from([("container".to_owned(), vec![self.container_name(at)?])]);
        // From this moment on, however long it takes until the daemon listens to us.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let moment = format!("{}.{:09}", now.as_secs(), now.subsec_nanos());
        let options = EventsOptionsBuilder::default().filters(&filters).since(&moment).build();
        let mut stream = self.parts.client.events(Some(options));
        let begun = Instant::now();
        let mut events: Vec<ContainerEvent> = Vec::new();
        let listening = async {
            let mut survives = None;
            loop {
                let tells = |action: &str| events.iter().any(|event| event.action == action);
                let heard = if tells("oom") && !tells("die") {
                    // A process under the main one may have gone, and the container lives on.
                    let last = survives.get_or_insert_with(|| self.within(AFTERTHOUGHT_MS));
                    last.wait_for(stream.next()).await?.flatten()
                } else {
                    stream.next().await
                };
                let Some(message) = heard else { break };
                let message = message.map_err(Fault::docker(format!("listening for events of {}", at.service)))?;
                events.extend(event(message, since(begun)));
                if events.last().is_some_and(|event| event.action == "die") {
                    // Where nothing starts it again, there is nothing more to hear.
                    let decided = || async {
                        let facts = self.container_facts(at).await?;
                        Ok::<_, Fault>((facts.state != "restarting").then_some(facts))
                    };
                    if until(&self.within(limit_ms), decided).await?.is_some_and(|facts| !facts.is_running()) {
                        break;
                    }
                } else if is_over(&events) {
                    break;
                }
            }
            // The kernel's word comes to the daemon by another way than the end, perhaps later.
            let last = self.within(AFTERTHOUGHT_MS);
            while !events.iter().any(|event| event.action == "oom")
                && let Some(Some(Ok(message))) = last.wait_for(stream.next()).await?
            {
                events.extend(event(message, since(begun)));
            }
            Ok::<(), Fault>(())
        };
        let asking = async {
            loop {
                // Answers do not matter here, nor does a connection that breaks when it dies.
                self.request(at, request).await?;
                tokio::task::yield_now().await;
            }
        };
        let both = async {
            tokio::select! {
                heard = listening => heard,
                asked = asking => asked,
            }
        };
        if let Some(ended) = self.within(limit_ms).wait_for(both).await? {
            ended?;
        }
        Ok(events)
    }
}

/// How long the daemon is listened to after a death without an `oom`, or an `oom` without a death, milliseconds.
const AFTERTHOUGHT_MS: u64 = 2_000;

/// It has died, and was started after that.
fn is_over(events: &[ContainerEvent]) -> bool {
    let died = events.iter().position(|event| event.action == "die");
    died.is_some_and(|died| events[died..].iter().any(|event| event.action == "start"))
}

fn event(message: EventMessage, at_ms: u64) -> Option<ContainerEvent> {
    let attributes = message.actor.and_then(|actor| actor.attributes).unwrap_or_default();
    let exit_code = attributes.get("exitCode").and_then(|code| code.parse().ok());
    let action = message.action?;
    // The daemon adds the command to the names of exec events; nobody here asks for those.
    (!action.starts_with("exec_")).then_some(ContainerEvent { action, exit_code, at_ms })
}
