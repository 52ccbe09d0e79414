//! `same-image`: one image all the way, from the build over a registry to what runs.
//!
//! Owns: comparing image ids. Must not: care what is in the image.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::PushFacts;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Builds the image and compares its id with the ids of the images that the services' containers
/// run. With a registry among the services, the image is also pushed to it, taken away, and pulled
/// back by its digest.
///
/// Why it matters: only what was tested may run. An image that is built again for each place, or
/// comes back from the registry as something else, was tested by nobody.
///
/// A service must name the image by the given tag: what Compose builds for it is another one.
///
/// How it is cheated: the same name and tag on another build, or a build with other arguments, has
/// another id. A registry cannot lie, since a digest names its content and Docker checks it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SameImage {
    /// The image, by its name in `[[image]]`.
    pub image: String,
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The services that must run it.
    pub services: Vec<String>,
    /// The registry that it must go through.
    #[serde(default)]
    pub registry: Option<Registry>,
}

/// A registry that runs as a service of the stack.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// The service.
    pub service: String,
    /// The port in the container; it must be published.
    pub port: u16,
}

/// Ids on the way.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The id of the image that was built.
    pub built: String,
    /// Each service with the id of the image that its container runs; empty when there is no container.
    pub running: Vec<(String, String)>,
    /// The way through the registry.
    pub pushed: Option<PushFacts>,
    /// Each service whose file asks for another image than the one that was built, with what it asks for. (The
    /// grader stands in for a name that nobody has built, so the ids alone do not tell.)
    #[serde(default)]
    pub asks_for_others: Vec<(String, String)>,
    /// Where the first service at fault says what it runs.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for SameImage {
    type Evidence = Evidence;
    const KIND: &'static str = "same-image";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::image(&self.image), Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = |service| At { stack: &self.stack, service };
        let built = sandbox.image(&self.image).await?.id;
        let mut running = Vec::new();
        for service in &self.services {
            running.push((service.clone(), sandbox.container(at(service)).await?.image_id));
        }
        let pushed = match &self.registry {
            Some(registry) => Some(sandbox.push_and_pull(&self.image, at(&registry.service), registry.port).await?),
            None => None,
        };
        let model = sandbox.model(&self.stack);
        let asks =
            |service: &String| Some((service.clone(), other_image(&model["services"], service, &sandbox.tag())?));
        let asks_for_others: Vec<_> = self.services.iter().filter_map(asks).collect();
        let other = running.iter().find(|(_, id)| *id != built).or(asks_for_others.first());
        let other = other.map(|(service, _)| service.as_str());
        let place = match (other, &self.registry) {
            (Some(service), _) => {
                let key = if model["services"][service]["build"].is_null() { "image" } else { "build" };
                sandbox.locate_key(at(service), &[key])
            }
            (None, Some(registry)) => sandbox.locate_key(at(&registry.service), &[]),
            (None, None) => None,
        };
        Ok(Evidence { built, running, pushed, asks_for_others, at: place })
    }

    fn time_explains(&self, _: &Evidence) -> bool {
        false
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let mut wanted = format!("{} run the very image that was built", self.services.join(" and "));
        if let Some(registry) = &self.registry {
            wanted = format!("{wanted}, and it comes back from `{}` unchanged", registry.service);
        }
        let mut rows = vec![vec!["built".to_owned(), short(&evidence.built)]];
        let mut wrong = Vec::new();
        for (service, id) in &evidence.running {
            rows.push(vec![format!("runs as {service}"), short(id)]);
            if id.is_empty() {
                wrong.push(format!("`{service}` has no container"));
            } else if *id != evidence.built {
                wrong.push(format!("`{service}` runs another image"));
            }
        }
        wrong.extend(evidence.asks_for_others.iter().map(|(service, what)| format!("`{service}` {what}")));
        if let Some(pushed) = &evidence.pushed {
            let digest = pushed.digest.as_deref().map_or("not kept".to_owned(), short);
            rows.push(vec!["in the registry (digest)".into(), digest]);
            rows.push(vec!["pulled back".into(), pushed.pulled_id.as_deref().map_or("nothing".into(), short)]);
            if let Some(reason) = &pushed.failure {
                wrong.push(format!("the registry does not give it back: {reason}"));
            } else if pushed.pulled_id.as_deref() != Some(evidence.built.as_str()) {
                wrong.push("the registry gives another image back".into());
            }
        }
        let table = Detail::table("ids on the way", &["where", "id"], rows);
        if wrong.is_empty() {
            return Verdict::Pass(Finding::new(wanted, format!("{} everywhere", short(&evidence.built))).with(table));
        }
        Verdict::Fail(Finding::new(wanted, wrong.join("; ")).with(table).at(evidence.at.clone()))
    }
}

/// What a service asks for that is not the image that was built before, `None` when it is that one.
fn other_image(services: &Value, service: &str, tag: &str) -> Option<String> {
    let asked = &services[service];
    if asked["pull_policy"] == "build" {
        return Some("is built anew on each start (`pull_policy: build`)".into());
    }
    let name = asked["image"].as_str().unwrap_or_default();
    if name.ends_with(&format!(":{tag}")) {
        return None;
    }
    Some(if asked["build"].is_null() {
        format!("names `{name}`, whatever TAG is given")
    } else {
        "is built by Compose, once more and for itself".into()
    })
}

/// The id as `docker images` shows it, with its algorithm.
fn short(id: &str) -> String {
    if id.is_empty() { "none".into() } else { id.chars().take(19).collect() }
}

crate::register!(SameImage);
