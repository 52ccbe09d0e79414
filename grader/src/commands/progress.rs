//! `grader progress`: what was tried and passed, over time.
//!
//! Owns: which view is shown. Must not: load whole lessons; the database knows what there was, also
//! of lessons that the course no longer has.

mod carry;
mod view;

use std::io::Write;

use crate::cli::{FormatName, ProgressArgs, ProgressCommand};
use crate::commands;
use crate::fault::Fault;
use crate::progress::Progress;
use crate::progress::history::changes;

/// Shows all lessons or the attempts at one, or carries progress out of or into the database.
pub fn run(args: &ProgressArgs, out: &mut dyn Write) -> Result<u8, Fault> {
    let progress = Progress::open()?;
    match (&args.command, &args.lesson) {
        (Some(ProgressCommand::Export { file }), _) => carry::export(&progress, file, out)?,
        (Some(ProgressCommand::Import { file }), _) => carry::import(&progress, file, out)?,
        (None, None) => {
            let rows = progress.lessons()?.into_iter().map(|id| view::Row::read(&progress, id));
            let mut rows = rows.collect::<Result<Vec<_>, Fault>>()?;
            rows.sort_by_key(|row| (row.number(), row.lesson.clone()));
            write(args.format.format, &serde_json::json!({ "lessons": rows }), |out| view::all(&rows, out), out)?;
        }
        (None, Some(called)) => {
            let id = known(&progress, called)?;
            let attempts = progress.attempts(&id)?;
            let changes = changes(attempts.iter().map(|(_, report)| report));
            let row = view::Row::read(&progress, id)?;
            let lines: Vec<view::Line> = attempts
                .into_iter()
                .zip(changes)
                .map(|((attempt, report), change)| view::Line::new(attempt, &report, change))
                .collect();
            let json = serde_json::json!({ "lesson": row, "attempts": lines });
            write(args.format.format, &json, |out| view::one(&row, &lines, out), out)?;
        }
    }
    Ok(0)
}

fn write(
    format: FormatName,
    json: &serde_json::Value,
    human: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    out: &mut dyn Write,
) -> Result<(), Fault> {
    let written = match format {
        FormatName::Human => human(out),
        FormatName::Json => writeln!(out, "{json:#}"),
    };
    written.map_err(Fault::file("standard output"))
}

/// The id of the lesson that was named: one of the course, or one that is only known from before.
fn known(progress: &Progress, called: &str) -> Result<String, Fault> {
    if progress.lessons()?.iter().any(|id| id == called) {
        return Ok(called.to_owned());
    }
    Ok(commands::course()?.lesson(called)?.spec.id)
}
