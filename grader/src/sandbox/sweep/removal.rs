//! Removing what was found.
//!
//! Owns: the order, and telling what is gone from what stays and why. Must not: choose what is removed.

use std::fs;
use std::path::Path;

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptionsBuilder};
use futures_util::future::join_all;

use super::{Left, Swept, Things, as_root, folders};
use crate::fault::Fault;

/// Removes things. Containers go first: networks, volumes and images that they use cannot go.
pub(super) async fn remove(client: &Docker, things: Things, effort: Effort) -> Result<Swept, Fault> {
    let mut left = Vec::new();
    let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    let removals = things.containers.iter().map(|id| client.remove_container(id, Some(force.clone())));
    let containers = settle(things.containers.clone(), join_all(removals).await, "removing a container", &mut left)?;
    let removals = join_all(things.networks.iter().map(|id| client.remove_network(id))).await;
    let networks = settle(things.networks, removals, "removing a network", &mut left)?;
    let force = RemoveVolumeOptionsBuilder::default().force(true).build();
    let removals = things.volumes.iter().map(|name| client.remove_volume(name, Some(force.clone())));
    let volumes = settle(things.volumes.clone(), join_all(removals).await, "removing a volume", &mut left)?;
    let force = RemoveImageOptionsBuilder::default().force(true).build();
    let mut removals = Vec::new();
    // One after another: images that share layers lock each other in the daemon.
    for tag in &things.images {
        removals.push(client.remove_image(tag, Some(force.clone()), None).await);
    }
    let images = settle(things.images, removals, "removing an image", &mut left)?;
    let mut folders = Vec::new();
    for folder in things.folders {
        match remove_folder(client, &folder, effort).await {
            Ok(()) => folders.push(folder),
            Err(why) => left.push(Left { what: folder.display().to_string(), why }),
        }
    }
    Ok(Swept { removed: Things { containers, networks, volumes, images, folders }, left })
}

/// How much is tried to remove a folder that only root may remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// A helper container is started for it once; a folder for which that has failed stays.
    Once,
    /// A helper container is started for it, whatever came of it before.
    Again,
}

/// The file of a run's folder that says that root could not empty it.
const TRIED: &str = "helper-failed";

async fn remove_folder(client: &Docker, folder: &Path, effort: Effort) -> Result<(), String> {
    let tried = folder.join(TRIED);
    let may_help = effort == Effort::Again || !tried.exists();
    let Err(error) = removed(folder).await else { return Ok(()) };
    if !may_help {
        let _ = fs::write(&tried, "");
        return Err(format!("{error}, and root could not remove it either"));
    }
    let helped = as_root::empty(client, folder).await;
    let Err(error) = removed(folder).await else { return Ok(()) };
    if helped.as_ref().is_ok_and(|ended| *ended) {
        let _ = fs::write(&tried, "");
    }
    Err(helped.map_or_else(|fault| format!("{error}; {fault}"), |_| error.to_string()))
}

/// A folder may be large: nobody else waits for the disk.
async fn removed(folder: &Path) -> std::io::Result<()> {
    let folder = folder.to_path_buf();
    let removing = tokio::task::spawn_blocking(move || folders::remove(&folder, as_root::IMAGE_FILE));
    removing.await.unwrap_or_else(|error| Err(error.into()))
}

/// Removes a folder of a run in whose copies nothing was started.
pub fn remove_unused(folder: &Path) {
    // What stays behind is removed by the next run's sweep.
    let _ = folders::remove(folder, as_root::IMAGE_FILE);
}

/// Waits for nothing that is gone already, is being removed by somebody else, or is used by a container
/// that was made after we looked (a network answers 403 then): whoever needs it gone looks again. Gives
/// what is removed; what refuses is left.
fn settle<T>(
    names: Vec<String>,
    results: Vec<Result<T, Error>>,
    action: &str,
    left: &mut Vec<Left>,
) -> Result<Vec<String>, Fault> {
    let mut removed = Vec::new();
    for (what, result) in names.into_iter().zip(results) {
        match result {
            Err(Error::DockerResponseServerError { status_code: 403 | 409, message })
                if !message.contains("in progress") =>
            {
                left.push(Left { what, why: message });
            }
            Ok(_) | Err(Error::DockerResponseServerError { status_code: 403 | 404 | 409, .. }) => removed.push(what),
            Err(error) => return Err(Fault::docker(action)(error)),
        }
    }
    Ok(removed)
}
