//! What can be measured to compare an answer with.
//!
//! Owns: the list of values, and measuring one. Must not: know answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::Resource;
use crate::fault::Fault;
use crate::learner::filled;
use crate::sandbox::facts::{ContainerFacts, HttpRequest};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};

/// How long a service may take to answer, or to write its line.
const WITHIN_MS: u64 = 15_000;

/// A value. Images and services are those of the lesson, by their names in it; what differs from
/// start to start (process ids, addresses, namespaces) is offered only for containers that learners
/// made themselves, since the grader starts stacks anew. `{learner}` in a container's name stands
/// for the learner's number.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Observe {
    /// The number of layers of an image.
    Layers { image: String },
    /// The bytes of all layers of an image.
    TotalBytes { image: String },
    /// The bytes that an image adds over its base.
    AddedBytes { image: String },
    /// The digest of a layer, counted from 1 for the lowest. Layers above the base may differ from
    /// build to build.
    LayerDigest { image: String, layer: usize },
    /// The memory limit that the kernel keeps for a service, bytes.
    MemoryLimit { stack: String, service: String },
    /// The process limit that the kernel keeps for a service.
    ProcessLimit { stack: String, service: String },
    /// The CPU limit that the kernel keeps for a service, CPUs.
    Cpus { stack: String, service: String },
    /// The user id of a service's main process, as the host sees it.
    UserId { stack: String, service: String },
    /// The number of processes of a service.
    Processes { stack: String, service: String },
    /// The host name in a service's container.
    Hostname { stack: String, service: String },
    /// The exit code of a service that has ended.
    ExitCode { stack: String, service: String },
    /// The value of an environment variable of a service.
    Environment { stack: String, service: String, variable: String },
    /// The body of an answer, or what a JSON pointer finds in it.
    Http {
        stack: String,
        service: String,
        port: u16,
        path: String,
        #[serde(default)]
        pointer: Option<String>,
    },
    /// The last line of a service's log that contains a text.
    LogLine { stack: String, service: String, contains: String },
    /// The process id, on the host, of the main process of a container made by hand.
    HandmadePid { container: String },
    /// The IPv4 address of a container made by hand, in a network (its only one when left out).
    HandmadeAddress {
        container: String,
        #[serde(default)]
        network: Option<String>,
    },
    /// The inode of a namespace (`pid`, `net`, `mnt`, `uts`, `ipc`) of a container made by hand.
    HandmadeNamespace { container: String, namespace: String },
    /// The path of the cgroup of a container made by hand, as `/proc/PID/cgroup` has it (the
    /// memory controller's where there are several).
    HandmadeCgroup { container: String },
    /// The name of the volume that is mounted at a path of a container made by hand.
    HandmadeVolume { container: String, at: String },
    /// The exit code of a container made by hand that has ended.
    HandmadeExitCode { container: String },
}

/// A measured value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Observed {
    /// A number.
    Number {
        /// The number.
        value: f64,
        /// What it counts: `bytes`, `CPUs`, ...
        unit: String,
    },
    /// A text.
    Text {
        /// The text.
        value: String,
    },
    /// There is nothing.
    Nothing {
        /// Why, and what to do about it.
        reason: String,
    },
}

impl Observe {
    /// What must be there before it can be measured.
    pub fn needs(&self) -> Vec<Resource> {
        if let Some(at) = self.at() {
            return vec![Resource::stack(at.stack)];
        }
        match self {
            Self::Layers { image }
            | Self::TotalBytes { image }
            | Self::AddedBytes { image }
            | Self::LayerDigest { image, .. } => vec![Resource::image(image)],
            _ => Vec::new(),
        }
    }

