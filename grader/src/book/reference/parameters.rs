//! The parameters of a kind, as a table.
//!
//! Owns: naming types in words, and listing tables within tables. Must not: know any kind; the
//! JSON Schema, made from the struct and its doc comments, is all it reads.

use serde_json::Value;

/// The table of a kind's parameters, and a list for each choice within them.
pub fn markdown(schema: &Value) -> String {
    if keys(schema).is_empty() {
        return "It has no parameters.\n\n".to_owned();
    }
    let mut lists = Vec::new();
    choices(schema, "", &mut lists);
    let lists = lists.iter().map(|(name, values)| format!("`{name}` is one of:\n\n{values}\n"));
    let head = "| parameter | type | required | what it is |\n| --- | --- | --- | --- |\n";
    format!("{head}{}\n{}", rows(schema, "").concat(), lists.collect::<String>())
}

/// One row per parameter; those of a table within follow it, with its name before theirs.
fn rows(schema: &Value, prefix: &str) -> Vec<String> {
    let rows_of = |(name, parameter, required): (&str, &Value, bool)| {
        let full = format!("{prefix}{name}");
        let needed = if required { "required".to_owned() } else { default(parameter) };
        let description = cell(parameter["description"].as_str().unwrap_or_default());
        let row = format!("| `{full}` | {} | {needed} | {description} |\n", cell(&type_of(parameter)));
        let (inner, marks) = element(parameter);
        [vec![row], rows(inner, &format!("{full}{marks}."))].concat()
    };
    keys(schema).into_iter().flat_map(rows_of).collect()
}

/// Choices whose values are described, with the parameter's name.
fn choices(schema: &Value, prefix: &str, lists: &mut Vec<(String, String)>) {
    for (name, parameter, _) in keys(schema) {
        let (inner, marks) = element(parameter);
        let values: Vec<String> = variants(inner)
            .iter()
            .filter_map(|(value, why)| Some(format!("- {value}: {}\n", cell(why.as_deref()?))))
            .chain(tables(inner))
            .collect();
        if !values.is_empty() {
            lists.push((format!("{prefix}{name}"), values.concat()));
        }
        choices(inner, &format!("{prefix}{name}{marks}."), lists);
    }
}

/// The kinds of a table that are told apart by the value of one of its keys.
fn tables(schema: &Value) -> Vec<String> {
    let kinds = schema["oneOf"].as_array().into_iter().flatten();
    let shown_kind = |kind: &Value| {
        let keys = keys(kind);
        let (tag, parameter, _) = keys.iter().find(|(_, parameter, _)| !parameter["const"].is_null())?;
        let others: Vec<String> =
            keys.iter().filter(|(key, ..)| key != tag).map(|(key, ..)| format!("`{key}`")).collect();
        let why = cell(kind["description"].as_str().unwrap_or_default());
        let with = if others.is_empty() { String::new() } else { format!(" With {}.", others.join(", ")) };
        Some(format!("- `{tag} = {}`: {why}{with}\n", parameter["const"]))
    };
    kinds.filter_map(shown_kind).collect()
}

/// The keys of a table: the required ones in the order of the struct, then the others.
fn keys(schema: &Value) -> Vec<(&str, &Value, bool)> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let first = required.iter().filter_map(|name| Some((*name, properties.get(*name)?, true)));
    let rest = properties.iter().filter(|(name, _)| !required.contains(&name.as_str()));
    first.chain(rest.map(|(name, parameter)| (name.as_str(), parameter, false))).collect()
}

/// What a list or a table of free names holds, with `[]` or `.NAME` for each of them around it;
/// anything else is itself.
fn element(schema: &Value) -> (&Value, String) {
    let schema = without_null(schema);
    if schema["items"].is_object() {
        let (inner, marks) = element(&schema["items"]);
        (inner, format!("[]{marks}"))
    } else if schema["additionalProperties"].is_object() {
        let (inner, marks) = element(&schema["additionalProperties"]);
        (inner, format!(".NAME{marks}"))
    } else {
        (schema, String::new())
    }
}

/// An optional parameter may be `null` in JSON; in TOML it is left out.
fn without_null(schema: &Value) -> &Value {
    let is_null = |one: &&Value| one["type"] == "null";
    match schema["anyOf"].as_array() {
        Some(any) if any.iter().any(|one| is_null(&one)) => any.iter().find(|one| !is_null(one)).unwrap_or(schema),
        _ => schema,
    }
}

