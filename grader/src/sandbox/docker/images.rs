//! The sandbox's images: build, look inside, look for secrets.
//!
//! Owns: the part of [`DockerSandbox`] that is about images. Must not: start containers.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::FutureExt;

use super::super::build::{self, trial};
use super::super::facts::{BuildFailure, BuildReport, EditDone, HistoryEntry, ImageFacts, Occurrence};
use super::super::layers::{self, LayerScan};
use super::super::probe::{Probe, Reach};
use super::{DockerSandbox, unknown};
use crate::course::spec::EditSpec;
use crate::event::Events;
use crate::fault::Fault;
use crate::plan::BuildPlan;
use crate::policy::limits;
use crate::verdict::bytes;

/// How often an image may be removed while it is made before that is nobody's accident.
const MOST_LOST: usize = 5;

impl DockerSandbox {
    pub(super) async fn build_once(&self, image: &str) -> Result<BuildReport, Fault> {
        let lazy = self.builds.get(image).ok_or_else(|| unknown("image", image))?;
        lazy.get(async {
            let plan = self.parts.plan.build(image).ok_or_else(|| unknown("image", image))?;
            let dir = self.parts.scratch.copy("build")?;
            self.bound_builds().await?;
            let mut report = Box::pin(self.built(plan, &plan.reference, &dir, &self.parts.events)).await?;
            if report.failure.is_none() {
                report.failure = too_large(&self.image_facts(image).await?);
            }
            Ok(report)
        })
        .await
    }

    /// Builds again after the edit. The first build must have ended, or nothing could be reused.
    pub(super) async fn rebuild(&self, image: &str) -> Result<BuildReport, Fault> {
        self.build_once(image).await?;
        let lazy = self.rebuilds.get(image).ok_or_else(|| unknown("image", image))?;
        lazy.get(async {
            let plan = self.parts.plan.build(image).ok_or_else(|| unknown("image", image))?;
            let dir = self.parts.scratch.copy(&format!("rebuild-{image}"))?;
            self.edit_in(&dir, self.edit_spec()?)?;
            self.built(plan, &edited(&plan.reference), &dir, &Events::default()).await
        })
        .await
    }

    /// Builds, and again where somebody else has removed the same image meanwhile: all steps come from the cache then.
    async fn built(
        &self,
        plan: &BuildPlan,
        reference: &str,
        dir: &Path,
        events: &Events,
    ) -> Result<BuildReport, Fault> {
        let settings = (&self.parts.settings, &self.parts.bounds);
        let mut lost = 0;
        loop {
            let built = build::build(plan, reference, dir, settings, events, &self.parts.pace).await;
            let there = match &built {
                Err(Fault::ImageLost { .. }) => false,
                Ok(report) if report.failure.is_none() => self.is_there(reference).await?,
                _ => true,
            };
            if there {
                return built;
            }
            lost += 1;
            if lost == MOST_LOST {
                let reason = format!("{lost} times in a row");
                return Err(Fault::ImageLost { reference: reference.to_owned(), reason });
            }
        }
    }

    async fn is_there(&self, reference: &str) -> Result<bool, Fault> {
        match self.parts.client.inspect_image(reference).await {
            Ok(_) => Ok(true),
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
            Err(error) => Err(Fault::docker(format!("inspecting the image {reference}"))(error)),
        }
    }

    /// Makes sure, once, that build steps are bounded where they have to be.
    async fn bound_builds(&self) -> Result<(), Fault> {
        if !self.parts.settings.bounded {
            return Ok(());
        }
        let making = async {
            let parts = &self.parts;
            let image = parts.bases.first().ok_or_else(|| unknown("image", "images"))?;
            let helper =
                self.presser.get(Probe::start(&parts.client, image, &parts.run, Reach::Cgroups, &parts.pace)).await?;
            helper.bound_builds().await?;
            trial::run(image, &parts.scratch.own_file("trial"), &parts.pace).await?;
            if helper.builds_are_bound().await? {
                return Ok(());
            }
            Err(Fault::BuildsUnbounded { reason: "the builder puts its steps elsewhere".into() })
        };
        self.bounded.get(making).await
    }

    /// The lesson's edit.
    pub(super) fn edit_spec(&self) -> Result<&EditSpec, Fault> {
        self.parts.edit.as_ref().ok_or_else(|| unknown("edit", "[edit]"))
    }

    pub(super) fn edit_in(&self, dir: &Path, edit: &EditSpec) -> Result<EditDone, Fault> {
        self.parts.scratch.edit(dir, edit, &self.edited())
    }

    /// The text that the lesson's edit puts in.
    pub(super) fn edited(&self) -> String {
        format!("Edited during run {}", self.parts.run)
    }

    pub(super) async fn image_facts(&self, image: &str) -> Result<ImageFacts, Fault> {
        let lazy = self.images.get(image).ok_or_else(|| unknown("image", image))?;
        lazy.get(async {
            let reference = &self.parts.plan.build(image).ok_or_else(|| unknown("image", image))?.reference;
            let mut facts = self.facts_of(reference).await?;
            for base in &self.parts.bases {
                let Ok(under) = self.facts_of(base).await else { continue };
                if facts.layers.starts_with(&under.layers) && under.layers.len() > facts.base_layers {
                    facts.base = Some(base.clone());
                    facts.base_layers = under.layers.len();
                    facts.base_entries = under.history.len();
                }
            }
            Ok(facts)
        })
        .await
    }