    fn at(&self) -> Option<At<'_>> {
        match self {
            Self::MemoryLimit { stack, service }
            | Self::ProcessLimit { stack, service }
            | Self::Cpus { stack, service }
            | Self::UserId { stack, service }
            | Self::Processes { stack, service }
            | Self::Hostname { stack, service }
            | Self::ExitCode { stack, service }
            | Self::Environment { stack, service, .. }
            | Self::Http { stack, service, .. }
            | Self::LogLine { stack, service, .. } => Some(At { stack, service }),
            _ => None,
        }
    }

    /// What it is, with its unit.
    pub fn in_words(&self) -> String {
        match self {
            Self::Layers { image } => format!("the number of layers of the image {image}"),
            Self::TotalBytes { image } => format!("the size of the image {image} in bytes"),
            Self::AddedBytes { image } => format!("the number of bytes that the image {image} adds over its base"),
            Self::LayerDigest { image, layer } => format!("the digest of layer {layer} of the image {image}"),
            Self::MemoryLimit { service, .. } => format!("the memory limit of `{service}` in bytes"),
            Self::ProcessLimit { service, .. } => format!("the process limit of `{service}`"),
            Self::Cpus { service, .. } => format!("the CPU limit of `{service}` in CPUs"),
            Self::UserId { service, .. } => format!("the user id of the main process of `{service}`"),
            Self::Processes { service, .. } => format!("the number of processes of `{service}`"),
            Self::Hostname { service, .. } => format!("the host name inside of `{service}`"),
            Self::ExitCode { service, .. } => format!("the exit code of `{service}`"),
            Self::Environment { service, variable, .. } => format!("the value of {variable} in `{service}`"),
            Self::Http { service, path, pointer: None, .. } => format!("what `{service}` answers at {path}"),
            Self::Http { service, path, pointer: Some(pointer), .. } => {
                format!("the value at {pointer} of what `{service}` answers at {path}")
            }
            Self::LogLine { service, contains, .. } => {
                format!("the last line with `{contains}` in the log of `{service}`")
            }
            Self::HandmadePid { container } => format!("the host's id of the main process of `{container}`"),
            Self::HandmadeAddress { container, .. } => format!("the IPv4 address of `{container}`"),
            Self::HandmadeNamespace { container, namespace } => {
                format!("the inode of the {namespace} namespace of `{container}`")
            }
            Self::HandmadeCgroup { container } => format!("the path of the cgroup of `{container}`"),
            Self::HandmadeVolume { container, at } => format!("the name of the volume at {at} of `{container}`"),
            Self::HandmadeExitCode { container } => format!("the exit code of `{container}`"),
        }
    }

    /// Measures it.
    pub async fn now(&self, sandbox: &dyn Sandbox) -> Result<Observed, Fault> {
        match (self, self.at()) {
            (Self::Layers { image }, _) => Ok(number(sandbox.image(image).await?.layers.len() as u64, "layers")),
            (Self::TotalBytes { image }, _) => Ok(number(sandbox.image(image).await?.total_bytes(), "bytes")),
            (Self::AddedBytes { image }, _) => Ok(number(sandbox.image(image).await?.added_bytes(), "bytes")),
            (Self::LayerDigest { image, layer }, _) => {
                let layers = sandbox.image(image).await?.layers;
                let digest = layer.checked_sub(1).and_then(|at| layers.get(at)).cloned();
                Ok(text(digest, || format!("the image has {} layers", layers.len())))
            }
            (_, Some(at)) => self.of_service(sandbox, at).await,
            _ => self.of_handmade(sandbox).await,
        }
    }

    async fn of_service(&self, sandbox: &dyn Sandbox, at: At<'_>) -> Result<Observed, Fault> {
        let none = |what: &str| nothing(format!("`{}` has no {what}", at.service));
        Ok(match self {
            Self::MemoryLimit { .. } => {
                sandbox.kernel(at).await?.memory_max.map_or_else(|| none("memory limit"), |most| number(most, "bytes"))
            }
            Self::ProcessLimit { .. } => sandbox
                .kernel(at)
                .await?
                .pids_max
                .map_or_else(|| none("process limit"), |most| number(most, "processes")),
            Self::Cpus { .. } => {
                let cpus = sandbox.kernel(at).await?.cpus();
                cpus.map_or_else(|| none("CPU limit"), |value| Observed::Number { value, unit: "CPUs".into() })
            }
            Self::UserId { .. } => {
                let pid = sandbox.container(at).await?.pid;
                let main = sandbox.processes(at).await?.into_iter().find(|process| process.pid == pid);
                main.map_or_else(|| none("main process"), |main| number(main.uid.into(), "user id"))
            }
            Self::Processes { .. } => number(sandbox.processes(at).await?.len() as u64, "processes"),
            Self::Hostname { .. } => text(Some(sandbox.container(at).await?.hostname), String::new),
            Self::ExitCode { .. } => exit_code(&sandbox.container(at).await?),
            Self::Environment { variable, .. } => {
                let value = sandbox.container(at).await?.env.get(variable).cloned();
                text(value, || format!("`{}` has no variable {variable}", at.service))
            }
            Self::Http { port, path, pointer, .. } => {
                let request = HttpRequest::get(*port, path);
                let ask = || async {
                    let answer = sandbox.http(at, &request).await?;
                    Ok::<_, Fault>(answer.status.is_some().then_some(answer))
                };
                match until(&sandbox.within(WITHIN_MS), ask).await? {
                    None => nothing(format!("`{}` does not answer at {path}", at.service)),
                    Some(answer) => in_body(&answer.body, pointer.as_deref()),
                }
            }
            Self::LogLine { contains, .. } => {
                let read = || async {
                    let lines = sandbox.log_lines(at, 1_000).await?;
                    Ok::<_, Fault>(lines.into_iter().rfind(|line| line.contains(contains.as_str())))
                };
                let line = until(&sandbox.within(WITHIN_MS), read).await?;
                text(line, || format!("no line of the log of `{}` contains `{contains}`", at.service))
            }
            _ => nothing("this is no value of a service".into()),
        })
    }

    async fn of_handmade(&self, sandbox: &dyn Sandbox) -> Result<Observed, Fault> {
        let (Self::HandmadePid { container }
        | Self::HandmadeAddress { container, .. }
        | Self::HandmadeNamespace { container, .. }
        | Self::HandmadeCgroup { container }
        | Self::HandmadeVolume { container, .. }
        | Self::HandmadeExitCode { container }) = self
        else {
            return Ok(nothing("this is no value of a container".into()));
        };
        let name = filled(container, &sandbox.learner());
        let Some(facts) = sandbox.handmade().await?.containers.into_iter().find(|one| one.name == name) else {
            return Ok(nothing(format!("no container is called `{name}`. Make it, and keep it until this is graded")));
        };
        if let Self::HandmadeExitCode { .. } = self {
            return Ok(exit_code(&facts));
        }
        if let Self::HandmadeVolume { at, .. } = self {
            let volume = facts.mounts.into_iter().find(|mount| mount.target == *at && mount.kind == "volume");
            let volume = volume.filter(|mount| !mount.is_anonymous()).map(|mount| mount.source);
            return Ok(text(volume, || format!("`{name}` has no volume with a name at {at}")));
        }
        if !facts.is_running() {
            return Ok(nothing(format!("`{name}` does not run (it is `{}`)", facts.state)));
        }
        Ok(match self {
            Self::HandmadePid { .. } => number(facts.pid.unsigned_abs(), "process id"),
            Self::HandmadeAddress { network, .. } => {
                let address = match network {
                    Some(network) => facts.networks.iter().position(|name| name == network),
                    None => Some(0),
                };
                let address = address.and_then(|at| facts.addresses.get(at).cloned()).filter(|text| !text.is_empty());
                text(address, || format!("`{name}` has no address there"))
            }
            Self::HandmadeNamespace { namespace, .. } => {
                let own = sandbox.namespaces_of(facts.pid).await?.own;
                let inode = own.get(namespace).copied();
                inode.map_or_else(
                    || nothing(format!("there is no namespace `{namespace}`")),
                    |inode| number(inode, "inode"),
                )
            }
            _ => text(Some(sandbox.namespaces_of(facts.pid).await?.cgroup), String::new),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes, ids and inodes are below 2^53")]
fn number(value: u64, unit: &str) -> Observed {
    Observed::Number { value: value as f64, unit: unit.to_owned() }
}

fn text(value: Option<String>, or: impl FnOnce() -> String) -> Observed {
    value.map_or_else(|| nothing(or()), |value| Observed::Text { value })
}

fn nothing(reason: String) -> Observed {
    Observed::Nothing { reason }
}

fn exit_code(facts: &ContainerFacts) -> Observed {
    if facts.state == "exited" {
        #[expect(clippy::cast_precision_loss, reason = "exit codes are small")]
        return Observed::Number { value: facts.exit_code as f64, unit: "exit code".into() };
    }
    nothing(format!("it has not ended (it is `{}`)", facts.state))
}

/// The body, or a value in it.
fn in_body(body: &str, pointer: Option<&str>) -> Observed {
    let Some(pointer) = pointer else { return Observed::Text { value: body.trim().to_owned() } };
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    match json.pointer(pointer) {
        None => nothing(format!("the answer has no {pointer}")),
        Some(Value::String(value)) => Observed::Text { value: value.clone() },
        Some(value) => match value.as_f64() {
            Some(value) => Observed::Number { value, unit: "number".into() },
            None => Observed::Text { value: value.to_string() },
        },
    }
}
