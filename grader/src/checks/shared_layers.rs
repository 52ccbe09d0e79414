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
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Counts the layers that two images have in common, from the lowest up.
///
/// Why it matters: shared layers are stored and pulled once, and what is shared cannot drift
/// apart.
///
/// How it is cheated: the same words above another layer make another layer; a digest names its
/// content.
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
    /// The `FROM` of the second one.
    #[serde(default)]
    pub at: Option<Location>,
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
        Ok(Evidence { first, second, at: sandbox.locate_instruction(&self.images[1], "FROM") })
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
        let finding = Finding::new(wanted, measured);
        if base > 0 && shared >= base + self.above_base {
            return Verdict::Pass(finding);
        }
        let digest = |facts: &ImageFacts, at: usize| {
            facts.layers.get(at).map_or("none".into(), |id| id.chars().take(19).collect())
        };
        let most = evidence.first.layers.len().max(evidence.second.layers.len()).min(shared + 3);
        let rows =
            (0..most).map(|at| vec![(at + 1).to_string(), digest(&evidence.first, at), digest(&evidence.second, at)]);
        let table =
            Detail::table("layers, the lowest first", &["layer", &self.images[0], &self.images[1]], rows.collect());
        let finding = finding.with(table).note("Layers are shared only from the lowest up to the first that differs.");
        Verdict::Fail(finding.at(evidence.at.clone()))
    }
}

crate::register!(SharedLayers);
