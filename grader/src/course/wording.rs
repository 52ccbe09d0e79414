//! What the TOML reader says of a mistake, in the words of somebody who writes a lesson.
//!
//! Owns: those words. Must not: find mistakes, or know any lesson. What it does not understand
//! it passes on as it is.

use serde_json::Value;

use super::nearest;

/// A mistake in words: what is wrong, and what to do, to stand under the place.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub label: String,
}

/// Puts a message of the TOML reader into words. `schema` is the JSON Schema of what was read; its
/// descriptions say what a missing key is for.
pub fn explained(said: &str, schema: &Value) -> Words {
    let known = None
        .or_else(|| said.strip_prefix("unknown field ").map(|rest| unknown(rest, "key")))
        .or_else(|| (said == "duplicate key").then(duplicate))
        .or_else(|| said.strip_prefix("unknown variant ").map(|rest| unknown(rest, "value")))
        .or_else(|| Some(missing(quoted(said.strip_prefix("missing field ")?).first()?, schema)))
        .or_else(|| said.strip_prefix("invalid length ").and_then(length))
        .or_else(|| said.strip_prefix("invalid type: ").and_then(other_type))
        .or_else(|| said.strip_prefix("invalid value: ").and_then(other_type));
    known.unwrap_or_else(|| Words { message: said.to_owned(), label: "here".into() })
}

/// The names in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn unknown(rest: &str, what: &str) -> Words {
    let names = quoted(rest);
    let (name, known) = names.split_first().map_or(("", &[][..]), |(name, known)| (*name, known));
    let list: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
    let message = if list.is_empty() {
        format!("unknown {what} `{name}`: there are none here")
    } else {
        format!("unknown {what} `{name}`: known here are {}", list.join(", "))
    };
    let near = nearest(name, known.iter().copied());
    let label = near.map_or_else(|| format!("not a {what} of this place"), |near| format!("did you mean `{near}`?"));
    Words { message, label }
}

fn duplicate() -> Words {
    let label = "if there are to be several tables of this name, each has double brackets, such as [[check]]";
    Words { message: "this name stands here for the second time".into(), label: label.into() }
}

fn missing(name: &str, schema: &Value) -> Words {
    let label = description(schema, name).map_or_else(
        || format!("add `{name} = ...`"),
        |description| {
            let line: Vec<&str> = description.split_whitespace().collect();
            format!("add `{name} = ...`: {}", line.join(" "))
        },
    );
    Words { message: format!("the key `{name}` is missing"), label }
}

/// What a key is, by the schema; the one that lies least deep.
fn description<'s>(schema: &'s Value, name: &str) -> Option<&'s str> {
    let mut level = vec![schema];
    while !level.is_empty() {
        if let Some(found) = level.iter().find_map(|value| value["properties"][name]["description"].as_str()) {
            return Some(found);
        }
        level = level.into_iter().flat_map(children).collect();
    }
    None
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(map) => map.values().collect(),
        Value::Array(list) => list.iter().collect(),
        _ => Vec::new(),
    }
}

/// `2, expected an array of length 3`
fn length(rest: &str) -> Option<Words> {
    let (is, wanted) = rest.split_once(", expected an array of length ")?;
    Some(Words {
        message: format!("this list has {is} entries, and it needs {wanted}"),
        label: format!("exactly {wanted}"),
    })
}

/// `string "30", expected u32`
fn other_type(rest: &str) -> Option<Words> {
    let (is, wanted) = rest.rsplit_once(", expected ")?;
    let label = match (is.split(' ').next().unwrap_or_default(), wanted) {
        ("string", wanted) if is_number(wanted) => "a number has no quotes",
        ("string", "a boolean") => "true and false have no quotes",
        ("integer" | "floating" | "boolean", "a string") => "a text has quotes",
        ("map", "a sequence") => "a table in a list has double brackets, such as [[name]]",
        (_, "a sequence") => "a list has brackets, such as [\"one\", \"two\"]",
        _ => "here",
    };
    Some(Words { message: format!("{} stands where {} belongs", found(is), wish(wanted)), label: label.into() })
}

fn is_number(wanted: &str) -> bool {
    matches!(wanted.chars().next(), Some('u' | 'i' | 'f')) && wanted[1..].parse::<u8>().is_ok() || wanted == "usize"
}

/// What stands there.
fn found(is: &str) -> String {
    match is {
        "sequence" => "a list".into(),
        "map" => "a table".into(),
        _ => is.replacen("string ", "the text ", 1).replacen("floating point ", "the number ", 1).replacen(
            "integer ",
            "the number ",
            1,
        ),
    }
}

/// What should stand there.
fn wish(wanted: &str) -> String {
    match wanted {
        "a string" => "a text".into(),
        "a boolean" => "true or false".into(),
        "a sequence" => "a list".into(),
        "a map" => "a table".into(),
        "u16" => "a whole number from 0 to 65535".into(),
        number if is_number(number) && number.starts_with('f') => "a number".into(),
        number if is_number(number) && number.starts_with('u') => "a whole number, 0 or more,".into(),
        number if is_number(number) => "a whole number".into(),
        table if table.starts_with("struct ") => "a table".into(),
        list => list.replacen("an array of length", "a list of", 1),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(said: &str) -> (String, String) {
        let schema =
            json!({"properties": {"steps": {"items": {"properties": {"path": {"description": "The\npath."}}}}}});
        let Words { message, label } = explained(said, &schema);
        (message, label)
    }

    #[test]
    fn types_are_named_in_words() {
        for (said, message, label) in [
            (
                "invalid type: string \"30\", expected u32",
                "the text \"30\" stands where a whole number, 0 or more, belongs",
                "a number has no quotes",
            ),
            (
                "invalid type: integer `3`, expected a string",
                "the number `3` stands where a text belongs",
                "a text has quotes",
            ),
            (
                "invalid value: integer `-1`, expected u16",
                "the number `-1` stands where a whole number from 0 to 65535 belongs",
                "here",
            ),
            (
                "invalid type: string \"a\", expected a sequence",
                "the text \"a\" stands where a list belongs",
                "a list has brackets, such as [\"one\", \"two\"]",
            ),
            (
                "invalid type: map, expected a sequence",
                "a table stands where a list belongs",
                "a table in a list has double brackets, such as [[name]]",
            ),
            ("invalid length 2, expected an array of length 3", "this list has 2 entries, and it needs 3", "exactly 3"),
        ] {
            assert_eq!(words(said), (message.to_owned(), label.to_owned()));
        }
    }

    #[test]
    fn what_is_missing_is_described_and_what_is_unknown_gets_a_suggestion() {
        assert_eq!(words("missing field `path`").1, "add `path = ...`: The path.");
        assert_eq!(words("missing field `x`").1, "add `x = ...`");
        assert_eq!(words("unknown field `minuts`, expected one of `title`, `minutes`").1, "did you mean `minutes`?");
        let (message, label) = words("unknown variant `mqx`, expected `http` or `postgres`");
        assert_eq!(message, "unknown value `mqx`: known here are `http`, `postgres`");
        assert_eq!(label, "not a value of this place");
    }

    #[test]
    fn the_readers_own_words_are_passed_on_where_they_are_not_known() {
        assert_eq!(words("invalid escape"), ("invalid escape".to_owned(), "here".to_owned()));
        assert!(words("duplicate key").1.contains("[[check]]"));
    }
}
