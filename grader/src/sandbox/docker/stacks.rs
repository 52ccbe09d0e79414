//! The sandbox's stacks: start, look at containers, disturb them.
//!
//! Owns: the part of [`DockerSandbox`] that is about running containers. Must not: build images.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::pin::pin;

use bollard::query_parameters::{EventsOptionsBuilder, StopContainerOptionsBuilder};
use futures_util::StreamExt;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::facts::{
    BuildFailure, ContainerFacts, Exit, HttpAnswer, HttpRequest, KernelFacts, PublishedPort, Spent, StackReport,
    Unbuilt,
};
use super::super::probe::{Probe, Reach};
use super::super::wait::{Took, until};
use super::super::{At, Manners, Sandbox, compose, container, held, names, sweep};
use super::{DockerSandbox, understudy, unknown};
use crate::fault::{Fault, innermost};
use crate::plan::{Injected, StackPlan};
use crate::verdict::millis;

/// How long a service that says no to its health check is looked at, milliseconds.
const COMES_UP_MS: u64 = 5_000;

/// The most that an HTTP answer may have, bytes. What is longer is no answer: half of one is no evidence.
const BODY_MOST: usize = 1_000_000;
/// How long somebody at a port may take to say something, milliseconds.
const TALK_MS: u64 = 2_000;
/// How long it must have said nothing more, milliseconds.
const SILENCE_MS: u64 = 200;
/// The most that is listened to, bytes.
const HEARD_MOST: usize = 64 * 1024;
/// How long a container that was started again may take until it listens, milliseconds.
const LISTENS_WITHIN_MS: u64 = 10_000;
/// The grace time of a container that names none, seconds (`docker stop`).
const DOCKERS_GRACE_SECONDS: i64 = 10;

/// Whether Compose gave up because of a health check.
fn names_health(lines: &[String]) -> bool {
    lines.iter().any(|line| line.contains("unhealthy"))
}

impl DockerSandbox {
    pub(super) async fn start_once(&self, stack: &str) -> Result<StackReport, Fault> {
        let lazy = self.stacks.get(stack).ok_or_else(|| unknown("stack", stack))?;
        lazy.get(async {
            let plan = self.stack_plan(stack)?;
            for image in &plan.images {
                if let Some(failure) = Box::pin(self.build_once(image)).await?.failure {
                    return Ok(self.unbuilt(plan, image, failure));
                }
            }
            let dir = self.stack_dir(stack)?;
            let file = self.model_file(stack);
            held::hold(&plan.held, &dir)?;
            // The probe is needed soon; it starts beside the stack. A fault of it comes up again
            // when it is asked for.
            let (report, took) = tokio::join!(Box::pin(self.bring_up(plan, &dir, &file)), Box::pin(self.probe())).0?;
            if !report.failure.as_ref().is_some_and(|lines| names_health(lines)) || took.must_be_quick("").is_ok() {
                return Ok(report);
            }
            // Health checks have timeouts of the submission's own. On a slow machine they may be over before
            // the app has had its turn, so the stack gets a second start.
            sweep::sweep_project(&self.parts.client, &plan.project).await?;
            let (report, took) = Box::pin(self.bring_up(plan, &dir, &file)).await?;
            let is_sick = report.failure.as_ref().is_some_and(|lines| names_health(lines));
            if is_sick && !self.stays_sick(&report).await? {
                took.must_be_quick(&format!("a service of the {stack} stack did not become healthy in its own time"))?;
            }
            Ok(report)
        })
        .await
    }

    /// Whether a service that Docker calls unhealthy says no, by itself and not by taking too long, for as long as
    /// a quiet machine would need to come up. Then it is not the machine that keeps it from a yes.
    async fn stays_sick(&self, report: &StackReport) -> Result<bool, Fault> {
        let recovered = || async {
            for service in &report.services {
                let at = At { stack: &report.stack, service };
                let facts = self.container_facts(at).await?;
                if facts.health.as_deref() != Some("unhealthy") {
                    continue;
                }
                let answers = self.health_check(at).await?.unwrap_or_default().answers;
                let says_no = facts.is_running() && answers.iter().any(|answer| answer.code > 0);
                return Ok::<_, Fault>((!says_no).then_some(()));
            }
            Ok(Some(()))
        };
        Ok(until(&self.within(COMES_UP_MS), recovered).await?.is_none())
    }

