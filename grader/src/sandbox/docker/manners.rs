//! What a service does when it is asked to stop, is asked for its health, or sees a save.
//!
//! Owns: the [`Manners`] of a [`DockerSandbox`]. Must not: judge.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use bollard::models::{ContainerInspectResponse, HealthcheckResult};
use jiff::Timestamp;

use super::super::facts::{EditDone, HealthAnswer, HealthCheck, Stopping, Understudy};
use super::super::{At, Manners, signals};
use super::DockerSandbox;
use crate::course::spec::EditSpec;
use crate::fault::Fault;
use crate::plan::mounts::place_of;

#[async_trait]
impl Manners for DockerSandbox {
    async fn stopping(&self, at: At<'_>) -> Result<Stopping, Fault> {
        let raw = self.inspected(at).await?;
        let config = raw.config.unwrap_or_default();
        let signal = config.stop_signal.unwrap_or_default();
        let number = signals::number(&signal).unwrap_or_default();
        let pid = raw.state.and_then(|state| state.pid).unwrap_or_default();
        let status = self.probe().await?.status(pid).await?;
        let grace = config.stop_timeout.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(USUAL_GRACE_S);
        Ok(Stopping {
            signal: signals::name(number),
            number,
            grace_ms: grace * 1_000,
            awaited: signals::is_awaited(&status, number),
        })
    }

    async fn health_check(&self, at: At<'_>) -> Result<Option<HealthCheck>, Fault> {
        let raw = self.inspected(at).await?;
        let Some(config) = raw.config.and_then(|config| config.healthcheck) else { return Ok(None) };
        let ms = |nanos: Option<i64>| {
            let nanos = nanos.and_then(|nanos| u64::try_from(nanos).ok()).filter(|nanos| *nanos > 0);
            nanos.map_or(USUAL_HEALTH_MS, |nanos| u64::try_from(Duration::from_nanos(nanos).as_millis()).unwrap_or(0))
        };
        let log = raw.state.and_then(|state| state.health).and_then(|health| health.log).unwrap_or_default();
        Ok(Some(HealthCheck {
            interval_ms: ms(config.interval),
            timeout_ms: ms(config.timeout),
            answers: log.into_iter().filter_map(answer).collect(),
        }))
    }

    async fn ask_understudy(
        &self,
        at: At<'_>,
        ports: &[u16],
        sick_at: Option<&str>,
        limit_ms: u64,
    ) -> Result<Understudy, Fault> {
        self.understudy(at, ports, sick_at, limit_ms).await
    }

    async fn edit_by_renaming(&self, stack: &str) -> Result<EditDone, Fault> {
        let edit = self.edit_spec()?;
        let (root, file) = place_of(&self.stack_plan(stack)?.held, &self.stack_dir(stack)?, Path::new(&edit.file));
        let last = EditDone { file: file.display().to_string(), before: edit.find.clone(), after: self.edited() };
        Ok(EditDone { file: edit.file.clone(), ..self.parts.scratch.edit_by_renaming(&root, last, &self.renamed())? })
    }

    async fn edit_again(&self, stack: &str) -> Result<EditDone, Fault> {
        let edit = self.edit_spec()?;
        let (root, file) = place_of(&self.stack_plan(stack)?.held, &self.stack_dir(stack)?, Path::new(&edit.file));
        let again = EditSpec { file: file.display().to_string(), find: self.renamed() };
        let done = self.parts.scratch.edit(&root, &again, &format!("Edited again during run {}", self.parts.run))?;
        Ok(EditDone { file: edit.file.clone(), ..done })
    }
}

/// Seconds that Docker waits after the stop signal when nobody says anything.
const USUAL_GRACE_S: u64 = 10;
/// Milliseconds between two questions, and for an answer, when nobody says anything.
const USUAL_HEALTH_MS: u64 = 30_000;

impl DockerSandbox {
    /// The text that the edit puts in which is saved by renaming.
    fn renamed(&self) -> String {
        format!("Edited by renaming during run {}", self.parts.run)
    }

    /// The daemon's whole answer about a container.
    pub(super) async fn inspected(&self, at: At<'_>) -> Result<ContainerInspectResponse, Fault> {
        let name = self.container_name(at)?;
        self.parts.client.inspect_container(&name, None).await.map_err(Fault::docker(format!("inspecting {name}")))
    }
}

fn answer(result: HealthcheckResult) -> Option<HealthAnswer> {
    let begun: Timestamp = result.start?.parse().ok()?;
    let output = result.output.unwrap_or_default().trim().to_owned();
    Some(HealthAnswer { begun, code: result.exit_code.unwrap_or_default(), output })
}
