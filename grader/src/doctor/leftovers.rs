//! What runs have left behind whose process is gone.
//!
//! Owns: counting it. Must not: remove it; that is `grader sweep`, and every run's first step.

use std::collections::HashMap;

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
};

use super::{Finding, Level};
use crate::fault::Fault;
use crate::paths;
use crate::plan::REPOSITORY;
use crate::sandbox::run_id::{LABEL, RunId};

/// The finding about them.
pub async fn examine(client: &Docker) -> Finding {
    match count(client).await {
        Ok(0) => Finding::ok("leftovers", "nothing of dead runs"),
        Ok(count) => Finding::new(
            "leftovers",
            Level::Warn,
            format!("{count} things of dead runs"),
            "`grader sweep` removes them; so does the next run.",
        ),
        Err(error) => {
            let fault = Fault::docker("listing what runs have made")(error);
            Finding::new("leftovers", Level::Warn, fault.to_string(), &fault.remedy())
        }
    }
}

async fn count(client: &Docker) -> Result<usize, Error> {
    let labelled: HashMap<&str, Vec<&str>> = [("label", vec![LABEL])].into();
    let named = format!("{REPOSITORY}/*/*");
    let tagged: HashMap<&str, Vec<&str>> = [("reference", vec![named.as_str()])].into();
    let containers = ListContainersOptionsBuilder::default().all(true).filters(&labelled).build();
    let networks = ListNetworksOptionsBuilder::default().filters(&labelled).build();
    let volumes = ListVolumesOptionsBuilder::default().filters(&labelled).build();
    let images = ListImagesOptionsBuilder::default().filters(&tagged).build();
    let (containers, networks, volumes, images) = tokio::try_join!(
        client.list_containers(Some(containers)),
        client.list_networks(Some(networks)),
        client.list_volumes(Some(volumes)),
        client.list_images(Some(images)),
    )?;
    let label = |labels: Option<HashMap<String, String>>| labels?.remove(LABEL);
    let runs = (containers.into_iter().filter_map(|container| label(container.labels)))
        .chain(networks.into_iter().filter_map(|network| label(network.labels)))
        .chain(volumes.volumes.into_iter().flatten().filter_map(|volume| label(Some(volume.labels))))
        .chain(
            images
                .into_iter()
                .flat_map(|image| image.repo_tags)
                .filter_map(|tag| tag.split('/').nth(1).map(str::to_owned)),
        )
        .chain(folders());
    Ok(runs.filter(|run| RunId::parse(run).is_some_and(|run| run.is_abandoned())).count())
}

fn folders() -> Vec<String> {
    let entries = paths::cache().ok().and_then(|cache| std::fs::read_dir(cache.join("runs")).ok());
    entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
