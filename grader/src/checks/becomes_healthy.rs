//! `becomes-healthy`: the health check says yes when the app works, and no when it does not.
//!
//! Owns: asking the learner's own health check where it must say yes and where it must say no. Must not:
//! bring one of its own.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{Exit, HealthAnswer, HealthCheck, Understudy};
use crate::sandbox::wait::{Took, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// Runs the health check's own command until it succeeds. Then the command must say no three times: before
/// every process of the container has been frozen (SIGSTOP) for five seconds, and, in a container of the same image in the app's
/// place, where nobody listens on the app's ports, and where all that is asked there gets a 503. A command
/// that succeeds there tells nothing. In the end Docker itself must not have been told otherwise: where it
/// asks within the time, it must call the container healthy, and where its interval is longer than that,
/// nothing is wrong with waiting.
///
/// Why it matters: everything that waits for this service, and whoever looks after it, believes
/// the health check.
///
/// How it is cheated: `CMD true` succeeds while the app is frozen. So does `sleep 5; true`: a frozen app's
/// health check gets more time than it took while the app worked. One that ends in `|| true`, or asks
/// without looking at the status, hangs while the app is frozen, and says yes to the 503.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BecomesHealthy {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// Milliseconds until it must be healthy.
    pub within_ms: u64,
    /// The path at which the app itself says, by a 503, that it is of no use, such as `/health`: only requests
    /// for it get one, and others are answered with 200. Left out, all get the 503.
    #[serde(default)]
    pub sick_at: Option<String>,
}

/// The most that the health check is waited for while the app works.
const ASKED_MS: u64 = 10_000;

/// The longest timeout of a health check for which a frozen app's is waited for, milliseconds: with Docker's own 30 s,
/// most checks would only be waited for. No answer is as good as a "no".
const LONGEST_MS: u64 = 3_000;

/// How long a frozen app's health check is waited for, besides that, or twice the time that it took while the app
/// worked.
const FROZEN_MS: u64 = 1_000;

/// How old a sign of life may be that a health check believes.
const BELIEVED_MS: u64 = 5_000;

/// A health check that takes longer than this is slow because the machine is; a shorter `timeout` is too short.
const FAIR_TIMEOUT_MS: u64 = 1_000;

/// What Docker has as the exit code of a health check that took too long.
const TOOK_TOO_LONG: i64 = -1;

/// What the health check said.
#[derive(Debug, Default, Serialize, Deserialize)]
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
    /// What it says where the app is not; `None` when it has not worked before.
    #[serde(default)]
    pub understudy: Option<Understudy>,
    /// How Docker asks it, and what Docker was told after all this.
    #[serde(default)]
    pub docker: HealthCheck,
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
            return Ok(Evidence { at: location, ..Evidence::default() });
        }
        let deadline = sandbox.within(self.within_ms);
        let (mut working, mut took) = (None, Took::default());
        while code(working.as_ref()) != Some(0) && !deadline.is_over()? {
            let begun = sandbox.pace().watch();
            working = sandbox.ask_health_check(at, ASKED_MS).await?;
            took = begun.took();
        }
        let working_ms = took.millis;
        // The daemon asks at the check's own interval; that time is not lost waiting for it.
        let (frozen, understudy) = if code(working.as_ref()) == Some(0) {
            // Docker believes an answer that comes within the check's timeout, and so does the grader.
            let timeout_ms = sandbox.health_check(at).await?.unwrap_or_default().timeout_ms.min(LONGEST_MS);
            let limit_ms = (FROZEN_MS + 2 * working_ms).max(timeout_ms + FROZEN_MS / 2);
            let kernel = sandbox.kernel(at).await?;
            let ports: Vec<u16> = kernel.listening.into_iter().chain(kernel.on_loopback).collect();
            // Side by side: the understudy runs none of the app's processes, and has a network of its own.
            let (understudy, frozen) = tokio::join!(
                sandbox.ask_understudy(at, &ports, self.sick_at.as_deref(), limit_ms),
                self.ask_frozen(sandbox, at, limit_ms),
            );
            (frozen?, Some(understudy?))
        } else {
            (None, None)
        };
        // What Docker heard before the app was up, or while it was frozen, is not held against it.
        let thawed = jiff::Timestamp::now();
        let told = || async {
            let mut docker = sandbox.health_check(at).await?.unwrap_or_default();
            docker.answers.retain(|answer| answer.begun >= thawed);
            Ok::<_, Fault>(docker)
        };
        // Docker's next question may be far away; what it will be told is known by now.
        let asks_soon = told().await?.interval_ms < self.within_ms && code(working.as_ref()) == Some(0);
        let healthy = || async { Ok::<_, Fault>(health().await?.filter(|health| health == "healthy")) };
        let deadline = if asks_soon { deadline } else { sandbox.within(0) };
        let mut health = until(&deadline, healthy).await?;
        if health.is_none() {
            // The daemon asks by the check's own clock, and believes no answer that takes longer than that.
            let reason = format!("the health check of `{}` was answered too late, by its own timeout", self.service);
            // No machine is quick enough for some.
            if asks_soon && took.quiet_ms <= told().await?.timeout_ms {
                deadline.took().must_be_quick(&reason)?;
            }
            health = sandbox.container(at).await?.health;
        }
        let docker = told().await?;
        let too_late = |answer: &HealthAnswer| answer.code == TOOK_TOO_LONG;
        let only_late = !docker.answers.is_empty() && docker.answers.iter().all(too_late);
        if health.as_deref() != Some("healthy") && only_late && docker.timeout_ms >= FAIR_TIMEOUT_MS {
            let action = format!(
                "waiting for the health check of `{}`: on this machine, it takes longer than its `timeout` of {} now",
                self.service,
                millis(docker.timeout_ms)
            );
            return Err(Fault::TimedOut { action, seconds: self.within_ms / 1_000 });
        }
        let (working, frozen) = (shortened(working), shortened(frozen));
        Ok(Evidence { health, working, working_ms, frozen, understudy, docker, at: location })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!(
            "`{}` becomes healthy; its health check fails while the app is frozen, gone, or answers {} with 503",
            self.service,
            self.sick_at.as_deref().unwrap_or("everything")
        );
        let Some(health) = &evidence.health else {
            let finding = Finding::new(wanted, "it has no health check").at(evidence.at.clone());
            return Verdict::Fail(finding);
        };
        let finding = match self.problem(evidence, health) {
            None => {
                let state = if health == "healthy" {
                    "healthy".to_owned()
                } else {
                    format!(
                        "it says yes (Docker asks every {}, and has it as `{health}` until then)",
                        millis(evidence.docker.interval_ms)
                    )
                };
                let frozen = said(evidence.frozen.as_ref());
                return Verdict::Pass(Finding::new(wanted, format!("{state}; while frozen: {frozen}")));
            }
            Some((measured, note)) => Finding::new(wanted, measured).at(evidence.at.clone()).note(note),
        };
        let output: Vec<String> =
            evidence.working.iter().flat_map(|exit| exit.output.lines().map(str::to_owned)).take(6).collect();
        let finding =
            if output.is_empty() { finding } else { finding.with(Detail::log("the command's output", output)) };
        let answer = |answer: &HealthAnswer| vec![answer.code.to_string(), answer.output.chars().take(160).collect()];
        let answers: Vec<_> = evidence.docker.answers.iter().map(answer).collect();
        Verdict::Fail(if answers.is_empty() || health == "healthy" {
            finding
        } else {
            finding.with(Detail::table("what Docker was told", &["exit code", "output"], answers))
        })
    }
}

