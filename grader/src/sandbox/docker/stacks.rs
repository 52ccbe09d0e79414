//! The sandbox's stacks: start, look at containers, disturb them.
//!
//! Owns: the part of [`DockerSandbox`] that is about running containers. Must not: build images.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::facts::{ContainerFacts, Exit, HttpAnswer, HttpRequest, KernelFacts, Spent, StackReport};
use super::super::probe::{Probe, Reach};
use super::super::wait::{in_ms, since, until};
use super::super::{At, compose, container, sweep};
use super::{DockerSandbox, unknown};
use crate::fault::{Fault, innermost};
use crate::plan::StackPlan;

/// The most of an HTTP answer that is kept, bytes.
const BODY_KEPT: usize = 64 * 1024;

impl DockerSandbox {
    pub(super) async fn start_once(&self, stack: &str) -> Result<StackReport, Fault> {
        let lazy = self.stacks.get(stack).ok_or_else(|| unknown("stack", stack))?;
        lazy.get(async {
            let plan = self.stack_plan(stack)?;
            for image in &plan.images {
                self.build_once(image).await?;
            }
            let dir = self.stack_dir(stack)?;
            let file = self.model_file(stack);
            // The probe is needed soon; it starts beside the stack. A fault of it comes up again
            // when it is asked for.
            let up = compose::up(plan, &dir, &file, &self.parts.events);
            tokio::join!(self.listen_while(plan, up), self.probe()).0
        })
        .await
    }

    pub(super) async fn probe(&self) -> Result<Probe, Fault> {
        let image = self.parts.bases.first().map(String::as_str).unwrap_or_default();
        self.probe.get(Probe::start(&self.parts.client, image, &self.parts.run, Reach::Processes)).await
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
        let injected = self.stack_plan(at.stack)?.injected.get(at.service).copied().unwrap_or_default();
        container::inspect(&self.parts.client, &self.container_name(at)?, &self.stack_dir(at.stack)?, injected).await
    }

    /// Docker gives a container new ephemeral ports whenever it starts, so they are looked up
    /// each time.
    pub(super) async fn host_port(&self, at: At<'_>, port: u16) -> Result<Option<u16>, Fault> {
        let facts = self.container_facts(at).await?;
        Ok(facts.ports.iter().find(|published| published.container == port).map(|published| published.host))
    }

    pub(super) async fn request(&self, at: At<'_>, request: &HttpRequest) -> Result<HttpAnswer, Fault> {
        let begun = Instant::now();
        let Some(port) = self.host_port(at, request.port).await? else {
            let error = Some(format!("port {} is not published (or the container does not run)", request.port));
            return Ok(HttpAnswer { error, ..HttpAnswer::default() });
        };
        let url = format!("http://127.0.0.1:{port}{}", request.path);
        let method = if request.method == "POST" { reqwest::Method::POST } else { reqwest::Method::GET };
        let mut builder = self.http.request(method, url).timeout(Duration::from_millis(request.limit_ms));
        if let Some(body) = &request.body {
            builder = builder.json(body);
        }
        let answer = async {
            let mut response = builder.send().await?;
            let mut body = Vec::new();
            while let Some(part) = response.chunk().await? {
                body.extend_from_slice(&part);
                if body.len() > BODY_KEPT {
                    body.truncate(BODY_KEPT);
                    break;
                }
            }
            Ok::<_, reqwest::Error>((response.status().as_u16(), String::from_utf8_lossy(&body).into_owned()))
        };
        let (status, body, error) = match answer.await {
            Ok((status, body)) => (Some(status), body, None),
            Err(error) => (None, String::new(), Some(innermost(&error))),
        };
        Ok(HttpAnswer { status, body, error, millis: since(begun) })
    }

    pub(super) async fn tcp(&self, at: At<'_>, port: u16, say: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let Some(host) = self.host_port(at, port).await? else { return Ok(None) };
        let talk = async {
            let mut stream = TcpStream::connect(("127.0.0.1", host)).await.ok()?;
            stream.write_all(say).await.ok()?;
            let mut heard = vec![0; 256];
            // Docker's own proxy accepts every connection: only an answer shows that somebody is there.
            let read = stream.read(&mut heard).await.ok().filter(|read| *read > 0)?;
            heard.truncate(read);
            Some(heard)
        };
        Ok(tokio::time::timeout(Duration::from_secs(2), talk).await.ok().flatten())
    }

    pub(super) async fn kernel_facts(&self, at: At<'_>) -> Result<KernelFacts, Fault> {
        let pid = self.container_facts(at).await?.pid;
        let mut facts = self.probe().await?.kernel(&self.parts.client, pid).await?;
        let injected = self.stack_plan(at.stack)?.injected.get(at.service).copied().unwrap_or_default();
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

    pub(super) async fn health_check(&self, at: At<'_>, limit_ms: u64) -> Result<Option<Exit>, Fault> {
        let name = self.container_name(at)?;
        let raw = self
            .parts
            .client
            .inspect_container(&name, None)
            .await
            .map_err(Fault::docker(format!("inspecting {name}")))?;
        let test = raw.config.and_then(|config| config.healthcheck).and_then(|check| check.test).unwrap_or_default();
        let command = match test.split_first() {
            Some((kind, rest)) if kind == "CMD" => rest.to_vec(),
            Some((kind, rest)) if kind == "CMD-SHELL" => vec!["/bin/sh".into(), "-c".into(), rest.join(" ")],
            _ => return Ok(None),
        };
        container::exec(&self.parts.client, &name, command, limit_ms).await.map(Some)
    }

    pub(super) async fn stop_container(&self, at: At<'_>) -> Result<Spent, Fault> {
        let name = self.container_name(at)?;
        let begun = Instant::now();
        // No time of ours: the container's own grace time counts.
        self.parts
            .client
            .stop_container(&name, None)
            .await
            .map_err(Fault::docker(format!("stopping {}", at.service)))?;
        Ok(Spent { millis: since(begun) })
    }

    pub(super) async fn start_if_stopped(&self, at: At<'_>) -> Result<(), Fault> {
        if self.container_facts(at).await?.is_running() {
            return Ok(());
        }
        let name = self.container_name(at)?;
        self.parts
            .client
            .start_container(&name, None)
            .await
            .map_err(Fault::docker(format!("starting {}", at.service)))?;
        // A container that runs is not yet a service that listens.
        let listens = || async {
            let facts = self.container_facts(at).await?;
            let listening = if facts.is_running() { self.kernel_facts(at).await?.listening } else { Vec::new() };
            let up = facts.is_running() && facts.ports.iter().all(|port| listening.contains(&port.container));
            Ok::<_, Fault>(up.then_some(()))
        };
        until(in_ms(10_000), listens).await?;
        Ok(())
    }
}
