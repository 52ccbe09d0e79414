//! `grader dev new-lesson`: the files that a new lesson begins with.
//!
//! Owns: names, and the line in the book's summary. Must not: know what the skeleton teaches.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use super::skeleton::{NewFile, Skeleton, filled, is_kebab_case, skeleton, write};
use crate::course::Course;
use crate::fault::Fault;

/// The lesson's page, and the files of its exercise.
const SKELETON: Skeleton = skeleton!(
    "lesson",
    [
        "page.md",
        "lesson.toml",
        "starter/Dockerfile",
        "starter/README.md",
        "starter/docker-compose.yml",
        "solutions/limits-at-the-service/docker-compose.yml",
        "solutions/limits-at-the-service/quiz.toml",
        "solutions/limits-under-deploy/docker-compose.yml",
        "solutions/limits-under-deploy/quiz.toml",
        "wrong/cheat-chmod/Dockerfile",
        "wrong/cheat-chmod/docker-compose.yml",
        "wrong/cheat-chmod/wrong.toml",
        "wrong/cheat-limit-too-generous/docker-compose.yml",
        "wrong/cheat-limit-too-generous/wrong.toml",
        "wrong/mistake-only-reserved/docker-compose.yml",
        "wrong/mistake-only-reserved/wrong.toml",
        "wrong/mistake-tmp-only/docker-compose.yml",
        "wrong/mistake-tmp-only/wrong.toml",
    ]
);

/// A lesson that is to be.
struct NewLesson {
    number: u32,
    slug: String,
    title: String,
}

/// Writes the files of a new lesson and says what to do with them.
pub fn run(course: &Course, number: u32, slug: &str, title: Option<&str>, out: &mut dyn Write) -> Result<u8, Fault> {
    let usage = |message: String| Err(Fault::Usage { message });
    if !is_kebab_case(slug) {
        return usage(format!(
            "`{slug}` cannot be a lesson's slug: it is in kebab-case, small letters and digits with hyphens between \
             words, such as `dev-vs-prod`"
        ));
    }
    let title = title.map_or_else(|| sentence(slug), |title| title.trim().to_owned());
    if title.is_empty() || title.contains(|c: char| c.is_control() || "[]<>".contains(c)) {
        return usage(format!("{title:?} cannot be a title: it is one line, without [, ], < and >"));
    }
    let lesson = NewLesson { number, slug: slug.to_owned(), title };
    if let Some(other) = course.names()?.iter().find(|name| name.id == lesson.id() || name.slug == slug) {
        return usage(format!("there is a lesson `{}-{}` already, and nothing is overwritten", other.id, other.slug));
    }
    let summary_path = course.root.join("book/src/SUMMARY.md");
    let summary = fs::read_to_string(&summary_path).map_err(Fault::file(&summary_path))?;
    let files = lesson.files();
    write(&course.root, &files)?;
    fs::write(&summary_path, lesson.listed(&summary)).map_err(Fault::file(&summary_path))?;
    lesson.tell(&files, out).map_err(Fault::file("standard output"))?;
    Ok(0)
}

impl NewLesson {
    fn id(&self) -> String {
        format!("lesson{:02}", self.number)
    }

    fn folder(&self) -> String {
        format!("{}-{}", self.id(), self.slug)
    }

    fn files(&self) -> Vec<NewFile> {
        let folder = self.folder();
        let place = |file: &str| {
            if file == "page.md" {
                PathBuf::from(format!("book/src/{folder}.md"))
            } else {
                PathBuf::from(format!("exercises/{folder}/{file}"))
            }
        };
        // In TOML the title is a string that may need escapes.
        let quoted = toml::Value::String(self.title.clone()).to_string();
        let (id, heading) = (self.id(), format!("Lesson {}", self.number));
        let names = [
            ("title = \"New title\"", format!("title = {quoted}")),
            ("New title", self.title.clone()),
            ("new-slug", self.slug.clone()),
            ("lesson00", id),
            ("Lesson 00", heading.clone()),
            ("Lesson 0", heading),
        ];
        let names: Vec<(&str, &str)> = names.iter().map(|(name, value)| (*name, value.as_str())).collect();
        SKELETON.iter().map(|(file, text)| (place(file), filled(text, &names))).collect()
    }

