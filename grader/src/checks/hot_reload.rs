//! `hot-reload`: an edit in the source shows in the answer, in the same container.
//!
//! Owns: one edit and its effect. Must not: restart or build anything.

use std::time::Instant;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, HttpRequest, MountFacts};
use crate::sandbox::wait::{in_ms, since, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// How long the answer is watched, whatever the limit, so that "too late" can be told from
/// "never".
const WATCHED_MS: u64 = 8_000;

/// Edits one file in the folder that the stack was started from, as an editor saves it, and asks
/// the service until the new text is in its answer.
///
/// Why it matters: the time from a save to its effect is what a developer waits for all day.
///
/// How it is cheated: a rebuild or a new container shows in the container's id and image, a container
/// that ends at each save and is restarted by its policy in the time of its start; the text of the
/// edit is new in every run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HotReload {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container.
    pub port: u16,
    /// The path whose answer shows the edited text.
    pub path: String,
    /// Milliseconds from the save to the changed answer.
    pub within_ms: u64,
}

/// The edit and its effect.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The edited file.
    pub file: String,
    /// The answer before.
    pub answer_before: String,
    /// The last answer.
    pub answer_after: String,
    /// Milliseconds until the text showed, if it did.
    pub millis: Option<u64>,
    /// The container before.
    pub before: ContainerFacts,
    /// The container after.
    pub after: ContainerFacts,
    /// The last log lines.
    pub log: Vec<String>,
    /// Where the mounts stand.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for HotReload {
    type Evidence = Evidence;
    const KIND: &'static str = "hot-reload";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        sandbox.ensure_running(at).await?;
        let request = HttpRequest::get(self.port, &self.path);
        let before = sandbox.container(at).await?;
        let answer_before = sandbox.http(at, &request).await?.summary();
        let edit = sandbox.edit(&self.stack).await?;
        let begun = Instant::now();
        let shows = || async {
            let answer = sandbox.http(at, &request).await?;
            Ok::<_, Fault>(answer.body.contains(&edit.after).then(|| (since(begun), answer.summary())))
        };
        let seen = until(in_ms(WATCHED_MS.max(self.within_ms)), shows).await?;
        let (millis, answer_after) = match seen {
            Some((millis, answer)) => (Some(millis), answer),
            None => (None, sandbox.http(at, &request).await?.summary()),
        };
        let after = sandbox.container(at).await?;
        // Our own questions fill the log; what the watcher says is of interest.
        let mut log = sandbox.log_tail(at, 1_000).await?;
        log.retain(|line| !line.contains(&self.path));
        log.drain(..log.len().saturating_sub(8));
        let location = sandbox.locate_key(at, &["volumes"]);
        Ok(Evidence { file: edit.file, answer_before, answer_after, millis, before, after, log, at: location })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!(
            "a save of {} shows at {} within {}, in the same container and without a restart of it",
            evidence.file,
            self.path,
            millis(self.within_ms)
        );
        let Evidence { before, after, .. } = evidence;
        let same = before.id == after.id && before.image_id == after.image_id;
        let restarted = before.started_at != after.started_at;
        let in_time = evidence.millis.is_some_and(|taken| taken <= self.within_ms);
        let mut measured = match evidence.millis {
            Some(taken) => format!("it showed after {}", millis(taken)),
            None => format!("it did not show within {}", millis(WATCHED_MS.max(self.within_ms))),
        };
        let place = match (same, restarted) {
            (false, _) => "in another container",
            (true, true) => "in the same container, which ended and was restarted",
            (true, false) => "in the same container",
        };
        measured = format!("{measured}, {place}");
        if in_time && same && !restarted {
            return Verdict::Pass(Finding::new(wanted, measured));
        }
        let finding = Finding::new(wanted, measured)
            .at(evidence.at.clone())
            .with(Detail::Diff {
                title: format!("the answer of {} before and after the save", self.path),
                before: evidence.answer_before.clone(),
                after: evidence.answer_after.clone(),
            })
            .with(MountFacts::table(&evidence.after.mounts))
            .with(Detail::log("its last log lines, without our requests", evidence.log.clone()));
        Verdict::Fail(finding)
    }
}

crate::register!(HotReload);
