//! Merging Compose files and starting stacks, by `docker compose`.
//!
//! Owns: calling Compose and sorting its complaints. Must not: merge or order anything itself.

mod merge;

use std::path::{Path, PathBuf};

use super::daemon;
use super::facts::StackReport;
use super::pace::Pace;
use crate::event::{Event, Events};
use crate::fault::Fault;
use crate::plan::StackPlan;
use crate::policy::{limits, replicas};
use crate::submission::env_file;
pub use merge::{Fills, Merged, Places, merge};

/// Starts a stack from the planned model. Returns when Compose does: the containers are started
/// in order, and those that others wait for are healthy.
pub async fn up(
    stack: &StackPlan,
    dir: &Path,
    file: &Path,
    events: &Events,
    pace: &Pace,
) -> Result<StackReport, Fault> {
    let stage = format!("stack:{}", stack.name);
    events.send(Event::StageStarted { stage: stage.clone() });
    let limit = pace.within(limits::STACK_SECONDS * 1_000);
    let model = serde_json::to_string_pretty(&stack.started).unwrap_or_default();
    std::fs::write(file, model).map_err(Fault::file(file))?;
    let variables = variables_of(dir, file);
    std::fs::write(&variables, env_file::written(&stack.variables)).map_err(Fault::file(&variables))?;
    let variables = variables.display().to_string();
    let file = file.display().to_string();
    let directory = dir.display().to_string();
    let mut command = daemon::compose(&[
        // The model is complete; a `.env` of the learner has nothing to say any more.
        "--env-file",
        &variables,
        "--progress",
        "plain",
        "--project-directory",
        &directory,
        "-f",
        &file,
        "up",
        "--detach",
        "--no-build",
        "--pull",
        "never",
    ]);
    command.current_dir(dir);
    let ended = daemon::run(command, &limit).await?;
    let millis = limit.took().millis;
    let failure = match ended {
        Some(ended) if ended.ok => None,
        Some(ended) => {
            daemon::confirm_alive(&ended.stderr).await?;
            Some(complaint(&ended.stderr, stack)?)
        }
        None => Some(vec![format!("`docker compose up` was not done after {} s", limits::STACK_SECONDS)]),
    };
    // One that is scaled to nothing has no container, and is no failure.
    let wanted = stack.started["services"].as_object().into_iter().flatten().filter(|(_, one)| replicas(one) > 0);
    let services = wanted.map(|(name, _)| name.clone()).collect();
    events.send(Event::StageEnded { stage, ok: failure.is_none(), millis });
    Ok(StackReport { stack: stack.name.clone(), millis, services, failure, ..StackReport::default() })
}

/// Removes a service's container with its anonymous volumes, and makes it anew from the model in
/// `file` that the stack was started from.
pub async fn recreate(service: &str, dir: &Path, file: &Path, pace: &Pace) -> Result<(), Fault> {
    ordered(&["rm", "--stop", "--force", "--volumes", service], dir, file, pace).await?;
    replace(service, dir, file, pace).await
}

/// Makes a service's container anew where the model in `file` differs from what runs. Its volumes stay.
pub async fn replace(service: &str, dir: &Path, file: &Path, pace: &Pace) -> Result<(), Fault> {
    ordered(&["up", "--detach", "--no-build", "--pull", "never", "--no-deps", service], dir, file, pace).await
}

async fn ordered(words: &[&str], dir: &Path, file: &Path, pace: &Pace) -> Result<(), Fault> {
    let mut command = daemon::compose(&["--progress", "plain", "--env-file"]);
    command.arg(variables_of(dir, file)).arg("--project-directory").arg(dir);
    command.arg("-f").arg(file).args(words).current_dir(dir);
    let shown = format!("docker compose {}", words.join(" "));
    let limit = pace.within(limits::STACK_SECONDS * 1_000);
    match daemon::run(command, &limit).await? {
        Some(ended) if ended.ok => Ok(()),
        Some(ended) => Err(Fault::Command { command: shown, reason: ended.stderr.trim().to_owned() }),
        None => Err(Fault::TimedOut { action: shown, seconds: limit.seconds() }),
    }
}

/// The file beside a stack's planned models that has the variables for its secrets.
fn variables_of(dir: &Path, model: &Path) -> PathBuf {
    let stack = dir.file_name().unwrap_or_default().to_string_lossy();
    model.with_file_name(format!("{stack}.env"))
}

/// What Compose says when it is the machine that has not enough of something, and what that is.
const MACHINES: [(&str, &str); 7] = [
    ("all predefined address pools have been fully subnetted", ADDRESSES),
    ("could not find an available, non-overlapping IPv4 address pool", ADDRESSES),
    ("could not find an available, non-overlapping IPv6 address pool", ADDRESSES),
    ("Pool overlaps with other one on this address space", ADDRESSES),
    ("port is already allocated", "another program took a port just when Docker wanted it"),
    ("address already in use", "another program took a port just when Docker wanted it"),
    ("too many open files", "the machine has too many files open"),
];
const ADDRESSES: &str = "Docker has no addresses left for another network; `docker network prune` frees unused ones";

/// Compose's output in the learner's words; a fault when the machine failed.
fn complaint(stderr: &str, stack: &StackPlan) -> Result<Vec<String>, Fault> {
    if stderr.contains("no space left on device") {
        return Err(Fault::DiskFull { reason: format!("starting the {} stack", stack.name) });
    }
    if let Some((_, reason)) = MACHINES.iter().find(|(words, _)| stderr.contains(words)) {
        return Err(Fault::Command { command: "docker compose up".into(), reason: (*reason).into() });
    }
    let tidy = |line: &str| {
        let line = line.replace(&format!("{}-", stack.project), "");
        line.replace(&format!("{}_", stack.project), "").trim().to_owned()
    };
    let lines: Vec<String> = stderr.lines().map(tidy).filter(|line| !line.is_empty()).collect();
    // What Compose did before is no cause.
    let told: Vec<String> = lines.iter().filter(|line| !is_progress(line)).cloned().collect();
    let lines = if told.is_empty() { lines } else { told };
    Ok(lines[lines.len().saturating_sub(8)..].to_vec())
}

/// Whether a line says what Compose does, such as `Container db-1  Starting`.
fn is_progress(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let of = words.next().is_some_and(|word| ["Network", "Volume", "Container"].contains(&word));
    of && words.count() == 2
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use serde_json::Value;

    fn stack() -> StackPlan {
        StackPlan {
            name: "s".into(),
            project: "grader-1-s".into(),
            files: Vec::new(),
            model: Value::Null,
            started: Value::Null,
            variables: std::collections::BTreeMap::new(),
            injected: BTreeMap::new(),
            images: BTreeSet::new(),
            held: Vec::new(),
        }
    }

    #[test]
    fn a_machine_without_addresses_is_nobodys_mistake() {
        let daemons = [
            "failed to create network grader-1-s_default: Error response from daemon: all predefined address pools have been fully subnetted",
            "Error response from daemon: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
        ];
        for said in daemons {
            let fault = complaint(said, &stack()).expect_err("a fault");
            assert!(fault.to_string().contains("no addresses left"), "{fault}");
        }
    }

    #[test]
    fn what_is_told_is_the_cause_in_the_learners_names() {
        let said = " Network grader-1-s_default  Creating\n Container grader-1-s-db-1  Started\n\
            dependency failed to start: container grader-1-s-db-1 is unhealthy\n";
        let told = complaint(said, &stack()).expect("no fault");
        assert_eq!(told, ["dependency failed to start: container db-1 is unhealthy"]);
    }
}
