//! `responds`: a service answers a conversation by HTTP, TCP or a command as wanted.
//!
//! Owns: sending requests in order and comparing answers. Must not: know what the app is for.

mod answers;
mod steps;

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::words::{fill, fill_json};
use crate::check::{Check, Door, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, HttpRequest};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, memory};
use answers::{Answer, Exchange};
use steps::{Ask, Step};

/// Sends requests to a published port (HTTP, or text by TCP), or runs commands in the container, one
/// after another. The conversation is repeated until all of it is as wanted or the time is up, so
/// that a service may take a moment to come up.
///
/// Why it matters: a container that runs is not yet a service that works.
///
/// How it is cheated: a fixed answer fails where a value that the service gave out in one step has to
/// come back in a later one, or where `{tag}` or `{some}`, a word and a number that are new in every run, are put in
/// and asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Responds {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container, for steps that go by HTTP or TCP.
    #[serde(default)]
    pub port: Option<u16>,
    /// Milliseconds until the whole conversation must have worked. It is begun anew until it does, so
    /// a step may be taken several times.
    #[serde(default = "default_limit")]
    pub within_ms: u64,
    /// Whether it is held once only: for steps that must not be taken again, or whose first failure is
    /// the one that tells.
    #[serde(default)]
    pub once: bool,
    /// How often it is held: a service that dies of the tenth request does not work. It must come to work each
    /// time, and the container must live on all the while.
    #[serde(default = "once")]
    pub times: u32,
    /// The requests.
    pub steps: Vec<Step>,
}

fn once() -> u32 {
    1
}

fn default_limit() -> u64 {
    10_000
}

/// The last conversation.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Each step in one line, with its answer, up to the first that was not as wanted.
    pub exchanges: Vec<Exchange>,
    /// Which time of the conversation that was, from 1.
    #[serde(default = "once")]
    pub time: u32,
    /// How the container ended meanwhile, if it did.
    #[serde(default)]
    pub ended: Option<Ended>,
    /// The service's last log lines, when something was missing.
    pub log: Vec<String>,
}

/// The end of a container that was to live on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ended {
    /// The exit code.
    pub code: i64,
    /// The memory limit that the learner has given it, bytes.
    pub memory: Option<u64>,
    /// Whether the kernel ended it for lack of memory.
    pub for_memory: bool,
    /// Where the limit stands, or the service.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for Responds {
    type Evidence = Evidence;
    const KIND: &'static str = "responds";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    fn asks_at(&self) -> Vec<Door> {
        let asked = |step: &Step| match step.ask {
            Ask::Command { .. } => None,
            _ => Some(Door::of(&self.stack, self.service_of(step), step.port.or(self.port)?)),
        };
        let held = |step: &Step| step.holding.as_ref().map(|held| Door::of(&self.stack, &held.service, held.port));
        self.steps.iter().flat_map(|step| [asked(step), held(step)]).flatten().collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let talk = || async {
            let exchanges = self.converse(sandbox, at).await?;
            Ok::<_, Fault>(self.first_wrong(&exchanges).is_none().then_some(exchanges))
        };
        if self.once
            && let Some(port) = self.port
        {
            // A question that is asked once only must not come before there is somebody to hear it.
            sandbox.listens(at, port, self.within_ms).await?;
        }
        let mut evidence = Evidence { exchanges: Vec::new(), time: 1, ended: None, log: Vec::new() };
        let before = sandbox.container(at).await?;
        if !self.once
            && let Some(exchanges) = until(&sandbox.within(self.within_ms), &talk).await?
        {
            evidence.exchanges = exchanges;
            while evidence.time < self.times && self.first_wrong(&evidence.exchanges).is_none() {
                let at_once = talk().await?;
                let is_retried = at_once.is_none();
                evidence.exchanges = match at_once {
                    Some(exchanges) => exchanges,
                    None => match until(&sandbox.within(self.within_ms), &talk).await? {
                        Some(exchanges) => exchanges,
                        None => self.converse(sandbox, at).await?,
                    },
                };
                evidence.time += 1;
                // One that was started again in between would go on answering, after a time in which it did not.
                if is_retried && sandbox.container(at).await?.started_at != before.started_at {
                    break;
                }
            }
            evidence.ended = self.ended(sandbox, &before, &evidence.exchanges).await?;
            if evidence.ended.is_none() && self.first_wrong(&evidence.exchanges).is_none() {
                return Ok(evidence);
            }
        } else {
            evidence.exchanges = self.converse(sandbox, at).await?;
            evidence.ended = self.ended(sandbox, &before, &evidence.exchanges).await?;
        }
        evidence.log =
            if sandbox.container(at).await?.exists() { sandbox.log_story(at, 12).await? } else { Vec::new() };
        Ok(evidence)
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let steps: Vec<String> = self.steps.iter().map(Step::in_words).collect();
        let often = if self.times > 1 { format!(", {} times, and lives on", self.times) } else { String::new() };
        let wanted = format!("{} answers {}{often}", self.service, steps.join(", then "));
        if let (Some(ended), true) = (&evidence.ended, self.times > 1) {
            return Verdict::Fail(self.did_not_live_on(wanted, ended, evidence));
        }
        let Some((wrong, missing)) = self.first_wrong(&evidence.exchanges) else {
            let all: Vec<String> =
                evidence.exchanges.iter().map(|e| format!("{} → {}", e.request, e.answer.summary())).collect();
            return Verdict::Pass(Finding::new(wanted, all.join("; ")));
        };
        let mut measured = match wrong {
            Some(wrong) => format!("{}: {missing}. It said: {}", wrong.request, wrong.answer.summary()),
            None => missing,
        };
        if evidence.time > 1 {
            measured = format!("{} times as wanted, and then {measured}", evidence.time - 1);
        }
        let mut finding = Finding::new(wanted, measured);
        if !evidence.log.is_empty() {
            finding =
                finding.with(Detail::log(format!("the last log lines of {}", self.service), evidence.log.clone()));
        }
        Verdict::Fail(finding)
    }
}

