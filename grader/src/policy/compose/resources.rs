//! The rules for what a service may use up.
//!
//! Owns: upper bounds, and values that would switch a limit off. Must not: put limits in; the plan
//! does that where there are none.

use serde_json::Value;

use super::super::limits;
use super::{Gate, number, object};
use crate::verdict::bytes;

/// Limits of processes that a container may set.
const ULIMITS: [&str; 6] = ["nofile", "nproc", "core", "fsize", "stack", "memlock"];

/// Looks at one service.
pub fn inspect(gate: &mut Gate<'_>, name: &str, service: &Value) {
    let at = |key| ["services", name, key];
    let limit = |key: &str| service.pointer(&format!("/deploy/resources/limits/{key}"));
    let swap = service.get("memswap_limit");
    for (value, key, most) in [
        (service.get("mem_limit"), "mem_limit", limits::MEMORY_MOST),
        (limit("memory"), "deploy", limits::MEMORY_MOST),
        (service.get("mem_reservation"), "mem_reservation", limits::MEMORY_MOST),
        (service.pointer("/deploy/resources/reservations/memory"), "deploy", limits::MEMORY_MOST),
        (service.get("shm_size"), "shm_size", limits::MEMORY_MOST),
        (swap, "memswap_limit", 2 * limits::MEMORY_MOST),
    ] {
        let Some(asked) = number(value) else { continue };
        // `memswap_limit: -1` is what a lesson may be about. It is started with Docker's own bound.
        if key == "memswap_limit" && (asked + 1.0).abs() < f64::EPSILON {
            continue;
        }
        if asked < 0.0 {
            gate.refuse(
                &at(key),
                format!("`{name}` sets no bound to its memory"),
                "A program that eats all memory takes the machine down. Give a number.",
            );
        } else if asked > as_number(most) {
            let asked = value.map(|value| value.as_str().map_or(value.to_string(), str::to_owned)).unwrap_or_default();
            let shown = asked.parse().map_or(asked, bytes);
            gate.refuse(
                &at(key),
                format!("`{name}` may use {shown} of memory"),
                format!("At most {} in an exercise.", bytes(most)),
            );
        }
    }
    processor(gate, name, service);
    for (value, key) in [(service.get("pids_limit"), "pids_limit"), (limit("pids"), "deploy")] {
        if number(value).is_some_and(|pids| !(1.0..=limits::PROCESSES_MOST).contains(&pids)) {
            gate.refuse(
                &at(key),
                format!("`{name}` sets no sensible bound to its processes"),
                format!(
                    "A container may have 1 to {} processes. Leave the key out: {} is what it gets.",
                    limits::PROCESSES_MOST,
                    limits::PROCESSES
                ),
            );
        }
    }
    if number(service.get("oom_score_adj")).is_some_and(|adjusted| adjusted < 0.0) {
        gate.refuse(
            &at("oom_score_adj"),
            format!("`{name}` wants to be spared when memory runs out"),
            "Then something else of this machine is ended in its place.",
        );
    }
    times(gate, name, service);
    let ports = service.get("ports").and_then(Value::as_array).map_or(0, Vec::len);
    if ports > limits::PORTS {
        gate.refuse(
            &at("ports"),
            format!("`{name}` publishes {ports} ports"),
            format!("At most {}: Docker starts a process for each.", limits::PORTS),
        );
    }
    for (limit, value) in object(service.get("ulimits")) {
        let asked = [value.get("hard"), Some(value)].into_iter().find_map(number).unwrap_or(0.0);
        let too_many = limit == "nofile" && !(0.0..=limits::OPEN_FILES_MOST).contains(&asked);
        if !ULIMITS.contains(&limit) || too_many {
            let known = format!("Known are {}; `nofile` is at most {}.", ULIMITS.join(", "), limits::OPEN_FILES_MOST);
            gate.refuse(&["services", name, "ulimits", limit], format!("`{name}` sets the limit `{limit}`"), known);
        }
    }
    log(gate, name, service);
}

fn processor(gate: &mut Gate<'_>, name: &str, service: &Value) {
    let period = number(service.get("cpu_period")).filter(|period| *period > 0.0).unwrap_or(100_000.0);
    let cpus = service.pointer("/deploy/resources/limits/cpus");
    for (asked, key) in [
        (number(service.get("cpus")), "cpus"),
        (number(cpus), "deploy"),
        (number(service.get("cpu_quota")).map(|quota| quota / period), "cpu_quota"),
    ] {
        if asked.is_some_and(|asked| !(0.0..=limits::CPUS_MOST).contains(&asked)) {
            gate.refuse(
                &["services", name, key],
                format!("`{name}` sets no sensible bound to its CPU time"),
                format!("At most {} CPUs in an exercise.", limits::CPUS_MOST),
            );
        }
    }
    if number(service.get("cpu_shares")).is_some_and(|shares| shares > limits::CPU_SHARES_MOST) {
        gate.refuse(
            &["services", name, "cpu_shares"],
            format!("`{name}` wants to go before everything else"),
            format!("At most {} shares; what sets none has 1024.", limits::CPU_SHARES_MOST),
        );
    }
}

