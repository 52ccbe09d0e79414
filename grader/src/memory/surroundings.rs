//! Everything outside of lesson and submission that a measurement depends on.
//!
//! Owns: naming the grader's program, the daemon, its images, and the programs that the grader runs.
//! Must not: take longer than a few milliseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bollard::Docker;
use bollard::errors::Error as DockerError;
use futures_util::future::try_join_all;

use super::digest::{Builder, Key};
use crate::sandbox::family::Pin;

/// Programs that the grader runs, by the folders in which `docker` looks for its plugins.
const PLUGINS: [&str; 2] = ["docker-compose", "docker-buildx"];
const PLUGIN_FOLDERS: [&str; 6] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
    "/opt/homebrew/lib/docker/cli-plugins",
    "/Applications/Docker.app/Contents/Resources/cli-plugins",
];

/// What the grader runs on.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The key of the grader's program, the daemon and the tools.
    pub key: Key,
    /// The ids of images that the daemon has, by their references.
    ids: BTreeMap<String, String>,
}

impl Default for Surroundings {
    /// Nothing is known, and there are no images.
    fn default() -> Self {
        Self { key: Builder::of("nothing").key(), ids: BTreeMap::new() }
    }
}

impl Surroundings {
    /// Looks around; `None` when something cannot be named, so that nothing is remembered by it.
    pub async fn look(client: &Docker) -> Option<Self> {
        let info = client.info().await.ok()?;
        let program = std::env::current_exe().ok().and_then(|path| std::fs::metadata(path).ok())?;
        let daemon = [info.id?, info.server_version?].into_iter().chain(
            [info.kernel_version, info.driver, info.security_options.map(|all| all.join(" "))].into_iter().flatten(),
        );
        let key = Builder::of("surroundings")
            .with("program", stamp(&program))
            .with_all("daemon", daemon)
            .with_all("tools", tools())
            .key();
        Some(Self { key, ids: BTreeMap::new() })
    }

    /// Learns the ids of images; `None` when the daemon does not say.
    pub async fn learn(mut self, client: &Docker, references: BTreeSet<String>) -> Option<Self> {
        let ids = references.into_iter().map(async |reference| match client.inspect_image(&reference).await {
            Ok(image) => Ok(Some((reference, image.id.unwrap_or_default()))),
            Err(DockerError::DockerResponseServerError { status_code: 404 | 400, .. }) => Ok(None),
            Err(error) => Err(error),
        });
        self.ids = try_join_all(ids).await.ok()?.into_iter().flatten().collect();
        Some(self)
    }

    /// Takes the images of families for what they are proven to be, whatever has their names here.
    #[must_use]
    pub fn with_pins(mut self, pins: &[Pin]) -> Self {
        self.ids.extend(pins.iter().map(|pin| (pin.written.clone(), pin.digest.clone())));
        self
    }

    /// The id of an image; `None` when the daemon does not have it.
    #[must_use]
    pub fn image(&self, reference: &str) -> Option<&str> {
        self.ids.get(reference).map(String::as_str)
    }
}

/// A program that was replaced has another length or date.
fn stamp(program: &Metadata) -> String {
    format!("{} {} {}", program.len(), program.mtime(), program.mtime_nsec())
}

/// The programs that the grader runs, with their stamps.
fn tools() -> Vec<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let docker = std::env::split_paths(&path).map(|folder| folder.join("docker")).find(|program| program.is_file());
    let own = std::env::var_os("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker")))
        .map(|config| config.join("cli-plugins"));
    let folders = own.into_iter().chain(PLUGIN_FOLDERS.map(PathBuf::from));
    let plugins = folders.flat_map(|folder| PLUGINS.map(|plugin| folder.join(plugin)));
    docker
        .into_iter()
        .chain(plugins)
        .filter_map(|path| Some(format!("{} {}", path.display(), stamp(&std::fs::metadata(&path).ok()?))))
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Surroundings with these images.
    pub fn with_images(images: &[(&str, &str)]) -> Surroundings {
        let ids = images.iter().map(|(reference, id)| ((*reference).to_owned(), (*id).to_owned())).collect();
        Surroundings { ids, ..Surroundings::default() }
    }
}
