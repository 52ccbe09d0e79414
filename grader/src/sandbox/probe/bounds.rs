//! A control group for build steps.
//!
//! Owns: making the group and its limits, and looking whether steps are put into it. Must not: build.
//!
//! BuildKit has no limits for steps, but puts them below a control group that it is given. Its name is
//! always the same, since BuildKit takes steps in another group for other steps and would run them again.

use super::{Probe, SHORT_MS, unreadable};
use crate::fault::Fault;
use crate::policy::limits;

/// The group, as BuildKit is given it.
pub const GROUP: &str = "/grader-builds";

/// Makes the group in the first form of control groups or the second, and prints the limits that are in
/// force then: memory in bytes, and processes.
const MAKE: &str = r#"
cd /host-cgroup || exit 1
set_to() { [ -e "$2" ] && echo "$1" > "$2"; }
if [ -e cgroup.controllers ]; then
    mkdir -p "$1" && cd "$1" || exit 1
    set_to "$2" memory.max; set_to 0 memory.swap.max; set_to "$3" pids.max; set_to "$4 100000" cpu.max
    cat memory.max pids.max
else
    for kind in memory pids cpu; do mkdir -p "$kind/$1"; done
    set_to "$2" "memory/$1/memory.limit_in_bytes"; set_to "$2" "memory/$1/memory.memsw.limit_in_bytes"
    set_to "$3" "pids/$1/pids.max"
    set_to 100000 "cpu/$1/cpu.cfs_period_us"; set_to "$4" "cpu/$1/cpu.cfs_quota_us"
    cat "memory/$1/memory.limit_in_bytes" "pids/$1/pids.max"
fi
"#;

/// Prints the folder that BuildKit makes in the group for its steps, if it has made one.
const USED: &str = r#"
cd /host-cgroup && for folder in "$1/buildkit" "memory/$1/buildkit"; do [ -d "$folder" ] && echo "$folder"; done; true
"#;

impl Probe {
    /// Makes the group for build steps, with its limits.
    pub async fn bound_builds(&self) -> Result<(), Fault> {
        let quota = limits::cpus() * 100_000;
        let arguments =
            [group(), limits::BUILD_MEMORY.to_string(), limits::BUILD_PROCESSES.to_string(), quota.to_string()];
        let said = self.0.run(MAKE, &arguments, SHORT_MS).await?;
        let wanted = [limits::BUILD_MEMORY.to_string(), limits::BUILD_PROCESSES.to_string()];
        if said.output.split_whitespace().eq(wanted.iter()) {
            return Ok(());
        }
        let said = format!("{} {}", said.output.trim(), said.errors.trim());
        Err(Fault::BuildsUnbounded { reason: format!("its limits could not be set ({})", said.trim()) })
    }

    /// Whether BuildKit has put steps into the group.
    pub async fn builds_are_bound(&self) -> Result<bool, Fault> {
        let said = self.0.run(USED, &[group()], SHORT_MS).await?;
        if said.code == 0 { Ok(!said.output.trim().is_empty()) } else { Err(unreadable(GROUP.into(), &said.errors)) }
    }
}

fn group() -> String {
    GROUP.trim_start_matches('/').to_owned()
}
