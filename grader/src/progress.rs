//! What a learner has tried and passed, in an SQLite database.
//!
//! Owns: attempts, hints that were shown, answers to quizzes. Must not: judge. Every change is
//! one transaction, so a kill at any moment and two processes at once lose nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use crate::course::quiz::StoredAnswer;
use crate::fault::Fault;
use crate::paths;
use crate::report::Report;

/// The open database.
pub struct Progress {
    connection: Connection,
    path: PathBuf,
}

/// The last attempt at a lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it ended, RFC 3339.
    pub at: String,
    /// Points earned.
    pub points: u32,
    /// Points that could be earned.
    pub of: u32,
    /// Ids of the checks that failed.
    pub failed: Vec<String>,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS attempt (
        id INTEGER PRIMARY KEY, lesson TEXT NOT NULL, at TEXT NOT NULL,
        points INTEGER NOT NULL, of INTEGER NOT NULL, failed TEXT NOT NULL, report TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS attempt_by_lesson ON attempt (lesson, id);
    CREATE TABLE IF NOT EXISTS hint (
        lesson TEXT NOT NULL, check_id TEXT NOT NULL, shown INTEGER NOT NULL, PRIMARY KEY (lesson, check_id));
    CREATE TABLE IF NOT EXISTS answer (
        lesson TEXT NOT NULL, question TEXT NOT NULL, stored TEXT NOT NULL, PRIMARY KEY (lesson, question));
    PRAGMA user_version = 1;
";

impl Progress {
    /// Opens the database; makes it when it is not there.
    pub fn open() -> Result<Self, Fault> {
        Self::open_at(paths::state()?.join("progress.sqlite"))
    }

    fn open_at(path: PathBuf) -> Result<Self, Fault> {
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(&path)?;
            connection.busy_timeout(Duration::from_secs(10))?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.execute_batch(SCHEMA)?;
            Ok(connection)
        };
        let connection = open().map_err(|source| Fault::Progress { path: path.clone(), source })?;
        Ok(Self { connection, path })
    }

    /// Keeps a report.
    pub fn keep(&self, report: &Report) -> Result<(), Fault> {
        let now = jiff::Timestamp::now().to_string();
        let failed = report.failed_ids().join(" ");
        let stored = serde_json::to_string(report).unwrap_or_default();
        let sql = "INSERT INTO attempt (lesson, at, points, of, failed, report) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.run(|c| c.execute(sql, params![report.lesson, now, report.points, report.of, failed, stored])).map(|_| ())
    }

    /// The last attempt at a lesson.
    pub fn last(&self, lesson: &str) -> Result<Option<Attempt>, Fault> {
        let sql = "SELECT at, points, of, failed FROM attempt WHERE lesson = ?1 ORDER BY id DESC LIMIT 1";
        self.run(|c| {
            c.query_row(sql, [lesson], |row| {
                let failed: String = row.get(3)?;
                let failed = failed.split_whitespace().map(str::to_owned).collect();
                Ok(Attempt { at: row.get(0)?, points: row.get(1)?, of: row.get(2)?, failed })
            })
            .optional()
        })
    }

    /// The most points that any attempt at a lesson has earned, and those that could be.
    pub fn best(&self, lesson: &str) -> Result<Option<(u32, u32)>, Fault> {
        let sql = "SELECT points, of FROM attempt WHERE lesson = ?1 ORDER BY points DESC, id DESC LIMIT 1";
        self.run(|c| c.query_row(sql, [lesson], |row| Ok((row.get(0)?, row.get(1)?))).optional())
    }

    /// Counts one more hint of a check as shown, and tells how many are, `most` at the most.
    pub fn next_hint(&self, lesson: &str, check: &str, most: usize) -> Result<usize, Fault> {
        let sql = "INSERT INTO hint (lesson, check_id, shown) VALUES (?1, ?2, 1)
            ON CONFLICT DO UPDATE SET shown = min(shown + 1, ?3) RETURNING shown";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let shown: i64 = self.run(|c| c.query_row(sql, params![lesson, check, most], |row| row.get(0)))?;
        Ok(usize::try_from(shown).unwrap_or(1))
    }

    /// Keeps an answer to a question.
    pub fn answer(&self, lesson: &str, question: &str, answer: &StoredAnswer) -> Result<(), Fault> {
        let stored = serde_json::to_string(answer).unwrap_or_default();
        let sql = "INSERT INTO answer (lesson, question, stored) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET stored = excluded.stored";
        self.run(|c| c.execute(sql, params![lesson, question, stored])).map(|_| ())
    }

    /// All answers to a lesson's questions.
    pub fn answers(&self, lesson: &str) -> Result<BTreeMap<String, StoredAnswer>, Fault> {
        self.run(|c| {
            let mut statement = c.prepare("SELECT question, stored FROM answer WHERE lesson = ?1")?;
            let rows = statement.query_map([lesson], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            let mut answers = BTreeMap::new();
            for row in rows {
                let (question, stored) = row?;
                // An answer in an older form counts as not given.
                if let Ok(answer) = serde_json::from_str(&stored) {
                    answers.insert(question, answer);
                }
            }
            Ok(answers)
        })
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        work(&self.connection).map_err(|source| Fault::Progress { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> (tempfile::TempDir, Progress) {
        let dir = tempfile::tempdir().expect("folder");
        let progress = Progress::open_at(dir.path().join("p.sqlite")).expect("database");
        (dir, progress)
    }

    #[test]
    fn hints_open_one_by_one_and_stay_at_the_last() {
        let (_dir, progress) = fresh();
        let shown: Vec<_> = (0..4).map(|_| progress.next_hint("lesson36", "a", 3).expect("hint")).collect();
        assert_eq!(shown, [1, 2, 3, 3]);
        assert_eq!(progress.next_hint("lesson36", "b", 3).expect("hint"), 1);
    }

    #[test]
    fn the_best_attempt_stays_when_a_later_one_is_worse() {
        let (_dir, progress) = fresh();
        let mut report = Report {
            schema: "s",
            lesson: "lesson36".into(),
            title: String::new(),
            result: crate::report::RunResult::Failed,
            points: 7,
            of: 10,
            millis: 1,
            refusals: Vec::new(),
            checks: Vec::new(),
        };
        progress.keep(&report).expect("keep");
        report.points = 3;
        progress.keep(&report).expect("keep");
        assert_eq!(progress.best("lesson36").expect("best"), Some((7, 10)));
        assert_eq!(progress.last("lesson36").expect("last").map(|attempt| attempt.points), Some(3));
        assert_eq!(progress.last("lesson01").expect("last"), None);
    }

    #[test]
    fn a_damaged_database_is_a_fault_that_names_the_file_and_stays_as_it_is() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("p.sqlite");
        std::fs::write(&path, "this is no database, and long enough to be looked at").expect("write");
        let message = Progress::open_at(path.clone()).err().expect("a fault").to_string();
        assert!(message.contains("p.sqlite"), "{message}");
        assert!(std::fs::read_to_string(&path).expect("read").starts_with("this is no database"));
    }
}
