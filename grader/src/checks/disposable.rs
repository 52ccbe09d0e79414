//! `disposable`: after use, nothing of value is in the container's own layer.
//!
//! Owns: using the service, and listing what it has written beside its mounts. Must not: judge
//! whether data outlives a container; that is `data-persists`.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Door, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{HttpAnswer, HttpRequest, MountFacts};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Uses the service, and then lists what has changed in the container's writable layer
/// (`docker diff`). What lies in volumes and in memory is not in that layer.
///
/// Why it matters: containers are replaced, not repaired: at each deployment, each crash, each
/// `docker compose up` after a change. What they keep to themselves is gone then.
///
/// How it is cheated: a hidden name or an odd folder is listed like any other, and a file that was
/// written at the start, before anybody asked, is in the same layer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disposable {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container.
    pub port: u16,
    /// The requests by which it is used, one after another. Each must be answered below status 400.
    pub requests: Vec<Use>,
    /// Paths below which changes do not count, such as `/tmp`.
    #[serde(default)]
    pub ignore: Vec<String>,
}

/// One request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// The path.
    pub path: String,
    /// A JSON body: the request is a POST then.
    #[serde(default)]
    pub post: Option<serde_json::Value>,
}

/// What it answered, and what it has written.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Each request with its answer.
    pub answers: Vec<(String, HttpAnswer)>,
    /// Paths in the writable layer that were added, changed or deleted.
    pub changed: Vec<String>,
    /// The container's mounts.
    pub mounts: Vec<MountFacts>,
    /// Where mounts stand, or the service.
    pub at: Option<Location>,
}

/// Milliseconds for which an answer is waited for, so that a service may take a moment to come up.
const ANSWER_MS: u64 = 10_000;

#[async_trait]
impl Check for Disposable {
    type Evidence = Evidence;
    const KIND: &'static str = "disposable";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    fn doors(&self) -> Vec<Door> {
        vec![Door::new(&self.stack, &self.service, self.port)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let mut answers = Vec::new();
        for one in &self.requests {
            let request = match &one.post {
                Some(body) => HttpRequest::post(self.port, &one.path, body.clone()),
                None => HttpRequest::get(self.port, &one.path),
            };
            let answered = || async {
                let answer = sandbox.http(at, &request).await?;
                Ok::<_, Fault>(answer.status.is_some().then_some(answer))
            };
            let answer = match until(&sandbox.within(ANSWER_MS), answered).await? {
                Some(answer) => answer,
                None => sandbox.http(at, &request).await?,
            };
            answers.push((format!("{} {}", request.method, request.path), answer));
        }
        let changed = sandbox.changed_paths(at).await?;
        let mounts = sandbox.container(at).await?.mounts;
        Ok(Evidence { answers, changed, mounts, at: sandbox.locate_key(at, &["volumes"]) })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("`{}` is used, and keeps nothing in its own layer", self.service);
        let refused = |(_, answer): &&(String, HttpAnswer)| answer.status.is_none_or(|status| status >= 400);
        if let Some((request, answer)) = evidence.answers.iter().find(refused) {
            let measured = format!("it could not be used: {request} → {}", answer.summary());
            return Verdict::Fail(Finding::new(wanted, measured).at(evidence.at.clone()));
        }
        let kept: Vec<&String> =
            evidence.changed.iter().filter(|path| !self.may_change(path, &evidence.mounts)).collect();
        let used = format!("{} requests answered", evidence.answers.len());
        let Some(first) = kept.first() else {
            return Verdict::Pass(Finding::new(wanted, format!("{used}, nothing kept")));
        };
        let measured = match kept.len() {
            1 => format!("{used}, and {first} is in its own layer"),
            count => format!("{used}, and {count} paths are in its own layer, {first} among them"),
        };
        let rows = kept.iter().take(12).map(|path| vec![(*path).clone()]).collect();
        let finding = Finding::new(wanted, measured)
            .at(evidence.at.clone())
            .with(Detail::table("added, changed or deleted in the container", &["path"], rows))
            .with(MountFacts::table(&evidence.mounts))
            .note("It is gone when the container is replaced. What must stay belongs into a volume, what need not into memory (`tmpfs`).");
        Verdict::Fail(finding)
    }
}

impl Disposable {
    /// Whether a change of a path does not count: below what is ignored or mounted, or a folder that was
    /// made to mount something in it.
    fn may_change(&self, path: &str, mounts: &[MountFacts]) -> bool {
        let below = |folder: &str| path == folder || path.starts_with(&format!("{}/", folder.trim_end_matches('/')));
        let holds = |target: &str| target.starts_with(&format!("{path}/"));
        self.ignore.iter().any(|folder| below(folder))
            || mounts.iter().any(|mount| below(&mount.target) || holds(&mount.target))
    }
}

crate::register!(Disposable);
