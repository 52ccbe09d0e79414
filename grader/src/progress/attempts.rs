//! Attempts: what each run has found.
//!
//! Owns: keeping reports, and what is known of a lesson from them. Must not: forget one.

use rusqlite::{OptionalExtension, Row, params};

use super::stored::StoredReport;
use super::{Progress, now, uid};
use crate::fault::Fault;
use crate::report::Report;

/// One attempt at a lesson, without its report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its id, the same wherever the database is carried to.
    pub uid: String,
    /// When it ended, RFC 3339.
    pub at: String,
    /// Points earned.
    pub points: u32,
    /// Points that could be earned then.
    pub of: u32,
    /// `passed`, `failed`, `refused` or `fault`.
    pub result: String,
    /// Ids of the checks that failed or passed only in part.
    pub failed: Vec<String>,
}

/// What all attempts at a lesson come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many attempts there are, those that were refused or met a fault among them.
    pub attempts: u32,
    /// When the first one ended, RFC 3339.
    pub first: Option<String>,
    /// When the last one ended.
    pub last: Option<String>,
    /// The best one's points, and those that could be earned then.
    pub best: Option<(u32, u32)>,
    /// When full points were earned for the first time.
    pub passed: Option<String>,
}

const COLUMNS: &str = "uid, at, points, of, result, failed";

impl Progress {
    /// Keeps a report, with the digest of the files that it is about. Gives the attempt's id.
    pub fn keep(&self, report: &Report, files: &str) -> Result<String, Fault> {
        let uid = uid::random()?;
        let failed = report.failed_ids().join(" ");
        let unreadable = |error: serde_json::Error| Fault::Unreadable {
            what: format!("the report of {}", report.lesson),
            reason: error.to_string(),
        };
        let stored = serde_json::to_string(report).map_err(unreadable)?;
        let result = report.result.word();
        let sql = "INSERT INTO attempt (uid, lesson, at, points, of, result, failed, files, report)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let values =
            params![uid, report.lesson, now(), report.points, report.of, result, failed, files, stored.as_str()];
        self.run(|c| c.execute(sql, values))?;
        Ok(uid)
    }

    /// The last attempt at a lesson that was measured: refused ones and faults say nothing about
    /// checks.
    pub fn last(&self, lesson: &str) -> Result<Option<Attempt>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM attempt WHERE lesson = ?1 AND result IN ('passed', 'failed') ORDER BY at DESC, id DESC"
        );
        self.run(|c| c.query_row(&sql, [lesson], attempt).optional())
    }

    /// The whole report of the last attempt at a lesson, as it was kept. One that cannot be read is none.
    pub fn last_report(&self, lesson: &str) -> Result<Option<serde_json::Value>, Fault> {
        let sql = "SELECT report FROM attempt WHERE lesson = ?1 ORDER BY at DESC, id DESC";
        let text: Option<String> = self.run(|c| c.query_row(sql, [lesson], |row| row.get(0)).optional())?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// All attempts at a lesson with their reports, oldest first.
    pub fn attempts(&self, lesson: &str) -> Result<Vec<(Attempt, StoredReport)>, Fault> {
        let sql = format!("SELECT {COLUMNS}, report FROM attempt WHERE lesson = ?1 ORDER BY at, id");
        self.run(|c| {
            let mut statement = c.prepare(&sql)?;
            let rows = statement.query_map([lesson], |row| {
                let report: String = row.get(6)?;
                Ok((attempt(row)?, StoredReport::read(&report)))
            })?;
            rows.collect()
        })
    }

    /// What all attempts at a lesson come to.
    pub fn summary(&self, lesson: &str) -> Result<Summary, Fault> {
        let counted = "SELECT count(*), min(at), max(at), min(CASE WHEN result = 'passed' THEN at END)
            FROM attempt WHERE lesson = ?1";
        // An edited course may have other points: the share counts, not the number.
        let best = "SELECT points, of FROM attempt WHERE lesson = ?1
            ORDER BY points * 1.0 / max(of, 1) DESC, at DESC, id DESC";
        self.run(|c| {
            let best = c.query_row(best, [lesson], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            c.query_row(counted, [lesson], |row| {
                let (attempts, first, last, passed) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                Ok(Summary { attempts, first, last, best, passed })
            })
        })
    }

    /// The ids of all lessons of which anything is known, in their order.
    pub fn lessons(&self) -> Result<Vec<String>, Fault> {
        let sql = "SELECT lesson FROM attempt UNION SELECT lesson FROM hint UNION SELECT lesson FROM hint_asked
            UNION SELECT lesson FROM give_up UNION SELECT lesson FROM answer ORDER BY lesson";
        self.run(|c| {
            let mut statement = c.prepare(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        })
    }
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let failed: String = row.get(5)?;
    let failed = failed.split_whitespace().map(str::to_owned).collect();
    Ok(Attempt { uid: row.get(0)?, at: row.get(1)?, points: row.get(2)?, of: row.get(3)?, result: row.get(4)?, failed })
}

#[cfg(test)]
pub(super) mod tests;
