//! Pictures of what an exercise has made.
//!
//! Owns: beginning and following looks. Must not: look itself; `runs` does.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::super::App;
use super::super::asked::Path;
use super::super::looks::Look;
use super::super::problem::{Problem, answered};
use super::super::runs::Task;
use super::checks::{Begun, told};
use super::lesson;
use crate::workspace;

/// Begins a look, or joins the one of its kind that runs.
pub async fn begin(
    State(session): State<App>,
    Path((id, look)): Path<(String, String)>,
) -> Result<Json<Begun>, Problem> {
    answered(move || -> Result<_, Problem> {
        let lesson = lesson(&session, &id)?;
        let Some(look) = Look::named(&look).filter(|look| Look::of(&lesson).contains(look)) else {
            let error = format!("there is nothing like `{look}` to look at in {id}");
            return Err(Problem::new(StatusCode::NOT_FOUND, error, "The lesson lists its looks."));
        };
        workspace::start(&session.course, &lesson)?;
        let (course, settings) = (session.course.clone(), session.settings.clone());
        let (run, began) = session.runs.begin(course, lesson, settings, Task::Look(look));
        Ok(Begun { run: run.number, began })
    })
    .await
}

/// Tells everything of a look from its first event on, until it is over.
pub async fn follow(
    State(session): State<App>,
    Path((id, look, number)): Path<(String, String, u32)>,
) -> Result<Response, Problem> {
    told(Look::named(&look).and_then(|look| session.runs.of(&id, Some(look))), number)
}
