//! Building images with BuildKit, by `docker buildx build`.
//!
//! Owns: running a build and reading its machine-readable progress. Must not: decide what a
//! failed build means for a learner.

pub mod context;
mod explain;
mod progress;
mod sources;
pub mod trial;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, BufReader};

use super::daemon;
use super::facts::{BuildFailure, BuildReport};
use super::family::{Absent, Pin};
use super::pace::Pace;
use super::probe::GROUP;
use crate::event::{Event, Events};
use crate::fault::Fault;
use crate::plan::BuildPlan;
use crate::policy::limits;
use crate::submission::Submission;
use crate::submission::dockerfile::{Dockerfile, syntax};
use crate::submission::inline::Inline;
use progress::Progress;
pub use sources::source_policy;

/// How builds run.
#[derive(Debug, Clone)]
pub struct BuildSettings {
    /// Whether build steps have a network.
    pub network: bool,
    /// Seconds of a quiet machine after which a build is ended.
    pub seconds: u64,
    /// Whether steps are in a control group with limits, which must be there then.
    pub bounded: bool,
}

impl Default for BuildSettings {
    fn default() -> Self {
        Self { network: true, seconds: limits::BUILD_SECONDS, bounded: false }
    }
}

/// What the builds of one run are held to, whatever their Dockerfiles say.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// A BuildKit source policy: the only images that builds may read, and no addresses.
    pub sources: PathBuf,
    /// Dockerfiles that stand in a Compose file, by the paths that plans have of them.
    pub inline: Arc<BTreeMap<String, Inline>>,
    /// Dockerfiles that are built in place of those of the same name in the submission.
    pub dockerfiles: PathBuf,
    /// Images that are not the lesson's own, as they are proven to be.
    pub pins: Vec<Pin>,
    /// Images that may be used and are not to be had now.
    pub absent: Vec<Absent>,
    /// Keeps the cache mounts of one learner apart from those of others.
    pub cache: String,
}

/// Builds an image out of `dir` under `reference`. A build that fails because of the
/// submission is a report; one that fails because of the machine is a fault.
pub async fn build(
    plan: &BuildPlan,
    reference: &str,
    dir: &Path,
    (settings, bounds): (&BuildSettings, &Bounds),
    events: &Events,
    pace: &Pace,
) -> Result<BuildReport, Fault> {
    let stage = format!("build:{}", plan.name);
    events.send(Event::StageStarted { stage: stage.clone() });
    let limit = pace.within(settings.seconds.saturating_mul(1_000));
    let mut command = command(plan, reference, dir, settings, bounds);
    let shown = daemon::shown(&command);
    let failed = |error: std::io::Error| Fault::Command { command: shown.clone(), reason: error.to_string() };
    let mut child = command.spawn().map_err(failed)?;
    let mut progress = Progress::default();
    let stderr = child.stderr.take();
    let reading = async {
        let Some(stderr) = stderr else { return Ok(()) };
        let mut lines = BufReader::new(stderr).split(b'\n');
        while let Some(line) = lines.next_segment().await? {
            if let Some(step) = progress.line(&String::from_utf8_lossy(&line)) {
                events.send(Event::StageProgress { stage: stage.clone(), step });
            }
        }
        Ok(())
    };
    let in_time = limit.wait_for(reading).await?;
    let timed_out = in_time.is_none().then_some(settings.seconds);
    let ok = if let Some(read) = in_time {
        read.map_err(failed)?;
        child.wait().await.map_err(failed)?.success()
    } else {
        // BuildKit cancels the build when its client is gone.
        let _ = child.kill().await;
        false
    };
    let took = limit.took();
    let mut report = BuildReport {
        image: plan.name.clone(),
        target: plan.target.clone(),
        millis: took.millis,
        quiet_ms: took.quiet_ms,
        steps: progress.steps(),
        others: sources::others(&progress.bases(), &bounds.pins),
        bases: progress.bases(),
        failure: None,
    };
    if !ok {
        // What a step of the learner's said is no word of the connection's.
        let complaint = Some(progress.error()).filter(|error| !error.contains("did not complete successfully"));
        daemon::confirm_alive(&complaint.unwrap_or_default()).await?;
        let submission = Submission { inline: bounds.inline.clone(), ..Submission::at(dir) };
        if let Some(absent) = bounds.absent.iter().find(|one| sources::asks_for(&progress.error(), &one.written)) {
            let line = progress.error_line().map(|line| format!(", line {line}")).unwrap_or_default();
            return Err(Fault::ImageElsewhere {
                reference: absent.written.clone(),
                at: format!("{}{line}", plan.file()),
                reason: absent.reason.clone(),
                here: absent.here.join(", "),
            });
        }
        if timed_out.is_none() && lost(&progress.error()) {
            return Err(Fault::ImageLost { reference: reference.to_owned(), reason: progress.error() });
        }
        let mut failure = failure(&progress, &submission, plan, timed_out)?;
        let text = submission.text(&plan.file()).unwrap_or_default();
        failure.help = explain::help(&failure.message, syntax(&text).as_ref(), &daemon::version().await);
        report.failure = Some(failure);
    }
    events.send(Event::StageEnded { stage, ok, millis: report.millis });
    Ok(report)
}

