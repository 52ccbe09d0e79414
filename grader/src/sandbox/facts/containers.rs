//! What a stack and its containers are, as the daemon and the kernel say it.
//!
//! Owns: plain data about containers, mounts, processes, limits. Must not: have behaviour beyond small views.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::images::BuildFailure;
use crate::verdict::Detail;

/// How the start of a stack went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackReport {
    /// The stack's name in the lesson.
    pub stack: String,
    /// From the start of `docker compose up` until it returned.
    pub millis: u64,
    /// The services that the merged model has (those without a profile).
    pub services: Vec<String>,
    /// What `docker compose up` said when it failed.
    pub failure: Option<Vec<String>>,
    /// The build that failed, so that nothing was started.
    #[serde(default)]
    pub unbuilt: Option<Unbuilt>,
    /// What the daemon said about the containers until it was done, oldest first.
    #[serde(default)]
    pub events: Vec<StackEvent>,
}

impl StackReport {
    /// When something first happened to a service, such as `start`.
    #[must_use]
    pub fn first(&self, service: &str, action: &str) -> Option<&StackEvent> {
        self.events.iter().find(|event| event.service == service && event.action == action)
    }
}

/// A service whose image could not be built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unbuilt {
    /// The first service that runs the image.
    pub service: String,
    /// Why there is no image. Where no line of a Dockerfile is to blame, it names one of the Compose file.
    pub failure: BuildFailure,
}

/// Something that the daemon said about a service's container while its stack came up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackEvent {
    /// The service.
    pub service: String,
    /// `create`, `start`, `die`, `health_status: healthy`, ...
    pub action: String,
    /// The exit code of a `die`.
    pub exit_code: Option<i64>,
    /// When, by the daemon's clock.
    pub at: Timestamp,
}

/// The state of a container that does not exist.
pub const NOT_MADE: &str = "not made";

/// A container as the daemon describes it, without what the grader added for safety.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerFacts {
    /// The container's id.
    pub id: String,
    /// The id of its image.
    pub image_id: String,
    /// `created`, `running`, `restarting`, `exited`, ..., or [`NOT_MADE`].
    pub state: String,
    /// When its main process was started, as the daemon says it.
    pub started_at: String,
    /// The main process's id on the host; 0 when it does not run.
    pub pid: i64,
    /// How often the restart policy started it again.
    pub restarts: i64,
    /// The exit code of its last end.
    pub exit_code: i64,
    /// Whether the kernel ended it for lack of memory.
    pub oom_killed: bool,
    /// `starting`, `healthy`, `unhealthy`; `None` without a health check.
    pub health: Option<String>,
    /// What its health check last printed.
    #[serde(default)]
    pub health_said: String,
    /// Why its main process could not be started at all, as the daemon says it.
    #[serde(default)]
    pub start_error: String,
    /// Published ports, and where on the host they are now.
    pub ports: Vec<PublishedPort>,
    /// Mounts.
    pub mounts: Vec<MountFacts>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// The user that was asked for; empty for the image's own.
    pub user: String,
    /// Entrypoint followed by command.
    pub command: Vec<String>,
    /// The working directory.
    pub workdir: String,
    /// Whether a read-only root was asked for.
    pub read_only: bool,
    /// The memory limit that was asked for, bytes.
    pub memory: Option<u64>,
    /// The CPU limit that was asked for, in billionths of a CPU.
    pub nano_cpus: Option<u64>,
    /// The restart policy.
    pub restart_policy: String,
    /// The log driver.
    pub log_driver: String,
    /// Its options.
    pub log_options: BTreeMap<String, String>,
    /// The container's name.
    #[serde(default)]
    pub name: String,
    /// The image by the name that it was started with.
    #[serde(default)]
    pub image: String,
    /// When its main process ended, as the daemon says it; year 1 when it has not.
    #[serde(default)]
    pub finished_at: String,
    /// The host name inside.
    #[serde(default)]
    pub hostname: String,
    /// The networks that it is connected to, without the project's name before them.
    #[serde(default)]
    pub networks: Vec<String>,
    /// Its IPv4 addresses in them, in the same order; empty where it has none.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Its labels, those of Compose and of the grader left out.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The process limit that was asked for.
    #[serde(default)]
    pub pids_limit: Option<u64>,
    /// The namespaces (`ipc`, `net`, `pid`, `uts`) that it was told to share with the machine or another container.
    #[serde(default)]
    pub shares: Vec<String>,
}

impl ContainerFacts {
    /// Whether there is a container at all.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.state != NOT_MADE
    }

    /// Whether its main process runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state == "running"
    }
}

/// A port that a container publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedPort {
    /// The port in the container.
    pub container: u16,
    /// The port on the host in this run.
    pub host: u16,
}

