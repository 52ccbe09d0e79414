//! Answers to the questions of lessons.
//!
//! Owns: keeping the last answer to each question. Must not: judge one.

use std::collections::BTreeMap;

use rusqlite::params;

use super::{Progress, now};
use crate::course::quiz::StoredAnswer;
use crate::fault::Fault;

impl Progress {
    /// Keeps an answer to a question.
    pub fn answer(&self, lesson: &str, question: &str, answer: &StoredAnswer) -> Result<(), Fault> {
        let unreadable = |error: serde_json::Error| Fault::Unreadable {
            what: format!("the answer to `{question}`"),
            reason: error.to_string(),
        };
        let stored = serde_json::to_string(answer).map_err(unreadable)?;
        let sql = "INSERT INTO answer (lesson, question, stored, at) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET stored = excluded.stored, at = excluded.at";
        self.run(|c| c.execute(sql, params![lesson, question, stored, now()])).map(drop)
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
}
