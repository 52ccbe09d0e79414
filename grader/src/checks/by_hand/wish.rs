//! What a lesson may ask of objects that learners made.
//!
//! Owns: the parameters, and comparing one object with them. Must not: look for objects.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::runs::runs;
use crate::learner::filled;
use crate::sandbox::facts::{ContainerFacts, Doing, HandmadeNetwork, KernelFacts, MountFacts, PublishedPort};
use crate::verdict::memory;

/// Of what, what was wanted, what was found, and whether that is as wanted.
pub type Compared = (String, String, String, bool);

/// How an object is found: by its name or by a label.
#[derive(Debug, Clone, Copy)]
pub struct Called<'w> {
    name: Option<&'w String>,
    label: Option<&'w String>,
}

/// A volume, by its name or by a label.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeWish {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// A label, `key` or `key=value`.
    #[serde(default)]
    pub label: Option<String>,
}

/// A container. What is left out may be anything.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerWish {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// A label by which it is found, `key` or `key=value`.
    #[serde(default)]
    pub label: Option<String>,
    /// The image, by a name that it has.
    #[serde(default)]
    pub image: Option<String>,
    /// Whether it runs.
    #[serde(default)]
    pub running: Option<bool>,
    /// The exit code with which it has ended.
    #[serde(default)]
    pub exit_code: Option<i64>,
    /// How often its restart policy has started it again, at least.
    #[serde(default)]
    pub restarts_at_least: Option<i64>,
    /// The restart policy: `no`, `always`, `unless-stopped`, `on-failure`.
    #[serde(default)]
    pub restart_policy: Option<String>,
    /// Ports in the container that are published.
    #[serde(default)]
    pub ports: Vec<PortWish>,
    /// Environment variables with their values.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Labels with their values.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The most that its memory limit may allow, bytes.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// The most processes that its limit may allow.
    #[serde(default)]
    pub pids: Option<u64>,
    /// The most CPUs that its limit may allow.
    #[serde(default)]
    pub cpus: Option<f64>,
    /// Networks that it is connected to, by name.
    #[serde(default)]
    pub networks: Vec<String>,
    /// The only namespaces (`ipc`, `net`, `pid`, `uts`) that it may share with another container or the machine.
    #[serde(default)]
    pub may_share: Option<Vec<String>>,
    /// Namespaces that it must share with the main process of another one of these containers: the kind (`ipc`,
    /// `net`, `pid`, `uts`) to that one's name.
    #[serde(default)]
    pub joins: BTreeMap<String, String>,
    /// What is mounted.
    #[serde(default)]
    pub mounts: Vec<MountWish>,
    /// What it runs: a program with its arguments, such as `node display.js`, or one name alone. Options between
    /// the words are left aside, and a file may be named with its folder. Of a container that runs the processes count
    /// (its main process and what that has started), of another one its entrypoint and command.
    #[serde(default)]
    pub command: Option<String>,
    /// Whether the file that `command` names last must be the exercise's own, byte for byte.
    #[serde(default)]
    pub as_given: bool,
    /// Whether it has the entrypoint and command of its image.
    #[serde(default)]
    pub own_command: Option<bool>,
    /// Paths that were deleted in the container itself.
    #[serde(default)]
    pub deleted: Vec<String>,
    /// The user that was asked for.
    #[serde(default)]
    pub user: Option<String>,
    /// Whether its root file system is read-only.
    #[serde(default)]
    pub read_only: Option<bool>,
}

/// A published port.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortWish {
    /// The port in the container.
    pub container: u16,
    /// The port on the host; any when left out.
    #[serde(default)]
    pub host: Option<u16>,
}

/// A mount.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MountWish {
    /// The path in the container.
    pub at: String,
    /// The volume's name; any mount when left out.
    #[serde(default)]
    pub volume: Option<String>,
}

/// A network.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkWish {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// A label by which it is found, `key` or `key=value`.
    #[serde(default)]
    pub label: Option<String>,
    /// Its driver, such as `bridge`.
    #[serde(default)]
    pub driver: Option<String>,
    /// Whether it has no way to the outside.
    #[serde(default)]
    pub internal: Option<bool>,
}

impl Called<'_> {
    /// Whether an object is the one.
    pub fn fits(self, learner: &str, name: &str, labels: &BTreeMap<String, String>) -> bool {
        let labelled = |label: &String| {
            let label = filled(label, learner);
            match label.split_once('=') {
                Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
                None => labels.contains_key(&label),
            }
        };
        match (self.name, self.label) {
            (None, None) => false,
            (wanted, label) => {
                wanted.is_none_or(|wanted| filled(wanted, learner) == name) && label.is_none_or(labelled)
            }
        }
    }

    /// The name that is looked for; empty when any will do.
    pub fn name(self, learner: &str) -> String {
        self.name.map(|name| filled(name, learner)).unwrap_or_default()
    }

    /// How a finding calls it.
    pub fn shown(self, learner: &str) -> String {
        match (self.name, self.label) {
            (Some(name), _) => format!("`{}`", filled(name, learner)),
            (None, Some(label)) => format!("with the label `{}`", filled(label, learner)),
            (None, None) => "of no name".into(),
        }
    }
}

