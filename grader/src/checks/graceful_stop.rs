//! `graceful-stop`: on SIGTERM a service answers what is in flight and ends in time.
//!
//! Owns: one slow request and one stop. Must not: kill anything.

use std::time::Instant;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{HttpAnswer, HttpRequest, Spent};
use crate::sandbox::wait::{in_ms, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// The exit code of a process that SIGKILL ended: 128 + 9.
const KILLED: i64 = 137;

/// Sends a request that takes a while; when the kernel shows that the service has read it and has not
/// answered yet, stops the container as `docker stop` does, and waits for both.
///
/// Why it matters: a deployment must not cut off a guest who is paying.
///
/// How it is cheated: a long grace time does not help, since the time counts; dying at once
/// leaves the request without an answer; answering before the work is done leaves nothing in flight.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GracefulStop {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container.
    pub port: u16,
    /// The path of the slow request.
    pub path: String,
    /// Its JSON body.
    pub post: serde_json::Value,
    /// The wanted status of its answer.
    pub status: u16,
    /// The most milliseconds from SIGTERM to the end.
    pub within_ms: u64,
    /// The image that the learner builds for it, if so, to show the line that starts its main process.
    #[serde(default)]
    pub image: Option<String>,
}

/// How long it may take to catch a request in flight. One that ends before it is seen is sent again.
const CAUGHT_WITHIN_MS: u64 = 15_000;

/// What happened.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Whether the request had been read, and not answered, before the stop.
    pub in_flight: bool,
    /// The request's answer.
    pub answer: HttpAnswer,
    /// From SIGTERM to the end.
    pub millis: u64,
    /// The exit code.
    pub exit_code: i64,
    /// The main process.
    pub main_process: String,
    /// Where it is started.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for GracefulStop {
    type Evidence = Evidence;
    const KIND: &'static str = "graceful-stop";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        self.image.iter().map(Resource::image).chain([Resource::stack(&self.stack)]).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        sandbox.ensure_running(at).await?;
        let processes = sandbox.processes(at).await?;
        let pid = sandbox.container(at).await?.pid;
        let main_process =
            processes.into_iter().find(|process| process.pid == pid).map(|p| p.command).unwrap_or_default();
        let (in_flight, answer, spent) = stopped_in_flight(self, sandbox, at).await?;
        let exit_code = sandbox.container(at).await?.exit_code;
        let service = &sandbox.model(&self.stack)["services"][&self.service];
        let key = ["entrypoint", "command"].into_iter().find(|key| !service[*key].is_null());
        let line = |image| ["ENTRYPOINT", "CMD"].iter().find_map(|name| sandbox.locate_instruction(image, name));
        let begins = match (key, &self.image) {
            (None, Some(image)) => line(image),
            (key, _) => sandbox.locate_key(at, &[key.unwrap_or("command")]),
        };
        Ok(Evidence { in_flight, answer, millis: spent.millis, exit_code, main_process, at: begins })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!(
            "after SIGTERM the request in flight is answered with {} and the container ends by itself within {}",
            self.status,
            millis(self.within_ms)
        );
        let answered = evidence.answer.status == Some(self.status);
        let killed = evidence.exit_code == KILLED;
        let in_time = evidence.millis <= self.within_ms;
        let measured = format!(
            "{} after {} with code {}; the request: {}",
            if killed { "killed" } else { "ended" },
            millis(evidence.millis),
            evidence.exit_code,
            evidence.answer.summary()
        );
        let finding = Finding::new(wanted, measured);
        let note = if killed {
            "SIGTERM goes to PID 1 only. If that is a shell, the signal stops there; Docker then kills everything when the grace time is over."
        } else if !answered {
            "The process ended before it had answered. On SIGTERM it has to take no new requests, answer those that it has, and end then."
        } else if !in_time {
            "It ended by itself, but too late. Whatever keeps the process alive, such as open connections and timers, has to end after the last answer."
        } else if !evidence.in_flight {
            "Each request was answered before the stop could come between, so nothing was in flight. The answer must not come before the work is done."
        } else {
            return Verdict::Pass(finding);
        };
        let main = Detail::log("the main process (PID 1)", vec![evidence.main_process.clone()]);
        Verdict::Fail(finding.at(evidence.at.clone()).with(main).note(note))
    }
}

/// Stops the container while it has a request that it has read and not answered. Tells whether that
/// was so, the request's answer, and how long the stop took.
async fn stopped_in_flight(
    check: &GracefulStop,
    sandbox: &dyn Sandbox,
    at: At<'_>,
) -> Result<(bool, HttpAnswer, Spent), Fault> {
    let request = HttpRequest::post(check.port, &check.path, check.post.clone());
    let open = || async {
        let read = sandbox.kernel(at).await?.connections_read;
        Ok::<_, Fault>(read.get(&check.port).copied().unwrap_or(0))
    };
    let deadline = in_ms(CAUGHT_WITHIN_MS);
    loop {
        // Connections that others hold open must not be taken for ours.
        let before = open().await?;
        let mut answer = sandbox.http(at, &request);
        let read = until(deadline, || async { Ok::<_, Fault>((open().await? > before).then_some(())) });
        tokio::select! {
            biased;
            early = &mut answer => {
                let early = early?;
                if early.status != Some(check.status) || Instant::now() >= deadline {
                    return Ok((false, early, sandbox.stop(at).await?));
                }
            }
            seen = read => {
                let seen = seen?.is_some();
                let (answer, spent) = tokio::join!(answer, sandbox.stop(at));
                return Ok((seen, answer?, spent?));
            }
        }
    }
}

crate::register!(GracefulStop);
