//! What happened when a container was put under pressure, or tried to reach others.
//!
//! Owns: plain data about growth, busy loops, forks, events and connections. Must not: have
//! behaviour beyond small views.

use serde::{Deserialize, Serialize};

use crate::verdict::Sample;

/// A process of ours grew inside a container's memory cgroup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryPressure {
    /// How far it was meant to grow, bytes.
    pub asked_bytes: u64,
    /// The most that the cgroup had in use, bytes.
    pub peak_bytes: u64,
    /// Whether the kernel killed it on the way.
    pub killed: bool,
    /// How often the kernel killed in this cgroup for lack of memory meanwhile.
    pub oom_kills: u64,
    /// Bytes in use while it grew.
    #[serde(default)]
    pub samples: Vec<Sample>,
}

/// Busy loops of ours ran in a container's CPU cgroup, one per CPU of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuPressure {
    /// How many loops ran.
    pub loops: u64,
    /// How long they ran, microseconds.
    pub wall_us: u64,
    /// CPU time that the cgroup used meanwhile, microseconds.
    pub used_us: u64,
    /// Periods in which the kernel held the cgroup back.
    pub throttled_periods: u64,
    /// Thousandths of a CPU that the cgroup used meanwhile.
    #[serde(default)]
    pub samples: Vec<Sample>,
}

impl CpuPressure {
    /// The CPUs that were used on average.
    #[must_use]
    pub fn cpus(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a few seconds are small")]
        let (used, wall) = (self.used_us as f64, self.wall_us.max(1) as f64);
        used / wall
    }
}

/// Processes of ours were started in a container's process cgroup until it refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessPressure {
    /// How many were to be started.
    pub asked: u64,
    /// How many processes the cgroup held in the end, the container's own included.
    pub reached: u64,
    /// Whether the kernel refused to start another.
    pub refused: bool,
}

/// Something that the daemon said about a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerEvent {
    /// `oom`, `die`, `start`, ...
    pub action: String,
    /// The exit code of a `die`.
    pub exit_code: Option<i64>,
    /// When, in milliseconds after the watch began.
    pub at_ms: u64,
}

/// A connection that one service might make to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The name (or address) that is looked up.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

/// What came of it, seen from inside the first service's network namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFacts {
    /// What was tried.
    pub link: Link,
    /// The address that the name stands for; `None` when there is no such name.
    pub address: Option<String>,
    /// Whether something accepted the connection.
    pub connected: bool,
}
