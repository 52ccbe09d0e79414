//! `memory-limit`: a service that grows without end is stopped, and its neighbour does not notice.
//!
//! Owns: growing to a limit, by ourselves or by the app's own leak. Must not: believe a number in
//! a file.

use async_trait::async_trait;
use futures_util::future::try_join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use crate::check::{Check, Door, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerEvent, ContainerFacts, HttpAnswer, HttpRequest, MemoryPressure, innermost};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Quantity, Sample, Verdict, bytes, memory, millis};

/// Grows in the container's memory cgroup until the kernel ends it. Without `leak`, a process of
/// the grader does so, and must be ended at the limit while the service itself lives on. With
/// `leak`, the app's own leaking path is asked over and over: the kernel must end the app, and
/// something must start it again. Meanwhile and afterwards the neighbour is asked.
///
/// Why it matters: without a limit one leaking service takes the memory of all others, and the
/// kernel then ends whichever process it likes.
///
/// How it is cheated: a reservation, a label, or an option of one runtime (`--max-old-space-size`)
/// does not make the kernel stop a process that is not the app. A limit that the grader has set
/// for safety does not count. An app that ends itself leaves no out-of-memory event.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryLimit {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The most memory that the limit may allow, bytes.
    pub memory_bytes: u64,
    /// A service beside it that must answer meanwhile and afterwards.
    pub neighbour: Option<Neighbour>,
    /// The app's own path that leaks; left out, a process of the grader grows.
    pub leak: Option<Leak>,
}

/// A service that must not notice.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// The service.
    pub service: String,
    /// Its port in the container.
    pub port: u16,
    /// The path that must answer with a status below 400.
    pub path: String,
}

/// A path that leaks memory on each request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leak {
    /// The port in the container.
    pub port: u16,
    /// The path, for a GET.
    pub path: String,
}

/// What happened.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The cgroup's limit, bytes, without one that the grader has set.
    pub limit: Option<u64>,
    /// How our own process fared; `None` where the app's leak was used.
    pub grown: Option<MemoryPressure>,
    /// What the daemon said while the app leaked; `None` where it was not asked to.
    pub leaked: Option<Vec<ContainerEvent>>,
    /// Whether the app answered again in another process after the kernel's word, where the container itself did
    /// not die of it.
    #[serde(default)]
    pub again_inside: bool,
    /// Bytes in use while the app leaked.
    #[serde(default)]
    pub samples: Vec<Sample>,
    /// The service before and after.
    pub service: BeforeAfter,
    /// The neighbour.
    pub neighbour: Option<NeighbourFacts>,
    /// Where the limit stands, or the service.
    pub at: Option<Location>,
}

/// A container before and after.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct BeforeAfter {
    /// When it was started, before.
    pub started_before: String,
    /// When it was started, after.
    pub started_after: String,
    /// Its state after.
    pub state: String,
}

/// How the neighbour fared.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NeighbourFacts {
    /// Requests that were answered, during and after.
    pub answered: usize,
    /// The first request that was not.
    pub failed: Option<String>,
    /// The slowest answer, milliseconds.
    pub slowest_ms: u64,
    /// Its container.
    pub container: BeforeAfter,
}

/// What came of the pressure.
#[derive(Default)]
struct Pressed {
    grown: Option<MemoryPressure>,
    leaked: Option<Vec<ContainerEvent>>,
    again_inside: bool,
    samples: Vec<Sample>,
}

impl BeforeAfter {
    fn of(before: &ContainerFacts, after: ContainerFacts) -> Self {
        Self { started_before: before.started_at.clone(), started_after: after.started_at, state: after.state }
    }

    fn fate(&self) -> String {
        if self.state == "running" { "it was started anew".into() } else { format!("it is `{}`", self.state) }
    }

    fn lives_on(&self) -> bool {
        self.state == "running" && self.started_before == self.started_after
    }
}

/// How long the neighbour may take until it listens, milliseconds.
const NEIGHBOUR_MS: u64 = 10_000;
/// How long the app may take until it answers again after its container has survived, milliseconds.
const BACK_MS: u64 = 10_000;
/// The longest that the app's leak is asked for, milliseconds.
const LEAKS_MS: u64 = 60_000;