impl Responds {
    fn service_of<'a>(&'a self, step: &'a Step) -> &'a str {
        step.service.as_deref().unwrap_or(&self.service)
    }

    /// How the container ended since `before`, where it was to live on.
    async fn ended(
        &self,
        sandbox: &dyn Sandbox,
        before: &ContainerFacts,
        exchanges: &[Exchange],
    ) -> Result<Option<Ended>, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        // The daemon learns of an end a moment after the answer has not come.
        let noticed = || async {
            let now = sandbox.container(at).await?;
            let same = now.is_running() && now.started_at == before.started_at;
            Ok::<_, Fault>((!same).then_some(now))
        };
        if self.times == 1 {
            return Ok(None);
        }
        let patience_ms = if self.first_wrong(exchanges).is_some() { END_TOLD_WITHIN_MS } else { 0 };
        let Some(now) = until(&sandbox.within(patience_ms), noticed).await? else { return Ok(None) };
        let for_memory = now.oom_killed || (now.exit_code == KILLED && now.memory.is_some());
        let at = if for_memory { sandbox.locate_limit(at, "mem_limit") } else { sandbox.locate_key(at, &["command"]) };
        Ok(Some(Ended { code: now.exit_code, memory: now.memory, for_memory, at }))
    }

    fn did_not_live_on(&self, wanted: String, ended: &Ended, evidence: &Evidence) -> Finding {
        let why = match (ended.for_memory, ended.memory) {
            (true, Some(limit)) => format!("the kernel ended it for lack of memory, at its limit of {}", memory(limit)),
            (true, None) => "the kernel ended it for lack of memory".into(),
            _ => format!("it ended with code {}", ended.code),
        };
        let measured =
            format!("`{}` did not live through the work: after {} times, {why}", self.service, evidence.time);
        let finding = Finding::new(wanted, measured).at(ended.at.clone());
        if evidence.log.is_empty() {
            finding
        } else {
            finding.with(Detail::log(format!("the last log lines of {}", self.service), evidence.log.clone()))
        }
    }

    /// The first step that did not go as wanted (none when it was not even taken), and what was missing.
    fn first_wrong<'e>(&self, exchanges: &'e [Exchange]) -> Option<(Option<&'e Exchange>, String)> {
        self.steps.iter().enumerate().find_map(|(index, step)| match exchanges.get(index) {
            Some(exchange) => Some((Some(exchange), step.missing(exchange)?)),
            None => Some((None, format!("{} was not asked", step.in_words()))),
        })
    }

    async fn converse(&self, sandbox: &dyn Sandbox, at: At<'_>) -> Result<Vec<Exchange>, Fault> {
        let planted = sandbox.planted_fingerprint().unwrap_or_default();
        let tag = sandbox.tag();
        let mut kept = BTreeMap::from([("planted".to_owned(), planted), ("some".to_owned(), some(&tag).to_string())]);
        kept.insert("tag".to_owned(), tag);
        let mut exchanges = Vec::new();
        for step in &self.steps {
            let at = At { service: self.service_of(step), ..at };
            let held = match &step.holding {
                Some(held) => {
                    let to = At { service: &held.service, ..at };
                    sandbox.hold_connections(to, held.port, held.connections).await?
                }
                None => Vec::new(),
            };
            let (request, answer) = self.ask(sandbox, at, step, &kept).await?;
            drop(held);
            let contains = step.contains.as_ref().map(|text| fill(text, &kept));
            let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap_or_default();
            for (name, pointer) in &step.keep {
                let found = json.pointer(pointer).filter(|_| !pointer.is_empty());
                let value = found.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
                let whole = || if pointer.is_empty() { answer.text.trim().to_owned() } else { String::new() };
                kept.insert(name.clone(), value.unwrap_or_else(whole));
            }
            let exchange = Exchange { request, answer, contains };
            let over = step.missing(&exchange).is_some();
            exchanges.push(exchange);
            if over {
                break;
            }
        }
        Ok(exchanges)
    }

    /// One step: its request in one line, and the answer.
    async fn ask(
        &self,
        sandbox: &dyn Sandbox,
        at: At<'_>,
        step: &Step,
        kept: &BTreeMap<String, String>,
    ) -> Result<(String, Answer), Fault> {
        let port = || {
            step.port.or(self.port).ok_or_else(|| Fault::Unreadable {
                what: format!("the port of {}", self.service),
                reason: "the lesson names none in this check".into(),
            })
        };
        match &step.ask {
            Ask::Http { path, post, .. } => {
                let path = fill(path, kept);
                let request = match post {
                    Some(body) => HttpRequest::post(port()?, &path, fill_json(body, kept, "some")),
                    None => HttpRequest::get(port()?, &path),
                };
                let answer = sandbox.http(at, &request).await?;
                Ok((format!("{} {path}", request.method), answer.into()))
            }
            Ask::Tcp { say } => {
                let say = fill(say, kept);
                let heard = sandbox.connect(at, port()?, say.as_bytes()).await?;
                Ok((format!("{:?} to port {}", say, port()?), heard.into()))
            }
            Ask::Command { run, .. } => {
                let run: Vec<String> = run.iter().map(|word| fill(word, kept)).collect();
                if !sandbox.container(at).await?.is_running() {
                    let error = Some("the container does not run".into());
                    return Ok((run.join(" "), Answer { error, ..Answer::default() }));
                }
                let exit = sandbox.run_in(at, &run, COMMAND_MS).await?;
                Ok((run.join(" "), exit.into()))
            }
        }
    }
}

/// The exit code of a process that SIGKILL ended.
const KILLED: i64 = 137;

/// A number that is another one in most runs, from 1,000 to 9,999.
fn some(tag: &str) -> u32 {
    let mixed = tag.bytes().fold(0_u32, |mixed, byte| mixed.wrapping_mul(31).wrapping_add(u32::from(byte)));
    1_000 + mixed % 9_000
}

/// How long after an answer that did not come an end is waited for that the daemon has not told yet.
const END_TOLD_WITHIN_MS: u64 = 300;

/// The most that a command may take, milliseconds.
const COMMAND_MS: u64 = 60_000;

crate::register!(Responds);
