//! Removing what only root may remove.
//!
//! Owns: a helper container that empties a run's folder. Must not: run anything of a submission, or
//! see anything but that folder.
//!
//! What containers make in a folder that they have mounted belongs to their users, mostly root. A
//! member of the group `docker` cannot remove that, and the daemon can.

use std::path::Path;
use std::time::Duration;

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType};
use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptionsBuilder, WaitContainerOptionsBuilder};
use futures_util::StreamExt;

use crate::fault::Fault;
use crate::sandbox::run_id::{LABEL, RunId};

/// The file of a run's folder that names an image of the course, for this helper. No container has it
/// mounted.
pub const IMAGE_FILE: &str = "helper-image";

/// The most that a run waits for it. What is left then is removed by later ones.
const LIMIT: Duration = Duration::from_secs(60);

/// Empties the folders of a run's folder. What lies in them is never followed: `find` goes down by
/// opened folders, and removes what a link is and not what it leads to. `false` when it was not done in
/// time.
pub async fn empty(client: &Docker, folder: &Path) -> Result<bool, Fault> {
    let named = folder.join(IMAGE_FILE);
    let image = std::fs::read_to_string(&named).map_err(Fault::file(&named))?;
    let body = ContainerCreateBody {
        image: Some(image),
        entrypoint: Some(vec!["find".into()]),
        cmd: Some(["/leftover", "-xdev", "-mindepth", "2", "-delete"].map(str::to_owned).to_vec()),
        user: Some("0".into()),
        labels: Some([(LABEL.to_owned(), RunId::new().to_string())].into()),
        host_config: Some(HostConfig {
            // As a mount and not as text, in which a `:` of the path would mean something.
            mounts: Some(vec![Mount {
                target: Some("/leftover".into()),
                source: Some(folder.display().to_string()),
                typ: Some(MountType::BIND),
                ..Mount::default()
            }]),
            network_mode: Some("none".into()),
            userns_mode: Some("host".into()),
            cap_drop: Some(vec!["ALL".into()]),
            cap_add: Some(["DAC_OVERRIDE", "FOWNER"].map(str::to_owned).to_vec()),
            readonly_rootfs: Some(true),
            security_opt: Some(["no-new-privileges", "label=disable"].map(str::to_owned).to_vec()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let created = client.create_container(None::<CreateContainerOptions>, body).await;
    let id = created.map_err(Fault::docker("creating the helper that removes a run's folder"))?.id;
    let working = async {
        client.start_container(&id, None).await.map_err(Fault::docker("starting the helper"))?;
        let options = WaitContainerOptionsBuilder::default().condition("not-running").build();
        // Whether all is gone is seen in the folder, and not told by an exit code.
        Ok(tokio::time::timeout(LIMIT, client.wait_container(&id, Some(options)).next()).await.is_ok())
    };
    let done = working.await;
    let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    let _ = client.remove_container(&id, Some(force)).await;
    done
}
