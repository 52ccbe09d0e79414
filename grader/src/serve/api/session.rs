//! Coming in.
//!
//! Owns: what a browser gets for an address, or for the key that it has kept. Must not: decide who comes in;
//! `entrance` does.

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::App;
use super::super::door::REMEDY;
use super::super::entrance::By;
use super::super::problem::Problem;

/// What everything else is asked with.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entered {
    /// The session's key, for `Authorization: Bearer`.
    pub key: String,
}

/// Lets a browser in.
pub async fn enter(State(session): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let by = session.entrance.let_in(&headers);
    let error = "this address lets nobody in any more: each one works once";
    let by = by.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, error, REMEDY))?;
    if by == By::Address {
        // So that nobody comes in unnoticed.
        let now = jiff::Zoned::now().strftime("%H:%M:%S");
        eprintln!("{now}: a browser has opened the course.");
    }
    let entered = Entered { key: session.entrance.key().to_owned() };
    Ok(([(SET_COOKIE, session.entrance.cookie())], Json(entered)).into_response())
}
