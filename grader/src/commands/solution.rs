//! `grader solution`: the course's own solutions, for those who have passed or given up.
//!
//! Owns: when they are shown, and how. Must not: write into a learner's copy.

mod show;

use std::io::Write;
use std::path::Path;

use super::here;
use super::text::{plural, wrapped};
use crate::course::solution::Solution;
use crate::course::{Course, Lesson, nearest};
use crate::fault::Fault;
use crate::progress::Progress;
use crate::workspace;

/// Lists the solutions, shows one, or writes one to a folder. Gives exit code 1 when they are not
/// open yet.
pub fn run(
    course: &Course,
    lesson: &Lesson,
    name: Option<&str>,
    copy: Option<&Path>,
    out: &mut dyn Write,
) -> Result<u8, Fault> {
    let file = || Fault::file("standard output");
    if let Some(missing) = missing(&Progress::open()?, lesson)? {
        out.write_all(missing.as_bytes()).map_err(file())?;
        return Ok(1);
    }
    let solutions = Solution::all(lesson)?;
    let Some(name) = name else {
        if copy.is_some() {
            return Err(Fault::Usage { message: format!("which solution? {}", names(&solutions)) });
        }
        show::list(lesson, &solutions, out)?;
        return Ok(0);
    };
    let Some(solution) = solutions.iter().find(|solution| solution.name == name) else {
        let near = nearest(name, solutions.iter().map(|solution| solution.name.as_str()));
        let hint = near.map_or_else(|| names(&solutions), |near| format!("Did you mean `{near}`?"));
        return Err(Fault::Usage { message: format!("{} has no solution called `{name}`. {hint}", lesson.spec.id) });
    };
    match copy {
        None => show::one(lesson, solution, &workspace::folder(course, lesson), out)?,
        Some(to) => {
            let to = here()?.join(to);
            workspace::copy_solution(course, lesson, solution, &to)?;
            let shown = to.display();
            let id = &lesson.spec.id;
            writeln!(out, "The starter with this solution is in {shown}\n\n  grader check {id} --dir {shown}")
                .map_err(file())?;
        }
    }
    Ok(0)
}

fn names(solutions: &[Solution]) -> String {
    let names: Vec<&str> = solutions.iter().map(|solution| solution.name.as_str()).collect();
    format!("There are: {}", names.join(", "))
}

/// What has to happen before the solutions open; nothing when they are open.
fn missing(progress: &Progress, lesson: &Lesson) -> Result<Option<String>, Fault> {
    let id = &lesson.spec.id;
    if progress.solutions_are_open(id)? {
        return Ok(None);
    }
    let summary = progress.summary(id)?;
    let mut parts = vec![wrapped("", &format!("The solutions of {id} open when you have passed it with full points."))];
    match summary.best {
        None => parts.push(format!("You have not tried it yet:\n\n  grader start {id}\n  grader check {id}\n")),
        Some((points, of)) => {
            let attempts = summary.attempts as usize;
            parts.push(format!("So far you have {points} of {of}, after {attempts} attempt{}.\n", plural(attempts)));
            let failed = progress.last(id)?.map(|last| last.failed).unwrap_or_default();
            if !failed.is_empty() {
                parts.push(wrapped("Failed last time: ", &failed.join(", ")));
                parts.push(format!("\nHints for the first of them:\n\n  grader hint {id}\n"));
            }
        }
    }
    parts.push(format!("To see the solutions without passing, which your progress notes:\n\n  grader give-up {id}\n"));
    Ok(Some(parts.join("\n")))
}
