//! What each command does, one file per command.
//!
//! Owns: putting the library's parts together for a person at a terminal. Must not: measure or
//! judge.

pub mod check;
pub mod compare;
pub mod dev;
pub mod doctor;
pub mod give_up;
pub mod hint;
pub mod images;
pub mod init;
pub mod layers;
pub mod list;
pub mod live;
pub mod look;
pub mod progress;
pub mod quiz;
pub mod solution;
pub mod start;
pub mod sweep;
pub mod text;
pub mod trust;
pub mod watch;

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};

use crate::course::{Course, Lesson};
use crate::fault::Fault;
use crate::workspace;

/// Ends when the person, or the system, wants the program to stop: Ctrl-C, SIGTERM or a closed
/// terminal. Without a handler these would end it at once, and leave everything behind.
pub async fn interrupted() {
    let ended = |kind| async move {
        match signal(kind) {
            Ok(mut stream) => drop(stream.recv().await),
            // Where a signal cannot be listened to, it does what it always does.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = ended(SignalKind::interrupt()) => {}
        () = ended(SignalKind::terminate()) => {}
        () = ended(SignalKind::hangup()) => {}
    }
}

/// The current folder.
pub fn here() -> Result<PathBuf, Fault> {
    std::env::current_dir().map_err(Fault::file("."))
}

/// The course that the current folder belongs to, if it is one that may be believed. `GRADER_COURSE`
/// names another one.
pub fn course() -> Result<Course, Fault> {
    match std::env::var_os("GRADER_COURSE").filter(|named| !named.is_empty()) {
        Some(named) => {
            let named = here()?.join(named);
            Ok(Course::find(&named.canonicalize().unwrap_or(named))?)
        }
        None => crate::trust::course_at(&here()?),
    }
}

/// The lesson that was named, or the one whose folder we are in.
pub fn lesson(course: &Course, named: Option<&str>) -> Result<Lesson, Fault> {
    if let Some(called) = named {
        return course.lesson(called);
    }
    match workspace::lesson_at(course, &here()?)? {
        Some(name) => course.lesson(&name.id),
        None => Err(Fault::Usage {
            message: "which lesson? Name it (for example `lesson36`), or go into its folder under workspace/.".into(),
        }),
    }
}