fn command(
    plan: &BuildPlan,
    reference: &str,
    dir: &Path,
    settings: &BuildSettings,
    bounds: &Bounds,
) -> tokio::process::Command {
    let network = if settings.network { "default" } else { "none" };
    let mut arguments: Vec<String> =
        ["buildx", "build", "--builder", "default", "--progress", "rawjson", "--load", "--network"]
            .map(str::to_owned)
            .to_vec();
    arguments.extend([network.into(), "--tag".into(), reference.into()]);
    let own = bounds.dockerfiles.join(plan.file());
    let file = if own.is_file() { own } else { dir.join(plan.file()) };
    arguments.extend(["--file".into(), file.display().to_string()]);
    if settings.bounded {
        arguments.extend(["--cgroup-parent".into(), GROUP.into()]);
    }
    if !plan.target.is_empty() {
        arguments.extend(["--target".into(), plan.target.clone()]);
    }
    for (key, value) in plan.args.iter().flatten() {
        arguments.extend(["--build-arg".into(), format!("{key}={value}")]);
    }
    arguments.extend(["--build-arg".into(), format!("BUILDKIT_CACHE_MOUNT_NS={}", bounds.cache)]);
    arguments.push(dir.join(&plan.context).display().to_string());
    let mut command = daemon::command(&arguments);
    command.env("EXPERIMENTAL_BUILDKIT_SOURCE_POLICY", &bounds.sources);
    command
}

/// How the engine begins to say that the image was removed while it was made. Two runs that build the same
/// files get one image with two names: where the other run removes the last name at the moment in which this
/// one has made the image and not yet named it, the image is gone (moby 26.1, `image/store.go`).
const LOST_WORDS: [&str; 4] =
    ["failed to get digest sha256:", "failed to get layer sha256:", "layer does not exist", "unrecognized image ID"];

fn lost(complaint: &str) -> bool {
    LOST_WORDS.iter().any(|words| complaint.starts_with(words))
}

/// Words by which a build's output says that the network, not the Dockerfile, is at fault.
const NETWORK_WORDS: [&str; 8] = [
    "no such host",
    "EAI_AGAIN",
    "ENOTFOUND",
    "ETIMEDOUT",
    "ENOTCACHED",
    "Temporary failure resolving",
    "Temporary failure in name resolution",
    "i/o timeout",
];

fn failure(
    progress: &Progress,
    submission: &Submission,
    plan: &BuildPlan,
    timed_out: Option<u64>,
) -> Result<BuildFailure, Fault> {
    let message = timed_out
        .map_or_else(|| progress.error(), |seconds| format!("the build was not done after {seconds} s and was ended"));
    let log = progress.failed_log();
    let all = format!("{message}\n{}", log.join("\n"));
    if all.to_lowercase().contains("no space left on device") {
        return Err(Fault::DiskFull { reason: format!("building {}", plan.name) });
    }
    if timed_out.is_none()
        && let Some(word) = NETWORK_WORDS.iter().find(|word| all.contains(**word))
    {
        // BuildKit names the image whose description it could not get.
        if let Some((before, _)) = message.split_once(": failed to resolve source metadata") {
            let reference = before.rsplit(' ').next().unwrap_or(before).to_owned();
            return Err(Fault::ImageMissing { reference });
        }
        let reason = all.lines().find(|line| line.contains(word)).unwrap_or(word).trim().to_owned();
        return Err(Fault::Network { action: format!("building {}", plan.name), reason });
    }
    let file = plan.file();
    let running = || progress.running_instruction(&Dockerfile::parse(&submission.text(&file).unwrap_or_default()));
    let line = progress.error_line().or_else(running);
    Ok(BuildFailure {
        at: line.and_then(|line| submission.location(&file, line)),
        // Paths of the copy say nothing to anybody.
        message: message.replace(&format!("{}/", submission.dir.display()), ""),
        help: None,
        log,
        timed_out: timed_out.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_was_removed_meanwhile_is_told_from_a_step_that_only_says_so() {
        assert!(lost("failed to get digest sha256:8c87: open /var/lib/docker/image: no such file or directory"));
        assert!(!lost("process \"/bin/sh -c echo failed to get digest sha256:8\" did not complete successfully"));
    }
}
