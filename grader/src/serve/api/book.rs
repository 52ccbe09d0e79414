//! The book as it is now.
//!
//! Owns: telling pages that there is a newer build. Must not: build anything.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::App;

/// Which pages are served.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BookState {
    /// Counts builds of this session, from 1.
    pub version: u32,
    /// Why the sources as they are now cannot be built, for authors. Then the pages are older.
    pub complaint: Option<String>,
}

/// Tells which build is served.
pub async fn state(State(session): State<App>) -> Json<BookState> {
    let book = session.book.now();
    Json(BookState { version: book.version, complaint: book.complaint.clone() })
}
