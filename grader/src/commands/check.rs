//! `grader check`: grades the learner's exercise.
//!
//! Owns: finding the folder, the quiz answers and the exit code. Must not: measure or judge.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::live::Live;
use super::{course, here, lesson};
use crate::cli::{CheckArgs, FormatName};
use crate::course::quiz::Quiz;
use crate::course::{Course, Lesson};
use crate::engine::{self, Job};
use crate::fault::Fault;
use crate::progress::Progress;
use crate::report::{Report, terminal};
use crate::sandbox::facts::QuizFacts;
use crate::workspace;

/// Grades, reports and keeps the result.
pub async fn run(args: &CheckArgs, out: &mut dyn Write) -> Result<u8, Fault> {
    let course = course()?;
    let lesson = lesson(&course, args.lesson.as_deref())?;
    let dir = submission(&course, &lesson, args.dir.as_deref())?;
    let progress = Progress::open()?;
    let job = Job {
        dir,
        quiz: quiz_facts(&course, &lesson, &progress)?,
        settings: args.builds.settings(),
        lesson: &lesson,
    };
    //TMP images::ensure(&course.root, &lesson.spec.images).await?;
    let (live, events) = Live::start(args.format.format == FormatName::Json);
    let interrupted = async {
        // Without a handler Ctrl-C would end us at once, and leave everything behind.
        let _ = tokio::signal::ctrl_c().await;
    };
    let graded = engine::grade(&job, &events, interrupted).await;
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

fn submission(course: &Course, lesson: &Lesson, given: Option<&Path>) -> Result<PathBuf, Fault> {
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

/// The learner's answers, judged by the page as it is now.
fn quiz_facts(course: &Course, lesson: &Lesson, progress: &Progress) -> Result<QuizFacts, Fault> {
    let page = course.page(lesson);
    if !page.is_file() {
        return Ok(QuizFacts::default());
    }
    let quiz = Quiz::load(&course.root, &page)?;
    let answers = progress.answers(&lesson.spec.id)?;
    let mut facts = QuizFacts { questions: quiz.questions.len(), ..QuizFacts::default() };
    for question in &quiz.questions {
        let answer = answers.get(&question.id).and_then(|kept| question.parse_stable(&kept.answer).ok());
        match answer.map(|answer| question.judge(&answer).right) {
            Some(true) => facts.right.push(question.id.clone()),
            Some(false) => facts.wrong.push(question.id.clone()),
            None => {}
        }
    }
    Ok(facts)
}
