//! Merging Compose files and starting stacks, by `docker compose`.
//!
//! Owns: calling Compose and sorting its complaints. Must not: merge or order anything itself.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::daemon;
use super::facts::StackReport;
use super::pace::Pace;
use crate::course::spec::StackSpec;
use crate::event::{Event, Events};
use crate::fault::Fault;
use crate::learner::filled;
use crate::plan::StackPlan;
use crate::policy::limits;

/// What `docker compose config` made of the files.
pub enum Merged {
    /// The merged model.
    Model(Value),
    /// Compose's complaint about the learner's files.
    Complaint(String),
}

/// Merges a stack's files in `dir`.
pub async fn merge(spec: &StackSpec, dir: &Path, fills: &Fills<'_>, pace: &Pace) -> Result<Merged, Fault> {
    let mut arguments = Vec::new();
    arguments.extend(spec.profiles.iter().flat_map(|profile| ["--profile".to_owned(), profile.clone()]));
    if let Some(env_file) = spec.env_file.as_ref().filter(|file| dir.join(file).is_file()) {
        arguments.extend(["--env-file".into(), env_file.clone()]);
    }
    for file in &spec.files {
        arguments.extend(["-f".into(), file.clone()]);
    }
    arguments.extend(["config", "--format", "json"].map(str::to_owned));
    let mut command = daemon::compose(&arguments);
    command.current_dir(dir).envs(environment(&spec.env, fills));
    let limit = pace.within(60_000);
    let Some(ended) = daemon::run(command, &limit).await? else {
        return Err(Fault::TimedOut { action: "docker compose config".into(), seconds: limit.seconds() });
    };
    if ended.ok {
        return serde_json::from_str(&ended.stdout).map(Merged::Model).map_err(|error| Fault::Unreadable {
            what: "the model of docker compose config".into(),
            reason: error.to_string(),
        });
    }
    let complaint = ended.stderr.trim().to_owned();
    if complaint.contains("is not a docker command") || complaint.contains("unknown shorthand flag: 'f'") {
        return Err(Fault::Command { command: "docker compose".into(), reason: "Compose is not installed".into() });
    }
    Ok(Merged::Complaint(complaint))
}

/// What stands for `{tag}` and `{learner}` in a lesson's environment.
#[derive(Debug, Clone, Copy)]
pub struct Fills<'a> {
    /// This run's tag.
    pub tag: &'a str,
    /// The learner's number.
    pub learner: &'a str,
}

fn environment(env: &BTreeMap<String, String>, fills: &Fills<'_>) -> Vec<(String, String)> {
    let fill = |value: &String| filled(&value.replace("{tag}", fills.tag), fills.learner);
    env.iter().map(|(key, value)| (key.clone(), fill(value))).collect()
}

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
    let file = file.display().to_string();
    let directory = dir.display().to_string();
    let mut command = daemon::compose(&[
        // The model is complete; a `.env` of the learner has nothing to say any more.
        "--env-file",
        "/dev/null",
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
    let services = stack.started["services"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
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
    let mut command = daemon::compose(&["--env-file", "/dev/null", "--progress", "plain", "--project-directory"]);
    command.arg(dir).arg("-f").arg(file).args(words).current_dir(dir);
    let shown = format!("docker compose {}", words.join(" "));
    let limit = pace.within(limits::STACK_SECONDS * 1_000);
    match daemon::run(command, &limit).await? {
        Some(ended) if ended.ok => Ok(()),
        Some(ended) => Err(Fault::Command { command: shown, reason: ended.stderr.trim().to_owned() }),
        None => Err(Fault::TimedOut { action: shown, seconds: limit.seconds() }),
    }
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

    fn stack() -> StackPlan {
        StackPlan {
            name: "s".into(),
            project: "grader-1-s".into(),
            files: Vec::new(),
            model: Value::Null,
            started: Value::Null,
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
