//! Load on a container from within its own cgroups.
//!
//! Owns: the [`Pressure`] of a [`DockerSandbox`], and the scripts that its helper runs. Must not:
//! judge, or run anything of the learner's image.
//!
//! A second helper container sees the host's processes and cgroups. For each kind of load it
//! puts a process of its own into the measured container's cgroup (v1 or v2), so that the kernel
//! counts it there, whatever the image has in it.

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::super::facts::{CpuPressure, MemoryPressure, ProcessPressure};
use super::super::helper::Whole;
use super::super::probe::{Probe, Reach};
use super::super::{At, Pressure};
use super::DockerSandbox;
use super::samples::Samples;
use crate::fault::Fault;
use crate::verdict::{Quantity, Sample};

#[async_trait]
impl Pressure for DockerSandbox {
    async fn grow_memory(&self, at: At<'_>, bytes: u64, limit: Option<u64>) -> Result<MemoryPressure, Fault> {
        let mut samples = Samples::new(&self.parts.events, Quantity::Memory, limit);
        let said =
            self.press(at, &format!("{FIND_MEMORY}{MEMORY_SCRIPT}"), bytes, 60_000, |line| samples.takes(line)).await?;
        let (code, oom_kills) = (said.number("code")?, said.number("oom_kills")?);
        // Whoever of the helper's processes was chosen, the kernel's own count tells.
        if code != 0 && oom_kills == 0 {
            return Err(said.unreadable("growth"));
        }
        let peak_bytes = said.number("peak")?;
        Ok(MemoryPressure { asked_bytes: bytes, peak_bytes, killed: oom_kills > 0, oom_kills, samples: samples.kept() })
    }

    async fn watch_memory(
        &self,
        at: At<'_>,
        limit_ms: u64,
        limit: Option<u64>,
        begun: oneshot::Sender<()>,
    ) -> Result<Vec<Sample>, Fault> {
        let mut samples = Samples::new(&self.parts.events, Quantity::Memory, limit);
        let mut begun = Some(begun);
        let takes = |line: &str| {
            let is_sample = samples.takes(line);
            // Whoever waited for this may have given up.
            if is_sample && let Some(begun) = begun.take() {
                let _ = begun.send(());
            }
            is_sample
        };
        self.press(at, &format!("{FIND_MEMORY}{WATCH_SCRIPT}"), limit_ms, limit_ms + 10_000, takes).await?;
        Ok(samples.kept())
    }

    async fn burn_cpu(&self, at: At<'_>, millis: u64, limit: Option<u64>) -> Result<CpuPressure, Fault> {
        let mut samples = Samples::new(&self.parts.events, Quantity::Cpu, limit);
        let said = self.press(at, CPU_SCRIPT, millis, millis + 30_000, |line| samples.takes(line)).await?;
        Ok(CpuPressure {
            loops: said.number("loops")?,
            wall_us: said.number("wall_us")?,
            used_us: said.number("used_us")?,
            throttled_periods: said.number("throttled")?,
            samples: samples.kept(),
        })
    }

    async fn fork_processes(&self, at: At<'_>, count: u64) -> Result<ProcessPressure, Fault> {
        let said = self.press(at, FORK_SCRIPT, count, 60_000, |_| false).await?;
        if said.number("left")? != 0 {
            return Err(said.unreadable("left"));
        }
        Ok(ProcessPressure { asked: count, reached: said.number("reached")?, refused: said.number("refused")? == 1 })
    }
}

impl DockerSandbox {
    async fn press(
        &self,
        at: At<'_>,
        script: &str,
        amount: u64,
        limit_ms: u64,
        takes: impl FnMut(&str) -> bool + Send,
    ) -> Result<Said, Fault> {
        let pid = self.container_facts(at).await?.pid;
        let image = self.parts.bases.first().map(String::as_str).unwrap_or_default();
        let parts = &self.parts;
        let helper =
            self.presser.get(Probe::start(&parts.client, image, &parts.run, Reach::Cgroups, &parts.pace)).await?;
        let script = format!("{FIND_CGROUP}{script}");
        let slow = parts.pace.whole_patience();
        let arguments = [pid.to_string(), amount.to_string(), slow.to_string()];
        let whole = helper.helper().run_heard(&script, &arguments, limit_ms, takes).await?;
        Ok(Said { whole, service: at.service.to_owned() })
    }
}

