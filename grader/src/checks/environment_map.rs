//! `environment-map`: the measured differences between two stacks, as a table.
//!
//! Owns: looking at both sides, and which differences a lesson demands. Must not: start anything.

mod aspects;

use async_trait::async_trait;
use futures_util::future::{try_join, try_join4};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::{Check, Door, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{HttpRequest, ImageFacts};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Verdict};
pub use aspects::{Aspect, Row, Side, rows};

/// Compares one service in two stacks, aspect by aspect, out of what runs. The learner sees the
/// table even when everything passes.
///
/// Why it matters: differences that you can see are differences that you can reason about.
///
/// How it is cheated: the values come from the daemon and the kernel, not from the files: a label that
/// names the environment, or a limit that is only reserved, is no difference.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentMap {
    /// The two stacks: development first.
    pub stacks: [String; 2],
    /// The service.
    pub service: String,
    /// The images that stand behind it, in the same order.
    pub images: [String; 2],
    /// Services that must run the same image in both.
    #[serde(default)]
    pub same_image: Vec<String>,
    /// Aspects that must differ.
    #[serde(default)]
    pub differ: Vec<Aspect>,
    /// A question to the service, and what each side's answer must have in it. What the app says of itself
    /// tells what reached it, wherever that was written.
    #[serde(default)]
    pub says: Option<Says>,
    /// Aspects that must be the same.
    #[serde(default)]
    pub same: Vec<Aspect>,
}

/// A question to the service on both sides.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Says {
    /// The port, as the learner's files publish it.
    pub port: u16,
    /// The path.
    pub path: String,
    /// The text that must be in the answer of the first stack, and in that of the second.
    pub contains: [String; 2],
}

/// How long an app may take to answer after something has disturbed it.
const ANSWERS_WITHIN_MS: u64 = 20_000;

#[async_trait]
impl Check for EnvironmentMap {
    type Evidence = [Side; 2];
    const KIND: &'static str = "environment-map";

    fn needs(&self) -> Vec<Resource> {
        self.images.iter().map(Resource::image).chain(self.stacks.iter().map(Resource::stack)).collect()
    }

