//! Words and variables, in the spellings that people and shells use.

use super::super::Values;
use super::*;

fn filled_in(text: &str) -> Option<String> {
    let values = [("V", "22"), ("EMPTY", ""), ("TAG", "22.4-slim"), ("NODE", "node"), ("NODE_VERSION", "24")];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect::<Values>();
    expand(text, &values, Escape::default())
}

#[test]
fn variables_are_filled_in_with_all_modifiers() {
    for (text, wanted) in [
        ("node:${V}-slim", "node:22-slim"),
        ("$NODE_VERSION$NODE", "24node"),
        ("\"node\":'$V'", "node:$V"),
        ("\"node:$V\"", "node:22"),
        ("\\$V", "$V"),
        ("a$", "a$"),
        ("${W}x", "x"),
        ("${W:-a}${EMPTY:-b}${EMPTY-c}${W-d}", "abd"),
        ("${W:-${X:-deep}}", "deep"),
        ("${V:+-on}${W:+-off}${EMPTY:+-off}${EMPTY+-on}", "-on-on"),
        ("${V:?must be there}", "22"),
        ("${TAG%%.*}/${TAG%-*}/${TAG#*.}/${TAG/slim/full}", "22/22.4/4-slim/22.4-full"),
        ("${V:-'a b'}", "22"),
    ] {
        assert_eq!(filled_in(text).as_deref(), Some(wanted), "{text}");
    }
}

#[test]
fn what_buildkit_refuses_has_no_value() {
    for text in ["${", "${V", "${}", "${:-a}", "${V:", "${V!}", "\"a", "'a", "${W:?no}", "${W?no}", "${V:#2}", "${V/a}"]
    {
        assert_eq!(filled_in(text), None, "{text}");
    }
    assert_eq!(filled_in(&"${W:-".repeat(100_000)), None, "deep ones end, too");
}

#[test]
fn another_escape_character_and_quotes_within_quotes() {
    let values = Values::new();
    assert_eq!(expand("a`$b\\c", &values, Escape('`')).as_deref(), Some("a$b\\c"));
    assert_eq!(expand("\"a\\\"b\\c\"", &values, Escape::default()).as_deref(), Some("a\"b\\c"));
}

#[test]
fn words_are_held_together_by_quotes_and_escapes() {
    assert_eq!(split("A=\"b c\" D='e f' G=h\\ i", Escape::default()), ["A=\"b c\"", "D='e f'", "G=h\\ i"]);
    assert_eq!(split("  A  `\" b ", Escape('`')), ["A", "`\"", "b"]);
}
