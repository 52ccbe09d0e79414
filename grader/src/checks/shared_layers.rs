//! `shared-layers`: two images stand on the same layers.
//!
//! Owns: comparing layer digests. Must not: look into layers.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::ImageFacts;
use crate::verdict::{Finding, Verdict};

/// Counts the layers that two images have in common, from the lowest up.
///
/// Why it matters: shared layers are stored and pulled once, and what is shared cannot drift
/// apart.
///
/// How it is cheated: it cannot be; a digest names its content.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedLayers {
    /// The two images, by their names in `[[image]]`.
    pub images: [String; 2],
    /// How many layers above the base image they share at least.
    #[serde(default)]
    pub above_base: usize,
}

/// The layers of both.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The first image.
    pub first: ImageFacts,
    /// The second image.
    pub second: ImageFacts,
}

#[async_trait]
impl Check for SharedLayers {
    type Evidence = Evidence;
    const KIND: &'static str = "shared-layers";

    fn needs(&self) -> Vec<Resource> {
        self.images.iter().map(Resource::image).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let (first, second) = tokio::try_join!(sandbox.image(&self.images[0]), sandbox.image(&self.images[1]))?;
        Ok(Evidence { first, second })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let shared = evidence.first.layers.iter().zip(&evidence.second.layers).take_while(|(a, b)| a == b).count();
        let base = evidence.first.base_layers;
        let name = |facts: &ImageFacts| facts.base.clone().unwrap_or_else(|| "no image of the course".into());
        let more = if self.above_base == 0 { String::new() } else { format!(" and {} more", self.above_base) };
        let wanted = format!("{} and {} share the layers of one base image{more}", self.images[0], self.images[1]);
        let measured = format!(
            "{shared} shared layers; {} stands on {} ({} layers), {} on {} ({} layers)",
            self.images[0],
            name(&evidence.first),
            evidence.first.layers.len(),
            self.images[1],
            name(&evidence.second),
            evidence.second.layers.len(),
        );
        Finding::new(wanted, measured).decide(base > 0 && shared >= base + self.above_base)
    }
}

crate::register!(SharedLayers);
