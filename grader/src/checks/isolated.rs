//! `isolated`: services cannot reach each other, though both run; and some have no way outside.
//!
//! Owns: judging connections that must not work. Must not: take what does not run for isolated.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, Link, LinkFacts};
use crate::sandbox::names::{names_of, service_called, shares_network_of};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// From within the network of one service, another one's port is tried under each of its names,
/// and by its address on a network that both share. Nothing may accept the connection, while the
/// other service runs and does listen on that port.
///
/// Why it matters: who breaks into the service that faces the world must not find the database
/// next door.
///
/// How it is cheated: a service that is left out, does not run, or listens on another port or on
/// loopback only, cannot be reached by anybody; that is no isolation, and fails.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Isolated {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The connections that must not work.
    #[serde(default)]
    pub links: Vec<ForbiddenLink>,
    /// Services that must have no way to the outside: no default route, as on an internal network.
    #[serde(default)]
    pub outside: Vec<String>,
    /// Milliseconds until the services that must be out of reach must listen on their ports.
    #[serde(default = "default_limit")]
    pub within_ms: u64,
}

fn default_limit() -> u64 {
    10_000
}

/// A connection that must not work.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForbiddenLink {
    /// The service that tries.
    pub from: String,
    /// The service (or an alias of it) that must be out of its reach.
    pub to: String,
    /// The TCP port on which that service listens.
    pub port: u16,
}

/// What was tried.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Each connection, in the order of the lesson.
    pub tries: Vec<Try>,
    /// For each service that must have no way to the outside: the gateway that it has.
    pub gateways: BTreeMap<String, Option<String>>,
    /// Where the networks of the first service at fault stand.
    pub at: Option<Location>,
}

/// One connection.
#[derive(Debug, Serialize, Deserialize)]
pub struct Try {
    /// The service that tries.
    pub from: String,
    /// Whether it runs.
    pub from_runs: bool,
    /// The service that must be out of reach.
    pub to: String,
    /// The port.
    pub port: u16,
    /// The state of that service's container.
    pub state: String,
    /// The ports on which it listens for others.
    pub listening: Vec<u16>,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// What came of each name and address that was tried.
    pub links: Vec<LinkFacts>,
}

#[async_trait]
impl Check for Isolated {
    type Evidence = Evidence;
    const KIND: &'static str = "isolated";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let mut evidence = Evidence { tries: Vec::new(), gateways: BTreeMap::new(), at: None };
        for link in &self.links {
            let one = self.try_one(sandbox, link).await?;
            if evidence.at.is_none() && one.problem().is_some() {
                let blamed = if one.opened().is_some() { &one.from } else { &one.to };
                evidence.at = sandbox.locate_key(self.at(blamed), &["networks"]);
            }
            evidence.tries.push(one);
        }
        for service in &self.outside {
            let runs = sandbox.container(self.at(service)).await?.is_running();
            let gateway = if runs { sandbox.gateway(self.at(service)).await? } else { Some(NOT_RUNNING.into()) };
            if evidence.at.is_none() && gateway.is_some() {
                evidence.at = sandbox.locate_key(self.at(service), &["networks"]);
            }
            evidence.gateways.insert(service.clone(), gateway);
        }
        Ok(evidence)
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let mut wanted: Vec<String> =
            self.links.iter().map(|link| format!("`{}` does not reach {}:{}", link.from, link.to, link.port)).collect();
        wanted.extend(self.outside.iter().map(|service| format!("`{service}` has no way to the outside")));
        let wanted = wanted.join("; ");
        let rows = evidence.tries.iter().flat_map(|one| {
            one.links.iter().map(|link| {
                let result = if link.connected { "connected" } else { "no connection" };
                let address = link.address.clone().unwrap_or_else(|| "unknown name".into());
                vec![one.from.clone(), format!("{}:{}", link.link.host, link.link.port), address, result.into()]
            })
        });
        let table = Detail::table("what was tried", &["from", "to", "address", "result"], rows.collect());
        let way_out = evidence.gateways.iter().find_map(|(service, gateway)| {
            let gateway = gateway.as_ref()?;
            Some(if gateway == NOT_RUNNING {
                format!("`{service}` does not run, so nothing can be said of its way to the outside")
            } else {
                format!(
                    "`{service}` has a default route to the outside, by {gateway}: not all of its networks are internal"
                )
            })
        });
        let problem = evidence.tries.iter().find_map(Try::problem).or(way_out);
        let holds = problem.is_none();
        let finding = Finding::new(wanted, problem.unwrap_or_else(|| "so it is, while all of them run".into()));
        let finding = if evidence.tries.is_empty() { finding } else { finding.with(table) };
        if holds { finding.decide(true) } else { finding.at(evidence.at.clone()).decide(false) }
    }
}

