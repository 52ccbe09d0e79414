//! The Docker daemon: how it is reached, and what it says about itself.
//!
//! Owns: the findings that come from `docker version` and `docker info`. Must not: look at images
//! or containers.

use std::path::Path;

use bollard::Docker;
use bollard::models::{SystemInfo, SystemVersion};
use jiff::Timestamp;
use rustix::fs::{Access, access};

use super::machine::{free_bytes, gigabytes, space};
use super::{Finding, Level};
use crate::fault::Fault;

/// The API of Engine 20.10.
const API_MIN: (u32, u32) = (1, 41);
/// Clocks that are further apart spoil what is measured by time stamps.
const CLOCK_SECONDS: i64 = 5;

/// What to do where no daemon answers.
pub const START: &str = "Start Docker; `make setup` does it where it can. If it listens elsewhere, set DOCKER_HOST.";

/// Where the grader connects to.
pub fn address() -> String {
    let set = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    set.unwrap_or_else(|| "unix:///var/run/docker.sock".into())
}

/// Whether the socket is there and may be used.
pub fn socket() -> Finding {
    let address = address();
    let Some(path) = address.strip_prefix("unix://").map(Path::new) else {
        return Finding::ok("socket", format!("{address} (from DOCKER_HOST)"));
    };
    let may = |rights| access(path, rights);
    match may(Access::EXISTS).and_then(|()| may(Access::READ_OK | Access::WRITE_OK)) {
        Ok(()) => Finding::ok("socket", format!("{} may be used", path.display())),
        Err(error @ (rustix::io::Errno::ACCESS | rustix::io::Errno::PERM)) => {
            let fault = Fault::NoDaemon { reason: "permission denied".into() };
            Finding::new("socket", Level::Fail, format!("{}: {error}", path.display()), &fault.remedy())
        }
        Err(error) => {
            Finding::new("socket", Level::Fail, format!("{}: {error}; no daemon listens there", path.display()), START)
        }
    }
}

/// The findings about a daemon that answers.
pub async fn examine(client: &Docker) -> Vec<Finding> {
    let begun = Timestamp::now();
    let (version, info) = tokio::join!(client.version(), client.info());
    // The daemon wrote its time somewhere between the two.
    let (begun, ended) = (begun.as_millisecond(), Timestamp::now().as_millisecond());
    let mut findings = Vec::new();
    match version {
        Ok(version) => findings.extend(versions(&version)),
        Err(error) => findings.push(silent(&Fault::docker("asking the daemon for its version")(error))),
    }
    match info {
        Ok(info) => {
            findings.extend([storage(&info), cgroup(&info), memory(&info), cpus(&info), clock(&info, begun, ended)]);
        }
        Err(error) => findings.push(silent(&Fault::docker("asking the daemon what it has")(error))),
    }
    findings
}

fn silent(fault: &Fault) -> Finding {
    Finding::new("daemon", Level::Fail, fault.to_string(), &fault.remedy())
}

fn versions(version: &SystemVersion) -> [Finding; 2] {
    let of = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".into());
    let engine = format!("engine {}, {}/{}", of(&version.version), of(&version.os), of(&version.arch));
    let api = version.api_version.as_deref().and_then(|text| {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    });
    let level = if api.is_some_and(|api: (u32, u32)| api >= API_MIN) { Level::Ok } else { Level::Fail };
    let needed = if level == Level::Ok { "" } else { "; 1.41 or newer is needed" };
    let fix = "Install Docker Engine 20.10 or newer; `make setup` does it where it can.";
    [Finding::ok("daemon", engine), Finding::new("API", level, format!("{}{needed}", of(&version.api_version)), fix)]
}

fn storage(info: &SystemInfo) -> Finding {
    let driver = info.driver.clone().unwrap_or_default();
    let root = info.docker_root_dir.clone().unwrap_or_default();
    let (mut level, text) = space(free_bytes(Path::new(&root)), Path::new(&root));
    let mut fix = "`docker system df` shows what Docker keeps, `docker builder prune` empties its build cache.";
    if driver == "vfs" && level == Level::Ok {
        (level, fix) =
            (Level::Warn, "vfs copies whole images for every container: use overlay2 where the file system allows it.");
    }
    Finding::new("storage", level, format!("{driver} in {root}, {text}"), fix)
}

