//! The patterns in `${X#...}`, `${X%...}` and `${X/.../...}`: `*` is any text, `?` any character.
//!
//! Owns: cutting and replacing by them. Must not: know about variables.

use regex::{NoExpand, Regex};

/// Which end of a value is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// `#`
    Beginning,
    /// `%`
    End,
}

/// A value without the shortest, or the longest, part at one end that a pattern matches. `None` when
/// the pattern means nothing.
pub fn cut(value: &str, pattern: &str, end: Cut, longest: bool) -> Option<String> {
    let mut parts = parts(pattern)?;
    let turned = |text: &str| text.chars().rev().collect::<String>();
    // The end of a text is the beginning of the same text turned round.
    if end == Cut::Beginning {
        let matched = expression(&parts, longest, "^")?.find(value).map_or(0, |found| found.end());
        return Some(value[matched..].to_owned());
    }
    parts.reverse();
    let value = turned(value);
    let matched = expression(&parts, longest, "^")?.find(&value).map_or(0, |found| found.end());
    Some(turned(&value[matched..]))
}

/// A value with what a pattern matches replaced, once or everywhere.
pub fn replaced(value: &str, pattern: &str, with: &str, all: bool) -> Option<String> {
    // What `$1` means there is BuildKit's secret.
    if pattern.is_empty() || with.contains('$') {
        return None;
    }
    let expression = expression(&parts(pattern)?, true, "")?;
    Some(expression.replacen(value, usize::from(!all), NoExpand(with)).into_owned())
}

enum Part {
    Any,
    One,
    Literal(char),
}

fn parts(pattern: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut all = pattern.chars();
    while let Some(c) = all.next() {
        parts.push(match c {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => Part::Literal(all.next().filter(|next| matches!(next, '*' | '?' | '\\' | '/' | '}'))?),
            _ => Part::Literal(c),
        });
    }
    Some(parts)
}

fn expression(parts: &[Part], longest: bool, anchor: &str) -> Option<Regex> {
    let mut text = anchor.to_owned();
    for part in parts {
        match part {
            Part::Any if longest => text.push_str(".*"),
            Part::Any => text.push_str(".*?"),
            Part::One => text.push('.'),
            Part::Literal(c) => text.push_str(&regex::escape(&c.to_string())),
        }
    }
    Regex::new(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_or_the_longest_part_is_cut() {
        let value = "22.4.1-bookworm-slim";
        let all = [("-*", false), ("-*", true), (".?", false), ("x", false)];
        let cut = all.map(|(pattern, longest)| cut(value, pattern, Cut::End, longest).expect("cut"));
        assert_eq!(cut, ["22.4.1-bookworm", "22.4.1", value, value]);
        assert_eq!(super::cut(value, "*.", Cut::Beginning, false).as_deref(), Some("4.1-bookworm-slim"));
        assert_eq!(super::cut(value, "*.", Cut::Beginning, true).as_deref(), Some("1-bookworm-slim"));
    }

    #[test]
    fn a_part_is_replaced_and_other_signs_stand_for_themselves() {
        assert_eq!(replaced("a.b.c", ".", "-", false).as_deref(), Some("a-b.c"));
        assert_eq!(replaced("a.b.c", ".", "-", true).as_deref(), Some("a-b-c"));
        assert_eq!(replaced("a/b", "\\/", "", true).as_deref(), Some("ab"));
        assert_eq!(replaced("a", "\\a", "", true), None);
        assert_eq!(replaced("a", "a", "$0", true), None);
    }
}
