//! `builds`: the targets build from the learner's Dockerfile, within their time.
//!
//! Owns: the opening check of images. Must not: look inside of what was built.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::BuildReport;
use crate::verdict::{Detail, Finding, Verdict, millis};

/// Builds each target and shows the first one that fails, with the line and its output.
///
/// Why it matters: nothing else can be measured about an image that does not exist.
///
/// How it is cheated: it cannot be; BuildKit builds or does not.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Builds {
    /// The images, by their names in `[[image]]`.
    pub images: Vec<String>,
}

#[async_trait]
impl Check for Builds {
    type Evidence = Vec<BuildReport>;
    const KIND: &'static str = "builds";
    const MANNER: Manner = Manner::Opens;

    fn needs(&self) -> Vec<Resource> {
        self.images.iter().map(Resource::image).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Self::Evidence, Fault> {
        futures_util::future::try_join_all(self.images.iter().map(|image| sandbox.built(image))).await
    }

    fn judge(&self, reports: &Self::Evidence) -> Verdict {
        let targets: Vec<&str> = reports.iter().map(|report| report.target.as_str()).collect();
        let wanted = format!("the targets {} build", targets.join(" and "));
        let Some((report, failure)) = reports.iter().find_map(|report| Some((report, report.failure.as_ref()?))) else {
            let times: Vec<String> = reports.iter().map(|r| format!("{} in {}", r.target, millis(r.millis))).collect();
            return Verdict::Pass(Finding::new(wanted, times.join(", ")));
        };
        let mut finding = Finding::new(wanted, format!("`{}` does not build: {}", report.target, failure.message)).at(failure.at.clone());
        if !failure.log.is_empty() {
            finding = finding.with(Detail::log("the step's last lines", failure.log.clone()));
        }
        if failure.timed_out {
            finding = finding.note("A build step must end by itself. A server belongs into CMD, which runs when the container starts.");
        }
        Verdict::Fail(finding)
    }
}

crate::register!(Builds);
