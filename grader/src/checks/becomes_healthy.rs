//! `becomes-healthy`: the health check says yes when the app works, and no when it does not.
//!
//! Owns: asking the learner's own health check twice. Must not: bring one of its own.

use std::time::Instant;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::Exit;
use crate::sandbox::wait::{since, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// Runs the health check's own command until it succeeds; then freezes every process of the
/// container (SIGSTOP) and runs it again. A command that succeeds while the app is frozen tells
/// nothing. In the end the daemon, too, must call the container healthy.
///
/// Why it matters: everything that waits for this service, and whoever looks after it, believes
/// the health check.
///
/// How it is cheated: `CMD true` succeeds while the app is frozen. So does `sleep 5; true`: a frozen app's
/// health check gets more time than it took while the app worked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BecomesHealthy {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// Milliseconds until it must be healthy.
    pub within_ms: u64,
}

/// The most that the health check is waited for while the app works.
const ASKED_MS: u64 = 10_000;

/// How long a frozen app's health check is waited for, besides twice the time that it took while the app
/// worked. No answer is as good as a "no".
const FROZEN_MS: u64 = 1_000;

/// What the health check said.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The last health state that the daemon told.
    pub health: Option<String>,
    /// The command's end while the app works; `None` without a health check.
    pub working: Option<Exit>,
    /// How long that took.
    #[serde(default)]
    pub working_ms: u64,
    /// The command's end while the app is frozen; `None` when it has not worked before.
    pub frozen: Option<Exit>,
    /// Where the health check stands, or the service.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for BecomesHealthy {
    type Evidence = Evidence;
    const KIND: &'static str = "becomes-healthy";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        sandbox.ensure_running(at).await?;
        let location = sandbox.locate_key(at, &["healthcheck"]);
        let health = || async { Ok::<_, Fault>(sandbox.container(at).await?.health) };
        if health().await?.is_none() {
            return Ok(Evidence { health: None, working: None, working_ms: 0, frozen: None, at: location });
        }
        let deadline = sandbox.within(self.within_ms);
        let (mut working, mut working_ms) = (None, 0);
        while code(working.as_ref()) != Some(0) && !deadline.is_over()? {
            let begun = Instant::now();
            working = sandbox.ask_health_check(at, ASKED_MS).await?;
            working_ms = since(begun);
        }
        // The daemon asks at the check's own interval; that time is not lost waiting for it.
        let frozen = if code(working.as_ref()) == Some(0) {
            sandbox.freeze(at, true).await?;
            let frozen = sandbox.ask_health_check(at, FROZEN_MS + 2 * working_ms).await;
            sandbox.freeze(at, false).await?;
            frozen?
        } else {
            None
        };
        let healthy = || async { Ok::<_, Fault>(health().await?.filter(|health| health == "healthy")) };
        let health = match until(&deadline, healthy).await? {
            Some(health) => Some(health),
            None => {
                // The daemon asks by the check's own clock, and believes no answer that takes longer than that.
                let reason =
                    format!("the health check of `{}` was answered too late, by its own timeout", self.service);
                if code(working.as_ref()) == Some(0) {
                    deadline.took().must_be_quick(&reason)?;
                }
                health().await?
            }
        };
        Ok(Evidence { health, working, working_ms, frozen, at: location })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("`{}` becomes healthy, and its health check fails while the app is frozen", self.service);
        let Some(health) = &evidence.health else {
            let finding = Finding::new(wanted, "it has no health check").at(evidence.at.clone());
            return Verdict::Fail(finding);
        };
        let (works, fooled) = (code(evidence.working.as_ref()) == Some(0), code(evidence.frozen.as_ref()) == Some(0));
        let said = |exit: &Option<Exit>| match code(exit.as_ref()) {
            Some(code) => format!("exit code {code}"),
            None => "no answer in time".into(),
        };
        let (measured, note) = if !works {
            let measured = format!("its state is `{health}`; the command, asked by hand: {}", said(&evidence.working));
            (
                measured,
                "0 means healthy. The command runs inside of the container: its program must be there, and 127.0.0.1 is the container itself.",
            )
        } else if fooled {
            let measured = "its health check succeeds although the app is frozen".to_owned();
            (
                measured,
                "Every process of the app was stopped (SIGSTOP): it is there, and its port accepts connections, but it answers nobody. Only a question that the app itself must answer tells.",
            )
        } else if health == "healthy" {
            return Verdict::Pass(Finding::new(wanted, format!("healthy; while frozen: {}", said(&evidence.frozen))));
        } else {
            let measured =
                format!("the command succeeds, but after {} the state is still `{health}`", millis(self.within_ms));
            (
                measured,
                "Docker asks first when `interval` is over, 30 s if nothing else is said, and believes no answer that takes longer than `timeout`.",
            )
        };
        let output: Vec<String> =
            evidence.working.iter().flat_map(|exit| exit.output.lines().map(str::to_owned)).take(6).collect();
        let finding = Finding::new(wanted, measured).at(evidence.at.clone()).note(note);
        Verdict::Fail(if output.is_empty() {
            finding
        } else {
            finding.with(Detail::log("the command's output", output))
        })
    }
}

fn code(exit: Option<&Exit>) -> Option<i64> {
    exit.and_then(|exit| exit.code)
}

crate::register!(BecomesHealthy);
