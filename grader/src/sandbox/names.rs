//! The names by which the services of a stack call each other, and the ports that they publish.
//!
//! Owns: reading them out of a merged Compose model. Must not: look anything up.

use serde_json::Value;

/// The service that a name stands for: its own name, an alias in one of its networks, its host name, or
/// the name of its container. `None` when no service is called so.
#[must_use]
pub fn service_called(model: &Value, name: &str) -> Option<String> {
    let services = model.get("services")?.as_object()?;
    let own = services.contains_key(name).then(|| name.to_owned());
    own.or_else(|| services.keys().find(|service| own_names(model, service).iter().any(|n| n == name)).cloned())
}

/// Every name under which a service may be reached. One that shares the network of another
/// service is reached under that one's names.
#[must_use]
pub fn names_of(model: &Value, service: &str) -> Vec<String> {
    let mut names = own_names(model, service);
    if let Some(other) = shares_network_of(model, service) {
        names.extend(own_names(model, &other));
    }
    names
}

/// The service whose network a service shares (`network_mode: service:NAME`).
#[must_use]
pub fn shares_network_of(model: &Value, service: &str) -> Option<String> {
    model["services"][service]["network_mode"].as_str()?.strip_prefix("service:").map(str::to_owned)
}

fn own_names(model: &Value, service: &str) -> Vec<String> {
    let described = &model["services"][service];
    let networks = described["networks"].as_object().into_iter().flatten();
    let aliases = networks.flat_map(|(_, network)| network["aliases"].as_array().into_iter().flatten());
    let more = aliases
        .chain([&described["hostname"], &described["container_name"]])
        .filter_map(Value::as_str)
        .map(str::to_owned);
    let mut names = vec![service.to_owned()];
    names.extend(more.filter(|name| name != service));
    names
}

/// A port that a service publishes, as the learner's files say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// The port on the host, or a range of them; empty when Docker takes any free one.
    pub host: String,
    /// The port in the container.
    pub container: u16,
    /// Whether it is for UDP.
    pub udp: bool,
}

/// The ports that a service publishes.
#[must_use]
pub fn doors(model: &Value, service: &str) -> Vec<Door> {
    let ports = model["services"][service]["ports"].as_array().into_iter().flatten();
    let door = |port: &Value| {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(Door {
            host: port.get("published").filter(|host| !host.is_null()).map(text).unwrap_or_default(),
            container: port.get("target")?.as_u64()?.try_into().ok()?,
            udp: port.get("protocol").and_then(Value::as_str) == Some("udp"),
        })
    };
    let mut doors: Vec<Door> = ports.filter_map(door).collect();
    // The same door may be open at several addresses of the host.
    doors.sort_by(|a, b| (&a.host, a.container, a.udp).cmp(&(&b.host, b.container, b.udp)));
    doors.dedup();
    doors
}

/// The TCP port in the container that a port of a lesson leads to: the one behind that port of the host,
/// else the port of this number itself, if it is published anywhere. An app may listen on whatever port it
/// likes, as long as its guests find it where they look. One that shares the network of another service has
/// that one's doors.
#[must_use]
pub fn behind(model: &Value, service: &str, port: u16) -> Option<u16> {
    let other = shares_network_of(model, service);
    let doors: Vec<Door> =
        doors(model, other.as_deref().unwrap_or(service)).into_iter().filter(|door| !door.udp).collect();
    let by_host = doors.iter().find(|door| door.host == port.to_string());
    by_host.or_else(|| doors.iter().find(|door| door.container == port)).map(|door| door.container)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model() -> Value {
        json!({"services": {
            "db": {"hostname": "store", "container_name": "shop-db", "networks": {"back": {"aliases": ["postgres"]}, "front": null}},
            "app": {"networks": {"front": null}},
            "debug": {"network_mode": "service:db"},
        }})
    }

    #[test]
    fn a_name_an_alias_and_a_host_name_stand_for_a_service() {
        for name in ["db", "postgres", "store", "shop-db"] {
            assert_eq!(service_called(&model(), name).as_deref(), Some("db"), "{name}");
        }
        assert_eq!(service_called(&model(), "cache"), None);
    }

    #[test]
    fn one_that_shares_a_network_is_reached_under_the_others_names() {
        assert_eq!(names_of(&model(), "debug"), ["debug", "db", "postgres", "store", "shop-db"]);
        assert_eq!(names_of(&model(), "app"), ["app"]);
    }

    #[test]
    fn the_host_s_side_of_a_port_comes_first() {
        let ports = json!([
            {"target": 8080, "published": "3000", "protocol": "tcp", "host_ip": "127.0.0.1"},
            {"target": 8080, "published": "3000", "protocol": "tcp", "host_ip": "::1"},
            {"target": 3000, "published": "9000", "protocol": "tcp"},
            {"target": 5000},
            {"target": 53, "published": "53", "protocol": "udp"},
        ]);
        let guest = json!({"network_mode": "service:app"});
        let model = json!({"services": {"app": {"ports": ports}, "guest": guest}});
        assert_eq!(behind(&model, "guest", 3000), Some(8080), "the doors of the one whose network it shares");
        let leads_to = |port| behind(&model, "app", port);
        assert_eq!([3000, 9000, 5000, 53, 1].map(leads_to), [Some(8080), Some(3000), Some(5000), None, None]);
        assert_eq!(doors(&model, "app").len(), 4);
        assert!(doors(&model, "db").is_empty());
    }
}
