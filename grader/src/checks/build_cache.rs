//! `build-cache`: after an edit of the source, the dependencies are not installed again.
//!
//! Owns: comparing two builds. Must not: time them against a limit; machines are too noisy.

mod packages;
mod steps;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::{BuildReport, BuildStep, LayerOrigin};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};
use packages::Packages;
use steps::{Steps, says};

/// Builds the image, edits one source file, builds again, and looks which steps were CACHED, and which
/// packages were installed anew. The edit is new in every run, so nothing of an earlier run can stand in
/// for it. Packages are known by their folders: whatever the words of the step, whoever installs one makes
/// it. Copying them, changing their owner and removing some is no installation.
///
/// Why it matters: a build that installs everything again after each edit costs minutes a day.
///
/// How it is cheated: an install that hides in a script, behind other words or in another stage makes
/// the packages' folders anew all the same. Without `folders`, only words tell: then a step that hides its
/// install is not recognised, so the check fails, and one beside it that only says the words adds nothing to
/// the image and does not count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildCache {
    /// The image, by its name in `[[image]]`.
    pub image: String,
    /// Folders into which dependencies are installed, by their names, such as `node_modules`.
    #[serde(default)]
    pub folders: Vec<String>,
    /// Commands that install dependencies, such as `npm ci`; options may stand between their words. A step
    /// with one of them must not run again either. At least one of `folders` and `installs` is given.
    #[serde(default)]
    pub installs: Vec<String>,
}

/// The two builds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The build before the edit.
    pub first: BuildReport,
    /// The build after it.
    pub second: BuildReport,
    /// The steps of the second build that say one of the words.
    #[serde(default)]
    pub says: Vec<BuildStep>,
    /// Bytes that these add to the final image; `None` when they stand in another stage only.
    #[serde(default)]
    pub installed_bytes: Option<u64>,
    /// Packages in the image of the first build, above its base.
    #[serde(default)]
    pub packages: usize,
    /// Packages in the image of the second build that were installed anew.
    #[serde(default)]
    pub anew: usize,
    /// The step that did, as far as it can be told.
    #[serde(default)]
    pub by: Option<BuildStep>,
    /// The line on whose account it ran again.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for BuildCache {
    type Evidence = Evidence;
    const KIND: &'static str = "build-cache";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::image(&self.image)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let first = sandbox.built(&self.image).await?;
        let second = sandbox.rebuilt_after_edit(&self.image).await?;
        let instructions = sandbox.instructions();
        let text = sandbox.file("Dockerfile").unwrap_or_default();
        let steps = Steps::new(&text, &instructions);
        let mut evidence = Evidence { first, second, ..Evidence::default() };
        let said = |step: &BuildStep| {
            let written = steps.instruction(step).map(|one| steps.text(one));
            let written = written.unwrap_or_else(|| step.instruction.clone());
            is_run(step) && self.installs.iter().any(|words| says(&written, words))
        };
        evidence.says = evidence.second.steps.iter().filter(|step| said(step)).cloned().collect();
        let lines: Vec<usize> =
            evidence.says.iter().filter_map(|step| steps.instruction(step)).map(|one| one.line).collect();
        let origins = sandbox.layer_origins(&self.image).await?;
        let is_said = |layer: &&LayerOrigin| layer.at.as_ref().is_some_and(|at| lines.contains(&at.line));
        evidence.installed_bytes = origins.iter().filter(is_said).map(|layer| layer.bytes).reduce(|sum, one| sum + one);
        let mut by = evidence.says.iter().find(|step| !step.cached).cloned();
        if !self.folders.is_empty() && evidence.second.failure.is_none() {
            let base = sandbox.image(&self.image).await?.base_layers;
            let layers = sandbox.layer_files(&self.image).await?;
            let before = Packages::of(&layers, base, &self.folders);
            evidence.packages = before.count();
            // Nothing but a command installs, and reading an image takes time.
            if evidence.second.steps.iter().any(|step| is_run(step) && !step.cached) {
                let layers = sandbox.layer_files_after_edit(&self.image).await?;
                let (anew, layer) = Packages::of(&layers, base, &self.folders).anew(&before);
                evidence.anew = anew;
                let origin = layer.and_then(|layer| origins.get(layer)).and_then(|origin| origin.at.as_ref());
                let behind = |step: &&BuildStep| {
                    let line = steps.instruction(step).map(|one| one.line);
                    !step.cached && line.is_some() && line == origin.map(|at| at.line)
                };
                let ran = || evidence.second.steps.iter().filter(|step| is_run(step) && !step.cached);
                // A COPY that brings them from another stage is not what installed them there.
                by = by.or_else(|| ran().find(behind).or_else(|| ran().next()).cloned());
            }
        }
        if self.problem(&evidence).is_some()
            && let Some(step) = &by
        {
            let cause = steps.cause(&evidence.second.steps, step);
            let line = steps.instruction(cause).or_else(|| steps.instruction(step)).map(|one| one.line);
            evidence.at = line.and_then(|line| sandbox.locate_line("Dockerfile", line));
        }
        evidence.by = by;
        Ok(evidence)
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = if self.folders.is_empty() {
            format!("after an edit of the source, the step with `{}` is CACHED", self.installs.join("` or `"))
        } else {
            format!("after an edit of the source, nothing is installed into {} again", self.folders.join(" or "))
        };
        let rows = evidence.second.steps.iter().map(row).collect();
        let table = Detail::table("the build after the edit", &["step", "instruction", "result"], rows);
        let finding = |measured: String| Finding::new(wanted.clone(), measured).with(table.clone());
        match self.problem(evidence) {
            Some(problem) => Verdict::Fail(finding(problem).at(evidence.at.clone())),
            None => Verdict::Pass(finding(format!("CACHED; the whole build took {}", millis(evidence.second.millis)))),
        }
    }
}

impl BuildCache {
    /// What is not as wanted.
    fn problem(&self, evidence: &Evidence) -> Option<String> {
        if let Some(failure) = &evidence.second.failure {
            return Some(format!("the build after the edit failed: {}", failure.message));
        }
        let ran = |step: &BuildStep| format!("`{}` ran again, for {}", shown(step), millis(step.millis));
        // A package that is removed or mended changes a few others; an installation makes many.
        if evidence.anew > 0 && evidence.anew * 10 >= evidence.packages {
            let by = evidence.by.as_ref().map_or("a step ran again".into(), ran);
            return Some(format!("{by}, and installed {} packages anew", evidence.anew));
        }
        if let Some(step) = evidence.says.iter().find(|step| !step.cached) {
            return Some(ran(step));
        }
        if !self.folders.is_empty() {
            let none = evidence.packages == 0 && evidence.says.is_empty();
            return none.then(|| format!("no step of the build installs anything into {}", self.folders.join(" or ")));
        }
        if evidence.says.is_empty() {
            return Some("no step of the build installs the dependencies".into());
        }
        (evidence.installed_bytes == Some(0))
            .then(|| "the step that says so adds nothing to the image: something else installs".into())
    }
}

fn is_run(step: &BuildStep) -> bool {
    step.instruction.starts_with("RUN")
}

fn shown(step: &BuildStep) -> String {
    step.instruction.chars().take(70).collect()
}

fn row(step: &BuildStep) -> Vec<String> {
    let result = if step.cached { "CACHED".into() } else { millis(step.millis) };
    vec![step.place.clone(), shown(step), result]
}

crate::register!(BuildCache);