/// Stands in the place of a gateway for a service that does not run.
const NOT_RUNNING: &str = "not running";

impl Isolated {
    fn at<'a>(&'a self, service: &'a str) -> At<'a> {
        At { stack: &self.stack, service }
    }

    async fn try_one(&self, sandbox: &dyn Sandbox, link: &ForbiddenLink) -> Result<Try, Fault> {
        let model = sandbox.model(&self.stack);
        let to = service_called(&model, &link.to).unwrap_or_else(|| link.to.clone());
        let listens = || async {
            let runs = sandbox.container(self.at(&to)).await?.is_running();
            let ports = if runs { sandbox.kernel(self.at(&to)).await?.listening } else { Vec::new() };
            Ok::<_, Fault>(ports.contains(&link.port).then_some(ports))
        };
        let heard = until(&sandbox.within(self.within_ms), listens).await?;
        let there = sandbox.container(self.at(&to)).await?;
        let listening = match heard {
            Some(ports) => ports,
            None if there.is_running() => sandbox.kernel(self.at(&to)).await?.listening,
            None => Vec::new(),
        };
        // One that shares another's network is reached at that one's addresses.
        let owner = match shares_network_of(&model, &to) {
            Some(owner) => sandbox.container(self.at(&owner)).await?,
            None => there.clone(),
        };
        let from = sandbox.container(self.at(&link.from)).await?;
        let mut hosts = names_of(&model, &to);
        hosts.extend(shared_addresses(&from, &owner));
        let network_of = |service: &String| shares_network_of(&model, service).unwrap_or_else(|| service.clone());
        if network_of(&link.from) == network_of(&to) {
            hosts.push("127.0.0.1".into());
        }
        let links: Vec<Link> = hosts.into_iter().map(|host| Link { host, port: link.port }).collect();
        let from_runs = from.is_running();
        let links = if from_runs { sandbox.reach(self.at(&link.from), &links).await? } else { Vec::new() };
        let addresses = owner.addresses.into_iter().filter(|address| !address.is_empty()).collect();
        Ok(Try {
            from: link.from.clone(),
            from_runs,
            to,
            port: link.port,
            state: there.state,
            listening,
            addresses,
            links,
        })
    }
}

/// The other's addresses on networks that both are connected to.
fn shared_addresses(from: &ContainerFacts, to: &ContainerFacts) -> Vec<String> {
    let theirs = to.networks.iter().zip(&to.addresses);
    let shared = theirs.filter(|(network, address)| from.networks.contains(network) && !address.is_empty());
    shared.map(|(_, address)| address.clone()).collect()
}

impl Try {
    /// The connection that was made to the other service. A name that leads to somebody else, such
    /// as a name server that answers everything, is no connection to it.
    fn opened(&self) -> Option<&LinkFacts> {
        let is_theirs = |address: &String| self.addresses.contains(address) || address == "127.0.0.1";
        self.links.iter().find(|link| link.connected && link.address.as_ref().is_some_and(is_theirs))
    }

    fn problem(&self) -> Option<String> {
        let Self { from, to, port, state, .. } = self;
        if !self.from_runs {
            return Some(format!("`{from}` does not run: who is not there reaches nobody"));
        }
        if state != "running" {
            return Some(format!("`{to}` does not run (it is {state}): a service that is not there is not isolated"));
        }
        if !self.listening.contains(port) {
            let ports: Vec<String> = self.listening.iter().map(ToString::to_string).collect();
            let ports = if ports.is_empty() { "no port".into() } else { ports.join(", ") };
            return Some(format!(
                "`{to}` does not listen for others on port {port} (but on {ports}): nobody reaches it, so nothing isolates it"
            ));
        }
        let link = self.opened()?;
        let address = link.address.as_deref().unwrap_or_default();
        Some(format!("`{from}` connects to {}:{port} ({address})", link.link.host))
    }
}

crate::register!(Isolated);