fn cgroup(info: &SystemInfo) -> Finding {
    let version = info.cgroup_version.map_or_else(|| "of unknown version".into(), |version| format!("v{version}"));
    let limits = [("memory", info.memory_limit), ("CPU", info.cpu_cfs_quota), ("process count", info.pids_limit)];
    let missing: Vec<&str> = limits.iter().filter(|(_, works)| *works == Some(false)).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Finding::ok("cgroup", format!("{version}; limits of memory, CPU and process count work"));
    }
    let found = format!("{version}; no limits of {}", missing.join(", "));
    Finding::new(
        "cgroup",
        Level::Fail,
        found,
        "Switch these controllers on in the kernel's command line, or use another machine.",
    )
}

fn memory(info: &SystemInfo) -> Finding {
    let bytes = info.mem_total.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
    let level = match bytes {
        0..1_000_000_000 => Level::Fail,
        1_000_000_000..2_000_000_000 => Level::Warn,
        _ => Level::Ok,
    };
    Finding::new("memory", level, gigabytes(bytes), "Give the engine (or its virtual machine) 2 GB or more.")
}

fn cpus(info: &SystemInfo) -> Finding {
    let count = info.ncpu.unwrap_or(0);
    let level = if count < 2 { Level::Warn } else { Level::Ok };
    Finding::new(
        "CPUs",
        level,
        count.to_string(),
        "With one CPU a check may run into its time limit. Give the engine two.",
    )
}

fn clock(info: &SystemInfo, begun: i64, ended: i64) -> Finding {
    let theirs =
        info.system_time.as_deref().and_then(|text| text.parse::<Timestamp>().ok()).map(Timestamp::as_millisecond);
    let Some(theirs) = theirs else { return Finding::ok("clock", "the daemon does not tell its time") };
    let apart = if theirs < begun { theirs - begun } else { (theirs - ended).max(0) };
    if apart.abs() <= CLOCK_SECONDS * 1000 {
        return Finding::ok("clock", "the daemon's and ours agree");
    }
    let way = if apart > 0 { "ahead of" } else { "behind" };
    let found = format!("the daemon's is {} s {way} ours", apart.abs() / 1000);
    Finding::new(
        "clock",
        Level::Warn,
        found,
        "Set the clock of the machine that the daemon runs on; restarting a virtual machine helps.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(api: &str) -> Level {
        versions(&SystemVersion { api_version: Some(api.into()), ..SystemVersion::default() })[1].level
    }

    #[test]
    fn the_api_is_compared_by_numbers() {
        assert_eq!([version("1.41"), version("1.100"), version("2.0")], [Level::Ok; 3]);
        assert_eq!([version("1.40"), version("1.9"), version("x")], [Level::Fail; 3]);
    }

    #[test]
    fn the_clock_may_tick_while_we_wait_for_the_answer() {
        let info = SystemInfo { system_time: Some("1970-01-01T00:01:40.5Z".into()), ..SystemInfo::default() };
        assert_eq!(clock(&info, 90_000, 110_000).level, Level::Ok);
        assert_eq!(clock(&info, 105_400, 105_500).level, Level::Ok);
        let behind = clock(&info, 107_500, 107_600);
        assert_eq!((behind.level, behind.found.as_str()), (Level::Warn, "the daemon's is 7 s behind ours"));
        assert!(clock(&info, 0, 1_000).found.contains("99 s ahead of ours"));
    }

    #[test]
    fn a_missing_limit_and_little_memory_fail() {
        let info = SystemInfo { pids_limit: Some(false), mem_total: Some(900_000_000), ..SystemInfo::default() };
        assert!(cgroup(&info).found.contains("no limits of process count"));
        assert_eq!(memory(&info).level, Level::Fail);
    }
}
