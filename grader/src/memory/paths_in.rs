//! The files of a submission that a started stack reads.
//!
//! Owns: finding paths in a model. Must not: read them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

/// Every path of the stack's own folder that stands in a model, relative to that folder (which
/// ends in `marker`). What mounts, secrets, configurations and files of variables have in common is
/// that they are such paths.
pub fn paths_in(model: &Value, marker: &str) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    collect(model, marker, &mut found);
    found
}

fn collect(value: &Value, marker: &str, found: &mut BTreeSet<PathBuf>) {
    match value {
        Value::String(text) => {
            if let Some((_, rest)) = text.split_once(marker)
                && (rest.is_empty() || rest.starts_with('/'))
            {
                found.insert(PathBuf::from(rest.trim_start_matches('/')));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, marker, found)),
        Value::Object(map) => map.values().for_each(|value| collect(value, marker, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mounts_secrets_and_files_of_variables_are_found() {
        let model = json!({
            "services": {"a": {
                "volumes": [{"type": "bind", "source": "/c/runs/r/stack-dev/src"}, {"type": "volume", "source": "data"}],
                "env_file": [{"path": "/c/runs/r/stack-dev/a.env"}],
                "environment": {"OTHER": "/c/runs/r/stack-development/x"},
            }},
            "secrets": {"s": {"file": "/c/runs/r/stack-dev/s.txt"}},
        });
        let found = paths_in(&model, "/runs/r/stack-dev");
        assert_eq!(found, ["a.env", "s.txt", "src"].map(PathBuf::from).into());
        let all = paths_in(&json!({"source": "/c/runs/r/stack-dev"}), "/runs/r/stack-dev");
        assert_eq!(all, [PathBuf::new()].into());
    }
}
