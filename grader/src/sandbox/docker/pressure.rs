//! Load on a container from within its own cgroups.
//!
//! Owns: the [`Pressure`] of a [`DockerSandbox`], and the scripts that its helper runs. Must not:
//! judge, or run anything of the learner's image.
//!
//! A second helper container sees the host's processes and cgroups. For each kind of load it
//! puts a process of its own into the measured container's cgroup (v1 or v2), so that the kernel
//! counts it there, whatever the image has in it.

use async_trait::async_trait;

use super::super::facts::{CpuPressure, MemoryPressure, ProcessPressure};
use super::super::probe::{Probe, Reach};
use super::super::{At, Pressure};
use super::DockerSandbox;
use crate::fault::Fault;

#[async_trait]
impl Pressure for DockerSandbox {
    async fn grow_memory(&self, at: At<'_>, bytes: u64) -> Result<MemoryPressure, Fault> {
        let said = self.press(at, MEMORY_SCRIPT, bytes, 60_000).await?;
        Ok(MemoryPressure {
            asked_bytes: bytes,
            peak_bytes: said.number("peak")?,
            killed: said.number("code")? == KILLED,
            oom_kills: said.number("oom_kill").unwrap_or(0),
        })
    }

    async fn burn_cpu(&self, at: At<'_>, millis: u64) -> Result<CpuPressure, Fault> {
        let said = self.press(at, CPU_SCRIPT, millis, millis + 30_000).await?;
        Ok(CpuPressure {
            loops: said.number("loops")?,
            wall_us: said.number("wall_us")?,
            used_us: said.number("used_us")?,
            throttled_periods: said.number("throttled")?,
        })
    }

    async fn fork_processes(&self, at: At<'_>, count: u64) -> Result<ProcessPressure, Fault> {
        let said = self.press(at, FORK_SCRIPT, count, 60_000).await?;
        Ok(ProcessPressure { asked: count, reached: said.number("reached")?, refused: said.number("refused")? == 1 })
    }
}

/// The exit code of a process that was ended by SIGKILL.
const KILLED: u64 = 137;

impl DockerSandbox {
    async fn press(&self, at: At<'_>, script: &str, amount: u64, limit_ms: u64) -> Result<Said, Fault> {
        let pid = self.container_facts(at).await?.pid;
        let image = self.parts.bases.first().map(String::as_str).unwrap_or_default();
        let parts = &self.parts;
        let helper = self.presser.get(Probe::start(&parts.client, image, &parts.run, Reach::Cgroups)).await?;
        let script = format!("{FIND_CGROUP}{script}");
        let arguments = [pid.to_string(), amount.to_string()];
        let output = helper.shell(&parts.client, &script, &arguments, limit_ms).await?;
        Ok(Said { output, service: at.service.to_owned() })
    }
}

/// `name value` lines of a script.
struct Said {
    output: String,
    service: String,
}

impl Said {
    fn number(&self, name: &str) -> Result<u64, Fault> {
        let line = self.output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.trim().parse().ok()).ok_or_else(|| Fault::Unreadable {
            what: format!("`{name}` of the cgroup of {}", self.service),
            reason: format!("the helper said {:?}", self.output.trim()),
        })
    }
}

/// `of CONTROLLER` prints the folder of the process's cgroup for a controller.
const FIND_CGROUP: &str = r#"
pid=$1; amount=$2
of() {
    line=$(grep -E "^[0-9]+:([^:]*,)?$1(,[^:]*)?:" "/proc/$pid/cgroup" | head -n 1)
    if [ -n "$line" ]; then
        names=${line#*:}; names=${names%%:*}
        for folder in "$names" "$1"; do
            if [ -d "/host-cgroup/$folder" ]; then echo "/host-cgroup/$folder${line#*:*:}"; return; fi
        done
    else
        line=$(grep '^0::' "/proc/$pid/cgroup"); echo "/host-cgroup${line#0::}"
    fi
}
count() { sed -n "s/^$2 //p" "$1" 2>/dev/null | head -n 1; }
"#;

/// `tail` keeps everything until it sees the end of a line, and there is none.
const MEMORY_SCRIPT: &str = r#"
group=$(of memory)
sh -c 'echo $$ > "$1/cgroup.procs" && exec sh -c "head -c $2 /dev/zero | tail > /dev/null"' sh "$group" "$amount"
code=$?
echo "code $code"
for file in memory.max_usage_in_bytes memory.peak memory.current; do
    if [ -r "$group/$file" ]; then echo "peak $(cat "$group/$file")"; break; fi
done
for file in memory.oom_control memory.events; do
    if [ -r "$group/$file" ]; then echo "oom_kill $(count "$group/$file" oom_kill)"; break; fi
done
"#;

const CPU_SCRIPT: &str = r#"
cpu=$(of cpu); usage=$(of cpuacct); loops=$(nproc)
used() {
    if [ -r "$usage/cpuacct.usage" ]; then echo $(($(cat "$usage/cpuacct.usage") / 1000)); else count "$cpu/cpu.stat" usage_usec; fi
}
now() { echo $(($(date +%s%N) / 1000)); }
throttled=$(count "$cpu/cpu.stat" nr_throttled)
# Each loop waits at the end of this pipe until all are in their cgroup, and is ended by time.
for loop in $(seq "$loops"); do
    sh -c 'echo $$ > "$1/cgroup.procs"; [ "$1" = "$2" ] || echo $$ > "$2/cgroup.procs"; while :; do :; done' sh "$cpu" "$usage" &
    children="$children $!"
done
before=$(used); begun=$(now)
sleep "$(awk "BEGIN { print $amount / 1000 }")"
after=$(used); ended=$(now)
kill -9 $children
echo "loops $loops"
echo "wall_us $((ended - begun))"
echo "used_us $((after - before))"
echo "throttled $(($(count "$cpu/cpu.stat" nr_throttled) - throttled))"
"#;

/// A shell that cannot fork ends; what it had started stays until its process group is ended.
const FORK_SCRIPT: &str = r#"
group=$(of pids)
setsid sh -c '
    echo $$ > "$1/cgroup.procs"; echo "leader $$"
    made=0
    while [ $made -lt "$2" ]; do sleep 60 & made=$((made + 1)); done
    echo all
    sleep 60
' sh "$group" "$amount" > /tmp/forks 2>&1 &
shell=$!
until grep -q -i -e "fork" -e all /tmp/forks || ! kill -0 $shell 2>/dev/null; do sleep 0.05; done
echo "reached $(cat "$group/pids.current")"
if grep -q "^all" /tmp/forks; then echo "refused 0"; else echo "refused 1"; fi
kill -9 -"$(sed -n 's/^leader //p' /tmp/forks)" 2>/dev/null || true
"#;
