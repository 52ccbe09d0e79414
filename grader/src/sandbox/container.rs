//! One container: inspect, exec, logs, changes, paths.
//!
//! Owns: turning the daemon's answers into facts. Must not: know stacks or lessons.

mod logs;
mod processes;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use bollard::Docker;
use bollard::exec::StartExecResults;
use bollard::models::{ChangeType, ContainerInspectResponse, ExecConfig, PortBinding};
use futures_util::StreamExt;

use super::facts::{ContainerFacts, Exit, MountFacts, NOT_MADE, PublishedPort};
use super::run_id::LABEL;
use super::wait::{Deadline, until};
use crate::fault::Fault;
use crate::plan::Injected;
use logs::LINE_SHOWN;
pub use logs::{log_lines, log_tail};
pub use processes::processes;

/// The container as the daemon describes it. Bind mounts are told relative to `dir`; what the
/// grader put in is left out.
pub async fn inspect(client: &Docker, name: &str, dir: &Path, injected: &Injected) -> Result<ContainerFacts, Fault> {
    let raw = match client.inspect_container(name, None).await {
        Ok(raw) => raw,
        // A service that the learner has left out, or that Compose did not come to.
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => {
            return Ok(ContainerFacts { state: NOT_MADE.into(), ..ContainerFacts::default() });
        }
        Err(error) => return Err(Fault::docker(format!("inspecting {name}"))(error)),
    };
    Ok(facts(raw, dir, injected))
}

/// The same, out of the daemon's answer.
#[must_use]
pub fn facts(raw: ContainerInspectResponse, dir: &Path, injected: &Injected) -> ContainerFacts {
    let state = raw.state.unwrap_or_default();
    let config = raw.config.unwrap_or_default();
    let host = raw.host_config.unwrap_or_default();
    let log = host.log_config.clone().unwrap_or_default();
    let modes =
        [("ipc", &host.ipc_mode), ("net", &host.network_mode), ("pid", &host.pid_mode), ("uts", &host.uts_mode)];
    let is_shared = |mode: &str| mode == "host" || mode.starts_with("container:");
    let shares = modes.iter().filter(|(_, mode)| mode.as_deref().is_some_and(is_shared));
    let shares = shares.map(|(name, _)| (*name).to_owned()).collect();
    let positive = |value: Option<i64>| value.and_then(|v| u64::try_from(v).ok()).filter(|v| *v > 0);
    let network = raw.network_settings.unwrap_or_default();
    let project = config.labels.as_ref().and_then(|labels| labels.get("com.docker.compose.project")).cloned();
    let prefix = project.map(|project| format!("{project}_")).unwrap_or_default();
    let short = |name: String| name.strip_prefix(&prefix).map(str::to_owned).unwrap_or(name);
    let joined = network.networks.into_iter().flatten();
    let mut joined: Vec<_> = joined.map(|(name, end)| (short(name), end.ip_address.unwrap_or_default())).collect();
    joined.sort();
    let (networks, addresses) = joined.into_iter().unzip();
    let tmpfs = host.tmpfs.into_iter().flatten().map(|(target, options)| tmpfs_facts(target, &options));
    let added = |mount: &bollard::models::MountPoint| {
        mount.destination.as_ref().is_some_and(|target| injected.mounts.contains(target))
    };
    let mounts = raw.mounts.into_iter().flatten().filter(|mount| !added(mount));
    let mounts = mounts.map(|mount| mount_facts(mount, dir, &injected.sources, &prefix));
    let mut mounts: Vec<MountFacts> = mounts.chain(tmpfs).collect();
    mounts.sort_by(|a, b| a.target.cmp(&b.target));
    let command = config.entrypoint.into_iter().flatten().chain(config.cmd.into_iter().flatten()).collect();
    ContainerFacts {
        id: raw.id.unwrap_or_default(),
        image_id: raw.image.unwrap_or_default(),
        state: state.status.map(|status| status.to_string()).unwrap_or_default(),
        started_at: state.started_at.unwrap_or_default(),
        pid: state.pid.unwrap_or_default(),
        restarts: raw.restart_count.unwrap_or_default(),
        exit_code: state.exit_code.unwrap_or_default(),
        oom_killed: state.oom_killed.unwrap_or_default(),
        health_said: state
            .health
            .as_ref()
            .and_then(|health| health.log.as_ref()?.last()?.output.clone())
            .map(|output| output.trim().chars().take(LINE_SHOWN).collect())
            .unwrap_or_default(),
        start_error: state.error.unwrap_or_default(),
        health: state
            .health
            .and_then(|health| health.status)
            .map(|s| s.to_string())
            .filter(|s| !s.is_empty() && s != "none"),
        ports: network.ports.map(published).unwrap_or_default(),
        mounts,
        env: config
            .env
            .into_iter()
            .flatten()
            .filter_map(|line| line.split_once('=').map(|(k, v)| (k.into(), v.into())))
            .collect(),
        user: config.user.unwrap_or_default(),
        command,
        workdir: config.working_dir.filter(|dir| !dir.is_empty()).unwrap_or_else(|| "/".into()),
        read_only: host.readonly_rootfs.unwrap_or_default(),
        memory: positive(host.memory).filter(|_| !injected.memory),
        nano_cpus: positive(host.nano_cpus).filter(|_| !injected.cpus),
        restart_policy: host
            .restart_policy
            .and_then(|p| p.name)
            .map(|n| n.to_string())
            .filter(|n| !n.is_empty())
            .unwrap_or_else(|| "no".into()),
        name: raw.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        image: config.image.unwrap_or_default(),
        finished_at: state.finished_at.unwrap_or_default(),
        hostname: config.hostname.unwrap_or_default(),
        shares,
        networks,
        addresses,
        labels: config.labels.into_iter().flatten().filter(|(name, _)| !is_tools_label(name)).collect(),
        pids_limit: positive(host.pids_limit).filter(|_| !injected.pids),
        log_driver: log.typ.unwrap_or_default(),
        log_options: if injected.logging {
            BTreeMap::new()
        } else {
            let options = log.config.unwrap_or_default().into_iter();
            options.filter(|(name, _)| !(injected.log_size && name == "max-size")).collect()
        },
    }
}

