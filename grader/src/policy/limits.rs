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
/// Log of a container that sets no bound.
pub const LOG_SIZE: &str = "10m";
/// Seconds for one build, unless `--build-seconds` says otherwise.
pub const BUILD_SECONDS: u64 = 300;
/// Seconds for `docker compose up`.
pub const STACK_SECONDS: u64 = 120;
/// Bytes of a build's output that are kept.
pub const BUILD_OUTPUT: usize = 4_000_000;

/// Memory of all build steps of the machine together, where they are bounded.
pub const BUILD_MEMORY: u64 = 4 << 30;
/// Processes of all build steps of the machine together, where they are bounded.
pub const BUILD_PROCESSES: u64 = 2_048;
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

/// A time as Go reads and Compose writes it (`1m30s`, `.5s`, `1d`), in milliseconds; `None` for what
/// Go would not take for a time.
#[must_use]
pub fn duration_ms(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut nanos: f64 = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        // `.` alone, and two points, are no number here either.
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        nanos += number * nanos_of(&rest[..letters])?;
        rest = &rest[letters..];
    }
    // Less than a millisecond counts as one, so that it is not taken for 0, which means "default".
    #[allow(clippy::cast_possible_truncation, reason = "it saturates, and nobody waits that long")]
    Some(if nanos == 0.0 { 0 } else { sign * ((nanos / 1e6) as i128).max(1) })
}

fn nanos_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1.0,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3_600e9,
        "d" => 86_400e9,
        "w" => 604_800e9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_docker_writes_them() {
        let read = ["1ms", "1µs", "1m30s", "1h0m0s", "0s", "1.5s", "0", ".001s", "-1s", "1d"].map(duration_ms);
        let wanted = [1, 1, 90_000, 3_600_000, 0, 1_500, 0, 1, -1_000, 86_400_000];
        assert_eq!(read, wanted.map(Some));
        for text in ["", "x", "1", "1 s", ".s", "1.2.3s", "s", "-", "1e3s", "1S", "infs"] {
            assert_eq!(duration_ms(text), None, "{text}");
        }
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
