//! The environment map of two stacks.
//!
//! Owns: the data of `grader compare`. Must not: lay it out.

use serde::Serialize;

use crate::checks::environment_map::Row;

/// The version of the JSON form.
pub const SCHEMA: &str = "grader-map/1";

/// One service in two stacks.
#[derive(Debug, Clone, Serialize)]
pub struct Map {
    /// The version of this form, `grader-map/1`.
    pub schema: &'static str,
    /// The lesson's id.
    pub lesson: String,
    /// The lesson's title.
    pub title: String,
    /// The service.
    pub service: String,
    /// The two stacks.
    pub stacks: [String; 2],
    /// The aspects, each with its value on either side.
    pub rows: Vec<Row>,
}

impl Map {
    /// How many aspects differ.
    #[must_use]
    pub fn differing(&self) -> usize {
        self.rows.iter().filter(|row| row.differs).count()
    }
}

#[cfg(test)]
pub mod samples {
    //! A map for tests of the layouts.

    use super::*;
    use crate::checks::environment_map::Aspect;

    /// Three lines: one that differs, one that does not, and a long one.
    #[must_use]
    pub fn map() -> Map {
        let row = |aspect, name, left: &str, right: &str| Row {
            aspect,
            name,
            values: [left.into(), right.into()],
            differs: left != right,
        };
        let long = format!("json-file {} compress=true & <more>", "a-very-long-option-without-any-space".repeat(12));
        Map {
            schema: SCHEMA,
            lesson: "lesson36".into(),
            title: "Docker in dev vs prod".into(),
            service: "payments".into(),
            stacks: ["dev".into(), "prod".into()],
            rows: vec![
                row(Aspect::User, "user ids", "0", "1000"),
                row(Aspect::Restart, "restart policy", "no", "no"),
                row(Aspect::Log, "log", "json-file", &long),
            ],
        }
    }
}
