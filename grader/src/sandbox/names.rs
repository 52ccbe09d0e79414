//! The names by which the services of a stack call each other.
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
}