/// A type as an author would say it.
fn type_of(schema: &Value) -> String {
    let schema = without_null(schema);
    let variants: Vec<String> = variants(schema).into_iter().map(|(value, _)| value).collect();
    if !variants.is_empty() {
        return variants.join(" or ");
    }
    let name = match &schema["type"] {
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        name => name.as_str(),
    };
    match name {
        Some("string") => "text".to_owned(),
        Some("integer") => "whole number".to_owned(),
        Some("number") => "number".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("array") => {
            let count = schema["minItems"].as_u64().filter(|least| schema["maxItems"].as_u64() == Some(*least));
            let many = count.map_or_else(|| "list".to_owned(), |count| format!("list of {count}"));
            format!("{many}: {}", type_of(&schema["items"]))
        }
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("table: {} by name", type_of(&schema["additionalProperties"]))
        }
        Some("object") => "table".to_owned(),
        _ if !tables(schema).is_empty() => "table, see below".to_owned(),
        _ => "anything".to_owned(),
    }
}

/// The values of a choice, with what each means where that is said.
fn variants(schema: &Value) -> Vec<(String, Option<String>)> {
    let plain = schema["enum"].as_array().into_iter().flatten().map(|value| (shown(value), None));
    let described = schema["oneOf"].as_array().into_iter().flatten().flat_map(|one| {
        let why = one["description"].as_str().map(str::to_owned);
        let single = (!one["const"].is_null()).then(|| (shown(&one["const"]), why));
        let several = one["enum"].as_array().into_iter().flatten().map(|value| (shown(value), None));
        single.into_iter().chain(several).collect::<Vec<_>>()
    });
    plain.chain(described).collect()
}

/// What a parameter is when it is left out.
fn default(parameter: &Value) -> String {
    match &parameter["default"] {
        Value::Null => "may be left out".to_owned(),
        Value::Array(list) if list.is_empty() => "default: none".to_owned(),
        Value::Object(table) if table.is_empty() => "default: none".to_owned(),
        value => format!("default: {}", shown(value)),
    }
}

fn shown(value: &Value) -> String {
    format!("`{value}`")
}

/// Text for one cell: one line, and no bar that would end it.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::*;
    use crate::check::schema_generator;

    /// Parameters of every shape.
    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Shapes {
        /// The most, MB | MiB.
        most: f64,
        /// Two of them.
        pair: [String; 2],
        /// The requests
        /// in order.
        steps: Vec<Step>,
        /// Answers.
        answers: std::collections::BTreeMap<String, Step>,
        /// How.
        #[serde(default)]
        way: Option<Way>,
        /// Where.
        look: Look,
        /// Milliseconds.
        #[serde(default = "ten")]
        within_ms: u64,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Step {
        /// Any JSON.
        #[serde(default)]
        post: Option<serde_json::Value>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    enum Way {
        /// By foot.
        OnFoot,
        Train,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(tag = "what", rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only its schema is used")]
    enum Look {
        /// An answer.
        Http { port: u16 },
    }

    fn ten() -> u64 {
        10
    }

    fn shown_shapes() -> String {
        markdown(&schema_generator().into_root_schema_for::<Shapes>().to_value())
    }

    #[test]
    fn every_shape_has_its_words() {
        let shown = shown_shapes();
        for row in [
            "| `most` | number | required | The most, MB \\| MiB. |",
            "| `pair` | list of 2: text | required | Two of them. |",
            "| `steps` | list: table | required | The requests in order. |",
            "| `steps[].post` | anything | may be left out | Any JSON. |",
            "| `answers` | table: table by name | required | Answers. |",
            "| `answers.NAME.post` | anything | may be left out | Any JSON. |",
            "| `within_ms` | whole number | default: `10` | Milliseconds. |",
            "| `look` | table, see below | required | Where. |",
            "`look` is one of:\n\n- `what = \"http\"`: An answer. With `port`.",
            "| `way` | `\"train\"` or `\"on-foot\"` | may be left out | How. |",
        ] {
            assert!(shown.contains(row), "{row}\nis not in\n{shown}");
        }
    }

    #[test]
    fn values_with_a_meaning_are_listed() {
        assert!(shown_shapes().contains("`way` is one of:\n\n- `\"on-foot\"`: By foot.\n"), "{}", shown_shapes());
    }

    #[test]
    fn no_parameters_are_no_table() {
        assert_eq!(markdown(&serde_json::json!({"type": "object"})), "It has no parameters.\n\n");
    }
}
