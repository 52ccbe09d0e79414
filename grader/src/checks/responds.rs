//! `responds`: a service answers a conversation by HTTP, TCP or a command as wanted.
//!
//! Owns: sending requests in order and comparing answers. Must not: know what the app is for.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Door, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, Exit, HttpAnswer, HttpRequest};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, memory};

/// Sends requests to a published port (HTTP, or text by TCP), or runs commands in the container, one
/// after another. The conversation is repeated until all of it is as wanted or the time is up, so
/// that a service may take a moment to come up.
///
/// Why it matters: a container that runs is not yet a service that works.
///
/// How it is cheated: a fixed answer fails where a value that the service gave out in one step has to
/// come back in a later one, or where `{tag}`, a word that is new in every run, is put in and asked for.
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

/// One step and what must come back. It is an HTTP request (`path`, `post`, `status`), or text by
/// TCP (`say`), or a command in the container (`run`, `exit_code`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "StepFields")]
pub struct Step {
    ask: Ask,
    /// Another port than the check's.
    port: Option<u16>,
    contains: Option<String>,
    keep: BTreeMap<String, String>,
}

#[derive(Debug, JsonSchema)]
enum Ask {
    Http { path: String, post: Option<serde_json::Value>, status: u16 },
    Tcp { say: String },
    Command { run: Vec<String>, exit_code: i64 },
}

/// A step as the lesson writes it: with exactly one of `path`, `say` and `run`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepFields {
    /// HTTP: the path. `{name}` stands for a value that an earlier step kept, `{tag}` for a word that
    /// is new in every run; so in `post`, `say` and `run`.
    path: Option<String>,
    /// HTTP: a JSON body; the request is a POST then, else a GET.
    post: Option<serde_json::Value>,
    /// HTTP: the wanted status code.
    status: Option<u16>,
    /// TCP: the text that is sent, such as `"PING\r\n"`. What comes back until the service closes the
    /// connection or falls silent counts.
    say: Option<String>,
    /// Command: its words, run in the container as `docker exec` does, for at most ten seconds.
    run: Option<Vec<String>>,
    /// Command: the wanted exit code; 0 when left out.
    exit_code: Option<i64>,
    /// HTTP and TCP: another port in the container than the check's.
    port: Option<u16>,
    /// Text that must be in the answer (body, bytes, or output). `{planted}` stands for the planted
    /// secret's fingerprint, `{name}` for a value that an earlier step kept, `{tag}` for this run's word.
    contains: Option<String>,
    /// Names for values of a JSON answer, by their JSON pointers; the pointer `""` keeps the whole
    /// answer without space around it, whatever it is.
    #[serde(default)]
    keep: BTreeMap<String, String>,
}

impl TryFrom<StepFields> for Step {
    type Error = String;

    fn try_from(fields: StepFields) -> Result<Self, String> {
        let StepFields { path, post, status, say, run, exit_code, port, contains, keep } = fields;
        let (http, command) = (post.is_some() || status.is_some(), exit_code.is_some());
        let ask = match (path, say, run) {
            (Some(path), None, None) if !command => {
                let status = status.ok_or("a step with `path` needs `status`, the wanted status code")?;
                Ask::Http { path, post, status }
            }
            (None, Some(say), None) if !http && !command => Ask::Tcp { say },
            (None, None, Some(run)) if !http && !run.is_empty() => {
                Ask::Command { run, exit_code: exit_code.unwrap_or(0) }
            }
            _ => {
                return Err("a step is `path` with `status` (and `post`), or `say`, or `run` (with `exit_code`)".into());
            }
        };
        Ok(Self { ask, port, contains, keep })
    }
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

/// One request with its answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// `POST /payments`, or the text that was sent, or the command.
    pub request: String,
    /// The answer.
    pub answer: Answer,
    /// The text that must be in it, with all names filled in.
    pub contains: Option<String>,
}

/// What came back.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Answer {
    /// The status or exit code, where there is one.
    pub code: Option<i64>,
    /// The body, the bytes, or the output.
    pub text: String,
    /// Why there was no answer.
    pub error: Option<String>,
    /// Whether it is a command's.
    #[serde(default)]
    pub of_command: bool,
}

