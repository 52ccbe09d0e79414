//! `grader hint`: the open hints of a check.
//!
//! Owns: which check, and saying what opens the next hint. Must not: invent hints (lessons have
//! them) or decide how many are open (`progress` does).

use std::io::Write;

use super::text::wrapped;
use crate::course::{Lesson, LessonCheck, nearest};
use crate::fault::Fault;
use crate::learner;
use crate::progress::Progress;
use crate::progress::hints::Hints;

/// Shows the hints that are open, after opening one more when `more` was asked for. Gives exit code
/// 1 when none is open.
pub fn run(lesson: &Lesson, named: Option<&str>, more: bool, out: &mut dyn Write) -> Result<u8, Fault> {
    let progress = Progress::open()?;
    let id = &lesson.spec.id;
    let check = match named {
        Some(named) => find(lesson, named)?,
        None => first_failed(lesson, &progress)?,
    };
    let spec = &check.spec;
    let (hints, texts) = open(lesson, check, &progress, more)?;
    let solutions_are_open = progress.solutions_are_open(id)?;
    let mut write = || -> std::io::Result<()> {
        writeln!(out, "{}  ({})\n", spec.title, spec.id)?;
        for (number, hint) in texts.iter().enumerate() {
            writeln!(out, "{}", wrapped(&format!("  {}. ", number + 1), hint))?;
        }
        write!(out, "{}", after(hints, id, &spec.id, solutions_are_open))
    };
    write().map_err(Fault::file("standard output"))?;
    Ok(u8::from(hints.open == 0))
}

/// The open hints of a check with their words, after opening one more when `more` was asked for. They
/// count as read.
pub fn open(
    lesson: &Lesson,
    check: &LessonCheck,
    progress: &Progress,
    more: bool,
) -> Result<(Hints, Vec<String>), Fault> {
    let (id, spec) = (&lesson.spec.id, &check.spec);
    let total = spec.hints.len();
    let hints = if more { progress.ask_hint(id, &spec.id, total)? } else { progress.hints(id, &spec.id, total)? };
    if hints.open > 0 {
        progress.hints_shown(id, &spec.id, hints.open)?;
    }
    let number = learner::number(id)?;
    let texts = spec.hints.iter().take(hints.open).map(|hint| learner::filled(hint, &number)).collect();
    Ok((hints, texts))
}

/// How many are open, and what opens the next.
fn after(hints: Hints, lesson: &str, check: &str, solutions_are_open: bool) -> String {
    let Hints { open, total } = hints;
    let now = format!("To open it now, which your progress notes:\n\n  grader hint {lesson} {check} --more\n");
    if open == 0 {
        let text = format!(
            "None of its {total} hints is open yet. The first one opens when this check has failed in an attempt of yours."
        );
        return format!("{}\n{now}", wrapped("", &text));
    }
    if open == total {
        let next = if solutions_are_open {
            format!("`grader solution {lesson}` shows the solutions.")
        } else {
            format!("If you are stuck, `grader give-up {lesson}` opens the solutions.")
        };
        return format!("\n{}\n", wrapped("", &format!("All {total} hints are open. {next}")));
    }
    let is = if open == 1 { "is" } else { "are" };
    let text = format!(
        "{open} of {total} hints {is} open. The next one opens when this check fails in a further attempt, with files or answers that you have changed."
    );
    format!("\n{}\n{now}", wrapped("", &text))
}

fn find<'a>(lesson: &'a Lesson, named: &str) -> Result<&'a LessonCheck, Fault> {
    lesson.check(named).ok_or_else(|| {
        let near = nearest(named, lesson.checks.iter().map(|check| check.spec.id.as_str()));
        let hint = near.map_or_else(String::new, |near| format!(" Did you mean `{near}`?"));
        Fault::Usage { message: format!("{} has no check called `{named}`.{hint}", lesson.spec.id) }
    })
}

/// The first check that failed in the last attempt, of those that the lesson still has.
fn first_failed<'a>(lesson: &'a Lesson, progress: &Progress) -> Result<&'a LessonCheck, Fault> {
    let id = &lesson.spec.id;
    let Some(attempt) = progress.last(id)? else {
        return Err(Fault::Usage { message: format!("nothing is known yet: run `grader check {id}` first") });
    };
    attempt.failed.iter().find_map(|failed| lesson.check(failed)).ok_or_else(|| Fault::Usage {
        message: format!("no check failed last time. Name one to see its hints: `grader hint {id} CHECK`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_says_what_opens_the_next_one_and_fits_a_narrow_terminal() {
        let text = |open| after(Hints { open, total: 3 }, "lesson36", "prod-dependencies-only", false);
        for (open, wanted) in [(0, "None of its 3"), (1, "1 of 3 hints is"), (2, "2 of 3 hints are"), (3, "All 3")] {
            let text = text(open);
            assert!(text.contains(wanted) && text.lines().all(|line| line.len() <= 79), "{text}");
            assert_eq!(text.contains("  grader hint lesson36 prod-dependencies-only --more"), open < 3, "{text}");
        }
    }
}
