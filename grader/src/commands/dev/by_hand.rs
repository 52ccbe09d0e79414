//! What a submission's author did by hand, as scripts.
//!
//! Owns: running `by-hand.sh` of a solution or wrong submission before it is graded, and
//! `by-hand-undo.sh` of the exercise after it. Must not: run for learners; only authors' tools do.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::transcripts;
use crate::course::Lesson;
use crate::fault::Fault;
use crate::learner::filled;
use crate::sandbox::daemon;
use crate::sandbox::wait::in_ms;

/// The scripts of one submission.
#[derive(Debug, Default)]
pub struct ByHand {
    make: Option<String>,
    undo: Option<String>,
    /// The submission's folder, in which the scripts run: what is written down goes there.
    files: PathBuf,
}

/// What an exercise has when its submissions make something by hand: the script that removes it.
pub const UNDO: &str = "by-hand-undo.sh";
/// Seconds that a script may take.
const LIMIT: u64 = 600;

impl ByHand {
    /// Takes the script out of the submission's files: a learner types commands and has no such
    /// file. The learner's number is filled in.
    pub fn take(lesson: &Lesson, files: &Path, learner: &str) -> Result<Self, Fault> {
        let path = files.join("by-hand.sh");
        let Ok(make) = fs::read_to_string(&path) else { return Ok(Self::default()) };
        fs::remove_file(&path).map_err(Fault::file(&path))?;
        let undo = lesson.dir.join(UNDO);
        let undo = filled(&fs::read_to_string(&undo).map_err(Fault::file(&undo))?, learner);
        Ok(Self { make: Some(make), undo: Some(undo), files: files.to_path_buf() })
    }

    /// Waits until no page is run (`dev transcripts` looks at all that is new in the daemon), and keeps
    /// pages from being run until the guard goes.
    pub async fn beside_no_page(&self) -> Result<Option<File>, Fault> {
        if self.make.is_none() {
            return Ok(None);
        }
        let file = transcripts::lock_file()?;
        // Other submissions are measured by this thread: it must not be held up.
        loop {
            match file.try_lock_shared() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(200)).await,
                Err(TryLockError::Error(error)) => return Err(Fault::file("the lock of pages")(error)),
            }
        }
    }

    /// Does what a learner would have done.
    pub async fn make(&self) -> Result<(), Fault> {
        run("by-hand.sh", self.make.as_deref(), &self.files).await
    }

    /// Removes what was made.
    pub async fn undo(&self) -> Result<(), Fault> {
        run(UNDO, self.undo.as_deref(), &self.files).await
    }
}

async fn run(name: &str, script: Option<&str>, folder: &Path) -> Result<(), Fault> {
    let Some(script) = script else { return Ok(()) };
    let mut command = daemon::script(script);
    command.current_dir(folder);
    match daemon::run(command, &in_ms(LIMIT * 1_000)).await? {
        Some(ended) if ended.ok => Ok(()),
        Some(ended) => Err(Fault::Command { command: name.to_owned(), reason: ended.stderr.trim().to_owned() }),
        None => Err(Fault::TimedOut { action: name.to_owned(), seconds: LIMIT }),
    }
}