#[async_trait]
impl Check for Responds {
    type Evidence = Evidence;
    const KIND: &'static str = "responds";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    fn asks_at(&self) -> Vec<Door> {
        let port = |step: &Step| match step.ask {
            Ask::Command { .. } => None,
            _ => step.port.or(self.port),
        };
        self.steps.iter().filter_map(port).map(|port| Door::of(&self.stack, &self.service, port)).collect()
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
        let mut kept = BTreeMap::from([("planted".to_owned(), planted), ("tag".to_owned(), sandbox.tag())]);
        let mut exchanges = Vec::new();
        for step in &self.steps {
            let (request, answer) = self.ask(sandbox, at, step, &kept).await?;
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
                    Some(body) => HttpRequest::post(port()?, &path, filled(body, kept)),
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

/// How long after an answer that did not come an end is waited for that the daemon has not told yet.
const END_TOLD_WITHIN_MS: u64 = 300;

/// The most that a command may take, milliseconds.
const COMMAND_MS: u64 = 60_000;

impl From<HttpAnswer> for Answer {
    fn from(answer: HttpAnswer) -> Self {
        Self { code: answer.status.map(i64::from), text: answer.body, error: answer.error, of_command: false }
    }
}

impl From<Option<Vec<u8>>> for Answer {
    fn from(heard: Option<Vec<u8>>) -> Self {
        match heard {
            Some(bytes) => Self { text: String::from_utf8_lossy(&bytes).into_owned(), ..Self::default() },
            None => Self { error: Some("nobody answers there".into()), ..Self::default() },
        }
    }
}

impl From<Exit> for Answer {
    fn from(exit: Exit) -> Self {
        let error = match exit.code {
            None => Some("it did not end in time".to_owned()),
            Some(_) if exit.cut => Some("it printed more than the grader keeps".to_owned()),
            Some(_) => None,
        };
        Self { code: exit.code, text: exit.output, error, of_command: true }
    }
}

impl Answer {
    /// The answer in one line.
    fn summary(&self) -> String {
        let start = shortened(self.text.trim());
        match (self.code, &self.error) {
            (_, Some(error)) => format!("no answer: {error} {start}").trim_end().to_owned(),
            (Some(code), None) if self.of_command => {
                let printed = if start.is_empty() { "nothing".to_owned() } else { format!("{start:?}") };
                format!("exit code {code}, printed {printed}")
            }
            (Some(code), None) => format!("{code} {start}").trim_end().to_owned(),
            (None, None) => format!("{start:?}"),
        }
    }
}

/// The beginning of a text, with a sign where it goes on.
fn shortened(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    if start.len() < text.len() { format!("{start} ...") } else { start }
}

/// Letters of an answer that are shown in a line.
const SHOWN: usize = 160;

impl Step {
    fn in_words(&self) -> String {
        let text = self.contains.as_ref().map(|text| format!(" with `{text}`")).unwrap_or_default();
        match &self.ask {
            Ask::Http { path, post, status } => {
                format!("{} {path} → {status}{text}", if post.is_some() { "POST" } else { "GET" })
            }
            Ask::Tcp { say } => format!("{say:?} → an answer{text}"),
            Ask::Command { run, exit_code } => format!("`{}` → exit code {exit_code}{text}", run.join(" ")),
        }
    }

    /// What was wanted of an exchange and is not there.
    fn missing(&self, exchange: &Exchange) -> Option<String> {
        let Exchange { answer, contains, .. } = exchange;
        match &self.ask {
            Ask::Http { status, .. } if answer.code != Some(i64::from(*status)) => {
                return Some(format!("status {status} was wanted"));
            }
            Ask::Command { exit_code, .. } if answer.code != Some(*exit_code) => {
                return Some(format!("exit code {exit_code} was wanted"));
            }
            Ask::Tcp { .. } if answer.error.is_some() => return Some("an answer was wanted".into()),
            _ => {}
        }
        let text = contains.as_ref()?;
        (!answer.text.contains(text)).then(|| format!("`{text}` is not in the answer"))
    }
}

fn fill(text: &str, kept: &BTreeMap<String, String>) -> String {
    kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// The same within JSON: texts are filled in, everything else stays as it is.
fn filled(value: &serde_json::Value, kept: &BTreeMap<String, String>) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(fill(text, kept)),
        Value::Array(list) => list.iter().map(|one| filled(one, kept)).collect(),
        Value::Object(map) => map.iter().map(|(key, one)| (key.clone(), filled(one, kept))).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_within_json() {
        let kept = BTreeMap::from([("tag".to_owned(), "t7".to_owned())]);
        let body = serde_json::json!({"dish": "soup {tag}", "list": ["{tag}", 3]});
        assert_eq!(filled(&body, &kept), serde_json::json!({"dish": "soup t7", "list": ["t7", 3]}));
    }

    fn step(text: &str) -> Result<Step, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_step_is_one_thing() {
        assert!(step("path = '/'\nstatus = 200").is_ok());
        assert!(step("say = 'PING'").is_ok());
        assert!(step("run = ['true']\nexit_code = 1").is_ok());
        for wrong in
            ["path = '/'\nsay = ''\nstatus = 200", "say = ''\nstatus = 200", "run = []", "exit_code = 0", "path = '/'"]
        {
            let message = step(wrong).expect_err(wrong);
            assert!(message.contains("a step "), "{message}");
        }
    }
}

crate::register!(Responds);
