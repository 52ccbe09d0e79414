//! Reads a whole database into a document.
//!
//! Owns: the order of its parts, which depends on the contents alone. Must not: leave anything out.

use rusqlite::Row;

use super::super::{Progress, now};
use super::{Answer, Attempt, Document, GiveUp, HintAsked, HintsRead, SCHEMA, carried};
use crate::fault::Fault;

impl Progress {
    /// Everything that the database holds, as it is at one moment.
    pub fn export(&self) -> Result<Document, Fault> {
        self.run(|c| {
            // Within one transaction every statement sees the same moment.
            let moment = c.unchecked_transaction()?;
            let document = Document {
                schema: SCHEMA.into(),
                exported: now(),
                attempts: all(
                    &moment,
                    "SELECT uid, lesson, at, points, of, result, failed, files, report FROM attempt ORDER BY at, uid",
                    attempt,
                )?,
                hints_read: all(
                    &moment,
                    "SELECT lesson, check_id, shown FROM hint ORDER BY lesson, check_id",
                    |row| Ok(HintsRead { lesson: row.get(0)?, check: row.get(1)?, shown: row.get(2)? }),
                )?,
                hints_asked: all(
                    &moment,
                    "SELECT uid, lesson, check_id, at FROM hint_asked ORDER BY at, uid",
                    |row| Ok(HintAsked { uid: row.get(0)?, lesson: row.get(1)?, check: row.get(2)?, at: row.get(3)? }),
                )?,
                answers: all(
                    &moment,
                    "SELECT lesson, question, at, stored FROM answer ORDER BY lesson, question",
                    |row| {
                        let (lesson, question, at) = (row.get(0)?, row.get(1)?, row.get(2)?);
                        Ok(Answer { lesson, question, at, stored: carried(&row.get::<_, String>(3)?) })
                    },
                )?,
                give_ups: all(&moment, "SELECT lesson, at FROM give_up ORDER BY lesson", |row| {
                    Ok(GiveUp { lesson: row.get(0)?, at: row.get(1)? })
                })?,
            };
            moment.commit()?;
            Ok(document)
        })
    }
}

fn all<T>(
    connection: &rusqlite::Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], read)?;
    rows.collect()
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let failed: String = row.get(6)?;
    Ok(Attempt {
        uid: row.get(0)?,
        lesson: row.get(1)?,
        at: row.get(2)?,
        points: row.get(3)?,
        of: row.get(4)?,
        result: row.get(5)?,
        failed: failed.split_whitespace().map(str::to_owned).collect(),
        files: row.get(7)?,
        report: carried(&row.get::<_, String>(8)?),
    })
}
