//! The rules for networks, and for how services join them.
//!
//! Owns: which network a service may be in, options of drivers, and fixed addresses. Must not: rewrite
//! anything; the plan leaves addresses to Docker.

use serde_json::Value;

use super::{Gate, entries, is_set, number, object};

/// Options of the bridge driver that change nothing outside of the network.
const OPTIONS: [&str; 3] = [
    "com.docker.network.driver.mtu",
    "com.docker.network.bridge.enable_icc",
    "com.docker.network.bridge.enable_ip_masquerade",
];
/// The largest packets that a network may carry, bytes: jumbo frames.
const MTU_MOST: f64 = 9_000.0;

/// What a service may say about a network that it joins.
const ENDPOINT: [&str; 9] = [
    "aliases",
    "gw_priority",
    "interface_name",
    "ipv4_address",
    "ipv6_address",
    "link_local_ips",
    "mac_address",
    "priority",
    "driver_opts",
];

/// Looks at a network of the stack.
pub fn inspect(gate: &mut Gate<'_>, name: &str, item: &Value) {
    let driver = item.get("driver").and_then(Value::as_str).unwrap_or("bridge");
    if !["default", "bridge"].contains(&driver) {
        gate.refuse(
            &["networks", name, "driver"],
            format!("the network `{name}` uses the driver `{driver}`"),
            "Other drivers reach networks of this machine. Leave `driver` out: the usual one is `bridge`.",
        );
    }
    for (option, value) in object(item.get("driver_opts")) {
        let at = ["networks", name, "driver_opts", option];
        if !OPTIONS.contains(&option) {
            let what = format!("the network `{name}` sets the driver option `{option}`");
            let why = format!("It could reach beyond this network. These are fine: {}.", OPTIONS.join(", "));
            gate.refuse(&at, what, why);
        } else if option == OPTIONS[0] && number(Some(value)).is_none_or(|mtu| !(68.0..=MTU_MOST).contains(&mtu)) {
            let what = format!("the network `{name}` has an MTU of {}", shown(value));
            gate.refuse(&at, what, format!("An MTU is a number of bytes from 68 to {MTU_MOST}; 1500 is usual."));
        }
    }
}

/// Looks at how a service joins networks.
pub fn inspect_service(gate: &mut Gate<'_>, name: &str, service: &Value) {
    mode(gate, name, service.get("network_mode").and_then(Value::as_str).unwrap_or_default());
    for (network, joined) in object(service.get("networks")) {
        let path = ["services", name, "networks", network];
        gate.only_known(&path, joined, &ENDPOINT);
        if joined.get("driver_opts").is_some_and(is_set) {
            let why = "They change how Docker wires the container to this machine. Leave them out.";
            let at = [path[0], path[1], path[2], path[3], "driver_opts"];
            gate.refuse(&at, format!("`{name}` sets driver options in the network `{network}`"), why);
        }
    }
}

fn mode(gate: &mut Gate<'_>, name: &str, mode: &str) {
    let at = ["services", name, "network_mode"];
    let leave_out = "Leave `network_mode` out: Compose gives the stack a network of its own, in which services find each other by name.";
    match mode {
        "" | "none" => {}
        "host" => {
            let why = "It would reach every service of this machine, and take ports of its own there. Leave the key out.";
            gate.refuse(&at, format!("`{name}` joins the network namespace of this machine"), why);
        }
        "bridge" | "default" => gate.refuse(
            &at,
            format!("`{name}` joins Docker's own network (`network_mode: {mode}`)"),
            format!("Containers of everybody on this machine are in it, and names of services do not work there. {leave_out}"),
        ),
        _ if mode.starts_with("service:") => {}
        _ => match mode.strip_prefix("container:") {
            Some(container) => gate.refuse(
                &at,
                format!("`{name}` joins the network namespace of the container `{container}`, which is not of this stack"),
                "A Compose file names a service of its own: write `service:NAME` in the place of `container:NAME`.",
            ),
            None => gate.refuse(
                &at,
                format!("`{name}` joins the network `{mode}` of this machine, which is not of this stack"),
                format!("A network of this file is joined by the key `networks`. {leave_out}"),
            ),
        },
    }
}

/// Refuses fixed addresses that something else in the files relies on: in a run Docker chooses all
/// addresses, so that many runs fit on one machine.
pub fn inspect_addresses(gate: &mut Gate<'_>) {
    let mut fixed: Vec<(String, String, String)> = Vec::new();
    for (service, described) in entries(gate.model, "services") {
        for (network, joined) in object(described.get("networks")) {
            for key in ["ipv4_address", "ipv6_address"] {
                let address = joined.get(key).and_then(Value::as_str).unwrap_or_default();
                if !address.is_empty() {
                    fixed.push((service.to_owned(), network.to_owned(), address.to_owned()));
                }
            }
        }
    }
    for (service, described) in entries(gate.model, "services") {
        for (key, value) in object(Some(described)).filter(|(key, _)| *key != "networks") {
            let Some((owner, _, address)) = fixed.iter().find(|(.., address)| has_word(value, address)) else {
                continue;
            };
            let what = format!("`{service}` uses {address}, the fixed address of `{owner}`");
            let why = format!(
                "In the grader's run Docker chooses the addresses, so that many runs fit on one machine. Write the name `{owner}` in its place: \
                 names of services lead to them wherever they are."
            );
            gate.refuse(&["services", service, key], what, why);
        }
    }
}

/// Whether a text stands somewhere in a value, and is no part of a longer number.
fn has_word(value: &Value, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '.';
    let stands_in = |text: &str| {
        text.match_indices(word).any(|(at, _)| {
            let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
            !before.is_some_and(is_part) && !after.is_some_and(|c| c.is_ascii_hexdigit())
        })
    };
    match value {
        Value::String(text) => stands_in(text),
        Value::Array(items) => items.iter().any(|item| has_word(item, word)),
        Value::Object(map) => map.values().any(|item| has_word(item, word)),
        _ => false,
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
