//! The trait through which checks look at the world.
//!
//! Owns: what can be looked at and disturbed. Must not: decide anything.
//! [`Sandbox`] has what most checks need; its supertraits, in `sandbox/asks.rs`, what some need.
//! The one real implementation is [`docker::DockerSandbox`]; only the modules below this one
//! know the Docker client and the `docker` command.

mod asks;
pub mod build;
pub mod compose;
pub mod container;
pub mod daemon;
pub mod docker;
pub mod facts;
pub mod family;
mod held;
pub mod helper;
pub mod layers;
pub mod lazy;
pub mod names;
pub mod orphans;
pub mod pace;
pub mod probe;
pub mod run_id;
pub mod scratch;
mod signals;
mod story;
pub mod sweep;
pub mod wait;

use async_trait::async_trait;
use tokio::net::TcpStream;

use crate::fault::Fault;
use crate::verdict::Location;
pub use asks::{Lifecycle, Manners, Neighbours, Pressure, Supply, Writings};
use pace::Pace;
use wait::Deadline;

use facts::{
    BuildReport, ContainerFacts, EditDone, Exit, HttpAnswer, HttpRequest, ImageFacts, KernelFacts, LayerFiles,
    LayerOrigin, Occurrence, Process, QuizFacts, Spent, StackReport, WriteAttempt,
};

/// One service of one stack, by their names in `lesson.toml` and the Compose file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At<'a> {
    /// The stack.
    pub stack: &'a str,
    /// The service.
    pub service: &'a str,
}

/// The learner's images and stacks, running in a daemon. Images are built and stacks started
/// when they are first asked for, and only once.
#[async_trait]
pub trait Sandbox: Supply + Lifecycle + Manners + Pressure + Neighbours + Writings + Send + Sync {
    /// How the build of an image went; builds it if nobody has asked before.
    async fn built(&self, image: &str) -> Result<BuildReport, Fault>;
    /// Builds the image again, in a copy of the files in which the lesson's edit was made.
    async fn rebuilt_after_edit(&self, image: &str) -> Result<BuildReport, Fault>;
    /// Configuration and layers of a built image.
    async fn image(&self, image: &str) -> Result<ImageFacts, Fault>;
    /// What each layer of a built image holds, lowest first.
    async fn layer_files(&self, image: &str) -> Result<Vec<LayerFiles>, Fault>;
    /// The same of the image that was built again after the edit.
    async fn layer_files_after_edit(&self, image: &str) -> Result<Vec<LayerFiles>, Fault>;
    /// The layers of a built image with the instructions that made them, lowest first.
    async fn layer_origins(&self, image: &str) -> Result<Vec<LayerOrigin>, Fault>;
    /// Where the planted secret, and the values of secrets in the learner's own file, occur.
    async fn secret_occurrences(&self, image: &str) -> Result<Vec<Occurrence>, Fault>;

