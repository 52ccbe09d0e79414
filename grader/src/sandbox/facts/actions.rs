//! What was asked of, or done to, a container or its files, and what came of it.
//!
//! Owns: plain data about requests, attempts, edits and answers. Must not: have behaviour beyond small views.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sandbox::wait::Took;

/// An HTTP request of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// The port in the container.
    pub port: u16,
    /// `GET` or `POST`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// A JSON body.
    pub body: Option<serde_json::Value>,
    /// How long we wait for the whole answer, milliseconds of a quiet machine.
    pub limit_ms: u64,
}

impl HttpRequest {
    /// A `GET` with a limit of two seconds.
    #[must_use]
    pub fn get(port: u16, path: &str) -> Self {
        Self { port, method: "GET".into(), path: path.into(), body: None, limit_ms: 2_000 }
    }

    /// A `POST` with a limit of ten seconds.
    #[must_use]
    pub fn post(port: u16, path: &str, body: serde_json::Value) -> Self {
        Self { port, method: "POST".into(), path: path.into(), body: Some(body), limit_ms: 10_000 }
    }
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpAnswer {
    /// The status code, when there was an answer.
    pub status: Option<u16>,
    /// The body, all of it.
    pub body: String,
    /// Why there was none, or not all of it.
    pub error: Option<String>,
    /// From the request to the whole answer.
    pub millis: u64,
}

impl HttpAnswer {
    /// The answer in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        match (&self.status, &self.error) {
            (Some(status), _) => format!("{status} {}", self.body.chars().take(120).collect::<String>().trim()),
            (None, Some(error)) => format!("no answer: {error}"),
            (None, None) => "no answer".into(),
        }
    }
}

/// An attempt to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteAttempt {
    /// The folder.
    pub folder: String,
    /// `None` when the write succeeded, else what the operating system said.
    pub error: Option<String>,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code; `None` when it did not end within the limit.
    pub code: Option<i64>,
    /// What it wrote, all of it unless `cut` says otherwise.
    pub output: String,
    /// Whether it wrote more than is kept, or was not waited for: then what is not in the output may have
    /// been written all the same.
    #[serde(default)]
    pub cut: bool,
}

/// How a container is asked to stop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping {
    /// The signal, such as `SIGTERM`.
    pub signal: String,
    /// Its number.
    pub number: u8,
    /// How long Docker waits before it kills.
    pub grace_ms: u64,
    /// Whether the main process waits for that signal. A main process that does not never gets it.
    pub awaited: bool,
}

/// How Docker asks a container's health check, and what it was told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The time between two questions.
    pub interval_ms: u64,
    /// How long Docker waits for an answer.
    pub timeout_ms: u64,
    /// The last answers to Docker, oldest first.
    pub answers: Vec<HealthAnswer>,
}

/// One answer of a health check to Docker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthAnswer {
    /// When Docker began to ask.
    pub begun: Timestamp,
    /// The exit code; -1 where it took too long.
    pub code: i64,
    /// What it wrote.
    pub output: String,
}

/// What a health check says where the app is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Understudy {
    /// Where nobody listens on the app's ports.
    pub nobody: Exit,
    /// Where the app's ports answer 503.
    pub sick: Exit,
}

/// How long something took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Milliseconds.
    pub millis: u64,
    /// Milliseconds that a quiet machine would have needed, at the least.
    #[serde(default)]
    pub quiet_ms: u64,
    /// For a stop: when the daemon had told that it has sent the signal, milliseconds after it was asked to. The
    /// signal came before that.
    #[serde(default)]
    pub signalled_ms: Option<u64>,
}

impl Spent {
    /// The same as what may be concluded from it.
    #[must_use]
    pub fn took(self) -> Took {
        Took { millis: self.millis, quiet_ms: self.quiet_ms }
    }
}

/// An edit that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditDone {
    /// The file, relative to the exercise folder.
    pub file: String,
    /// The text that was there.
    pub before: String,
    /// The text that is there now; unique to this run.
    pub after: String,
}

/// The learner's answers to a quiz.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuizFacts {
    /// How many questions there are.
    pub questions: usize,
    /// Ids of the questions that were answered right.
    pub right: Vec<String>,
    /// Ids of those that were answered wrong.
    pub wrong: Vec<String>,
}
