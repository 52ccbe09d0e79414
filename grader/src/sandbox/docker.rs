//! The real sandbox: one run's images and stacks in a Docker daemon.
//!
//! Owns: making each image and stack once, when first asked for. Must not: judge.

mod first_events;
mod images;
mod lifecycle;
mod manners;
mod neighbours;
mod pressure;
mod samples;
mod stacks;
mod supply;
mod understudy;
mod writings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bollard::Docker;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;

use super::build::{Bounds, BuildSettings};
use super::facts::{
    BuildReport, ContainerFacts, EditDone, Exit, HttpAnswer, HttpRequest, ImageFacts, KernelFacts, LayerFiles,
    LayerOrigin, Occurrence, Process, QuizFacts, Spent, StackReport, WriteAttempt, origins,
};
use super::layers::{LayerScan, Needle};
use super::lazy::Lazy;
use super::pace::Pace;
use super::probe::Probe;
use super::run_id::RunId;
use super::scratch::Scratch;
use super::{At, Sandbox};
use crate::course::spec::EditSpec;
use crate::event::Events;
use crate::fault::Fault;
use crate::plan::Plan;
use crate::plan::mounts::place_of;
use crate::submission::Submission;
use crate::verdict::Location;

/// What a sandbox is made of.
pub struct Parts {
    /// The daemon.
    pub client: Docker,
    /// The run.
    pub run: RunId,
    /// What will be built and started.
    pub plan: Plan,
    /// The submission's files, to find places in them.
    pub submission: Submission,
    /// The copies of the submission.
    pub scratch: Scratch,
    /// The grader's cache folder.
    pub cache: PathBuf,
    /// Base images of the lesson.
    pub bases: Vec<String>,
    /// The lesson's edit.
    pub edit: Option<EditSpec>,
    /// Values that must not be in an image; the first one was planted.
    pub needles: Vec<Needle>,
    /// This run's tag.
    pub tag: String,
    /// The learner's answers to the quiz.
    pub quiz: QuizFacts,
    /// The learner's number in this exercise.
    pub learner: String,
    /// How builds run.
    pub settings: BuildSettings,
    /// What builds are held to.
    pub bounds: Bounds,
    /// Who listens.
    pub events: Events,
    /// How fast this machine is.
    pub pace: Pace,
}

/// One run's images and stacks.
pub struct DockerSandbox {
    parts: Parts,
    http: reqwest::Client,
    builds: BTreeMap<String, Lazy<BuildReport>>,
    rebuilds: BTreeMap<String, Lazy<BuildReport>>,
    images: BTreeMap<String, Lazy<ImageFacts>>,
    layers: BTreeMap<String, Lazy<Vec<LayerScan>>>,
    stacks: BTreeMap<String, Lazy<StackReport>>,
    probe: Lazy<Probe>,
    presser: Lazy<Probe>,
    bounded: Lazy<()>,
}

impl DockerSandbox {
    /// A sandbox in which nothing has been made yet.
    pub fn new(parts: Parts) -> Result<Self, Fault> {
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .no_proxy()
            .redirect(same_origin())
            .build()
            .map_err(|error| Fault::Unreadable { what: "the HTTP client".into(), reason: error.to_string() })?;
        let builds = || parts.plan.builds.iter().map(|build| build.name.clone());
        Ok(Self {
            http,
            builds: builds().map(|name| (name, Lazy::default())).collect(),
            rebuilds: builds().map(|name| (name, Lazy::default())).collect(),
            images: builds().map(|name| (name, Lazy::default())).collect(),
            layers: builds().map(|name| (name, Lazy::default())).collect(),
            stacks: parts.plan.stacks.iter().map(|stack| (stack.name.clone(), Lazy::default())).collect(),
            probe: Lazy::default(),
            presser: Lazy::default(),
            bounded: Lazy::default(),
            parts,
        })
    }

