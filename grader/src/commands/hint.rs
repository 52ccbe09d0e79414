//! `grader hint`: the next hint of a check.
//!
//! Owns: which check and which hint. Must not: invent hints; lessons have them.

use std::io::Write;

use crate::course::{Lesson, nearest};
use crate::fault::Fault;
use crate::progress::Progress;

/// Shows one more hint, with the earlier ones above it.
pub fn run(lesson: &Lesson, check: Option<&str>, out: &mut dyn Write) -> Result<u8, Fault> {
    let progress = Progress::open()?;
    let id = &lesson.spec.id;
    let wanted = match check {
        Some(check) => check.to_owned(),
        None => match progress.last(id)? {
            None => {
                return Err(Fault::Usage { message: format!("nothing is known yet: run `grader check {id}` first") });
            }
            Some(attempt) => match attempt.failed.into_iter().next() {
                Some(first) => first,
                None => {
                    return Err(Fault::Usage {
                        message: "no check failed last time. Name one to see its hints.".into(),
                    });
                }
            },
        },
    };
    let Some(check) = lesson.check(&wanted) else {
        let near = nearest(&wanted, lesson.checks.iter().map(|check| check.spec.id.as_str()));
        let hint = near.map_or_else(String::new, |near| format!(" Did you mean `{near}`?"));
        return Err(Fault::Usage { message: format!("{id} has no check called `{wanted}`.{hint}") });
    };
    let spec = &check.spec;
    let shown = progress.next_hint(id, &spec.id, spec.hints.len())?;
    let mut write = || -> std::io::Result<()> {
        writeln!(out, "{}  ({})\n", spec.title, spec.id)?;
        for (number, hint) in spec.hints.iter().take(shown).enumerate() {
            writeln!(out, "  {}. {hint}", number + 1)?;
        }
        let left = spec.hints.len() - shown;
        match left {
            0 => writeln!(out, "\nThat was the last hint."),
            1 => writeln!(out, "\nOne more hint is left."),
            _ => writeln!(out, "\n{left} more hints are left."),
        }
    };
    write().map_err(Fault::file("standard output"))?;
    Ok(0)
}
