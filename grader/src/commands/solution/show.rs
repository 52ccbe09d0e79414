//! A solution as text.
//!
//! Owns: the listing, and the difference to the learner's files. Must not: change anything.

use std::io::{self, Write};
use std::path::Path;

use similar::TextDiff;

use super::super::text::{WIDTH, plural, wrapped};
use crate::course::Lesson;
use crate::course::solution::{Solution, SolutionFile};
use crate::fault::Fault;
use crate::report::terminal::plain;

/// Lists the solutions of a lesson.
pub fn list(lesson: &Lesson, solutions: &[Solution], out: &mut dyn Write) -> Result<(), Fault> {
    let id = &lesson.spec.id;
    let count = solutions.len();
    let mut text = format!("{id} has {count} solution{}. Each earns full points.\n", plural(count));
    for solution in solutions {
        let files = solution.files(lesson)?;
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        text = format!("{text}\n  {}\n{}\n", solution.name, wrapped("    ", &names.join(", ")));
    }
    if let Some(first) = solutions.first().map(|solution| &solution.name) {
        text = format!(
            "{text}\nShow one, or write it to a new folder:\n\n  grader solution {id} {first}\n  grader solution {id} {first} --copy DIR\n"
        );
    }
    out.write_all(text.as_bytes()).map_err(Fault::file("standard output"))
}

/// Shows the files of one solution that differ from the starter, then what differs between the
/// learner's files in `own` and the solution's.
pub fn one(lesson: &Lesson, solution: &Solution, own: &Path, out: &mut dyn Write) -> Result<(), Fault> {
    let stdout = || Fault::file("standard output");
    writeln!(out, "{}, solution {}", lesson.spec.id, solution.name).map_err(stdout())?;
    for file in solution.files(lesson)? {
        write_file(&file, out).map_err(stdout())?;
    }
    if !own.is_dir() {
        return Ok(());
    }
    writeln!(out, "\n{}", rule("What would change in your files (- yours, + this solution)")).map_err(stdout())?;
    for name in &lesson.spec.deliver {
        let theirs = solution.text_of(lesson, name)?.unwrap_or_default();
        let path = own.join(name);
        let yours = match std::fs::read(&path) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Fault::file(path)(error)),
        };
        write_difference(name, yours.as_deref(), &theirs, out).map_err(stdout())?;
    }
    Ok(())
}

fn write_file(file: &SolutionFile, out: &mut dyn Write) -> io::Result<()> {
    let note = if file.in_starter { "" } else { "  (not in the starter)" };
    writeln!(out, "\n{}\n{}", rule(&format!("{}{note}", file.name)), file.text.trim_end())
}

fn write_difference(name: &str, yours: Option<&str>, theirs: &str, out: &mut dyn Write) -> io::Result<()> {
    match yours {
        None => return writeln!(out, "\n{name}: you have no such file"),
        Some(yours) if yours == theirs => return writeln!(out, "\n{name}: no difference"),
        Some(_) => {}
    }
    let diff = TextDiff::from_lines(yours.unwrap_or_default(), theirs);
    writeln!(out, "\n{name}:")?;
    for line in diff.unified_diff().context_radius(2).to_string().lines() {
        writeln!(out, "{}", plain(line))?;
    }
    Ok(())
}

/// A title in a line of its own.
fn rule(title: &str) -> String {
    let rest = WIDTH.saturating_sub(title.chars().count() + 4);
    format!("── {title} {}", "─".repeat(rest))
}
