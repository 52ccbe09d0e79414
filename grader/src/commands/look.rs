//! What the looking commands have in common: a sandbox without checks, and where output goes.
//!
//! Owns: finding the submission, running the work, telling refusals. Must not: measure.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::check::{submission, write};
use super::live::Live;
use super::{course, interrupted, lesson};
use crate::cli::{LookArgs, LookFormat, ReportFormat};
use crate::course::{Course, Lesson};
use crate::engine::{self, Admission, Job};
use crate::event::Events;
use crate::fault::Fault;
use crate::looks::COLUMNS;
use crate::sandbox::build::BuildSettings;
use crate::sandbox::daemon;
use crate::sandbox::docker::DockerSandbox;
use crate::sandbox::facts::QuizFacts;
use crate::{images, learner, memory};

/// Runs `work` in a sandbox of the learner's submission. `None` when the gate has refused it: then that
/// has been reported, as `grader check` does.
pub async fn look<T>(
    args: &LookArgs,
    lesson: &Lesson,
    work: impl AsyncFnOnce(&DockerSandbox) -> Result<T, Fault>,
    out: &mut dyn Write,
) -> Result<Option<T>, Fault> {
    let course = course()?;
    let dir = submission(&course, lesson, args.dir.as_deref())?;
    if let Some(folder) = args.out.as_deref().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty())
        && !folder.is_dir()
    {
        return Err(Fault::Usage { message: format!("--out: there is no folder {}", folder.display()) });
    }
    let (live, events) = Live::start(args.format == LookFormat::Json);
    let looked = looked(&course, lesson, dir, args.builds.settings(), &events, interrupted(), work).await;
    drop(events);
    live.end().await;
    match looked? {
        Ok(found) => Ok(Some(found)),
        Err(refusals) => {
            let report = engine::refused(lesson, refusals);
            match args.format {
                LookFormat::Json => write(&report, ReportFormat::Json, out),
                LookFormat::Human => write(&report, ReportFormat::Human, out),
                // Standard output is for the picture.
                LookFormat::Svg => write(&report, ReportFormat::Human, &mut anstream::stderr()),
            }
            .map_err(Fault::file("standard output"))?;
            Ok(None)
        }
    }
}

/// The same for a folder, without a terminal.
pub async fn looked<T>(
    course: &Course,
    lesson: &Lesson,
    dir: PathBuf,
    settings: BuildSettings,
    events: &Events,
    stop: impl Future<Output = ()>,
    work: impl AsyncFnOnce(&DockerSandbox) -> Result<T, Fault>,
) -> Result<Admission<T>, Fault> {
    let learner = learner::number(&lesson.spec.id)?;
    let job = Job { lesson, dir, quiz: QuizFacts::default(), learner, settings, memory: memory::Use::Nothing };
    let mut say = |line: &str| eprintln!("{line}");
    images::ensure(&daemon::connect().await?, &course.root, images::needed(lesson), &mut say).await?;
    engine::with_sandbox(&job, events, stop, work).await
}

/// The lesson that the arguments name, or the one whose folder we are in.
pub fn lesson_of(args: &LookArgs) -> Result<Lesson, Fault> {
    lesson(&course()?, args.lesson.as_deref())
}

/// Writes the text to the file of `--out`, else to standard output.
pub fn put(args: &LookArgs, text: &str, out: &mut dyn Write) -> Result<(), Fault> {
    let Some(file) = &args.out else {
        return out.write_all(text.as_bytes()).map_err(Fault::file("standard output"));
    };
    let plain = anstream::adapter::strip_str(text).to_string();
    std::fs::write(file, plain).map_err(Fault::file(file))?;
    eprintln!("Written to {}", file.display());
    Ok(())
}

/// The columns of the terminal, if standard output is one and no file is asked for.
#[must_use]
pub fn columns(args: &LookArgs) -> usize {
    let terminal = comfy_table::Table::new().width().filter(|_| args.out.is_none());
    terminal.map_or(COLUMNS, |columns| usize::from(columns).clamp(50, 160))
}

/// An object as JSON text.
pub fn json(object: &impl serde::Serialize) -> Result<String, Fault> {
    let text = serde_json::to_string_pretty(object)
        .map_err(|error| Fault::Unreadable { what: "the result".into(), reason: error.to_string() })?;
    Ok(text + "\n")
}

/// Text that something writes, kept in memory.
pub fn written(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<String, Fault> {
    let mut text = Vec::new();
    write(&mut text).map_err(Fault::file("standard output"))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
