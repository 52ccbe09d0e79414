//! `optional-services`: some services are there only when they are asked for.
//!
//! Owns: comparing what runs with and without a profile. Must not: know which profile it is.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::NOT_MADE;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Starts the same files as two stacks, one of them with a profile switched on (`profiles` in
/// `[[stack]]`), and looks at which containers each of them has.
///
/// Why it matters: tools that only some people need now and then should not run for everybody all
/// the time, and should need no second file.
///
/// How it is cheated: a service that ends at once, or is scaled to nothing, still has a container
/// where there must be none, or runs nowhere.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionalServices {
    /// The stack without the profile, by its name in `[[stack]]`.
    pub without: String,
    /// The stack with it.
    pub with: String,
    /// Services that have no container in the first and run in the second.
    pub services: Vec<String>,
    /// Services that run in both.
    #[serde(default)]
    pub always: Vec<String>,
}

/// What each stack has.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Each service's state without the profile.
    pub without: BTreeMap<String, String>,
    /// Each service's state with it.
    pub with: BTreeMap<String, String>,
    /// Where the profiles of the first service at fault stand.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for OptionalServices {
    type Evidence = Evidence;
    const KIND: &'static str = "optional-services";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.without), Resource::stack(&self.with)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let without = self.states(sandbox, &self.without).await?;
        let with = self.states(sandbox, &self.with).await?;
        let mut evidence = Evidence { without, with, at: None };
        evidence.at = self
            .problem(&evidence)
            .and_then(|(service, _)| sandbox.locate_key(At { stack: &self.with, service }, &["profiles"]));
        Ok(evidence)
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let list = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
        let mut wanted = format!("{} only in the stack {}", list(&self.services), self.with);
        if !self.always.is_empty() {
            wanted = format!("{wanted}; {} in {} as well", list(&self.always), self.without);
        }
        let rows = self.services.iter().chain(&self.always);
        let rows = rows.map(|name| vec![name.clone(), state(&evidence.without, name), state(&evidence.with, name)]);
        let table = Detail::table("containers", &["service", &self.without, &self.with], rows.collect());
        match self.problem(evidence) {
            None => Verdict::Pass(Finding::new(wanted, "so it is").with(table)),
            Some((_, problem)) => Verdict::Fail(Finding::new(wanted, problem).at(evidence.at.clone()).with(table)),
        }
    }
}

impl OptionalServices {
    async fn states(&self, sandbox: &dyn Sandbox, stack: &str) -> Result<BTreeMap<String, String>, Fault> {
        let mut states = BTreeMap::new();
        for service in self.services.iter().chain(&self.always) {
            states.insert(service.clone(), sandbox.container(At { stack, service }).await?.state);
        }
        Ok(states)
    }

    /// The first service that is not as wanted, and how.
    fn problem<'a>(&'a self, evidence: &Evidence) -> Option<(&'a str, String)> {
        for service in &self.services {
            let state = state(&evidence.without, service);
            if state != NOT_MADE {
                return Some((
                    service,
                    format!("`{service}` has a container in {}, too (it is {state})", self.without),
                ));
            }
        }
        let needed = self.services.iter().map(|service| (service, &self.with, &evidence.with));
        let always = self
            .always
            .iter()
            .flat_map(|service| [(service, &self.without, &evidence.without), (service, &self.with, &evidence.with)]);
        needed.chain(always).find_map(|(service, stack, states)| {
            let state = state(states, service);
            let problem = format!("`{service}` does not run in {stack}: its container is {state}");
            (state != "running").then_some((service.as_str(), problem))
        })
    }
}

fn state(states: &BTreeMap<String, String>, service: &str) -> String {
    states.get(service).cloned().unwrap_or_else(|| NOT_MADE.into())
}

crate::register!(OptionalServices);