    /// The summary with this lesson's line: before the first lesson with a greater number, else
    /// after the last lesson, else at the end.
    fn listed(&self, summary: &str) -> String {
        let mut lines: Vec<&str> = summary.lines().collect();
        let numbers = || lines.iter().enumerate().filter_map(|(at, line)| Some((at, number_of(line)?)));
        let later = numbers().find(|(_, number)| *number > self.number).map(|(at, _)| at);
        let place = later.or_else(|| numbers().next_back().map(|(at, _)| at + 1)).unwrap_or(lines.len());
        let line = format!("- [Lesson {}: {}]({}.md)", self.number, self.title, self.folder());
        lines.insert(place, &line);
        lines.join("\n") + "\n"
    }

    fn tell(&self, files: &[NewFile], out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "Written:")?;
        for (path, _) in files {
            writeln!(out, "  {}", path.display())?;
        }
        let (id, folder) = (self.id(), self.folder());
        write!(
            out,
            "  book/src/SUMMARY.md (one line, in the order of numbers; is it in the right part?)

They are a lesson that can be built and graded, about limits. Make it yours, in this order:

 1. book/STYLE.md: read it.
 2. book/src/{folder}.md: each section's comment says what belongs there.
 3. exercises/{folder}/lesson.toml: what is measured. `book/src/reference/checks.md` has all kinds of check.
 4. starter/, at least two solutions/ and four wrong/ ones; solutions bring quiz.toml with the answers.
 5. grader dev check {id}            the starter fails, solutions pass, wrong ones fail as they say
    grader dev audit {id} --runs 5   do verdicts depend on how busy the machine is?
 6. grader book build                    the page, in book/book/
 7. tests/suite/{id}.rs, as lesson36.rs does it.
 8. grader dev reference                 its examples may come from your lesson now
"
        )
    }
}

/// `Dev vs prod` for `dev-vs-prod`.
fn sentence(slug: &str) -> String {
    let words = slug.replace('-', " ");
    words[..1].to_uppercase() + &words[1..]
}

/// The number of the lesson in a line of the summary.
fn number_of(line: &str) -> Option<u32> {
    let (_, file) = line.trim().strip_prefix("- [")?.split_once("](")?;
    let number = file.strip_prefix("lesson")?;
    number[..number.find('-')?].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::dev::skeleton::tests::assert_complete;

    fn lesson(number: u32) -> NewLesson {
        NewLesson { number, slug: "a-b".into(), title: "A \"b\"".into() }
    }

    #[test]
    fn the_whole_skeleton_is_written() {
        assert_complete("lesson", SKELETON);
    }

    #[test]
    fn names_are_replaced_everywhere() {
        for (path, text) in lesson(7).files() {
            for old in ["lesson00", "Lesson 0", "new-slug", "New title"] {
                assert!(!text.contains(old), "{old} in {}", path.display());
            }
        }
    }

    #[test]
    fn the_line_stands_in_the_order_of_numbers() {
        let summary = "# Summary\n\n[Introduction](introduction.md)\n\n# Part I\n\n- [Lesson 2: X](lesson02-x.md)\n\n\
            # Part VI\n\n- [Lesson 36: Y](lesson36-y.md)\n\n# Reference\n\n- [Kinds](reference/checks.md)\n";
        let line = |number: u32| format!("- [Lesson {number}: A \"b\"](lesson{number:02}-a-b.md)\n");
        for (number, before) in [(1, "# Part I\n\n"), (7, "# Part VI\n\n"), (40, "(lesson36-y.md)\n")] {
            let listed = lesson(number).listed(summary);
            assert!(listed.contains(&format!("{before}{}", line(number))), "{listed}");
            assert_eq!(listed.replace(&line(number), ""), summary);
        }
        assert!(lesson(1).listed("# Summary\n").ends_with(&line(1)));
    }

    #[test]
    fn a_slug_is_a_title_too() {
        assert_eq!(sentence("dev-vs-prod"), "Dev vs prod");
    }
}
