//! Why a stack did not come up: the one service to blame, and what kept it.
//!
//! Owns: reading the cause out of containers, Compose's words and the order that the files ask for. Must not:
//! look at anything.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{is_broken, is_done, is_well, state};
use crate::sandbox::facts::ContainerFacts;

/// A service that waits for another, by `depends_on`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The service that waits.
    pub service: String,
    /// The one that it waits for.
    pub on: String,
    /// `service_started`, `service_healthy` or `service_completed_successfully`.
    pub condition: String,
}

impl Wait {
    /// All of a merged model.
    #[must_use]
    pub fn all(model: &serde_json::Value) -> Vec<Self> {
        let services = model["services"].as_object().into_iter().flatten();
        let waits = services.flat_map(|(service, described)| {
            let on = described["depends_on"].as_object().into_iter().flatten();
            on.map(|(on, how)| Self {
                service: service.clone(),
                on: on.clone(),
                condition: how["condition"].as_str().unwrap_or("service_started").to_owned(),
            })
        });
        waits.collect()
    }

    fn is_over(&self, containers: &BTreeMap<String, ContainerFacts>) -> bool {
        containers.get(&self.on).is_some_and(|facts| match self.condition.as_str() {
            "service_healthy" => facts.health.as_deref() == Some("healthy"),
            "service_completed_successfully" => is_done(facts),
            _ => facts.is_running() || is_done(facts),
        })
    }

    fn in_words(&self) -> String {
        let what = match self.condition.as_str() {
            "service_healthy" => "is healthy",
            "service_completed_successfully" => "has ended with code 0",
            _ => "runs",
        };
        format!("until `{}` {what}", self.on)
    }
}

/// Why a service does not run; the first of these is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its main process could not be started.
    NotStarted,
    /// It has ended, or ends over and over.
    Broken,
    /// Its health check says no, and others wait for it.
    Unhealthy,
    /// It waits for another that is there.
    Waits,
    /// Nothing about its container tells; perhaps Compose's words do.
    Unknown,
}

/// The service to blame.
pub struct Blamed<'a> {
    /// Its name.
    pub service: &'a String,
    /// Its container.
    pub facts: &'a ContainerFacts,
    /// Why it does not run.
    pub why: Why,
}

impl Blamed<'_> {
    /// The key of the service that is to be mended, as far as it can be told.
    pub fn key(&self) -> &'static [&'static str] {
        match self.why {
            Why::Waits => &["depends_on"],
            Why::Unhealthy => &["healthcheck"],
            _ => &[],
        }
    }
}

/// What is known about a stack's end of coming up.
pub struct Seen<'a> {
    /// The containers.
    pub containers: &'a BTreeMap<String, ContainerFacts>,
    /// Services that publish ports.
    pub publishing: &'a BTreeSet<String>,
    /// The order that the files ask for.
    pub waits: &'a [Wait],
}

impl<'a> Seen<'a> {
    /// The service to blame: what kept itself from running before what only waits.
    pub fn blamed(&self) -> Option<Blamed<'a>> {
        let unwell = self.containers.iter().filter(|(name, facts)| {
            let unhealthy = facts.health.as_deref() == Some("unhealthy");
            !is_well(facts, self.publishing.contains(*name)) || unhealthy && self.keeps_somebody(name)
        });
        unwell
            .map(|(service, facts)| Blamed { why: self.why(service, facts), service, facts })
            .min_by_key(|blamed| blamed.why)
    }

    fn why(&self, service: &str, facts: &ContainerFacts) -> Why {
        if !facts.start_error.is_empty() && !facts.is_running() {
            return Why::NotStarted;
        }
        if is_broken(facts, self.publishing.contains(service)) {
            return Why::Broken;
        }
        if facts.health.as_deref() == Some("unhealthy") {
            return Why::Unhealthy;
        }
        match self.waited_for(service).and_then(|wait| self.containers.get(&wait.on)) {
            Some(on) if on.exists() && on.state != "created" => Why::Waits,
            _ => Why::Unknown,
        }
    }

    /// What a service that was not started still waits for.
    fn waited_for(&self, service: &str) -> Option<&'a Wait> {
        let facts = self.containers.get(service)?;
        let is_waiting = facts.start_error.is_empty() && (facts.state == "created" || !facts.exists());
        let mut waits = self.waits.iter().filter(|wait| wait.service == service);
        waits.find(|wait| is_waiting && !wait.is_over(self.containers))
    }

    fn keeps_somebody(&self, service: &str) -> bool {
        self.containers.keys().filter_map(|name| self.waited_for(name)).any(|wait| wait.on == service)
    }

    /// What was measured of the one to blame, in a sentence, and what may explain it.
    pub fn story(&self, blamed: &Blamed<'_>) -> (String, Option<&'static str>) {
        let Blamed { service, facts, why } = blamed;
        if *why == Why::NotStarted {
            let cause = without_preamble(&facts.start_error);
            return (format!("`{service}` could not be started: {cause}"), explained(cause));
        }
        if let (Why::Waits, Some(wait)) = (why, self.waited_for(service)) {
            let now = self.containers.get(&wait.on).map_or_else(String::new, state);
            let measured =
                format!("`{service}` was not started: it waits {}, and `{}` is {now}", wait.in_words(), wait.on);
            let job = wait.condition == "service_completed_successfully";
            let note = "`service_completed_successfully` is for jobs that end by themselves. For a server wait until it is healthy.";
            return (measured, job.then_some(note));
        }
        let mut measured = format!("`{service}` is {}", state(facts));
        let kept = self.containers.keys().filter(|name| self.waited_for(name).is_some_and(|wait| wait.on == **service));
        let kept: Vec<String> = kept.map(|name| format!("`{name}`")).collect();
        if !kept.is_empty() {
            measured = format!(
                "{measured}, so {}, which {} for it, was not started",
                kept.join(" and "),
                if kept.len() == 1 { "waits" } else { "wait" }
            );
        }
        (measured, None)
    }
}

