//! What can go wrong that is not the learner's doing.
//!
//! Owns: [`Fault`], the one error type of everything that measures.
//! Must not: describe a shortcoming of a submission; that is a
//! [`Verdict`](crate::verdict::Verdict) or a policy [`Refusal`](crate::policy::Refusal).
//!
//! Which error type belongs where:
//! - a mistake in the course's own files is a [`CourseError`](crate::course::CourseError);
//! - a mistake in how the program was called is [`Fault::Usage`] (exit code 2);
//! - everything else that keeps the grader from measuring is another `Fault` (exit code 3).

use std::path::PathBuf;

use thiserror::Error;

use crate::course::CourseError;

/// Something outside of the submission kept the grader from measuring.
///
/// A fault never costs a learner anything, and its message says what to do.
#[derive(Debug, Error)]
pub enum Fault {
    /// No Docker daemon answered.
    #[error("the Docker daemon does not answer: {reason}")]
    NoDaemon {
        /// What the client said.
        reason: String,
    },
    /// A request to the daemon failed.
    #[error("{action} failed: {source}")]
    Docker {
        /// What was being done, with the object's name.
        action: String,
        /// The client's error.
        source: bollard::errors::Error,
    },
    /// A command of ours (docker buildx, docker compose) could not be run or answered nonsense.
    #[error("`{command}` failed: {reason}")]
    Command {
        /// The command, as a person would type it.
        command: String,
        /// What it said.
        reason: String,
    },
    /// A base image is neither here nor to be had.
    #[error("the image {reference} is not on this machine, and could not be had")]
    ImageMissing {
        /// The image's name and tag.
        reference: String,
    },
    /// Somebody else took an image away while it was made.
    #[error("the image {reference} went while it was made: {reason}")]
    ImageLost {
        /// The image's name and tag.
        reference: String,
        /// What the engine said.
        reason: String,
    },
    /// An image that a submission may use cannot be told from others of that name.
    #[error(
        "`{reference}` ({at}) is not known to be on this machine as its registry has it, and the registry gave no answer: {reason}"
    )]
    ImageElsewhere {
        /// The image's name as it was written.
        reference: String,
        /// The Dockerfile and the line.
        at: String,
        /// Why the registry gave no answer.
        reason: String,
        /// What can be used without one.
        here: String,
    },
    /// Build steps must be bounded, and this engine does not let us.
    #[error("build steps are to be bounded, and cannot be on this machine: {reason}")]
    BuildsUnbounded {
        /// What did not work.
        reason: String,
    },
    /// The network was needed and did not answer.
    #[error("{action} needs the network, which does not answer: {reason}")]
    Network {
        /// What was being done.
        action: String,
        /// The line that says so.
        reason: String,
    },
    /// No space is left where Docker or the grader keeps its data.
    #[error("the disk is full: {reason}")]
    DiskFull {
        /// What was being written.
        reason: String,
    },
    /// We, not the learner, ran out of time.
    #[error("{action} took longer than {seconds} s, which is the grader's own limit")]
    TimedOut {
        /// What was being done.
        action: String,
        /// The limit.
        seconds: u64,
    },
    /// The machine was so slow that a limit says nothing about the submission.
    #[error(
        "this machine is too slow at the moment to tell: {what}, and everything takes about {times:.0} times as long as on a quiet machine"
    )]
    TooSlow {
        /// What was measured, and what is allowed.
        what: String,
        /// How many times as long as on a quiet machine.
        times: f64,
    },
    /// A file of ours or a scratch copy could not be read or written.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The state database could not be used.
    #[error("the progress database {path}: {source}", path = .path.display())]
    Progress {
        /// The database file.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// The state database was made by a later version of this program.
    #[error("the progress database {path} was made by a newer grader: it has version {version}, and this grader knows {newest}", path = .path.display())]
    NewerProgress {
        /// The database file.
        path: PathBuf,
        /// Its version.
        version: u32,
        /// The newest version that we know.
        newest: u32,
    },
    /// A file that was to be imported is not what it should be.
    #[error("{path} was not imported: {reason}", path = .path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The course's own files are wrong.
    #[error(transparent)]
    Course(#[from] CourseError),
    /// The program was called in a way that cannot work.
    #[error("{message}")]
    Usage {
        /// What is wrong, and what to type instead.
        message: String,
    },
    /// The person pressed Ctrl-C.
    #[error("stopped by you")]
    Interrupted,
    /// A fault that several askers share, because they waited for the same thing.
    #[error(transparent)]
    Shared(#[from] std::sync::Arc<Fault>),
    /// A measurement came out in a shape that we do not understand.
    #[error("{what}: {reason}")]
    Unreadable {
        /// What was measured.
        what: String,
        /// Why it could not be read.
        reason: String,
    },
}

impl Fault {
    /// What a person can do about it, in one or two sentences.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Shared(fault) => fault.remedy(),
            Self::NoDaemon { reason } if reason.contains("ermission denied") => {
                "Your user may not use Docker's socket. Run `sudo usermod -aG docker $USER`, log out and in again; or use sudo.".into()
            }
            Self::NoDaemon { .. } => "Start Docker (`make setup` does it where it can), then try again. `grader doctor` shows what is missing.".into(),
            Self::ImageMissing { .. } => "Run `grader images make`, or `grader images load FILE` with a bundle from somebody who has them.".into(),
            Self::ImageElsewhere { reference, here, .. } => format!("Without a registry, use what is here: {here}. With a network, check again without `--offline`: {reference} is brought here then, and stays."),
            Self::ImageLost { .. } => "Something on this machine removes images while the grader builds (`docker image prune` in a loop, or the like). Check again when it has ended.".into(),
            Self::BuildsUnbounded { .. } => "Without `--bounded-builds` only time bounds them. On a machine that you share, grade in a virtual machine instead (see the page on what a submission may do).".into(),
            Self::Network { .. } => "Check the connection (and the proxy) of this machine, then try again. The course's own dependencies need no network once `grader images make` has run.".into(),
            Self::DiskFull { .. } => "Free some space (`docker system df` shows what Docker keeps, `docker builder prune` empties its build cache), then try again.".into(),
            Self::TooSlow { .. } => "This is not counted, and nothing of it is remembered. End what else keeps the machine busy (builds, other containers, a virtual machine), then check again.".into(),
            Self::TimedOut { .. } => "The machine may be very busy. Try again when it is calmer; `grader doctor` shows what it has.".into(),
            Self::Docker { source, .. } if source.to_string().contains("no space left") => {
                "Free some space: `docker system df` shows what Docker keeps.".into()
            }
            Self::Docker { .. } | Self::Command { .. } | Self::Unreadable { .. } => {
                "Try again; `grader doctor` checks the machine. If it stays, it is a fault of the grader: please report it with this message.".into()
            }
            Self::File { .. } => "Check that the folder exists, that you may write there, and that the disk is not full.".into(),
            Self::Progress { .. } => "Move the file aside; the grader makes a new one. Nothing in your exercise folders is touched.".into(),
            Self::NewerProgress { .. } => "Update this grader (`git pull`, then `make build`), or use the newer one. The database was left as it is.".into(),
            Self::Import { .. } => "Nothing of it was taken over, and your progress is as it was. `grader progress export FILE` on the machine that it came from writes it again.".into(),
            Self::Course(CourseError::NotFound { .. }) => "Go into the course's folder, or one below it such as your copy under workspace/, and try again.".into(),
            Self::Course(CourseError::Unknown { root }) => {
                let root = typed(root);
                format!("If the course is yours, or comes from somebody whom you trust, say so once: `grader trust {root}`. If it came with a submission, go into your own course's folder, or name that one: `GRADER_COURSE=/path/to/course`.")
            }
            Self::Course(_) => "This is a mistake in the course's own files, not in yours.".into(),
            Self::Usage { .. } => "See `grader --help`.".into(),
            Self::Interrupted => "Everything that this run had made was removed.".into(),
        }
    }

    /// Whether the machine was too slow to tell: then asking once more may tell.
    #[must_use]
    pub fn is_too_slow(&self) -> bool {
        match self {
            Self::Shared(fault) => fault.is_too_slow(),
            Self::TooSlow { .. } => true,
            _ => false,
        }
    }

    /// The exit code that stands for this fault (see README, "Exit codes").
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Shared(fault) => fault.exit_code(),
            Self::Usage { .. } | Self::Import { .. } | Self::Course(CourseError::Unknown { .. }) => 2,
            Self::Interrupted => 130,
            _ => 3,
        }
    }

    /// Wraps an operating system error with the path that it is about.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| {
            if source.kind() == std::io::ErrorKind::StorageFull {
                Self::DiskFull { reason: format!("writing {}", path.display()) }
            } else {
                Self::File { path, source }
            }
        }
    }

    /// Wraps an error of the Docker client with what was being done.
    pub fn docker(action: impl Into<String>) -> impl FnOnce(bollard::errors::Error) -> Self {
        let action = action.into();
        move |source| Self::Docker { action, source }
    }
}

/// A path as a person types it in a shell.
fn typed(path: &std::path::Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@".contains(c);
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// The words of the error at the bottom of a chain: what the operating system said.
#[must_use]
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    error.to_string()
}
