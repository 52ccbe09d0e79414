//! The reference of all kinds of check, as a page of the book.
//!
//! Owns: the page's order and headings. Must not: say anything about a kind that its code and its
//! example do not say; a page that people write by hand would soon be wrong.

mod example;
mod parameters;
mod section;

use std::path::PathBuf;

use crate::check::{Kind, Resource};
use crate::course::{Course, CourseError};

/// What the page says before the first kind. The command is the one that makes the page.
const HEAD: &str = "\
<!-- Written by `grader dev reference`, out of the code of the kinds. Edits here are lost. -->

# The kinds of check

Each `[[check]]` of a `lesson.toml` names a kind, and gives it its parameters under `with`. This page is for authors of
lessons: what each kind looks at, why that matters, how somebody may try to get around it, and what it wants to be told.
What the examples show stands in files of the course.
";

/// Where a kind belongs, by what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Images,
    Stacks,
    Files,
    Unused,
}

impl Group {
    const ALL: [Self; 4] = [Self::Images, Self::Stacks, Self::Files, Self::Unused];

    /// The group of a kind whose example needs these.
    fn of(needs: &[Resource]) -> Self {
        if needs.is_empty() {
            Self::Files
        } else if needs.iter().all(|resource| matches!(resource, Resource::Image(_))) {
            Self::Images
        } else {
            Self::Stacks
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Images => "Images",
            Self::Stacks => "Containers and stacks",
            Self::Files => "Files and knowledge",
            Self::Unused => "Without an example yet",
        }
    }
}

/// The page's file.
#[must_use]
pub fn path(course: &Course) -> PathBuf {
    course.root.join("book/src/reference/checks.md")
}

/// The page, as the code and the course's files are now.
pub fn page(course: &Course) -> Result<String, CourseError> {
    let mut kinds: Vec<&Kind> = Kind::all().collect();
    kinds.sort_by_key(|kind| kind.name);
    let mut sections = Vec::new();
    for kind in kinds {
        let (description, in_comment) = section::description(kind);
        let example = match example::in_files(course, kind)? {
            Some(example) => Some(example),
            None => example::in_comment(kind, in_comment)?,
        };
        let group = example.as_ref().map_or(Group::Unused, |example| Group::of(&example.needs));
        sections.push((group, kind.name, section::markdown(kind, &description, example.as_ref())));
    }
    let groups = Group::ALL.iter().filter_map(|group| {
        let its: Vec<_> = sections.iter().filter(|(its, ..)| its == group).collect();
        let names: Vec<String> = its.iter().map(|(_, name, _)| format!("[`{name}`](#{name})")).collect();
        let text: String = its.iter().map(|(.., text)| text.as_str()).collect();
        (!its.is_empty()).then(|| format!("\n## {}\n\n{}\n{text}", group.heading(), names.join(", ")))
    });
    Ok([HEAD.to_owned()].into_iter().chain(groups).collect())
}
