//! The rules for one service of a merged model.
//!
//! Owns: which keys and values give a container power over the machine. Must not: know lessons.

use serde_json::Value;

use super::{Gate, limits};

/// Keys whose value `host` (or another container's) joins a namespace that is not the service's own.
const NAMESPACES: [(&str, &str); 6] = [
    ("network_mode", "network"),
    ("pid", "process"),
    ("ipc", "IPC"),
    ("uts", "host name"),
    ("userns_mode", "user"),
    ("cgroup", "cgroup"),
];

/// Keys that are refused whatever their value, with the reason.
const NEVER: [(&str, &str); 12] = [
    ("devices", "A device of this machine in a container bypasses its isolation."),
    ("device_cgroup_rules", "Device rules open devices of this machine."),
    ("cgroup_parent", "The container would leave the limits that the grader sets."),
    ("external_links", "It reaches containers that are not part of the exercise."),
    ("volumes_from", "It mounts what other containers have; name the volume instead."),
    ("credential_spec", "It reads credentials of this machine."),
    ("runtime", "Another runtime may isolate less. The default one is used."),
    ("oom_kill_disable", "Without the OOM killer a full container can block the whole machine."),
    ("gpus", "No exercise needs a device of this machine."),
    ("post_start", "Hooks can run with more rights than the container."),
    ("pre_stop", "Hooks can run with more rights than the container."),
    ("use_api_socket", "Whoever has the Docker socket is root on this machine."),
];

/// Looks at one service.
pub fn inspect(gate: &mut Gate<'_>, name: &str, service: &Value) {
    let text = |key: &str| service.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    if service.get("privileged") == Some(&Value::Bool(true)) {
        gate.refuse(
            &["services", name, "privileged"],
            format!("`{name}` asks to be privileged"),
            "A privileged container is root on this machine. No exercise needs it: find out which single right is missing.",
        );
    }
    for (key, namespace) in NAMESPACES {
        let value = text(key);
        if value == "host" || value.starts_with("container:") {
            gate.refuse(
                &["services", name, key],
                format!("`{name}` joins the {namespace} namespace of {}", if value == "host" { "this machine" } else { "a foreign container" }),
                "It would see or disturb what is not part of the exercise. Leave the key out; services of a stack reach each other by name.",
            );
        }
    }
    for (key, why) in NEVER {
        if service.get(key).is_some_and(is_set) {
            gate.refuse(&["services", name, key], format!("`{name}` sets `{key}`"), why);
        }
    }
    if service.pointer("/deploy/resources/reservations/devices").is_some_and(is_set) {
        gate.refuse(
            &["services", name, "deploy"],
            format!("`{name}` reserves devices"),
            "No exercise needs a device of this machine.",
        );
    }
    rights(gate, name, service);
    mounts(gate, name, service);
    build(gate, name, service);
    resources(gate, name, service);
}

fn rights(gate: &mut Gate<'_>, name: &str, service: &Value) {
    for capability in strings(service.get("cap_add")) {
        gate.refuse(
            &["services", name, "cap_add"],
            format!("`{name}` adds the capability {capability}"),
            "More rights than Docker's default set are not needed here; production drops rights, it does not add them.",
        );
    }
    for option in strings(service.get("security_opt")) {
        let loosens =
            ["unconfined", "label=disable", "label:disable", "systempaths"].iter().any(|word| option.contains(word))
                || option.starts_with("seccomp=")
                || option.starts_with("seccomp:");
        if loosens {
            gate.refuse(
                &["services", name, "security_opt"],
                format!("`{name}` loosens a protection: {option}"),
                "seccomp, AppArmor and SELinux keep a container from the kernel's dangerous parts. `no-new-privileges` is welcome.",
            );
        }
    }
    let driver = service.pointer("/logging/driver").and_then(Value::as_str).unwrap_or("json-file");
    if !["json-file", "local", "none"].contains(&driver) {
        gate.refuse(
            &["services", name, "logging"],
            format!("`{name}` sends its log to `{driver}`"),
            "Logs of an exercise stay in Docker: use `json-file` or `local`.",
        );
    }
}

fn mounts(gate: &mut Gate<'_>, name: &str, service: &Value) {
    for volume in service.get("volumes").and_then(Value::as_array).into_iter().flatten() {
        let source = volume.get("source").and_then(Value::as_str).unwrap_or_default();
        let target = volume.get("target").and_then(Value::as_str).unwrap_or_default();
        if volume.get("type").and_then(Value::as_str) == Some("bind") {
            gate.must_be_inside(&["services", name, "volumes"], source, &format!("is mounted at {target}"));
        }
    }
}

fn build(gate: &mut Gate<'_>, name: &str, service: &Value) {
    let Some(build) = service.get("build") else { return };
    let place = ["services", name, "build"];
    if build.get("network").and_then(Value::as_str) == Some("host") {
        gate.refuse(
            &["services", name, "build", "network"],
            format!("`{name}` is built on the host's network"),
            "A build with the host's network can reach every service of this machine. Remove `network: host`.",
        );
    }
    if build.get("privileged") == Some(&Value::Bool(true)) || build.get("entitlements").is_some_and(is_set) {
        gate.refuse(
            &place,
            format!("the build of `{name}` asks for more rights"),
            "No exercise needs a privileged build or entitlements.",
        );
    }
    if build.get("ssh").is_some_and(is_set) {
        gate.refuse(
            &["services", name, "build", "ssh"],
            format!("the build of `{name}` asks for SSH keys"),
            "No exercise needs the keys of this machine.",
        );
    }
    let contexts = build.get("additional_contexts").and_then(Value::as_object).into_iter().flatten();
    let contexts = contexts.filter_map(|(_, value)| value.as_str()).chain(build.get("context").and_then(Value::as_str));
    for context in contexts {
        if context.contains("://") || context.starts_with("git@") {
            gate.refuse(
                &["services", name, "build", "context"],
                format!("`{name}` is built from {context}"),
                "Only files of the exercise are built.",
            );
        } else if context.starts_with('/') {
            gate.must_be_inside(&["services", name, "build", "context"], context, "is a build context");
        }
    }
    let dockerfile = build.get("dockerfile").and_then(Value::as_str).unwrap_or("Dockerfile");
    let context = build.get("context").and_then(Value::as_str).unwrap_or(".");
    let path = std::path::Path::new(context).join(dockerfile);
    gate.must_be_inside(&["services", name, "build", "dockerfile"], &path.display().to_string(), "is a Dockerfile");
}

fn resources(gate: &mut Gate<'_>, name: &str, service: &Value) {
    let deployed = service.pointer("/deploy/resources/limits/memory");
    for (value, key) in
        [(service.get("mem_limit"), "mem_limit"), (deployed, "deploy"), (service.get("shm_size"), "shm_size")]
    {
        let bytes = value.and_then(|v| v.as_u64().or_else(|| v.as_str()?.parse().ok())).unwrap_or(0);
        if bytes > limits::MEMORY_MOST {
            gate.refuse(
                &["services", name, key],
                format!("`{name}` may use {} of memory", crate::verdict::bytes(bytes)),
                format!("At most {} in an exercise.", crate::verdict::bytes(limits::MEMORY_MOST)),
            );
        }
    }
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}
