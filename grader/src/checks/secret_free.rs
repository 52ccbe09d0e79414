//! `secret-free`: a secret of the learner's files is nowhere in an image.
//!
//! Owns: judging where secrets were found. Must not: show their values.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::Occurrence;
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Before the build the grader puts a value of its own into the secrets file. Afterwards it looks
/// for that value, and for the learner's own ones, in every layer (deleted files too), in
/// environment, labels, history and command.
///
/// Why it matters: whoever can pull an image can read all of its layers.
///
/// How it is cheated: deleting the file in a later layer leaves it in the earlier one. Encoding
/// it hides it from this check, and from nobody else.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretFree {
    /// The images, by their names in `[[image]]`.
    pub images: Vec<String>,
}

/// Where secrets were found, per image.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Image and occurrence.
    pub found: Vec<(String, Occurrence)>,
    /// The instruction by which the first one may have come in.
    #[serde(default)]
    pub at: Option<Location>,
}

#[async_trait]
impl Check for SecretFree {
    type Evidence = Evidence;
    const KIND: &'static str = "secret-free";

    fn needs(&self) -> Vec<Resource> {
        self.images.iter().map(Resource::image).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let mut found = Vec::new();
        for image in &self.images {
            found.extend(
                sandbox.secret_occurrences(image).await?.into_iter().map(|occurrence| (image.clone(), occurrence)),
            );
        }
        let at = found.first().and_then(|(image, occurrence): &(String, Occurrence)| {
            let names: &[&str] = match occurrence.place.as_str() {
                "layer" => &["COPY", "ADD", "RUN"],
                "environment" => &["ENV"],
                "label" => &["LABEL"],
                "command" => &["CMD", "ENTRYPOINT"],
                _ => &["ARG", "RUN"],
            };
            names.iter().find_map(|name| sandbox.locate_instruction(image, name))
        });
        Ok(Evidence { found, at })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("no secret in any layer, variable, label or history of {}", self.images.join(" and "));
        let Some((image, first)) = evidence.found.first() else {
            return Verdict::Pass(Finding::new(wanted, "found nowhere"));
        };
        let measured = format!("the value of {} is in the {} of {image}: {}", first.key, first.place, first.detail);
        let rows = evidence.found.iter().take(12);
        let rows =
            rows.map(|(image, o)| vec![image.clone(), o.key.clone(), o.place.clone(), o.detail.clone()]).collect();
        Verdict::Fail(
            Finding::new(wanted, measured)
                .with(Detail::table("where", &["image", "secret", "place", "in"], rows))
                .at(evidence.at.clone()),
        )
    }
}

crate::register!(SecretFree);
