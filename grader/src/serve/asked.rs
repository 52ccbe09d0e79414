//! What a request brings, and what is said of it when it cannot be understood.
//!
//! Owns: a request's JSON and the parts of its path, refused as a [`Problem`] like everything else.
//! Must not: know what is asked for.

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts};

use super::problem::Problem;

/// The JSON of a request.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(Problem))]
pub struct Asked<T>(pub T);

/// The parts of a path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub struct Path<T>(pub T);

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let remedy =
            "/api/openapi.json says what a request brings, as `application/json` of at most 1.2 million bytes.";
        Self::new(rejection.status(), rejection.body_text(), remedy)
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text(), "/api/openapi.json lists the routes.")
    }
}
