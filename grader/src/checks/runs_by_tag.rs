//! `runs-by-tag`: a stack runs the image that was built before, by its tag, and builds nothing.
//!
//! Owns: comparing what the model names with what runs. Must not: start anything itself.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Finding, Location, Verdict};

/// The image was built by itself and tagged; the stack is started with only the tag given. The
/// service must name an image by that tag, and the container must run the very image that was built.
///
/// Why it matters: production runs what was tested. A server that builds runs something that
/// nobody has tested, and needs the source and the tools to do so.
///
/// How it is cheated: a fixed tag, or a build on start, is not the image that was built in this run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunsByTag {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The image that it must run, by its name in `[[image]]`.
    pub image: String,
    /// The repository under which the exercise builds it, such as `payments`; any when left out.
    #[serde(default)]
    pub repository: Option<String>,
}

/// What the model names and what runs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// `image` in the merged model.
    pub named: Option<String>,
    /// The tag that was given.
    pub tag: String,
    /// Whether the merged model still has a `build` for the service.
    pub has_build: bool,
    /// `pull_policy` in the merged model.
    pub pull_policy: Option<String>,
    /// The id of the image that was built.
    pub built: String,
    /// The id of the image that the container runs.
    pub running: String,
    /// Where the image (or the build) stands.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for RunsByTag {
    type Evidence = Evidence;
    const KIND: &'static str = "runs-by-tag";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::image(&self.image), Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        let model = sandbox.model(&self.stack);
        let text = |key: &str| model["services"][&self.service][key].as_str().map(str::to_owned);
        let named = text("image");
        let key = if named.is_some() { "image" } else { "build" };
        Ok(Evidence {
            has_build: !model["services"][&self.service]["build"].is_null(),
            pull_policy: text("pull_policy"),
            tag: sandbox.tag(),
            built: sandbox.image(&self.image).await?.id,
            running: sandbox.container(at).await?.image_id,
            at: sandbox.locate_key(at, &[key]),
            named,
        })
    }

    fn time_explains(&self, _: &Evidence) -> bool {
        false
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted =
            format!("`{}` names its image by the given TAG, and runs the image that was built before", self.service);
        let before_tag = |name: &String| name.strip_suffix(&format!(":{}", evidence.tag)).map(str::to_owned);
        let by_tag = evidence.named.as_ref().is_some_and(|name| before_tag(name).is_some());
        let plain = |name: &str| {
            let name = name.strip_prefix("docker.io/").unwrap_or(name);
            name.strip_prefix("library/").unwrap_or(name).to_owned()
        };
        let repository = evidence.named.as_ref().and_then(before_tag);
        let other = (self.repository.as_ref())
            .filter(|wanted| by_tag && repository.as_deref().map(plain) != Some(plain(wanted)));
        let builds = evidence.pull_policy.as_deref() == Some("build");
        let measured = match &evidence.named {
            None => "it names no image: Compose would build one on the server".to_owned(),
            Some(name) if !by_tag => format!("it names `{name}`, whatever TAG is given"),
            Some(name) if other.is_some() => {
                let wanted = other.map(String::as_str).unwrap_or_default();
                format!("it names `{name}`; what was built is called `{wanted}`, so nobody would find an image there")
            }
            Some(_) if builds => "its pull policy is `build`: Compose would build on the server".into(),
            Some(_) if evidence.built != evidence.running => "another image runs than the one that was built".into(),
            Some(_) => {
                format!("it runs the image that was built, {}", evidence.running.chars().take(19).collect::<String>())
            }
        };
        let holds = by_tag && other.is_none() && !builds && evidence.built == evidence.running;
        let mut finding = Finding::new(wanted, measured);
        if holds && evidence.has_build {
            finding = finding.note(
                "The merged model still has `build:`. With a mistyped TAG, Compose would build on the server instead of failing; \
                 keep `build:` in the file for development.",
            );
        }
        if holds { finding.decide(true) } else { finding.at(evidence.at.clone()).decide(false) }
    }
}

crate::register!(RunsByTag);
