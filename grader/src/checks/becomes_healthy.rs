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
use crate::sandbox::wait::{in_ms, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Runs the health check's own command until it succeeds; then freezes every process of the
/// container (SIGSTOP) and runs it again. A command that succeeds while the app is frozen tells
/// nothing. In the end the daemon, too, must call the container healthy.
///
/// Why it matters: everything that waits for this service, and whoever looks after it, believes
/// the health check.
///
/// How it is cheated: `CMD true` succeeds while the app is frozen.
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

/// How long a frozen app's health check is waited for. No answer is as good as a "no".
const FROZEN_MS: u64 = 1_000;

/// What the health check said.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The last health state that the daemon told.
    pub health: Option<String>,
    /// The command's end while the app works; `None` without a health check.
    pub working: Option<Exit>,
    /// The command's end while the app is frozen.
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
            return Ok(Evidence { health: None, working: None, frozen: None, at: location });
        }
        let deadline = in_ms(self.within_ms);
        let mut working = None;
        while working.as_ref().and_then(|exit: &Exit| exit.code) != Some(0) && Instant::now() < deadline {
            working = sandbox.ask_health_check(at, 10_000).await?;
        }
        // The daemon asks at the check's own interval; that time is not lost waiting for it.
        sandbox.freeze(at, true).await?;
        let frozen = sandbox.ask_health_check(at, FROZEN_MS).await;
        sandbox.freeze(at, false).await?;
        let healthy = || async { Ok::<_, Fault>(health().await?.filter(|health| health == "healthy")) };
        let health = match until(deadline, healthy).await? {
            Some(health) => Some(health),
            None => health().await?,
        };
        Ok(Evidence { health, working, frozen: frozen?, at: location })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("`{}` becomes healthy, and its health check fails while the app is frozen", self.service);
        let Some(health) = &evidence.health else {
            let finding = Finding::new(wanted, "it has no health check").at(evidence.at.clone());
            return Verdict::Fail(finding);
        };
        let code = |exit: &Option<Exit>| exit.as_ref().and_then(|exit| exit.code);
        let (works, fooled) = (code(&evidence.working) == Some(0), code(&evidence.frozen) == Some(0));
        let said = |exit: &Option<Exit>| match code(exit) {
            Some(code) => format!("exit code {code}"),
            None => "no answer in time".into(),
        };
        let measured = if health != "healthy" {
            format!("its state is `{health}`; the command: {}", said(&evidence.working))
        } else if fooled {
            "its health check succeeds although the app is frozen".into()
        } else {
            format!("healthy; while frozen: {}", said(&evidence.frozen))
        };
        let finding = Finding::new(wanted, measured);
        if health == "healthy" && works && !fooled {
            return Verdict::Pass(finding);
        }
        let output: Vec<String> = evidence.working.iter().flat_map(|exit| exit.output.lines().map(str::to_owned)).take(6).collect();
        let finding = if output.is_empty() { finding } else { finding.with(Detail::log("the command's output", output)) };
        Verdict::Fail(finding.at(evidence.at.clone()))
    }
}

crate::register!(BecomesHealthy);
