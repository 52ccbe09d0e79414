//! `graceful-stop`: on SIGTERM a service answers what is in flight and ends in time.
//!
//! Owns: one slow request and one stop. Must not: kill anything.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{HttpAnswer, HttpRequest};
use crate::sandbox::wait::{in_ms, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// The exit code of a process that SIGKILL ended: 128 + 9.
const KILLED: i64 = 137;

/// Sends a request that takes a while; when the kernel shows that the service has read it, stops
/// the container as `docker stop` does, and waits for both.
///
/// Why it matters: a deployment must not cut off a guest who is paying.
///
/// How it is cheated: a long grace time does not help, since the time counts; dying at once
/// leaves the request without an answer.
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
    /// The image, to show the line that starts its main process.
    pub image: String,
}

/// What happened.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Whether the request had been read before the stop.
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
        vec![Resource::image(&self.image), Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        sandbox.ensure_running(at).await?;
        let processes = sandbox.processes(at).await?;
        let pid = sandbox.container(at).await?.pid;
        let main_process = processes.into_iter().find(|process| process.pid == pid).map(|p| p.command).unwrap_or_default();
        let request = HttpRequest::post(self.port, &self.path, self.post.clone());
        // Connections that others hold open must not be taken for ours.
        let open_before = sandbox.kernel(at).await?.connections_read.get(&self.port).copied().unwrap_or(0);
        let (answer, stopped) = tokio::join!(sandbox.http(at, &request), async {
            let read = || async {
                let open = sandbox.kernel(at).await?.connections_read.get(&self.port).copied().unwrap_or(0);
                Ok::<_, Fault>((open > open_before).then_some(()))
            };
            let in_flight = until(in_ms(3_000), read).await?.is_some();
            Ok::<_, Fault>((in_flight, sandbox.stop(at).await?.millis))
        });
        let (in_flight, millis) = stopped?;
        let exit_code = sandbox.container(at).await?.exit_code;
        let line = ["ENTRYPOINT", "CMD"].iter().find_map(|name| sandbox.locate_instruction(&self.image, name));
        Ok(Evidence { in_flight, answer: answer?, millis, exit_code, main_process, at: line })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("after SIGTERM the payment in flight is answered with {} and the container ends by itself within {}", self.status, millis(self.within_ms));
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
        if answered && !killed && in_time {
            return Verdict::Pass(finding);
        }
        let main = Detail::log("the main process (PID 1)", vec![evidence.main_process.clone()]);
        let note = if killed {
            "SIGTERM goes to PID 1 only. If that is a shell, the signal stops there; Docker then kills everything when the grace time is over."
        } else {
            "The process ended before it had answered."
        };
        Verdict::Fail(finding.at(evidence.at.clone()).with(main).note(note))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: Option<u16>, exit_code: i64, millis: u64) -> bool {
        let check = GracefulStop {
            stack: "s".into(),
            service: "a".into(),
            port: 1,
            path: "/".into(),
            post: serde_json::Value::Null,
            status: 201,
            within_ms: 8_000,
            image: "i".into(),
        };
        let answer = HttpAnswer { status, ..HttpAnswer::default() };
        let evidence = Evidence { in_flight: true, answer, millis, exit_code, main_process: String::new(), at: None };
        matches!(check.judge(&evidence), Verdict::Pass(_))
    }

    #[test]
    fn the_limit_itself_passes_and_one_more_does_not() {
        assert!(judged(Some(201), 0, 8_000));
        assert!(!judged(Some(201), 0, 8_001));
    }

    #[test]
    fn a_kill_or_a_lost_request_fails() {
        assert!(!judged(Some(201), 137, 100));
        assert!(!judged(None, 143, 100));
        assert!(judged(Some(201), 143, 100));
    }
}

crate::register!(GracefulStop);
