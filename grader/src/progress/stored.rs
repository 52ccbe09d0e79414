//! What is read again out of a stored report.
//!
//! Owns: a lenient view of the report's JSON, whatever version of the grader wrote it. Must not:
//! be stricter than it needs: an old report must stay readable.

use serde::Deserialize;

/// A report, as far as progress looks into it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct StoredReport {
    /// `passed`, `failed`, `refused` or `fault`.
    #[serde(default)]
    pub result: Option<String>,
    /// Why the submission was not run.
    #[serde(default)]
    pub refusals: Vec<StoredRefusal>,
    /// Every check.
    #[serde(default)]
    pub checks: Vec<StoredCheck>,
}

/// A refusal.
#[derive(Debug, Clone, Deserialize)]
pub struct StoredRefusal {
    /// What is wrong.
    pub what: String,
}

/// A check.
#[derive(Debug, Clone, Deserialize)]
pub struct StoredCheck {
    /// Its id.
    pub id: String,
    verdict: Option<StoredVerdict>,
}

#[derive(Debug, Clone, Deserialize)]
struct StoredVerdict {
    result: String,
}

impl StoredReport {
    /// Reads a report; one that cannot be read is empty.
    #[must_use]
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

impl StoredCheck {
    /// `Some(true)` when it passed, `Some(false)` when it was judged and fell short, and nothing when
    /// it was not judged: blocked, or a fault of the machine.
    #[must_use]
    pub fn passed(&self) -> Option<bool> {
        self.verdict.as_ref().map(|verdict| verdict.result == "pass")
    }
}