fn times(gate: &mut Gate<'_>, name: &str, service: &Value) {
    let time = |value: Option<&Value>| value.and_then(Value::as_str).and_then(limits::duration_ms);
    for key in ["interval", "start_interval"] {
        if time(service.pointer(&format!("/healthcheck/{key}")))
            .is_some_and(|ms| ms > 0 && ms < limits::HEALTH_INTERVAL_MS)
        {
            let what = format!("the health check of `{name}` runs too often");
            gate.refuse(&["services", name, "healthcheck", key], what, limits::health_interval());
        }
    }
    // Docker takes a negative time for one without end.
    if time(service.get("stop_grace_period")).is_some_and(|ms| !(0..=limits::GRACE_MS).contains(&ms)) {
        gate.refuse(
            &["services", name, "stop_grace_period"],
            format!("`{name}` wants a very long time to stop"),
            format!("At most {} s in an exercise.", limits::GRACE_MS / 1_000),
        );
    }
}

fn log(gate: &mut Gate<'_>, name: &str, service: &Value) {
    let at = ["services", name, "logging"];
    let driver = service.pointer("/logging/driver").and_then(Value::as_str).unwrap_or(limits::LOG_DRIVER);
    if !["json-file", "local", "none"].contains(&driver) {
        gate.refuse(
            &at,
            format!("`{name}` sends its log to `{driver}`"),
            "Logs of an exercise stay in Docker: use `json-file` or `local`.",
        );
    }
    let option = |key: &str| service.pointer(&format!("/logging/options/{key}")).and_then(Value::as_str);
    // What a driver does by itself; the plan puts a size in where `json-file` has none.
    let (usual_size, usual_files) = if driver == "local" { (LOCAL_SIZE, LOCAL_FILES) } else { (limits::LOG_SIZE, "1") };
    let unbounded = |text: &&str| driver != "json-file" || *text != "-1";
    let (max_size, max_file) = (option("max-size").filter(unbounded).unwrap_or(usual_size), option("max-file"));
    let max_file = max_file.unwrap_or(usual_files);
    match (size(max_size), max_file.parse::<u32>()) {
        (None, _) => gate.refuse(
            &at,
            format!("`{name}` bounds its log by `max-size: {max_size}`, which is no size"),
            "A size is a number with k, m or g behind it, such as `10m`.",
        ),
        (_, Err(_) | Ok(0)) => gate.refuse(
            &at,
            format!("`{name}` keeps `max-file: {max_file}` files of log, which is no number of files"),
            "It is a whole number of at least 1, in quotes: `max-file: \"3\"`.",
        ),
        (Some(size), Ok(files)) if size.saturating_mul(files.into()) > limits::LOG_MOST => gate.refuse(
            &at,
            format!("`{name}` may keep {} of log", bytes(size.saturating_mul(files.into()))),
            format!(
                "At most {} in an exercise (`max-size` times `max-file`; here {max_size} times {max_file}).",
                bytes(limits::LOG_MOST)
            ),
        ),
        _ => {}
    }
    if option("max-buffer-size").is_some() {
        gate.refuse(
            &at,
            format!("`{name}` sets `max-buffer-size`"),
            "The buffer lies in the Docker daemon's own memory. Leave it out.",
        );
    }
}

/// What the driver `local` keeps when nothing is said.
const LOCAL_SIZE: &str = "20m";
/// In how many files.
const LOCAL_FILES: &str = "5";

/// A size as Docker's log drivers write it (`10m`, `1.5g`); `None` for whatever else they might read
/// (they take `1e9`, too).
fn size(text: &str) -> Option<u64> {
    let text = text.trim().to_lowercase();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()));
    let factor = match unit.trim().trim_end_matches('b').trim_end_matches('i') {
        "" => 1,
        "k" => 1_000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "t" => 1_000_000_000_000,
        "p" => 1_000_000_000_000_000,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // `1.5g` counts as 2g.
    let whole: u64 = if is_digits(part) { whole.parse().ok()? } else { return None };
    Some(whole.saturating_add(u64::from(!part.is_empty())).saturating_mul(factor))
}

/// Looks at a stack as a whole.
pub fn inspect_whole(gate: &mut Gate<'_>) {
    let bytes_of_model = gate.model.to_string().len();
    if bytes_of_model > limits::MODEL_BYTES {
        let longest = gate.model.get("services").and_then(Value::as_object).into_iter().flatten();
        let longest = longest.map(|(name, service)| (service.to_string().len(), name)).max();
        let path: Vec<&str> = longest.map(|(_, name)| vec!["services", name.as_str()]).unwrap_or_default();
        gate.refuse(
            &path,
            format!("the merged Compose files have {}", bytes(bytes_of_model as u64)),
            format!(
                "At most {} with all variables, labels and texts. What is long belongs into a file that is mounted.",
                bytes(limits::MODEL_BYTES as u64)
            ),
        );
    }
}

fn as_number(bytes: u64) -> f64 {
    u32::try_from(bytes / 1_000).map_or(f64::MAX, |thousands| f64::from(thousands) * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_logs_are_read_and_rounded_up() {
        let read = ["10m", "1.5g", "2GB", "7", "1 MiB"].map(size);
        assert_eq!(read, [10_000_000, 2_000_000_000, 2_000_000_000, 7, 1_000_000].map(Some));
        assert_eq!(["x", "", "1e15", "0x1p40", "1.2.3g", "-1", "10mm"].map(size), [None; 7]);
    }

    #[test]
    fn the_most_memory_is_a_number_that_can_be_compared() {
        assert!(
            (as_number(limits::MEMORY_MOST) - 4e9).abs() < 1.0
                && (as_number(2 * limits::MEMORY_MOST) - 8e9).abs() < 1.0
        );
    }
}