impl VolumeWish {
    /// How it is found.
    pub fn called(&self) -> Called<'_> {
        Called { name: self.name.as_ref(), label: self.label.as_ref() }
    }
}

impl NetworkWish {
    /// How it is found.
    pub fn called(&self) -> Called<'_> {
        Called { name: self.name.as_ref(), label: self.label.as_ref() }
    }

    /// What it says about a network.
    pub fn rows(&self, network: &HandmadeNetwork) -> Vec<Compared> {
        let mut rows = Vec::new();
        if let Some(driver) = &self.driver {
            rows.push(("driver".into(), code(driver), code(&network.driver), *driver == network.driver));
        }
        if let Some(internal) = self.internal {
            let say = |yes: bool| if yes { "cut off from outside" } else { "open to the outside" }.to_owned();
            rows.push(("way out".into(), say(internal), say(network.internal), internal == network.internal));
        }
        rows
    }
}

impl ContainerWish {
    /// How it is found.
    pub fn called(&self) -> Called<'_> {
        Called { name: self.name.as_ref(), label: self.label.as_ref() }
    }

    /// The exercise's file that its command must name.
    pub fn given(&self) -> Option<&str> {
        self.command.as_deref().filter(|_| self.as_given)?.split_whitespace().last()
    }

    /// Whether a container was started from the wanted image, by the name that it was given.
    pub fn has_image(&self, container: &ContainerFacts) -> bool {
        self.image.as_ref().is_some_and(|image| with_tag(image) == with_tag(&container.image))
    }

    /// What it says about what a container does.
    fn deeds(&self, found: &ContainerFacts, doing: &Doing, learner: &str) -> Vec<Compared> {
        let mut rows: Vec<Compared> = Vec::new();
        let mut row =
            |what: &str, wanted: String, found: String, holds: bool| rows.push((what.into(), wanted, found, holds));
        if let Some(text) = &self.command {
            let text = filled(text, learner);
            let words = |line: &String| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let (shown, holds) = if found.is_running() {
                (doing.processes.join(" and "), doing.processes.iter().any(|line| runs(&words(line), &text)))
            } else {
                (found.command.join(" "), runs(&found.command, &text))
            };
            row("what it runs", code(&text), or_none(&shown), holds);
        }
        if let Some((file, is)) = self.given().and_then(|file| Some((file, *doing.given.get(file)?))) {
            let say = |is: bool| if is { "the exercise's own" } else { "another file of that name" }.to_owned();
            row(file, say(true), say(is), is);
        }
        if let Some(own) = self.own_command {
            let say = |own: bool| if own { "its image's own" } else { "another than its image's" }.to_owned();
            let is = found.command == doing.image_command;
            let shown = if is { say(true) } else { format!("{}: {}", say(false), or_none(&found.command.join(" "))) };
            row("command", say(own), shown, own == is);
        }
        for path in &self.deleted {
            let is = doing.deleted.iter().any(|deleted| deleted == path);
            let shown = if is { "deleted" } else { "not deleted in this container" };
            row(path, "deleted".into(), shown.into(), is);
        }
        rows
    }

    /// What it says about limits: by the kernel while a container runs, else by what was asked for.
    fn limits(&self, found: &ContainerFacts, kernel: Option<&KernelFacts>) -> Vec<Compared> {
        let mut rows: Vec<Compared> = Vec::new();
        let mut row =
            |what: &str, wanted: String, found: String, holds: bool| rows.push((what.into(), wanted, found, holds));
        if let Some(most) = self.memory_bytes {
            let limit = kernel.map_or(found.memory, |kernel| kernel.memory_max);
            let is = limit.map_or("no limit".into(), memory);
            row("memory limit", format!("at most {}", memory(most)), is, limit.is_some_and(|is| is <= most));
        }
        if let Some(most) = self.pids {
            let limit = kernel.map_or(found.pids_limit, |kernel| kernel.pids_max);
            let is = limit.map_or("no limit".into(), |is| is.to_string());
            row("process limit", format!("at most {most}"), is, limit.is_some_and(|is| is <= most));
        }
        if let Some(most) = self.cpus {
            #[expect(clippy::cast_precision_loss, reason = "billionths of a few CPUs are below 2^53")]
            let asked = found.nano_cpus.map(|nano| nano as f64 / 1e9);
            let cpus = kernel.map_or(asked, KernelFacts::cpus);
            let is = cpus.map_or("no limit".into(), |is| format!("{is:.2} CPUs"));
            row("CPU limit", format!("at most {most} CPUs"), is, cpus.is_some_and(|is| is <= most + 1e-9));
        }
        rows
    }

    /// What it says about a container. `all` is what the containers do that are asked for, by their names.
    pub fn rows(
        &self,
        found: &ContainerFacts,
        all: &BTreeMap<String, Doing>,
        learner: &str,
        images: &BTreeMap<String, String>,
    ) -> Vec<Compared> {
        let nothing = Doing::default();
        let doing = all.get(&found.name).unwrap_or(&nothing);
        let mut rows: Vec<Compared> = Vec::new();
        let mut row =
            |what: &str, wanted: String, found: String, holds: bool| rows.push((what.into(), wanted, found, holds));
        if let Some(image) = &self.image {
            let image = filled(image, learner);
            let is_called_so = with_tag(&image) == with_tag(&found.image);
            // A name may have been given to another image since the container was made.
            let same = images.get(&with_tag(&image)).map_or(is_called_so, |id| *id == found.image_id);
            let is = if is_called_so && !same { "an older image of that name".into() } else { code(&found.image) };
            row("image", code(&image), is, same);
        }
        if let Some(running) = self.running {
            let wanted = if running { "runs" } else { "has ended" };
            let end = if found.state == "exited" {
                format!("exited with code {}", found.exit_code)
            } else {
                found.state.clone()
            };
            row("state", wanted.into(), end, running == found.is_running());
        }
        if let Some(code) = self.exit_code {
            let end =
                if found.state == "exited" { found.exit_code.to_string() } else { format!("it is {}", found.state) };
            row("exit code", code.to_string(), end, found.state == "exited" && found.exit_code == code);
        }
        if let Some(least) = self.restarts_at_least {
            row("restarts", format!("at least {least}"), found.restarts.to_string(), found.restarts >= least);
        }
        if let Some(policy) = &self.restart_policy {
            row("restart policy", code(policy), code(&found.restart_policy), *policy == found.restart_policy);
        }
        for port in &self.ports {
            let holds = |open: &PublishedPort| {
                open.container == port.container && port.host.is_none_or(|host| host == open.host)
            };
            let host = port.host.map_or_else(String::new, |host| format!(" as {host} of the host"));
            let open: Vec<String> =
                found.ports.iter().map(|open| format!("{} as {}", open.container, open.host)).collect();
            let wanted = format!("{} is published{host}", port.container);
            row("ports", wanted, or_none(&open.join(", ")), found.ports.iter().any(holds));
        }
        for (kind, wanted, has) in [("variable", &self.env, &found.env), ("label", &self.labels, &found.labels)] {
            for (key, value) in wanted {
                let value = filled(value, learner);
                let is = has.get(key).map_or("not set".to_owned(), |is| code(is));
                row(&format!("{kind} {key}"), code(&value), is, has.get(key) == Some(&value));
            }
        }
        rows.extend(self.limits(found, doing.kernel.as_ref()));
        let mut row =
            |what: &str, wanted: String, found: String, holds: bool| rows.push((what.into(), wanted, found, holds));
        for network in &self.networks {
            let network = filled(network, learner);
            let holds = found.networks.contains(&network);
            row("networks", format!("connected to `{network}`"), or_none(&found.networks.join(", ")), holds);
        }
        if let Some(may) = &self.may_share {
            let wanted = if may.is_empty() { "none".to_owned() } else { format!("at most {}", may.join(", ")) };
            let holds = found.shares.iter().all(|one| may.contains(one));
            row("shared namespaces", wanted, or_none(&found.shares.join(", ")), holds);
        }
        for (kind, container) in &self.joins {
            let name = filled(container, learner);
            let (own, other) = (doing.namespaces.get(kind), all.get(&name).and_then(|one| one.namespaces.get(kind)));
            let inode = |of: Option<&u64>| of.map_or("none: it does not run".to_owned(), u64::to_string);
            let wanted = format!("that of `{name}`, now {}", inode(other));
            row(&format!("{kind} namespace"), wanted, inode(own), own.is_some() && own == other);
        }
        for mount in &self.mounts {
            let volume = mount.volume.as_ref().map(|volume| filled(volume, learner));
            let there = found.mounts.iter().find(|there| there.target == mount.at);
            let named = |there: &MountFacts| there.kind == "volume" && Some(&there.source) == volume.as_ref();
            let holds = there.is_some_and(|there| volume.is_none() || named(there));
            let wanted =
                volume.as_ref().map_or("something is mounted".into(), |volume| format!("the volume `{volume}`"));
            let is = there.map_or("nothing".into(), |there| match there.kind.as_str() {
                "volume" if there.is_anonymous() => "a volume without a name".into(),
                "volume" => format!("the volume `{}`", there.source),
                kind => format!("a {kind} mount"),
            });
            row(&format!("mounted at {}", mount.at), wanted, is, holds);
        }
        rows.extend(self.deeds(found, doing, learner));
        let mut row =
            |what: &str, wanted: String, found: String, holds: bool| rows.push((what.into(), wanted, found, holds));
        if let Some(user) = &self.user {
            row("user", code(user), or_none(&found.user), *user == found.user);
        }
        if let Some(read_only) = self.read_only {
            let say = |yes: bool| if yes { "read-only" } else { "writable" }.to_owned();
            row("root file system", say(read_only), say(found.read_only), read_only == found.read_only);
        }
        rows
    }
}

/// `node` is `node:latest`.
fn with_tag(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    if last.contains(':') || last.contains('@') { image.to_owned() } else { format!("{image}:latest") }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "none".into() } else { code(text) }
}
