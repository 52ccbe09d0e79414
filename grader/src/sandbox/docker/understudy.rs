//! A health check, asked where the app is not.
//!
//! Owns: a container in the app's place in which only its health check runs, beside a stand-in of ours.
//! Must not: judge, or let that container reach anything.

use std::collections::HashMap;
use std::time::Instant;

use bollard::models::{ContainerConfig, ContainerCreateBody, HealthConfig, HostConfig, Mount, MountPoint, MountType};
use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptionsBuilder};

use super::super::facts::{Exit, Understudy};
use super::super::helper::Helper;
use super::super::run_id::LABEL;
use super::super::wait::{since, until};
use super::super::{At, Sandbox};
use super::DockerSandbox;
use crate::fault::Fault;

impl DockerSandbox {
    pub(super) async fn understudy(
        &self,
        at: At<'_>,
        ports: &[u16],
        sick_at: Option<&str>,
        limit_ms: u64,
    ) -> Result<Understudy, Fault> {
        let stand_in = self.stand_in(at).await?;
        let helper = Helper { client: self.parts.client.clone(), id: stand_in.clone(), pace: self.parts.pace.clone() };
        let asked = async {
            let nobody = self.ask_beside(at, &stand_in, limit_ms).await?;
            let ports = ports.iter().map(ToString::to_string);
            let words: Vec<String> = sick_at.into_iter().map(str::to_owned).chain(ports).collect();
            let serve = if sick_at.is_some() { "one" } else { "all" };
            helper.run(&format!("set -- {serve} \"$@\"\n{SICK_SCRIPT}"), &words, LONGEST_MS).await?;
            let sick = self.ask_beside(at, &stand_in, limit_ms).await?;
            Ok(Understudy { nobody, sick })
        };
        let asked = asked.await;
        self.remove(&stand_in).await?;
        asked
    }

