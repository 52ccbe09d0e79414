//! What learners wrote, and what they made with their own commands.
//!
//! Owns: the [`Writings`] of a [`DockerSandbox`]. Must not: change any of it, or judge.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use async_trait::async_trait;
use bollard::Docker;
use bollard::errors::Error as DockerError;
use bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListVolumesOptions,
};
use futures_util::StreamExt;

use super::super::facts::{Doing, Handmade, HandmadeNetwork, HandmadeVolume, Instruction, Process};
use super::super::run_id::LABEL;
use super::super::{Writings, container};
use super::DockerSandbox;
use crate::fault::Fault;
use crate::plan::{Injected, REPOSITORY};
use crate::submission::dockerfile::syntax;
use crate::verdict::Location;

#[async_trait]
impl Writings for DockerSandbox {
    async fn handmade(&self) -> Result<Handmade, Fault> {
        handmade(&self.parts.client).await
    }

    async fn doing(&self, container: &str) -> Result<Doing, Fault> {
        let (main, mut doing) = doing(&self.parts.client, container).await?;
        if main > 0 {
            let probe = self.probe().await?;
            // One that has ended meanwhile has neither.
            if let Some(kernel) = probe.kernel(main).await? {
                doing.kernel = Some(kernel);
                doing.namespaces = probe.namespaces(main).await?.own;
            }
        }
        Ok(doing)
    }

    async fn file_in(&self, container: &str, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        file_in(&self.parts.client, container, path).await
    }

    fn instructions(&self) -> Vec<Instruction> {
        let syntax = self.parts.submission.text("Dockerfile").and_then(|text| syntax(&text));
        let syntax = syntax.map(|found| Instruction {
            name: "# SYNTAX".into(),
            arguments: found.value,
            line: found.line,
            ..Default::default()
        });
        let parsed = self.parts.submission.dockerfile().instructions.into_iter();
        let parsed = parsed.map(|one| Instruction {
            name: one.name,
            arguments: one.arguments,
            line: one.line,
            stage: one.stage,
        });
        syntax.into_iter().chain(parsed).collect()
    }

    fn file(&self, path: &str) -> Option<String> {
        self.parts.submission.text(path)
    }

    fn locate_path(&self, stack: &str, path: &[&str]) -> Option<Location> {
        self.parts.submission.locate_key(&self.parts.plan.stack(stack)?.files, path)
    }

    fn locate_line(&self, file: &str, line: usize) -> Option<Location> {
        self.parts.submission.location(file, line)
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
            found.containers.push(container::facts(raw, Path::new("/"), &Injected::default()));
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

/// What a container does, and its main process; 0 when there is none.
async fn doing(client: &Docker, name: &str) -> Result<(i64, Doing), Fault> {
    let raw = match client.inspect_container(name, None).await {
        Ok(raw) => raw,
        // One that is gone by now does nothing.
        Err(DockerError::DockerResponseServerError { status_code: 404, .. }) => return Ok(<_>::default()),
        Err(error) => return Err(Fault::docker(format!("inspecting {name}"))(error)),
    };
    let main = raw.state.and_then(|state| state.pid).unwrap_or_default();
    // An image may have been removed; its container goes on.
    let config = match client.inspect_image(&raw.image.unwrap_or_default()).await {
        Ok(image) => image.config.unwrap_or_default(),
        Err(_) => bollard::models::ImageConfig::default(),
    };
    let image_command = config.entrypoint.into_iter().flatten().chain(config.cmd.into_iter().flatten()).collect();
    let doing = Doing {
        processes: started_by(main, container::processes(client, name).await?),
        image_command,
        deleted: container::deleted_paths(client, name).await?,
        ..Doing::default()
    };
    Ok((main, doing))
}

/// The most bytes of a file in a container, with the head and the end of the archive that it comes in.
const FILE_BYTES: usize = 1_010_000;

async fn file_in(client: &Docker, name: &str, path: &str) -> Result<Option<Vec<u8>>, Fault> {
    let failed = || Fault::docker(format!("reading {path} in {name}"));
    let Ok(raw) = client.inspect_container(name, None).await else { return Ok(None) };
    let folder = raw.config.and_then(|config| config.working_dir).unwrap_or_default();
    let path = Path::new("/").join(folder).join(path).display().to_string();
    let options = DownloadFromContainerOptionsBuilder::default().path(&path).build();
    let mut pieces = std::pin::pin!(client.download_from_container(name, Some(options)));
    let mut archive = Vec::new();
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(bytes) => archive.extend_from_slice(&bytes),
            Err(DockerError::DockerResponseServerError { status_code: 404, .. }) => return Ok(None),
            Err(error) => return Err(failed()(error)),
        }
        if archive.len() > FILE_BYTES {
            return Ok(None);
        }
    }
    let mut archive = tar::Archive::new(archive.as_slice());
    let first = archive.entries().ok().and_then(|mut entries| entries.next()?.ok());
    let Some(mut first) = first.filter(|entry| entry.header().entry_type().is_file()) else { return Ok(None) };
    let mut bytes = Vec::new();
    Ok(first.read_to_end(&mut bytes).is_ok().then_some(bytes))
}

/// The command lines of a process and of all that it has started, directly or not: what `docker exec` has
/// started is none of them.
fn started_by(main: i64, mut left: Vec<Process>) -> Vec<String> {
    let mut ids = vec![main];
    let mut found = Vec::new();
    while let Some(at) = left.iter().position(|one| ids.contains(&one.pid) || ids.contains(&one.parent)) {
        let one = left.remove(at);
        ids.push(one.pid);
        found.push(one.command);
    }
    found
}

fn is_ours(labels: Option<&HashMap<String, String>>) -> bool {
    labels.is_some_and(|labels| labels.contains_key(LABEL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_started_from_outside_is_not_the_main_processs_doing() {
        let one = |pid, parent, command: &str| Process { pid, parent, command: command.into(), ..Process::default() };
        let all =
            vec![one(30, 20, "node x.js"), one(10, 1, "sleep infinity"), one(20, 10, "sh"), one(40, 5, "node y.js")];
        assert_eq!(started_by(10, all), ["sleep infinity", "sh", "node x.js"]);
    }
}
