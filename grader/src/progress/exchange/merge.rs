//! Merges a document into a database.
//!
//! Owns: what happens when both know something. Must not: change anything unless all of it fits.
//!
//! The result does not depend on the order of imports, and importing twice changes nothing:
//! attempts and hints that were asked for are joined by their ids, of two counts of hints the
//! larger stays, of two times of giving up the earlier, and of two answers the right one, else the
//! later.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;

use super::super::Progress;
use super::{Answer, Attempt, Document, brought, valid};
use crate::fault::Fault;

/// What a merge has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Attempts that are new here.
    pub attempts: usize,
    /// Attempts that were here already.
    pub known: usize,
    /// Other things that are new here, or newer: hints, answers, lessons given up.
    pub others: usize,
}

/// Why a document was refused.
#[derive(Debug)]
pub enum Refused {
    /// The document is not one of ours, or damaged: a sentence.
    Document(String),
    /// The database did not take it.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl Progress {
    /// Merges the text of a document into the database: all of it, or nothing. The inner error is a
    /// sentence that says what is wrong with the document.
    pub fn import(&self, text: &str) -> Result<Result<Merged, String>, Fault> {
        let document = match valid::read(text) {
            Ok(document) => document,
            Err(reason) => return Ok(Err(reason)),
        };
        match self.change(|c| merge(c, &document)) {
            Ok(merged) => Ok(Ok(merged)),
            Err(Refused::Document(reason)) => Ok(Err(reason)),
            Err(Refused::Database(error)) => Err(self.fault()(error)),
        }
    }
}

fn merge(c: &Connection, document: &Document) -> Result<Merged, Refused> {
    let mut merged = Merged::default();
    for attempt in &document.attempts {
        if insert(c, attempt)? { merged.attempts += 1 } else { merged.known += 1 }
    }
    for read in &document.hints_read {
        let sql = "INSERT INTO hint (lesson, check_id, shown) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET shown = excluded.shown WHERE excluded.shown > shown";
        merged.others += c.execute(sql, params![read.lesson, read.check, read.shown])?;
    }
    for asked in &document.hints_asked {
        let sql = "INSERT INTO hint_asked (uid, lesson, check_id, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        merged.others += c.execute(sql, params![asked.uid, asked.lesson, asked.check, asked.at])?;
    }
    for answer in &document.answers {
        merged.others += usize::from(take_answer(c, answer)?);
    }
    for give_up in &document.give_ups {
        let sql = "INSERT INTO give_up (lesson, at) VALUES (?1, ?2)
            ON CONFLICT DO UPDATE SET at = excluded.at WHERE excluded.at < at";
        merged.others += c.execute(sql, params![give_up.lesson, give_up.at])?;
    }
    Ok(merged)
}

/// Adds an attempt, unless it is here. One that has the id of another is no copy of ours.
fn insert(c: &Connection, attempt: &Attempt) -> Result<bool, Refused> {
    let report = brought(&attempt.report);
    let sql = "SELECT lesson, at, points, of, report FROM attempt WHERE uid = ?1";
    let here = c.query_row(sql, [&attempt.uid], |row| {
        let (lesson, at): (String, String) = (row.get(0)?, row.get(1)?);
        let (points, of): (u32, u32) = (row.get(2)?, row.get(3)?);
        let same = (lesson, at, points, of) == (attempt.lesson.clone(), attempt.at.clone(), attempt.points, attempt.of);
        Ok(same && row.get::<_, String>(4)? == report)
    });
    match here.optional()? {
        Some(true) => return Ok(false),
        Some(false) => {
            return Err(Refused::Document(format!(
                "its attempt {} is here with other contents: one of the two was changed",
                attempt.uid
            )));
        }
        None => {}
    }
    let sql = "INSERT INTO attempt (uid, lesson, at, points, of, result, failed, files, report)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let Attempt { uid, lesson, at, points, of, result, files, .. } = attempt;
    c.execute(sql, params![uid, lesson, at, points, of, result, attempt.failed.join(" "), files, report])?;
    Ok(true)
}

/// Takes an answer that is better than the one that is here.
fn take_answer(c: &Connection, answer: &Answer) -> Result<bool, Refused> {
    let stored = brought(&answer.stored);
    let sql = "SELECT stored, at FROM answer WHERE lesson = ?1 AND question = ?2";
    let here: Option<(String, String)> =
        c.query_row(sql, params![answer.lesson, answer.question], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    // The text itself decides between two of the same moment, so that all orders end the same.
    let rank = |stored: &str, at: &str| (is_right(stored), at.to_owned(), stored.to_owned());
    if here.is_some_and(|(here, at)| rank(&here, &at) >= rank(&stored, &answer.at)) {
        return Ok(false);
    }
    let sql = "INSERT INTO answer (lesson, question, stored, at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET stored = excluded.stored, at = excluded.at";
    c.execute(sql, params![answer.lesson, answer.question, stored, answer.at])?;
    Ok(true)
}

fn is_right(stored: &str) -> bool {
    #[derive(Deserialize)]
    struct Judged {
        right: bool,
    }
    serde_json::from_str::<Judged>(stored).is_ok_and(|judged| judged.right)
}
