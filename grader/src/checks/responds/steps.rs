//! One step of a conversation: what is asked, and what must come back.
//!
//! Owns: steps as the lesson writes them, and comparing an answer with one. Must not: send anything.

use std::collections::BTreeMap;
use std::fmt::Write;

use schemars::JsonSchema;
use serde::Deserialize;

use super::answers::Exchange;

/// One step and what must come back. It is an HTTP request (`path`, `post`, `status`), or text by
/// TCP (`say`), or a command in the container (`run`, `exit_code`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "StepFields")]
pub struct Step {
    pub(super) ask: Ask,
    /// Another service than the check's.
    pub(super) service: Option<String>,
    /// Another port than the check's.
    pub(super) port: Option<u16>,
    pub(super) holding: Option<Holding>,
    pub(super) contains: Option<String>,
    pub(super) keep: BTreeMap<String, String>,
    at_least: BTreeMap<String, f64>,
    at_most: BTreeMap<String, f64>,
}

/// Connections that are open while a step is taken.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holding {
    /// The service that they lead to.
    pub service: String,
    /// Its port in the container.
    pub port: u16,
    /// How many.
    pub connections: usize,
}

#[derive(Debug, JsonSchema)]
pub(super) enum Ask {
    Http { path: String, post: Option<serde_json::Value>, status: u16 },
    Tcp { say: String },
    Command { run: Vec<String>, exit_code: i64 },
}

/// A step as the lesson writes it: with exactly one of `path`, `say` and `run`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepFields {
    /// HTTP: the path. `{name}` stands for a value that an earlier step kept, `{tag}` for a word and `{some}` for a
    /// number that are new in every run; so in `post`, `say` and `run`. In `post`, the text `"{some}"` becomes a number.
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
    /// Another service of the stack than the check's.
    service: Option<String>,
    /// Connections that are held open to a service meanwhile, so that a number in the answer has to grow.
    holding: Option<Holding>,
    /// Numbers of a JSON answer, by their JSON pointers, that must not be smaller.
    #[serde(default)]
    at_least: BTreeMap<String, f64>,
    /// Numbers of a JSON answer, by their JSON pointers, that must not be larger.
    #[serde(default)]
    at_most: BTreeMap<String, f64>,
}

impl TryFrom<StepFields> for Step {
    type Error = String;

    fn try_from(fields: StepFields) -> Result<Self, String> {
        let StepFields { path, post, status, say, run, exit_code, port, contains, keep, .. } = fields;
        let StepFields { service, holding, at_least, at_most, .. } = fields;
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
        Ok(Self { ask, service, port, holding, contains, keep, at_least, at_most })
    }
}

impl Step {
    pub(super) fn in_words(&self) -> String {
        let mut text = self.contains.as_ref().map(|text| format!(" with `{text}`")).unwrap_or_default();
        for (pointer, most) in &self.at_most {
            let _ = write!(text, " with at most {most} at {pointer}");
        }
        for (pointer, least) in &self.at_least {
            let _ = write!(text, " with at least {least} at {pointer}");
        }
        if let Some(Holding { service, connections, .. }) = &self.holding {
            let _ = write!(text, " while `{service}` has {connections} more connections");
        }
        match &self.ask {
            Ask::Http { path, post, status } => {
                format!("{} {path} → {status}{text}", if post.is_some() { "POST" } else { "GET" })
            }
            Ask::Tcp { say } => format!("{say:?} → an answer{text}"),
            Ask::Command { run, exit_code } => format!("`{}` → exit code {exit_code}{text}", run.join(" ")),
        }
    }

    /// What was wanted of an exchange and is not there.
    pub(super) fn missing(&self, exchange: &Exchange) -> Option<String> {
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
        if let Some(text) = contains.as_ref().filter(|text| !answer.text.contains(*text)) {
            return Some(format!("`{text}` is not in the answer"));
        }
        let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let number = |pointer: &str| json.pointer(pointer).and_then(serde_json::Value::as_f64);
        let small = self.at_least.iter().find(|(pointer, least)| number(pointer).is_none_or(|found| found < **least));
        let large = self.at_most.iter().find(|(pointer, most)| number(pointer).is_none_or(|found| found > **most));
        let small = small.map(|(pointer, least)| format!("{least} or more was wanted at {pointer}"));
        let wrong = small.or_else(|| large.map(|(pointer, most)| format!("{most} or less was wanted at {pointer}")))?;
        let meanwhile = self
            .holding
            .as_ref()
            .map(|held| format!(", while the grader held {} connections to `{}` open", held.connections, held.service));
        Some(wrong + &meanwhile.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::words::fill_json;

    #[test]
    fn names_are_filled_in_within_json() {
        let kept = BTreeMap::from([("tag".to_owned(), "t7".to_owned()), ("some".to_owned(), "1234".to_owned())]);
        let body = serde_json::json!({"dish": "soup {tag}", "list": ["{tag}", 3, "{some}", "{some}."]});
        assert_eq!(
            fill_json(&body, &kept, "some"),
            serde_json::json!({"dish": "soup t7", "list": ["t7", 3, 1234, "1234."]})
        );
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