    /// How the start of a stack went; starts it if nobody has asked before.
    async fn started(&self, stack: &str) -> Result<StackReport, Fault>;
    /// A service's container, as it is now.
    async fn container(&self, at: At<'_>) -> Result<ContainerFacts, Fault>;
    /// An HTTP request from the host to a port of a service that it publishes.
    async fn http(&self, at: At<'_>, request: &HttpRequest) -> Result<HttpAnswer, Fault>;
    /// What a real connection to a published port gets: `None` if nothing accepts it, else the
    /// first bytes that come back (after `say` was sent).
    async fn connect(&self, at: At<'_>, port: u16, say: &[u8]) -> Result<Option<Vec<u8>>, Fault>;
    /// Connections to a published port, as many as could be opened; they end when they are dropped.
    async fn hold_connections(&self, at: At<'_>, port: u16, count: usize) -> Result<Vec<TcpStream>, Fault>;
    /// The processes of a container with their user ids as the host sees them.
    async fn processes(&self, at: At<'_>) -> Result<Vec<Process>, Fault>;
    /// What the kernel keeps about a container: limits, listening ports, capabilities.
    async fn kernel(&self, at: At<'_>) -> Result<KernelFacts, Fault>;
    /// Tries to write into folders of a container, as root and without its own tools.
    async fn try_write(&self, at: At<'_>, folders: &[String]) -> Result<Vec<WriteAttempt>, Fault>;
    /// Which of these paths exist in a container, running or not.
    async fn existing_paths(&self, at: At<'_>, paths: &[String]) -> Result<Vec<String>, Fault>;
    /// The last lines that a container wrote to stdout and stderr, whole, to look for something in them.
    async fn log_lines(&self, at: At<'_>, lines: usize) -> Result<Vec<String>, Fault>;
    /// The same to be shown: long lines are shortened.
    async fn log_tail(&self, at: At<'_>, lines: usize) -> Result<Vec<String>, Fault>;
    /// Paths that were changed in a container's writable layer.
    async fn changed_paths(&self, at: At<'_>) -> Result<Vec<String>, Fault>;
    /// Runs a command in a container, as `docker exec` does, for at most `limit_ms` of a quiet machine.
    async fn run_in(&self, at: At<'_>, command: &[String], limit_ms: u64) -> Result<Exit, Fault>;
    /// Runs a container's own health check once; `None` when it has none.
    async fn ask_health_check(&self, at: At<'_>, limit_ms: u64) -> Result<Option<Exit>, Fault>;

    /// Makes the lesson's edit in the folder that a stack was started from.
    async fn edit(&self, stack: &str) -> Result<EditDone, Fault>;
    /// Kills a process of a container, by its id on the host, as a crash would.
    async fn kill(&self, pid: i64) -> Result<(), Fault>;
    /// Freezes (SIGSTOP) or thaws (SIGCONT) every process of a container.
    async fn freeze(&self, at: At<'_>, frozen: bool) -> Result<(), Fault>;
    /// Stops a container as `docker stop` does, and waits for its end. On a slow machine its grace time is
    /// as much longer as everything is slower.
    async fn stop(&self, at: At<'_>) -> Result<Spent, Fault>;
    /// Restarts a container as `docker restart` does.
    async fn restart(&self, at: At<'_>) -> Result<(), Fault>;
    /// Starts a container that an earlier check has left stopped.
    async fn ensure_running(&self, at: At<'_>) -> Result<(), Fault>;

    /// How fast this machine is: what is waited for is waited for by it (see [`wait`]).
    fn pace(&self) -> &Pace;
    /// A deadline so many milliseconds of a quiet machine ahead. It begins now: ask for it when that begins
    /// which it is about.
    fn within(&self, ms: u64) -> Deadline {
        self.pace().within(ms)
    }

    /// Waits until something listens behind a port of the lesson (see [`Sandbox::container_port`]); `false` when nothing did within so many
    /// milliseconds of a quiet machine. A container that runs is not yet a service that answers.
    async fn listens(&self, at: At<'_>, port: u16, ms: u64) -> Result<bool, Fault> {
        let port = self.container_port(at, port);
        let look = || async {
            let runs = self.container(at).await?.is_running();
            let listens = runs && self.kernel(at).await?.listening.contains(&port);
            Ok::<_, Fault>(listens.then_some(()))
        };
        Ok(wait::until(&self.within(ms), look).await?.is_some())
    }

    /// The fingerprint that the app must show when the planted secret has reached it.
    fn planted_fingerprint(&self) -> Option<String>;
    /// The learner's answers to the lesson's quiz.
    fn quiz(&self) -> QuizFacts;
    /// This run's tag, which stands for `{tag}` in `lesson.toml`.
    fn tag(&self) -> String;
    /// The merged Compose model of a stack, as `docker compose config` gives it.
    fn model(&self, stack: &str) -> serde_json::Value;
    /// The port in the container behind a port of the lesson, which is the host's (see [`names::behind`]); the
    /// same number where it is not published.
    fn container_port(&self, at: At<'_>, port: u16) -> u16 {
        names::behind(&self.model(at.stack), at.service, port).unwrap_or(port)
    }
    /// What a container wrote last, for a person: lines that differ only in their numbers, such as those of
    /// our own requests, are told once.
    async fn log_story(&self, at: At<'_>, lines: usize) -> Result<Vec<String>, Fault> {
        Ok(story::told(&self.log_tail(at, 1_000).await?, lines))
    }
    /// Where a key of a service stands in the stack's Compose files (the last file that has it).
    fn locate_key(&self, at: At<'_>, key: &[&str]) -> Option<Location>;
    /// Where a service's limit stands: the long form, the `short` key, else the service.
    fn locate_limit(&self, at: At<'_>, short: &str) -> Option<Location> {
        let keys: [&[&str]; 3] = [&["deploy", "resources", "limits"], &[short], &[]];
        keys.iter().find_map(|key| self.locate_key(at, key))
    }
    /// Where a service's restart policy stands: the one under `deploy` counts before the short key.
    fn locate_restart(&self, at: At<'_>) -> Option<Location> {
        let is_deployed = !self.model(at.stack)["services"][at.service]["deploy"]["restart_policy"].is_null();
        self.locate_key(at, if is_deployed { &["deploy", "restart_policy"] } else { &["restart"] })
    }
    /// Where an instruction stands in the Dockerfile, the last one that matters to the image.
    fn locate_instruction(&self, image: &str, instruction: &str) -> Option<Location>;
}
