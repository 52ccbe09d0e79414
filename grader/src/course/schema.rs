//! The JSON Schema of `lesson.toml`, for editors.
//!
//! Owns: putting the shape of a lesson and the parameters of every kind into one schema. Must not:
//! know any kind; what the types and their doc comments say is all there is.
//!
//! A check's parameters depend on its kind, so `oneOf` has one branch per kind. (`if`/`then` would
//! say the same, but editors for TOML do not look there for what they offer to complete.) Nothing
//! is referred to by `$ref`, for the same reason.

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::spec::{CheckSpec, LessonSpec};
use crate::check::{Kind, schema_generator};

/// The JSON Schema of `lesson.toml`.
#[must_use]
pub fn of_lesson() -> Value {
    let mut lesson = root::<LessonSpec>();
    lesson["properties"]["check"] = json!({
        "type": "array",
        "description": "What is measured, in the order of the report.",
        "minItems": 1,
        "items": of_check(),
    });
    if let Some(required) = lesson["required"].as_array_mut() {
        required.push("check".into());
    }
    lesson
}

/// One `[[check]]`: what all have in common, and one branch per kind.
#[must_use]
pub fn of_check() -> Value {
    let mut kinds: Vec<&Kind> = Kind::all().collect();
    kinds.sort_by_key(|kind| kind.name);
    let mut check = nested(root::<CheckSpec>());
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
    check["properties"]["kind"]["enum"] = json!(names);
    check["properties"]["with"] = json!({"type": "object", "description": "The parameters of the kind."});
    check["oneOf"] = kinds.into_iter().map(branch).collect();
    check
}

/// `with = { ... }` with the keys that a kind demands, their values left open.
#[must_use]
pub fn with_line(kind: &Kind) -> String {
    let schema = (kind.schema)().to_value();
    let keys = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    format!("with = {{ {} }}", keys.map(|key| format!("{key} = ...")).collect::<Vec<_>>().join(", "))
}

/// What `with` may say when the check is of this kind.
fn branch(kind: &Kind) -> Value {
    let with = nested((kind.schema)().to_value());
    let kind_key = json!({"const": kind.name, "description": with["description"]});
    let demands = with["required"].as_array().is_some_and(|keys| !keys.is_empty());
    let required: &[&str] = if demands { &["kind", "with"] } else { &["kind"] };
    json!({
        "title": kind.name,
        "properties": {"kind": kind_key, "with": with},
        "required": required,
    })
}

fn root<T: JsonSchema>() -> Value {
    schema_generator().into_root_schema_for::<T>().to_value()
}

/// A schema as a part of another: only a whole schema says which draft it is.
fn nested(mut schema: Value) -> Value {
    if let Some(keys) = schema.as_object_mut() {
        keys.remove("$schema");
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_branch_with_its_parameters() {
        let schema = of_lesson();
        let check = &schema["properties"]["check"]["items"];
        for kind in Kind::all() {
            let branches = check["oneOf"].as_array().expect("branches");
            let branch = branches.iter().find(|branch| branch["title"] == kind.name).expect(kind.name);
            let with = &branch["properties"]["with"];
            assert_eq!(with["additionalProperties"], false, "{} takes unknown parameters", kind.name);
            for (name, parameter) in with["properties"].as_object().expect("parameters") {
                assert!(parameter["description"].is_string(), "{}: `{name}` has no doc comment", kind.name);
            }
        }
    }

    #[test]
    fn nothing_is_referred_to_and_the_draft_stands_once_at_the_top() {
        let text = of_lesson().to_string();
        assert!(!text.contains("$ref"));
        assert_eq!(text.matches("$schema").count(), 1);
        assert_eq!(of_lesson()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}
