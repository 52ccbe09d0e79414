//! `survives-crash`: a service comes back by itself when its processes are killed.
//!
//! Owns: kills and their aftermath. Must not: start the service again itself.

use std::time::Instant;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Door, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, HttpRequest, innermost};
use crate::sandbox::wait::{since, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// Kills the app from the host with SIGKILL, as a crash or the kernel would (`docker kill` counts as a wish to
/// stop, so it is not used), and waits for an answer. Under an init or a shell, that is first the process at the
/// end of the chain; where the container goes on without a new start, its main process is killed as well.
///
/// Why it matters: at night nobody is there to start it again.
///
/// How it is cheated: a loop in a shell starts the app again, but the shell is the main process, and dies. A
/// shell that goes on when the app has crashed ends well, and `on-failure` leaves the service down.
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
    /// The process whose end it has not survived, where that was not the main one.
    #[serde(default)]
    pub under: Option<String>,
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
        let processes = sandbox.processes(at).await?;
        let app = innermost(&processes, before.pid);
        let mut life = self.kill(sandbox, &before, app).await?;
        let is_inside = app != before.pid;
        let same_life = is_inside && life.millis.is_some() && life.after.started_at == before.started_at;
        if same_life {
            life = self.kill(sandbox, &before, before.pid).await?;
        }
        let Life { millis, after } = life;
        let app = processes.into_iter().find(|process| process.pid == app);
        let under = app.filter(|_| is_inside && !same_life && millis.is_none()).map(|process| process.name);
        let log = if millis.is_some() { Vec::new() } else { sandbox.log_story(at, 8).await? };
        Ok(Evidence { after, millis, at: sandbox.locate_restart(at), log, under })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("killed, `{}` answers again by itself within {}", self.service, millis(self.within_ms));
        let policy = &evidence.after.restart_policy;
        if let Some(taken) = evidence.millis {
            return Verdict::Pass(Finding::new(wanted, format!("back after {} (policy `{policy}`)", millis(taken))));
        }
        let (state, restarts) = (&evidence.after.state, evidence.after.restarts);
        let (measured, note) = if let Some(app) = &evidence.under {
            self.left_by_its_app(app, &evidence.after)
        } else if restarts == 0 && !evidence.after.is_running() {
            let measured =
                format!("it stays `{state}` with code {}; the restart policy is `{policy}`", evidence.after.exit_code);
            let note = "Docker starts a container again only when its restart policy says so. 137 is 128 + 9, the signal SIGKILL.";
            (measured, note)
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

/// A container after a kill.
struct Life {
    millis: Option<u64>,
    after: ContainerFacts,
}

impl SurvivesCrash {
    /// Kills a process, and waits until the service answers without it or is seen to stay down.
    async fn kill(&self, sandbox: &dyn Sandbox, before: &ContainerFacts, pid: i64) -> Result<Life, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let begun = Instant::now();
        sandbox.kill(pid).await?;
        let request = HttpRequest::get(self.port, &self.path);
        let settled = || async {
            let after = sandbox.container(at).await?;
            if after.state == "exited" {
                return Ok::<_, Fault>(Some(Life { millis: None, after }));
            }
            // What is dying may still look as if it were running.
            if !after.is_running() || (pid == before.pid && after.started_at == before.started_at) {
                return Ok(None);
            }
            let answers = sandbox.http(at, &request).await?.status.is_some_and(|status| status < 400);
            let millis = Some(since(begun));
            // The answer belongs to this life only if no other has begun meanwhile.
            let life = sandbox.container(at).await?;
            Ok((answers && life.is_running()).then_some(Life { millis, after: life }))
        };
        match until(&sandbox.within(self.within_ms), settled).await? {
            Some(life) => Ok(life),
            None => Ok(Life { millis: None, after: sandbox.container(at).await? }),
        }
    }

    /// What to say where the container has not come back from the end of a process under its main one.
    fn left_by_its_app(&self, app: &str, after: &ContainerFacts) -> (String, &'static str) {
        let policy = &after.restart_policy;
        let killed = format!("when its process `{app}` was killed");
        if after.is_running() {
            let measured = format!("{killed}, the container went on running, and `{}` does not answer", self.service);
            return (
                measured,
                "Docker looks at the container's first process only. While that one lives, no restart policy does anything.",
            );
        }
        let measured = format!(
            "{killed}, the container ended with code {} and stays `{}`; the restart policy is `{policy}`",
            after.exit_code, after.state
        );
        let note = if after.exit_code == 0 {
            "The container's first process goes on when the app has crashed, and then ends well. For `on-failure` code 0 is a good end."
        } else {
            "Docker starts a container again only when its restart policy says so."
        };
        (measured, note)
    }
}

crate::register!(SurvivesCrash);
