//! What a request brings, and what is said of it when it cannot be understood.
//!
//! Owns: a request's JSON, how long it may take to come, and the parts of its path, refused as a [`Problem`] like
//! everything else.
//! Must not: know what is asked for.

use std::time::Duration;

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The longest that all of a request may take to come.
const WHOLE: Duration = Duration::from_secs(30);

/// The JSON of a request.
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        within(WHOLE, request, state).await.map(Self)
    }
}

async fn within<S: Send + Sync, T: DeserializeOwned>(
    limit: Duration,
    request: Request,
    state: &S,
) -> Result<T, Problem> {
    let Ok(read) = tokio::time::timeout(limit, axum::Json::from_request(request, state)).await else {
        let error = "the request did not come to its end";
        return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, error, "Send all of it at once."));
    };
    let axum::Json(asked) = read?;
    Ok(asked)
}

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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::CONTENT_TYPE;
    use futures_util::{StreamExt, stream};

    use super::*;

    #[tokio::test]
    async fn a_request_that_never_ends_is_given_up() {
        let half = stream::iter([Ok::<_, std::convert::Infallible>("{\"path\": ")]).chain(stream::pending());
        let request = Request::put("/").header(CONTENT_TYPE, "application/json");
        let request = request.body(Body::from_stream(half)).expect("a request");
        let read = within::<_, serde_json::Value>(Duration::from_millis(20), request, &()).await;
        assert_eq!(read.expect_err("half of it").status, StatusCode::REQUEST_TIMEOUT);
    }
}
