//! What lessons ask for, and how far the learner is.
//!
//! Owns: the answers about lessons. Must not: change anything.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::App;
use super::super::asked::Path;
use super::super::files;
use super::super::problem::{Problem, answered};
use super::lesson;
use super::terminal::{Has, has};
use crate::fault::Fault;
use crate::progress::Progress;
use crate::serve::looks::Look;
use crate::workspace;

/// All lessons.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Lessons {
    /// In their order.
    pub lessons: Vec<Row>,
}

/// One lesson in short.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Row {
    /// Such as `lesson06`.
    pub id: String,
    /// The page in the book, such as `lesson06-namespaces.html`.
    pub page: String,
    /// The best attempt's points.
    pub points: Option<u32>,
    /// The points that there are, as far as the lesson can be read.
    pub of: Option<u32>,
    /// Whether the learner has a copy of the exercise.
    pub started: bool,
    /// When full points were earned first, RFC 3339.
    pub passed: Option<String>,
    /// When the last attempt ended.
    pub last: Option<String>,
}

/// A lesson with its checks.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OneLesson {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Minutes that the exercise takes.
    pub minutes: u32,
    /// What is to be delivered.
    pub deliver: Vec<String>,
    /// Whether the learner has a copy.
    pub started: bool,
    /// The folder of the copy on this machine.
    pub folder: String,
    /// What else the page can look at.
    pub looks: Vec<Look>,
    /// What is measured.
    pub checks: Vec<CheckRow>,
    /// Attempts so far, oldest first.
    pub attempts: Vec<AttemptRow>,
    /// Whether the lesson has a terminal in the page.
    pub terminal: Has,
    /// The report of the last attempt, whichever session or terminal it was made in.
    pub report: Option<serde_json::Value>,
}

/// A check in short.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckRow {
    /// Its id.
    pub id: String,
    /// What holds when it passes.
    pub title: String,
    /// Points that it gives.
    pub points: u32,
    /// Why it matters.
    pub why: String,
}

/// An attempt.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AttemptRow {
    /// When it ended, RFC 3339.
    pub at: String,
    /// Points.
    pub points: u32,
    /// Of so many.
    pub of: u32,
    /// `passed`, `failed`, `refused` or `fault`.
    pub result: String,
}

/// What may have changed elsewhere.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Pulse {
    /// Changes when a file of the exercise has changed.
    pub files: String,
    /// The number of the last run, and whether it is over.
    pub run: Option<RunState>,
}

/// Where a run is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunState {
    /// Its number.
    pub number: u32,
    /// Whether it is over.
    pub over: bool,
}

/// Lists all lessons.
pub async fn all(State(session): State<App>) -> Result<Json<Lessons>, Problem> {
    answered(move || -> Result<_, Fault> {
        let progress = Progress::open()?;
        let mut lessons = Vec::new();
        for name in session.course.names()? {
            let summary = progress.summary(&name.id)?;
            let folder = name.dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (points, then) = summary.best.unzip();
            let of = then.or_else(|| session.course.lesson(&name.id).ok().map(|lesson| lesson.points()));
            let started = session.course.workspace().join(&folder).exists();
            let page = format!("{folder}.html");
            lessons.push(Row { id: name.id, page, points, of, started, passed: summary.passed, last: summary.last });
        }
        Ok(Lessons { lessons })
    })
    .await
}

/// Describes one lesson.
pub async fn one(State(session): State<App>, Path(id): Path<String>) -> Result<Json<OneLesson>, Problem> {
    answered(move || -> Result<_, Problem> {
        let lesson = lesson(&session, &id)?;
        let progress = Progress::open()?;
        let mut report = progress.last_report(&lesson.spec.id)?;
        report.iter_mut().for_each(crate::shown::every_text);
        let attempts = progress.attempts(&lesson.spec.id)?;
        let attempts = attempts.into_iter().map(|(attempt, _)| AttemptRow {
            at: attempt.at,
            points: attempt.points,
            of: attempt.of,
            result: attempt.result,
        });
        let folder = workspace::folder(&session.course, &lesson);
        let checks = lesson.checks.iter().map(|check| CheckRow {
            id: check.spec.id.clone(),
            title: check.spec.title.clone(),
            points: check.spec.points,
            why: check.spec.why.clone(),
        });
        Ok(OneLesson {
            checks: checks.collect(),
            looks: Look::of(&lesson),
            attempts: attempts.collect(),
            report,
            terminal: has(&session, &lesson.spec.id),
            started: folder.is_dir(),
            folder: folder.display().to_string(),
            id: lesson.spec.id.clone(),
            title: lesson.spec.title.clone(),
            minutes: lesson.spec.minutes,
            deliver: lesson.spec.deliver.clone(),
        })
    })
    .await
}

/// Tells what may have changed.
pub async fn pulse(State(session): State<App>, Path(id): Path<String>) -> Result<Json<Pulse>, Problem> {
    answered(move || -> Result<_, Problem> {
        let lesson = lesson(&session, &id)?;
        let run =
            session.runs.of(&lesson.spec.id, None).map(|run| RunState { number: run.number, over: run.is_over() });
        let files = files::state(&workspace::folder(&session.course, &lesson));
        Ok(Pulse { files, run })
    })
    .await
}
