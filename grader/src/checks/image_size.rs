//! `image-size`: what an image adds over its base stays small.
//!
//! Owns: adding up layer sizes. Must not: know why a file is there.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::{ImageFacts, LayerFiles, bytes_by_folder, without_shell};
use crate::verdict::{Detail, Finding, Location, Verdict, bytes};

/// Adds up the bytes of the layers above the base image, and compares them with a limit and with
/// another image; where the lesson says so, also the bytes of all layers.
///
/// Why it matters: what is not in the image needs no time to pull, no disk, and no patches.
///
/// How it is cheated: deleting files in a later layer does not help, since every layer counts. What
/// an image adds to a base that is no image of the course is all of it, so a larger base does not help
/// either.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageSize {
    /// The image, by its name in `[[image]]`.
    pub image: String,
    /// The most that it may add over its base, bytes.
    pub added_bytes: u64,
    /// The most that all of it may have, the base included, bytes.
    #[serde(default)]
    pub total_bytes: Option<u64>,
    /// An image to compare with.
    #[serde(default)]
    pub against: Option<String>,
    /// The most that it may add, in percent of what the other one adds.
    #[serde(default)]
    pub percent: Option<u64>,
}

/// Layers of the image, and of the one to compare with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The image.
    pub image: ImageFacts,
    /// The other one.
    pub other: Option<ImageFacts>,
    /// The largest files above the base: path and bytes.
    pub largest: Vec<(String, u64)>,
    /// The instruction that made the largest layer.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for ImageSize {
    type Evidence = Evidence;
    const KIND: &'static str = "image-size";

    fn needs(&self) -> Vec<Resource> {
        [&self.image].into_iter().chain(&self.against).map(Resource::image).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let image = sandbox.image(&self.image).await?;
        let other = match &self.against {
            Some(name) => Some(sandbox.image(name).await?),
            None => None,
        };
        let layers = sandbox.layer_files(&self.image).await?;
        let origins = sandbox.layer_origins(&self.image).await?;
        let own = origins.into_iter().filter(|layer| !layer.of_base);
        let at = own.max_by_key(|layer| layer.bytes).and_then(|layer| layer.at);
        Ok(Evidence { largest: largest(&layers, image.base_layers), image, other, at })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let added = evidence.image.added_bytes();
        let mut wanted = format!("at most {} over the base image", bytes(self.added_bytes));
        let mut measured = format!(
            "{} over {}",
            exact(added, self.added_bytes),
            evidence.image.base.as_deref().unwrap_or("no known base")
        );
        let mut holds = added <= self.added_bytes;
        if let (Some(other), Some(percent), Some(name)) = (&evidence.other, self.percent, &self.against) {
            let most = other.added_bytes() * percent / 100;
            wanted = format!("{wanted}, and at most {percent} % of what {name} adds");
            measured = format!("{measured}; {name} adds {}", bytes(other.added_bytes()));
            holds = holds && added <= most;
        }
        if let Some(most) = self.total_bytes {
            let total = evidence.image.total_bytes();
            wanted = format!("{wanted}; at most {} in all", bytes(most));
            measured = format!("{measured}; {} in all", exact(total, most));
            holds = holds && total <= most;
        }
        let layers = evidence.image.history.iter().skip(evidence.image.base_entries);
        let rows = layers.filter(|e| e.bytes > 0).map(|e| vec![bytes(e.bytes), short(&e.instruction)]).collect();
        let mut finding =
            Finding::new(wanted, measured).with(Detail::table("layers above the base", &["bytes", "made by"], rows));
        if !holds {
            let rows = evidence.largest.iter().map(|(path, size)| vec![bytes(*size), format!("/{path}")]).collect();
            finding =
                finding.at(evidence.at.clone()).with(Detail::table("what costs the most", &["bytes", "path"], rows));
        }
        finding.decide(holds)
    }
}

/// A size beside its limit: to the byte where the two would look the same.
fn exact(size: u64, most: u64) -> String {
    if size > most && bytes(size) == bytes(most) {
        format!("{size} bytes ({} too many)", size - most)
    } else {
        bytes(size)
    }
}

/// The beginning of an instruction as it stands in the Dockerfile.
fn short(instruction: &str) -> String {
    without_shell(instruction).chars().take(80).collect()
}

/// The five costliest folders above the base, two levels below the one that holds the app.
fn largest(layers: &[LayerFiles], base_layers: usize) -> Vec<(String, u64)> {
    let mut sums = bytes_by_folder(layers.iter().skip(base_layers).flat_map(|layer| &layer.files));
    sums.truncate(5);
    sums
}

crate::register!(ImageSize);
