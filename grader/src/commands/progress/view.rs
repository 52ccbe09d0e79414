//! Progress as text and JSON.
//!
//! Owns: the layout, which fits 79 columns. Must not: read the course.

use std::io::{self, Write};

use comfy_table::{Table, presets};
use serde::Serialize;

use super::super::text::{day, minute, plural, wrapped};
use crate::fault::Fault;
use crate::progress::Progress;
use crate::progress::attempts::Attempt;
use crate::progress::history::Change;
use crate::progress::stored::StoredReport;
use crate::report::terminal::plain;

/// A lesson, in short. Times are RFC 3339.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The lesson's id.
    pub lesson: String,
    best: Option<u32>,
    of: Option<u32>,
    attempts: u32,
    first: Option<String>,
    last: Option<String>,
    passed: Option<String>,
    hints_read: u32,
    hints_asked: u32,
    gave_up: Option<String>,
}

/// An attempt, with what it changed.
#[derive(Debug, Serialize)]
pub struct Line {
    uid: String,
    at: String,
    points: u32,
    of: u32,
    result: String,
    refused: Vec<String>,
    newly_passed: Vec<String>,
    broke: Vec<String>,
}

impl Row {
    /// Reads what is known of a lesson.
    pub fn read(progress: &Progress, lesson: String) -> Result<Self, Fault> {
        let summary = progress.summary(&lesson)?;
        let hints = progress.hints_read(&lesson)?;
        let (best, of) = summary.best.unzip();
        Ok(Self {
            best,
            of,
            attempts: summary.attempts,
            first: summary.first,
            last: summary.last,
            passed: summary.passed,
            hints_read: hints.shown,
            hints_asked: hints.asked,
            gave_up: progress.gave_up(&lesson)?,
            lesson,
        })
    }

    /// The lesson's number, for the order.
    pub fn number(&self) -> u32 {
        self.lesson.trim_start_matches("lesson").parse().unwrap_or(u32::MAX)
    }

    fn best(&self) -> String {
        self.best.zip(self.of).map_or_else(|| "-".into(), |(points, of)| format!("{points}/{of}"))
    }
}

impl Line {
    /// A line of an attempt.
    pub fn new(attempt: Attempt, report: &StoredReport, change: Change) -> Self {
        Self {
            uid: attempt.uid,
            at: attempt.at,
            points: attempt.points,
            of: attempt.of,
            result: attempt.result,
            refused: report.refusals.iter().map(|refusal| plain(&refusal.what)).collect(),
            newly_passed: change.newly_passed,
            broke: change.broke,
        }
    }

    fn words(&self, is_first: bool) -> Vec<(&'static str, String)> {
        let mut words = Vec::new();
        match self.result.as_str() {
            "refused" => words.push(("refused: ", self.refused.join("; "))),
            "fault" => words.push(("", "the machine kept some checks from being measured".into())),
            _ => {}
        }
        if is_first && !self.newly_passed.is_empty() {
            let count = self.newly_passed.len();
            words.push(("", format!("{count} check{} passed at the first try", plural(count))));
        } else if !self.newly_passed.is_empty() {
            words.push(("now passes: ", self.newly_passed.join(", ")));
        }
        if !self.broke.is_empty() {
            words.push(("broke: ", self.broke.join(", ")));
        }
        if words.is_empty() {
            words.push(("", "no check changed".into()));
        }
        words
    }
}

/// Writes one line for each lesson.
pub fn all(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "Nothing yet. `grader list` shows the lessons, `grader start LESSON` begins one.");
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["lesson", "best", "tries", "first", "last", "passed", "hints", "gave up"]);
    let date = |at: &Option<String>| at.as_deref().map_or_else(|| "-".into(), day);
    for row in rows {
        let hints = row.hints_read.to_string();
        table.add_row([
            row.lesson.clone(),
            row.best(),
            row.attempts.to_string(),
            date(&row.first),
            date(&row.last),
            date(&row.passed),
            hints,
            date(&row.gave_up),
        ]);
    }
    for line in table.to_string().lines() {
        writeln!(out, "{}", line.trim())?;
    }
    writeln!(out, "\nThe attempts at one lesson: grader progress {}", rows[0].lesson)
}

/// Writes one lesson with its attempts.
pub fn one(row: &Row, lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        writeln!(out, "{}: no attempt yet", row.lesson)?;
    } else {
        let count = lines.len();
        writeln!(out, "{}: best {} points, {count} attempt{}", row.lesson, row.best(), plural(count))?;
    }
    if let Some(at) = &row.passed {
        writeln!(out, "passed on {}", day(at))?;
    }
    if let Some(at) = &row.gave_up {
        writeln!(out, "gave up on {}", day(at))?;
    }
    if row.hints_read > 0 {
        let asked =
            if row.hints_asked > 0 { format!(", {} of them asked for", row.hints_asked) } else { String::new() };
        writeln!(out, "read {} hint{}{asked}", row.hints_read, plural(row.hints_read as usize))?;
    }
    if !lines.is_empty() {
        writeln!(out)?;
    }
    for (index, line) in lines.iter().enumerate() {
        let mut head = format!("{}  {:>7}  ", minute(&line.at), format!("{}/{}", line.points, line.of));
        for (label, text) in line.words(index == 0) {
            writeln!(out, "{}", wrapped(&format!("{head}{label}"), &text))?;
            head = " ".repeat(head.chars().count());
        }
    }
    Ok(())
}
