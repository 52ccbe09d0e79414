//! `survives-crash`: a service comes back by itself when its main process is killed.
//!
//! Owns: one kill and its aftermath. Must not: start the service again itself.

use std::time::Instant;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, HttpRequest};
use crate::sandbox::wait::{in_ms, since, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Finding, Location, Verdict, millis};

/// Kills the main process from the host with SIGKILL, as a crash or the kernel would (`docker
/// kill` counts as a wish to stop, so it is not used), and waits for an answer.
///
/// Why it matters: at night nobody is there to start it again.
///
/// How it is cheated: it cannot be; something has to start it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurvivesCrash {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container.
    pub port: u16,
    /// The path that must answer again.
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
    /// Where `restart` stands, or the service.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for SurvivesCrash {
    type Evidence = Evidence;
    const KIND: &'static str = "survives-crash";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
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
            let answers = sandbox.http(at, &request).await?.status == Some(200);
            Ok(answers.then(|| (Some(since(begun)), facts)))
        };
        let (millis, after) = match until(in_ms(self.within_ms), settled).await? {
            Some(settled) => settled,
            None => (None, sandbox.container(at).await?),
        };
        Ok(Evidence { after, millis, at: sandbox.locate_key(at, &["restart"]) })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("killed, `{}` answers again by itself within {}", self.service, millis(self.within_ms));
        let policy = &evidence.after.restart_policy;
        if let Some(taken) = evidence.millis { Verdict::Pass(Finding::new(wanted, format!("back after {} (policy `{policy}`)", millis(taken)))) } else {
            let measured = format!("it stays `{}` with code {}; the restart policy is `{policy}`", evidence.after.state, evidence.after.exit_code);
            Verdict::Fail(Finding::new(wanted, measured).at(evidence.at.clone()))
        }
    }
}

crate::register!(SurvivesCrash);
