//! Removing what runs have made.
//!
//! Owns: finding a run's objects by its label (containers, networks, volumes), its repository
//! (images) and its folder (scratch copies), and removing them. Must not: touch anything of a run
//! that is alive, or anything that no run has made.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use bollard::Docker;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptionsBuilder,
};
use futures_util::future::join_all;

use super::run_id::{LABEL, RunId};
use crate::fault::Fault;
use crate::plan::REPOSITORY;

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Containers.
    pub containers: usize,
    /// Networks.
    pub networks: usize,
    /// Volumes.
    pub volumes: usize,
    /// Images.
    pub images: usize,
    /// Scratch folders.
    pub folders: usize,
}

impl Swept {
    /// Whether there was nothing to remove.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Removes what one run has made.
pub async fn sweep_run(client: &Docker, run: &RunId, cache: &Path) -> Result<Swept, Fault> {
    sweep(client, cache, |id| id == run).await
}

/// Removes what runs have left behind whose process is gone.
pub async fn sweep_abandoned(client: &Docker, cache: &Path) -> Result<Swept, Fault> {
    sweep(client, cache, RunId::is_abandoned).await
}

async fn sweep(client: &Docker, cache: &Path, ours: impl Fn(&RunId) -> bool) -> Result<Swept, Fault> {
    let mut swept = Swept::default();
    let is_ours = |labels: Option<&std::collections::HashMap<String, String>>| {
        labels.and_then(|labels| labels.get(LABEL)).and_then(|id| RunId::parse(id)).is_some_and(|id| ours(&id))
    };
    let filter = BTreeMap::from([("label", vec![LABEL])]).into_iter().collect();

    let options = ListContainersOptionsBuilder::default().all(true).filters(&filter).build();
    let containers = client.list_containers(Some(options)).await.map_err(Fault::docker("listing containers"))?;
    let ids: Vec<String> = containers.into_iter().filter(|c| is_ours(c.labels.as_ref())).filter_map(|c| c.id).collect();
    let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    swept.containers = count(
        join_all(ids.iter().map(|id| client.remove_container(id, Some(force.clone())))).await,
        "removing a container",
    )?;

    let options = ListNetworksOptionsBuilder::default().filters(&filter).build();
    let networks = client.list_networks(Some(options)).await.map_err(Fault::docker("listing networks"))?;
    let ids: Vec<String> = networks.into_iter().filter(|n| is_ours(n.labels.as_ref())).filter_map(|n| n.id).collect();
    swept.networks = count(join_all(ids.iter().map(|id| client.remove_network(id))).await, "removing a network")?;

    let options = ListVolumesOptionsBuilder::default().filters(&filter).build();
    let volumes = client.list_volumes(Some(options)).await.map_err(Fault::docker("listing volumes"))?;
    let names: Vec<String> =
        volumes.volumes.into_iter().flatten().filter(|v| is_ours(Some(&v.labels))).map(|v| v.name).collect();
    let force = RemoveVolumeOptionsBuilder::default().force(true).build();
    swept.volumes = count(
        join_all(names.iter().map(|name| client.remove_volume(name, Some(force.clone())))).await,
        "removing a volume",
    )?;

    swept.images = images(client, &ours).await?;
    swept.folders = folders(cache, &ours);
    Ok(swept)
}

/// Images carry the run in their repository: `grader-run/<run id>/<image>`.
async fn images(client: &Docker, ours: &impl Fn(&RunId) -> bool) -> Result<usize, Fault> {
    let reference = format!("{REPOSITORY}/*/*");
    let filter = BTreeMap::from([("reference", vec![reference.as_str()])]).into_iter().collect();
    let options = ListImagesOptionsBuilder::default().filters(&filter).build();
    let listed = client.list_images(Some(options)).await.map_err(Fault::docker("listing images"))?;
    let tags: BTreeSet<String> = listed
        .into_iter()
        .flat_map(|image| image.repo_tags)
        .filter(|tag| tag.split('/').nth(1).and_then(RunId::parse).is_some_and(|id| ours(&id)))
        .filter(|tag| tag.starts_with(REPOSITORY))
        .collect();
    let force = RemoveImageOptionsBuilder::default().force(true).build();
    // One after another: images that share layers lock each other in the daemon.
    for tag in &tags {
        count(vec![client.remove_image(tag, Some(force.clone()), None).await], "removing an image")?;
    }
    Ok(tags.len())
}

fn folders(cache: &Path, ours: &impl Fn(&RunId) -> bool) -> usize {
    let Ok(entries) = fs::read_dir(cache.join("runs")) else { return 0 };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().and_then(RunId::parse).is_some_and(|id| ours(&id)))
        .filter(|entry| fs::remove_dir_all(entry.path()).is_ok())
        .count()
}

/// How many removals worked. What is gone already, or is being removed by somebody else, is fine.
fn count<T>(results: Vec<Result<T, bollard::errors::Error>>, action: &str) -> Result<usize, Fault> {
    let mut removed = 0;
    for result in results {
        match result {
            Ok(_) => removed += 1,
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404 | 409, .. }) => {}
            Err(error) => return Err(Fault::docker(action)(error)),
        }
    }
    Ok(removed)
}
