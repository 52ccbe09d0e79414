//! Removing what runs have made.
//!
//! Owns: finding a run's objects by its label (containers, networks, volumes), its repository
//! (images) and its folder (scratch copies), and removing them. Must not: touch anything of a run
//! that is alive, or anything that no run has made.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptionsBuilder,
};
use futures_util::future::join_all;

use super::orphans;
use super::run_id::{LABEL, RunId};
use crate::fault::Fault;
use crate::plan::REPOSITORY;

/// Things that runs have made, by their ids, names and paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Things {
    /// Ids of containers.
    pub containers: Vec<String>,
    /// Ids of networks.
    pub networks: Vec<String>,
    /// Names of volumes.
    pub volumes: Vec<String>,
    /// Names and tags of images.
    pub images: Vec<String>,
    /// Scratch folders.
    pub folders: Vec<PathBuf>,
}

impl Things {
    /// Adds what was not there yet.
    fn add(&mut self, other: Self) {
        merge(&mut self.containers, other.containers);
        merge(&mut self.networks, other.networks);
        merge(&mut self.volumes, other.volumes);
        merge(&mut self.images, other.images);
        merge(&mut self.folders, other.folders);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.containers.len() + self.networks.len() + self.volumes.len() + self.images.len() + self.folders.len()
    }
}

fn merge<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// Which runs are meant.
type Which<'a> = &'a (dyn Fn(&RunId) -> bool + Sync);

/// Removes what one run has made, and tells what that was.
pub async fn sweep_run(client: &Docker, run: &RunId, cache: &Path) -> Result<Things, Fault> {
    let things = find(client, cache, &|id| id == run).await?;
    remove(client, &things).await?;
    Ok(things)
}

/// Removes what runs have left behind whose process is gone, and tells what that was.
pub async fn sweep_abandoned(client: &Docker, cache: &Path) -> Result<Things, Fault> {
    // The daemon goes on for a moment with what a command had asked for when it was ended: an image
    // that is being exported gets its name after all.
    let settles_in = Duration::from_millis(if orphans::end().await { SETTLING_MS } else { 0 });
    let mut all = Things::default();
    let (begun, mut last) = (Instant::now(), Instant::now());
    loop {
        let things = find_abandoned(client, cache).await?;
        remove(client, &things).await?;
        let nothing = things.count() == 0;
        all.add(things);
        if nothing && last.elapsed() >= settles_in || begun.elapsed() >= LONGEST {
            return Ok(all);
        }
        if nothing {
            tokio::time::sleep(LOOK_AGAIN).await;
        } else {
            last = Instant::now();
        }
    }
}

/// How long nothing new must have come, milliseconds, where commands were ended.
const SETTLING_MS: u64 = 1_500;
/// What cannot be removed for so long is left to the next sweep.
const LONGEST: Duration = Duration::from_secs(20);
/// How often that is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What runs have left behind whose process is gone.
pub async fn find_abandoned(client: &Docker, cache: &Path) -> Result<Things, Fault> {
    find(client, cache, &RunId::is_abandoned).await
}

/// Removes the containers, networks and volumes of one Compose project of a run.
pub async fn sweep_project(client: &Docker, project: &str) -> Result<(), Fault> {
    let things = labelled(client, &format!("com.docker.compose.project={project}"), &|_| true).await?;
    remove(client, &things).await
}

async fn find(client: &Docker, cache: &Path, which: Which<'_>) -> Result<Things, Fault> {
    let (things, images) = tokio::join!(labelled(client, LABEL, which), images(client, which));
    let (things, images) = (things?, images.map_err(Fault::docker("listing images of runs"))?);
    Ok(Things { images, folders: folders(cache, which), ..things })
}

