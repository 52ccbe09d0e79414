//! The rules for one service of a merged model.
//!
//! Owns: which keys and values give a container power over the machine. Must not: rewrite anything.

use serde_json::Value;

use super::super::images;
use super::{Gate, build, is_set, mounts, network, object, resources, strings};

/// Keys that join a container to a namespace, with what else than the service's own is allowed.
const NAMESPACES: [(&str, &str, &[&str]); 5] = [
    ("pid", "process", &[]),
    ("ipc", "IPC", &["none", "private", "shareable"]),
    ("uts", "host name", &[]),
    ("userns_mode", "user", &[]),
    ("cgroup", "cgroup", &["private"]),
];

/// Keys that are refused whatever their value, with the reason.
const NEVER: [(&str, &str); 18] = [
    ("devices", "A device of this machine in a container bypasses its isolation."),
    ("device_cgroup_rules", "Device rules open devices of this machine."),
    ("blkio_config", "It names disks of this machine."),
    ("cgroup_parent", "The container would leave the limits that the grader sets."),
    ("external_links", "It reaches containers that are not part of the exercise."),
    ("volumes_from", "It mounts what other containers have; name the volume instead."),
    ("credential_spec", "It reads credentials of this machine."),
    ("runtime", "Another runtime may isolate less. The default one is used."),
    ("isolation", "Another kind of isolation may isolate less. The default one is used."),
    ("oom_kill_disable", "Without the OOM killer a full container can block the whole machine."),
    ("gpus", "No exercise needs a device of this machine."),
    ("post_start", "Hooks can run with more rights than the container."),
    ("pre_stop", "Hooks can run with more rights than the container."),
    ("provider", "A provider is a program that Compose runs on this machine."),
    ("models", "No exercise needs a model runner."),
    ("use_api_socket", "Whoever has the Docker socket is root on this machine."),
    ("storage_opt", "It changes how Docker keeps the container on disk."),
    ("cpu_rt_runtime", "Real-time processes can keep everything else from running."),
];

/// Keys that the gate knows: harmless ones, and those that have a rule of their own.
const KNOWN: &str = "annotations attach build cap_add cap_drop cgroup command configs container_name cpu_period cpu_quota cpu_shares cpus cpuset \
    depends_on deploy develop dns dns_opt dns_search domainname entrypoint env_file environment expose extends extra_hosts \
    group_add healthcheck hostname image init ipc label_file labels links logging mac_address mem_limit mem_reservation mem_swappiness \
    memswap_limit network_mode networks oom_score_adj pid pids_limit platform ports privileged profiles pull_policy read_only \
    restart scale secrets security_opt shm_size stdin_open stop_grace_period stop_signal sysctls tmpfs tty ulimits user \
    userns_mode uts volumes working_dir";

/// Looks at one service.
pub fn inspect(gate: &mut Gate<'_>, name: &str, service: &Value) {
    if service.get("privileged") == Some(&Value::Bool(true)) {
        gate.refuse(
            &["services", name, "privileged"],
            format!("`{name}` asks to be privileged"),
            "A privileged container is root on this machine. No exercise needs it: find out which single right is missing.",
        );
    }
    for (key, why) in NEVER {
        if service.get(key).is_some_and(is_set) {
            gate.refuse(&["services", name, key], format!("`{name}` sets `{key}`"), why);
        }
    }
    gate.only_known(&["services", name], service, &known());
    namespaces(gate, name, service);
    network::inspect_service(gate, name, service);
    deployment(gate, name, service);
    rights(gate, name, service);
    mounts::inspect(gate, name, service);
    image(gate, name, service);
    build::inspect(gate, name, service);
    resources::inspect(gate, name, service);
}

/// All keys that a service may have, those among them that are refused whatever they say.
pub fn known() -> Vec<&'static str> {
    KNOWN.split_whitespace().chain(NEVER.map(|(key, _)| key)).collect()
}

