//! `namespaces`: services share what they should share, and nothing else.
//!
//! Owns: comparing namespace ids. Must not: read `pid:`, `ipc:` or `network_mode:`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::Namespaces as Ids;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Compares the namespaces of the services' main processes, and of the host, by their ids in the
/// kernel.
///
/// Why it matters: a container is a process with namespaces of its own. Who shares one sees the
/// other's processes, network or memory; that is how a debugging helper looks into a service,
/// and how an intruder would.
///
/// How it is cheated: names and labels change no id. A service that does not run has none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Namespaces {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The services that are compared.
    pub services: Vec<String>,
    /// Kinds that all of them must share.
    #[serde(default)]
    pub shared: Vec<Namespace>,
    /// Kinds in which each must have its own, and none the host's.
    #[serde(default)]
    pub private: Vec<Namespace>,
}

/// A kind of namespace, as `/proc/PID/ns` names it (namespaces(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Namespace {
    /// The view of the cgroup tree.
    Cgroup,
    /// Shared memory and message queues.
    Ipc,
    /// The file system.
    Mnt,
    /// Addresses, ports and routes.
    Net,
    /// Processes.
    Pid,
    /// The host name.
    Uts,
}

/// What each service has.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The state and the namespaces of each service; `None` for one that does not run.
    pub services: BTreeMap<String, Option<Ids>>,
    /// Per service and kind, where the key that decides it stands, or the service.
    pub places: BTreeMap<String, Option<Location>>,
}

#[async_trait]
impl Check for Namespaces {
    type Evidence = Evidence;
    const KIND: &'static str = "namespaces";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let (mut services, mut places) = (BTreeMap::new(), BTreeMap::new());
        for service in &self.services {
            let at = At { stack: &self.stack, service };
            let runs = sandbox.container(at).await?.is_running();
            services.insert(service.clone(), if runs { Some(sandbox.namespaces(at).await?) } else { None });
            for kind in self.shared.iter().chain(&self.private) {
                places.insert(format!("{service} {}", kind.name()), sandbox.locate_key(at, &[kind.key()]));
            }
        }
        Ok(Evidence { services, places })
    }

    fn time_explains(&self, _: &Evidence) -> bool {
        false
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let list = |kinds: &[Namespace]| kinds.iter().map(|kind| kind.words()).collect::<Vec<_>>().join(" and ");
        let names = self.services.join(" and ");
        let mut parts = Vec::new();
        if !self.shared.is_empty() {
            parts.push(format!("share {}", list(&self.shared)));
        }
        if !self.private.is_empty() {
            parts.push(format!("have {} of their own", list(&self.private)));
        }
        let wanted = format!("{names} {}", parts.join(", and "));
        let table = self.table(evidence);
        match self.problem(evidence) {
            None => Verdict::Pass(Finding::new(wanted, "so it is, by the kernel's ids").with(table)),
            Some((problem, places)) => {
                Verdict::Fail(Finding::new(wanted, problem).at(self.at_fault(evidence, &places)).with(table))
            }
        }
    }
}

impl Namespaces {
    /// Of several places, the first at which the key itself stands; where it is missing, the first service.
    fn at_fault(&self, evidence: &Evidence, places: &[String]) -> Option<Location> {
        let found: Vec<&Location> = places.iter().filter_map(|place| evidence.places.get(place)?.as_ref()).collect();
        let keys: Vec<String> =
            self.shared.iter().chain(&self.private).map(|kind| format!("{}:", kind.key())).collect();
        let is_key = |at: &&&Location| keys.iter().any(|key| at.text.trim_start().starts_with(key));
        found.iter().find(is_key).or(found.first()).map(|at| (*at).clone())
    }

    /// What is not as wanted, and the services and kinds to which it belongs.
    fn problem(&self, evidence: &Evidence) -> Option<(String, Vec<String>)> {
        let mut found: Vec<(&String, &Ids)> = Vec::new();
        for service in &self.services {
            match evidence.services.get(service) {
                Some(Some(ids)) => found.push((service, ids)),
                _ => return Some((format!("`{service}` does not run"), vec![service.clone()])),
            }
        }
        let place = |service: &str, kind: Namespace| format!("{service} {}", kind.name());
        let id = |ids: &Ids, kind: Namespace| ids.own.get(kind.name()).copied();
        let (first, ids) = *found.first()?;
        for kind in &self.shared {
            let other = found
                .iter()
                .skip(1)
                .find(|(_, other)| id(other, *kind).is_none() || id(other, *kind) != id(ids, *kind));
            if let Some((other, _)) = other {
                // The key may stand at either of the two; it is missing at both.
                return Some((
                    format!("`{first}` and `{other}` do not share {}", kind.words()),
                    vec![place(other, *kind), place(first, *kind)],
                ));
            }
        }
        for kind in &self.private {
            for (position, (service, ids)) in found.iter().enumerate() {
                let own = id(ids, *kind);
                if own.is_none() || own == ids.host.get(kind.name()).copied() {
                    return Some((format!("`{service}` has the host's {}", kind.words()), vec![place(service, *kind)]));
                }
                if let Some((other, _)) = found[..position].iter().find(|(_, other)| id(other, *kind) == own) {
                    return Some((
                        format!("`{other}` and `{service}` share {}", kind.words()),
                        vec![place(service, *kind), place(other, *kind)],
                    ));
                }
            }
        }
        None
    }

    fn table(&self, evidence: &Evidence) -> Detail {
        let kinds: Vec<Namespace> = self.shared.iter().chain(&self.private).copied().collect();
        let mut head = vec!["of"];
        head.extend(kinds.iter().map(|kind| kind.name()));
        let row = |name: &str, ids: Option<&BTreeMap<String, u64>>| {
            let mut row = vec![name.to_owned()];
            row.extend(
                kinds
                    .iter()
                    .map(|kind| ids.and_then(|ids| ids.get(kind.name())).map_or_else(|| "-".into(), u64::to_string)),
            );
            row
        };
        let mut rows: Vec<Vec<String>> = self
            .services
            .iter()
            .map(|name| row(name, evidence.services.get(name).and_then(|ids| ids.as_ref()).map(|ids| &ids.own)))
            .collect();
        if let Some(ids) = evidence.services.values().flatten().next() {
            rows.push(row("the host", Some(&ids.host)));
        }
        Detail::table("ids of the namespaces", &head, rows)
    }
}

impl Namespace {
    fn name(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Ipc => "ipc",
            Self::Mnt => "mnt",
            Self::Net => "net",
            Self::Pid => "pid",
            Self::Uts => "uts",
        }
    }

    /// The key of a service that decides it.
    fn key(self) -> &'static str {
        match self {
            Self::Net => "network_mode",
            Self::Mnt => "volumes",
            other => other.name(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup view",
            Self::Ipc => "shared memory (ipc)",
            Self::Mnt => "file system (mnt)",
            Self::Net => "network (net)",
            Self::Pid => "processes (pid)",
            Self::Uts => "host name (uts)",
        }
    }
}

crate::register!(Namespaces);
