//! `immutable`: an edit on the host changes nothing, not even in a new container; the next image does.
//!
//! Owns: one edit and its new containers. Must not: look into images.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Door, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{EditDone, HttpAnswer, HttpRequest, MountFacts};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Edits a source file beside the Compose files, removes the container and makes it anew from the same
/// image, and compares the answer. Without a new container a mounted source would go unnoticed: a
/// running process keeps what it has read, and a container what it has copied. Where the service has a
/// volume, the image is built again after the edit and deployed, as the next version would be: then the
/// edit must show.
///
/// Why it matters: what was tested is what runs, and nothing on the server can change it.
///
/// How it is cheated: a mount that is read-only in the container, or a copy that is made when the
/// container starts, still takes the file of the host. A volume over the code keeps the first version for ever,
/// whatever image is deployed.
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

/// The answer after the edit, of the new container.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The edit.
    pub edit: EditDone,
    /// The first answer of the new container.
    pub answer: HttpAnswer,
    /// The first answer of the next image, where the service has a volume that could hide it.
    #[serde(default)]
    pub next: Option<HttpAnswer>,
    /// Its last log lines, when the answer is not the one from before.
    #[serde(default)]
    pub log: Vec<String>,
    /// The container's mounts.
    pub mounts: Vec<MountFacts>,
    /// Where they stand.
    pub at: Option<Location>,
}

/// How long the new container may take to answer.
const ANSWERS_WITHIN_MS: u64 = 10_000;

#[async_trait]
impl Check for Immutable {
    type Evidence = Evidence;
    const KIND: &'static str = "immutable";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    fn doors(&self) -> Vec<Door> {
        vec![Door::new(&self.stack, &self.service, self.port)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let edit = sandbox.edit(&self.stack).await?;
        sandbox.recreate(at).await?;
        let answer = self.first_answer(sandbox, at).await?;
        let mounts = sandbox.container(at).await?.mounts;
        let log = if answer.body.contains(&edit.before) { Vec::new() } else { sandbox.log_tail(at, 8).await? };
        let mut next = None;
        let has_volume = mounts.iter().any(|mount| mount.kind == "volume");
        if has_volume && answer.body.contains(&edit.before) && sandbox.deploy_edited(at).await? {
            next = Some(self.first_answer(sandbox, at).await?);
            // Others look at this service after us.
            sandbox.recreate(at).await?;
        }
        Ok(Evidence { edit, answer, next, log, mounts, at: sandbox.locate_key(at, &["volumes"]) })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let Evidence { edit, answer, .. } = evidence;
        let wanted = format!(
            "after an edit of {} on the host, a new container of `{}` answers {} as before",
            edit.file, self.service, self.path
        );
        if answer.body.contains(&edit.after) {
            let finding = Finding::new(wanted, "the edited text is in the answer: the container runs the host's files")
                .at(evidence.at.clone())
                .with(Detail::Diff {
                    title: "the text in the answer".into(),
                    before: edit.before.clone(),
                    after: edit.after.clone(),
                })
                .with(MountFacts::table(&evidence.mounts));
            return Verdict::Fail(finding);
        }
        if answer.body.contains(&edit.before) {
            let old = evidence.next.as_ref().is_some_and(|next| next.body.contains(&edit.before));
            if !old {
                return Verdict::Pass(Finding::new(wanted, "unchanged"));
            }
            let wanted = format!("{wanted}, and an image that is built after the edit answers with it");
            let measured = "the next image still answers as before: a volume holds the code of the first one";
            let note =
                "A volume is filled when it is new and empty. After that its files hide those of each later image.";
            let finding = Finding::new(wanted, measured).at(evidence.at.clone()).note(note);
            return Verdict::Fail(finding.with(MountFacts::table(&evidence.mounts)));
        }
        let measured = format!("`{}` is not in the answer any more: {}", edit.before, answer.summary());
        let finding = Finding::new(wanted, measured).at(evidence.at.clone()).with(MountFacts::table(&evidence.mounts));
        Verdict::Fail(finding.with(Detail::log("the new container's last log lines", evidence.log.clone())))
    }
}

impl Immutable {
    /// The first answer that comes, or why none does.
    async fn first_answer(&self, sandbox: &dyn Sandbox, at: At<'_>) -> Result<HttpAnswer, Fault> {
        let request = HttpRequest::get(self.port, &self.path);
        let answers = || async {
            let answer = sandbox.http(at, &request).await?;
            Ok::<_, Fault>(answer.status.is_some().then_some(answer))
        };
        match until(&sandbox.within(ANSWERS_WITHIN_MS), answers).await? {
            Some(answer) => Ok(answer),
            None => sandbox.http(at, &request).await,
        }
    }
}

crate::register!(Immutable);
