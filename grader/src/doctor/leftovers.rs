//! What runs have left behind whose process is gone.
//!
//! Owns: the finding about it. Must not: remove it; that is `grader sweep`, and every run's first step.

use bollard::Docker;

use super::{Finding, Level};
use crate::fault::Fault;
use crate::paths;
use crate::sandbox::sweep;

/// The finding about them.
pub async fn examine(client: &Docker) -> Finding {
    match count(client).await {
        Ok(0) => Finding::ok("leftovers", "nothing of dead runs"),
        Ok(count) => Finding::new(
            "leftovers",
            Level::Warn,
            format!("{count} things of dead runs"),
            "`grader sweep` removes them; so does the next run.",
        ),
        Err(fault) => Finding::new("leftovers", Level::Warn, fault.to_string(), &fault.remedy()),
    }
}

async fn count(client: &Docker) -> Result<usize, Fault> {
    Ok(sweep::find_abandoned(client, &paths::cache()?).await?.count())
}
