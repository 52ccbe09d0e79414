//! `responds`: a service answers a conversation of HTTP requests as wanted.
//!
//! Owns: sending requests in order and comparing answers. Must not: know what the app is for.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{HttpAnswer, HttpRequest};
use crate::sandbox::wait::{in_ms, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Verdict};

/// Sends requests to a published port, one after another. The conversation is repeated until all
/// of it is as wanted or the time is up, so that a service may take a moment to come up.
///
/// Why it matters: a container that runs is not yet a service that works.
///
/// How it is cheated: a fixed answer fails, because a value that the service gave out in one
/// step has to come back in a later one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Responds {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container.
    pub port: u16,
    /// Milliseconds until the whole conversation must have worked.
    #[serde(default = "default_limit")]
    pub within_ms: u64,
    /// The requests.
    pub steps: Vec<Step>,
}

/// One request and what must come back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The path. `{name}` stands for a value that an earlier step kept.
    pub path: String,
    /// A JSON body: the request is a POST then.
    #[serde(default)]
    pub post: Option<serde_json::Value>,
    /// The wanted status code.
    pub status: u16,
    /// Text that must be in the body. `{planted}` stands for the planted secret's fingerprint.
    #[serde(default)]
    pub contains: Option<String>,
    /// Names for values of a JSON answer, by their JSON pointers.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
}

fn default_limit() -> u64 {
    10_000
}

/// The last conversation.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Each request in one line, with its answer and what was missing in it.
    pub exchanges: Vec<Exchange>,
    /// The service's last log lines, when something was missing.
    pub log: Vec<String>,
}

/// One request with its answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// `POST /payments`.
    pub request: String,
    /// The answer.
    pub answer: HttpAnswer,
    /// What was wanted and not there.
    pub missing: Option<String>,
}

#[async_trait]
impl Check for Responds {
    type Evidence = Evidence;
    const KIND: &'static str = "responds";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let talk = || async {
            let exchanges = self.converse(sandbox, at).await?;
            let done = exchanges.len() == self.steps.len() && exchanges.iter().all(|exchange| exchange.missing.is_none());
            Ok::<_, Fault>(done.then_some(exchanges))
        };
        if let Some(exchanges) = until(in_ms(self.within_ms), talk).await? {
            return Ok(Evidence { exchanges, log: Vec::new() });
        }
        Ok(Evidence { exchanges: self.converse(sandbox, at).await?, log: sandbox.log_tail(at, 12).await? })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let steps: Vec<String> = self.steps.iter().map(|step| format!("{} → {}", step.name(), step.status)).collect();
        let wanted = format!("{} answers {}", self.service, steps.join(", then "));
        let Some(wrong) = evidence.exchanges.iter().find(|exchange| exchange.missing.is_some()) else {
            let all: Vec<String> = evidence.exchanges.iter().map(|e| format!("{} → {}", e.request, e.answer.summary())).collect();
            return Verdict::Pass(Finding::new(wanted, all.join("; ")));
        };
        let missing = wrong.missing.as_deref().unwrap_or_default();
        let mut finding = Finding::new(wanted, format!("{}: {missing}. It said: {}", wrong.request, wrong.answer.summary()));
        if !evidence.log.is_empty() {
            finding = finding.with(Detail::log(format!("the last log lines of {}", self.service), evidence.log.clone()));
        }
        Verdict::Fail(finding)
    }
}

impl Responds {
    async fn converse(&self, sandbox: &dyn Sandbox, at: At<'_>) -> Result<Vec<Exchange>, Fault> {
        let mut kept = BTreeMap::from([("planted".to_owned(), sandbox.planted_fingerprint().unwrap_or_default())]);
        let mut exchanges = Vec::new();
        for step in &self.steps {
            let path = fill(&step.path, &kept);
            let request = step.post.as_ref().map_or_else(
                || HttpRequest::get(self.port, &path),
                |body| HttpRequest::post(self.port, &path, body.clone()),
            );
            let answer = sandbox.http(at, &request).await?;
            let missing = step.missing(&answer, &kept);
            let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
            for (name, pointer) in &step.keep {
                let value = json.pointer(pointer).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
                kept.insert(name.clone(), value.unwrap_or_default());
            }
            let over = missing.is_some();
            exchanges.push(Exchange { request: format!("{} {path}", request.method), answer, missing });
            if over {
                break;
            }
        }
        Ok(exchanges)
    }
}

impl Step {
    fn name(&self) -> String {
        format!("{} {}", if self.post.is_some() { "POST" } else { "GET" }, self.path)
    }

    fn missing(&self, answer: &HttpAnswer, kept: &BTreeMap<String, String>) -> Option<String> {
        if answer.status != Some(self.status) {
            return Some(format!("status {} was wanted", self.status));
        }
        let text = fill(self.contains.as_deref()?, kept);
        (!answer.body.contains(&text)).then(|| format!("`{text}` is not in the answer"))
    }
}

fn fill(text: &str, kept: &BTreeMap<String, String>) -> String {
    kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

crate::register!(Responds);
