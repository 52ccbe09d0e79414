//! The book's page on the report's JSON form.
//!
//! Owns: making the page out of the types, so that it cannot say anything else than they do. Must
//! not: be edited in the book; the words that go around the schema are in `reference/page.md`.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;

use super::{NotRun, Report};
use crate::fault::Fault;

/// Where the page is, from the course's folder.
const PAGE: &str = "book/src/reference/report.md";

const WORDS: &str = include_str!("reference/page.md");

/// What `grader check --format json` writes: one of these.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Document {
    /// The report of a run.
    Report(Report),
    /// What stands in its place when nothing could be run at all.
    NotRun(NotRun),
}

/// The JSON Schema of what `grader check --format json` writes.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}

/// The text of the page.
#[must_use]
pub fn page() -> String {
    WORDS.replace("{{schema}}", &format!("{:#}", schema().to_value()))
}

/// Writes the page into the book of the course at `root`.
pub fn write(root: &Path) -> Result<PathBuf, Fault> {
    let path = root.join(PAGE);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Fault::file(folder))?;
    }
    std::fs::write(&path, page()).map_err(Fault::file(&path))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_books_page_is_what_the_types_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE);
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(there == page(), "{PAGE} is not up to date: run `grader dev reference`");
    }

    #[test]
    fn every_field_of_the_schema_is_described() {
        let schema = schema().to_value();
        let mut undescribed = Vec::new();
        look(&schema, "", &mut undescribed);
        assert_eq!(undescribed, Vec::<String>::new());
    }

    /// Collects the properties without a description. A fixed word (`const`) describes itself.
    fn look(value: &serde_json::Value, path: &str, undescribed: &mut Vec<String>) {
        if let Some(fields) = value.get("properties").and_then(|fields| fields.as_object()) {
            for (name, field) in fields {
                if field.get("description").is_none() && field.get("const").is_none() {
                    undescribed.push(format!("{path}/{name}"));
                }
            }
        }
        match value {
            serde_json::Value::Object(map) => {
                for (name, value) in map {
                    look(value, &format!("{path}/{name}"), undescribed);
                }
            }
            serde_json::Value::Array(list) => list.iter().for_each(|value| look(value, path, undescribed)),
            _ => {}
        }
    }
}