    async fn bring_up(&self, plan: &StackPlan, dir: &Path, file: &Path) -> Result<(StackReport, Took), Fault> {
        let watch = self.pace().watch();
        let up = compose::up(plan, dir, file, &self.parts.events, &self.parts.pace);
        let report = self.listen_while(plan, up).await?;
        Ok((report, watch.took()))
    }

    /// The report of a stack that has no image to start from.
    fn unbuilt(&self, plan: &StackPlan, image: &str, mut failure: BuildFailure) -> StackReport {
        let build = self.parts.plan.build(image);
        let services = plan.started["services"].as_object().into_iter().flatten();
        let runs_it = |service: &Value| build.is_some_and(|build| service["image"] == build.reference.as_str());
        let service = services.clone().find(|(_, service)| runs_it(service)).map(|(name, _)| name.clone());
        let service = service.unwrap_or_default();
        // What no instruction is to blame for stands in the Compose file.
        let key = [("target stage", "target"), ("ockerfile", "dockerfile"), ("path", "context")];
        let key = key.into_iter().find(|(word, _)| failure.message.contains(word)).map_or("context", |(_, key)| key);
        let path = ["services", service.as_str(), "build", key];
        failure.at = failure.at.or_else(|| self.parts.submission.locate_key(&plan.files, &path));
        StackReport {
            stack: plan.name.clone(),
            services: services.map(|(name, _)| name.clone()).collect(),
            failure: Some(vec![format!("the image of `{service}` could not be built: {}", failure.message)]),
            unbuilt: Some(Unbuilt { service, failure }),
            ..StackReport::default()
        }
    }

    pub(super) async fn probe(&self) -> Result<Probe, Fault> {
        let image = self.parts.bases.first().map(String::as_str).unwrap_or_default();
        let parts = &self.parts;
        self.probe.get(Probe::start(&parts.client, image, &parts.run, Reach::Processes, &parts.pace)).await
    }

    pub(super) fn stack_plan(&self, stack: &str) -> Result<&StackPlan, Fault> {
        self.parts.plan.stack(stack).ok_or_else(|| unknown("stack", stack))
    }

    pub(super) fn stack_dir(&self, stack: &str) -> Result<PathBuf, Fault> {
        self.parts.scratch.copy(&format!("stack-{stack}"))
    }

    /// The model that the stack was started from.
    pub(super) fn model_file(&self, stack: &str) -> PathBuf {
        self.parts.scratch.own_file(&format!("{stack}.compose.json"))
    }

    /// Removes a stack that no check needs any more, while others are still being measured. What
    /// cannot be removed now is removed with the run.
    pub async fn retire(&self, stack: &str) {
        if let Ok(plan) = self.stack_plan(stack) {
            let _ = sweep::sweep_project(&self.parts.client, &plan.project).await;
        }
    }

    /// Compose names the containers of a service `<project>-<service>-<number>`.
    pub(super) fn container_name(&self, at: At<'_>) -> Result<String, Fault> {
        Ok(format!("{}-{}-1", self.stack_plan(at.stack)?.project, at.service))
    }

    pub(super) async fn container_facts(&self, at: At<'_>) -> Result<ContainerFacts, Fault> {
        let injected = self.injected(at)?;
        container::inspect(&self.parts.client, &self.container_name(at)?, &self.stack_dir(at.stack)?, &injected).await
    }

    /// What the grader put into a service.
    fn injected(&self, at: At<'_>) -> Result<Injected, Fault> {
        Ok(self.stack_plan(at.stack)?.injected.get(at.service).cloned().unwrap_or_default())
    }

    /// Docker gives a container new ephemeral ports whenever it starts, so they are looked up
    /// each time.
    pub(super) async fn host_port(&self, at: At<'_>, port: u16) -> Result<Option<u16>, Fault> {
        let port = self.container_port(at, port);
        // Who lives in another's network is reached at that one's doors.
        let other = names::shares_network_of(&self.model(at.stack), at.service);
        let facts = self.container_facts(At { service: other.as_deref().unwrap_or(at.service), ..at }).await?;
        Ok(facts.ports.iter().find(|published| published.container == port).map(|published| published.host))
    }

