//! Removing what runs have made.
//!
//! Owns: finding a run's objects by its label (containers, networks, volumes), its repository
//! (images) and its folder (scratch copies), and removing them. Must not: touch anything of a run
//! that is alive, or anything that no run has made.

pub mod as_root;
mod folders;
mod removal;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
};

use removal::remove;
pub use removal::{Effort, remove_unused};

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

    /// Their ids, names and paths.
    fn names(&self) -> Vec<String> {
        let folders = self.folders.iter().map(|folder| folder.display().to_string());
        let others = [&self.containers, &self.networks, &self.volumes, &self.images];
        others.into_iter().flatten().cloned().chain(folders).collect()
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

/// Something that is still there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// Its id, name or path.
    pub what: String,
    /// Why it could not be removed.
    pub why: String,
}

/// What a sweep came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// What was removed, or is being removed by somebody else.
    pub removed: Things,
    /// What could not be removed.
    pub left: Vec<Left>,
}

/// Which runs are meant.
type Which<'a> = &'a (dyn Fn(&RunId) -> bool + Sync);

/// Removes what one run has made.
pub async fn sweep_run(client: &Docker, run: &RunId, cache: &Path) -> Result<Swept, Fault> {
    let things = find(client, cache, &|id| id == run).await?;
    remove(client, things, Effort::Once).await
}

/// Removes what runs have left behind whose process is gone. Nothing is waited for that cannot go.
pub async fn sweep_abandoned(client: &Docker, cache: &Path, effort: Effort) -> Result<Swept, Fault> {
    // The daemon goes on for a moment with what a command had asked for when it was ended: an image
    // that is being exported gets its name after all.
    let settles_in = Duration::from_millis(if orphans::end().await { SETTLING_MS } else { 0 });
    let mut all = Swept::default();
    let (begun, mut last) = (Instant::now(), Instant::now());
    loop {
        let mut things = find_abandoned(client, cache).await?;
        // A folder that could not be removed would not go a moment later either.
        things.folders.retain(|folder| all.left.iter().all(|left| left.what != folder.display().to_string()));
        let swept = remove(client, things, effort).await?;
        let nothing = swept.removed.count() == 0;
        let nothing_new = swept.left.iter().all(|left| all.left.contains(left));
        all.removed.add(swept.removed);
        merge(&mut all.left, swept.left);
        if nothing && nothing_new && last.elapsed() >= settles_in || begun.elapsed() >= LONGEST {
            // What went at the second try, or was removed by somebody else, is not left.
            let there = find_abandoned(client, cache).await?.names();
            all.left.retain(|left| there.contains(&left.what));
            return Ok(all);
        }
        if !nothing {
            last = Instant::now();
        }
        tokio::time::sleep(LOOK_AGAIN).await;
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
    remove(client, things, Effort::Once).await.map(drop)
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
