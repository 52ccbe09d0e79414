//! `builds`: the targets build from the learner's Dockerfile, within their time.
//!
//! Owns: the opening check of images. Must not: look inside of what was built.

use std::collections::BTreeSet;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::{Check, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::BuildReport;
use crate::sandbox::wait::Took;
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
    /// The most seconds that each may take. Steps that Docker has kept from an earlier build take
    /// none, and machines differ, so this is for builds that hang, not for slow ones. Without it,
    /// the grader's own limit (`--build-seconds`) ends a build.
    #[serde(default)]
    pub within_seconds: Option<u64>,
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
        let reports = futures_util::future::try_join_all(self.images.iter().map(|image| sandbox.built(image))).await?;
        for report in reports.iter().filter(|report| report.failure.is_none()) {
            let took = Took { millis: report.millis, quiet_ms: report.quiet_ms };
            let limit_ms = self.within_seconds.map_or(u64::MAX, |seconds| seconds.saturating_mul(1_000));
            took.must_tell(limit_ms, &format!("the build of `{}`", report.image))?;
        }
        Ok(reports)
    }

    fn time_explains(&self, reports: &Self::Evidence) -> bool {
        let ended = |report: &BuildReport| report.failure.as_ref().is_some_and(|failure| failure.timed_out);
        self.within_seconds.is_some() || reports.iter().any(ended)
    }

    fn judge(&self, reports: &Self::Evidence) -> Verdict {
        let targets: Vec<&str> = reports.iter().map(name).collect();
        let mut wanted = match targets[..] {
            [one] => format!("the target {one} builds"),
            _ => format!("the targets {} build", targets.join(" and ")),
        };
        if let Some(seconds) = self.within_seconds {
            wanted = format!("{wanted} within {seconds} s");
        }
        if let Some((report, failure)) = reports.iter().find_map(|report| Some((report, report.failure.as_ref()?))) {
            let measured = format!("`{}` does not build: {}", name(report), failure.message);
            let mut finding = Finding::new(wanted, measured).at(failure.at.clone());
            if !failure.log.is_empty() {
                finding = finding.with(Detail::log("the step's last lines", failure.log.clone()));
            }
            if failure.timed_out {
                finding = finding.note(ENDS);
            }
            if let Some(help) = &failure.help {
                finding = finding.note(help);
            }
            return Verdict::Fail(finding);
        }
        let slow = |report: &&BuildReport| self.within_seconds.is_some_and(|most| report.millis > most * 1_000);
        if let Some(report) = reports.iter().find(slow) {
            let rows = report.steps.iter().map(|step| vec![millis(step.millis), step.instruction.clone()]).collect();
            let measured = format!("`{}` took {}", name(report), millis(report.millis));
            let table = Detail::table("its steps", &["time", "instruction"], rows);
            return Verdict::Fail(Finding::new(wanted, measured).with(table).note(ENDS));
        }
        let times: Vec<String> =
            reports.iter().map(|report| format!("{} in {}", name(report), millis(report.millis))).collect();
        let mut finding = Finding::new(wanted, times.join(", "));
        let others: BTreeSet<&String> = reports.iter().flat_map(|report| &report.others).collect();
        if !others.is_empty() {
            let others = others.into_iter().cloned().collect::<Vec<_>>().join(", ");
            finding = finding.note(format!("Built on {others} instead of the lesson's own image."));
        }
        Verdict::Pass(finding)
    }
}

const ENDS: &str = "A build step must end by itself. A server belongs into CMD, which runs when the container starts.";

/// The target, or the image's name in the lesson where the last stage is built.
fn name(report: &BuildReport) -> &str {
    if report.target.is_empty() { &report.image } else { &report.target }
}

crate::register!(Builds);
