//! `base-image`: what an image is made of is named exactly, and comes from where it should.
//!
//! Owns: taking image names apart. Must not: read the Dockerfile for them; BuildKit resolves them.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Takes every image that BuildKit asked for while it built (`FROM`, `COPY --from`, `RUN
/// --mount=from`), as it resolved them: with arguments filled in, stage names followed, a missing
/// tag shown as `latest`. Each must have a tag other than `latest`, or a digest, and come from an
/// allowed repository. When BuildKit cannot find an image, the build fails and this check is blocked.
///
/// Why it matters: `latest` is another image every month; a build that worked today breaks
/// tomorrow, and nobody has changed a line. And whoever made the base can do anything in your image.
///
/// How it is cheated: `latest` behind an argument, or a stage that is called like an allowed image,
/// reads well in the file; BuildKit's own list has the real name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaseImage {
    /// The image, by its name in `[[image]]`.
    pub image: String,
    /// Repositories that are allowed, without tags: `node` for Docker's official one, `bitnami/redis`,
    /// with the registry before it when it is not Docker Hub. `scratch` allows an image that stands
    /// on nothing. Empty: all are allowed.
    #[serde(default)]
    pub families: Vec<String>,
    /// Whether each must have a digest (`@sha256:...`).
    #[serde(default)]
    pub require_digest: bool,
}

/// The images that were asked for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Their names, as BuildKit resolved them.
    pub bases: Vec<String>,
    /// The line that asks for the first one at fault.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for BaseImage {
    type Evidence = Evidence;
    const KIND: &'static str = "base-image";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::image(&self.image)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let bases = sandbox.built(&self.image).await?.bases;
        let mut evidence = Evidence { bases, at: None };
        let fault = self.problems(&evidence).into_iter().next().map(|(name, _)| name);
        let instructions = sandbox.instructions();
        let asks = |names: &[&str], text: &str| {
            instructions.iter().find(|one| names.contains(&one.name.as_str()) && one.arguments.contains(text))
        };
        let line = fault.and_then(|name| {
            let repository = Name::of(&name).repository;
            // A name that is put together from arguments does not stand in the file as a whole.
            asks(&["FROM"], &repository)
                .or_else(|| asks(&["COPY", "RUN"], &repository))
                .or_else(|| asks(&["FROM"], "$"))
                .or_else(|| asks(&["FROM"], ""))
        });
        evidence.at = line.and_then(|one| sandbox.locate_line("Dockerfile", one.line));
        Ok(evidence)
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let families = &self.families;
        let exact = if self.require_digest { "a digest" } else { "a tag (not `latest`) or a digest" };
        let mut wanted = format!("every image that the build uses has {exact}");
        if !families.is_empty() {
            wanted = format!("{wanted} and is one of {}", families.join(", "));
        }
        let problems = self.problems(evidence);
        let Some((name, problem)) = problems.first() else {
            let bases = if evidence.bases.is_empty() {
                "none: it stands on nothing (scratch)".into()
            } else {
                evidence.bases.join(", ")
            };
            return Verdict::Pass(Finding::new(wanted, bases));
        };
        let rows = evidence.bases.iter().map(|base| {
            let of = problems
                .iter()
                .filter(|(name, _)| name == base)
                .map(|(_, problem)| problem.clone())
                .collect::<Vec<_>>();
            vec![base.clone(), if of.is_empty() { "as wanted".into() } else { of.join("; ") }]
        });
        let table = Detail::table("images that the build asked for", &["image", "judged"], rows.collect());
        Verdict::Fail(Finding::new(wanted, format!("`{name}`: {problem}")).with(table).at(evidence.at.clone()))
    }
}

impl BaseImage {
    /// Each image at fault with what is wrong.
    fn problems(&self, evidence: &Evidence) -> Vec<(String, String)> {
        let families = &self.families;
        let mut found = Vec::new();
        if evidence.bases.is_empty() && !families.is_empty() && !families.iter().any(|family| family == "scratch") {
            found.push(("scratch".to_owned(), "the image stands on nothing".to_owned()));
        }
        for base in &evidence.bases {
            let name = Name::of(base);
            let mut problem = |text: &str| found.push((base.clone(), text.to_owned()));
            if !families.is_empty() && !families.contains(&name.repository) {
                problem("it does not come from an allowed repository");
            }
            if self.require_digest && name.digest.is_none() {
                problem("it has no digest");
            } else if name.digest.is_none() && name.tag.as_deref().is_none_or(|tag| tag == "latest") {
                problem("it is `latest`, which also stands for a tag that was left out");
            }
        }
        found
    }
}

/// The parts of an image's name.
#[derive(Debug, PartialEq, Eq)]
struct Name {
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Name {
    fn of(name: &str) -> Self {
        let (rest, digest) =
            name.split_once('@').map_or((name, None), |(rest, digest)| (rest, Some(digest.to_owned())));
        // A colon before the last slash belongs to a registry's port.
        let (repository, tag) = match rest.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag.to_owned())),
            _ => (rest, None),
        };
        Self { repository: repository.to_owned(), tag, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let parts = |name: &str| {
            let name = Name::of(name);
            (name.repository, name.tag.unwrap_or_default(), name.digest.unwrap_or_default())
        };
        let all =
            |repository: &str, tag: &str, digest: &str| (repository.to_owned(), tag.to_owned(), digest.to_owned());
        assert_eq!(parts("node:22"), all("node", "22", ""));
        assert_eq!(parts("reg.example:5000/a/b"), all("reg.example:5000/a/b", "", ""));
        assert_eq!(parts("reg.example:5000/a/b:1@sha256:ff"), all("reg.example:5000/a/b", "1", "sha256:ff"));
    }
}

crate::register!(BaseImage);
