//! `configurable`: one image behaves as its environment tells it.
//!
//! Owns: comparing one service in two stacks. Must not: know what the variables mean.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures_util::future::try_join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Door, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, HttpAnswer, HttpRequest};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// Asks the same service of two stacks the same question. Both must run the same image, by its id,
/// and each must give its own answer and not the other's. The difference must come from environment
/// variables, unless the lesson lets it come from elsewhere.
///
/// Why it matters: what was tested is what runs, wherever it runs. An image for each place is an
/// image that nobody has tested.
///
/// How it is cheated: a text that is baked into a second image shows in the image's id; an answer
/// that holds both texts is refused; another command or another mounted file is another program.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Configurable {
    /// The two stacks, by their names in `[[stack]]`.
    pub stacks: [String; 2],
    /// The service, in both of them.
    pub service: String,
    /// Its port in the container.
    pub port: u16,
    /// The path that is asked for.
    pub path: String,
    /// For each stack, the text that must be in its answer.
    pub answers: BTreeMap<String, String>,
    /// Whether command and mounts must be the same and only environment variables may differ.
    #[serde(default = "yes")]
    pub only_environment: bool,
    /// Milliseconds until both must answer.
    #[serde(default = "default_limit")]
    pub within_ms: u64,
}

fn yes() -> bool {
    true
}

fn default_limit() -> u64 {
    15_000
}

/// Both sides.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// In the order of the stacks.
    pub sides: [Side; 2],
}

/// The service in one stack.
#[derive(Debug, Serialize, Deserialize)]
pub struct Side {
    /// The container.
    pub container: ContainerFacts,
    /// The last answer.
    pub answer: HttpAnswer,
    /// Where its environment stands, or the service.
    pub at: Option<Location>,
    /// Where its image or build stands, or the service.
    pub image_at: Option<Location>,
}

#[async_trait]
impl Check for Configurable {
    type Evidence = Evidence;
    const KIND: &'static str = "configurable";

    fn needs(&self) -> Vec<Resource> {
        self.stacks.iter().map(Resource::stack).collect()
    }

    fn doors(&self) -> Vec<Door> {
        self.stacks.iter().map(|stack| Door::new(stack, &self.service, self.port)).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let (first, second) = try_join(self.side(sandbox, 0), self.side(sandbox, 1)).await?;
        Ok(Evidence { sides: [first, second] })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!(
            "one image of `{}` answers {} with `{}` in {} and with `{}` in {}",
            self.service,
            self.path,
            self.text(0),
            self.stacks[0],
            self.text(1),
            self.stacks[1]
        );
        let Some((measured, at)) = self.problem(evidence) else {
            let measured = "the same image, and each answers as it was told";
            return Verdict::Pass(Finding::new(wanted, measured).with(self.table(evidence)));
        };
        Verdict::Fail(Finding::new(wanted, measured).at(at).with(self.table(evidence)))
    }
}

impl Configurable {
    fn text(&self, index: usize) -> &str {
        self.answers.get(&self.stacks[index]).map_or("", String::as_str)
    }

    async fn side(&self, sandbox: &dyn Sandbox, index: usize) -> Result<Side, Fault> {
        let at = At { stack: &self.stacks[index], service: &self.service };
        // The other stack may have taken so long that a disruption of this one came first.
        sandbox.ensure_running(at).await?;
        let request = HttpRequest::get(self.port, &self.path);
        let answers = || async {
            let answer = sandbox.http(at, &request).await?;
            Ok::<_, Fault>(answer.body.contains(self.text(index)).then_some(answer))
        };
        let answer = match until(&sandbox.within(self.within_ms), answers).await? {
            Some(answer) => answer,
            None => sandbox.http(at, &request).await?,
        };
        let key = if sandbox.model(at.stack)["services"][at.service]["build"].is_null() { "image" } else { "build" };
        Ok(Side {
            container: sandbox.container(at).await?,
            answer,
            at: sandbox.locate_key(at, &["environment"]),
            image_at: sandbox.locate_key(at, &[key]),
        })
    }

    fn problem(&self, evidence: &Evidence) -> Option<(String, Option<Location>)> {
        let [a, b] = &evidence.sides;
        if a.container.image_id != b.container.image_id {
            let measured = format!("two images: {} and {}", short(&a.container.image_id), short(&b.container.image_id));
            return Some((measured, b.image_at.clone()));
        }
        for (index, side) in evidence.sides.iter().enumerate() {
            let (own, other) = (self.text(index), self.text(1 - index));
            let stack = &self.stacks[index];
            if own.is_empty() {
                return Some((format!("the lesson names no answer for {stack}"), None));
            }
            if !side.answer.body.contains(own) {
                let limit = millis(self.within_ms);
                let measured =
                    format!("within {limit}, `{own}` is not in the answer of {stack}: {}", side.answer.summary());
                return Some((measured, side.at.clone()));
            }
            // One text may be part of the other: `menu` and `night menu`.
            if side.answer.body.contains(other) && !own.contains(other) {
                return Some((format!("{stack} answers with both: {}", side.answer.summary()), side.at.clone()));
            }
        }
        if a.answer.body == b.answer.body {
            return Some((format!("both answer the same: {}", a.answer.summary()), b.at.clone()));
        }
        if !self.only_environment {
            return None;
        }
        let what = if a.container.command != b.container.command {
            "they are started with different commands"
        } else if a.container.mounts != b.container.mounts {
            "they have different mounts"
        } else if a.container.env == b.container.env {
            "their environment variables are the same: the difference comes from elsewhere"
        } else {
            return None;
        };
        Some((format!("both answer as wanted, but {what}"), b.at.clone()))
    }

    fn table(&self, evidence: &Evidence) -> Detail {
        let [a, b] = evidence.sides.each_ref().map(|side| &side.container);
        let mounts = |facts: &ContainerFacts| {
            let mounts: Vec<String> = facts.mounts.iter().map(|m| format!("{} at {}", m.source, m.target)).collect();
            if mounts.is_empty() { "none".to_owned() } else { mounts.join(", ") }
        };
        let row = |name: &str, a: String, b: String| vec![name.to_owned(), a, b];
        let mut rows = vec![
            row("image", short(&a.image_id), short(&b.image_id)),
            row("command", a.command.join(" "), b.command.join(" ")),
            row("mounts", mounts(a), mounts(b)),
        ];
        let value =
            |facts: &ContainerFacts, name: &str| facts.env.get(name).cloned().unwrap_or_else(|| "not set".into());
        let names: BTreeSet<&String> = a.env.keys().chain(b.env.keys()).collect();
        let differing = names.into_iter().filter(|name| a.env.get(*name) != b.env.get(*name));
        rows.extend(differing.map(|name| row(name, value(a, name), value(b, name))));
        Detail::table("both sides, with the variables that differ", &["", &self.stacks[0], &self.stacks[1]], rows)
    }
}

fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(12).collect()
}

crate::register!(Configurable);
