//! `grader dev audit`: are verdicts the same in every run, also on a busy machine?
//!
//! Owns: repeating submissions under load. Must not: judge whether a verdict is the right one;
//! `grader dev check` does.

mod load;
mod tally;

use std::io::Write;
use std::num::NonZero;

use super::cases::cases;
use crate::cli::{AuditArgs, FormatName};
use crate::commands::interrupted;
use crate::course::{Course, Lesson};
use crate::fault::Fault;
use crate::memory;
use load::Load;
use tally::Tally;

/// Grades every submission several times, and shows how often each check came out how. The exit
/// code is 1 when a check had more than one verdict. A fault (such as a machine that is too slow to tell) is none.
pub async fn run(course: &Course, lesson: &Lesson, args: &AuditArgs, out: &mut dyn Write) -> Result<u8, Fault> {
    let mut cases = cases(course, lesson)?;
    cases.retain(|case| args.only.as_deref().is_none_or(|text| case.name.contains(text)));
    if cases.is_empty() {
        let text = args.only.as_deref().unwrap_or_default();
        return Err(Fault::Usage { message: format!("no submission of {} has `{text}` in its name", lesson.spec.id) });
    }
    // All cores, twice over: what is left to a container is what a busy evening leaves to it.
    let threads = args.load.unwrap_or_else(|| 2 * std::thread::available_parallelism().map_or(1, NonZero::get));
    let mut tally = Tally::new(&lesson.spec.id, args.runs, threads);
    let load = Load::start(threads, lesson.spec.images.first().map_or("", String::as_str));
    // One listener for the whole audit, so that Ctrl-C counts between two runs as well.
    let mut stop = std::pin::pin!(interrupted());
    let settings = args.builds.settings();
    // All submissions once, then all again: what changes with time meets every one of them.
    for run in 1..=args.runs {
        for case in &cases {
            eprintln!("run {run} of {}: {}", args.runs, case.name);
            let report = case.grade(lesson, &settings, memory::Use::Nothing, stop.as_mut()).await?;
            tally.count(&case.name, &report);
        }
    }
    drop(load);
    let written = match args.format.format {
        FormatName::Human => tally.write(out),
        FormatName::Json => {
            serde_json::to_string_pretty(&tally).map_err(Into::into).and_then(|text| writeln!(out, "{text}"))
        }
    };
    written.map_err(Fault::file("standard output"))?;
    Ok(u8::from(!tally.is_stable()))
}
