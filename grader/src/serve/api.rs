//! All routes of the API, on one page.
//!
//! Owns: the list. Must not: answer anything itself.

pub mod book;
pub mod checks;
pub mod help;
pub mod lessons;
pub mod looks;
pub mod quiz;
pub mod session;
pub mod terminal;
pub mod workspace;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::Value;

use super::door;
use super::guard::BODY_BYTES;
use super::problem::Problem;
use super::routes::Routes;
use super::terminal::frames;
use super::{App, Session};
use crate::course::Lesson;

/// The routes, with the document that describes them.
pub fn routes() -> (Router<App>, Value) {
    Routes::new()
        .post::<(), session::Entered, _>(
            door::SESSION,
            "Come in: by the token of an address, or by the key, as the bearer",
            session::enter,
        )
        .get::<lessons::Lessons, _>("/api/lessons", "All lessons, and how far the learner is", lessons::all)
        .get::<book::BookState, _>("/api/book", "Which build of the book is served", book::state)
        .get::<lessons::OneLesson, _>(
            "/api/lessons/{lesson}",
            "What a lesson asks for, and its last attempts",
            lessons::one,
        )
        .get::<lessons::Pulse, _>("/api/lessons/{lesson}/pulse", "What may have changed elsewhere", lessons::pulse)
        .get::<workspace::Files, _>("/api/lessons/{lesson}/files", "The learner's files", workspace::files)
        .put::<workspace::Save, super::files::FileEntry, _>(
            "/api/lessons/{lesson}/files",
            "Save a file",
            workspace::save,
        )
        .post::<(), workspace::Started, _>("/api/lessons/{lesson}/start", "Make the learner's copy", workspace::start)
        .post::<(), workspace::Started, _>(
            "/api/lessons/{lesson}/reset",
            "Put the starter back, with a snapshot",
            workspace::reset,
        )
        .post::<checks::Wish, checks::Begun, _>(
            "/api/lessons/{lesson}/check",
            "Begin a check, or join the one that runs",
            checks::begin,
        )
        .get::<checks::Told, _>(
            "/api/lessons/{lesson}/check/{run}",
            "The run's events, one JSON object per line, until it is over",
            checks::follow,
        )
        .post::<(), checks::Begun, _>(
            "/api/lessons/{lesson}/looks/{look}",
            "Begin to look at `layers`, or to `compare` two stacks; or join the look that runs",
            looks::begin,
        )
        .get::<checks::Told, _>(
            "/api/lessons/{lesson}/looks/{look}/{run}",
            "The look's events; the last one has the picture and its tables",
            looks::follow,
        )
        .get::<help::Hints, _>("/api/lessons/{lesson}/hints/{check}", "The open hints of a check", help::hints)
        .post::<(), help::Hints, _>(
            "/api/lessons/{lesson}/hints/{check}",
            "Open one more hint, which is kept",
            help::more,
        )
        .get::<quiz::Answers, _>("/api/lessons/{lesson}/quiz", "The learner's answers", quiz::answers)
        .post::<quiz::Given, quiz::Judged, _>(
            "/api/lessons/{lesson}/quiz/{question}",
            "Answer a question",
            quiz::answer,
        )
        .post::<(), terminal::Opened, _>(
            "/api/lessons/{lesson}/terminal",
            "Start a shell for the lesson, unless it has one",
            terminal::open,
        )
        .socket::<frames::Wish, frames::Frame, _>(
            "/api/lessons/{lesson}/terminal",
            "A WebSocket to the lesson's shell: frames come, wishes go",
            terminal::join,
        )
        .finish()
}

/// The routes, and the document itself.
pub fn router() -> Router<App> {
    let refuse =
        |status, error: &'static str| async move { Problem::new(status, error, "/api/openapi.json lists them.") };
    let (router, document) = routes();
    router
        .route("/api/openapi.json", get(async move || Json(document)))
        .route("/api/{*other}", any(move || refuse(StatusCode::NOT_FOUND, "there is no such route")))
        .method_not_allowed_fallback(move || refuse(StatusCode::METHOD_NOT_ALLOWED, "this route has other methods"))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
}

/// The lesson of a route, by its id.
fn lesson(session: &Session, id: &str) -> Result<Lesson, Problem> {
    session.course.lesson(id).map_err(|fault| {
        let mut problem = Problem::from(fault);
        if problem.status == StatusCode::BAD_REQUEST {
            problem.status = StatusCode::NOT_FOUND;
        }
        problem
    })
}
