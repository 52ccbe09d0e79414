//! `grader dev check`: proves a lesson's checks by its own submissions.
//!
//! Owns: grading the starter, every solution and every wrong submission, and comparing the
//! outcome with what their folders say. Must not: judge submissions itself.

pub mod audit;
mod by_hand;
mod cases;
pub mod coverage;
pub mod limits;
pub mod new_check;
pub mod new_lesson;
pub mod record;
pub mod reference;
mod skeleton;
pub mod transcripts;

use std::io::Write;
use std::path::Path;

use futures_util::{StreamExt, stream};

use super::interrupted;
use crate::cli::ProofArgs;
use crate::course::{Course, Lesson};
use crate::fault::Fault;
use crate::memory;
use crate::verdict::{Outcome, millis};
use cases::cases;

/// The lesson that was named, or the exercise in the folder that was named.
pub fn lesson(course: &Course, named: &str) -> Result<Lesson, Fault> {
    let dir = Path::new(named);
    if dir.join("lesson.toml").is_file() {
        let dir = dir.canonicalize().map_err(Fault::file(dir))?;
        return Ok(Lesson::load(&course.root, &dir)?);
    }
    course.lesson(named)
}

/// Proves a lesson; `Ok(true)` when every submission came out as it should. What submissions have in
/// common is measured once, by the keys of memory.
pub async fn check(course: &Course, lesson: &Lesson, args: &ProofArgs, out: &mut dyn Write) -> Result<bool, Fault> {
    let mut all_well = true;
    for case in limits::replay(&course.root, &lesson.dir)? {
        let ok = case.got == case.wanted;
        all_well &= ok;
        let word = if ok { "ok   " } else { "WRONG" };
        let text = format!("{word}  limits/{:<37} {}: {}\n", case.name, case.got, case.measured);
        out.write_all(text.as_bytes()).map_err(Fault::file("standard output"))?;
    }
    let mut cases = cases(course, lesson)?;
    cases.retain(|case| args.only.as_ref().is_none_or(|text| case.name.contains(text)));
    let settings = &args.builds.settings();
    // A wrong submission has most in common with its solution.
    let memory = if args.fresh { memory::Use::Nothing } else { memory::Use::Recall };
    let mut results = stream::iter(&cases)
        .map(|case| async move { (case, case.grade(lesson, settings, memory, interrupted()).await) })
        .buffered(args.jobs.max(1));
    while let Some((case, graded)) = results.next().await {
        let report = match graded {
            Ok(report) => report,
            Err(Fault::Interrupted) => return Err(Fault::Interrupted),
            // The others are graded to their end: what they made by hand is removed there.
            Err(fault) => {
                all_well = false;
                let text = format!("WRONG  {:<44} {fault}\n", case.name);
                out.write_all(text.as_bytes()).map_err(Fault::file("standard output"))?;
                continue;
            }
        };
        let problem = case.expected.problem(&report);
        all_well &= problem.is_none();
        let word = if problem.is_none() { "ok   " } else { "WRONG" };
        let write = |out: &mut dyn Write| -> std::io::Result<()> {
            writeln!(
                out,
                "{word}  {:<44} {:>3}/{} points  {:>7}",
                case.name,
                report.points,
                report.of,
                millis(report.millis)
            )?;
            if let Some(problem) = &problem {
                writeln!(out, "       {problem}")?;
                for check in &report.checks {
                    writeln!(out, "         {:<18} {}", check.id, in_words(&check.outcome))?;
                }
            }
            out.flush()
        };
        write(out).map_err(Fault::file("standard output"))?;
    }
    Ok(all_well)
}

fn in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Judged { verdict } if outcome.is_passed() => format!("passed: {}", verdict.finding().measured),
        Outcome::Judged { verdict } => format!("FAILED: {}", verdict.finding().measured),
        Outcome::Blocked { by } => format!("blocked by {by}"),
        Outcome::Fault { message, .. } => format!("FAULT: {message}"),
    }
}
