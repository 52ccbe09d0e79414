//! Addresses and names in the networks of a started stack.
//!
//! Owns: leaving addresses to Docker, so that many runs fit on one machine, and keeping the names by which
//! services find each other. Must not: judge; the gate refuses a fixed address that something relies on.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Keys by which a service asks for an address of its own in a network.
const ADDRESSES: [&str; 3] = ["ipv4_address", "ipv6_address", "link_local_ips"];

/// Takes fixed addresses out of a service, and keeps the name that its container had: in Docker's networks
/// a container is found by it.
pub fn keep_names(service: &mut Map<String, Value>) {
    let name = service.get("container_name").cloned();
    for (_, network) in service.get_mut("networks").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Some(network) = network.as_object_mut() {
            network.retain(|key, _| !ADDRESSES.contains(&key.as_str()));
        }
        let Some(name) = &name else { continue };
        if network.is_null() {
            *network = json!({});
        }
        if let Some(network) = network.as_object_mut()
            && let Some(aliases) = network.entry("aliases").or_insert_with(|| json!([])).as_array_mut()
            && !aliases.contains(name)
        {
            aliases.push(name.clone());
        }
    }
}

/// Lets Docker choose a network's addresses. Those of version 6 it cannot choose everywhere: they are
/// drawn from the unique local ones (RFC 4193) by the network's name.
pub fn give_addresses(network: &mut Map<String, Value>, name: &str) {
    network.remove("ipam");
    if network.get("enable_ipv6") == Some(&Value::Bool(true)) {
        let hash = hex::encode(Sha256::digest(name));
        let subnet = format!("fd{}:{}:{}:{}::/64", &hash[..2], &hash[2..6], &hash[6..10], &hash[10..14]);
        network.insert("ipam".into(), json!({"config": [{"subnet": subnet}]}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn addresses_go_and_everything_else_of_a_network_stays() {
        let networks = json!({"front": {"ipv4_address": "172.28.77.10", "aliases": ["web"]}, "back": null});
        let mut service = object(json!({ "networks": networks }));
        keep_names(&mut service);
        assert_eq!(service["networks"], json!({"front": {"aliases": ["web"]}, "back": null}));
    }

    #[test]
    fn the_name_of_a_container_stays_a_name_in_its_networks() {
        let mut service = object(json!({"container_name": "shop-db", "networks": {"default": null}}));
        keep_names(&mut service);
        assert_eq!(service["networks"], json!({"default": {"aliases": ["shop-db"]}}));
    }

    #[test]
    fn only_networks_of_version_6_get_a_subnet_and_each_its_own() {
        let mut plain = object(json!({"ipam": {"config": [{"subnet": "172.28.77.0/24"}]}}));
        give_addresses(&mut plain, "a");
        assert_eq!(plain.get("ipam"), None);
        let mut both = [object(json!({"enable_ipv6": true})), object(json!({"enable_ipv6": true}))];
        give_addresses(&mut both[0], "a");
        give_addresses(&mut both[1], "b");
        let subnet = |network: &Map<String, Value>| network["ipam"]["config"][0]["subnet"].as_str().map(str::to_owned);
        assert!(subnet(&both[0]).is_some_and(|text| text.starts_with("fd") && text.ends_with("::/64")));
        assert_ne!(subnet(&both[0]), subnet(&both[1]));
    }
}