/// A mount of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountFacts {
    /// `bind`, `volume` or `tmpfs`.
    pub kind: String,
    /// For a bind mount, the folder relative to the exercise (`.` for the folder itself); for a
    /// named volume, its name without the project's; else empty (an anonymous volume, a tmpfs).
    pub source: String,
    /// The path in the container.
    pub target: String,
    /// Whether the container may write to it.
    pub writable: bool,
}

impl MountFacts {
    /// Whether it is a volume without a name: each new container gets a new, empty one.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.kind == "volume" && self.source.is_empty()
    }

    /// Mounts as evidence.
    #[must_use]
    pub fn table(mounts: &[Self]) -> Detail {
        let from = |mount: &Self| if mount.is_anonymous() { "(anonymous)".into() } else { mount.source.clone() };
        let rows = mounts.iter().map(|m| vec![m.kind.clone(), from(m), m.target.clone()]).collect();
        Detail::table("mounts of the container", &["kind", "from", "to"], rows)
    }
}

/// A process of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id on the host.
    pub pid: i64,
    /// Its user id on the host.
    pub uid: u32,
    /// Its command line.
    pub command: String,
    /// The id of its parent on the host.
    #[serde(default)]
    pub parent: i64,
    /// The name of its program: the first word of its command line, without folders.
    #[serde(default)]
    pub name: String,
    /// Whether it can take root's rights back: `uid` is not 0, but its real or its saved user id is.
    #[serde(default)]
    pub keeps_root: bool,
}

/// The process at the end of a chain in which each has started one other: the app itself, under an init, a
/// shell or npm. Where one has started several, nobody can say which of them the app is; then it is the first
/// process of them all, `main`.
#[must_use]
pub fn innermost(processes: &[Process], main: i64) -> i64 {
    let mut pid = main;
    loop {
        let mut children = processes.iter().filter(|process| process.parent == pid && process.pid != pid);
        match (children.next(), children.next()) {
            (None, _) => return pid,
            (Some(only), None) => pid = only.pid,
            (Some(_), Some(_)) => return main,
        }
    }
}

/// The rights of a container's main process, from `/proc/PID/status` (see capabilities(7)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// Capabilities that it has now, such as `NET_BIND_SERVICE`.
    pub effective: Vec<String>,
    /// Capabilities that it or a child can ever get.
    pub bounding: Vec<String>,
    /// Whether programs it starts cannot gain rights (setuid has no effect).
    pub no_new_privs: bool,
    /// Whether a seccomp filter is in force.
    pub seccomp: bool,
}

/// The namespaces of a container's main process: kind (`pid`, `net`, ...) to inode, as
/// `/proc/PID/ns` shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespaces {
    /// The container's.
    pub own: BTreeMap<String, u64>,
    /// The daemon's, which is what `host` means in Compose.
    pub host: BTreeMap<String, u64>,
    /// The path of its cgroup, as the host sees it.
    pub cgroup: String,
}

/// What the kernel keeps about a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelFacts {
    /// The cgroup's memory limit in bytes; `None` when there is none.
    pub memory_max: Option<u64>,
    /// The CPU time allowed in a period, microseconds; `None` when there is no quota.
    pub cpu_quota_us: Option<u64>,
    /// The period, microseconds.
    pub cpu_period_us: u64,
    /// The process limit; `None` when there is none.
    pub pids_max: Option<u64>,
    /// TCP ports on which something listens in the container's network namespace, other than on
    /// loopback.
    pub listening: Vec<u16>,
    /// The same on loopback, where only the container itself gets in. Docker's own name server is left out.
    #[serde(default)]
    pub on_loopback: Vec<u16>,
    /// Unix sockets on which something listens in the container's network namespace, by their paths.
    #[serde(default)]
    pub unix_sockets: Vec<String>,
    /// UDP ports at which anybody's packets are taken, on any address of the container. Docker's own name server is
    /// left out.
    #[serde(default)]
    pub udp: Vec<u16>,
    /// The CPUs that its cgroup may use; `None` when these are all CPUs of the machine.
    #[serde(default)]
    pub cpuset: Option<u64>,
    /// Per local port, how many established connections have nothing left unread.
    pub connections_read: BTreeMap<u16, u32>,
}

impl KernelFacts {
    /// The most CPUs that it can use: by its quota, or since its cgroup may use some of them only.
    #[must_use]
    pub fn most_cpus(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a number of CPUs")]
        let cpuset = self.cpuset.map(|cpus| cpus as f64);
        [self.cpus(), cpuset].into_iter().flatten().reduce(f64::min)
    }

    /// The CPU quota in CPUs.
    #[must_use]
    pub fn cpus(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a period are small")]
        self.cpu_quota_us.map(|quota| quota as f64 / self.cpu_period_us.max(1) as f64)
    }
}
