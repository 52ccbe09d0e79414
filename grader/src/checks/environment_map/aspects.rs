//! The lines of the environment map.
//!
//! Owns: which aspects there are, how they read, and when two sides differ. Must not: measure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sandbox::facts::{ContainerFacts, HttpAnswer, ImageFacts, KernelFacts, Process};
use crate::secret;
use crate::verdict::{bytes, memory};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// The image's id.
    Image,
    /// How many layers the image has.
    Layers,
    /// Bytes over the base image.
    Added,
    /// The main command.
    Command,
    /// User ids of the processes.
    User,
    /// Folders of the host in the container.
    HostFolders,
    /// Volumes and tmpfs mounts: what can be written beside the image and the host's folders.
    Mounts,
    /// Published ports.
    Ports,
    /// `NODE_ENV`.
    NodeEnv,
    /// Environment variables: those that are not the same on both sides.
    Environment,
    /// The kernel's memory limit.
    Memory,
    /// The kernel's CPU quota.
    Cpu,
    /// The kernel's limit on processes.
    Processes,
    /// The restart policy.
    Restart,
    /// Whether the root file system can be written.
    RootFileSystem,
    /// Log driver and options.
    Log,
    /// Whether there is a health check.
    HealthCheck,
}

/// Every aspect, in the order of the table.
const ALL: [(Aspect, &str); 17] = [
    (Aspect::Image, "image"),
    (Aspect::Layers, "layers"),
    (Aspect::Added, "added over the base"),
    (Aspect::Command, "command"),
    (Aspect::User, "user ids"),
    (Aspect::HostFolders, "folders of the host"),
    (Aspect::Mounts, "volumes and tmpfs"),
    (Aspect::Ports, "published ports"),
    (Aspect::NodeEnv, "NODE_ENV"),
    (Aspect::Environment, "other variables"),
    (Aspect::Memory, "memory limit"),
    (Aspect::Cpu, "CPU limit"),
    (Aspect::Processes, "process limit"),
    (Aspect::Restart, "restart policy"),
    (Aspect::RootFileSystem, "root file system"),
    (Aspect::Log, "log"),
    (Aspect::HealthCheck, "health check"),
];

/// One side of the map.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Side {
    /// The image; empty when it is not one that the lesson builds.
    pub image: ImageFacts,
    /// The container.
    pub container: ContainerFacts,
    /// What the kernel says.
    pub kernel: KernelFacts,
    /// Its processes.
    pub processes: Vec<Process>,
    /// Image ids of the services that must be the same.
    pub same_image: Vec<String>,
    /// What it answered, where it was asked.
    #[serde(default)]
    pub said: Option<HttpAnswer>,
}

/// One line of the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What is compared.
    pub aspect: Aspect,
    /// What it is called.
    pub name: &'static str,
    /// How it is on either side.
    pub values: [String; 2],
    /// Whether the sides differ. Values of secrets are not shown, so two texts may read the same.
    pub differs: bool,
}

/// The map, line by line.
#[must_use]
pub fn rows([left, right]: &[Side; 2]) -> Vec<Row> {
    let row = |&(aspect, name): &(Aspect, &'static str)| {
        let values = match aspect {
            Aspect::Environment => [left.variables_beside(right), right.variables_beside(left)],
            _ => [left.value(aspect), right.value(aspect)],
        };
        let differs = match aspect {
            Aspect::Environment => left.variables().ne(right.variables()),
            _ => values[0] != values[1],
        };
        Row { aspect, name, values, differs }
    };
    ALL.iter().map(row).collect()
}

impl Side {
    fn value(&self, aspect: Aspect) -> String {
        let container = &self.container;
        let layers = self.image.layers.len();
        match aspect {
            Aspect::Image => container.image_id.trim_start_matches("sha256:").chars().take(12).collect(),
            Aspect::Layers | Aspect::Added if layers == 0 => "not built here".into(),
            Aspect::Layers => format!("{layers}, {} over the base", layers.saturating_sub(self.image.base_layers)),
            Aspect::Added => bytes(self.image.added_bytes()),
            Aspect::Command => container.command.join(" ").replace("docker-entrypoint.sh ", ""),
            Aspect::User => {
                let mut uids: Vec<u32> = self.processes.iter().map(|process| process.uid).collect();
                uids.sort_unstable();
                uids.dedup();
                list(uids.iter().map(ToString::to_string), "none")
            }
            Aspect::HostFolders => {
                let mounts = container.mounts.iter().filter(|mount| mount.kind == "bind");
                list(mounts.map(|mount| format!("{} at {}", mount.source, mount.target)), "none")
            }
            Aspect::Mounts => {
                let mounts = container.mounts.iter().filter(|mount| mount.kind != "bind");
                list(mounts.map(|mount| format!("{} at {}", mount.kind, mount.target)), "none")
            }
            Aspect::Ports => list(container.ports.iter().map(|port| port.container.to_string()), "none"),
            Aspect::NodeEnv => container.env.get("NODE_ENV").cloned().unwrap_or_else(|| "not set".into()),
            Aspect::Environment => list(self.variables().map(shown), "none"),
            Aspect::Memory => self.kernel.memory_max.map_or_else(|| "none".into(), memory),
            Aspect::Cpu => self.kernel.most_cpus().map_or_else(|| "none".into(), |cpus| format!("{cpus:.2}")),
            Aspect::Processes => self.kernel.pids_max.map_or_else(|| "none".into(), |most| most.to_string()),
            Aspect::Restart => container.restart_policy.clone(),
            Aspect::RootFileSystem => if container.read_only { "read-only" } else { "writable" }.into(),
            Aspect::Log => {
                let options = container.log_options.iter().map(|(key, value)| format!("{key}={value}"));
                let words: Vec<String> = std::iter::once(container.log_driver.clone()).chain(options).collect();
                words.join(" ").trim().to_owned()
            }
            Aspect::HealthCheck => if container.health.is_some() { "yes" } else { "none" }.into(),
        }
    }

