//! Removing what runs have made.
//!
//! Owns: finding a run's objects by its label (containers, networks, volumes), its repository
//! (images) and its folder (scratch copies), and removing them. Must not: touch anything of a run
//! that is alive, or anything that no run has made.

use std::collections::{BTreeSet, HashMap};
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
    sweep(client, cache, &|id| id == run).await
}

/// Removes what runs have left behind whose process is gone.
pub async fn sweep_abandoned(client: &Docker, cache: &Path) -> Result<Swept, Fault> {
    sweep(client, cache, &RunId::is_abandoned).await
}

/// Removes the containers, networks and volumes of one Compose project of a run.
pub async fn sweep_project(client: &Docker, project: &str) -> Result<(), Fault> {
    labelled(client, &format!("com.docker.compose.project={project}"), &|_| true).await.map(|_| ())
}

async fn sweep(client: &Docker, cache: &Path, ours: &(dyn Fn(&RunId) -> bool + Sync)) -> Result<Swept, Fault> {
    let mut swept = labelled(client, LABEL, ours).await?;
    swept.images = images(client, ours).await?;
    swept.folders = folders(cache, ours);
    Ok(swept)
}

/// Containers first: networks and volumes that they use cannot be removed.
async fn labelled(client: &Docker, label: &str, ours: &(dyn Fn(&RunId) -> bool + Sync)) -> Result<Swept, Fault> {
    let mut swept = Swept::default();
    let is_ours = |labels: Option<&HashMap<String, String>>| {
        labels.and_then(|labels| labels.get(LABEL)).and_then(|id| RunId::parse(id)).is_some_and(|id| ours(&id))
    };
    let filter = HashMap::from([("label", vec![label])]);

    let options = ListContainersOptionsBuilder::default().all(true).filters(&filter).build();
    let containers = client.list_containers(Some(options)).await.map_err(Fault::docker("listing containers"))?;
    let ids: Vec<String> = containers.into_iter().filter(|c| is_ours(c.labels.as_ref())).filter_map(|c| c.id).collect();
    let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    let removals = ids.iter().map(|id| client.remove_container(id, Some(force.clone())));
    swept.containers = count(join_all(removals).await, "removing a container")?;

    let options = ListNetworksOptionsBuilder::default().filters(&filter).build();
    let networks = client.list_networks(Some(options)).await.map_err(Fault::docker("listing networks"))?;
    let ids: Vec<String> = networks.into_iter().filter(|n| is_ours(n.labels.as_ref())).filter_map(|n| n.id).collect();
    swept.networks = count(join_all(ids.iter().map(|id| client.remove_network(id))).await, "removing a network")?;

    let options = ListVolumesOptionsBuilder::default().filters(&filter).build();
    let volumes = client.list_volumes(Some(options)).await.map_err(Fault::docker("listing volumes"))?;
    let volumes = volumes.volumes.into_iter().flatten();
    let names: Vec<String> = volumes.filter(|v| is_ours(Some(&v.labels))).map(|v| v.name).collect();
    let force = RemoveVolumeOptionsBuilder::default().force(true).build();
    let removals = names.iter().map(|name| client.remove_volume(name, Some(force.clone())));
    swept.volumes = count(join_all(removals).await, "removing a volume")?;
    Ok(swept)
}

/// Images carry the run in their repository: `grader-run/<run id>/<image>`.
async fn images(client: &Docker, ours: &(dyn Fn(&RunId) -> bool + Sync)) -> Result<usize, Fault> {
    let reference = format!("{REPOSITORY}/*/*");
    let filter = HashMap::from([("reference", vec![reference.as_str()])]);
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

fn folders(cache: &Path, ours: &(dyn Fn(&RunId) -> bool + Sync)) -> usize {
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