    async fn facts_of(&self, reference: &str) -> Result<ImageFacts, Fault> {
        let client = &self.parts.client;
        let looking = || Fault::docker(format!("inspecting the image {reference}"));
        let (image, history) = tokio::join!(client.inspect_image(reference), client.image_history(reference));
        let (image, history) = (image.map_err(looking())?, history.map_err(looking())?);
        let config = image.config.unwrap_or_default();
        let entry = |item: bollard::models::ImageHistoryResponseItem| HistoryEntry {
            instruction: item.created_by,
            bytes: u64::try_from(item.size).unwrap_or(0),
        };
        let entrypoint = config.entrypoint.unwrap_or_default();
        Ok(ImageFacts {
            entrypoint_words: entrypoint.len(),
            exposed: config.exposed_ports.into_iter().flatten().collect(),
            stop_signal: config.stop_signal.unwrap_or_default(),
            health_check: config.healthcheck.and_then(|check| check.test).unwrap_or_default(),
            on_build: config.on_build.unwrap_or_default(),
            id: image.id.unwrap_or_default(),
            base: None,
            history: history.into_iter().rev().map(entry).collect(),
            base_entries: 0,
            layers: image.root_fs.and_then(|fs| fs.layers).unwrap_or_default(),
            base_layers: 0,
            workdir: config.working_dir.filter(|dir| !dir.is_empty()).unwrap_or_else(|| "/".into()),
            user: config.user.unwrap_or_default(),
            env: config.env.unwrap_or_default(),
            labels: config.labels.unwrap_or_default().into_iter().collect(),
            command: entrypoint.into_iter().chain(config.cmd.into_iter().flatten()).collect(),
        })
    }

    pub(super) async fn scans(&self, image: &str) -> Result<Vec<LayerScan>, Fault> {
        let facts = self.image_facts(image).await?;
        let lazy = self.layers.get(image).ok_or_else(|| unknown("image", image))?;
        lazy.get(async {
            let reference = &self.parts.plan.build(image).ok_or_else(|| unknown("image", image))?.reference;
            let parts = &self.parts;
            layers::scan(&parts.client, reference, &facts, &parts.needles, &parts.cache, self.probe().boxed()).await
        })
        .await
    }

    /// What the layers of the image hold that was built again after the edit.
    pub(super) async fn scans_after_edit(&self, image: &str) -> Result<Vec<LayerScan>, Fault> {
        self.rebuild(image).await?;
        let reference = &self.parts.plan.build(image).ok_or_else(|| unknown("image", image))?.reference;
        let facts = self.facts_of(&edited(reference)).await?;
        let (parts, probe) = (&self.parts, self.probe().boxed());
        layers::scan(&parts.client, &edited(reference), &facts, &parts.needles, &parts.cache, probe).await
    }

    pub(super) async fn find_secrets(&self, image: &str) -> Result<Vec<Occurrence>, Fault> {
        let facts = self.image_facts(image).await?;
        let mut found = Vec::new();
        for (index, scan) in self.scans(image).await?.into_iter().enumerate().skip(facts.base_layers) {
            found.extend(scan.found.into_iter().map(|(key, path)| Occurrence {
                key,
                place: "layer".into(),
                detail: format!("/{} in layer {}", self.masked(&path), index + 1),
                layer: Some(index),
            }));
        }
        let labels = facts.labels.iter().map(|(name, value)| format!("{name}={value}"));
        let texts = (facts.env.iter().cloned().map(|text| ("environment", text)))
            .chain(labels.map(|text| ("label", text)))
            .chain(facts.history.iter().map(|entry| ("history", entry.instruction.clone())))
            .chain(facts.on_build.iter().map(|text| ("ONBUILD", text.clone())))
            .chain([("command", facts.command.join(" ")), ("health check", facts.health_check.join(" "))])
            .chain([("user", facts.user.clone()), ("working directory", facts.workdir.clone())]);
        for (place, text) in texts {
            let there = self.parts.needles.iter().filter(|needle| text.contains(&needle.value));
            let shown = self.masked(&text);
            let keys: BTreeSet<&String> = there.map(|needle| &needle.key).collect();
            found.extend(keys.into_iter().map(|key| Occurrence {
                key: key.clone(),
                place: place.into(),
                detail: shown.chars().take(160).collect(),
                layer: None,
            }));
        }
        Ok(found)
    }
}

impl DockerSandbox {
    /// A text without the secrets in it.
    fn masked(&self, text: &str) -> String {
        let needles = self.parts.needles.iter().filter(|needle| !needle.value.is_empty());
        needles.fold(text.to_owned(), |text, needle| text.replace(&needle.value, "********"))
    }
}

/// The name of the image that is built again after the edit.
pub(super) fn edited(reference: &str) -> String {
    format!("{reference}-edited")
}

/// Why an image is not used although it was built.
fn too_large(image: &ImageFacts) -> Option<BuildFailure> {
    let (added, most) = (image.added_bytes(), limits::IMAGE_BYTES);
    (added > most).then(|| BuildFailure {
        help: None,
        message: format!("the image adds {} over its base; at most {} are run here", bytes(added), bytes(most)),
        at: None,
        log: Vec::new(),
        timed_out: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(added: u64) -> ImageFacts {
        let entry = |bytes| HistoryEntry { bytes, ..HistoryEntry::default() };
        ImageFacts { history: vec![entry(9_000_000_000), entry(added)], base_entries: 1, ..ImageFacts::default() }
    }

    #[test]
    fn what_an_image_adds_is_limited_and_its_base_does_not_count() {
        assert_eq!(too_large(&of(limits::IMAGE_BYTES)), None);
        assert!(too_large(&of(limits::IMAGE_BYTES + 1)).is_some_and(|failure| failure.message.contains("3.00 GB")));
    }
}
