//! What the sandbox can say about images, stacks and containers.
//!
//! Owns: plain data that checks use as evidence. Must not: have behaviour beyond small views.
//! All sizes are bytes; all times are milliseconds unless a name says otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::verdict::{Detail, Location};

/// How a build went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildReport {
    /// The image's name in the lesson.
    pub image: String,
    /// The target stage.
    pub target: String,
    /// From start to end of `docker buildx build`.
    pub millis: u64,
    /// The steps of the Dockerfile that ran or were reused.
    pub steps: Vec<BuildStep>,
    /// Why there is no image, if there is none.
    pub failure: Option<BuildFailure>,
}

/// One step of a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildStep {
    /// The stage and number, such as `production 3/5`.
    pub place: String,
    /// The instruction as BuildKit names it, such as `RUN npm ci`.
    pub instruction: String,
    /// Whether an earlier result was reused.
    pub cached: bool,
    /// How long it ran.
    pub millis: u64,
}

/// Why a build failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildFailure {
    /// BuildKit's message.
    pub message: String,
    /// The line of the Dockerfile.
    pub at: Option<Location>,
    /// The last lines of the failed step's output.
    pub log: Vec<String>,
    /// Whether it was stopped because it took too long.
    pub timed_out: bool,
}

/// An image's configuration and layers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// The image id.
    pub id: String,
    /// The base image of the course on which it stands, if it stands on one.
    pub base: Option<String>,
    /// History, oldest first, those of the base included.
    pub history: Vec<HistoryEntry>,
    /// How many entries of the history are the base's.
    pub base_entries: usize,
    /// Digests of the layers, lowest first.
    pub layers: Vec<String>,
    /// How many of the layers are the base's.
    pub base_layers: usize,
    /// The working directory.
    pub workdir: String,
    /// `USER`.
    pub user: String,
    /// `ENV` as `KEY=value`.
    pub env: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// `ENTRYPOINT` followed by `CMD`.
    pub command: Vec<String>,
}

impl ImageFacts {
    /// Bytes that the image adds over its base.
    #[must_use]
    pub fn added_bytes(&self) -> u64 {
        self.history.iter().skip(self.base_entries).map(|entry| entry.bytes).sum()
    }
}

/// One entry of an image's history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The instruction that made it.
    pub instruction: String,
    /// Bytes of its layer.
    pub bytes: u64,
}

/// What one layer holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFiles {
    /// The layer's digest.
    pub digest: String,
    /// Its files, links and whiteouts (folders are left out).
    pub files: Vec<LayerFile>,
}

/// One file of a layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFile {
    /// The path without a leading slash. For a whiteout, the path that it hides.
    pub path: String,
    /// The file's size.
    pub bytes: u64,
    /// Whether the entry hides a file of a lower layer.
    pub whiteout: bool,
}

/// The paths that the final file system has: later layers over earlier ones.
#[must_use]
pub fn final_files(layers: &[LayerFiles]) -> BTreeMap<&str, u64> {
    let mut files = BTreeMap::new();
    for layer in layers {
        for whiteout in layer.files.iter().filter(|file| file.whiteout) {
            let below = format!("{}/", whiteout.path);
            files.retain(|path: &&str, _| *path != whiteout.path && !path.starts_with(&below));
        }
        for file in layer.files.iter().filter(|file| !file.whiteout) {
            files.insert(file.path.as_str(), file.bytes);
        }
    }
    files
}

/// Where a secret value was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Which secret: its key, never its value.
    pub key: String,
    /// `layer`, `environment`, `label`, `history` or `command`.
    pub place: String,
    /// The path, variable, label or instruction, without the value.
    pub detail: String,
}

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
    /// For a bind mount, the folder relative to the exercise (`.` for the folder itself).
    pub source: String,
    /// The path in the container.
    pub target: String,
    /// Whether the container may write to it.
    pub writable: bool,
}

impl MountFacts {
    /// Mounts as evidence.
    #[must_use]
    pub fn table(mounts: &[Self]) -> Detail {
        let rows = mounts.iter().map(|m| vec![m.kind.clone(), m.source.clone(), m.target.clone()]).collect();
        Detail::table("mounts of the container", &["kind", "from", "to"], rows)
    }
}

/// An HTTP request of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// The port in the container.
    pub port: u16,
    /// `GET` or `POST`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// A JSON body.
    pub body: Option<serde_json::Value>,
    /// How long we wait for the whole answer.
    pub limit_ms: u64,
}

impl HttpRequest {
    /// A `GET` with a limit of two seconds.
    #[must_use]
    pub fn get(port: u16, path: &str) -> Self {
        Self { port, method: "GET".into(), path: path.into(), body: None, limit_ms: 2_000 }
    }

    /// A `POST` with a limit of ten seconds.
    #[must_use]
    pub fn post(port: u16, path: &str, body: serde_json::Value) -> Self {
        Self { port, method: "POST".into(), path: path.into(), body: Some(body), limit_ms: 10_000 }
    }
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpAnswer {
    /// The status code, when there was an answer.
    pub status: Option<u16>,
    /// The body, at most 64 kB of it.
    pub body: String,
    /// Why there was none.
    pub error: Option<String>,
    /// From the request to the whole answer.
    pub millis: u64,
}

impl HttpAnswer {
    /// The answer in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        match (&self.status, &self.error) {
            (Some(status), _) => format!("{status} {}", self.body.chars().take(120).collect::<String>().trim()),
            (None, Some(error)) => format!("no answer: {error}"),
            (None, None) => "no answer".into(),
        }
    }
}

/// A process of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id on the host.
    pub pid: i64,
    /// Its user id on the host.
    pub uid: u32,
    /// Its command line.
    pub command: String,
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
    /// Per local port, how many established connections have nothing left unread.
    pub connections_read: BTreeMap<u16, u32>,
}

impl KernelFacts {
    /// The CPU limit in CPUs.
    #[must_use]
    pub fn cpus(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a period are small")]
        self.cpu_quota_us.map(|quota| quota as f64 / self.cpu_period_us.max(1) as f64)
    }
}

/// An attempt to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteAttempt {
    /// The folder.
    pub folder: String,
    /// `None` when the write succeeded, else what the operating system said.
    pub error: Option<String>,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code; `None` when it did not end within the limit.
    pub code: Option<i64>,
    /// What it wrote.
    pub output: String,
}

/// How long something took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Milliseconds.
    pub millis: u64,
}

/// An edit that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditDone {
    /// The file, relative to the exercise folder.
    pub file: String,
    /// The text that was there.
    pub before: String,
    /// The text that is there now; unique to this run.
    pub after: String,
}

/// The learner's answers to a quiz.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuizFacts {
    /// How many questions there are.
    pub questions: usize,
    /// Ids of the questions that were answered right.
    pub right: Vec<String>,
    /// Ids of those that were answered wrong.
    pub wrong: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, whiteout: bool) -> LayerFile {
        LayerFile { path: path.into(), bytes: 1, whiteout }
    }

    #[test]
    fn a_whiteout_hides_a_file_and_all_below_a_folder_of_lower_layers_only() {
        let layers = [
            LayerFiles { digest: "a".into(), files: vec![file("app/x", false), file("app/dir/y", false)] },
            LayerFiles { digest: "b".into(), files: vec![file("app/dir", true), file("app/dir/z", false)] },
        ];
        let left: Vec<_> = final_files(&layers).into_keys().collect();
        assert_eq!(left, ["app/dir/z", "app/x"]);
    }
}