/// Labels that Compose and the grader put on, which say nothing about the learner's wishes.
fn is_tools_label(name: &str) -> bool {
    name.starts_with("com.docker.") || name.starts_with("desktop.docker.") || name == LABEL
}

fn published(ports: impl IntoIterator<Item = (String, Option<Vec<PortBinding>>)>) -> Vec<PublishedPort> {
    let mut found: Vec<PublishedPort> = ports
        .into_iter()
        .filter_map(|(container, bindings)| {
            let container = container.strip_suffix("/tcp")?.parse().ok()?;
            let host = bindings?.into_iter().find_map(|binding| binding.host_port?.parse().ok())?;
            Some(PublishedPort { container, host })
        })
        .collect();
    found.sort_by_key(|port| port.container);
    found
}

/// `written` has sources of binds as the learner wrote them, by those that the daemon has.
fn mount_facts(
    mount: bollard::models::MountPoint,
    dir: &Path,
    written: &BTreeMap<String, String>,
    prefix: &str,
) -> MountFacts {
    let volume = mount.name.unwrap_or_default();
    let source = mount.source.unwrap_or_default();
    let relative = Path::new(&source).strip_prefix(dir).map(|path| path.display().to_string());
    let kind = mount.typ.unwrap_or_default();
    let source = match (kind.as_str(), relative) {
        ("bind", _) if written.contains_key(&source) => written[&source].clone(),
        ("bind", Ok(path)) if path.is_empty() => ".".into(),
        ("bind", Ok(path)) => path,
        ("bind", Err(_)) => source,
        ("volume", _) if !is_anonymous(&volume) => volume.strip_prefix(prefix).unwrap_or(&volume).to_owned(),
        _ => String::new(),
    };
    MountFacts { kind, source, target: mount.destination.unwrap_or_default(), writable: mount.rw.unwrap_or(true) }
}

/// What `tmpfs:` of a service asks for; the daemon does not list it among the mounts.
fn tmpfs_facts(target: String, options: &str) -> MountFacts {
    let writable = !options.split(',').any(|option| option == "ro");
    MountFacts { kind: "tmpfs".into(), source: String::new(), target, writable }
}

/// The most of a command's output that is kept, bytes.
const OUTPUT_KEPT: usize = 1_000_000;

