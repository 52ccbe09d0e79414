//! `runs-as-non-root`: no process of a service has user id 0 on the host.
//!
//! Owns: looking at the process list twice. Must not: trust what the image says of itself.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{HttpRequest, Process};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Lists every process of the container with its user id as the host sees it, when it has
/// started and again after a request.
///
/// Why it matters: whoever breaks out of a root process is root on the host.
///
/// How it is cheated: a `USER` line that the entrypoint or Compose undoes, or a program that makes
/// itself root again, shows in the process list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunsAsNonRoot {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container.
    pub port: u16,
    /// The path of the request.
    pub path: String,
    /// The image, to show its `USER` line.
    pub image: String,
}

/// The processes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Before the request.
    pub before: Vec<Process>,
    /// After it.
    pub after: Vec<Process>,
    /// The `user` key or the `USER` line.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for RunsAsNonRoot {
    type Evidence = Evidence;
    const KIND: &'static str = "runs-as-non-root";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::image(&self.image), Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let before = sandbox.processes(at).await?;
        sandbox.http(at, &HttpRequest::get(self.port, &self.path)).await?;
        let after = sandbox.processes(at).await?;
        let named = !sandbox.model(&self.stack)["services"][&self.service]["user"].is_null();
        let location =
            if named { sandbox.locate_key(at, &["user"]) } else { sandbox.locate_instruction(&self.image, "USER") };
        Ok(Evidence { before, after, at: location })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("no process of {} is root (user id 0 on the host)", self.service);
        let all: Vec<&Process> = evidence.before.iter().chain(&evidence.after).collect();
        let rows = evidence.after.iter().map(|p| vec![p.uid.to_string(), p.command.chars().take(70).collect()]).collect();
        let table = Detail::table("processes after a request", &["user id", "command"], rows);
        let Some(root) = all.iter().find(|process| process.uid == 0) else {
            let mut uids: Vec<String> = all.iter().map(|process| process.uid.to_string()).collect();
            uids.sort();
            uids.dedup();
            return Finding::new(wanted, format!("all run as user {}", uids.join(", "))).decide(!all.is_empty());
        };
        let command: String = root.command.chars().take(60).collect();
        let mut finding = Finding::new(wanted, format!("`{command}` runs as user 0")).at(evidence.at.clone()).with(table);
        finding = match &evidence.at {
            None => finding.note("Neither the Dockerfile nor Compose names a user, so the base image's counts: root."),
            Some(_) => finding.note("The process list counts, not this line: something makes the process root when the container starts."),
        };
        Verdict::Fail(finding)
    }
}

crate::register!(RunsAsNonRoot);
