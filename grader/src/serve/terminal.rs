//! Terminals in the page: shells on this machine, for the lessons that are done by hand.
//!
//! Owns: one shell for each lesson, and how many there may be. Must not: exist unless the person has
//! asked for it (`--terminal`).
//!
//! ```text
//! keys → page → WebSocket → keys → shell ⇄ pty → screen → frames (changed lines only) → page
//! ```

pub mod frames;
pub mod keys;
mod leftovers;
pub mod rows;
mod screen;
pub mod shell;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;

use super::problem::Problem;
use shell::Shell;

/// Shells that may run at once.
const MOST: usize = 4;

/// The shell of each lesson.
#[derive(Default)]
pub struct Terminals(Mutex<BTreeMap<String, Arc<Shell>>>);

impl Terminals {
    /// The lesson's shell, if it runs.
    pub fn of(&self, lesson: &str) -> Option<Arc<Shell>> {
        self.all().get(lesson).filter(|shell| shell.over().is_none()).cloned()
    }

    /// Starts a shell in a folder, unless the lesson has one (`false`).
    pub fn begin(&self, lesson: &str, folder: &Path) -> Result<bool, Problem> {
        let mut all = self.all();
        all.retain(|_, shell| shell.over().is_none());
        if all.contains_key(lesson) {
            return Ok(false);
        }
        if all.len() >= MOST {
            let open = all.keys().cloned().collect::<Vec<_>>().join(", ");
            let error = format!("{MOST} terminals are open, and there are no more: {open}");
            return Err(Problem::new(StatusCode::CONFLICT, error, "End the shell on one of these pages."));
        }
        all.insert(lesson.to_owned(), Shell::start(folder)?);
        Ok(true)
    }

    /// Ends all shells, and waits until nothing of them is left.
    pub async fn end(&self) {
        let shells: Vec<_> = self.all().values().cloned().collect();
        for shell in &shells {
            shell.stop();
        }
        for shell in shells {
            shell.ended().await;
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Shell>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_are_no_more_than_four_and_one_that_has_ended_makes_room() {
        let (terminals, folder) = (Terminals::default(), tempfile::tempdir().expect("folder"));
        for lesson in ["a", "b", "c", "d"] {
            assert!(terminals.begin(lesson, folder.path()).expect("a shell"), "{lesson}");
        }
        assert!(!terminals.begin("a", folder.path()).expect("the same shell"));
        let problem = terminals.begin("e", folder.path()).expect_err("there are four");
        assert!(problem.error.contains("a, b, c, d"), "{}", problem.error);
        let ended = terminals.of("b").expect("b");
        ended.stop();
        ended.ended().await;
        assert!(terminals.of("b").is_none());
        assert!(terminals.begin("e", folder.path()).expect("room"));
        terminals.end().await;
        assert!(terminals.of("a").is_none());
    }
}
