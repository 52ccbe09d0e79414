//! Bounds for services that set none themselves.
//!
//! Owns: what is put in, and telling it from what the learner wrote. Must not: replace a bound of the
//! learner's, or make a service fail that Docker would have started.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::policy::limits;

/// What the grader put into a service for safety. Checks do not see it as the learner's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct Injected {
    /// A memory limit.
    pub memory: bool,
    /// A CPU limit.
    pub cpus: bool,
    /// A process limit.
    pub pids: bool,
    /// A log driver with a bound.
    pub logging: bool,
    /// A bound for the learner's own log settings.
    pub log_size: bool,
    /// Where mounts were added, by their paths in the container.
    pub mounts: BTreeSet<String>,
    /// Sources of mounts as the daemon has them, and as the learner wrote them.
    pub sources: BTreeMap<String, String>,
}

/// Puts bounds into a service where it has none.
pub fn put_in(service: &mut Map<String, Value>) -> Injected {
    let deployed = service.get("deploy").and_then(|d| d.pointer("/resources/limits")).cloned().unwrap_or_default();
    let has = |key: &str, in_deploy: &str| is_positive(service.get(key)) || is_positive(deployed.get(in_deploy));
    let logging = service.get("logging");
    let injected = Injected {
        // Docker refuses a bound for memory and swap together without one for memory alone, and so may we not help.
        memory: !has("mem_limit", "memory") && !is_positive(service.get("memswap_limit")),
        cpus: !has("cpus", "cpus") && !is_positive(service.get("cpu_quota")),
        pids: !has("pids_limit", "pids"),
        logging: logging.is_none_or(|logging| logging.get("driver").is_none() && logging.get("options").is_none()),
        log_size: is_unbounded(logging),
        ..Injected::default()
    };
    let reserved = number(service.get("mem_reservation"))
        .max(number(service.get("deploy").and_then(|deploy| deploy.pointer("/resources/reservations/memory"))));
    let period = Some(number(service.get("cpu_period"))).filter(|period| *period > 0.0);
    // Compose wants all limits of a service in one place: under `deploy` where there are some.
    let in_deploy = service.get_mut("deploy").and_then(|deploy| deploy.pointer_mut("/resources/limits"));
    let (place, [memory, cpus, pids]) = match in_deploy.and_then(Value::as_object_mut) {
        Some(limits) => (limits, ["memory", "cpus", "pids"]),
        None => (&mut *service, ["mem_limit", "cpus", "pids_limit"]),
    };
    if injected.memory {
        // A limit below what is reserved is none that Docker takes; the gate bounds what is reserved.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes, below 4 GB")]
        place.insert(memory.into(), json!(limits::MEMORY_BYTES.max(reserved.ceil() as u64).to_string()));
    }
    if injected.cpus && period.is_none() {
        place.insert(cpus.into(), json!(limits::cpus()));
    }
    if injected.pids {
        place.insert(pids.into(), json!(limits::PROCESSES));
    }
    if let Some(period) = period.filter(|_| injected.cpus) {
        // Docker takes a period only together with a quota in the same unit.
        #[expect(clippy::cast_possible_truncation, reason = "microseconds, at most a second")]
        service.insert("cpu_quota".into(), json!(period as i64 * i64::try_from(limits::cpus()).unwrap_or(1)));
    }
    bound_log(service, &injected);
    injected
}

fn bound_log(service: &mut Map<String, Value>, injected: &Injected) {
    if injected.logging {
        let options = json!({"max-size": limits::LOG_SIZE, "max-file": "1"});
        service.insert("logging".into(), json!({"driver": limits::LOG_DRIVER, "options": options}));
    }
    let Some(logging) = service.get_mut("logging").and_then(Value::as_object_mut) else { return };
    // Options without a driver are for the daemon's usual one, which may be any on somebody's machine.
    logging.entry("driver").or_insert_with(|| json!(limits::LOG_DRIVER));
    if injected.log_size {
        logging.entry("options").or_insert_with(|| json!({}))["max-size"] = json!(limits::LOG_SIZE);
    }
}

/// Whether a log is kept in files without a bound: then one container fills the disk.
fn is_unbounded(logging: Option<&Value>) -> bool {
    let Some(logging) = logging else { return false };
    let driver = logging.get("driver").and_then(Value::as_str).unwrap_or(limits::LOG_DRIVER);
    driver == "json-file" && logging.pointer("/options/max-size").is_none_or(|size| size == "-1")
}