#[async_trait]
impl Check for MemoryLimit {
    type Evidence = Evidence;
    const KIND: &'static str = "memory-limit";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    fn asks_at(&self) -> Vec<Door> {
        let leak = self.leak.iter().map(|leak| Door::of(&self.stack, &self.service, leak.port));
        let neighbour = self.neighbour.iter().map(|other| Door::of(&self.stack, &other.service, other.port));
        leak.chain(neighbour).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        sandbox.ensure_running(at).await?;
        let before = sandbox.container(at).await?;
        let limit = sandbox.kernel(at).await?.memory_max;
        let (done, is_done) = watch::channel(false);
        let pressing = async {
            let pressed = self.press(sandbox, at, limit).await;
            done.send_replace(true);
            pressed
        };
        let (pressed, neighbour) = tokio::join!(pressing, self.ask_neighbour(sandbox, is_done));
        let Pressed { grown, leaked, again_inside, samples } = pressed?;
        let service = BeforeAfter::of(&before, sandbox.container(at).await?);
        let location = sandbox.locate_limit(at, "mem_limit");
        Ok(Evidence { limit, grown, leaked, again_inside, samples, service, neighbour: neighbour?, at: location })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let mut wanted =
            format!("memory that grows without end is stopped by the kernel at {} or less", memory(self.memory_bytes));
        wanted += if self.leak.is_some() { ", and the service is started again" } else { ", and the service lives on" };
        if let Some(neighbour) = &self.neighbour {
            wanted = format!("{wanted}; `{}` answers all the while", neighbour.service);
        }
        let problem = self.problem(evidence);
        let holds = problem.is_none();
        let mut finding = Finding::new(wanted, problem.unwrap_or_else(|| self.success(evidence)));
        if !holds {
            finding = finding.at(evidence.at.clone());
            if evidence.limit.is_none() {
                finding = finding.note("Without a limit of yours the service may take all memory of the machine. Reservations, labels and options of a runtime are no limits: the kernel does not know of them.");
            }
        }
        finding = finding.with_some(self.curve(evidence));
        if let Some(events) = &evidence.leaked {
            let row = |event: &ContainerEvent| {
                let code = event.exit_code.map(|code| format!("exit code {code}")).unwrap_or_default();
                vec![millis(event.at_ms), event.action.clone(), code]
            };
            finding = finding.with(Detail::table(
                "what Docker said while it leaked",
                &["after", "event", ""],
                events.iter().map(row).collect(),
            ));
        }
        finding.decide(holds)
    }
}

impl MemoryLimit {
    /// Grows only as far as shows whether the limit holds, so that no limit does no harm.
    async fn press(&self, sandbox: &dyn Sandbox, at: At<'_>, limit: Option<u64>) -> Result<Pressed, Fault> {
        let Some(leak) = &self.leak else {
            let target = self.memory_bytes.saturating_mul(2).saturating_add(32 << 20);
            let grown = Some(sandbox.grow_memory(at, target, limit).await?);
            return Ok(Pressed { grown, ..Pressed::default() });
        };
        if limit.is_none_or(|limit| limit > self.memory_bytes) {
            return Ok(Pressed::default());
        }
        let request = HttpRequest { limit_ms: 10_000, ..HttpRequest::get(leak.port, &leak.path) };
        let (begun, watching) = oneshot::channel();
        // The curve is a picture: without it the verdict is the same.
        let watched = async { Ok(sandbox.watch_memory(at, LEAKS_MS, limit, begun).await.unwrap_or_default()) };
        let asked = async {
            // An error says that nobody looks.
            let _ = watching.await;
            sandbox.ask_until_it_dies(at, &request, LEAKS_MS).await
        };
        let before = sandbox.container(at).await?;
        let app = innermost(&sandbox.processes(at).await?, before.pid);
        let (leaked, samples) = try_join(asked, watched).await?;
        let again_inside = tells(&leaked, "oom") && !tells(&leaked, "die") && self.is_back(sandbox, at, app).await?;
        Ok(Pressed { leaked: Some(leaked), again_inside, samples, grown: None })
    }

    /// Whether the service answers again without the process `app`: a program in the container may have started
    /// it anew, or Docker the container a little later.
    async fn is_back(&self, sandbox: &dyn Sandbox, at: At<'_>, app: i64) -> Result<bool, Fault> {
        let Some(leak) = &self.leak else { return Ok(false) };
        let request = HttpRequest { limit_ms: 10_000, ..HttpRequest::get(leak.port, &leak.path) };
        let look = || async {
            let is_gone = sandbox.processes(at).await?.iter().all(|process| process.pid != app);
            let answers = is_gone && is_fine(&sandbox.http(at, &request).await?);
            Ok::<_, Fault>(answers.then_some(()))
        };
        Ok(until(&sandbox.within(BACK_MS), look).await?.is_some())
    }

    /// How the memory grew.
    fn curve(&self, evidence: &Evidence) -> Option<Detail> {
        let title = format!("memory of `{}`", self.service);
        let (samples, peak) = match &evidence.grown {
            Some(grown) => (&grown.samples, Some(grown.peak_bytes)),
            None => (&evidence.samples, None),
        };
        Detail::curve(title, Quantity::Memory, evidence.limit, peak, samples)
    }