    /// A container of ours with a loopback of its own, on which nobody listens yet.
    async fn stand_in(&self, at: At<'_>) -> Result<String, Fault> {
        let hosts = [at.service.to_owned(), self.container_facts(at).await?.hostname];
        let body = ContainerCreateBody {
            image: self.parts.bases.first().cloned(),
            entrypoint: Some(vec!["sleep".into()]),
            cmd: Some(vec!["infinity".into()]),
            user: Some("0".into()),
            labels: Some(self.own_label()),
            host_config: Some(HostConfig {
                network_mode: Some("none".into()),
                // The app by its own names.
                extra_hosts: Some(hosts.into_iter().map(|host| format!("{host}:127.0.0.1")).collect()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let id = self.create(at, body).await?;
        let started = self.parts.client.start_container(&id, None).await;
        started.map_err(Fault::docker("starting the grader's stand-in"))?;
        Ok(id)
    }

    /// Runs the health check's command in a new container that is as the app's, within the stand-in's network.
    async fn ask_beside(&self, at: At<'_>, stand_in: &str, limit_ms: u64) -> Result<Exit, Fault> {
        let raw = self.inspected(at).await?;
        let config = raw.config.unwrap_or_default();
        let Some(command) = health_command(&config) else {
            return Ok(Exit { code: None, output: String::new(), cut: false });
        };
        let host = raw.host_config.unwrap_or_default();
        let mounts = raw.mounts.into_iter().flatten();
        let mut mounts: Vec<Mount> =
            mounts.map(|mount| self.mounted(at, mount)).collect::<Result<Vec<_>, _>>()?.concat();
        mounts.extend(host.mounts.into_iter().flatten().filter(|mount| mount.typ == Some(MountType::TMPFS)));
        let body = ContainerCreateBody {
            image: raw.image,
            entrypoint: Some(command),
            env: config.env,
            user: config.user,
            working_dir: config.working_dir,
            labels: Some(self.own_label()),
            healthcheck: Some(HealthConfig { test: Some(vec!["NONE".into()]), ..HealthConfig::default() }),
            host_config: Some(HostConfig {
                network_mode: Some(format!("container:{stand_in}")),
                mounts: Some(mounts),
                tmpfs: host.tmpfs,
                readonly_rootfs: host.readonly_rootfs,
                memory: host.memory,
                nano_cpus: host.nano_cpus,
                cpu_quota: host.cpu_quota,
                cpu_period: host.cpu_period,
                pids_limit: host.pids_limit,
                cap_add: host.cap_add,
                cap_drop: host.cap_drop,
                security_opt: host.security_opt,
                group_add: host.group_add,
                userns_mode: host.userns_mode,
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let id = self.create(at, body).await?;
        let begun = Instant::now();
        let exit = match self.parts.client.start_container(&id, None).await {
            Ok(()) => {
                let ended = || async {
                    let raw = self.parts.client.inspect_container(&id, None).await;
                    let state = raw.map_err(Fault::docker("looking at a health check"))?.state.unwrap_or_default();
                    let over = state.running == Some(false);
                    Ok::<_, Fault>(over.then_some(state.exit_code))
                };
                // The container itself needed some time to come up.
                let limit = self.within(limit_ms + since(begun));
                let code = until(&limit, ended).await?.flatten();
                Exit { code, output: String::new(), cut: code.is_none() }
            }
            // What cannot even be started there has not said yes.
            Err(error) => Exit { code: None, output: error.to_string(), cut: false },
        };
        self.remove(&id).await?;
        Ok(exit)
    }

    /// The same mount for the container in the app's place. Folders of the exercise come from a copy that no
    /// container has had in its hands, and cannot be written.
    fn mounted(&self, at: At<'_>, mount: MountPoint) -> Result<Vec<Mount>, Fault> {
        let (source, target) = (mount.source.unwrap_or_default(), mount.destination);
        let same = |typ, source| Mount { typ: Some(typ), source: Some(source), target, ..Mount::default() };
        Ok(match mount.typ.as_deref() {
            Some("volume") => mount.name.map(|name| same(MountType::VOLUME, name)).into_iter().collect(),
            Some("bind") => {
                let below =
                    std::path::Path::new(&source).strip_prefix(self.stack_dir(at.stack)?).map(ToOwned::to_owned);
                let copy = self.parts.scratch.copy(&format!("understudy-{}", at.stack))?;
                let copied = below.map(|path| copy.join(path)).ok().filter(|path| path.exists());
                let bind = |path: std::path::PathBuf| same(MountType::BIND, path.display().to_string());
                copied.map(|path| Mount { read_only: Some(true), ..bind(path) }).into_iter().collect()
            }
            _ => Vec::new(),
        })
    }

    fn own_label(&self) -> HashMap<String, String> {
        HashMap::from([(LABEL.to_owned(), self.parts.run.to_string())])
    }

    async fn create(&self, at: At<'_>, body: ContainerCreateBody) -> Result<String, Fault> {
        // Docker gives it a name.
        let options = None::<CreateContainerOptions>;
        let created = self.parts.client.create_container(options, body).await;
        Ok(created.map_err(Fault::docker(format!("standing in for {}", at.service)))?.id)
    }

    async fn remove(&self, id: &str) -> Result<(), Fault> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let removed = self.parts.client.remove_container(id, Some(options)).await;
        removed.map_err(Fault::docker("removing the grader's stand-in"))
    }
}

/// The most that it may take until the stand-in answers, milliseconds.
const LONGEST_MS: u64 = 10_000;

/// The command of a container's health check, as Docker runs it.
pub(super) fn health_command(config: &ContainerConfig) -> Option<Vec<String>> {
    let test = config.healthcheck.as_ref()?.test.as_ref()?;
    let (kind, rest) = test.split_first()?;
    match kind.as_str() {
        "CMD" => Some(rest.to_vec()),
        "CMD-SHELL" => {
            let usual = || vec!["/bin/sh".to_owned(), "-c".to_owned()];
            let shell = config.shell.clone().filter(|shell| !shell.is_empty()).unwrap_or_else(usual);
            Some(shell.into_iter().chain([rest.join(" ")]).collect())
        }
        _ => None,
    }
}

/// Begins to answer on every port that it is given, with 503; where the first word is `one`, the second is the
/// only path that gets it, and others get 200. It ends when all doors are open, and leaves the server running.
const SICK_SCRIPT: &str = r#"
perl -e '
    use IO::Socket::INET; use IO::Select; use Socket qw(SOL_SOCKET SO_RCVTIMEO);
    my $sick = shift(@ARGV) eq "one" ? shift @ARGV : undef;
    my $doors = IO::Select->new(map { IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => $_, Listen => 64, ReuseAddr => 1) // () } @ARGV);
    open(my $sign, ">", "/tmp/open"); close $sign;
    exit unless $doors->count;
    $SIG{PIPE} = "IGNORE";
    while (my @ready = $doors->can_read) {
        for my $door (@ready) {
            my $guest = $door->accept or next;
            setsockopt($guest, SOL_SOCKET, SO_RCVTIMEO, pack("l!l!", 1, 0));
            my $line = <$guest> // "";
            while (my $head = <$guest>) { last if $head =~ /^\r?\n$/ }
            my ($path) = $line =~ m{^\S+ ([^ ?]+)};
            my $said = !defined $sick || (defined $path && $path eq $sick) ? "503 Service Unavailable" : "200 OK";
            print $guest "HTTP/1.1 $said\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            close $guest;
        }
    }
' "$@" < /dev/null > /dev/null 2>&1 &
until [ -e /tmp/open ]; do sleep 0.02; done
"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(test: &[&str], shell: &[&str]) -> Option<Vec<String>> {
        let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
        let healthcheck = Some(HealthConfig { test: words(test), ..HealthConfig::default() });
        health_command(&ContainerConfig { healthcheck, shell: words(shell), ..ContainerConfig::default() })
    }

    #[test]
    fn a_health_check_runs_in_the_image_s_own_shell() {
        let command = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["CMD", "a", "b"], &["bash"]), command(&["a", "b"]));
        assert_eq!(of(&["CMD-SHELL", "a || b"], &[]), command(&["/bin/sh", "-c", "a || b"]));
        assert_eq!(of(&["CMD-SHELL", "a"], &["bash", "-ec"]), command(&["bash", "-ec", "a"]));
        assert_eq!(of(&["NONE"], &[]), None);
    }
}