fn namespaces(gate: &mut Gate<'_>, name: &str, service: &Value) {
    for (key, namespace, allowed) in NAMESPACES {
        let value = service.get(key).and_then(Value::as_str).unwrap_or_default();
        let is_own = ["pid", "ipc"].contains(&key) && value.starts_with("service:");
        if value.is_empty() || is_own || allowed.contains(&value) {
            continue;
        }
        let whose = match value {
            "host" => "this machine".to_owned(),
            other => format!("`{other}`, which is not of this stack"),
        };
        let remedy = match value.strip_prefix("container:") {
            Some(_) => {
                "A Compose file names a service of its own: write `service:NAME` in the place of `container:NAME`."
            }
            None => "It would see or disturb what is not part of the exercise. Leave the key out.",
        };
        gate.refuse(&["services", name, key], format!("`{name}` joins the {namespace} namespace of {whose}"), remedy);
    }
}

fn deployment(gate: &mut Gate<'_>, name: &str, service: &Value) {
    if service.pointer("/deploy/resources/reservations/devices").is_some_and(is_set) {
        gate.refuse(
            &["services", name, "deploy"],
            format!("`{name}` reserves devices"),
            "No exercise needs a device of this machine.",
        );
    }
    let Some(deploy) = service.get("deploy") else { return };
    let known = [
        "mode",
        "replicas",
        "labels",
        "resources",
        "restart_policy",
        "endpoint_mode",
        "placement",
        "update_config",
        "rollback_config",
    ];
    gate.only_known(&["services", name, "deploy"], deploy, &known);
}

/// What a container has without being asked (moby 26.1, `oci/caps/defaults.go`): to give it back after
/// `cap_drop: ALL` adds nothing.
const DEFAULT_CAPABILITIES: &str = "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP \
    NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE";

fn rights(gate: &mut Gate<'_>, name: &str, service: &Value) {
    for capability in strings(service.get("cap_add")) {
        let upper = capability.to_uppercase();
        if DEFAULT_CAPABILITIES.split_whitespace().any(|one| upper.strip_prefix("CAP_").unwrap_or(&upper) == one) {
            continue;
        }
        if gate.lesson.allow.iter().any(|allowed| allowed.is_capability(&capability)) {
            continue;
        }
        gate.refuse(
            &["services", name, "cap_add"],
            format!("`{name}` adds the capability {capability}"),
            "Only what every container has anyway may be added again after `cap_drop`, such as CHOWN or DAC_OVERRIDE; more than that is not needed here.",
        );
    }
    for option in strings(service.get("security_opt")) {
        let tightens =
            ["no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"].contains(&option.as_str());
        if tightens || gate.lesson.allow.iter().any(|allowed| allowed.is_protection(&option)) {
            continue;
        }
        gate.refuse(
            &["services", name, "security_opt"],
            format!("`{name}` loosens a protection: {option}"),
            "seccomp, AppArmor and SELinux keep a container from the kernel's dangerous parts. `no-new-privileges:true` is welcome.",
        );
    }
    for (setting, _) in object(service.get("sysctls")).filter(|(setting, _)| !setting.starts_with("net.")) {
        gate.refuse(
            &["services", name, "sysctls"],
            format!("`{name}` sets {setting} of the kernel"),
            "Only settings of the container's own network (`net.`) may be set.",
        );
    }
}

/// An image of this machine may hold what belongs to somebody else: a service runs what is built
/// here, or an image of the lesson.
fn image(gate: &mut Gate<'_>, name: &str, service: &Value) {
    let Some(image) = service.get("image").and_then(Value::as_str) else { return };
    let built =
        |other: &Value| other.get("build").is_some() && other.get("image").and_then(Value::as_str) == Some(image);
    let is_built = service.get("build").is_some() || object(gate.model.get("services")).any(|(_, other)| built(other));
    // Where the lesson builds the image that is run by its tag, that one stands in for any name.
    let stood_in_for = gate.spec.tagged_image.is_some();
    if !is_built && !stood_in_for && !images::is_of_lesson(&gate.lesson.images, image) {
        gate.refuse(
            &["services", name, "image"],
            format!("`{name}` runs `{image}`, which is neither built from your files nor an image of this lesson"),
            format!(
                "Add a `build`, or use {}. Another image of this machine may hold what belongs to somebody else.",
                gate.lesson.images.join(" or ")
            ),
        );
    }
}
