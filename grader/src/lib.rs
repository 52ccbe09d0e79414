//! Grades Docker exercises by what really happens in a Docker daemon.
//!
//! Imports point downward only, in the order of this list from the bottom up; see
//! ARCHITECTURE.md.

/// The grader's version, and behind `+` the beginning of the digest of the sources that it was made of:
/// two builds of one version may judge differently.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("GRADER_SOURCES"));

pub mod book;
pub mod check;
pub mod checks;
pub mod cli;
pub mod commands;
pub mod course;
pub mod doctor;
pub mod engine;
pub mod event;
pub mod fault;
pub mod images;
pub mod learner;
pub mod looks;
pub mod memory;
pub mod paths;
pub mod picture;
pub mod plan;
pub mod policy;
pub mod progress;
pub mod report;
pub mod sandbox;
pub mod secret;
pub mod serve;
pub mod shown;
pub mod submission;
pub mod trust;
pub mod verdict;
pub mod workspace;
