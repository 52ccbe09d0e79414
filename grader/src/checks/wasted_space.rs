//! `wasted-space`: an image stores next to nothing that cannot be seen any more.
//!
//! Owns: adding up what later layers hide, and comparing it with a limit. Must not: find it; that is
//! done by [`waste`].

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::{LayerOrigin, Waste, waste, waste_by_folder};
use crate::verdict::{Detail, Finding, Verdict, bytes};

/// Adds up the bytes above the base image that a later layer overwrites or deletes.
///
/// Why it matters: a layer never changes. What a later one deletes is still stored, pushed and pulled,
/// and whoever has the image can read it.
///
/// How it is cheated: emptying a file, moving it or changing its owner in a later layer hides its bytes
/// just as deleting does, so it counts; what is deleted in the instruction that wrote it is not in any
/// layer, and that is what the check wants. Keeping everything wastes nothing: the check of the image's
/// size is there for that.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WastedSpace {
    /// The image, by its name in `[[image]]`.
    pub image: String,
    /// The most bytes above the base that later layers may overwrite or delete.
    pub most_bytes: u64,
}

/// The layers, and what is stored in them in vain.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// All layers of the image, lowest first, with the instructions that made them.
    pub layers: Vec<LayerOrigin>,
    /// What later layers hide of the layers above the base, by folder, the largest first.
    pub waste: Vec<Waste>,
}

/// How many folders are shown.
const SHOWN: usize = 8;

#[async_trait]
impl Check for WastedSpace {
    type Evidence = Evidence;
    const KIND: &'static str = "wasted-space";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::image(&self.image)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let layers = sandbox.layer_origins(&self.image).await?;
        let mut waste = waste(&sandbox.layer_files(&self.image).await?);
        waste.retain(|one| layers.get(one.layer).is_some_and(|layer| !layer.of_base));
        Ok(Evidence { waste: waste_by_folder(&waste), layers })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let in_vain: u64 = evidence.waste.iter().map(|one| one.bytes).sum();
        let wanted =
            format!("at most {} above the base that a later layer overwrites or deletes", bytes(self.most_bytes));
        let holds = in_vain <= self.most_bytes;
        let mut finding = Finding::new(wanted, bytes(in_vain));
        if !holds {
            let made_by =
                |layer: usize| evidence.layers.get(layer).map(|layer| short(&layer.instruction)).unwrap_or_default();
            let row = |one: &Waste| {
                vec![
                    bytes(one.bytes),
                    format!("/{}", one.path),
                    made_by(one.layer),
                    format!("{} {}", made_by(one.by), one.how.verb()),
                ]
            };
            let rows = evidence.waste.iter().take(SHOWN).map(row).collect();
            let head = ["bytes", "path", "stored by", "hidden by"];
            finding = finding.at(evidence.costliest().and_then(|layer| layer.at.clone())).with(Detail::table(
                "stored in vain",
                &head,
                rows,
            ));
        }
        finding.decide(holds)
    }
}

impl Evidence {
    /// The layer that stores the most in vain.
    fn costliest(&self) -> Option<&LayerOrigin> {
        let wasted = |at: usize| self.waste.iter().filter(|one| one.layer == at).map(|one| one.bytes).sum::<u64>();
        (0..self.layers.len()).max_by_key(|at| wasted(*at)).map(|at| &self.layers[at])
    }
}

fn short(instruction: &str) -> String {
    if instruction.chars().count() > 30 {
        instruction.chars().take(29).chain(['…']).collect()
    } else {
        instruction.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::facts::Hidden;
    use crate::verdict::Location;

    fn judged(wasted: &[(usize, u64)]) -> Verdict {
        let layer = |line| LayerOrigin {
            instruction: format!("RUN {line}"),
            at: Some(Location { file: "Dockerfile".into(), line, text: format!("RUN {line}") }),
            ..LayerOrigin::default()
        };
        let waste = wasted
            .iter()
            .map(|(layer, bytes)| Waste {
                path: "app/x".into(),
                bytes: *bytes,
                layer: *layer,
                by: 2,
                how: Hidden::Deleted,
            })
            .collect();
        let check = WastedSpace { image: "app".into(), most_bytes: 1_000 };
        check.judge(&Evidence { layers: vec![layer(1), layer(2), layer(3)], waste })
    }

    #[test]
    fn the_limit_itself_passes_and_one_byte_more_does_not() {
        assert!(matches!(judged(&[(0, 400), (1, 600)]), Verdict::Pass(_)));
        assert!(matches!(judged(&[(0, 400), (1, 601)]), Verdict::Fail(_)));
        assert!(matches!(judged(&[]), Verdict::Pass(_)));
    }

    #[test]
    fn the_instruction_that_stored_the_most_in_vain_is_named_and_who_hides_it() {
        let verdict = judged(&[(0, 700), (1, 500), (1, 500)]);
        assert_eq!(verdict.finding().at.as_ref().map(|at| at.line), Some(2));
        let Detail::Table { rows, .. } = &verdict.finding().details[0] else { panic!("a table") };
        assert_eq!(rows[0], ["700 B", "/app/x", "RUN 1", "RUN 3 deletes"]);
    }
}

crate::register!(WastedSpace);
