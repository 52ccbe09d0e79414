//! `grader check`: grades the learner's exercise.
//!
//! Owns: finding the folder, the quiz answers and the exit code. Must not: measure or judge.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::live::Live;
use super::{course, here, interrupted, lesson};
use crate::cli::{CheckArgs, ReportFormat};
use crate::commands::quiz::Kept;
use crate::course::quiz::{Graded, Quiz, StoredAnswer, load_answers};
use crate::course::{Course, Lesson};
use crate::engine::{self, Job};
use crate::event::Events;
use crate::fault::Fault;
use crate::progress::attempts::Attempt;
use crate::progress::{Progress, digest};
use crate::report::{Report, junit, terminal};
use crate::sandbox::build::BuildSettings;
use crate::sandbox::daemon;
use crate::sandbox::facts::QuizFacts;
use crate::submission::TEXT_BYTES;
use crate::{images, learner, memory, workspace};

/// Grades, reports and keeps the result.
pub async fn run(args: &CheckArgs, out: &mut dyn Write) -> Result<u8, Fault> {
    let course = course()?;
    let lesson = lesson(&course, args.lesson.as_deref())?;
    let dir = submission(&course, &lesson, args.dir.as_deref())?;
    let progress = Progress::open()?;
    let memory = if args.fresh { memory::Use::Renew } else { memory::Use::Recall };
    let (live, events) = Live::start(args.format != ReportFormat::Human);
    let settings = args.builds.settings();
    let ended = graded(&course, &lesson, &dir, &progress, &settings, memory, &events, interrupted()).await;
    drop(events);
    live.end().await;
    let report = ended?;
    write(&report, args.format, out).map_err(Fault::file("standard output"))?;
    Ok(report.exit_code())
}

/// Grades a folder, and keeps the report as an attempt.
#[expect(clippy::too_many_arguments, reason = "each is one thing that a run is about")]
pub async fn graded(
    course: &Course,
    lesson: &Lesson,
    dir: &Path,
    progress: &Progress,
    settings: &BuildSettings,
    memory: memory::Use,
    events: &Events,
    stop: impl Future<Output = ()>,
) -> Result<Report, Fault> {
    let (job, files) = job(course, lesson, dir, progress, settings, memory)?;
    // Notes on images go to standard error: the report alone is on standard output.
    let mut say = |line: &str| eprintln!("{line}");
    images::ensure(&daemon::connect().await?, &course.root, images::needed(lesson), &mut say).await?;
    let report = engine::grade(&job, events, stop).await?;
    keep(progress, &report, &files)?;
    Ok(report)
}

/// Keeps a report as an attempt. One in which nothing was measured, and that says what the last one
/// said, is the same attempt looked at again.
pub fn keep(progress: &Progress, report: &Report, files: &str) -> Result<(), Fault> {
    let same = |last: Attempt| last.points == report.points && last.failed == report.failed_ids();
    if report.measured() == 0 && progress.last(&report.lesson)?.is_some_and(same) {
        return Ok(());
    }
    progress.keep(report, files).map(drop)
}

/// A run for the learner's folder, with the answers to the quiz as they are now; and the digest by
/// which attempts at the same files are recognised.
pub fn job<'l>(
    course: &Course,
    lesson: &'l Lesson,
    dir: &Path,
    progress: &Progress,
    settings: &BuildSettings,
    memory: memory::Use,
) -> Result<(Job<'l>, String), Fault> {
    let answers = progress.answers(&lesson.spec.id)?;
    let quiz = quiz_facts(course, lesson, dir, &answers)?;
    let files = digest::submission(lesson, dir, &answers)?;
    let learner = learner::number(&lesson.spec.id)?;
    Ok((Job { lesson, dir: dir.to_path_buf(), quiz, learner, settings: settings.clone(), memory }, files))
}

/// Writes a report in the wanted form.
pub fn write(report: &Report, format: ReportFormat, out: &mut dyn Write) -> std::io::Result<()> {
    match format {
        ReportFormat::Human => terminal::write(report, out),
        ReportFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(report)?),
        ReportFormat::Junit => junit::write(report, out),
    }
}

/// The folder to grade: the one that is given, or the learner's own copy.
pub fn submission(course: &Course, lesson: &Lesson, given: Option<&Path>) -> Result<PathBuf, Fault> {
    if let Some(dir) = given {
        let full = here()?.join(dir);
        if !full.is_dir() {
            return Err(Fault::Usage { message: format!("{} is no folder", dir.display()) });
        }
        return apart(course, &full).map(|()| full);
    }
    let own = workspace::folder(course, lesson);
    if own.is_dir() {
        return Ok(own);
    }
    let id = &lesson.spec.id;
    Err(Fault::Usage { message: format!("you have no copy of {id} yet: `grader start {id}` makes one") })
}

/// A folder that is graded is never the course, and does not hold it: it would be judged by rules of
/// its own, whoever trusts that course.
fn apart(course: &Course, dir: &Path) -> Result<(), Fault> {
    let real = |path: &Path| path.canonicalize().map_err(Fault::file(path));
    if !real(&course.root)?.starts_with(real(dir)?) {
        return Ok(());
    }
    let message = format!(
        "{} holds the course itself, so it cannot be graded by it: name a folder that a learner has handed in, or set GRADER_COURSE to your own course",
        dir.display()
    );
    Err(Fault::Usage { message })
}

/// The learner's answers, judged by the page as it is now: those in `quiz.toml` of the folder, if
/// there is one, else those that `grader quiz` has kept.
pub fn quiz_facts(course: &Course, lesson: &Lesson, dir: &Path, kept: &Kept) -> Result<QuizFacts, Fault> {
    let page = course.page(lesson);
    // The exercises that prove a kind of check have no page.
    if !page.is_file() {
        return Ok(QuizFacts::default());
    }
    let quiz = Quiz::load(&course.root, &page)?;
    let file = dir.join("quiz.toml");
    // A link could lead anywhere, and this is before the gate; a mistake in the file is shown.
    let is_plain = std::fs::symlink_metadata(&file).is_ok_and(|data| data.is_file() && data.len() <= TEXT_BYTES);
    let answers = if is_plain {
        load_answers(&course.root, &file, &quiz)?
    } else {
        let given = |(id, stored): (&String, &StoredAnswer)| {
            Some((id.clone(), quiz.question(id)?.parse_stable(&stored.answer).ok()?))
        };
        kept.iter().filter_map(given).collect()
    };
    let graded = quiz.grade(&answers);
    let ids = |wanted: fn(&Graded) -> bool| graded.iter().filter(|one| wanted(one)).map(|one| one.id.clone()).collect();
    Ok(QuizFacts {
        questions: quiz.questions.len(),
        right: ids(|one| one.right),
        wrong: ids(|one| one.answered && !one.right),
    })
}
