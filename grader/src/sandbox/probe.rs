//! Looking at containers from outside, with tools that are not theirs.
//!
//! Owns: one helper container per run, made from an image of the course, that sees the host's
//! process ids. Must not: run anything that a submission contains.
//!
//! A learner's image may have no shell, or one that lies. Everything that the kernel knows about
//! a container is read through `/proc` of its main process by this helper instead: cgroup
//! limits, sockets, its file system (`/proc/PID/root`), signals.

mod bounds;
mod inside;
mod samples;
mod status;

pub use bounds::GROUP;

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigCgroupnsModeEnum};
use bollard::query_parameters::CreateContainerOptionsBuilder;

use super::facts::{KernelFacts, Namespaces, Rights, WriteAttempt};
use super::helper::{Helper, Whole};
use super::pace::Pace;
use super::run_id::{LABEL, RunId};
use crate::fault::Fault;

/// Memory values at or above this mean "no limit": cgroup v1 shows the largest multiple of the
/// page size below 2^63 where none is set.
const NO_MEMORY_LIMIT: u64 = 1 << 60;

/// The most that a look may take, milliseconds of a quiet machine. Most of them take none.
const SHORT_MS: u64 = 30_000;

/// The helper container.
#[derive(Debug, Clone)]
pub struct Probe(Helper);

/// The exit code by which a script says that the process it was asked about is not there any more. What it has
/// printed until then is worth nothing.
const GONE: i64 = 3;

/// How far a helper sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The host's processes.
    Processes,
    /// The host's cgroups as well, to put a process of its own into one of them.
    Cgroups,
}

