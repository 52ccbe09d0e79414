//! The `docker` command and its plugins.
//!
//! Owns: asking them for their versions, and comparing versions. Must not: need a daemon.

use super::{Finding, Level};
use crate::sandbox::daemon::{self, Ended};
use crate::sandbox::wait::in_ms;

/// The oldest Compose whose merged model the grader reads.
const COMPOSE_MIN: [u32; 2] = [2, 20];
/// The oldest buildx with machine-readable progress.
const BUILDX_MIN: [u32; 2] = [0, 13];
/// A command that only prints its version has this long, milliseconds: on a machine that is busy with
/// something else it was seen to take more than ten seconds.
const LIMIT_MS: u64 = 120_000;
const SETUP: &str = "`make setup` installs it where it can.";

/// The findings about `docker`, Compose, buildx, and where `docker` connects to.
pub async fn examine() -> Vec<Finding> {
    let (docker, compose, buildx, endpoint) = tokio::join!(
        ask(&["--version"]),
        ask(&["compose", "version", "--short"]),
        ask(&["buildx", "version"]),
        ask(&["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]),
    );
    let command = match docker {
        Answer::None => {
            return vec![Finding::new("docker command", Level::Fail, "there is no command `docker`", SETUP)];
        }
        Answer::Late => late("docker command"),
        Answer::Ended(ended) => {
            let found = version(&ended.stdout).map_or_else(|| "it tells no version".into(), |version| version.shown);
            Finding::ok("docker command", found)
        }
    };
    let mut findings = vec![command, plugin("compose", &compose, COMPOSE_MIN), plugin("buildx", &buildx, BUILDX_MIN)];
    if let Answer::Ended(ended) = endpoint
        && ended.ok
    {
        findings.extend(elsewhere(ended.stdout.trim(), &super::daemon::address()));
    }
    findings
}

/// What came of asking a tool.
enum Answer {
    /// There is no such command.
    None,
    /// It was not done in time, which says nothing about it.
    Late,
    /// It ended.
    Ended(Ended),
}

async fn ask(arguments: &[&str]) -> Answer {
    match daemon::run(daemon::command(arguments), &in_ms(LIMIT_MS)).await {
        Ok(Some(ended)) => Answer::Ended(ended),
        Ok(None) => Answer::Late,
        Err(_) => Answer::None,
    }
}

fn late(name: &str) -> Finding {
    let found = format!("it has not told its version within {} s", LIMIT_MS / 1_000);
    Finding::new(name, Level::Warn, found, "The machine is very busy: look again when it is calmer.")
}

fn plugin(name: &str, answer: &Answer, least: [u32; 2]) -> Finding {
    let wanted = format!("{}.{} or newer is needed", least[0], least[1]);
    let ended = match answer {
        Answer::Late => return late(name),
        Answer::Ended(ended) => Some(ended),
        Answer::None => None,
    };
    let complaint = ended.and_then(|ended| ended.stderr.trim().lines().last());
    let said = complaint.map(|line| format!(" ({line})")).unwrap_or_default();
    let found = ended.filter(|ended| ended.ok).and_then(|ended| version(&ended.stdout));
    match found {
        None => Finding::new(name, Level::Fail, format!("`docker {name}` does not work{said}; {wanted}"), SETUP),
        Some(version) if version.numbers < least => {
            Finding::new(name, Level::Fail, format!("{}; {wanted}", version.shown), SETUP)
        }
        Some(version) => Finding::ok(name, version.shown),
    }
}

/// The `docker` command may use a context, which the grader does not follow.
fn elsewhere(docker: &str, ours: &str) -> Option<Finding> {
    let path = |address: &str| address.strip_prefix("unix://").and_then(|path| std::fs::canonicalize(path).ok());
    if docker.is_empty() || docker == ours || (path(docker).is_some() && path(docker) == path(ours)) {
        return None;
    }
    let found = format!("the command `docker` connects to {docker}, the grader to {ours}");
    let fix = format!("`export DOCKER_HOST={docker}` makes both use the same engine.");
    Some(Finding::new("docker context", Level::Warn, found, &fix))
}

/// A version as a tool prints it.
struct Version {
    numbers: [u32; 2],
    shown: String,
}

/// The first version number in a text, such as `2.26.1` in `v2.26.1-4`.
fn version(text: &str) -> Option<Version> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    words.map(|word| word.trim_matches('.')).find_map(|word| {
        let mut numbers = word.split('.').map(|number| number.parse().ok());
        let numbers = [numbers.next()??, numbers.next()??];
        Some(Version { numbers, shown: word.to_owned() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(stdout: &str) -> Answer {
        Answer::Ended(Ended { ok: true, stdout: stdout.into(), stderr: String::new() })
    }

    #[test]
    fn versions_are_found_in_what_the_tools_print() {
        let shown = |text: &str| version(text).map(|version| version.shown).unwrap_or_default();
        assert_eq!(shown("Docker version 28.2.2, build e6534b4"), "28.2.2");
        assert_eq!(shown("github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3"), "0.13.1");
        assert_eq!(shown("v2.24.6-desktop.1"), "2.24.6");
        assert_eq!(shown("unknown command"), "");
    }

    #[test]
    fn a_plugin_must_be_new_enough() {
        assert_eq!(plugin("compose", &ended("2.20.0"), COMPOSE_MIN).level, Level::Ok);
        assert_eq!(plugin("compose", &ended("2.19.9"), COMPOSE_MIN).level, Level::Fail);
        assert_eq!(plugin("compose", &ended("10.0"), COMPOSE_MIN).level, Level::Ok);
        assert_eq!(plugin("buildx", &ended("0.9.1"), BUILDX_MIN).level, Level::Fail);
        assert_eq!(plugin("buildx", &Answer::None, BUILDX_MIN).level, Level::Fail);
        let late = plugin("compose", &Answer::Late, COMPOSE_MIN);
        assert!(late.level == Level::Warn && !late.found.contains("not work"), "a busy machine lacks nothing");
    }

    #[test]
    fn another_engine_behind_the_command_is_told() {
        assert!(elsewhere("unix:///a", "unix:///a").is_none());
        assert!(elsewhere("", "unix:///a").is_none());
        let found = elsewhere("unix:///b", "unix:///a").unwrap();
        assert!(found.fix.unwrap().contains("DOCKER_HOST=unix:///b"));
    }
}