/// `name value` lines of a script.
struct Said {
    whole: Whole,
    service: String,
}

impl Said {
    fn number(&self, name: &str) -> Result<u64, Fault> {
        let line = self.whole.output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.trim().parse().ok()).ok_or_else(|| self.unreadable(name))
    }

    fn unreadable(&self, name: &str) -> Fault {
        Fault::Unreadable {
            what: format!("`{name}` of the cgroup of {}", self.service),
            reason: format!("the helper said {:?} {:?}", self.whole.output.trim(), self.whole.errors.trim()),
        }
    }
}

/// The scripts wait for what they have begun as long as it takes: who runs them ends them. What they put into
/// the container's cgroups, which would stay there, ends by itself (`$slow` times later on a slow machine).
/// `of CONTROLLER` prints the folder of the process's cgroup for a controller.
const FIND_CGROUP: &str = r#"
pid=$1; amount=$2; slow=$3
of() {
    line=$(grep -E "^[0-9]+:([^:]*,)?$1(,[^:]*)?:" "/proc/$pid/cgroup" | head -n 1)
    if [ -n "$line" ]; then
        names=${line#*:}; names=${names%%:*}
        for folder in "$names" "$1"; do
            if [ -d "/host-cgroup/$folder" ]; then echo "/host-cgroup/$folder${line#*:*:}"; return; fi
        done
    else
        # cgroup v2; beside v1, where both are mounted, it has a folder of its own.
        line=$(grep '^0::' "/proc/$pid/cgroup"); root=/host-cgroup
        if [ -d /host-cgroup/unified ]; then root=/host-cgroup/unified; fi
        echo "$root${line#0::}"
    fi
}
count() { sed -n "s/^$2 //p" "$1" 2>/dev/null | head -n 1; }
now() { echo $(($(date +%s%N) / 1000)); }
"#;

/// `first NAMES` prints the memory cgroup's file of the first name that it has.
const FIND_MEMORY: &str = r#"
group=$(of memory)
first() { for file in "$@"; do if [ -r "$group/$file" ]; then echo "$group/$file"; return; fi; done; }
usage=$(first memory.usage_in_bytes memory.current)
tell() { echo "sample $(now) $(cat "$usage")"; }
"#;

/// Looks on until the kernel has ended a process for lack of memory, while the app's main process lives and there
/// is time, milliseconds.
const WATCH_SCRIPT: &str = r#"
end=$(($(now) + amount * 1000)); events=$(first memory.oom_control memory.events); kills=$(count "$events" oom_kill)
while [ -d "/proc/$pid" ] && [ "$(now)" -lt $end ] && [ "$(count "$events" oom_kill)" = "$kills" ]; do tell; sleep 0.025; done 2> /dev/null
"#;

/// `tail` keeps everything until it sees the end of a line, and there is none. It alone is in the
/// cgroup; what feeds it, step by step so that one can watch it grow, is not. Should somebody have
/// to go, it is our process (`oom_score_adj`). Where the kernel keeps no peak (cgroup v2 before
/// Linux 5.19), the use is sampled much more often.
const MEMORY_SCRIPT: &str = r#"
events=$(first memory.oom_control memory.events); peak=$(first memory.max_usage_in_bytes memory.peak)
if [ -w "$group/memory.max_usage_in_bytes" ]; then echo 0 > "$peak"; fi
kills=$(count "$events" oom_kill); samples=/tmp/memory.$$
if [ -z "$peak" ]; then
    while cat "$group/memory.current"; do sleep 0.01; done > "$samples" 2> /dev/null &
    sampler=$!
fi
feed() {
    step=$((amount / 48 + 1)) fed=0
    tell >&3
    while [ $fed -lt "$amount" ] && head -c $step /dev/zero; do fed=$((fed + step)); sleep 0.025; tell >&3; done
    tell >&3
}
exec 3>&1
feed 2> /dev/null | timeout -s KILL $((50 * slow)) sh -c '
    echo 1000 > /proc/$$/oom_score_adj
    echo $$ > "$1/cgroup.procs" && exec tail > /dev/null
' sh "$group"
echo "code $?"
if [ -n "$sampler" ]; then kill $sampler; echo "peak $(sort -n "$samples" | tail -n 1)"; else echo "peak $(cat "$peak")"; fi
echo "oom_kills $(($(count "$events" oom_kill) - kills))"
"#;

/// Its use is looked at for a while before the loops begin, so that one sees them begin.
/// The loops end by themselves, should nobody be left to end them: they are not in the helper's
/// cgroup, with which they would be removed. The clock is read outside of the counters, so that
/// a delay between two readings never makes the use look larger than it was.
const CPU_SCRIPT: &str = r#"
cpu=$(of cpu); usage=$(of cpuacct); loops=$(nproc); ready=/tmp/loops.$$; : > "$ready"
used() {
    if [ -r "$usage/cpuacct.usage" ]; then echo $(($(cat "$usage/cpuacct.usage") / 1000)); else count "$cpu/cpu.stat" usage_usec; fi
}
while :; do echo "sample $(now) $(used)"; sleep 0.05; done &
sampler=$!
sleep 0.35
for loop in $(seq "$loops"); do
    timeout -s KILL $(((amount / 1000 + 20) * slow)) sh -c '
        echo $$ > "$1/cgroup.procs"; [ "$1" = "$2" ] || echo $$ > "$2/cgroup.procs"
        echo in >> "$3"; while :; do :; done
    ' sh "$cpu" "$usage" "$ready" &
    children="$children -$!"
done
until [ "$(grep -c in "$ready")" = "$loops" ]; do sleep 0.02; done
begun=$(now); before=$(used); throttled=$(count "$cpu/cpu.stat" nr_throttled)
sleep "$(awk "BEGIN { print $amount / 1000 }")"
after=$(used); throttled=$(($(count "$cpu/cpu.stat" nr_throttled) - throttled)); ended=$(now)
kill $sampler
for loop in $children; do kill -9 "$loop"; done
echo "loops $(grep -c in "$ready")"
echo "wall_us $((ended - begun))"
echo "used_us $((after - before))"
echo "throttled $throttled"
"#;

/// A shell that cannot fork says so and ends. Its children wait at a pipe, without a program of
/// their own, so that many of them need little memory. They end with the script, which alone holds
/// the pipe's other end.
const FORK_SCRIPT: &str = r#"
group=$(of pids); said=/tmp/forks.$$; mkfifo "$said.pipe"; : > "$said"; exec 4<> "$said.pipe"
timeout -s KILL $((50 * slow)) sh -c '
    exec 3< "$3"
    echo 1000 > /proc/$$/oom_score_adj
    echo $$ > "$1/cgroup.procs" || exit
    made=0
    while [ $made -lt "$2" ]; do read -r _ <&3 & made=$((made + 1)); done
    echo all
    read -r _ <&3
' sh "$group" "$amount" "$said.pipe" > "$said" 2>&1 4>&- &
family=$!
until grep -q -i -e "fork" -e "^all" "$said" || ! kill -0 $family 2> /dev/null; do sleep 0.05; done
echo "reached $(cat "$group/pids.current")"
if grep -q "^all" "$said"; then echo "refused 0"; elif grep -q -i fork "$said"; then echo "refused 1"; else cat "$said"; fi
until ! kill -9 -$family 2> /dev/null || [ $((waited += 1)) -gt $((400 * slow)) ]; do sleep 0.05; done
if kill -0 -$family 2> /dev/null; then echo "left 1"; else echo "left 0"; fi
"#;