    pub(super) async fn request(&self, at: At<'_>, request: &HttpRequest) -> Result<HttpAnswer, Fault> {
        let Some(port) = self.host_port(at, request.port).await? else {
            let error = Some(self.shut(at, request.port).await?);
            return Ok(HttpAnswer { error, ..HttpAnswer::default() });
        };
        let url = format!("http://127.0.0.1:{port}{}", request.path);
        let method = if request.method == "POST" { reqwest::Method::POST } else { reqwest::Method::GET };
        let mut builder = self.http.request(method, url);
        if let Some(body) = &request.body {
            builder = builder.json(body);
        }
        let answer = async {
            let mut response = builder.send().await?;
            let mut body = Vec::new();
            while let Some(part) = response.chunk().await? {
                body.extend_from_slice(&part);
                if body.len() > BODY_MOST {
                    return Ok(Err(format!("the answer is longer than {} MB", BODY_MOST / 1_000_000)));
                }
            }
            Ok::<_, reqwest::Error>(Ok((response.status().as_u16(), String::from_utf8_lossy(&body).into_owned())))
        };
        let deadline = self.within(request.limit_ms);
        let (status, body, error) = match deadline.wait_for(answer).await? {
            Some(Ok(Ok((status, body)))) => (Some(status), body, None),
            Some(Ok(Err(reason))) => (None, String::new(), Some(reason)),
            Some(Err(error)) => (None, String::new(), Some(innermost(&error))),
            None => (None, String::new(), Some(format!("nothing came within {}", millis(request.limit_ms)))),
        };
        Ok(HttpAnswer { status, body, error, millis: deadline.took().millis })
    }

    /// Why a port of a service cannot be reached from outside.
    async fn shut(&self, at: At<'_>, port: u16) -> Result<String, Fault> {
        if !self.container_facts(at).await?.is_running() {
            return Ok("the container does not run".into());
        }
        let plan = self.stack_plan(at.stack)?;
        let exposed = plan.model["services"][at.service]["expose"].as_array().into_iter().flatten();
        let noted = exposed.filter_map(Value::as_str).any(|text| text.split('/').next() == Some(&port.to_string()));
        let path = ["services", at.service, "expose"];
        let place = self.parts.submission.locate_key(&plan.files, &path).filter(|_| noted);
        Ok(match place {
            Some(at) => format!(
                "port {port} is not published. `expose` ({}, line {}) is a note for people; `ports` opens it to the outside",
                at.file, at.line
            ),
            None => format!("port {port} is not published: `ports` of `{}` does not have it", at.service),
        })
    }

    pub(super) async fn tcp(&self, at: At<'_>, port: u16, say: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let Some(host) = self.host_port(at, port).await? else { return Ok(None) };
        let begin = async {
            let mut stream = TcpStream::connect(("127.0.0.1", host)).await.ok()?;
            stream.write_all(say).await.ok()?;
            let mut heard = Vec::new();
            // Docker's own proxy accepts every connection: only an answer shows that somebody is there.
            stream.read_buf(&mut heard).await.ok().filter(|read| *read > 0)?;
            Some((stream, heard))
        };
        let Some((mut stream, mut heard)) = self.within(TALK_MS).wait_for(begin).await?.flatten() else {
            return Ok(None);
        };
        // An answer may come in pieces. It has ended when the other side says so, or says no more.
        while heard.len() < HEARD_MOST {
            match self.within(SILENCE_MS).wait_for(stream.read_buf(&mut heard)).await? {
                Some(Ok(read)) if read > 0 => {}
                _ => break,
            }
        }
        Ok(Some(heard))
    }

    /// Connections that nothing is said on, as many as could be opened.
    pub(super) async fn open(&self, at: At<'_>, port: u16, count: usize) -> Result<Vec<TcpStream>, Fault> {
        let Some(host) = self.host_port(at, port).await? else { return Ok(Vec::new()) };
        let opening = async {
            let all = (0..count).map(|_| TcpStream::connect(("127.0.0.1", host)));
            join_all(all).await.into_iter().filter_map(Result::ok).collect()
        };
        Ok(self.within(TALK_MS).wait_for(opening).await?.unwrap_or_default())
    }

