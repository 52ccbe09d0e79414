//! Namespaces of the stack's own containers.
//!
//! Owns: naming them by their services. Must not: allow any other.

use serde_json::{Value, json};

use super::{entries, replicas};

/// Keys by which a container joins a namespace of another one.
const KEYS: [&str; 3] = ["pid", "ipc", "network_mode"];

/// Writes `service:NAME` for each `container:NAME` that means a container of this stack: by its `container_name`,
/// or by the name that Compose gives it. What is started has names of the grader's own.
pub fn name_services(model: &mut Value) {
    let project = model.get("name").and_then(Value::as_str).unwrap_or_default();
    let mut own: Vec<(String, String)> = Vec::new();
    for (service, settings) in entries(model, "services") {
        let chosen = settings.get("container_name").and_then(Value::as_str).map(str::to_owned);
        // Compose numbers the containers of a service.
        let given = || format!("{project}-{service}-1");
        if replicas(settings) > 0 {
            own.push((chosen.unwrap_or_else(given), service.to_owned()));
        }
    }
    let services = model.get_mut("services").and_then(Value::as_object_mut);
    for (_, settings) in services.into_iter().flatten() {
        for key in KEYS {
            let Some(value) = settings.get_mut(key) else { continue };
            let container = value.as_str().and_then(|value| value.strip_prefix("container:"));
            let service = container.and_then(|name| own.iter().find(|(known, _)| known == name));
            if let Some((_, service)) = service {
                *value = json!(format!("service:{service}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_of_the_stack_become_services_and_others_stay_as_they_are() {
        let mut model = json!({"name": "grill", "services": {
            "a": {"container_name": "alpha"},
            "b": {},
            "c": {"pid": "container:alpha", "ipc": "container:grill-b-1", "network_mode": "container:else"},
        }});
        name_services(&mut model);
        let wanted = json!({"pid": "service:a", "ipc": "service:b", "network_mode": "container:else"});
        assert_eq!(model["services"]["c"], wanted);
    }
}
