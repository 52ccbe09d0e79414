//! `build-cache`: after an edit of the source, the dependency step is not run again.
//!
//! Owns: comparing two builds. Must not: time them against a limit; machines are too noisy.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::{BuildReport, BuildStep};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// Builds the image, edits one source file, builds again, and looks which steps were CACHED. The
/// edit is new in every run, so nothing of an earlier run can stand in for it.
///
/// Why it matters: a build that installs everything again after each edit costs minutes a day.
///
/// How it is cheated: a step that hides its install in a script is not recognised as an install, so
/// the check fails: there must be one. A step beside it that only says the words adds nothing to the
/// image, and does not count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildCache {
    /// The image, by its name in `[[image]]`.
    pub image: String,
    /// Words by which an instruction is known to install dependencies, such as `npm ci`.
    pub installs: Vec<String>,
}

/// The second build.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The build before the edit.
    pub first: BuildReport,
    /// The build after it.
    pub second: BuildReport,
    /// Bytes that steps with the words add to the final image; `None` when they stand in another
    /// stage only.
    #[serde(default)]
    pub installed_bytes: Option<u64>,
    /// The last `COPY`, when an install ran again.
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
        let at = sandbox.locate_instruction(&self.image, "COPY").filter(|_| self.ran_again(&second).is_some());
        let image = sandbox.image(&self.image).await?;
        let steps = image.history.iter().skip(image.base_entries);
        let installs = steps
            .filter(|entry| entry.instruction.starts_with("RUN") && self.names_install(&entry.instruction))
            .map(|entry| entry.bytes);
        let installed_bytes = installs.reduce(|sum, bytes| sum + bytes);
        Ok(Evidence { first, second, installed_bytes, at })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!("after an edit of the source, the step with `{}` is CACHED", self.installs.join("` or `"));
        let rows = evidence.second.steps.iter().map(row).collect();
        let table = Detail::table("the build after the edit", &["step", "instruction", "result"], rows);
        let finding = |measured: String| Finding::new(wanted.clone(), measured).with(table.clone());
        if let Some(failure) = &evidence.second.failure {
            return Verdict::Fail(finding(format!("the build after the edit failed: {}", failure.message)));
        }
        if !evidence.second.steps.iter().any(|step| self.installs_with(step)) {
            return Verdict::Fail(finding("no step of the build installs the dependencies".into()));
        }
        if evidence.installed_bytes == Some(0) {
            return Verdict::Fail(finding(
                "the step that says so adds nothing to the image: something else installs".into(),
            ));
        }
        match self.ran_again(&evidence.second) {
            Some(step) => {
                let measured = format!("`{}` ran again, for {}", step.instruction, millis(step.millis));
                Verdict::Fail(finding(measured).at(evidence.at.clone()))
            }
            None => Verdict::Pass(finding(format!("CACHED; the whole build took {}", millis(evidence.second.millis)))),
        }
    }
}

impl BuildCache {
    fn installs_with(&self, step: &BuildStep) -> bool {
        step.instruction.starts_with("RUN") && self.names_install(&step.instruction)
    }

    fn names_install(&self, instruction: &str) -> bool {
        self.installs.iter().any(|word| instruction.contains(word.as_str()))
    }

    fn ran_again<'r>(&self, report: &'r BuildReport) -> Option<&'r BuildStep> {
        report.steps.iter().find(|step| self.installs_with(step) && !step.cached)
    }
}

fn row(step: &BuildStep) -> Vec<String> {
    let result = if step.cached { "CACHED".into() } else { millis(step.millis) };
    vec![step.place.clone(), step.instruction.chars().take(70).collect(), result]
}

crate::register!(BuildCache);