    pub(super) async fn kernel_facts(&self, at: At<'_>) -> Result<KernelFacts, Fault> {
        // One that has ended while it was looked at may have been started again; then that life is looked at.
        let mut facts = loop {
            let pid = self.container_facts(at).await?.pid;
            if pid == 0 {
                return Ok(KernelFacts::default());
            }
            if let Some(facts) = self.probe().await?.kernel(pid).await? {
                break facts;
            }
        };
        let injected = self.injected(at)?;
        if injected.memory {
            facts.memory_max = None;
        }
        if injected.cpus {
            facts.cpu_quota_us = None;
        }
        if injected.pids {
            facts.pids_max = None;
        }
        Ok(facts)
    }

    pub(super) async fn run_health_check(&self, at: At<'_>, limit_ms: u64) -> Result<Option<Exit>, Fault> {
        let config = self.inspected(at).await?.config.unwrap_or_default();
        let Some(command) = understudy::health_command(&config) else { return Ok(None) };
        let name = self.container_name(at)?;
        container::exec(&self.parts.client, &name, command, &self.within(limit_ms)).await.map(Some)
    }

    pub(super) async fn stop_container(&self, at: At<'_>) -> Result<Spent, Fault> {
        let name = self.container_name(at)?;
        // The container's own grace time counts. On a slow machine it is longer: the app gets as much done in
        // it as it would elsewhere.
        let options = self.grace(&name).await?.map(|seconds| StopContainerOptionsBuilder::default().t(seconds).build());
        let client = &self.parts.client;
        let since = Timestamp::now();
        let since = format!("{}.{:09}", since.as_second(), since.subsec_nanosecond());
        let filters = HashMap::from([("container", vec![name.clone()]), ("event", vec!["kill".to_owned()])]);
        let events = EventsOptionsBuilder::default().since(&since).filters(&filters).build();
        let mut events = client.events(Some(events));
        let watch = self.pace().watch();
        let signalled = async { events.next().await.and_then(Result::ok).map(|_| watch.millis()) };
        let stopped = async {
            client.stop_container(&name, options).await.map_err(Fault::docker(format!("stopping {}", at.service)))?;
            Ok::<_, Fault>(watch.took())
        };
        let mut signalled = pin!(signalled);
        let mut stopped = pin!(stopped);
        let (took, signalled_ms) = tokio::select! {
            biased;
            signalled = &mut signalled => (stopped.await?, signalled),
            took = &mut stopped => (took?, self.within(TALK_MS).wait_for(signalled).await?.flatten()),
        };
        Ok(Spent { millis: took.millis, quiet_ms: took.quiet_ms, signalled_ms })
    }

    /// Seconds of grace for a stop; `None` on a machine that is as fast as it should be, where Docker knows.
    async fn grace(&self, name: &str) -> Result<Option<i32>, Fault> {
        let patience = self.pace().whole_patience();
        if patience == 1 {
            return Ok(None);
        }
        let raw = self.parts.client.inspect_container(name, None).await;
        let raw = raw.map_err(Fault::docker(format!("inspecting {name}")))?;
        let own = raw.config.and_then(|config| config.stop_timeout).unwrap_or(DOCKERS_GRACE_SECONDS);
        // A negative one means that Docker waits for ever.
        let longer = own.max(0).saturating_mul(patience.into());
        Ok((own >= 0).then(|| i32::try_from(longer).unwrap_or(i32::MAX)))
    }

    pub(super) async fn start_if_stopped(&self, at: At<'_>) -> Result<(), Fault> {
        if !self.container_facts(at).await?.is_running() {
            let started = self.parts.client.start_container(&self.container_name(at)?, None).await;
            started.map_err(Fault::docker(format!("starting {}", at.service)))?;
        }
        // A container that runs is not yet a service that listens. A port on which nobody ever listens is
        // other checks' matter.
        let listens = || async {
            let facts = self.container_facts(at).await?;
            let listening = if facts.is_running() { self.kernel_facts(at).await?.listening } else { Vec::new() };
            let is_heard = |port: &PublishedPort| listening.contains(&port.container);
            let any = facts.ports.is_empty() || facts.ports.iter().any(is_heard);
            let up = facts.is_running() && any;
            Ok::<_, Fault>(up.then_some(()))
        };
        until(&self.within(LISTENS_WITHIN_MS), listens).await?;
        Ok(())
    }
}