    /// The plan that it carries out.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.parts.plan
    }

    /// Gives the scratch copies back, so that they live until clean-up is done.
    #[must_use]
    pub fn into_scratch(self) -> Scratch {
        self.parts.scratch
    }
}

/// A container may send its guests to another page of its own, but not to other services of this
/// machine, which are not its business.
fn same_origin() -> reqwest::redirect::Policy {
    reqwest::redirect::Policy::custom(|attempt| {
        let origin = |url: &reqwest::Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port());
        let stays = attempt.previous().iter().all(|before| origin(before) == origin(attempt.url()));
        if stays && attempt.previous().len() < 10 { attempt.follow() } else { attempt.stop() }
    })
}

fn unknown(what: &str, name: &str) -> Fault {
    Fault::Unreadable { what: format!("the {what} `{name}`"), reason: "the lesson does not declare it".into() }
}

#[async_trait]
impl Sandbox for DockerSandbox {
    async fn built(&self, image: &str) -> Result<BuildReport, Fault> {
        self.build_once(image).await
    }

    async fn rebuilt_after_edit(&self, image: &str) -> Result<BuildReport, Fault> {
        self.rebuild(image).await
    }

    async fn image(&self, image: &str) -> Result<ImageFacts, Fault> {
        self.image_facts(image).await
    }

    async fn layer_files(&self, image: &str) -> Result<Vec<LayerFiles>, Fault> {
        Ok(self.scans(image).await?.into_iter().map(|scan| scan.files).collect())
    }

    async fn layer_files_after_edit(&self, image: &str) -> Result<Vec<LayerFiles>, Fault> {
        Ok(self.scans_after_edit(image).await?.into_iter().map(|scan| scan.files).collect())
    }

    async fn layer_origins(&self, image: &str) -> Result<Vec<LayerOrigin>, Fault> {
        let plan = self.parts.plan.build(image).ok_or_else(|| unknown("image", image))?;
        Ok(origins(&self.image_facts(image).await?, &self.parts.submission.lineage(&plan.file(), &plan.target)))
    }

    async fn secret_occurrences(&self, image: &str) -> Result<Vec<Occurrence>, Fault> {
        self.find_secrets(image).await
    }

    async fn started(&self, stack: &str) -> Result<StackReport, Fault> {
        self.start_once(stack).await
    }

    async fn container(&self, at: At<'_>) -> Result<ContainerFacts, Fault> {
        self.container_facts(at).await
    }

    async fn http(&self, at: At<'_>, request: &HttpRequest) -> Result<HttpAnswer, Fault> {
        self.request(at, request).await
    }

    async fn connect(&self, at: At<'_>, port: u16, say: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        self.tcp(at, port, say).await
    }

    async fn hold_connections(&self, at: At<'_>, port: u16, count: usize) -> Result<Vec<TcpStream>, Fault> {
        self.open(at, port, count).await
    }

    async fn processes(&self, at: At<'_>) -> Result<Vec<Process>, Fault> {
        super::container::processes(&self.parts.client, &self.container_name(at)?).await
    }

    async fn kernel(&self, at: At<'_>) -> Result<KernelFacts, Fault> {
        self.kernel_facts(at).await
    }

    async fn try_write(&self, at: At<'_>, folders: &[String]) -> Result<Vec<WriteAttempt>, Fault> {
        let pid = self.container_facts(at).await?.pid;
        match self.probe().await?.try_write(pid, folders).await {
            // One that ends while it is looked at is the submission's, and can be told.
            Err(_) if !self.container_facts(at).await?.is_running() => {
                let ended = |folder: &String| WriteAttempt {
                    folder: folder.clone(),
                    error: Some("the container has ended".into()),
                };
                Ok(folders.iter().map(ended).collect())
            }
            told => told,
        }
    }

    async fn existing_paths(&self, at: At<'_>, paths: &[String]) -> Result<Vec<String>, Fault> {
        let name = self.container_name(at)?;
        let mut found = Vec::new();
        for path in paths {
            if super::container::has_path(&self.parts.client, &name, path).await? {
                found.push(path.clone());
            }
        }
        Ok(found)
    }

