//! What is shown to a browser that has not come in yet.
//!
//! Owns: the page that takes an address's token, and that says what to do where there is none. Must not: tell
//! anything of the course: everybody on this machine can ask for it.
//!
//! The token stands behind the `#` of the address, which a browser keeps for itself. The page's script sends
//! it, gets the session's secrets, and goes on to the book.

use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::own;
use super::problem::Problem;
use crate::book::shown_markdown;

/// Where addresses lead.
pub const PATH: &str = "/enter";
/// Where the page's script sends the token.
pub const SESSION: &str = "/api/session";
/// What of ours the page loads.
const FILES: [&str; 3] = ["door.css", "door.js", "key.js"];

/// What to do about it, wherever somebody is not let in.
pub const REMEDY: &str = "Press Enter in the terminal in which `grader serve` runs, and open the address that it prints then, in this \
                          browser.";

/// Whether everybody may ask for this.
pub fn is_for_all(path: &str) -> bool {
    let is_file = || own::name(path).is_some_and(|name| FILES.contains(&name));
    path == PATH || path == SESSION || is_file()
}

/// The page itself. Its script takes the place of these words where it has a token.
pub fn page() -> Response {
    shown(StatusCode::OK, "This browser has not been here in this session", REMEDY)
}

/// A refusal: a page for somebody who wants to read one, JSON for everything else.
pub fn refusal(method: &Method, path: &str, accept: Option<&str>, problem: Problem) -> Response {
    let is_page = method == Method::GET && !path.starts_with("/api/");
    if is_page && accept.is_some_and(|kinds| kinds.contains("text/html")) {
        return shown(problem.status, &problem.error, &problem.remedy);
    }
    problem.into_response()
}

fn shown(status: StatusCode, error: &str, remedy: &str) -> Response {
    let mut first = error.chars();
    let error: String = first.next().into_iter().flat_map(char::to_uppercase).chain(first).collect();
    let page = include_str!("door.html")
        .replace("{css}", &own::address("door.css"))
        .replace("{js}", &own::address("door.js"))
        .replace("{error}", &shown_markdown(&format!("{error}.")))
        .replace("{remedy}", &shown_markdown(remedy));
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")], page).into_response()
}

/// What a request takes, as one text.
pub fn accepted(headers: &axum::http::HeaderMap) -> Option<&str> {
    headers.get(ACCEPT)?.to_str().ok()
}
