//! Where images come from and where they go: build contexts and registries.
//!
//! Owns: the [`Supply`] of a [`DockerSandbox`]. Must not: judge.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, PushImageOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder,
};
use futures_util::TryStreamExt;

use super::super::facts::{ContextFile, HttpRequest, PushFacts};
use super::super::wait::until;
use super::super::{At, Sandbox, Supply, build};
use super::{DockerSandbox, unknown};
use crate::fault::Fault;

/// How long a registry may take to open its port after the stack is up.
const LISTENS_WITHIN_MS: u64 = 15_000;

#[async_trait]
impl Supply for DockerSandbox {
    async fn build_context(&self, image: &str) -> Result<Vec<ContextFile>, Fault> {
        let plan = self.parts.plan.build(image).ok_or_else(|| unknown("image", image))?;
        let dir = self.parts.scratch.copy("context")?;
        let context = dir.join(&plan.context);
        let ignore = ignore_file(&context, &plan.dockerfile);
        let own = self.parts.scratch.own_file(&format!("context-of-{image}"));
        build::context::list(&context, ignore.as_deref(), &own, &self.parts.pace).await
    }

    async fn push_and_pull(&self, image: &str, registry: At<'_>, port: u16) -> Result<PushFacts, Fault> {
        let built_id = self.image_facts(image).await?.id;
        let facts = PushFacts { built_id, ..PushFacts::default() };
        let Some(host) = self.host_port(registry, port).await? else {
            let failure = Some(format!("`{}` does not publish port {port}", registry.service));
            return Ok(PushFacts { failure, ..facts });
        };
        // A container that runs is not yet a registry that listens.
        let ping = HttpRequest::get(port, "/v2/");
        let answers = || async { Ok::<_, Fault>(self.request(registry, &ping).await?.status.is_some().then_some(())) };
        if until(&self.within(LISTENS_WITHIN_MS), answers).await?.is_none() {
            let failure = Some(format!("nobody answers at `{}:{port}/v2/`", registry.service));
            return Ok(PushFacts { failure, ..facts });
        }
        // Docker trusts registries on loopback without TLS.
        let repository = format!("127.0.0.1:{host}/grader/{image}");
        match self.through_registry(image, &repository).await {
            Ok((digest, pulled_id)) => Ok(PushFacts { digest: Some(digest), pulled_id: Some(pulled_id), ..facts }),
            Err(RegistryError::Refused(reason)) => Ok(PushFacts { failure: Some(reason), ..facts }),
            Err(RegistryError::Fault(fault)) => Err(fault),
        }
    }
}

/// The registry is a service of the learner's stack, so what it says is not a fault of the machine.
enum RegistryError {
    Refused(String),
    Fault(Fault),
}

impl DockerSandbox {
    async fn through_registry(&self, image: &str, repository: &str) -> Result<(String, String), RegistryError> {
        let client = &self.parts.client;
        let reference =
            &self.parts.plan.build(image).ok_or_else(|| RegistryError::Fault(unknown("image", image)))?.reference;
        let tag = &self.parts.tag;
        let named = format!("{repository}:{tag}");
        let options = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
        client.tag_image(reference, Some(options)).await.map_err(refused)?;
        let options = PushImageOptionsBuilder::default().tag(tag).build();
        let pushed: Result<Vec<_>, _> = client.push_image(repository, Some(options), None).try_collect().await;
        let digest = self.digest_of(&named, repository).await;
        // The name must not stay behind, whatever came of the push.
        let options = RemoveImageOptionsBuilder::default().noprune(true).build();
        let removed = client.remove_image(&named, Some(options), None).await;
        pushed.map_err(refused)?;
        removed.map_err(refused)?;
        let digest = digest?.ok_or_else(|| RegistryError::Refused("the registry gave no digest".into()))?;
        let by_digest = format!("{repository}@{digest}");
        let options = CreateImageOptionsBuilder::default().from_image(&by_digest).build();
        client.create_image(Some(options), None, None).try_collect::<Vec<_>>().await.map_err(refused)?;
        let id = client.inspect_image(&by_digest).await.map_err(refused)?.id.unwrap_or_default();
        let options = RemoveImageOptionsBuilder::default().noprune(true).build();
        client.remove_image(&by_digest, Some(options), None).await.map_err(refused)?;
        Ok((digest, id))
    }

    async fn digest_of(&self, named: &str, repository: &str) -> Result<Option<String>, RegistryError> {
        let inspected = self.parts.client.inspect_image(named).await;
        let image = inspected.map_err(|error| RegistryError::Refused(error.to_string()))?;
        let prefix = format!("{repository}@");
        Ok(image.repo_digests.into_iter().flatten().find_map(|name| name.strip_prefix(&prefix).map(str::to_owned)))
    }
}

fn refused(error: bollard::errors::Error) -> RegistryError {
    match error {
        // What the daemon says after it has begun to answer is about the registry.
        bollard::errors::Error::DockerStreamError { error } => RegistryError::Refused(error),
        other => RegistryError::Refused(other.to_string()),
    }
}

/// The ignore file that BuildKit takes: the Dockerfile's own comes before the context's.
fn ignore_file(context: &Path, dockerfile: &str) -> Option<PathBuf> {
    let own = context.join(format!("{dockerfile}.dockerignore"));
    [own, context.join(".dockerignore")].into_iter().find(|file| file.is_file())
}
