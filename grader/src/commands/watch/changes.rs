//! Whether the submission has changed.
//!
//! Owns: the state of a submission, and waiting until it may have changed. Must not: lose a save:
//! events only wake us early; the contents are compared, and every few seconds without any event.
//!
//! Events do not arrive from some file systems (shares of a network or of a virtual machine), and
//! not at all where the limit of watches is reached. Comparing contents costs milliseconds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{Receiver, channel};

use crate::commands::check::quiz_facts;
use crate::course::{Course, Lesson};
use crate::fault::Fault;
use crate::memory::{Key, Tree};
use crate::progress::Progress;
use crate::sandbox::facts::QuizFacts;

/// An editor may save a file in several steps: so long it must have been quiet.
const QUIET: Duration = Duration::from_millis(60);
/// Whoever writes all the time is not waited for any longer than this.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often new folders are looked for before what was seen counts.
const LOOKS: usize = 3;

/// Everything that a report depends on and a learner changes: the files, and the quiz.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// What is there.
    There(Key, QuizFacts),
    /// Why it could not be read.
    Unreadable(String),
}

/// Watches one folder.
pub struct Changes {
    dir: PathBuf,
    /// One that waits says as much as a million.
    events: Receiver<()>,
    /// `None` when this machine gives no events.
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    poll: Duration,
}

impl Changes {
    /// Begins to watch. Without any event the folder is looked at every `poll_seconds`.
    pub fn of(dir: &Path, poll_seconds: u64) -> Self {
        let (sender, events) = channel(1);
        let told = move |event: notify::Result<notify::Event>| {
            // Our own reading is an event, too.
            if !event.is_ok_and(|event| event.kind.is_access()) {
                let _ = sender.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(told).ok();
        let poll = Duration::from_secs(poll_seconds.max(1));
        Self { dir: dir.to_path_buf(), events, watcher, watched: BTreeSet::new(), poll }
    }

    /// What is there now.
    pub fn state(&mut self, course: &Course, lesson: &Lesson, progress: &Progress) -> State {
        // From here on an event is about something that this may not have seen.
        while self.events.try_recv().is_ok() {}
        let dir = self.dir.clone();
        let look = || -> Result<_, Fault> {
            let tree = Tree::glance(&dir)?;
            Ok((tree, quiz_facts(course, lesson, &dir, &progress.answers(&lesson.spec.id)?)?))
        };
        let mut seen = look();
        // A file that was made before its folder was watched has told nobody. Whoever makes folders all the time is
        // seen the next time.
        for _ in 0..LOOKS {
            if !seen.as_ref().is_ok_and(|(tree, _)| self.cover(tree)) {
                break;
            }
            seen = look();
        }
        seen.map_or_else(|fault| State::Unreadable(fault.to_string()), |(tree, quiz)| State::There(tree.key(), quiz))
    }

    /// Waits until something may have changed.
    pub async fn next(&mut self) {
        if tokio::time::timeout(self.poll, self.events.recv()).await.is_err() {
            return;
        }
        let patience = Instant::now() + PATIENCE;
        while Instant::now() < patience && tokio::time::timeout(QUIET, self.events.recv()).await.is_ok() {}
    }

    /// Watches each folder of the tree; `true` when one was new. Folders that are never graded
    /// (`node_modules`) are not watched: they alone can reach the limit.
    fn cover(&mut self, tree: &Tree) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let folders: BTreeSet<PathBuf> = tree.folders.iter().map(|folder| self.dir.join(folder)).collect();
        for folder in &folders {
            // Each time anew: a folder that took the place of another (a reset) looks the same. What
            // cannot be watched is seen by looking.
            let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
        }
        let is_new = !folders.is_subset(&self.watched);
        self.watched = folders;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Far longer than a test may take: whoever waits so long has not seen the event.
    const NEVER_SECONDS: u64 = 3_600;
    const LIMIT: Duration = Duration::from_secs(30);

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("folder");
        std::fs::create_dir(dir.path().join("src")).expect("folder");
        dir
    }

    #[tokio::test]
    async fn a_save_wakes_us_by_its_event_also_below_and_in_a_folder_that_took_the_place_of_the_old_one() {
        let dir = folder();
        let mut changes = Changes::of(dir.path(), NEVER_SECONDS);
        let tree = || Tree::read(dir.path()).expect("tree");
        assert!(changes.cover(&tree()) && !changes.cover(&tree()), "a folder is new once");
        for _ in 0..2 {
            std::fs::write(dir.path().join("src/a"), "1").expect("write");
            tokio::time::timeout(LIMIT, changes.next()).await.expect("an event");
            std::fs::remove_dir_all(dir.path()).expect("remove");
            std::fs::create_dir_all(dir.path().join("src")).expect("folder");
            changes.cover(&tree());
            // Nothing that is still on its way may stand in for the next save.
            while tokio::time::timeout(QUIET * 5, changes.events.recv()).await.is_ok() {}
        }
    }

    #[tokio::test]
    async fn without_events_we_wake_to_look() {
        let dir = folder();
        let mut changes = Changes::of(dir.path(), 1);
        changes.watcher = None;
        assert!(!changes.cover(&Tree::read(dir.path()).expect("tree")), "nothing can be watched");
        tokio::time::timeout(LIMIT, changes.next()).await.expect("the time to look");
    }
}