    async fn log_lines(&self, at: At<'_>, lines: usize) -> Result<Vec<String>, Fault> {
        super::container::log_lines(&self.parts.client, &self.container_name(at)?, lines).await
    }

    async fn log_tail(&self, at: At<'_>, lines: usize) -> Result<Vec<String>, Fault> {
        super::container::log_tail(&self.parts.client, &self.container_name(at)?, lines).await
    }

    async fn changed_paths(&self, at: At<'_>) -> Result<Vec<String>, Fault> {
        let mut paths = super::container::changed_paths(&self.parts.client, &self.container_name(at)?).await?;
        paths.retain(|path| !super::container::is_tools_file(path));
        Ok(paths)
    }

    async fn run_in(&self, at: At<'_>, command: &[String], limit_ms: u64) -> Result<Exit, Fault> {
        super::container::exec(&self.parts.client, &self.container_name(at)?, command.to_vec(), &self.within(limit_ms))
            .await
    }

    async fn ask_health_check(&self, at: At<'_>, limit_ms: u64) -> Result<Option<Exit>, Fault> {
        self.run_health_check(at, limit_ms).await
    }

    async fn edit(&self, stack: &str) -> Result<EditDone, Fault> {
        let edit = self.edit_spec()?;
        let (root, file) = place_of(&self.stack_plan(stack)?.held, &self.stack_dir(stack)?, Path::new(&edit.file));
        let moved = EditSpec { file: file.display().to_string(), ..edit.clone() };
        Ok(EditDone { file: edit.file.clone(), ..self.edit_in(&root, &moved)? })
    }

    async fn kill(&self, pid: i64) -> Result<(), Fault> {
        self.probe().await?.signal("KILL", &[pid]).await
    }

    async fn freeze(&self, at: At<'_>, frozen: bool) -> Result<(), Fault> {
        let pids: Vec<i64> = self.processes(at).await?.into_iter().map(|process| process.pid).collect();
        if pids.is_empty() {
            return Ok(());
        }
        self.probe().await?.signal(if frozen { "STOP" } else { "CONT" }, &pids).await
    }

    async fn stop(&self, at: At<'_>) -> Result<Spent, Fault> {
        self.stop_container(at).await
    }

    async fn restart(&self, at: At<'_>) -> Result<(), Fault> {
        let name = self.container_name(at)?;
        self.parts
            .client
            .restart_container(&name, None)
            .await
            .map_err(Fault::docker(format!("restarting {}", at.service)))
    }

    async fn ensure_running(&self, at: At<'_>) -> Result<(), Fault> {
        self.start_if_stopped(at).await
    }

    fn pace(&self) -> &Pace {
        &self.parts.pace
    }

    fn planted_fingerprint(&self) -> Option<String> {
        let planted = self.parts.needles.first()?;
        let hash = hex::encode(Sha256::digest(&planted.value));
        Some(format!("sha256:{}", &hash[..12]))
    }

    fn quiz(&self) -> QuizFacts {
        self.parts.quiz.clone()
    }

    fn tag(&self) -> String {
        self.parts.tag.clone()
    }

    fn model(&self, stack: &str) -> Value {
        self.parts.plan.stack(stack).map(|stack| stack.model.clone()).unwrap_or_default()
    }

    fn locate_key(&self, at: At<'_>, key: &[&str]) -> Option<Location> {
        let files = &self.parts.plan.stack(at.stack)?.files;
        let path: Vec<&str> = ["services", at.service].into_iter().chain(key.iter().copied()).collect();
        self.parts.submission.locate_key(files, &path)
    }

    fn locate_instruction(&self, image: &str, instruction: &str) -> Option<Location> {
        let target = &self.parts.plan.build(image)?.target;
        self.parts.submission.locate_instruction(target, instruction)
    }
}
