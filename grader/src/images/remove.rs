//! Removing stand-ins.
//!
//! Owns: what may be removed, and how. Must not: remove an image that came from a registry, or
//! one that somebody else has made.

use bollard::Docker;
use bollard::errors::Error as DockerError;
use bollard::models::ImageInspect;
use bollard::query_parameters::RemoveImageOptionsBuilder;

use super::{Catalogue, Say, Status, lock, look_all};
use crate::fault::Fault;

/// Removes stand-ins: those that are named, or all. What is not a stand-in is refused when it is
/// named, before anything is removed.
pub async fn stand_ins(
    client: &Docker,
    catalogue: &Catalogue,
    called: &[String],
    say: &mut Say<'_>,
) -> Result<(), Fault> {
    let recipes = catalogue.named(called)?;
    let _lock = lock::take(say).await?;
    let states = look_all(client, &recipes).await?;
    let foreign =
        recipes.iter().zip(&states).find(|(_, state)| matches!(state.status, Status::Registry | Status::Unknown));
    if let Some((recipe, state)) = foreign
        && !called.is_empty()
    {
        let (name, words) = (&recipe.reference, state.status.words());
        let message =
            format!("{name} is {words}, not a stand-in of ours. If you really want to: `docker image rm {name}`");
        return Err(Fault::Usage { message });
    }
    for (recipe, state) in recipes.iter().zip(states) {
        let name = &recipe.reference;
        if matches!(state.status, Status::StandIn | Status::Outdated) {
            by_name(client, name).await?;
            say(&format!("{name}: removed"));
        } else {
            say(&format!("{name}: {}, left alone", state.status.words()));
        }
    }
    Ok(())
}

async fn by_name(client: &Docker, name: &str) -> Result<(), Fault> {
    let options = RemoveImageOptionsBuilder::default().noprune(true).build();
    match client.remove_image(name, Some(options), None).await {
        Ok(_) | Err(DockerError::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
        Err(DockerError::DockerResponseServerError { status_code: 409, .. }) => {
            let message = format!(
                "a container uses {name}: `docker ps --all --filter ancestor={name}` shows it; remove it first"
            );
            Err(Fault::Usage { message })
        }
        Err(error) => Err(Fault::docker(format!("removing the image {name}"))(error)),
    }
}

/// Removes the image that a reference has just left, if nothing else names or uses it.
pub async fn dangling(client: &Docker, id: &str) {
    let named = |image: ImageInspect| image.repo_tags.is_some_and(|tags| !tags.is_empty());
    if client.inspect_image(id).await.is_ok_and(|image| !named(image)) {
        let options = RemoveImageOptionsBuilder::default().noprune(true).build();
        // A container that still runs on it keeps it; then it costs space, but nothing else.
        let _ = client.remove_image(id, Some(options), None).await;
    }
}
