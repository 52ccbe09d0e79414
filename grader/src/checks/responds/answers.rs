//! What came back in a conversation.
//!
//! Owns: answers of all three ways of asking in one shape, and how they are shown. Must not: judge them.

use serde::{Deserialize, Serialize};

use crate::sandbox::facts::{Exit, HttpAnswer};

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
    pub(super) fn summary(&self) -> String {
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