    /// The environment without `NODE_ENV`, which has a line of its own.
    fn variables(&self) -> impl Iterator<Item = (&String, &String)> {
        self.container.env.iter().filter(|(key, _)| *key != "NODE_ENV")
    }

    /// The variables that the other side does not have, or not with this value.
    fn variables_beside(&self, other: &Self) -> String {
        let (same, own): (Vec<_>, Vec<_>) =
            self.variables().partition(|(key, value)| other.container.env.get(*key) == Some(*value));
        let own = own.into_iter().map(shown);
        let same = (!same.is_empty()).then(|| format!("{} the same on both sides", same.len()));
        list(own.chain(same), "none")
    }
}

/// A variable as it is shown: what its name calls a secret, and passwords in addresses, are not.
fn shown((key, value): (&String, &String)) -> String {
    let secret = secret::is_named_like_one(key) || (value.contains("://") && value.contains('@'));
    if secret && !value.is_empty() { format!("{key}=***") } else { format!("{key}={value}") }
}

fn list(items: impl Iterator<Item = String>, none: &str) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { none.to_owned() } else { items.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::facts::MountFacts;

    fn side(env: &[(&str, &str)]) -> Side {
        let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Side { container: ContainerFacts { env, ..ContainerFacts::default() }, ..Side::default() }
    }

    fn row(sides: &[Side; 2], aspect: Aspect) -> Row {
        rows(sides).into_iter().find(|row| row.aspect == aspect).expect("every aspect has a row")
    }

    #[test]
    fn only_variables_that_differ_are_listed_and_secrets_are_not_shown() {
        let dev = side(&[("PATH", "/bin"), ("DB_PASSWORD", "one"), ("LOG", "debug"), ("NODE_ENV", "development")]);
        let prod =
            side(&[("PATH", "/bin"), ("DB_PASSWORD", "two"), ("URL", "pg://u:p@db"), ("NODE_ENV", "production")]);
        let row = row(&[dev, prod], Aspect::Environment);
        assert_eq!(row.values[0], "DB_PASSWORD=***, LOG=debug, 1 the same on both sides");
        assert_eq!(row.values[1], "DB_PASSWORD=***, URL=***, 1 the same on both sides");
        assert!(row.differs);
    }

    #[test]
    fn secrets_with_different_values_differ_although_they_read_the_same() {
        let sides = |prod| [side(&[("API_KEY", "one")]), side(&[("API_KEY", prod)])];
        assert!(row(&sides("two"), Aspect::Environment).differs);
        assert!(!row(&sides("one"), Aspect::Environment).differs);
    }

    #[test]
    fn node_env_alone_makes_one_line_differ() {
        let sides = [side(&[("NODE_ENV", "development")]), side(&[])];
        let differing: Vec<Aspect> = rows(&sides).into_iter().filter(|row| row.differs).map(|row| row.aspect).collect();
        assert_eq!(differing, [Aspect::NodeEnv]);
    }

    #[test]
    fn folders_of_the_host_and_other_mounts_have_a_line_each() {
        let mount = |kind: &str, source: &str, target: &str| MountFacts {
            kind: kind.into(),
            source: source.into(),
            target: target.into(),
            writable: true,
        };
        let mut dev = side(&[]);
        dev.container.mounts = vec![mount("bind", "src", "/app/src"), mount("tmpfs", "", "/tmp")];
        let sides = [dev, side(&[])];
        assert_eq!(row(&sides, Aspect::HostFolders).values, ["src at /app/src", "none"]);
        assert_eq!(row(&sides, Aspect::Mounts).values, ["tmpfs at /tmp", "none"]);
    }
}
