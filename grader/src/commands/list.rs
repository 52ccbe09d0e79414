//! `grader list`: the lessons, and how far the learner is.
//!
//! Owns: the list. Must not: load whole lessons (it has to be instant).

use std::io::Write;

use serde::Serialize;

use super::text::day;
use crate::cli::FormatName;
use crate::course::Course;
use crate::fault::Fault;
use crate::progress::Progress;

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    points: Option<u32>,
    of: Option<u32>,
    started: bool,
    passed: Option<String>,
    gave_up: Option<String>,
}

/// Writes the list.
pub fn run(course: &Course, format: FormatName, out: &mut dyn Write) -> Result<u8, Fault> {
    let progress = Progress::open()?;
    let mut rows = Vec::new();
    for name in course.names()? {
        let summary = progress.summary(&name.id)?;
        let started = name.dir.file_name().is_some_and(|folder| course.workspace().join(folder).exists());
        let (points, of) = summary.best.unzip();
        let gave_up = progress.gave_up(&name.id)?;
        rows.push(Row { id: name.id, name: name.slug, points, of, started, passed: summary.passed, gave_up });
    }
    let mut write = || -> std::io::Result<()> {
        if format == FormatName::Json {
            return writeln!(out, "{}", serde_json::to_string_pretty(&rows)?);
        }
        for row in &rows {
            writeln!(out, "{:<9} {:<24} {}", row.id, row.name, row.state())?;
        }
        Ok(())
    };
    write().map_err(Fault::file("standard output"))?;
    Ok(0)
}

impl Row {
    fn state(&self) -> String {
        let state = match (self.points, self.of) {
            (Some(points), Some(of)) if self.passed.is_some() => format!("passed, {points} of {of} points"),
            (Some(points), Some(of)) => format!("{points} of {of} points so far"),
            _ if self.started => "started".into(),
            _ => "not started".into(),
        };
        match &self.gave_up {
            Some(at) => format!("{state}, gave up {}", day(at)),
            None => state,
        }
    }
}
