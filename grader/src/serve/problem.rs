//! What a request gets when it cannot be answered.
//!
//! Owns: the JSON form of errors and their status codes. Must not: hide what went wrong.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::fault::Fault;

/// An error, as the page shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Problem {
    /// The HTTP status; also in the response's head.
    #[serde(skip)]
    #[schemars(skip)]
    pub status: StatusCode,
    /// What is wrong.
    pub error: String,
    /// What can be done about it.
    pub remedy: String,
    /// Where two have changed the same file: what is on disk now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
}

impl Problem {
    /// A problem that has a remedy.
    pub fn new(status: StatusCode, error: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status, error: error.into(), remedy: remedy.into(), current: None }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let status = match &fault {
            Fault::Usage { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, fault.to_string(), fault.remedy())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}

/// Runs work that may wait for the disk on a thread of its own.
pub async fn answered<T: Serialize + Send + 'static, E: Into<Problem> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<Json<T>, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map(Json).map_err(Into::into),
        Err(error) => Err(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the grader has a fault: {error}"),
            "Please report it with this message. Nothing of yours is lost.",
        )),
    }
}
