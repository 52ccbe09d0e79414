//! Who is answered at all.
//!
//! Owns: host, origin, session, size and rate of requests, and the headers that every answer has.
//! Must not: know what is asked for.
//!
//! The server listens on loopback only, but a browser on this machine also runs pages of others.
//! A page of theirs may send requests here (cross-site), or give its own name our address (DNS
//! rebinding). So: the `Host` has to be ours, an `Origin` has to be ours, and whoever asks has to have
//! the session's token, which only the person at the terminal has seen.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE, UPGRADE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::{App, Session};

/// The most that a request may bring, bytes. The largest is a file of an exercise.
pub const BODY_BYTES: usize = 1_200_000;
/// How many files may be asked for at once, and how many more each second. A page loads about fifty.
const BURST: f64 = 1_500.0;
const PER_SECOND: f64 = 300.0;
/// A request to the API counts like so many files.
const API_COSTS: f64 = 5.0;

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
    let mut response = match admitted(&session, &request) {
        Ok(Admitted::In) => next.run(request).await,
        Ok(Admitted::First(path)) => first(&session, &path),
        Err(problem) => problem.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

enum Admitted {
    /// The request is answered.
    In,
    /// It brings the token in its address: the browser gets a cookie, and goes on to this path.
    First(String),
}

fn admitted(session: &Session, request: &Request) -> Result<Admitted, Problem> {
    let refuse = |status, error: &str, remedy: &str| Err(Problem::new(status, error, remedy));
    let headers = request.headers();
    let own = own_names(session);
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    if !text(HOST).is_some_and(|host| own.iter().any(|name| name == host)) {
        return refuse(
            StatusCode::MISDIRECTED_REQUEST,
            "this is not the name of this server",
            "Open the address that `grader serve` has printed.",
        );
    }
    let is_own = |origin: &str| own.iter().any(|name| origin.strip_prefix("http://") == Some(name.as_str()));
    // No browser keeps a foreign page from opening a WebSocket, so what wants one has to say where it comes from.
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD) || headers.contains_key(UPGRADE);
    match text(ORIGIN) {
        Some(origin) if !is_own(origin) => {
            return refuse(StatusCode::FORBIDDEN, "another site asks for this", "Only the course's own pages may.");
        }
        None if changes => {
            return refuse(
                StatusCode::FORBIDDEN,
                "the request does not say which page it comes from",
                "Programs send `Origin: http://127.0.0.1:PORT`.",
            );
        }
        _ => {}
    }
    if let Some(given) = token_in(request.uri()) {
        let is_right = same(given, &session.token);
        return if is_right && !changes {
            Ok(Admitted::First(request.uri().path().to_owned()))
        } else {
            refuse(
                StatusCode::UNAUTHORIZED,
                "this address is of another session",
                "Open the address that `grader serve` has printed.",
            )
        };
    }
    if !has_cookie(session, headers) {
        return refuse(
            StatusCode::UNAUTHORIZED,
            "this browser has not been here in this session",
            "Open the address that `grader serve` has printed.",
        );
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_BYTES) {
        return refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "that is too much for one request",
            "A file of an exercise has at most a million bytes.",
        );
    }
    let cost = if request.uri().path().starts_with("/api/") { API_COSTS } else { 1.0 };
    if !session.rate.take(cost) {
        return refuse(StatusCode::TOO_MANY_REQUESTS, "too many requests", "Wait a moment.");
    }
    Ok(Admitted::In)
}

/// The names by which a browser may call this server.
fn own_names(session: &Session) -> [String; 2] {
    let port = session.address.port();
    [format!("127.0.0.1:{port}"), format!("localhost:{port}")]
}

fn token_in(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="))
}

/// Cookies do not know ports: the name keeps two sessions on one machine apart.
fn cookie_name(session: &Session) -> String {
    format!("grader-{}", session.address.port())
}

fn has_cookie(session: &Session, headers: &HeaderMap) -> bool {
    let name = cookie_name(session);
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
    let mut pairs = cookies.filter_map(|pair| pair.trim().split_once('='));
    pairs.any(|(key, value)| key == name && same(value, &session.token))
}

/// Compares without telling by its time how far two texts are alike.
fn same(given: &str, right: &str) -> bool {
    let differ = given.bytes().zip(right.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    given.len() == right.len() && differ == 0
}

fn first(session: &Session, path: &str) -> Response {
    let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", cookie_name(session), session.token);
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, path.to_owned())]).into_response()
}

/// A bucket that fills by itself, and from which each request takes what it costs.
pub struct Rate(Mutex<(f64, Instant)>);

impl Default for Rate {
    fn default() -> Self {
        Self(Mutex::new((BURST, Instant::now())))
    }
}

impl Rate {
    fn take(&self, cost: f64) -> bool {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let filled = (bucket.0 + now.duration_since(bucket.1).as_secs_f64() * PER_SECOND).min(BURST);
        let is_enough = filled >= cost;
        *bucket = (if is_enough { filled - cost } else { filled }, now);
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_or_not() {
        assert!(same("abc", "abc"));
        for other in ["abd", "ab", "abcd", ""] {
            assert!(!same(other, "abc"), "{other}");
        }
    }

    #[test]
    fn a_bucket_is_empty_after_its_burst() {
        let rate = Rate::default();
        let taken = (0..10_000).filter(|_| rate.take(API_COSTS)).count();
        assert!((300..600).contains(&taken), "{taken}");
    }
}
