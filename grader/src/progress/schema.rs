//! The database's tables, and how an older database becomes one of today.
//!
//! Owns: `PRAGMA user_version`, the migrations, the connection's settings. Must not: know what
//! the rows mean beyond what a migration needs.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::stored::StoredReport;
use super::{kept_form, uid};
use crate::fault::Fault;
use crate::paths::{close, own_file};

/// One step from a version to the next. Steps are never edited once released: add one.
type Migration = fn(&Connection) -> rusqlite::Result<()>;

/// The steps, each with the version that it makes out of the one before; 0 is an empty file.
const MIGRATIONS: [(u32, Migration); 2] = [(1, first), (2, second)];

/// The version that this grader makes.
const NEWEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// Opens and migrates the database in a file.
///
/// A kill -9 cannot hurt it: in WAL mode a transaction is appended to a second file and counts only
/// when its last page, with a checksum, is there; a process that comes later leaves half a
/// transaction out. `synchronous = FULL` also waits for the disk at each commit, so that what was
/// confirmed outlives a power cut. That is a few milliseconds, and there are few commits.
pub fn open(path: &Path) -> Result<Connection, Fault> {
    // Turning on WAL needs the file alone and does not wait for it, so openers queue here. The
    // kernel opens the lock when its holder ends, however it ends.
    let gate_path = path.with_extension("lock");
    let gate = own_file(&gate_path)?;
    gate.lock().map_err(Fault::file(&gate_path))?;
    let fault = |source| Fault::Progress { path: path.to_path_buf(), source };
    // SQLite gives the files beside it, which a killed process leaves behind, the mode that it has.
    drop(own_file(path)?);
    for beside in ["sqlite-wal", "sqlite-shm"].map(|end| path.with_extension(end)).iter().filter(|path| path.is_file())
    {
        close(beside, 0o600)?;
    }
    let connection = Connection::open(path).map_err(fault)?;
    let version = prepare(&connection).map_err(fault)?;
    if version > NEWEST {
        return Err(Fault::NewerProgress { path: path.to_path_buf(), version, newest: NEWEST });
    }
    Ok(connection)
}

/// Sets the connection up, migrates, and gives the version. A version that is newer than we know is
/// left as it is.
fn prepare(connection: &Connection) -> rusqlite::Result<u32> {
    connection.busy_timeout(Duration::from_secs(30))?;
    let version = version(connection)?;
    if version > NEWEST {
        return Ok(version);
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    if version < NEWEST {
        // All steps are one transaction: a kill in between leaves the old version, whole.
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        for (makes, step) in MIGRATIONS.iter().filter(|(makes, _)| *makes > version) {
            step(&transaction)?;
            transaction.pragma_update(None, "user_version", makes)?;
        }
        transaction.commit()?;
    }
    Ok(NEWEST)
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn first(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE attempt (
            id INTEGER PRIMARY KEY, lesson TEXT NOT NULL, at TEXT NOT NULL,
            points INTEGER NOT NULL, of INTEGER NOT NULL, failed TEXT NOT NULL, report TEXT NOT NULL);
        CREATE INDEX attempt_by_lesson ON attempt (lesson, id);
        CREATE TABLE hint (
            lesson TEXT NOT NULL, check_id TEXT NOT NULL, shown INTEGER NOT NULL, PRIMARY KEY (lesson, check_id));
        CREATE TABLE answer (
            lesson TEXT NOT NULL, question TEXT NOT NULL, stored TEXT NOT NULL, PRIMARY KEY (lesson, question));",
    )
}

/// Attempts get an id that travels (`uid`), their `result`, and the digest of the `files`; hints
/// that were asked for, and lessons that were given up, are kept with their time.
fn second(connection: &Connection) -> rusqlite::Result<()> {
    // A grader of version 1 writes its own number into every database that it opens, newer ones too.
    if connection.column_exists(None, "attempt", "uid")? {
        return Ok(());
    }
    connection.execute_batch(
        "DROP INDEX attempt_by_lesson;
        ALTER TABLE attempt RENAME TO attempt_1;
        CREATE TABLE attempt (
            id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, lesson TEXT NOT NULL, at TEXT NOT NULL,
            points INTEGER NOT NULL, of INTEGER NOT NULL, result TEXT NOT NULL,
            failed TEXT NOT NULL, files TEXT, report TEXT NOT NULL);
        CREATE INDEX attempt_by_lesson ON attempt (lesson, at, id);
        CREATE TABLE hint_asked (
            uid TEXT PRIMARY KEY, lesson TEXT NOT NULL, check_id TEXT NOT NULL, at TEXT NOT NULL);
        ALTER TABLE answer ADD COLUMN at TEXT NOT NULL DEFAULT '';
        CREATE TABLE give_up (lesson TEXT PRIMARY KEY, at TEXT NOT NULL);",
    )?;
    let mut old = connection.prepare("SELECT id, lesson, at, points, of, failed, report FROM attempt_1 ORDER BY id")?;
    let mut rows = old.query([])?;
    while let Some(row) = rows.next()? {
        let (id, lesson, at): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (points, of): (u32, u32) = (row.get(3)?, row.get(4)?);
        let (failed, report): (String, String) = (row.get(5)?, row.get(6)?);
        // Two copies of one old database must not become two sets of attempts.
        let uid = uid::of(&[&id.to_string(), &lesson, &at, &report]);
        let at = at.parse().map_or(at, kept_form);
        let short = if points == of { "passed" } else { "failed" };
        let result = StoredReport::read(&report).result.unwrap_or_else(|| short.to_owned());
        let sql = "INSERT INTO attempt (id, uid, lesson, at, points, of, result, failed, report)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        connection.execute(sql, params![id, uid, lesson, at, points, of, result, failed, report])?;
    }
    // Hints that were shown stay open: those that failures do not open count as asked for.
    let mut shown = connection.prepare(
        "SELECT lesson, check_id, shown, (SELECT count(*) FROM attempt WHERE attempt.lesson = hint.lesson
            AND instr(' ' || failed || ' ', ' ' || check_id || ' ') > 0) FROM hint",
    )?;
    let mut rows = shown.query([])?;
    while let Some(row) = rows.next()? {
        let (lesson, check, shown, failures): (String, String, u32, u32) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        for number in failures..shown {
            let uid = uid::of(&["hint", &lesson, &check, &number.to_string()]);
            let sql = "INSERT INTO hint_asked (uid, lesson, check_id, at) VALUES (?1, ?2, ?3, '')";
            connection.execute(sql, params![uid, lesson, check])?;
        }
    }
    connection.execute_batch("DROP TABLE attempt_1")
}

#[cfg(test)]
mod tests;
