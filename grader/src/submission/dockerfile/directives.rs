//! The lines above everything else that steer the builder: `# syntax=`, `# escape=`, `# check=`.
//!
//! Owns: where they count (before the first other comment, empty line or instruction), and the forms in
//! which BuildKit looks for another builder. Must not: decide which builder is allowed.

use super::{Escape, Reading};

/// What some editors put before the first character.
const BOM: char = '\u{feff}';

/// A `# syntax=` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syntax {
    /// Its line, from 1.
    pub line: usize,
    /// All that follows the `=`.
    pub value: String,
}

/// The lines of a text, without what ends them.
pub fn lines(text: &str) -> impl Iterator<Item = &str> + Clone {
    let text = text.strip_prefix(BOM).unwrap_or(text);
    text.split_terminator('\n').map(|line| line.trim_end_matches(['\r', '\n']))
}

/// The `# syntax=` line that is in force.
#[must_use]
pub fn syntax(text: &str) -> Option<Syntax> {
    from_each_start(text, "#", Reading::Newer).or_else(|| from_each_start(text, "#", Reading::Older))
}

/// The line, from 1, in which a text names a builder in a form that is none of a Dockerfile's comments:
/// after `//`, or as JSON.
#[must_use]
pub fn foreign_form(text: &str) -> Option<usize> {
    let slashes = from_each_start(text, "//", Reading::Newer).or_else(|| from_each_start(text, "//", Reading::Older));
    let skipped = usize::from(has_shebang(text));
    let is_json = || lines(text).skip(skipped).find(|line| !line.trim().is_empty())?.trim_start().strip_prefix('{');
    let first = || lines(text).skip(skipped).position(|line| !line.trim().is_empty());
    slashes.map(|found| found.line).or_else(|| is_json().and(first()).map(|index| index + skipped + 1))
}

/// The text with its `# syntax=` lines taken out. The number of lines stays, and so do the other
/// directives.
#[must_use]
pub fn without_syntax(text: &str) -> Option<String> {
    let mut quiet: Option<String> = None;
    // A second one would be in force once the first is gone.
    while let Some(found) = syntax(quiet.as_deref().unwrap_or(text)) {
        let text = quiet.as_deref().unwrap_or(text);
        let mut all: Vec<&str> = text.split_inclusive('\n').collect();
        all.remove(found.line - 1);
        let others = directives(text, 0, "#", Reading::Newer).count();
        // An empty line would end the directives, so it comes after them.
        all.insert(others.saturating_sub(1).max(found.line - 1), "\n");
        quiet = Some(all.concat());
    }
    quiet
}

/// The character that continues lines.
pub fn escape(text: &str, reading: Reading) -> Escape {
    // BuildKit refuses all but these two.
    let found = directives(text, 0, "#", reading).find(|one| one.name == "escape" && one.value == "`");
    found.map_or_else(Escape::default, |_| Escape('`'))
}

struct Directive<'t> {
    name: String,
    value: &'t str,
    line: usize,
}

/// BuildKit looks for another builder from the first line on, and after a `#!` line.
fn from_each_start(text: &str, mark: &'static str, reading: Reading) -> Option<Syntax> {
    let starts = [Some(0), has_shebang(text).then_some(1)];
    let found = starts.into_iter().flatten();
    let mut found = found.filter_map(|start| directives(text, start, mark, reading).find(|one| one.name == "syntax"));
    found.next().map(|one| Syntax { line: one.line, value: one.value.to_owned() })
}

fn has_shebang(text: &str) -> bool {
    lines(text).next().is_some_and(|line| line.starts_with("#!"))
}

/// The directives from a line on; the first line that is none ends them.
fn directives<'t>(
    text: &'t str,
    start: usize,
    mark: &'static str,
    reading: Reading,
) -> impl Iterator<Item = Directive<'t>> {
    let read = move |(index, line): (usize, &'t str)| {
        let after = line.trim_start().strip_prefix(mark)?;
        let (name, value) = match reading {
            Reading::Newer => after.trim_start(),
            Reading::Older => after.trim_start_matches(|c: char| c.is_ascii_whitespace()),
        }
        .split_once('=')?;
        if value.is_empty() {
            return None;
        }
        let name = name.trim_end_matches(|c: char| c.is_ascii_whitespace());
        let known: &[&str] =
            if reading == Reading::Newer { &["syntax", "escape", "check"] } else { &["syntax", "escape"] };
        let value = value.trim_matches(|c: char| c.is_ascii_whitespace());
        known.iter().any(|one| name.eq_ignore_ascii_case(one)).then(|| Directive {
            name: name.to_ascii_lowercase(),
            value,
            line: index + 1,
        })
    };
    lines(text).enumerate().skip(start).map_while(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<(usize, String)> {
        syntax(text).map(|found| (found.line, found.value))
    }

    #[test]
    fn a_builder_is_found_in_each_form() {
        for (text, line) in
            [("# syntax=x", 1), ("#!/bin/a\n#   SYNTAX =  x ", 2), ("\u{feff}# escape=`\n# syntax=x\r\n", 2)]
        {
            assert_eq!(value(text), Some((line, "x".to_owned())), "{text}");
        }
        for (text, line) in
            [("// syntax=x", 1), ("#!/usr/bin/env x\n{\"syntax\": \"x\"}", 2), ("\n  {\"SYNTAX\":\"x\"}", 2)]
        {
            assert_eq!(foreign_form(text), Some(line), "{text}");
        }
        assert_eq!(foreign_form("FROM a\nRUN {\n// syntax=x\n"), None);
    }

    #[test]
    fn after_a_comment_an_empty_line_or_an_instruction_a_directive_is_a_comment() {
        for before in ["FROM a", "# our image", "", "# no=directive", "#", "# check="] {
            let text = format!("{before}\n# syntax=x\n# escape=`\n");
            assert_eq!((value(&text), escape(&text, Reading::Newer)), (None, Escape('\\')), "{text}");
        }
        let after_check = "# check=skip=all\n# escape=`\n";
        assert_eq!(escape(after_check, Reading::Newer), Escape('`'));
        assert_eq!(escape(after_check, Reading::Older), Escape('\\'));
        assert_eq!(escape("# escape=x\n", Reading::Newer), Escape('\\'));
    }

    #[test]
    fn taking_the_line_out_keeps_the_number_of_lines_and_the_escape_character() {
        for (text, without) in [
            ("# syntax=x\n# escape=`\nFROM a\n", "# escape=`\n\nFROM a\n"),
            ("# escape=`\n# syntax=x\nFROM a", "# escape=`\n\nFROM a"),
            ("#!x\r\n# syntax=x\r\nFROM a\r\n", "#!x\r\n\nFROM a\r\n"),
            ("# syntax=x\n# syntax=evil\n# escape=`\nFROM a\n", "# escape=`\n\n\nFROM a\n"),
        ] {
            let quiet = without_syntax(text).expect("a syntax line");
            assert_eq!(quiet, without);
            assert_eq!(escape(&quiet, Reading::Newer), escape(text, Reading::Newer));
            assert_eq!(syntax(&quiet), None);
        }
    }
}
