//! Judging recorded evidence at the limits of a kind, without Docker.
//!
//! Owns: `limits.toml` of a kind's folder. Must not: measure.
//!
//! `evidence.json` was recorded in a real run (`grader dev record`). Each case of `limits.toml`
//! puts other values into it, one unit inside or outside of a limit, and says the verdict.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use toml::de::ValueDeserializer;

use crate::check::Kind;
use crate::course::source::{CourseError, Source};
use crate::fault::Fault;
use crate::verdict::Verdict;

/// `limits.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    case: Vec<LimitCase>,
}

/// One variation of the evidence.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitCase {
    /// What it stands for.
    name: String,
    /// JSON pointers into the evidence and the values that are put there. A text that begins
    /// with `json:` is read as JSON (for `null`).
    #[serde(default)]
    set: toml::Table,
    /// Parameters that differ from those in `lesson.toml`.
    #[serde(default)]
    with: toml::Table,
    /// `pass`, `fail` or `partial`.
    verdict: String,
}

/// How one case came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The case.
    pub name: String,
    /// The verdict that it names.
    pub wanted: String,
    /// The verdict that it got.
    pub got: String,
    /// What the verdict says was measured.
    pub measured: String,
}

/// Judges every case of the kind in `dir`. A folder without `limits.toml` has none.
pub fn replay(root: &Path, dir: &Path) -> Result<Vec<Replayed>, Fault> {
    let path = dir.join("limits.toml");
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let source = Source::read(root, &path)?;
    let limits: Limits = toml::from_str(&source.text).map_err(|error| wrong(&source, &error))?;
    let (kind, parameters) = check_of(root, dir)?;
    let recorded = dir.join("evidence.json");
    let text = fs::read_to_string(&recorded).map_err(Fault::file(&recorded))?;
    let evidence: Value = serde_json::from_str(&text).map_err(|error| unreadable(&recorded, &error.to_string()))?;
    limits
        .case
        .into_iter()
        .map(|case| {
            let at = source.text.find(&case.name).unwrap_or(0);
            let fail = |message: String| Fault::from(source.error(at..at + case.name.len(), message, "in this case"));
            let mut evidence = evidence.clone();
            for (pointer, value) in &case.set {
                let place = evidence.pointer_mut(pointer);
                *place.ok_or_else(|| fail(format!("evidence.json has nothing at `{pointer}`")))? =
                    json(value).map_err(&fail)?;
            }
            let mut with = parameters.clone();
            with.extend(case.with.clone());
            let text = toml::Value::Table(with).to_string();
            let parsed = ValueDeserializer::parse(&text).and_then(kind.parse);
            let check = parsed.map_err(|error| fail(error.message().to_owned()))?;
            let verdict = check.judge_stored(&evidence).map_err(|error| fail(error.to_string()))?;
            let got = match verdict {
                Verdict::Pass(_) => "pass",
                Verdict::Partial { .. } => "partial",
                Verdict::Fail(_) => "fail",
            };
            let measured = verdict.finding().measured.clone();
            Ok(Replayed { name: case.name, wanted: case.verdict, got: got.into(), measured })
        })
        .collect()
}

/// The kind that a folder proves, and the parameters of its check: the one with the folder's name.
fn check_of(root: &Path, dir: &Path) -> Result<(&'static Kind, toml::Table), Fault> {
    #[derive(Deserialize)]
    struct Lesson {
        id: String,
        check: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        id: String,
        kind: String,
        #[serde(default)]
        with: toml::Table,
    }
    let source = Source::read(root, &dir.join("lesson.toml"))?;
    let lesson: Lesson = toml::from_str(&source.text).map_err(|error| wrong(&source, &error))?;
    let entry = lesson.check.into_iter().find(|entry| entry.id == lesson.id);
    let entry = entry.ok_or_else(|| source.error(0..0, format!("no check has the id `{}`", lesson.id), "here"))?;
    let kind = Kind::named(&entry.kind);
    let kind = kind.ok_or_else(|| source.error(0..0, format!("no kind is called `{}`", entry.kind), "here"))?;
    Ok((kind, entry.with))
}

fn json(value: &toml::Value) -> Result<Value, String> {
    match value.as_str().and_then(|text| text.strip_prefix("json:")) {
        Some(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
        None => serde_json::to_value(value).map_err(|error| error.to_string()),
    }
}

fn wrong(source: &Source, error: &toml::de::Error) -> CourseError {
    source.error(error.span().unwrap_or(0..0), error.message().to_owned(), "here")
}

fn unreadable(path: &Path, reason: &str) -> Fault {
    Fault::Unreadable { what: path.display().to_string(), reason: reason.to_owned() }
}
