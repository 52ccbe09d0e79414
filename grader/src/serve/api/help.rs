//! Hints, one by one.
//!
//! Owns: the answers about hints. Must not: decide how many are open; `progress` does.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::App;
use super::super::asked::Path;
use super::super::problem::{Problem, answered};
use super::lesson;
use crate::commands::hint;
use crate::progress::Progress;

/// The open hints of a check.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Hints {
    /// Those that are open, as Markdown, the first one first.
    pub open: Vec<String>,
    /// How many there are.
    pub total: usize,
}

/// Shows the open hints.
pub async fn hints(state: State<App>, path: Path<(String, String)>) -> Result<Json<Hints>, Problem> {
    shown(state, path, false).await
}

/// Opens one more.
pub async fn more(state: State<App>, path: Path<(String, String)>) -> Result<Json<Hints>, Problem> {
    shown(state, path, true).await
}

async fn shown(
    State(session): State<App>,
    Path((id, check)): Path<(String, String)>,
    more: bool,
) -> Result<Json<Hints>, Problem> {
    answered(move || -> Result<_, Problem> {
        let lesson = lesson(&session, &id)?;
        let Some(check) = lesson.check(&check) else {
            let error = format!("{} has no check called `{check}`", lesson.spec.id);
            return Err(Problem::new(StatusCode::NOT_FOUND, error, "The lesson lists its checks."));
        };
        let (hints, open) = hint::open(&lesson, check, &Progress::open()?, more)?;
        Ok(Hints { open, total: hints.total })
    })
    .await
}