/// A number, written as one or as text; 0 where there is none.
fn number(value: Option<&Value>) -> f64 {
    value.and_then(|value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())).unwrap_or(0.0)
}

/// Whether a bound is one: Docker takes 0 and less for none.
fn is_positive(value: Option<&Value>) -> bool {
    number(value) > 0.0
}

/// Takes an unlimited swap out of what is started: Docker then gives as much swap as memory, and the
/// machine keeps its own.
pub fn bound_swap(service: &mut Map<String, Value>) {
    let is_endless = |swap: &Value| swap.as_str() == Some("-1") || swap.as_i64() == Some(-1);
    if service.get("memswap_limit").is_some_and(is_endless) {
        service.remove("memswap_limit");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The service with bounds, and what was put in.
    fn bounded(service: Value) -> (Value, Injected) {
        let Value::Object(mut service) = service else { panic!("a service is an object") };
        let injected = put_in(&mut service);
        (Value::Object(service), injected)
    }

    #[test]
    fn limits_are_put_in_only_where_there_are_none() {
        let deploy = json!({"resources": {"limits": {"memory": "1", "cpus": 0.5}}});
        let (service, injected) = bounded(json!({"image": "x", "deploy": deploy}));
        assert_eq!((injected.memory, injected.cpus, injected.pids), (false, false, true));
        assert!(service.get("mem_limit").is_none());
        assert_eq!(service["deploy"]["resources"]["limits"]["pids"], json!(limits::PROCESSES));
        let (service, _) = bounded(json!({"image": "x"}));
        assert_eq!(service["pids_limit"], json!(limits::PROCESSES));
    }

    #[test]
    fn a_limit_of_nothing_is_no_limit() {
        let (service, injected) =
            bounded(json!({"deploy": {"resources": {"limits": {"cpus": "0"}}}, "mem_limit": "0"}));
        assert!(injected.cpus && injected.memory);
        let limits = &service["deploy"]["resources"]["limits"];
        assert_eq!(
            (&limits["cpus"], &limits["memory"]),
            (&json!(limits::cpus()), &json!(limits::MEMORY_BYTES.to_string()))
        );
    }

    #[test]
    fn what_is_reserved_fits_below_the_limit() {
        let reserved = json!({"resources": {"reservations": {"memory": "2147483648"}}});
        let (service, injected) = bounded(json!({"deploy": reserved}));
        assert!(injected.memory);
        assert_eq!(service["mem_limit"], "2147483648");
        let (service, _) = bounded(json!({"mem_reservation": "1000"}));
        assert_eq!(service["mem_limit"], limits::MEMORY_BYTES.to_string());
    }

    #[test]
    fn a_period_gets_a_quota_and_not_cpus() {
        let (service, injected) = bounded(json!({"cpu_period": "50000"}));
        assert!(injected.cpus && service.get("cpus").is_none());
        assert_eq!(service["cpu_quota"], json!(50_000 * limits::cpus()));
        let (service, injected) = bounded(json!({"cpu_period": 50_000, "cpu_quota": 25_000}));
        assert!(!injected.cpus && service.get("cpus").is_none() && service["cpu_quota"] == 25_000);
    }

    #[test]
    fn swap_without_memory_stays_what_docker_refuses() {
        let (service, injected) = bounded(json!({"memswap_limit": "2147483648"}));
        assert!(!injected.memory && service.get("mem_limit").is_none());
        // Swap without end would be started, and so it gets a bound.
        assert!(bounded(json!({"memswap_limit": "-1"})).1.memory);
    }

    #[test]
    fn a_log_in_files_gets_a_bound_and_keeps_its_other_options() {
        let (service, injected) = bounded(json!({"logging": {"driver": "json-file", "options": {"max-file": "3"}}}));
        let options = &service["logging"]["options"];
        assert_eq!((options["max-size"].as_str(), options["max-file"].as_str()), (Some(limits::LOG_SIZE), Some("3")));
        assert!(injected.log_size && !injected.logging);
        let (service, _) = bounded(json!({"logging": {"driver": "local"}}));
        assert!(service["logging"].get("options").is_none());
    }

    #[test]
    fn options_without_a_driver_are_for_the_one_that_is_bounded() {
        let (service, injected) = bounded(json!({"logging": {"options": {"max-size": "5m"}}}));
        assert_eq!(service["logging"], json!({"driver": "json-file", "options": {"max-size": "5m"}}));
        assert!(!injected.logging && !injected.log_size);
    }
}
