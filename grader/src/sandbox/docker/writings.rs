//! What learners wrote, and what they made with their own commands.
//!
//! Owns: the [`Writings`] of a [`DockerSandbox`]. Must not: change any of it, or judge.

use std::collections::HashMap;
use std::path::Path;

use async_trait::async_trait;
use bollard::Docker;
use bollard::query_parameters::{ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListVolumesOptions};

use super::super::facts::{Handmade, HandmadeNetwork, HandmadeVolume, Instruction};
use super::super::run_id::LABEL;
use super::super::scratch::frontend;
use super::super::{Writings, container};
use super::DockerSandbox;
use crate::fault::Fault;
use crate::plan::{Injected, REPOSITORY};
use crate::verdict::Location;

#[async_trait]
impl Writings for DockerSandbox {
    async fn handmade(&self) -> Result<Handmade, Fault> {
        handmade(&self.parts.client).await
    }

    fn instructions(&self) -> Vec<Instruction> {
        let syntax = self.submission.text("Dockerfile").and_then(|text| frontend(&text));
        let syntax = syntax.map(|(line, arguments)| Instruction {
            name: "# SYNTAX".into(),
            arguments,
            line,
            ..Default::default()
        });
        let parsed = self.submission.dockerfile().instructions.into_iter();
        let parsed = parsed.map(|one| Instruction {
            name: one.name,
            arguments: one.arguments,
            line: one.line,
            stage: one.stage,
        });
        syntax.into_iter().chain(parsed).collect()
    }

    fn file(&self, path: &str) -> Option<String> {
        self.submission.text(path)
    }

    fn locate_path(&self, stack: &str, path: &[&str]) -> Option<Location> {
        self.submission.locate_key(&self.parts.plan.stack(stack)?.files, path)
    }

    fn locate_line(&self, file: &str, line: usize) -> Option<Location> {
        self.submission.location(file, line)
    }

    fn learner(&self) -> String {
        self.parts.learner.clone()
    }
}

async fn handmade(client: &Docker) -> Result<Handmade, Fault> {
    let all = ListContainersOptionsBuilder::default().all(true).build();
    let listed = client.list_containers(Some(all)).await.map_err(Fault::docker("listing containers"))?;
    let mut found = Handmade::default();
    for id in listed.into_iter().filter(|one| !is_ours(one.labels.as_ref())).filter_map(|one| one.id) {
        // One that is gone by now is none.
        if let Ok(raw) = client.inspect_container(&id, None).await {
            found.containers.push(container::facts(raw, Path::new("/"), Injected::default()));
        }
    }
    let images = client
        .list_images(Some(ListImagesOptionsBuilder::default().build()))
        .await
        .map_err(Fault::docker("listing images"))?;
    for image in images {
        let names = image.repo_tags.into_iter().filter(|name| !name.starts_with(REPOSITORY));
        found.images.extend(names.map(|name| (name, image.id.clone())));
    }
    let volumes = client.list_volumes(None::<ListVolumesOptions>).await.map_err(Fault::docker("listing volumes"))?;
    for volume in volumes.volumes.into_iter().flatten().filter(|one| !is_ours(Some(&one.labels))) {
        found.volumes.push(HandmadeVolume { name: volume.name, labels: volume.labels.into_iter().collect() });
    }
    let networks = client.list_networks(None).await.map_err(Fault::docker("listing networks"))?;
    for network in networks.into_iter().filter(|one| !is_ours(one.labels.as_ref())) {
        let name = network.name.unwrap_or_default();
        if !["bridge", "host", "none"].contains(&name.as_str()) {
            found.networks.push(HandmadeNetwork {
                name,
                labels: network.labels.into_iter().flatten().collect(),
                driver: network.driver.unwrap_or_default(),
                internal: network.internal.unwrap_or_default(),
            });
        }
    }
    Ok(found)
}

fn is_ours(labels: Option<&HashMap<String, String>>) -> bool {
    labels.is_some_and(|labels| labels.contains_key(LABEL))
}
