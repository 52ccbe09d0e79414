//! `immutable`: an edit on the host changes nothing, not even after a restart.
//!
//! Owns: one edit and one restart. Must not: build anything.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{EditDone, HttpAnswer, HttpRequest, MountFacts};
use crate::sandbox::wait::{in_ms, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Edits a source file beside the Compose files, restarts the container, and compares the
/// answer. Without the restart a mounted source would go unnoticed: a running process keeps what
/// it has read.
///
/// Why it matters: what was tested is what runs, and nothing on the server can change it.
///
/// How it is cheated: it cannot be without leaving the source out of reach of the host.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Immutable {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container.
    pub port: u16,
    /// The path whose answer would show the edit.
    pub path: String,
}

/// The answer after the edit and the restart.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The edit.
    pub edit: EditDone,
    /// The first answer after the restart.
    pub answer: HttpAnswer,
    /// The container's mounts.
    pub mounts: Vec<MountFacts>,
    /// Where they stand.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for Immutable {
    type Evidence = Evidence;
    const KIND: &'static str = "immutable";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let edit = sandbox.edit(&self.stack).await?;
        sandbox.restart(at).await?;
        let request = HttpRequest::get(self.port, &self.path);
        let answers = || async {
            let answer = sandbox.http(at, &request).await?;
            Ok::<_, Fault>(answer.status.is_some().then_some(answer))
        };
        let answer = until(in_ms(10_000), answers).await?.unwrap_or_default();
        let mounts = sandbox.container(at).await?.mounts;
        Ok(Evidence { edit, answer, mounts, at: sandbox.locate_key(at, &["volumes"]) })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("after an edit of {} on the host and a restart, {} answers as before", evidence.edit.file, self.path);
        if evidence.answer.body.contains(&evidence.edit.after) {
            let finding = Finding::new(wanted, "the edited text is in the answer: the container runs the host's files")
                .at(evidence.at.clone())
                .with(Detail::Diff {
                    title: "the text in the answer".into(),
                    before: evidence.edit.before.clone(),
                    after: evidence.edit.after.clone(),
                })
                .with(MountFacts::table(&evidence.mounts));
            return Verdict::Fail(finding);
        }
        let unchanged = evidence.answer.body.contains(&evidence.edit.before);
        let measured = if unchanged { "unchanged".into() } else { evidence.answer.summary() };
        Finding::new(wanted, measured).decide(unchanged)
    }
}

crate::register!(Immutable);
