//! Names in braces in what a lesson writes, such as `{tag}`.
//!
//! Owns: putting values in their places. Must not: know which names there are.

use std::collections::BTreeMap;

use serde_json::Value;

/// A text with the values of all names that are known.
#[must_use]
pub fn fill(text: &str, words: &BTreeMap<String, String>) -> String {
    words.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// The same within JSON, at any depth. A text that is only the name `number` in braces becomes that number.
#[must_use]
pub fn fill_json(json: &Value, words: &BTreeMap<String, String>, number: &str) -> Value {
    match json {
        Value::String(text) if *text == format!("{{{number}}}") => {
            words.get(number).and_then(|value| value.parse::<u64>().ok()).map_or(Value::Null, Value::from)
        }
        Value::String(text) => fill(text, words).into(),
        Value::Array(items) => items.iter().map(|item| fill_json(item, words, number)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), fill_json(value, words, number))).collect(),
        other => other.clone(),
    }
}
