//! `survives-crash`: a service comes back by itself when its main process is killed.
//!
//! Owns: one kill and its aftermath. Must not: start the service again itself.

use std::time::Instant;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Door, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, HttpRequest};
use crate::sandbox::wait::{since, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// Kills the main process from the host with SIGKILL, as a crash or the kernel would (`docker
/// kill` counts as a wish to stop, so it is not used), and waits for an answer.
///
/// Why it matters: at night nobody is there to start it again.
///
/// How it is cheated: a loop in a shell starts the app again, but the shell is the main process, and dies.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurvivesCrash {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container.
    pub port: u16,
    /// The path that must answer again, with a status below 400.
    pub path: String,
    /// Milliseconds from the kill to the answer.
    pub within_ms: u64,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The container at the end.
    pub after: ContainerFacts,
    /// Milliseconds until it answered again, if it did.
    pub millis: Option<u64>,
    /// Where `deploy.restart_policy` stands, which overrules `restart`; else where that stands, or the service.
    pub at: Option<Location>,
    /// The last lines of its log, when it has not come back.
    #[serde(default)]
    pub log: Vec<String>,
}

#[async_trait]
impl Check for SurvivesCrash {
    type Evidence = Evidence;
    const KIND: &'static str = "survives-crash";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    fn asks_at(&self) -> Vec<Door> {
        vec![Door::of(&self.stack, &self.service, self.port)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        sandbox.ensure_running(at).await?;
        let before = sandbox.container(at).await?;
        let begun = Instant::now();
        sandbox.kill_main_process(at).await?;
        let request = HttpRequest::get(self.port, &self.path);
        // Either it answers in a new life, or it is seen to stay down.
        let settled = || async {
            let facts = sandbox.container(at).await?;
            if facts.state == "exited" {
                return Ok::<_, Fault>(Some((None, facts)));
            }
            if !facts.is_running() || facts.started_at == before.started_at {
                return Ok(None);
            }
            let answers = sandbox.http(at, &request).await?.status.is_some_and(|status| status < 400);
            Ok(answers.then(|| (Some(since(begun)), facts)))
        };
        let (millis, after) = match until(&sandbox.within(self.within_ms), settled).await? {
            Some(settled) => settled,
            None => (None, sandbox.container(at).await?),
        };
        let log = if millis.is_some() { Vec::new() } else { sandbox.log_story(at, 8).await? };
        Ok(Evidence { after, millis, at: sandbox.locate_restart(at), log })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("killed, `{}` answers again by itself within {}", self.service, millis(self.within_ms));
        let policy = &evidence.after.restart_policy;
        if let Some(taken) = evidence.millis {
            return Verdict::Pass(Finding::new(wanted, format!("back after {} (policy `{policy}`)", millis(taken))));
        }
        let (state, restarts) = (&evidence.after.state, evidence.after.restarts);
        let (measured, note) = if restarts == 0 && !evidence.after.is_running() {
            let measured =
                format!("it stays `{state}` with code {}; the restart policy is `{policy}`", evidence.after.exit_code);
            (
                measured,
                "Docker starts a container again only when its restart policy says so. 137 is 128 + 9, the signal SIGKILL.",
            )
        } else {
            let measured =
                format!("Docker has started it again (restarts: {restarts}), but it is `{state}` and does not answer");
            (
                measured,
                "The restart policy works, but the app does not come up a second time. What has its last life left behind?",
            )
        };
        let finding = Finding::new(wanted, measured).at(evidence.at.clone()).note(note);
        Verdict::Fail(if evidence.log.is_empty() {
            finding
        } else {
            finding.with(Detail::log("its last log lines", evidence.log.clone()))
        })
    }
}

crate::register!(SurvivesCrash);
