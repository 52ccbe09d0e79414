//! `grader give-up`: opens a lesson's solutions to somebody who has not passed it.
//!
//! Owns: asking whether it is meant. Must not: show anything of a solution.

use std::io::{BufRead, IsTerminal, Write};

use super::text::{day, plural, wrapped};
use crate::course::Lesson;
use crate::fault::Fault;
use crate::progress::Progress;
use crate::progress::attempts::Summary;

/// Keeps that a lesson was given up, when it is confirmed. Gives exit code 1 when it is not.
pub fn run(lesson: &Lesson, yes: bool, out: &mut dyn Write) -> Result<u8, Fault> {
    let progress = Progress::open()?;
    let id = &lesson.spec.id;
    let summary = progress.summary(id)?;
    let file = || Fault::file("standard output");
    let already = match (&summary.passed, progress.gave_up(id)?) {
        (Some(at), _) => Some(format!("You passed {id} on {}: its solutions are open to you anyway.", day(at))),
        (None, Some(at)) => Some(format!("You gave {id} up on {} already.", day(&at))),
        (None, None) => None,
    };
    if let Some(already) = already {
        writeln!(out, "{already}\n\n  grader solution {id}").map_err(file())?;
        return Ok(0);
    }
    if !yes {
        if !std::io::stdin().is_terminal() {
            let message = format!("nobody can be asked here: `grader give-up {id} --yes` gives {id} up without asking");
            return Err(Fault::Usage { message });
        }
        write!(out, "{}", question(id, &summary)).and_then(|()| out.flush()).map_err(file())?;
        let mut typed = String::new();
        std::io::stdin().lock().read_line(&mut typed).map_err(Fault::file("standard input"))?;
        if typed.trim() != id {
            writeln!(out, "Nothing was noted, and nothing has changed.").map_err(file())?;
            return Ok(1);
        }
    }
    progress.give_up(id)?;
    writeln!(out, "Noted. You can still go on, and pass it. The solutions:\n\n  grader solution {id}")
        .map_err(file())?;
    Ok(0)
}

fn question(id: &str, summary: &Summary) -> String {
    let so_far = summary.best.map_or_else(String::new, |(points, of)| {
        let attempts = summary.attempts as usize;
        format!(" So far you have {points} of {of} points, after {attempts} attempt{}.", plural(attempts))
    });
    let text = format!(
        "Giving up opens the solutions of {id}. Your progress notes it for good: `grader progress` and `grader list` \
         show it. You can still go on, and pass.{so_far}"
    );
    format!("{}\n\nType {id} to give it up, anything else to leave it: ", wrapped("", &text))
}