impl Probe {
    /// Starts the helper from `image`.
    pub async fn start(client: &Docker, image: &str, run: &RunId, reach: Reach, pace: &Pace) -> Result<Self, Fault> {
        let (role, binds, command): (_, _, &[&str]) = match reach {
            Reach::Processes => ("probe", None, &["sh", "-c", samples::SCRIPT]),
            // It does nothing but what it is asked for.
            Reach::Cgroups => ("press", Some(vec!["/sys/fs/cgroup:/host-cgroup".to_owned()]), &["sleep", "infinity"]),
        };
        let name = format!("grader-{run}-{role}");
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(command.iter().map(ToString::to_string).collect()),
            user: Some("0".into()),
            labels: Some([(LABEL.to_owned(), run.to_string())].into()),
            host_config: Some(HostConfig {
                pid_mode: Some("host".into()),
                userns_mode: Some("host".into()),
                network_mode: Some("none".into()),
                binds,
                // Paths of cgroups as the host has them.
                cgroupns_mode: Some(HostConfigCgroupnsModeEnum::HOST),
                // To follow /proc/PID/root of processes that run as somebody else, and to see the marks of the storage
                // driver (attributes `trusted.*`). Who sees the machine's processes as root needs neither to be trusted.
                cap_add: Some(vec!["SYS_PTRACE".into(), "SYS_ADMIN".into()]),
                security_opt: Some(vec!["apparmor=unconfined".into(), "label=disable".into()]),
                auto_remove: Some(true),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let created =
            client.create_container(Some(options), body).await.map_err(Fault::docker("creating the grader's probe"))?;
        if reach == Reach::Processes {
            samples::hear(client, &created.id, pace).await?;
        }
        client.start_container(&created.id, None).await.map_err(Fault::docker("starting the grader's probe"))?;
        Ok(Self(Helper { client: client.clone(), id: created.id, pace: pace.clone() }))
    }

    /// Where scripts of ours are run.
    #[must_use]
    pub fn helper(&self) -> &Helper {
        &self.0
    }

    /// What the kernel keeps about the container whose main process is `pid`; `None` when that has ended.
    pub async fn kernel(&self, pid: i64) -> Result<Option<KernelFacts>, Fault> {
        let whole = self.0.run(&inside::kernel(), &[pid.to_string()], SHORT_MS).await?;
        match whole.code {
            0 => parse_kernel(&whole.output).map(Some),
            GONE => Ok(None),
            _ => Err(unreadable(format!("the cgroup of the process {pid}"), &whole.errors)),
        }
    }

    /// The namespaces and the cgroup of a process, and the host's namespaces.
    pub async fn namespaces(&self, pid: i64) -> Result<Namespaces, Fault> {
        let said = self.about(pid, status::NAMESPACES_SCRIPT, &[]).await?;
        status::namespaces(&said).ok_or_else(|| unreadable(format!("/proc/{pid}/ns"), &said))
    }

    /// The rights of a process.
    pub async fn rights(&self, pid: i64) -> Result<Rights, Fault> {
        let said = self.status(pid).await?;
        status::rights(&said).ok_or_else(|| unreadable(format!("/proc/{pid}/status"), &said))
    }

    /// What the kernel says about a process.
    pub async fn status(&self, pid: i64) -> Result<String, Fault> {
        self.about(pid, "cat \"/proc/$1/status\" || exit 3", &[]).await
    }

    /// Tries to write into folders of the container, as root.
    pub async fn try_write(&self, pid: i64, folders: &[String]) -> Result<Vec<WriteAttempt>, Fault> {
        let said = self.about(pid, &inside::write(), folders).await?;
        let said: Vec<&str> = said.lines().collect();
        if said.len() != folders.len() {
            return Err(unreadable(format!("what may be written below /proc/{pid}/root"), &said.join(" ")));
        }
        let attempts = folders.iter().zip(said).map(|(folder, word)| WriteAttempt {
            folder: folder.clone(),
            error: (word != "written").then(|| word.to_owned()),
        });
        Ok(attempts.collect())
    }

    /// Files of a container, at or below these paths, that have a text in them.
    pub async fn files_with(&self, pid: i64, text: &str, paths: &[String]) -> Result<Vec<String>, Fault> {
        let mut arguments = vec![text.to_owned()];
        arguments.extend(paths.iter().cloned());
        let output = self.about(pid, &inside::search(), &arguments).await?;
        let mut found: Vec<String> = output.lines().map(str::to_owned).collect();
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// The gateway of the default route in a process's network namespace; `None` where there is
    /// no such route.
    pub async fn gateway(&self, pid: i64) -> Result<Option<String>, Fault> {
        let table = self.about(pid, "cat \"/proc/$1/net/route\" || exit 3", &[]).await?;
        status::gateway(&table).map_err(|said| unreadable(format!("/proc/{pid}/net/route"), &said))
    }

    /// Sends a signal to processes by their host ids. One that has ended needs none.
    pub async fn signal(&self, signal: &str, pids: &[i64]) -> Result<(), Fault> {
        let mut arguments = vec![signal.to_owned()];
        arguments.extend(pids.iter().map(ToString::to_string));
        let Whole { code, errors, .. } = self.0.run(SIGNAL_SCRIPT, &arguments, SHORT_MS).await?;
        if code == 0 { Ok(()) } else { Err(unreadable(format!("the signal {signal}"), &errors)) }
    }

    /// What a script prints about a process that is there until it has printed all of it.
    async fn about(&self, pid: i64, script: &str, arguments: &[String]) -> Result<String, Fault> {
        let arguments: Vec<String> = [pid.to_string()].into_iter().chain(arguments.iter().cloned()).collect();
        let whole = self.0.run(&format!("pid=$1\n{script}{STILL_THERE}"), &arguments, SHORT_MS).await?;
        match whole.code {
            0 => Ok(whole.output),
            GONE => Err(unreadable(format!("the process {pid}"), "it ended while it was looked at")),
            _ => Err(unreadable(format!("the process {pid}"), &whole.errors)),
        }
    }
}

fn unreadable(what: String, said: &str) -> Fault {
    Fault::Unreadable { what, reason: format!("the helper said {:?}", said.trim()) }
}

/// Ends a script about the process `$pid`: when that has ended meanwhile (a zombie has no root), some files
/// may have been read and others not.
const STILL_THERE: &str = "\n[ -e \"/proc/$pid/root/.\" ] || exit 3\nexit 0\n";

/// A process that has ended takes no signal; whether that is so is looked up, and everything else is told.
const SIGNAL_SCRIPT: &str = r#"
signal=$1; shift
for pid in "$@"; do
    kill -"$signal" "$pid" || [ ! -e "/proc/$pid/root/." ] || exit 1
done
exit 0
"#;

fn parse_kernel(output: &str) -> Result<KernelFacts, Fault> {
    let mut facts = KernelFacts { cpu_period_us: 100_000, ..KernelFacts::default() };
    // The table of sockets has a head, also where there are none.
    if !output.contains("local_address") {
        return Err(unreadable("what the kernel keeps about a container".into(), output));
    }
    let mut online = None;
    for line in output.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
        match words.first().copied().unwrap_or_default() {
            "memory.max" | "memory/memory.limit_in_bytes" => {
                facts.memory_max = number(1).filter(|bytes| *bytes < NO_MEMORY_LIMIT);
            }
            "cpu.max" => {
                facts.cpu_quota_us = number(1);
                facts.cpu_period_us = number(2).unwrap_or(facts.cpu_period_us);
            }
            "cpu/cpu.cfs_quota_us" => facts.cpu_quota_us = number(1),
            "cpu/cpu.cfs_period_us" => facts.cpu_period_us = number(1).unwrap_or(facts.cpu_period_us),
            "pids.max" | "pids/pids.max" => facts.pids_max = number(1),
            "cpuset.cpus.effective" | "cpuset/cpuset.effective_cpus" => {
                facts.cpuset = words.get(1).and_then(|list| cpus(list));
            }
            "online" => online = words.get(1).and_then(|list| cpus(list)),
            // `unix NUMBER: COUNT PROTOCOL FLAGS TYPE STATE INODE PATH`
            "unix" => facts.unix_sockets.push(words.get(8).map_or("one without a name", |path| *path).to_owned()),
            "udp" => facts.udp.extend(words.get(1).and_then(|local| udp_port(local))),
            _ => socket(&words, &mut facts),
        }
    }
    facts.cpuset = facts.cpuset.filter(|cpuset| online.is_some_and(|online| *cpuset < online));
    for ports in [&mut facts.listening, &mut facts.on_loopback, &mut facts.udp] {
        ports.sort_unstable();
        ports.dedup();
    }
    Ok(facts)
}

/// How many CPUs a list such as `0-3,7` names.
fn cpus(list: &str) -> Option<u64> {
    let count = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some(to.parse::<u64>().ok()?.checked_sub(from.parse().ok()?)? + 1)
    };
    list.split(',').map(count).sum()
}

/// 127.0.0.11, as the kernel's tables of sockets write it.
const DOCKERS_NAME_SERVER: &str = "0B00007F";

/// The port of a local address in the table of UDP sockets.
fn udp_port(local: &str) -> Option<u16> {
    let (address, port) = local.split_once(':')?;
    u16::from_str_radix(port, 16).ok().filter(|_| address != DOCKERS_NAME_SERVER)
}

/// One line of `/proc/PID/net/tcp`: `sl local_address rem_address st tx:rx ...`, see proc(5).
fn socket(words: &[&str], facts: &mut KernelFacts) {
    const ESTABLISHED: &str = "01";
    const LISTEN: &str = "0A";
    let [_, local, _, state, queues, ..] = words else { return };
    let Some((address, port)) = local.split_once(':') else { return };
    let Ok(port) = u16::from_str_radix(port, 16) else { return };
    // Addresses are in the machine's byte order; 127.0.0.0/8 is loopback, and Docker's own name
    // server listens in it.
    let loopback = (address.len() == 8 && address.ends_with("7F")) || address == "00000000000000000000000001000000";
    if *state == LISTEN {
        match address {
            DOCKERS_NAME_SERVER => {}
            _ if loopback || address == "0000000000000000FFFF00000100007F" => facts.on_loopback.push(port),
            _ => facts.listening.push(port),
        }
    }
    let nothing_unread = queues.split_once(':').is_some_and(|(_, unread)| unread.chars().all(|digit| digit == '0'));
    // A health check within the container talks over loopback, perhaps as ::ffff:127.0.0.1; guests do not.
    let from_within = loopback || address == "0000000000000000FFFF00000100007F";
    if *state == ESTABLISHED && nothing_unread && !from_within {
        *facts.connections_read.entry(port).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue\n";

    fn parsed(text: &str) -> KernelFacts {
        parse_kernel(&format!("{text}{HEAD}")).expect("facts")
    }

    #[test]
    fn without_the_table_of_sockets_nothing_is_known() {
        assert!(parse_kernel("memory.max 268435456\n").is_err());
        assert_eq!(parsed("").listening, Vec::<u16>::new());
    }

    #[test]
    fn limits_of_cgroup_v2_are_read() {
        let facts = parsed("memory.max 268435456\ncpu.max 50000 100000\npids.max max\n");
        assert_eq!((facts.memory_max, facts.cpus(), facts.pids_max), (Some(268_435_456), Some(0.5), None));
    }

    #[test]
    fn some_of_the_cpus_are_a_limit_and_all_of_them_are_none() {
        let facts = |own: &str| parsed(&format!("cpuset/cpuset.effective_cpus {own}\nonline 0-3,7\n"));
        assert_eq!(
            (facts("0").most_cpus(), facts("0-1,7").most_cpus(), facts("0-3,7").most_cpus()),
            (Some(1.0), Some(3.0), None)
        );
        let both = parsed("cpuset.cpus.effective 0-1\nonline 0-3\ncpu.max 50000 100000\n");
        assert_eq!((both.cpus(), both.most_cpus()), (Some(0.5), Some(0.5)));
    }

    #[test]
    fn udp_is_told_by_its_port_and_dockers_name_server_is_left_out() {
        let facts = parsed("udp 0B00007F:D431\nudp 0100007F:270F\nudp 00000000000000000000000000000000:0035\n");
        assert_eq!(facts.udp, [53, 9999]);
    }

    #[test]
    fn unix_sockets_are_told_by_their_paths() {
        let facts =
            parsed("unix 000000: 00000002 00000000 00010000 0001 01 17 /tmp/door\nunix 1: 2 0 00010000 0001 01 18\n");
        assert_eq!(facts.unix_sockets, ["/tmp/door", "one without a name"]);
    }

    #[test]
    fn limits_of_cgroup_v1_are_read_and_its_huge_number_is_none() {
        let text = "memory/memory.limit_in_bytes 9223372036854771712\ncpu/cpu.cfs_quota_us -1\ncpu/cpu.cfs_period_us 100000\npids/pids.max 64\n";
        let facts = parsed(text);
        assert_eq!((facts.memory_max, facts.cpu_quota_us, facts.pids_max), (None, None, Some(64)));
    }

    #[test]
    fn listening_ports_leave_out_loopback_and_connections_count_when_read() {
        let text = "0: 00000000:0BB8 00000000:0000 0A 00000000:00000000 00:00000000\n\
            1: 0100007F:240D 00000000:0000 0A 00000000:00000000 00:00000000\n\
            1: 0B00007F:8103 00000000:0000 0A 00000000:00000000 00:00000000\n\
            2: 020012AC:0BB8 010012AC:D431 01 00000000:00000000 00:00000000\n\
            3: 020012AC:0BB8 010012AC:D432 01 00000000:00000040 00:00000000\n\
            4: 0000000000000000FFFF00000100007F:0BB8 0000000000000000FFFF00000100007F:D433 01 00000000:00000000 0\n";
        let facts = parsed(&format!("{HEAD}{text}"));
        assert_eq!((facts.listening, facts.on_loopback), (vec![3000], vec![9229]));
        assert_eq!(facts.connections_read.get(&3000), Some(&1));
    }
}
