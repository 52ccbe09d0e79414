//! Progress as one JSON document: written, and merged into a database.
//!
//! Owns: the document and its version. Must not: touch the database; `export` reads it and `merge`
//! changes it.
//!
//! What is stored as JSON (reports, answers) is carried as it is, letter by letter.

mod export;
mod merge;
mod valid;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use merge::{Merged, Refused};

/// The version of the document. It changes whenever a field is added, changed or taken away,
/// because a grader that does not know a field would lose it.
pub const SCHEMA: &str = "grader-progress/1";

/// Everything that a database holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: String,
    /// When it was written, RFC 3339.
    pub exported: String,
    /// All attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// How many hints of a check were read.
    pub hints_read: Vec<HintsRead>,
    /// Hints that somebody asked for.
    pub hints_asked: Vec<HintAsked>,
    /// The last answer to each question.
    pub answers: Vec<Answer>,
    /// Lessons that were given up.
    pub give_ups: Vec<GiveUp>,
}

/// One attempt.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    uid: String,
    lesson: String,
    at: String,
    points: u32,
    of: u32,
    result: String,
    failed: Vec<String>,
    files: Option<String>,
    report: Box<RawValue>,
}

/// The hints of one check that were read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HintsRead {
    lesson: String,
    check: String,
    shown: u32,
}

/// One hint that was asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HintAsked {
    uid: String,
    lesson: String,
    check: String,
    at: String,
}

/// The answer to a question.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    lesson: String,
    question: String,
    at: String,
    stored: Box<RawValue>,
}

/// A lesson that was given up.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GiveUp {
    lesson: String,
    at: String,
}

/// Stored text as a part of the document. Text that is no JSON becomes a JSON string.
fn carried(text: &str) -> Box<RawValue> {
    let is_string = text.trim_start().starts_with('"');
    let as_it_is = (!is_string).then(|| RawValue::from_string(text.to_owned()).ok()).flatten();
    as_it_is.or_else(|| serde_json::value::to_raw_value(text).ok()).unwrap_or_default()
}

/// The stored text that [`carried`] was made from.
fn brought(value: &RawValue) -> String {
    serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

#[cfg(test)]
mod tests;