    async fn ask_neighbour(
        &self,
        sandbox: &dyn Sandbox,
        is_done: watch::Receiver<bool>,
    ) -> Result<Option<NeighbourFacts>, Fault> {
        let Some(neighbour) = &self.neighbour else { return Ok(None) };
        let at = At { stack: &self.stack, service: &neighbour.service };
        let before = sandbox.container(at).await?;
        let request = HttpRequest { limit_ms: 10_000, ..HttpRequest::get(neighbour.port, &neighbour.path) };
        let mut facts = NeighbourFacts::default();
        sandbox.listens(at, neighbour.port, NEIGHBOUR_MS).await?;
        loop {
            // The request that is sent after the end is the last.
            let last = *is_done.borrow();
            let answer = sandbox.http(at, &request).await?;
            facts.slowest_ms = facts.slowest_ms.max(answer.millis);
            if is_fine(&answer) {
                facts.answered += 1;
            } else {
                facts.failed.get_or_insert(answer.summary());
            }
            if last || facts.failed.is_some() {
                break;
            }
        }
        facts.container = BeforeAfter::of(&before, sandbox.container(at).await?);
        Ok(Some(facts))
    }

    /// What is not as wanted, the cause before its effects.
    fn problem(&self, evidence: &Evidence) -> Option<String> {
        let Some(limit) = evidence.limit else {
            let grown =
                evidence.grown.as_ref().map(|grown| format!("; it grew to {} unhindered", bytes(grown.peak_bytes)));
            return Some(format!("the kernel knows of no limit for `{}`{}", self.service, grown.unwrap_or_default()));
        };
        if limit > self.memory_bytes {
            return Some(format!("the limit is {}", memory(limit)));
        }
        if let Some(grown) = &evidence.grown {
            if !grown.killed {
                return Some(format!("a process grew by {} and was not stopped", memory(grown.asked_bytes)));
            }
            if grown.peak_bytes > self.memory_bytes {
                return Some(format!("it was stopped only at {}", memory(grown.peak_bytes)));
            }
            if !evidence.service.lives_on() {
                return Some(format!("`{}` itself did not survive: {}", self.service, evidence.service.fate()));
            }
        }
        if let Some(problem) = evidence.leaked.as_ref().and_then(|events| self.leak_problem(events, evidence)) {
            return Some(problem);
        }
        let (name, facts) = (&self.neighbour.as_ref()?.service, evidence.neighbour.as_ref()?);
        if !facts.container.lives_on() {
            return Some(format!("the neighbour `{name}` did not live on: {}", facts.container.fate()));
        }
        facts.failed.as_ref().map(|failed| format!("the neighbour `{name}` stopped answering: {failed}"))
    }

    fn leak_problem(&self, events: &[ContainerEvent], evidence: &Evidence) -> Option<String> {
        let name = &self.service;
        let died = events.iter().position(|event| event.action == "die");
        if !tells(events, "oom") {
            let Some(died) = died else {
                return Some(format!("`{name}` leaked for {} and was not stopped", millis(LEAKS_MS)));
            };
            let code = events[died].exit_code.unwrap_or_default();
            return Some(format!(
                "`{name}` ended with code {code}, but the kernel has not stopped it for lack of memory: something else ended it first"
            ));
        }
        let is_again = match died {
            Some(died) => tells(&events[died..], "start"),
            None => evidence.again_inside,
        };
        let again = is_again && evidence.service.state == "running";
        (!again).then(|| format!("`{name}` was stopped for lack of memory, and stays down: nothing starts it again"))
    }

    fn success(&self, evidence: &Evidence) -> String {
        let mut parts = vec![match (&evidence.grown, &evidence.leaked) {
            (Some(grown), _) => format!("stopped at {}, `{}` lives on", memory(grown.peak_bytes), self.service),
            (None, Some(events)) => {
                let last = if tells(events, "die") { "die" } else { "oom" };
                let at_ms = events.iter().find(|event| event.action == last).map_or(0, |event| event.at_ms);
                format!(
                    "stopped for lack of memory after {} (limit {}), started again",
                    millis(at_ms),
                    memory(evidence.limit.unwrap_or_default())
                )
            }
            (None, None) => String::new(),
        }];
        if let (Some(neighbour), Some(facts)) = (&self.neighbour, &evidence.neighbour) {
            parts.push(format!(
                "`{}` answered {} requests, the slowest in {}",
                neighbour.service,
                facts.answered,
                millis(facts.slowest_ms)
            ));
        }
        parts.join("; ")
    }
}

fn tells(events: &[ContainerEvent], action: &str) -> bool {
    events.iter().any(|event| event.action == action)
}

fn is_fine(answer: &HttpAnswer) -> bool {
    answer.status.is_some_and(|status| status < 400)
}

crate::register!(MemoryLimit);