/// The daemon names a volume that has no name by 64 hexadecimal digits.
fn is_anonymous(volume: &str) -> bool {
    volume.len() == 64 && volume.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Runs a command of the submission's in its container, and waits for its end until the deadline. Scripts of
/// ours run in a [`helper`](super::helper).
pub async fn exec(client: &Docker, id: &str, command: Vec<String>, deadline: &Deadline) -> Result<Exit, Fault> {
    let failed = || Fault::docker(format!("running a command in {id}"));
    let config = ExecConfig {
        cmd: Some(command),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..ExecConfig::default()
    };
    let mut exit = Exit { code: None, output: String::new(), cut: false };
    let running = async {
        let created = client.create_exec(id, config).await.map_err(failed())?;
        let started = client.start_exec(&created.id, None).await.map_err(failed())?;
        if let StartExecResults::Attached { output: mut stream, .. } = started {
            while let Some(part) = stream.next().await {
                let part = part.map_err(failed())?;
                // A command that floods is read to its end, but not kept.
                exit.cut |= exit.output.len() > OUTPUT_KEPT;
                if !exit.cut {
                    exit.output.push_str(&part.to_string());
                }
            }
        }
        // Its output has ended; the daemon may take a moment to know that the command has, too.
        let ended = || async {
            let facts = client.inspect_exec(&created.id).await.map_err(failed())?;
            Ok(facts.exit_code.filter(|_| facts.running != Some(true)))
        };
        until(deadline, ended).await
    };
    let ended = deadline.wait_for(running).await?.transpose()?.flatten();
    exit.cut |= ended.is_none();
    Ok(Exit { code: ended, ..exit })
}

/// Paths that were added or changed in the writable layer, folders that only hold others left out.
pub async fn changed_paths(client: &Docker, name: &str) -> Result<Vec<String>, Fault> {
    let changes =
        client.container_changes(name).await.map_err(Fault::docker(format!("reading the changes of {name}")))?;
    let mut paths: Vec<String> = changes.unwrap_or_default().into_iter().map(|change| change.path).collect();
    paths.sort();
    let folders: HashSet<String> =
        paths.iter().filter_map(|path| path.rsplit_once('/').map(|(folder, _)| folder.to_owned())).collect();
    paths.retain(|path| !folders.contains(path));
    Ok(paths)
}

/// Paths that were deleted in the writable layer.
pub async fn deleted_paths(client: &Docker, name: &str) -> Result<Vec<String>, Fault> {
    let changes =
        client.container_changes(name).await.map_err(Fault::docker(format!("reading the changes of {name}")))?;
    let deleted = changes.unwrap_or_default().into_iter().filter(|change| change.kind == ChangeType::_2);
    Ok(deleted.map(|change| change.path).collect())
}

/// Whether a path exists in a container, running or not, mounts included.
pub async fn has_path(client: &Docker, name: &str, path: &str) -> Result<bool, Fault> {
    let options = bollard::query_parameters::ContainerArchiveInfoOptionsBuilder::default().path(path).build();
    match client.get_container_archive_info(name, Some(options)).await {
        Ok(_) => Ok(true),
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
        Err(error) => Err(Fault::docker(format!("looking for {path} in {name}"))(error)),
    }
}

/// Whether it was Docker (for `init: true`) or the grader's attempts to write that put a file there.
#[must_use]
pub fn is_tools_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["/sbin/docker-init", "/usr/sbin/docker-init"].contains(&path) || name.starts_with(".grader-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_told_as_the_learner_wrote_them() {
        use bollard::models::MountPoint;
        let mount = |source: &str, target: &str| MountPoint {
            typ: Some("bind".into()),
            source: Some(source.into()),
            destination: Some(target.into()),
            ..MountPoint::default()
        };
        let mounts = vec![mount("/r/stack-s", "/w"), mount("/r/held-s/0", "/w/sub"), mount("/r/held-s/0", "/s")];
        let raw = ContainerInspectResponse { mounts: Some(mounts), ..ContainerInspectResponse::default() };
        let injected = Injected {
            mounts: ["/w/sub".to_owned()].into(),
            sources: [("/r/held-s/0".to_owned(), "sub".to_owned())].into(),
            ..Injected::default()
        };
        let found = facts(raw, Path::new("/r/stack-s"), &injected).mounts;
        let found: Vec<_> = found.iter().map(|mount| (mount.source.as_str(), mount.target.as_str())).collect();
        assert_eq!(found, [("sub", "/s"), (".", "/w")]);
    }

    #[test]
    fn files_of_docker_and_of_the_grader_are_not_the_learners() {
        let tools = ["/usr/sbin/docker-init", "/etc/.grader-write-test", "/.grader-a1B2"];
        assert!(tools.into_iter().all(is_tools_file));
        assert!(!["/srv/docker-init", "/srv/.grader-/x", "/etc/grader"].into_iter().any(is_tools_file));
    }
}