/// Docker's error without who called whom.
#[must_use]
pub fn without_preamble(error: &str) -> &str {
    let error = error.trim().trim_end_matches(": unknown");
    let begins = ["unable to start container process: ", "OCI runtime create failed: ", "Error response from daemon: "];
    begins
        .iter()
        .find_map(|begin| error.split_once(begin))
        .map_or(error, |(_, cause)| cause.strip_prefix("error during container init: ").unwrap_or(cause))
}

/// What Docker's words mean to somebody who reads them for the first time.
#[must_use]
pub fn explained(cause: &str) -> Option<&'static str> {
    let explanations = [
        (
            "not a directory",
            "A file and a folder do not go over each other. Where the source of a mount is missing, Docker makes a folder of its name.",
        ),
        (
            "permission denied",
            "The file may not be executed. `chmod +x` it before it is copied, or write `COPY --chmod=755`.",
        ),
        (
            "mount path must be absolute",
            "The path in the container begins with `/`. And a volume needs a name of two letters or more: Compose takes `d:` in `d:/data` for a drive of Windows.",
        ),
        (
            "executable file not found",
            "The image has no program of that name in its PATH. Which word of the command was meant to be one?",
        ),
        ("exec format error", "It is no program for this machine. A script needs a first line such as `#!/bin/sh`."),
        (
            "no such file or directory",
            "There is no such file in the image, or the first line of the script names a program that is not there. Ends of lines from Windows make such a name, too.",
        ),
        (
            "unable to find user",
            "The image has no such user: make it with `RUN adduser`, or use the one that the image brings.",
        ),
        (
            "no matching entries in passwd",
            "The image has no such user: make it with `RUN adduser`, or use the one that the image brings.",
        ),
        (
            "has no healthcheck configured",
            "`service_healthy` needs a `healthcheck` at the service that is waited for, or in its image.",
        ),
    ];
    explanations.into_iter().find(|(words, _)| cause.contains(words)).map(|(_, explanation)| explanation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(state: &str) -> ContainerFacts {
        ContainerFacts { state: state.into(), restart_policy: "no".into(), ..ContainerFacts::default() }
    }

    fn told(containers: &[(&str, ContainerFacts)], waits: &[(&str, &str, &str)]) -> (String, Option<&'static str>) {
        let containers = containers.iter().map(|(name, facts)| ((*name).to_owned(), facts.clone())).collect();
        let wait = |(service, on, condition): &(&str, &str, &str)| Wait {
            service: (*service).into(),
            on: (*on).into(),
            condition: format!("service_{condition}"),
        };
        let waits: Vec<Wait> = waits.iter().map(wait).collect();
        let seen = Seen { containers: &containers, publishing: &BTreeSet::new(), waits: &waits };
        seen.story(&seen.blamed().expect("somebody"))
    }

    #[test]
    fn a_command_that_cannot_be_run_is_told_without_its_preamble() {
        let start_error = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: \
            unable to start container process: exec: \"/e.sh\": permission denied: unknown";
        let app = ContainerFacts { start_error: start_error.into(), exit_code: 126, ..container("created") };
        let (measured, note) = told(&[("app", app)], &[]);
        assert_eq!(measured, "`app` could not be started: exec: \"/e.sh\": permission denied");
        assert!(note.is_some_and(|note| note.contains("chmod +x")));
    }

    #[test]
    fn who_waits_for_a_job_that_does_not_end_is_told_so() {
        let waits = [("app", "migrate", "completed_successfully")];
        let (measured, note) = told(&[("app", container("created")), ("migrate", container("running"))], &waits);
        assert_eq!(
            measured,
            "`app` was not started: it waits until `migrate` has ended with code 0, and `migrate` is running"
        );
        assert!(note.is_some());
    }

    #[test]
    fn of_a_row_that_waits_the_one_is_told_for_which_something_can_be_done() {
        let waits = [("a", "b", "started"), ("b", "migrate", "completed_successfully")];
        let made = |state| container(state);
        let (measured, _) =
            told(&[("a", made("created")), ("b", made("created")), ("migrate", made("running"))], &waits);
        assert!(measured.starts_with("`b` was not started: it waits until `migrate`"), "{measured}");
    }

    #[test]
    fn who_keeps_others_from_starting_is_to_blame_for_them() {
        let waits = [("app", "db", "healthy"), ("web", "app", "started")];
        let db = ContainerFacts { health: Some("unhealthy".into()), ..container("running") };
        let (measured, _) = told(&[("app", container("created")), ("db", db), ("web", container("created"))], &waits);
        assert_eq!(measured, "`db` is running, unhealthy, so `app`, which waits for it, was not started");
        let job = ContainerFacts { exit_code: 1, ..container("exited") };
        let (measured, _) =
            told(&[("app", container("created")), ("job", job)], &[("app", "job", "completed_successfully")]);
        assert_eq!(measured, "`job` is exited with code 1, so `app`, which waits for it, was not started");
    }

    #[test]
    fn a_service_that_is_unhealthy_and_keeps_nobody_is_another_checks_matter() {
        let db = ContainerFacts { health: Some("unhealthy".into()), ..container("running") };
        let containers = BTreeMap::from([("db".to_owned(), db)]);
        assert!(Seen { containers: &containers, publishing: &BTreeSet::new(), waits: &[] }.blamed().is_none());
    }
}
