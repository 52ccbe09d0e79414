//! What only some kinds of check ask of the sandbox, by topic.
//!
//! Owns: the supertraits of [`Sandbox`](super::Sandbox). Must not: decide anything.

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::At;
use super::facts::{
    ContainerEvent, ContainerFacts, ContextFile, CpuPressure, Doing, EditDone, Handmade, HealthCheck, HttpRequest,
    Instruction, Link, LinkFacts, MemoryPressure, Namespaces, ProcessPressure, PushFacts, Rights, Stopping, Understudy,
};
use crate::fault::Fault;
use crate::verdict::{Location, Sample};

/// Where an image comes from and where it goes.
#[async_trait]
pub trait Supply {
    /// The files that the build of an image may see: its context without what `.dockerignore`
    /// leaves out, as BuildKit itself decides it.
    async fn build_context(&self, image: &str) -> Result<Vec<ContextFile>, Fault>;
    /// Pushes a built image to a registry that runs as a service, takes it away from the daemon,
    /// and pulls it back by its digest.
    async fn push_and_pull(&self, image: &str, registry: At<'_>, port: u16) -> Result<PushFacts, Fault>;
}

/// A container's beginning and end.
#[async_trait]
pub trait Lifecycle {
    /// Files in a container's writable layer and in its mounts that have a text in them.
    async fn files_with(&self, at: At<'_>, text: &str) -> Result<Vec<String>, Fault>;
    /// Removes a container with its anonymous volumes, and lets Compose make it anew.
    async fn recreate(&self, at: At<'_>) -> Result<(), Fault>;
    /// Puts the image that is built again after the edit in the place of the one that a service runs, as
    /// the next deployment would: Compose keeps the volumes. `false` when the service runs no image that
    /// is built here.
    async fn deploy_edited(&self, at: At<'_>) -> Result<bool, Fault>;
    /// Starts a container that has ended once more, and waits until it has ended again, at most
    /// `limit_ms`.
    async fn run_again(&self, at: At<'_>, limit_ms: u64) -> Result<ContainerFacts, Fault>;
    /// Sends a request over and over until the container has died and was started again, until it has outlived
    /// the kernel's word that it lacks memory, or until `limit_ms` have passed; gives what the daemon said about the container meanwhile.
    async fn ask_until_it_dies(
        &self,
        at: At<'_>,
        request: &HttpRequest,
        limit_ms: u64,
    ) -> Result<Vec<ContainerEvent>, Fault>;
}

/// What a service does when it is asked to stop, is asked for its health, or sees a save.
#[async_trait]
pub trait Manners {
    /// How a running container is asked to stop.
    async fn stopping(&self, at: At<'_>) -> Result<Stopping, Fault>;
    /// How Docker asks a container's health check; `None` when it has none.
    async fn health_check(&self, at: At<'_>) -> Result<Option<HealthCheck>, Fault>;
    /// Runs the health check's command twice, each time for at most `limit_ms`, where all is as in the
    /// container but the app does not run: first nobody listens on its `ports`, then all that is asked there
    /// gets 503. With `sick_at`, only requests for that path do, and others get 200.
    async fn ask_understudy(
        &self,
        at: At<'_>,
        ports: &[u16],
        sick_at: Option<&str>,
        limit_ms: u64,
    ) -> Result<Understudy, Fault>;
    /// Makes one more edit in the file of the lesson's edit, which must have been made before, and saves it as
    /// many editors do: a new file takes the old one's name.
    async fn edit_by_renaming(&self, stack: &str) -> Result<EditDone, Fault>;
    /// Makes a third edit, after that one, and saves it in place.
    async fn edit_again(&self, stack: &str) -> Result<EditDone, Fault>;
}

/// Putting load on a container from within its own cgroups, without running anything of its image.
/// What is seen meanwhile is told as events, beside a `limit` that is only shown with it.
#[async_trait]
pub trait Pressure {
    /// A process of ours grows to `bytes` in the container's memory cgroup.
    async fn grow_memory(&self, at: At<'_>, bytes: u64, limit: Option<u64>) -> Result<MemoryPressure, Fault>;
    /// Looks at the memory of a container until its main process has ended, or `limit_ms` have passed.
    /// Says so when it has begun to look.
    async fn watch_memory(
        &self,
        at: At<'_>,
        limit_ms: u64,
        limit: Option<u64>,
        begun: oneshot::Sender<()>,
    ) -> Result<Vec<Sample>, Fault>;
    /// Busy loops of ours, one per CPU, run for `millis` in the container's CPU cgroup.
    /// The limit is in thousandths of a CPU.
    async fn burn_cpu(&self, at: At<'_>, millis: u64, limit: Option<u64>) -> Result<CpuPressure, Fault>;
    /// Up to `count` processes of ours are started in the container's process cgroup, and ended.
    async fn fork_processes(&self, at: At<'_>, count: u64) -> Result<ProcessPressure, Fault>;
}

/// What a container shares with others, and whom it reaches.
#[async_trait]
pub trait Neighbours {
    /// The namespaces of a container's main process, and the host's.
    async fn namespaces(&self, at: At<'_>) -> Result<Namespaces, Fault>;
    /// The same for any process of this machine, by its id on the host.
    async fn namespaces_of(&self, pid: i64) -> Result<Namespaces, Fault>;
    /// Capabilities, seccomp and `no_new_privs` of a container's main process.
    async fn rights(&self, at: At<'_>) -> Result<Rights, Fault>;
    /// Looks names up and connects, from within a container's network namespace.
    async fn reach(&self, at: At<'_>, links: &[Link]) -> Result<Vec<LinkFacts>, Fault>;
    /// The gateway through which a container reaches the outside; `None` when its network
    /// namespace has no default route.
    async fn gateway(&self, at: At<'_>) -> Result<Option<String>, Fault>;
}

/// What learners wrote, and what they made with their own commands.
#[async_trait]
pub trait Writings {
    /// Everything in the daemon that no run of the grader has made.
    async fn handmade(&self) -> Result<Handmade, Fault>;
    /// What a container does that no run of the grader has made, by its name.
    async fn doing(&self, container: &str) -> Result<Doing, Fault>;
    /// A file in such a container, by its path from `/` or from the container's working folder; `None` when no plain
    /// file of at most 1 MB is there.
    async fn file_in(&self, container: &str, path: &str) -> Result<Option<Vec<u8>>, Fault>;
    /// The instructions of the learner's Dockerfile. A `# syntax=` line is one that is called
    /// `# SYNTAX`.
    fn instructions(&self) -> Vec<Instruction>;
    /// A file of the submission as text; `None` when it is not there or is no text.
    fn file(&self, path: &str) -> Option<String>;
    /// Where a path of keys stands in a stack's Compose files, as `locate_key` does for services.
    fn locate_path(&self, stack: &str, path: &[&str]) -> Option<Location>;
    /// A line of a file of the submission.
    fn locate_line(&self, file: &str, line: usize) -> Option<Location>;
    /// This learner's number in this exercise, which stands for `{learner}` in files and in
    /// `lesson.toml`: four digits, another one after each start.
    fn learner(&self) -> String;
}
