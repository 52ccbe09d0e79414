//! `grader check`: grades the learner's exercise.
//!
//! Owns: finding the folder, the quiz answers and the exit code. Must not: measure or judge.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::live::Live;
use super::{course, here, interrupted, lesson};
use crate::cli::{CheckArgs, FormatName};
use crate::commands::quiz::Kept;
use crate::course::quiz::{Graded, Quiz, StoredAnswer, load_answers};
use crate::course::{Course, Lesson};
use crate::engine::{self, Job};
use crate::fault::Fault;
use crate::progress::Progress;
use crate::report::{Report, terminal};
use crate::sandbox::daemon;
use crate::sandbox::facts::QuizFacts;
use crate::{images, learner, workspace};

/// Grades, reports and keeps the result.
pub async fn run(args: &CheckArgs, out: &mut dyn Write) -> Result<u8, Fault> {
    let course = course()?;
    let lesson = lesson(&course, args.lesson.as_deref())?;
    let dir = submission(&course, &lesson, args.dir.as_deref())?;
    let progress = Progress::open()?;
    let job = Job {
        quiz: quiz_facts(&course, &lesson, &dir, &progress.answers(&lesson.spec.id)?)?,
        dir,
        learner: learner::number(&lesson.spec.id)?,
        settings: args.builds.settings(),
        lesson: &lesson,
    };
    // Notes on images go to standard error: the report alone is on standard output.
    let mut say = |line: &str| eprintln!("{line}");
    images::ensure(&daemon::connect().await?, &course.root, images::needed(&lesson), &mut say).await?;
    let (live, events) = Live::start(args.format.format == FormatName::Json);
    let graded = engine::grade(&job, &events, interrupted()).await;
    drop(events);
    live.end().await;
    let report = graded?;
    write(&report, args.format.format, out).map_err(Fault::file("standard output"))?;
    progress.keep(&report)?;
    Ok(report.exit_code())
}

/// Writes a report in the wanted form.
pub fn write(report: &Report, format: FormatName, out: &mut dyn Write) -> std::io::Result<()> {
    match format {
        FormatName::Human => terminal::write(report, out),
        FormatName::Json => writeln!(out, "{}", serde_json::to_string_pretty(report)?),
    }
}

/// The folder to work on: the one that was given, or the learner's own copy.
pub(super) fn submission(course: &Course, lesson: &Lesson, given: Option<&Path>) -> Result<PathBuf, Fault> {
    if let Some(dir) = given {
        let full = here()?.join(dir);
        return if full.is_dir() {
            Ok(full)
        } else {
            Err(Fault::Usage { message: format!("{} is no folder", dir.display()) })
        };
    }
    let own = workspace::folder(course, lesson);
    if own.is_dir() {
        return Ok(own);
    }
    let id = &lesson.spec.id;
    Err(Fault::Usage { message: format!("you have no copy of {id} yet: `grader start {id}` makes one") })
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
    let answers = if file.is_file() {
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
