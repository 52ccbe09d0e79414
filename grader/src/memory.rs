//! What earlier runs have measured, so that what has not changed is not measured again.
//!
//! Owns: what a measurement depends on ([`keys`]), and keeping evidence and merged models under the
//! digest of it ([`store`]). Must not: judge, measure, or keep a verdict.
//!
//! Evidence is remembered, not the verdict: it is judged anew each time. It is found again only
//! under the same key, and a key covers: the grader's own program, the daemon with its version, the
//! programs `docker`, `docker-compose` and `docker-buildx`; the kind and parameters of the check; the
//! lesson's edit, secret and base images (by their ids); how builds run; and for each resource that
//! the check needs, everything that the resource is made from. Where it is in doubt whether a file
//! matters, the file counts. What cannot be covered (a base image that the daemon does not have, an
//! `ADD` of an address) is not remembered at all.
//!
//! Outside of every key lie: time, chance, and what a network gave to a build step. An app that works
//! only sometimes is remembered as it was when it was measured; `grader check --fresh` measures again,
//! and so does any check after [`store::DAYS`] days. Faults and blocked checks are never remembered, nor a failure
//! that time can explain ([`Check::time_explains`](crate::check::Check::time_explains)): what did not answer in
//! time is asked again by the next run.

mod digest;
mod dockerfile;
pub mod ignore;
pub mod keys;
mod models;
mod paths_in;
pub mod recall;
pub mod store;
pub mod surroundings;
pub mod tree;

pub use digest::Key;
pub use keys::Keys;
pub use models::Models;
pub use recall::Recalled;
pub use store::Store;
pub use surroundings::Surroundings;
pub use tree::Tree;

/// How a run treats the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// What is remembered is not measured again.
    Recall,
    /// Everything is measured, and remembered.
    Renew,
    /// Everything is measured, and nothing is kept.
    Nothing,
}