/// Containers, networks and volumes with a label, of the runs that are meant.
async fn labelled(client: &Docker, label: &str, which: Which<'_>) -> Result<Things, Fault> {
    let filter = HashMap::from([("label", vec![label])]);
    let containers = ListContainersOptionsBuilder::default().all(true).filters(&filter).build();
    let networks = ListNetworksOptionsBuilder::default().filters(&filter).build();
    let volumes = ListVolumesOptionsBuilder::default().filters(&filter).build();
    let (containers, networks, volumes) = tokio::try_join!(
        client.list_containers(Some(containers)),
        client.list_networks(Some(networks)),
        client.list_volumes(Some(volumes)),
    )
    .map_err(Fault::docker("listing what runs have made"))?;
    let meant = |labels: Option<&HashMap<String, String>>| {
        labels.and_then(|labels| labels.get(LABEL)).and_then(|id| RunId::parse(id)).is_some_and(|id| which(&id))
    };
    let volumes = volumes.volumes.into_iter().flatten();
    Ok(Things {
        containers: containers.into_iter().filter(|c| meant(c.labels.as_ref())).filter_map(|c| c.id).collect(),
        networks: networks.into_iter().filter(|n| meant(n.labels.as_ref())).filter_map(|n| n.id).collect(),
        volumes: volumes.filter(|v| meant(Some(&v.labels))).map(|v| v.name).collect(),
        ..Things::default()
    })
}

/// Images carry the run in their repository: `grader-run/<run id>/<image>`.
async fn images(client: &Docker, which: Which<'_>) -> Result<Vec<String>, Error> {
    let reference = format!("{REPOSITORY}/*/*");
    let filter = HashMap::from([("reference", vec![reference.as_str()])]);
    let listed = client.list_images(Some(ListImagesOptionsBuilder::default().filters(&filter).build())).await?;
    // An image can have tags of somebody else, too: only ours are taken away.
    let ours = |tag: &String| tag.split('/').next() == Some(REPOSITORY);
    let meant = |tag: &String| tag.split('/').nth(1).and_then(RunId::parse).is_some_and(|id| which(&id));
    Ok(listed.into_iter().flat_map(|image| image.repo_tags).filter(|tag| ours(tag) && meant(tag)).collect())
}

fn folders(cache: &Path, which: Which<'_>) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(cache.join("runs")) else { return Vec::new() };
    let meant = |name: &std::ffi::OsStr| name.to_str().and_then(RunId::parse).is_some_and(|id| which(&id));
    entries.flatten().filter(|entry| meant(&entry.file_name())).map(|entry| entry.path()).collect()
}

/// Removes things. Containers go first: networks, volumes and images that they use cannot go.
async fn remove(client: &Docker, things: &Things) -> Result<(), Fault> {
    let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    let removals = things.containers.iter().map(|id| client.remove_container(id, Some(force.clone())));
    settle(join_all(removals).await, "removing a container")?;
    settle(join_all(things.networks.iter().map(|id| client.remove_network(id))).await, "removing a network")?;
    let force = RemoveVolumeOptionsBuilder::default().force(true).build();
    let removals = things.volumes.iter().map(|name| client.remove_volume(name, Some(force.clone())));
    settle(join_all(removals).await, "removing a volume")?;
    let force = RemoveImageOptionsBuilder::default().force(true).build();
    // One after another: images that share layers lock each other in the daemon.
    for tag in &things.images {
        settle(vec![client.remove_image(tag, Some(force.clone()), None).await], "removing an image")?;
    }
    for folder in &things.folders {
        // What cannot be removed now is found again by the next sweep.
        let _ = fs::remove_dir_all(folder);
    }
    Ok(())
}

/// What is gone already, is being removed by somebody else, or is used by a container that was made
/// after we looked (a network answers 403 then) is fine: whoever needs it gone looks again.
fn settle<T>(results: Vec<Result<T, Error>>, action: &str) -> Result<(), Fault> {
    let is_fine =
        |error: &Error| matches!(error, Error::DockerResponseServerError { status_code: 403 | 404 | 409, .. });
    match results.into_iter().filter_map(Result::err).find(|error| !is_fine(error)) {
        Some(error) => Err(Fault::docker(action)(error)),
        None => Ok(()),
    }
}
