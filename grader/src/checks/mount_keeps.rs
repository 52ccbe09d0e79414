//! `mount-keeps`: a mount does not hide what the image put in a folder.
//!
//! Owns: looking for the marker of the host's folder. Must not: read other contents.

use std::path::Path;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::MountFacts;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// The grader's copy of the exercise has a folder such as `node_modules` with nothing but a
/// marker file in it, as a developer's machine has one that fits that machine. If the marker
/// shows in the container, or the folder lies on a bind mount, the host's folder hides the image's;
/// if it lies on a tmpfs, an empty one does. On a volume or on the image's own file system it is well.
///
/// Why it matters: modules that were installed for the host crash, or are missing, in the container.
///
/// How it is cheated: an installation when the container starts removes the marker, and writes into the
/// host's folder; the mount tells.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MountKeeps {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The folder, relative to the container's working directory, or to a folder above that: the nearest
    /// one counts. It is one of the lesson's `host_folders`.
    pub folder: String,
}

/// What the folder holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The folder in the container.
    pub folder: String,
    /// Whether it is there.
    pub exists: bool,
    /// Whether it is the host's.
    pub is_the_hosts: bool,
    /// What Compose said when there is no container.
    pub failure: Option<Vec<String>>,
    /// Whether the stack did not come up at all.
    #[serde(default)]
    pub gave_up: bool,
    /// The container's mounts.
    pub mounts: Vec<MountFacts>,
    /// Where they stand.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for MountKeeps {
    type Evidence = Evidence;
    const KIND: &'static str = "mount-keeps";
    // It is measured even when the stack does not come up: a service that finds no modules does not.
    const MANNER: Manner = Manner::Opens;

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let report = sandbox.started(&self.stack).await?;
        let facts = sandbox.container(at).await?;
        if !facts.exists() {
            let there = format!("the stack has the services {}", report.services.join(", "));
            let gave_up = report.failure.is_some();
            return Ok(Evidence {
                failure: Some(report.failure.unwrap_or(vec![there])),
                gave_up,
                ..Evidence::default()
            });
        }
        // Node looks into the folders above, too, but the nearest one hides those.
        let places = places(&facts.workdir, &self.folder);
        let there = sandbox.existing_paths(at, &places).await?;
        let folder = places.iter().find(|place| there.contains(place)).unwrap_or(&places[0]).clone();
        let marker = format!("{folder}/{}", crate::sandbox::scratch::MARKER);
        let found = sandbox.existing_paths(at, &[folder.clone(), marker.clone()]).await?;
        Ok(Evidence {
            exists: found.contains(&folder),
            is_the_hosts: found.contains(&marker),
            folder,
            failure: None,
            gave_up: false,
            mounts: facts.mounts,
            at: sandbox.locate_key(at, &["volumes"]),
        })
    }

    fn time_explains(&self, _: &Evidence) -> bool {
        false
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("{} in the container is the image's own", self.folder);
        if let Some(lines) = &evidence.failure {
            let finding = Finding::new(wanted, format!("there is no container of `{}`", self.service));
            return Verdict::Fail(finding.with(Detail::log("what came up", lines.clone())));
        }
        let beneath = evidence.mount().map(|mount| mount.kind.as_str());
        let measured = match (evidence.exists, evidence.is_the_hosts, beneath) {
            (_, true, _) => "it is the host's folder: the mount hides what the image has there",
            (_, _, Some("bind")) => "it lies on a mount of the host's, which hides what the image has there",
            (_, _, Some("tmpfs")) => "it lies on a tmpfs, which is empty at first and hides what the image has there",
            (false, ..) => "it is not there",
            (true, ..) => "it is its own",
        };
        let finding = Finding::new(wanted, measured).with(MountFacts::table(&evidence.mounts));
        let holds = evidence.exists && !evidence.is_the_hosts && !matches!(beneath, Some("bind" | "tmpfs"));
        if holds { finding.decide(true) } else { finding.at(evidence.at.clone()).decide(false) }
    }

    fn lacks(&self, evidence: &Evidence) -> Option<Resource> {
        evidence.gave_up.then(|| Resource::stack(&self.stack))
    }
}

impl Evidence {
    /// The mount on which the folder lies; `None` when it is the container's own file system.
    fn mount(&self) -> Option<&MountFacts> {
        let lies_on = |mount: &&MountFacts| Path::new(&self.folder).starts_with(&mount.target);
        self.mounts.iter().filter(lies_on).max_by_key(|mount| mount.target.len())
    }
}

/// Where a folder may be, the nearest place first.
fn places(workdir: &str, folder: &str) -> Vec<String> {
    Path::new(workdir).ancestors().map(|above| above.join(folder).display().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_folder_comes_first() {
        assert_eq!(places("/srv/app", "m"), ["/srv/app/m", "/srv/m", "/m"]);
        assert_eq!(places("/", "m"), ["/m"]);
    }
}

crate::register!(MountKeeps);
