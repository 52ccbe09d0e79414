//! The limits on what a submission may be and use.
//!
//! Owns: the numbers. They protect the machine; no lesson asks for them.

/// Files in a submission.
pub const FILES: usize = 2_000;
/// Bytes of a submission, without `node_modules` and `.git`.
pub const BYTES: u64 = 20_000_000;
/// Services in a stack, replicas counted.
pub const SERVICES: u64 = 12;
/// Memory of a container that sets no limit.
pub const MEMORY_BYTES: u64 = 1_000_000_000;
/// The most memory that a container may ask for.
pub const MEMORY_MOST: u64 = 4_000_000_000;
/// Processes of a container that sets no limit.
pub const PROCESSES: u64 = 512;
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
