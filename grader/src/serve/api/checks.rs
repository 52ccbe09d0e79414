//! Checking an exercise, with its events as they come.
//!
//! Owns: beginning and following runs. Must not: run anything; `runs` does.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::asked::{Asked, Path};
use super::super::problem::{Problem, answered};
use super::lesson;
use crate::serve::runs::{Run, Task};
use crate::{memory, workspace};

/// How a check is to run.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Whether what has not changed is measured as well.
    #[serde(default)]
    pub fresh: bool,
}

/// The run that answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Begun {
    /// Its number, for following it.
    pub run: u32,
    /// Whether it has begun now; `false` when one was going on.
    pub began: bool,
}

/// One line of a run: an event of the engine; the last one is `report`, `looked`, `refused` or `fault`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Told {
    /// `run-started`, `stage-started`, `stage-progress`, `stage-ended`, `check-ended`, `sample`,
    /// `cleaning-up`, `report`, `looked`, `refused` or `fault`.
    pub event: String,
    /// When it happened, milliseconds since 1970.
    pub at: i64,
}

/// Begins a check, or joins the one that runs: a second click begins nothing.
pub async fn begin(
    State(session): State<App>,
    Path(id): Path<String>,
    Asked(wish): Asked<Wish>,
) -> Result<Json<Begun>, Problem> {
    answered(move || -> Result<_, Problem> {
        let lesson = lesson(&session, &id)?;
        workspace::start(&session.course, &lesson)?;
        let memory = if wish.fresh { memory::Use::Renew } else { memory::Use::Recall };
        let (run, began) =
            session.runs.begin(session.course.clone(), lesson, session.settings.clone(), Task::Check(memory));
        Ok(Begun { run: run.number, began })
    })
    .await
}

/// Tells everything of a run from its first event on, until it is over.
pub async fn follow(State(session): State<App>, Path((id, number)): Path<(String, u32)>) -> Result<Response, Problem> {
    told(session.runs.of(&id, None), number)
}

/// All lines of a run.
pub fn told(run: Option<Arc<Run>>, number: u32) -> Result<Response, Problem> {
    let Some(run) = run.filter(|run| run.number == number) else {
        let remedy = "Reports of earlier runs are in the lesson's attempts.";
        return Err(Problem::new(StatusCode::NOT_FOUND, "there is no such run in this session", remedy));
    };
    let lines = stream::unfold((run, 0), async |(run, told)| {
        let events = run.after(told).await?;
        let text = events.iter().fold(String::new(), |text, event| text + &event.to_string() + "\n");
        let next = told + events.len();
        Some((Ok::<_, std::convert::Infallible>(text), (run, next)))
    });
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}
