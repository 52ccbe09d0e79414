//! `secret-free`: a secret of the learner's files is nowhere in an image.
//!
//! Owns: judging where secrets were found. Must not: show their values.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::{Instruction, Occurrence};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Before the build the grader puts a value of its own into the secrets file. Afterwards it looks
/// for that value, and for the learner's own ones, in every layer (deleted files, names of files and what links
/// say, too; files that gzip has compressed as they unpack), in environment, labels, history, command and the rest
/// of the configuration, also in base64 and hexadecimal. A variable of that file is a secret by its name (`DB_PASS`, `API_KEY`) or by its looks: a long run of
/// letters and digits. Of an address with a password in it the password counts.
///
/// Why it matters: whoever can pull an image can read all of its layers.
///
/// How it is cheated: deleting the file in a later layer leaves it in the earlier one, and base64 is no
/// lock. Other tools than gzip, or encrypting it, hide it from this check; whoever has the image has the key to it.
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
    /// The line that brought the first of them in.
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
        let at = match found.first() {
            Some((image, first)) => line_of(sandbox, image, first).await?,
            None => None,
        };
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
        let table = Detail::table("where", &["image", "secret", "place", "in"], rows);
        Verdict::Fail(Finding::new(wanted, measured).at(evidence.at.clone()).with(table))
    }
}

/// The line of the Dockerfile behind an occurrence: what made the layer, or what names the secret.
async fn line_of(sandbox: &dyn Sandbox, image: &str, found: &Occurrence) -> Result<Option<Location>, Fault> {
    if let Some(layer) = found.layer {
        return Ok(sandbox.layer_origins(image).await?.into_iter().nth(layer).and_then(|layer| layer.at));
    }
    let key = found.key.split(',').next().unwrap_or_default();
    let sets = |i: &&Instruction| ["ARG", "ENV", "LABEL"].contains(&i.name.as_str()) && i.arguments.contains(key);
    let instructions = sandbox.instructions();
    Ok(instructions.iter().find(sets).and_then(|found| sandbox.locate_line("Dockerfile", found.line)))
}

crate::register!(SecretFree);
