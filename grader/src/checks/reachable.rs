//! `reachable`: services find each other by name and can connect.
//!
//! Owns: judging look-ups and connections that must work. Must not: talk to the services.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{KernelFacts, Link, LinkFacts};
use crate::sandbox::names::{service_called, shares_network_of};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// From within the network of one service, the name of another is looked up and its port is
/// connected to, with tools of the grader's own. The address must be one of the other service's.
///
/// Why it matters: services of a stack find each other by name, and only on a network that both
/// are connected to.
///
/// How it is cheated: an entry that leads the name elsewhere (`extra_hosts`) gives another address;
/// a published port or `depends_on` opens no way from container to container.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reachable {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The connections that must work.
    pub links: Vec<WantedLink>,
    /// Milliseconds until all of them must work.
    #[serde(default = "default_limit")]
    pub within_ms: u64,
}

/// A connection that must work.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedLink {
    /// The service that connects.
    pub from: String,
    /// The name that it looks up: a service, an alias in a network, or an address.
    pub to: String,
    /// The TCP port in the other container.
    pub port: u16,
}

fn default_limit() -> u64 {
    10_000
}

/// What was tried.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Each connection, in the order of the lesson.
    pub tries: Vec<Try>,
    /// Where the networks of the first service that reaches nothing stand.
    pub at: Option<Location>,
}

/// One connection.
#[derive(Debug, Serialize, Deserialize)]
pub struct Try {
    /// The service that connects.
    pub from: String,
    /// What came of it; `None` when that service does not run.
    pub link: Option<LinkFacts>,
    /// The name and port.
    pub wanted: Link,
    /// The service that the name stands for.
    pub service: Option<String>,
    /// The state of its container.
    pub state: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// The ports on which it listens.
    pub listening: Vec<u16>,
    /// The networks of both.
    pub networks: [Vec<String>; 2],
}

#[async_trait]
impl Check for Reachable {
    type Evidence = Evidence;
    const KIND: &'static str = "reachable";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let all_work = || async {
            let tries = self.try_all(sandbox).await?;
            Ok::<_, Fault>(tries.iter().all(|one| one.problem().is_none()).then_some(tries))
        };
        let tries = match until(&sandbox.within(self.within_ms), all_work).await? {
            Some(tries) => tries,
            None => self.try_all(sandbox).await?,
        };
        let failed = tries.iter().find(|one| one.problem().is_some());
        let at = failed.and_then(|one| sandbox.locate_key(self.at(&one.from), &["networks"]));
        Ok(Evidence { tries, at })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let links: Vec<String> =
            self.links.iter().map(|link| format!("{} → {}:{}", link.from, link.to, link.port)).collect();
        let wanted = format!("these connections work: {}", links.join(", "));
        let rows = evidence.tries.iter().map(|one| {
            let address =
                one.link.as_ref().and_then(|link| link.address.clone()).unwrap_or_else(|| "unknown name".into());
            let result = if one.problem().is_none() { "connected" } else { "no" };
            vec![one.from.clone(), format!("{}:{}", one.wanted.host, one.wanted.port), address, result.into()]
        });
        let table = Detail::table("connections", &["from", "to", "address", "result"], rows.collect());
        match evidence.tries.iter().find_map(Try::problem) {
            None => Verdict::Pass(
                Finding::new(wanted, format!("{} of {} work", evidence.tries.len(), self.links.len())).with(table),
            ),
            Some(problem) => Verdict::Fail(Finding::new(wanted, problem).at(evidence.at.clone()).with(table)),
        }
    }
}

impl Reachable {
    fn at<'a>(&'a self, service: &'a str) -> At<'a> {
        At { stack: &self.stack, service }
    }

    async fn try_all(&self, sandbox: &dyn Sandbox) -> Result<Vec<Try>, Fault> {
        let model = sandbox.model(&self.stack);
        let mut tries = Vec::new();
        for link in &self.links {
            let from = sandbox.container(self.at(&link.from)).await?;
            let wanted = Link { host: link.to.clone(), port: link.port };
            let mut one = Try {
                from: link.from.clone(),
                link: None,
                service: service_called(&model, &link.to),
                wanted,
                state: String::new(),
                addresses: Vec::new(),
                listening: Vec::new(),
                networks: [from.networks.clone(), Vec::new()],
            };
            if let Some(service) = &one.service {
                // One that shares another's network has no addresses of its own.
                let owner = shares_network_of(&model, service).unwrap_or_else(|| service.clone());
                let owner = sandbox.container(self.at(&owner)).await?;
                let there = sandbox.container(self.at(service)).await?;
                let kernel =
                    if there.is_running() { sandbox.kernel(self.at(service)).await? } else { KernelFacts::default() };
                one.listening = kernel.listening;
                one.state = there.state;
                one.addresses = owner.addresses.into_iter().filter(|address| !address.is_empty()).collect();
                one.networks[1] = owner.networks;
            }
            if from.is_running() {
                one.link = sandbox.reach(self.at(&link.from), std::slice::from_ref(&one.wanted)).await?.pop();
            }
            tries.push(one);
        }
        Ok(tries)
    }
}

impl Try {
    /// Why it is not as wanted.
    fn problem(&self) -> Option<String> {
        let (from, host, port) = (&self.from, &self.wanted.host, self.wanted.port);
        let Some(link) = &self.link else { return Some(format!("`{from}` does not run")) };
        if let Some(service) = self.service.as_ref().filter(|_| self.state != "running") {
            return Some(format!("`{service}` does not run: it is {}", self.state));
        }
        let Some(address) = &link.address else {
            let [own, other] = self.networks.each_ref().map(|names| list(names));
            return Some(match &self.service {
                Some(service) => format!(
                    "`{from}` does not know the name `{host}`: `{from}` is connected to {own}, `{service}` to {other}"
                ),
                None => format!("`{from}` does not know the name `{host}`: no service and no alias is called so"),
            });
        };
        if self.service.is_some() && !self.addresses.contains(address) {
            let addresses = self.addresses.join(", ");
            return Some(format!(
                "for `{from}`, the name `{host}` leads to {address}, which is not its address ({addresses})"
            ));
        }
        if link.connected {
            return None;
        }
        let listens = if self.service.is_none() || self.listening.contains(&port) {
            String::new()
        } else {
            let ports: Vec<String> = self.listening.iter().map(ToString::to_string).collect();
            format!(". It listens for others on {}", if ports.is_empty() { "no port".into() } else { ports.join(", ") })
        };
        Some(format!("`{from}` finds `{host}` at {address}, but nobody answers on port {port}{listens}"))
    }
}

fn list(networks: &[String]) -> String {
    if networks.is_empty() { "no network".into() } else { networks.join(" and ") }
}

crate::register!(Reachable);