    fn asks_at(&self) -> Vec<Door> {
        let asked = self.says.iter().flat_map(|says| self.stacks.iter().map(|stack| (stack, says.port)));
        asked.map(|(stack, port)| Door::of(stack, &self.service, port)).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Self::Evidence, Fault> {
        let (dev, prod) = try_join(self.side(sandbox, 0), self.side(sandbox, 1)).await?;
        Ok([dev, prod])
    }

    fn time_explains(&self, _: &Self::Evidence) -> bool {
        self.says.is_some()
    }

    fn judge(&self, sides: &Self::Evidence) -> Verdict {
        let rows = rows(sides);
        let row_of = |aspect: &Aspect| rows.iter().find(|row| row.aspect == *aspect);
        let name = |aspect: &Aspect| row_of(aspect).map_or("", |row| row.name);
        let line = |row: &Row| {
            let [dev, prod] = row.values.clone();
            vec![row.name.to_owned(), dev, prod, if row.differs { "differs" } else { "same" }.to_owned()]
        };
        let table = Detail::table(
            "the environment map, measured",
            &["aspect", &self.stacks[0], &self.stacks[1], ""],
            rows.iter().map(line).collect(),
        );
        let demanded: Vec<&str> = self.differ.iter().map(name).collect();
        let mut wanted = if demanded.is_empty() {
            "both environments are as they must be".to_owned()
        } else {
            format!("these differ: {}", demanded.join(", "))
        };
        if let Some(Says { path, contains: [dev, prod], .. }) = &self.says {
            wanted = format!("{wanted}; at {path}, {} says `{dev}`, and {} `{prod}`", self.stacks[0], self.stacks[1]);
        }
        if !self.same_image.is_empty() {
            wanted = format!("{wanted}; the image of {} is the same", self.same_image.join(", "));
        }
        if !self.same.is_empty() {
            let demanded: Vec<&str> = self.same.iter().map(name).collect();
            wanted = format!("{wanted}; these are the same: {}", demanded.join(", "));
        }
        let is_same = |aspect: &&Aspect| row_of(aspect).is_some_and(|row| !row.differs);
        let same: Vec<&str> = self.differ.iter().filter(is_same).map(name).collect();
        let [dev, prod] = sides;
        let drifted: Vec<&String> = (self.same_image.iter().zip(dev.same_image.iter().zip(&prod.same_image)))
            .filter(|(_, (dev, prod))| dev != prod)
            .map(|(service, _)| service)
            .collect();
        let mut problems = Vec::new();
        if !same.is_empty() {
            problems.push(format!("the same in both: {}", same.join(", ")));
        }
        let differing: Vec<&str> = self.same.iter().filter(|aspect| !is_same(aspect)).map(name).collect();
        if !differing.is_empty() {
            problems.push(format!("not the same in both: {}", differing.join(", ")));
        }
        if let Some(service) = drifted.first() {
            problems.push(format!("{service} runs another image in {}", self.stacks[1]));
        }
        problems.extend(self.says.iter().flat_map(|says| {
            let wrong = |(index, side): (usize, &Side)| {
                let answer = side.said.as_ref().filter(|answer| !answer.body.contains(&says.contains[index]))?;
                let (stack, text) = (&self.stacks[index], &says.contains[index]);
                Some(format!("in {stack}, `{text}` is not in the answer of {}: {}", says.path, answer.summary()))
            };
            sides.iter().enumerate().filter_map(wrong).collect::<Vec<_>>()
        }));
        let holds = problems.is_empty();
        let measured = if holds { "as demanded".into() } else { problems.join("; ") };
        Finding::new(wanted, measured).with(table).decide(holds)
    }
}

impl EnvironmentMap {
    async fn side(&self, sandbox: &dyn Sandbox, index: usize) -> Result<Side, Fault> {
        let at = At { stack: &self.stacks[index], service: &self.service };
        let mut side = side(sandbox, at, Some(&self.images[index])).await?;
        for service in &self.same_image {
            side.same_image.push(sandbox.container(At { stack: at.stack, service }).await?.image_id);
        }
        if let Some(says) = &self.says {
            let request = HttpRequest::get(says.port, &says.path);
            let answers = || async {
                let answer = sandbox.http(at, &request).await?;
                Ok::<_, Fault>(answer.status.is_some_and(|status| status < 500).then_some(answer))
            };
            side.said = match until(&sandbox.within(ANSWERS_WITHIN_MS), answers).await? {
                Some(answer) => Some(answer),
                None => Some(sandbox.http(at, &request).await?),
            };
        }
        Ok(side)
    }
}

/// Looks at one service of a stack. `image` is the one of the lesson that stands behind it, if one does.
pub async fn side(sandbox: &dyn Sandbox, at: At<'_>, image: Option<&str>) -> Result<Side, Fault> {
    // The other stack may have taken so long that a disruption of this one came first.
    sandbox.ensure_running(at).await?;
    let built = async {
        match image {
            Some(image) => sandbox.image(image).await,
            None => Ok(ImageFacts::default()),
        }
    };
    let (image, container, kernel, processes) =
        try_join4(built, sandbox.container(at), sandbox.kernel(at), sandbox.processes(at)).await?;
    Ok(Side { image, container, kernel, processes, same_image: Vec::new(), said: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::facts::HttpAnswer;

    #[test]
    fn each_side_must_say_what_is_wanted_of_it_and_not_just_something_else_than_the_other() {
        let check = EnvironmentMap {
            stacks: ["dev".into(), "prod".into()],
            service: "app".into(),
            images: ["a".into(), "b".into()],
            same_image: Vec::new(),
            differ: Vec::new(),
            says: Some(Says { port: 3000, path: "/".into(), contains: ["is dev".into(), "is prod".into()] }),
            same: Vec::new(),
        };
        let side = |body: &str| {
            let said = HttpAnswer { status: Some(200), body: body.into(), ..HttpAnswer::default() };
            Side { said: Some(said), ..Side::default() }
        };
        let judged = |dev, prod| matches!(check.judge(&[side(dev), side(prod)]), Verdict::Pass(_));
        assert!(judged("is dev", "is prod"));
        for (dev, prod) in [("is prod", "is dev"), ("is dev", "is porduction"), ("", "is prod")] {
            assert!(!judged(dev, prod), "{dev}, {prod}");
        }
    }
}

crate::register!(EnvironmentMap);
