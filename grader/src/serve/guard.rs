//! Who is answered at all.
//!
//! Owns: host, origin, session, size and rate of requests, and the headers that every answer has.
//! Must not: know what is asked for.
//!
//! The server listens on loopback only, but a browser on this machine also runs pages of others, and other
//! people's programs run on this machine, too. A page of theirs may send requests here (cross-site), or give its own
//! name our address (DNS rebinding). So: the `Host` has to be ours, an `Origin` has to be ours, the book is for whoever
//! has the session's cookie, and all else for whoever has its key.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, HOST, LOCATION, ORIGIN, UPGRADE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::connections::Place;
use super::entrance::Standing;
use super::problem::Problem;
use super::{App, Session, door};

/// The most that a request may bring, bytes. The largest is a file of an exercise.
pub const BODY_BYTES: usize = 1_200_000;
/// How many files may be asked for at once, and how many more each second. A page loads about fifty.
const FILES: (f64, f64) = (1_500.0, 300.0);
/// The same for the API.
const ASKED: (f64, f64) = (300.0, 60.0);

/// Headers of every answer. Nothing is loaded from elsewhere, no script stands in a page, nobody may
/// put a page of ours into theirs.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; form-action 'none'; base-uri 'self'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// Lets a request in, or says why not.
pub async fn guard(State(session): State<App>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = match admitted(&session, &request) {
        _ if is_by_name(&session, &request) && method == Method::GET => {
            let own = format!("http://{}{path}", session.address);
            (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, own)]).into_response()
        }
        Ok(standing) => {
            if let Some(place) = request.extensions().get::<Place>() {
                place.is_of(standing);
            }
            if path == door::PATH { door::page() } else { next.run(request).await }
        }
        Err(problem) => door::refusal(&method, &path, door::accepted(request.headers()), problem),
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn admitted(session: &Session, request: &Request) -> Result<Standing, Problem> {
    is_from_here(session, request)?;
    let (headers, path) = (request.headers(), request.uri().path());
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_BYTES) {
        let remedy = "A file of an exercise has at most a million bytes.";
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "that is too much for one request", remedy));
    }
    let standing = session.entrance.standing(headers);
    if door::is_for_all(path) {
        return Ok(standing);
    }
    let is_api = path.starts_with("/api/");
    if standing < if is_api { Standing::Learner } else { Standing::Reader } {
        let error = "this browser has not been here in this session";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, error, door::REMEDY));
    }
    // One bucket each: a cookie that somebody else has got must not empty that of the API.
    if !(if is_api { &session.rates.asked } else { &session.rates.files }).take() {
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", "Wait a moment."));
    }
    Ok(standing)
}

/// Whether the address says `localhost`. That may also be the other loopback address, `::1`, where somebody else can
/// listen on the same port: their pages would share with ours what a browser keeps. So nothing is kept under that name.
fn is_by_name(session: &Session, request: &Request) -> bool {
    host(request) == Some(format!("localhost:{}", session.address.port()).as_str())
}

fn host(request: &Request) -> Option<&str> {
    request.headers().get(HOST)?.to_str().ok()
}

/// Whether a request was sent to us, and not by a page of others.
fn is_from_here(session: &Session, request: &Request) -> Result<(), Problem> {
    let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let own = session.address.to_string();
    if host(request) != Some(own.as_str()) {
        let remedy = "Open the address that `grader serve` has printed as it is. Where a port is forwarded, it needs the same number on \
                      both sides.";
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "this is not the name of this server", remedy));
    }
    let is_own = |origin: &str| origin.strip_prefix("http://") == Some(own.as_str());
    let foreign =
        || Err(Problem::new(StatusCode::FORBIDDEN, "another site asks for this", "Only the course's own pages may."));
    // No browser keeps a foreign page from opening a WebSocket, so what wants one has to say where it comes from.
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD) || request.headers().contains_key(UPGRADE);
    match text(ORIGIN.as_str()) {
        Some(origin) if !is_own(origin) => return foreign(),
        None if changes => {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "the request does not say which page it comes from",
                "Programs send `Origin: http://127.0.0.1:PORT`.",
            ));
        }
        _ => {}
    }
    // Pictures and scripts in a foreign page are asked for without an `Origin`. A link that is followed may come from anywhere.
    let is_foreign = text("sec-fetch-site").is_some_and(|site| !["same-origin", "none"].contains(&site));
    if is_foreign && text("sec-fetch-mode") != Some("navigate") { foreign() } else { Ok(()) }
}

/// How many requests may still come.
pub struct Rates {
    files: Rate,
    asked: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self { files: Rate::of(FILES), asked: Rate::of(ASKED) }
    }
}

/// A bucket that fills by itself, and from which each request takes one.
struct Rate {
    /// How much it holds at most, and how much comes each second.
    of: (f64, f64),
    now: Mutex<(f64, Instant)>,
}

impl Rate {
    fn of(of: (f64, f64)) -> Self {
        Self { of, now: Mutex::new((of.0, Instant::now())) }
    }

    fn take(&self) -> bool {
        let mut bucket = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let filled = (bucket.0 + now.duration_since(bucket.1).as_secs_f64() * self.of.1).min(self.of.0);
        let is_enough = filled >= 1.0;
        *bucket = (if is_enough { filled - 1.0 } else { filled }, now);
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_empty_after_its_burst() {
        let rate = Rate::of((300.0, 0.0));
        assert_eq!((0..1_000).filter(|_| rate.take()).count(), 300);
    }
}
