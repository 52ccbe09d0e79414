//! The limits on what a submission may be and use.
//!
//! Owns: the numbers. They protect the machine; no lesson asks for them.

/// Files in a submission.
pub const FILES: usize = 2_000;
/// Bytes of a submission, without `node_modules` and `.git`.
pub const BYTES: u64 = 20_000_000;
/// Folders in each other in a submission.
pub const DEPTH: usize = 30;
/// Refusals that are shown; the others are counted.
pub const REFUSALS: usize = 20;
/// Services in a stack, replicas counted.
pub const SERVICES: u64 = 12;
/// Networks of a submission, all its stacks together.
pub const NETWORKS: usize = 10;
/// Named volumes of a submission, all its stacks together.
pub const VOLUMES: usize = 20;
/// Mounts of a service: volumes, `tmpfs`, secrets and configs.
pub const MOUNTS: usize = 40;
/// Bytes of a merged Compose model: variables, labels, names and all.
pub const MODEL_BYTES: usize = 500_000;
/// Memory of a container that sets no limit.
pub const MEMORY_BYTES: u64 = 1_000_000_000;
/// The most memory that a container may ask for.
pub const MEMORY_MOST: u64 = 4_000_000_000;
/// The most CPUs that a container may ask for.
pub const CPUS_MOST: f64 = 4.0;
/// The most that a container may weigh against others (`cpu_shares`; Docker's own value is 1024).
pub const CPU_SHARES_MOST: f64 = 2048.0;
/// Processes of a container that sets no limit.
pub const PROCESSES: u64 = 512;
/// The most processes that a container may ask for.
pub const PROCESSES_MOST: f64 = 4096.0;
/// The most open files that a container may ask for.
pub const OPEN_FILES_MOST: f64 = 1_048_576.0;
/// Ports that a service may publish. Docker starts a process of its own for each of them.
pub const PORTS: usize = 20;
/// The least time between two health checks, milliseconds.
pub const HEALTH_INTERVAL_MS: i128 = 200;
/// The longest grace time of a stop, milliseconds.
pub const GRACE_MS: i128 = 60_000;
/// The most bytes of log that a container may keep.
pub const LOG_MOST: u64 = 1_000_000_000;
/// Docker's own log driver, which containers get that name none.
pub const LOG_DRIVER: &str = "json-file";
/// Log of a container that sets no bound.
pub const LOG_SIZE: &str = "10m";
/// Seconds for one build, unless `--build-seconds` says otherwise.
pub const BUILD_SECONDS: u64 = 300;
/// Seconds for `docker compose up`.
pub const STACK_SECONDS: u64 = 120;
/// Bytes of a build's output that are kept.
pub const BUILD_OUTPUT: usize = 4_000_000;

/// Bytes that an image may add over its base.
pub const IMAGE_BYTES: u64 = 3_000_000_000;

/// CPUs of a container that sets no limit: two, or all where there are fewer.
#[must_use]
pub fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(2)
}

/// Why a health check may not run more often.
#[must_use]
pub fn health_interval() -> String {
    format!("Each run starts a process in the container: at least {HEALTH_INTERVAL_MS} ms lie between two of them.")
}

/// Why nothing is mounted over the kernel's own folders.
pub const KERNELS: &str = "/proc, /sys and /dev show what the kernel says about the container. Nothing may be put in their place (/dev/shm is free).";

/// Whether a path in a container belongs to the kernel.
#[must_use]
pub fn is_kernels(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    // A `..` could lead anywhere; nobody needs one in a container's path.
    let is_below = matches!(parts.first(), Some(&("proc" | "sys" | "dev"))) && parts[..] != ["dev", "shm"];
    path.starts_with('/') && (is_below || parts.contains(&".."))
}

/// A time as Compose and Docker write it (`1m30s`, `500ms`), in milliseconds.
#[must_use]
pub fn duration_ms(text: &str) -> Option<i128> {
    // Less than a millisecond counts as one, so that it is not taken for 0, which means "default".
    let span: jiff::SignedDuration = text.parse().ok()?;
    Some(if span.is_zero() { 0 } else { span.as_millis().max(1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_docker_writes_them() {
        let read = ["1ms", "1µs", "1m30s", "1h0m0s", "0s", "1.5s", "x"].map(duration_ms);
        assert_eq!(read, [Some(1), Some(1), Some(90_000), Some(3_600_000), Some(0), Some(1_500), None]);
    }

    #[test]
    fn the_kernels_folders_are_known_in_each_spelling() {
        for path in ["/proc", "/sys/fs/cgroup", "//sys/", "/./dev/null", "/app/../sys", "/dev/shm/x"] {
            assert!(is_kernels(path), "{path}");
        }
        for path in ["/dev/shm", "/app/sys", "/system", "relative"] {
            assert!(!is_kernels(path), "{path}");
        }
    }
}
