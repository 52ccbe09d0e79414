//! Writes progress until it is killed, and says what was confirmed as written.
//!
//! Owns: one line on standard output after each write that has come back. Must not: judge;
//! `suite/progress/kill.rs` compares the lines with what a database holds.
//!
//! `progress_writer DATABASE NAME COUNT`: every attempt, hint and answer has NAME and a number in it.

use std::io::Write;

use grader::course::quiz::StoredAnswer;
use grader::progress::Progress;
use grader::report::{Report, RunResult, SCHEMA};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, name, count] = arguments.as_slice() else { panic!("DATABASE NAME COUNT, not {arguments:?}") };
    let count: u32 = count.parse().expect("a number");
    let progress = Progress::open_at(database.into()).unwrap_or_else(|fault| panic!("{fault}"));
    let mut out = std::io::stdout().lock();
    for number in 0..count {
        let id = format!("{name}-{number}");
        let uid = progress.keep(&report(), &id).unwrap_or_else(|fault| panic!("{fault}"));
        writeln!(out, "attempt {uid}").expect("somebody reads");
        progress.ask_hint("lesson36", &id, 3).unwrap_or_else(|fault| panic!("{fault}"));
        writeln!(out, "hint {id}").expect("somebody reads");
        let answer = StoredAnswer { answer: id.as_str().into(), right: true };
        progress.answer("lesson36", &id, &answer).unwrap_or_else(|fault| panic!("{fault}"));
        writeln!(out, "answer {id}").expect("somebody reads");
    }
}

/// Large enough to take several pages of the database.
fn report() -> Report {
    Report {
        schema: SCHEMA,
        grader: grader::VERSION,
        course: grader::report::CourseUsed::default(),
        notes: Vec::new(),
        lesson: "lesson36".into(),
        title: "x".repeat(20_000),
        result: RunResult::Failed,
        points: 1,
        of: 2,
        millis: 0,
        refusals: Vec::new(),
        checks: Vec::new(),
    }
}
