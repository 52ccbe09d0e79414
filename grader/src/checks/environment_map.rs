//! `environment-map`: the measured differences between two stacks, as a table.
//!
//! Owns: looking at both sides, and which differences a lesson demands. Must not: start anything.

mod aspects;

use async_trait::async_trait;
use futures_util::future::{try_join, try_join4};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::ImageFacts;
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
    pub differ: Vec<Aspect>,
    /// Aspects that must be the same.
    #[serde(default)]
    pub same: Vec<Aspect>,
}

#[async_trait]
impl Check for EnvironmentMap {
    type Evidence = [Side; 2];
    const KIND: &'static str = "environment-map";

    fn needs(&self) -> Vec<Resource> {
        self.images.iter().map(Resource::image).chain(self.stacks.iter().map(Resource::stack)).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Self::Evidence, Fault> {
        let (dev, prod) = try_join(self.side(sandbox, 0), self.side(sandbox, 1)).await?;
        Ok([dev, prod])
    }

    fn time_explains(&self, _: &Self::Evidence) -> bool {
        false
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
        let mut wanted = format!("these differ: {}", demanded.join(", "));
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
    Ok(Side { image, container, kernel, processes, same_image: Vec::new() })
}

crate::register!(EnvironmentMap);
