//! Other images of a lesson's families: `node:24-alpine` where the lesson has `node:22-bookworm-slim`.
//!
//! Owns: which image exactly such a name stands for, and bringing it here. Must not: trust a name. What
//! is on this machine under the name of an official image may be somebody else's.
//!
//! So an image counts when the registry itself says which one it is, or when the daemon has kept from which
//! repository it came. (Docker's containerd store gives a digest to everything; there, only the registry
//! counts.) From then on it goes by its digest.

use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as DockerError;
use bollard::query_parameters::{CreateImageOptionsBuilder, ListImagesOptionsBuilder, TagImageOptionsBuilder};
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::fault::Fault;
use crate::policy::images::{full, repository};

/// A registry that has not said a word after this time does not answer.
const ANSWERS: Duration = Duration::from_secs(15);

/// A name, and the image that it stands for in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The name as it was written.
    pub written: String,
    /// The image's digest, `sha256:...`.
    pub digest: String,
}

impl Pin {
    /// The reference by which the daemon has this image and no other: `docker.io/library/node@sha256:...`.
    #[must_use]
    pub fn exact(&self) -> String {
        format!("{}@{}", repository(&self.written), self.digest)
    }

    /// The name as BuildKit writes it, with the digest.
    #[must_use]
    pub fn identifier(&self) -> String {
        let name = full(&self.written);
        if self.written.contains('@') { name } else { format!("{name}@{}", self.digest) }
    }
}

/// An image that may be used, and that is not to be had now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The name as it was written.
    pub written: String,
    /// Why nobody can tell which image that is.
    pub reason: String,
    /// What is here in its place.
    pub here: Vec<String>,
}

/// What became of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is here.
    Here(Pin),
    /// The registry has no such image.
    NoSuch,
    /// Nobody can tell; the reason.
    Unknown(String),
}

/// Finds out which image a name stands for. Where this machine does not know, the registry is asked if
/// `ask`, and the image brought here.
pub async fn find(client: &Docker, written: &str, ask: bool) -> Result<Found, Fault> {
    let local = match client.inspect_image(written).await {
        Ok(image) => Some(image),
        Err(DockerError::DockerResponseServerError { status_code: 404 | 400, .. }) => None,
        Err(error) => return Err(Fault::docker(format!("inspecting the image {written}"))(error)),
    };
    let digests = local.as_ref().and_then(|image| image.repo_digests.clone()).unwrap_or_default();
    if keeps_origins(client).await?
        && let Some(digest) = of_repository(&digests, written)
    {
        return Ok(Found::Here(Pin { written: written.to_owned(), digest }));
    }
    if !ask {
        return Ok(Found::Unknown("without a network nobody can be asked".into()));
    }
    let asked = timeout(ANSWERS, client.inspect_registry_image(written, None)).await;
    let digest = match asked {
        Ok(Ok(answer)) => answer.descriptor.digest.unwrap_or_default(),
        Ok(Err(DockerError::DockerResponseServerError { status_code: 401 | 403 | 404, .. })) => {
            return Ok(Found::NoSuch);
        }
        Ok(Err(error)) => return Ok(Found::Unknown(error.to_string())),
        Err(_) => return Ok(Found::Unknown(format!("the registry did not answer within {} s", ANSWERS.as_secs()))),
    };
    let pin = Pin { written: written.to_owned(), digest };
    if let Some(reason) = bring(client, &pin).await {
        return Ok(Found::Unknown(reason));
    }
    // A name that nobody has here yet is given to it, so that the next run needs no network.
    if local.is_none() && !written.contains('@') {
        let name = full(written);
        let (repository, tag) = name.rsplit_once(':').unwrap_or((&name, "latest"));
        let options = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
        let naming = client.tag_image(&pin.exact(), Some(options)).await;
        naming.map_err(Fault::docker(format!("giving an image the name {written}")))?;
    }
    Ok(Found::Here(pin))
}

/// Images of the same repository that are here and known to come from there.
pub async fn others_here(client: &Docker, written: &str) -> Result<Vec<String>, Fault> {
    if !keeps_origins(client).await? {
        return Ok(Vec::new());
    }
    let options = ListImagesOptionsBuilder::default().build();
    let images = client.list_images(Some(options)).await.map_err(Fault::docker("listing images"))?;
    let proven = images.into_iter().filter(|image| of_repository(&image.repo_digests, written).is_some());
    let family = repository(written);
    let mut names: Vec<String> =
        proven.flat_map(|image| image.repo_tags).filter(|name| repository(name) == family).collect();
    names.sort();
    Ok(names)
}

/// Brings an image here by its digest, which changes no name; the reason when that does not work.
async fn bring(client: &Docker, pin: &Pin) -> Option<String> {
    if client.inspect_image(&pin.exact()).await.is_ok() {
        return None;
    }
    let options = CreateImageOptionsBuilder::default().from_image(&repository(&pin.written)).tag(&pin.digest).build();
    let mut pulled = Box::pin(client.create_image(Some(options), None, None));
    loop {
        match timeout(ANSWERS * 4, pulled.next()).await {
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(error))) => return Some(error.to_string()),
            Ok(None) => return client.inspect_image(&pin.exact()).await.err().map(|error| error.to_string()),
            Err(_) => return Some(format!("it came no further for {} s", (ANSWERS * 4).as_secs())),
        }
    }
}

/// Whether the daemon's digests say where images come from.
async fn keeps_origins(client: &Docker) -> Result<bool, Fault> {
    let info = client.info().await.map_err(Fault::docker("asking the daemon about itself"))?;
    Ok(!info.driver_status.into_iter().flatten().flatten().any(|word| word.starts_with("io.containerd.snapshotter")))
}

fn of_repository(digests: &[String], written: &str) -> Option<String> {
    let wanted = written.split_once('@').map(|(_, digest)| digest);
    let pairs = digests.iter().filter_map(|one| one.split_once('@'));
    let mut of_it = pairs.filter(|(name, _)| repository(name) == repository(written)).map(|(_, digest)| digest);
    of_it.find(|digest| wanted.is_none_or(|wanted| wanted == *digest)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_digest_of_the_same_repository_proves_where_an_image_comes_from() {
        let digests = ["evil/node@sha256:1", "localhost:5000/node@sha256:2", "node@sha256:3"].map(str::to_owned);
        assert_eq!(of_repository(&digests, "node:24").as_deref(), Some("sha256:3"));
        assert_eq!(of_repository(&digests[..2], "docker.io/node:24"), None);
        assert_eq!(of_repository(&digests, "node@sha256:1"), None);
        assert_eq!(of_repository(&digests, "localhost:5000/node").as_deref(), Some("sha256:2"));
    }

    #[test]
    fn a_pinned_image_goes_by_its_digest_alone() {
        let pin = |written: &str| Pin { written: written.into(), digest: "sha256:3".into() };
        assert_eq!(pin("node:24").identifier(), "docker.io/library/node:24@sha256:3");
        assert_eq!(pin("node@sha256:3").identifier(), "docker.io/library/node@sha256:3");
        assert_eq!(pin("node:24").exact(), "docker.io/library/node@sha256:3");
    }
}
