//! Lessons that were given up.
//!
//! Owns: when that was. Must not: take it back: a record that can be erased records nothing.

use rusqlite::{OptionalExtension, params};

use super::{Progress, now};
use crate::fault::Fault;

impl Progress {
    /// Keeps that a lesson was given up. The first time counts.
    pub fn give_up(&self, lesson: &str) -> Result<(), Fault> {
        let sql = "INSERT INTO give_up (lesson, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.run(|c| c.execute(sql, params![lesson, now()])).map(drop)
    }

    /// When a lesson was given up, RFC 3339.
    pub fn gave_up(&self, lesson: &str) -> Result<Option<String>, Fault> {
        self.run(|c| c.query_row("SELECT at FROM give_up WHERE lesson = ?1", [lesson], |row| row.get(0)).optional())
    }

    /// Whether a lesson's solutions may be seen: it was passed once, or given up.
    pub fn solutions_are_open(&self, lesson: &str) -> Result<bool, Fault> {
        Ok(self.summary(lesson)?.passed.is_some() || self.gave_up(lesson)?.is_some())
    }
}
