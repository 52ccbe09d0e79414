//! `shared-layers`: two images stand on the same layers.
//!
//! Owns: comparing layer digests. Must not: look into layers.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::{ImageFacts, LayerOrigin, Tree};
use crate::verdict::{Detail, Finding, Verdict};

/// Counts the layers that two images have in common, from the lowest up.
///
/// Why it matters: shared layers are stored and pulled once, and what is shared cannot drift
/// apart.
///
/// How it is cheated: the same files, copied into a layer of their own, are another layer. A digest names
/// its content, so nothing else has it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedLayers {
    /// The two images, by their names in `[[image]]`.
    pub images: [String; 2],
    /// How many layers above the base image they share at least.
    #[serde(default)]
    pub above_base: usize,
    /// Paths that must lie in the layers which they share.
    #[serde(default)]
    pub paths: Vec<String>,
}

/// The layers of both.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The first image.
    pub first: ImageFacts,
    /// The second image.
    pub second: ImageFacts,
    /// The layers of both with what made them, lowest first.
    #[serde(default)]
    pub origins: [Vec<LayerOrigin>; 2],
    /// The layer of each image that has a path, from 0 for the lowest; for each of the paths that are asked for.
    #[serde(default)]
    pub holders: Vec<[Option<usize>; 2]>,
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
        let [one, other] = &self.images;
        let (one, other) = tokio::try_join!(sandbox.layer_origins(one), sandbox.layer_origins(other))?;
        Ok(Evidence {
            first,
            second,
            origins: [one, other],
            holders: holders(sandbox, &self.images, &self.paths).await?,
        })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let shared = evidence.first.layers.iter().zip(&evidence.second.layers).take_while(|(a, b)| a == b).count();
        // One base may stand on the other: then the upper one is not shared.
        let base = evidence.first.base_layers.max(evidence.second.base_layers);
        let name = |facts: &ImageFacts| facts.base.clone().unwrap_or_else(|| "no image of the course".into());
        let more = if self.above_base == 0 { String::new() } else { format!(" and {} more", self.above_base) };
        let mut wanted = format!("{} and {} share the layers of one base image{more}", self.images[0], self.images[1]);
        if !self.paths.is_empty() {
            wanted += &format!(", with {} in them", self.paths.join(", "));
        }
        let stands = |image: &str, facts: &ImageFacts| format!("{image} has {} on {}", facts.layers.len(), name(facts));
        let measured = format!(
            "{shared} {} shared; {}, {}",
            if shared == 1 { "layer is" } else { "layers are" },
            stands(&self.images[0], &evidence.first),
            stands(&self.images[1], &evidence.second)
        );
        let apart = self.apart(&evidence.holders, shared);
        let measured = apart.as_ref().map_or(measured.clone(), |apart| format!("{measured}; {apart}"));
        let finding = Finding::new(wanted, measured);
        // On `scratch` there is no layer of a base, and what is shared above it is shared.
        if apart.is_none() && shared > 0 && (base > 0 || self.above_base > 0) && shared >= base + self.above_base {
            return Verdict::Pass(finding);
        }
        let [one, other] = &evidence.origins;
        let differs = one.get(shared).and_then(|layer| layer.at.clone()).or_else(|| other.get(shared)?.at.clone());
        let text = |layers: &[LayerOrigin], facts: &ImageFacts, at: usize| match layers.get(at) {
            Some(layer) if layer.of_base => format!("(of {})", name(facts)),
            Some(layer) => layer.instruction.chars().take(60).collect(),
            None => String::new(),
        };
        let row = |at: usize| {
            let same = if at < shared { "shared" } else { "" };
            vec![text(one, &evidence.first, at), text(other, &evidence.second, at), same.to_owned()]
        };
        let rows = (0..one.len().max(other.len())).map(row).collect();
        let table = Detail::table("layers, lowest first", &[&self.images[0], &self.images[1], ""], rows);
        let note = "A layer is shared while everything below it is: from the first line that differs, nothing is.";
        Verdict::Fail(finding.at(differs).with(table).note(note))
    }
}

/// Which layers of two images have these paths.
async fn holders(
    sandbox: &dyn Sandbox,
    images: &[String; 2],
    paths: &[String],
) -> Result<Vec<[Option<usize>; 2]>, Fault> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let [one, other] = images;
    let (one, other) = tokio::try_join!(sandbox.layer_files(one), sandbox.layer_files(other))?;
    let (one, other) = (Tree::of(&one), Tree::of(&other));
    let layer = |tree: &Tree<'_>, path: &str| tree.at(path.trim_start_matches('/')).map(|node| node.layer);
    Ok(paths.iter().map(|path| [layer(&one, path), layer(&other, path)]).collect())
}

impl SharedLayers {
    /// The first path that does not lie in one of the `shared` layers of both.
    fn apart(&self, holders: &[[Option<usize>; 2]], shared: usize) -> Option<String> {
        self.paths.iter().zip(holders).find_map(|(path, layers)| {
            self.images.iter().zip(layers).find_map(|(image, layer)| match layer {
                Some(layer) if *layer < shared => None,
                Some(layer) => Some(format!("{path} lies in layer {} of {image}, which is not shared", layer + 1)),
                None => Some(format!("{path} is not in {image}")),
            })
        })
    }
}

crate::register!(SharedLayers);
