//! `grader dev record`: evidence out of a real run, to be judged again without Docker.
//!
//! Owns: writing `evidence.json` of a kind's folder. Must not: change what was measured, but for
//! what is different in each run.

use std::fs;
use std::io::Write;

use super::cases::cases;
use crate::commands::interrupted;
use crate::course::{Course, Lesson};
use crate::fault::Fault;
use crate::memory;
use crate::sandbox::build::BuildSettings;

/// Grades the first solution and keeps the evidence of the check that has the exercise's id.
pub async fn record(
    course: &Course,
    lesson: &Lesson,
    settings: &BuildSettings,
    out: &mut dyn Write,
) -> Result<u8, Fault> {
    let id = &lesson.spec.id;
    let solution = cases(course, lesson)?.into_iter().find(|case| case.name.starts_with("solutions/"));
    let solution = solution.ok_or_else(|| Fault::Usage { message: format!("{id} has no solution to record") })?;
    let report = solution.grade(lesson, settings, memory::Use::Nothing, interrupted()).await?;
    let check = report.checks.iter().find(|check| check.id == *id);
    let Some(evidence) = check.and_then(|check| check.evidence.as_ref()) else {
        let message = format!("no check `{id}` of {} was measured: see `grader dev check`", solution.name);
        return Err(Fault::Usage { message });
    };
    let path = lesson.dir.join("evidence.json");
    let text = format!("{evidence:#}\n");
    fs::write(&path, text).map_err(Fault::file(&path))?;
    writeln!(out, "The evidence of {} is in {}", solution.name, path.display())
        .map_err(Fault::file("standard output"))?;
    Ok(0)
}
