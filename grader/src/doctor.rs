//! What this machine has, and what it lacks, for grading.
//!
//! Owns: running all examinations at once, and the form of their findings. Must not: change
//! anything, or print.
//!
//! Something missing is told once: what could only be learnt from a daemon that does not answer
//! is left out.

mod daemon;
mod leftovers;
mod machine;
mod tools;

use std::path::Path;

use bollard::Docker;
use schemars::JsonSchema;
use serde::Serialize;

use crate::images::{self, Catalogue, Status};
use crate::sandbox::daemon::connect;

/// The version of the JSON form. It changes when a field changes its meaning or goes away.
pub const SCHEMA: &str = "grader-doctor/1";

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Grading works, or may work, but something is not as it should be.
    Warn,
    /// Grading does not work.
    Fail,
}

impl Level {
    /// The level in a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// One thing that was examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// What was examined. Stable.
    pub name: String,
    /// How bad it is.
    pub level: Level,
    /// What was found, in one line.
    pub found: String,
    /// What to do about it.
    pub fix: Option<String>,
}

/// All findings, as a program reads them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// The version of this form, `grader-doctor/1`.
    pub schema: &'static str,
    /// In the order in which they are shown.
    pub findings: Vec<Finding>,
}

impl Finding {
    fn new(name: &str, level: Level, found: impl Into<String>, fix: &str) -> Self {
        let fix = (level != Level::Ok && !fix.is_empty()).then(|| fix.to_owned());
        Self { name: name.into(), level, found: found.into(), fix }
    }

    fn ok(name: &str, found: impl Into<String>) -> Self {
        Self::new(name, Level::Ok, found, "")
    }
}

/// Examines this machine for the course in `root`.
pub async fn diagnose(root: &Path) -> Vec<Finding> {
    let (tools, engine) = tokio::join!(tools::examine(), engine(root));
    tools.into_iter().chain(engine).chain(machine::examine_folders()).collect()
}

/// All that a daemon has to be asked for.
async fn engine(root: &Path) -> Vec<Finding> {
    let socket = daemon::socket();
    if socket.level == Level::Fail {
        return vec![socket];
    }
    let client = match connect().await {
        Ok(client) => client,
        Err(fault) => return vec![socket, Finding::new("daemon", Level::Fail, fault.to_string(), daemon::START)],
    };
    let (daemon, images, leftovers) =
        tokio::join!(daemon::examine(&client), examine_images(&client, root), leftovers::examine(&client));
    [socket].into_iter().chain(daemon).chain(images).chain([leftovers]).collect()
}

async fn examine_images(client: &Docker, root: &Path) -> Vec<Finding> {
    let catalogue = match Catalogue::load(root) {
        Ok(catalogue) => catalogue,
        Err(error) => {
            return vec![Finding::new(
                "images",
                Level::Fail,
                error.to_string(),
                "This is a mistake in the course's own files.",
            )];
        }
    };
    let recipes: Vec<_> = catalogue.recipes.iter().collect();
    match images::look_all(client, &recipes).await {
        Ok(states) => {
            recipes.iter().zip(states).map(|(recipe, state)| image(&recipe.reference, state.status)).collect()
        }
        Err(fault) => vec![Finding::new("images", Level::Fail, fault.to_string(), &fault.remedy())],
    }
}

fn image(reference: &str, status: Status) -> Finding {
    let level = match status {
        Status::Absent => Level::Fail,
        Status::Outdated => Level::Warn,
        Status::Registry | Status::StandIn | Status::Unknown => Level::Ok,
    };
    let fix = format!("`grader images make {reference}`");
    Finding::new(&format!("image {reference}"), level, status.words(), &fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_ok_has_a_fix() {
        assert_eq!(image("a:1", Status::StandIn).fix, None);
        assert_eq!(image("a:1", Status::Outdated).level, Level::Warn);
        assert_eq!(image("a:1", Status::Absent).fix.as_deref(), Some("`grader images make a:1`"));
    }

    #[test]
    fn levels_are_ordered_by_how_bad_they_are() {
        assert!(Level::Ok < Level::Warn && Level::Warn < Level::Fail);
    }
}
