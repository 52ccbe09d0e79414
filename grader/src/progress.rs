//! What a learner has tried and passed, in an SQLite database.
//!
//! Owns: the open database; each topic has a file below. Must not: judge. Every change is one
//! transaction, so a kill at any moment and many processes at once lose nothing. Everything is
//! kept under the stable ids of lessons and checks: a course that is edited loses nothing either.

pub mod answers;
pub mod attempts;
pub mod digest;
pub mod exchange;
pub mod give_up;
pub mod hints;
pub mod history;
mod schema;
pub mod stored;
mod uid;

use std::path::PathBuf;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::fault::Fault;
use crate::paths;

/// The open database.
pub struct Progress {
    connection: Connection,
    path: PathBuf,
}

impl Progress {
    /// Opens the database; makes it when it is not there.
    pub fn open() -> Result<Self, Fault> {
        Self::open_at(paths::state()?.join("progress.sqlite"))
    }

    /// Opens the database in this file.
    pub fn open_at(path: PathBuf) -> Result<Self, Fault> {
        let connection = schema::open(&path)?;
        Ok(Self { connection, path })
    }

    /// Reads, or makes a change that is one statement.
    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        work(&self.connection).map_err(|source| Fault::Progress { path: self.path.clone(), source })
    }

    /// Makes a change of several statements: all of them, or none when one fails or the process is
    /// killed. It has the database for itself from its first statement on, so what it reads is
    /// still true when it writes.
    fn change<T, E: From<rusqlite::Error>>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Wraps SQLite's error with the database's path.
    fn fault(&self) -> impl FnOnce(rusqlite::Error) -> Fault {
        let path = self.path.clone();
        |source| Fault::Progress { path, source }
    }
}

/// The time as it is kept: RFC 3339 in UTC, always with six digits of a second, so that the order
/// of the texts is the order of the times.
fn now() -> String {
    kept_form(jiff::Timestamp::now())
}

fn kept_form(time: jiff::Timestamp) -> String {
    format!("{time:.6}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database in a folder of its own.
    pub fn fresh() -> (tempfile::TempDir, Progress) {
        let dir = tempfile::tempdir().expect("folder");
        let progress = Progress::open_at(dir.path().join("p.sqlite")).expect("database");
        (dir, progress)
    }

    #[test]
    fn times_sort_as_texts() {
        let text = |text: &str| kept_form(text.parse().expect("a time"));
        let whole = text("2026-11-21T10:00:00Z");
        assert_eq!(whole, "2026-11-21T10:00:00.000000Z");
        assert!(whole < text("2026-11-21T10:00:00.5Z"));
    }

    #[test]
    fn a_change_that_fails_half_way_changes_nothing() {
        let (_dir, progress) = fresh();
        let insert = "INSERT INTO give_up (lesson, at) VALUES ('lesson36', 'x')";
        let twice: rusqlite::Result<()> = progress.change(|c| {
            c.execute(insert, [])?;
            c.execute(insert, []).map(drop)
        });
        assert!(twice.is_err());
        assert_eq!(progress.gave_up("lesson36").expect("read"), None);
    }
}
