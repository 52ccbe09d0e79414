//! Which hints of a check are open, and which were read.
//!
//! Owns: the rule by which hints open. Must not: know their words; lessons have them.
//!
//! One hint opens with each failed attempt at the check, and one each time that somebody asks for
//! more. The same unchanged files count once, however often they are graded: a hint is for
//! somebody who has tried something.

use rusqlite::{Connection, params};

use super::{Progress, now, uid};
use crate::fault::Fault;

/// How far the hints of a check are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// How many there are.
    pub total: usize,
    /// How many of them are open.
    pub open: usize,
}

/// What was read of a lesson's hints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HintsRead {
    /// How many were shown.
    pub shown: u32,
    /// How many were opened because somebody asked for more.
    pub asked: u32,
}

impl Progress {
    /// How many of a check's `total` hints are open.
    pub fn hints(&self, lesson: &str, check: &str, total: usize) -> Result<Hints, Fault> {
        self.run(|c| hints(c, lesson, check, total))
    }

    /// Opens one more hint of a check, if one is left, and keeps that it was asked for.
    pub fn ask_hint(&self, lesson: &str, check: &str, total: usize) -> Result<Hints, Fault> {
        let uid = uid::random()?;
        let ask = |c: &Connection| {
            let before = hints(c, lesson, check, total)?;
            if before.open < total {
                let sql = "INSERT INTO hint_asked (uid, lesson, check_id, at) VALUES (?1, ?2, ?3, ?4)";
                c.execute(sql, params![uid, lesson, check, now()])?;
            }
            hints(c, lesson, check, total)
        };
        self.change(ask).map_err(self.fault())
    }

    /// Keeps that the first `shown` hints of a check were read.
    pub fn hints_shown(&self, lesson: &str, check: &str, shown: usize) -> Result<(), Fault> {
        let sql = "INSERT INTO hint (lesson, check_id, shown) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET shown = max(shown, excluded.shown)";
        let shown = u32::try_from(shown).unwrap_or(u32::MAX);
        self.run(|c| c.execute(sql, params![lesson, check, shown])).map(drop)
    }

    /// What was read of all hints of a lesson.
    pub fn hints_read(&self, lesson: &str) -> Result<HintsRead, Fault> {
        let sql = "SELECT (SELECT coalesce(sum(shown), 0) FROM hint WHERE lesson = ?1),
            (SELECT count(*) FROM hint_asked WHERE lesson = ?1)";
        self.run(|c| c.query_row(sql, [lesson], |row| Ok(HintsRead { shown: row.get(0)?, asked: row.get(1)? })))
    }
}

fn hints(c: &Connection, lesson: &str, check: &str, total: usize) -> rusqlite::Result<Hints> {
    // Attempts of an older grader have no digest: each of them counts. `failed` holds the ids of
    // checks that were judged and fell short; what was blocked or refused is not among them.
    let sql = "SELECT (SELECT count(DISTINCT coalesce(files, uid)) FROM attempt
            WHERE lesson = ?1 AND instr(' ' || failed || ' ', ' ' || ?2 || ' ') > 0)
        + (SELECT count(*) FROM hint_asked WHERE lesson = ?1 AND check_id = ?2)";
    let opened: u32 = c.query_row(sql, params![lesson, check], |row| row.get(0))?;
    Ok(Hints { total, open: total.min(usize::try_from(opened).unwrap_or(usize::MAX)) })
}

#[cfg(test)]
mod tests {
    use super::super::attempts::tests::report;
    use super::super::tests::fresh;
    use super::*;

    #[test]
    fn each_failure_with_changed_files_opens_one_and_nothing_else_does() {
        let (_dir, progress) = fresh();
        let open = || progress.hints("lesson36", "a", 3).expect("hints").open;
        assert_eq!(open(), 0);
        let fails = |files| progress.keep(&report(&[("a", Some(false)), ("ab", Some(true))]), files).expect("keep");
        fails("1");
        assert_eq!(open(), 1);
        fails("1");
        assert_eq!(open(), 1, "the same files again");
        progress.keep(&report(&[("a", None)]), "2").expect("keep");
        progress.keep(&report(&[("a", Some(true))]), "3").expect("keep");
        progress.keep(&report(&[("ab", Some(false))]), "4").expect("keep");
        assert_eq!(open(), 1, "blocked, passed, and another check whose name begins alike");
        fails("5");
        fails("1");
        assert_eq!(open(), 2, "files that were graded before are not new");
        fails("6");
        fails("7");
        assert_eq!(open(), 3);
    }

    #[test]
    fn asking_opens_one_more_up_to_the_last_and_is_kept() {
        let (_dir, progress) = fresh();
        progress.keep(&report(&[("a", Some(false))]), "1").expect("keep");
        let opened: Vec<_> = (0..3).map(|_| progress.ask_hint("lesson36", "a", 3).expect("hint").open).collect();
        assert_eq!(opened, [2, 3, 3]);
        progress.hints_shown("lesson36", "a", 3).expect("shown");
        progress.hints_shown("lesson36", "a", 1).expect("shown");
        let read = progress.hints_read("lesson36").expect("read");
        assert_eq!(read, HintsRead { shown: 3, asked: 2 }, "what is open already cannot be asked for");
        assert_eq!(progress.hints("lesson36", "b", 3).expect("hints").open, 0);
    }
}
