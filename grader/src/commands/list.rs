//! `grader list`: the lessons, and how far the learner is.
//!
//! Owns: the list. Must not: load whole lessons (it has to be instant).

use std::io::Write;

use serde::Serialize;

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
}

/// Writes the list.
pub fn run(course: &Course, format: FormatName, out: &mut dyn Write) -> Result<u8, Fault> {
    let progress = Progress::open()?;
    let mut rows = Vec::new();
    for name in course.names()? {
        let best = progress.best(&name.id)?;
        let started = name.dir.file_name().is_some_and(|folder| course.workspace().join(folder).exists());
        let (points, of) = best.unzip();
        rows.push(Row { id: name.id, name: name.slug, points, of, started });
    }
    let mut write = || -> std::io::Result<()> {
        if format == FormatName::Json {
            return writeln!(out, "{}", serde_json::to_string_pretty(&rows)?);
        }
        for row in &rows {
            let state = match (row.points, row.of) {
                (Some(points), Some(of)) if points == of => format!("passed, {points} of {of} points"),
                (Some(points), Some(of)) => format!("{points} of {of} points so far"),
                _ if row.started => "started".into(),
                _ => "not started".into(),
            };
            writeln!(out, "{:<9} {:<24} {state}", row.id, row.name)?;
        }
        Ok(())
    };
    write().map_err(Fault::file("standard output"))?;
    Ok(0)
}
