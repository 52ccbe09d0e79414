//! `grader serve`: who is answered, what is served, and that nothing is lost.
//!
//! What a person sees in the browser is in `tests/browser`.

mod api;
mod authors;
mod files;
mod guard;
mod runs;

/// The exercise that these tests use.
const EXERCISE: &str = "lesson06-namespaces-pid-uts";
