//! `environment-map`: the measured differences between two stacks, as a table.
//!
//! Owns: which aspects are compared and how they read. Must not: start anything.

use async_trait::async_trait;
use futures_util::future::{try_join, try_join4};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{ContainerFacts, ImageFacts, KernelFacts, Process};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Verdict, bytes, memory};

/// Compares one service in two stacks, aspect by aspect, out of what runs. The learner sees the
/// table even when everything passes.
///
/// Why it matters: differences that you can see are differences that you can reason about.
///
/// How it is cheated: the values come from the daemon and the kernel, not from the files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentMap {
    /// The two stacks: development first.
    pub stacks: [String; 2],
    /// The service.
    pub service: String,
    /// The images that stand behind it, in the same order.
    pub images: [String; 2],
    /// Services that must run the same image in both.
    #[serde(default)]
    pub same_image: Vec<String>,
    /// Aspects that must differ.
    pub differ: Vec<Aspect>,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// The image's id.
    Image,
    /// Bytes over the base image.
    Added,
    /// The main command.
    Command,
    /// User ids of the processes.
    User,
    /// Folders of the host in the container.
    HostFolders,
    /// Published ports.
    Ports,
    /// `NODE_ENV`.
    NodeEnv,
    /// The kernel's memory limit.
    Memory,
    /// The kernel's CPU quota.
    Cpu,
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
const ALL: [(Aspect, &str); 13] = [
    (Aspect::Image, "image"),
    (Aspect::Added, "added over the base"),
    (Aspect::Command, "command"),
    (Aspect::User, "user ids"),
    (Aspect::HostFolders, "folders of the host"),
    (Aspect::Ports, "published ports"),
    (Aspect::NodeEnv, "NODE_ENV"),
    (Aspect::Memory, "memory limit"),
    (Aspect::Cpu, "CPU limit"),
    (Aspect::Restart, "restart policy"),
    (Aspect::RootFileSystem, "root file system"),
    (Aspect::Log, "log"),
    (Aspect::HealthCheck, "health check"),
];

/// One side of the map.
#[derive(Debug, Serialize, Deserialize)]
pub struct Side {
    /// The image.
    pub image: ImageFacts,
    /// The container.
    pub container: ContainerFacts,
    /// What the kernel says.
    pub kernel: KernelFacts,
    /// Its processes.
    pub processes: Vec<Process>,
    /// Image ids of the services that must be the same.
    pub same_image: Vec<String>,
}

#[async_trait]
impl Check for EnvironmentMap {
    type Evidence = [Side; 2];
    const KIND: &'static str = "environment-map";

    fn needs(&self) -> Vec<Resource> {
        self.images.iter().map(Resource::image).chain(self.stacks.iter().map(Resource::stack)).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Self::Evidence, Fault> {
        let (dev, prod) = try_join(self.side(sandbox, 0), self.side(sandbox, 1)).await?;
        Ok([dev, prod])
    }

    fn judge(&self, [dev, prod]: &Self::Evidence) -> Verdict {
        let value = |aspect| (dev.value(aspect), prod.value(aspect));
        let name = |aspect: Aspect| ALL.iter().find(|(known, _)| *known == aspect).map_or("", |(_, name)| *name);
        let rows = ALL.iter().map(|(aspect, name)| {
            let (dev, prod) = value(*aspect);
            let mark = if dev == prod { "same" } else { "differs" };
            vec![(*name).to_owned(), dev, prod, mark.to_owned()]
        });
        let table = Detail::table("the environment map, measured", &["aspect", &self.stacks[0], &self.stacks[1], ""], rows.collect());
        let demanded: Vec<&str> = self.differ.iter().map(|aspect| name(*aspect)).collect();
        let mut wanted = format!("these differ: {}", demanded.join(", "));
        if !self.same_image.is_empty() {
            wanted = format!("{wanted}; the image of {} is the same", self.same_image.join(", "));
        }
        let same: Vec<&str> = self
            .differ
            .iter()
            .filter(|aspect| {
                let (dev, prod) = value(**aspect);
                dev == prod
            })
            .map(|aspect| name(*aspect))
            .collect();
        let drifted: Vec<&String> = (self.same_image.iter().zip(dev.same_image.iter().zip(&prod.same_image)))
            .filter(|(_, (dev, prod))| dev != prod)
            .map(|(service, _)| service)
            .collect();
        let mut problems = Vec::new();
        if !same.is_empty() {
            problems.push(format!("the same in both: {}", same.join(", ")));
        }
        if let Some(service) = drifted.first() {
            problems.push(format!("{service} runs another image in {}", self.stacks[1]));
        }
        let holds = problems.is_empty();
        let measured = if holds { "as demanded".into() } else { problems.join("; ") };
        Finding::new(wanted, measured).with(table).decide(holds)
    }
}

impl EnvironmentMap {
    async fn side(&self, sandbox: &dyn Sandbox, index: usize) -> Result<Side, Fault> {
        let at = At { stack: &self.stacks[index], service: &self.service };
        // The other stack may have taken so long that a disruption of this one came first.
        sandbox.ensure_running(at).await?;
        let (image, container, kernel, processes) = try_join4(
            sandbox.image(&self.images[index]),
            sandbox.container(at),
            sandbox.kernel(at),
            sandbox.processes(at),
        )
        .await?;
        let mut same_image = Vec::new();
        for service in &self.same_image {
            same_image.push(sandbox.container(At { stack: at.stack, service }).await?.image_id);
        }
        Ok(Side { image, container, kernel, processes, same_image })
    }
}

impl Side {
    fn value(&self, aspect: Aspect) -> String {
        let container = &self.container;
        let or = |text: String, none: &str| if text.is_empty() { none.to_owned() } else { text };
        match aspect {
            Aspect::Image => container.image_id.trim_start_matches("sha256:").chars().take(12).collect(),
            Aspect::Added => bytes(self.image.added_bytes()),
            Aspect::Command => container.command.join(" ").replace("docker-entrypoint.sh ", ""),
            Aspect::User => {
                let mut uids: Vec<u32> = self.processes.iter().map(|process| process.uid).collect();
                uids.sort_unstable();
                uids.dedup();
                uids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            }
            Aspect::HostFolders => {
                let mounts = container.mounts.iter().filter(|mount| mount.kind == "bind");
                or(mounts.map(|m| format!("{} at {}", m.source, m.target)).collect::<Vec<_>>().join(", "), "none")
            }
            Aspect::Ports => or(container.ports.iter().map(|p| p.container.to_string()).collect::<Vec<_>>().join(", "), "none"),
            Aspect::NodeEnv => container.env.get("NODE_ENV").cloned().unwrap_or_else(|| "not set".into()),
            Aspect::Memory => self.kernel.memory_max.map_or_else(|| "none".into(), memory),
            Aspect::Cpu => self.kernel.cpus().map_or_else(|| "none".into(), |cpus| format!("{cpus:.2}")),
            Aspect::Restart => container.restart_policy.clone(),
            Aspect::RootFileSystem => if container.read_only { "read-only" } else { "writable" }.into(),
            Aspect::Log => {
                let options: Vec<String> = container.log_options.iter().map(|(key, value)| format!("{key}={value}")).collect();
                or(format!("{} {}", container.log_driver, options.join(" ")).trim().to_owned(), "none")
            }
            Aspect::HealthCheck => if container.health.is_some() { "yes" } else { "none" }.into(),
        }
    }
}

crate::register!(EnvironmentMap);
