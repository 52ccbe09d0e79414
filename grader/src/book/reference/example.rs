//! An example of a kind: a `[[check]]` that is really used.
//!
//! Owns: where examples come from, and cutting one out of its file with its comments and layout.
//! Must not: make any up.

use std::path::PathBuf;

use serde::Deserialize;

use crate::check::{Kind, Resource};
use crate::course::source::{CourseError, Source};
use crate::course::{Course, Lesson};

/// A `[[check]]` of a kind.
pub struct Example {
    /// The file that it stands in.
    pub from: String,
    /// Its text.
    pub text: String,
    /// What it needs.
    pub needs: Vec<Resource>,
}

/// The first check of this kind in the kind's own fixture, else in the first lesson that has one.
pub fn in_files(course: &Course, kind: &Kind) -> Result<Option<Example>, CourseError> {
    let mut folders: Vec<PathBuf> = vec![course.root.join("tests/checks").join(kind.name)];
    folders.extend(course.names()?.into_iter().map(|name| name.dir));
    for dir in folders.into_iter().filter(|dir| dir.join("lesson.toml").is_file()) {
        let lesson = Lesson::load(&course.root, &dir)?;
        let Some(index) = lesson.checks.iter().position(|check| check.spec.kind == kind.name) else { continue };
        let source = Source::read(&course.root, &dir.join("lesson.toml"))?;
        let text = blocks(&source.text).nth(index).unwrap_or_default();
        return Ok(Some(Example { from: source.name, text, needs: lesson.checks[index].check.needs() }));
    }
    Ok(None)
}

/// The TOML in a kind's doc comment.
pub fn in_comment(kind: &Kind, toml: Option<String>) -> Result<Option<Example>, CourseError> {
    #[derive(Deserialize)]
    struct Checks {
        check: Vec<toml::Table>,
    }
    let Some(text) = toml else { return Ok(None) };
    let name = format!("the doc comment of `{}`", kind.name);
    let source = Source { name: name.clone(), text };
    let wrong = |error: toml::de::Error| source.error(error.span().unwrap_or(0..0), error.message(), "here");
    let checks: Checks = toml::from_str(&source.text).map_err(wrong)?;
    let with = checks.check.first().and_then(|check| check.get("with")).map(ToString::to_string);
    let with = with.unwrap_or_else(|| "{}".into());
    let check = toml::de::ValueDeserializer::parse(&with).and_then(kind.parse).map_err(wrong)?;
    Ok(Some(Example { from: name, text: source.text.trim().to_owned(), needs: check.needs() }))
}

/// The `[[check]]` blocks of a `lesson.toml`, without what stands between them.
fn blocks(text: &str) -> impl Iterator<Item = String> {
    let is_head = |line: &str| line.starts_with('[') && line.trim_end().ends_with(']');
    let belongs = |line: &str| line.starts_with("[check.") || line.starts_with("[[check.");
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.trim_end() == "[[check]]" {
            blocks.push(Vec::new());
            inside = true;
        } else if is_head(line) && !belongs(line) {
            inside = false;
        }
        if let Some(block) = blocks.last_mut().filter(|_| inside) {
            block.push(line);
        }
    }
    blocks.into_iter().map(|mut lines| {
        // What stands before the next block belongs to that one.
        while lines.last().is_some_and(|line| line.trim().is_empty() || line.starts_with('#')) {
            lines.pop();
        }
        lines.join("\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ends_before_the_next_one_and_its_comment() {
        let text = "id = 1\n[[check]]\nid = \"a\"\n[check.with]\nx = 1\n[[check.with.steps]]\ny = 2\n\n# --- Next ---\n\n\
            [[check]]\nid = \"b\"\n\n[edit]\nfile = \"x\"\n";
        let blocks: Vec<_> = blocks(text).collect();
        assert_eq!(blocks[0], "[[check]]\nid = \"a\"\n[check.with]\nx = 1\n[[check.with.steps]]\ny = 2");
        assert_eq!(blocks[1], "[[check]]\nid = \"b\"");
    }

    #[test]
    fn an_example_in_a_comment_is_read_and_a_wrong_one_is_shown() {
        let kind = Kind::named("builds").expect("kind");
        let toml = |image: &str| Some(format!("[[check]]\nkind = \"builds\"\nwith = {{ images = [{image}] }}\n"));
        let example = in_comment(kind, toml("\"app\"")).expect("valid").expect("there");
        assert_eq!(example.needs, [Resource::image("app")]);
        let error = in_comment(kind, toml("1")).err().expect("a mistake").to_string();
        assert!(error.contains("doc comment of `builds`"), "{error}");
    }
}