impl BecomesHealthy {
    /// What the health check says while every process of the app is stopped. It may believe a sign of life, such
    /// as a file with the time, for a while.
    async fn ask_frozen(&self, sandbox: &dyn Sandbox, at: At<'_>, limit_ms: u64) -> Result<Option<Exit>, Fault> {
        sandbox.freeze(at, true).await?;
        let asked = async {
            let deadline = sandbox.within(BELIEVED_MS);
            loop {
                // A look that begins after the end is the last.
                let is_last = deadline.is_over()?;
                let exit = sandbox.ask_health_check(at, limit_ms).await?;
                if is_last || code(exit.as_ref()) != Some(0) {
                    return Ok(exit);
                }
            }
        };
        let asked = asked.await;
        sandbox.freeze(at, false).await?;
        asked
    }

    /// What is not as wanted, and what explains it.
    fn problem(&self, evidence: &Evidence, health: &str) -> Option<(String, String)> {
        let yes = |exit: Option<&Exit>| code(exit) == Some(0);
        if !yes(evidence.working.as_ref()) {
            let said = said(evidence.working.as_ref());
            return Some((
                format!("its state is `{health}`; the command, asked by hand: {said}"),
                "0 means healthy. The command runs inside of the container: its program must be there, and 127.0.0.1 is the container itself.".into(),
            ));
        }
        if yes(evidence.frozen.as_ref()) {
            return Some((
                "its health check goes on to succeed although the app is frozen".into(),
                "Every process of the app was stopped (SIGSTOP): it is there, and its port accepts connections, but it answers nobody. Only a question that the app itself must answer tells.".into(),
            ));
        }
        let understudy = evidence.understudy.as_ref();
        if yes(understudy.map(|understudy| &understudy.nobody)) {
            return Some((
                "its health check succeeds although nobody listens on the app's port".into(),
                "The command was run in a container of the same image in which the app does not run. A question that gets no answer has to end with another exit code than 0; `|| true`, or a `catch` that ends well, hides that.".into(),
            ));
        }
        if yes(understudy.map(|understudy| &understudy.sick)) {
            let path = self.sick_at.as_deref();
            return Some((
                format!("its health check succeeds although {} is answered with 503", path.unwrap_or("every request")),
                match path {
                    Some(path) => format!("A stand-in of ours answered {path} with 503, which means `of no use now`, and everything else with 200. Ask for {path}, and look at the status: without `-f`, curl ends with 0 whatever the answer is, and `fetch` fails for no status (`response.ok` tells)."),
                    None => "A stand-in of ours answered everything with 503, which means `of no use now`. Look at the status: without `-f`, curl ends with 0 whatever the answer is, and `fetch` fails for no status (`response.ok` tells).".into(),
                },
            ));
        }
        let asked = evidence.docker.answers.last();
        if health == "healthy" || asked.is_none_or(|answer| answer.code == 0) {
            return None;
        }
        let timeout = millis(evidence.docker.timeout_ms);
        Some((
            format!(
                "the command succeeds, asked by hand, in {}; but Docker has asked, too, and the state is `{health}`",
                millis(evidence.working_ms)
            ),
            format!("Docker believes no answer that takes longer than `timeout`, which is {timeout} here."),
        ))
    }
}

fn said(exit: Option<&Exit>) -> String {
    match code(exit) {
        Some(code) => format!("exit code {code}"),
        None => "no answer in time".into(),
    }
}

/// A command that writes without end is no story: its first words are kept.
fn shortened(exit: Option<Exit>) -> Option<Exit> {
    exit.map(|exit| Exit { output: exit.output.chars().take(WORDS_KEPT).collect(), ..exit })
}

/// Characters of a health check's output that are kept.
const WORDS_KEPT: usize = 4_000;

fn code(exit: Option<&Exit>) -> Option<i64> {
    exit.and_then(|exit| exit.code)
}

crate::register!(BecomesHealthy);
