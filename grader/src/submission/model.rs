//! Texts of a merged model, as those mean them who get them in the end.
//!
//! Owns: undoing what `docker compose config` does to a dollar sign. Must not: fill in variables; Compose has.

use std::collections::BTreeMap;

use serde_json::Value;

/// The text without the second dollar sign, which Compose writes so that its own output can be read again.
#[must_use]
pub fn unescaped(text: &str) -> String {
    text.replace("$$", "$")
}

/// The arguments of a build that have a value.
#[must_use]
pub fn build_args(build: &Value) -> BTreeMap<String, String> {
    let all = build.get("args").and_then(Value::as_object);
    all.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), unescaped(value.as_str()?)))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dollar_sign_is_one_and_what_has_no_value_is_left_out() {
        let build = json!({"args": {"price": "5 $$", "twice": "$$$$", "outside": null}});
        let wanted = [("price", "5 $"), ("twice", "$$")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(build_args(&build), wanted.into());
    }
}
