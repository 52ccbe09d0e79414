//! A lesson's page: its title, and what it says about itself before that.
//!
//! Owns: reading and validating the front matter, a comment with TOML at the top of the page. Must
//! not: look at blocks, run or render anything.
//!
//! ```text
//! <!--
//! minutes = 60
//! teaches = ["002 §8"]
//! prerequisites = ["lesson05"]
//!
//! [terms]
//! "namespace" = "A kernel object that ..."
//! -->
//!
//! # Lesson 6: Namespaces
//! ```

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use serde::Deserialize;
use toml::Spanned;

use super::Course;
use super::fence::markdown_options;
use super::source::{CourseError, Source};
use super::sources::Sources;

/// A lesson's page.
#[derive(Debug, Clone)]
pub struct Page {
    /// The lesson's number.
    pub number: u32,
    /// The lesson's id, such as `lesson06`.
    pub id: String,
    /// The file in `book/src`.
    pub file: String,
    /// The title without the lesson's number.
    pub title: String,
    /// Minutes that page and exercise take a beginner.
    pub minutes: u32,
    /// What it teaches, as `sources.toml` names it.
    pub teaches: Vec<String>,
    /// Lessons that a reader must have done, by id.
    pub prerequisites: Vec<String>,
    /// The terms that it introduces, with their meanings.
    pub terms: BTreeMap<String, String>,
    /// The whole page.
    pub source: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    minutes: Spanned<u32>,
    teaches: Vec<Spanned<String>>,
    #[serde(default)]
    prerequisites: Vec<Spanned<String>>,
    #[serde(default)]
    terms: BTreeMap<Spanned<String>, Spanned<String>>,
}

const OPENING: &str = "<!--\n";
const CLOSING: &str = "\n-->";

impl Page {
    /// The pages of all lessons, by their numbers.
    pub fn all(course: &Course) -> Result<Vec<Self>, CourseError> {
        let sources = Sources::load(&course.root)?;
        let read = |PageFile { number, id, path }: PageFile| {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Self::of(Source::read(&course.root, &path)?, (number, id), file, &sources)
        };
        files(course)?.into_iter().map(read).collect()
    }

    fn of(source: Source, (number, id): (u32, String), file: String, sources: &Sources) -> Result<Self, CourseError> {
        let top = || source.span_of_line(1);
        let body = source.text.strip_prefix(OPENING).and_then(|rest| rest.split_once(CLOSING)).map(|(body, _)| body);
        let Some(body) = body else {
            return Err(source.error(
                top(),
                "a lesson's page begins with a comment of TOML",
                "write `<!--` here, see book/STYLE.md",
            ));
        };
        let shift = |span: Range<usize>| span.start + OPENING.len()..span.end + OPENING.len();
        let front: FrontMatter = toml::from_str(body)
            .map_err(|error| source.error(shift(error.span().unwrap_or(0..0)), error.message().to_owned(), "here"))?;
        let fail = |span: Range<usize>, message: String, label: &str| Err(source.error(shift(span), message, label));
        if *front.minutes.get_ref() == 0 {
            return fail(front.minutes.span(), "a lesson takes some time".into(), "minutes, at least 1");
        }
        for entry in &front.teaches {
            if sources.covered(entry.get_ref()).is_empty() {
                let message = format!("`{}` is no section of a source document", entry.get_ref());
                return fail(entry.span(), message, "book/sources.toml has them: `002 §8`, or `002 all`");
            }
        }
        for lesson in &front.prerequisites {
            if number_of(lesson.get_ref()).is_none_or(|before| before >= number) {
                let message = format!("`{}` is no lesson before this one", lesson.get_ref());
                return fail(lesson.span(), message, "an id such as `lesson05`");
            }
        }
        let emphasised = emphasised(&source.text);
        for term in front.terms.keys() {
            let word = term.get_ref().to_lowercase();
            if !emphasised.iter().any(|shown| shown.strip_suffix('s').unwrap_or(shown) == word || *shown == word) {
                let message = format!("the page does not introduce the term `{}`", term.get_ref());
                return fail(term.span(), message, "put it in *italics* where its meaning is told");
            }
        }
        let heading = format!("# Lesson {number}: ");
        let Some(title) = source.text.lines().find_map(|line| line.strip_prefix(&heading)).map(str::to_owned) else {
            return Err(source.error(
                top(),
                format!("no line begins with `{heading}`"),
                "the title comes after the comment",
            ));
        };
        let values = |list: Vec<Spanned<String>>| list.into_iter().map(Spanned::into_inner).collect();
        Ok(Self {
            minutes: front.minutes.into_inner(),
            teaches: values(front.teaches),
            prerequisites: values(front.prerequisites),
            terms: front.terms.into_iter().map(|(term, meaning)| (term.into_inner(), meaning.into_inner())).collect(),
            number,
            id,
            file,
            title,
            source,
        })
    }
}

/// Where a lesson's page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFile {
    /// The lesson's number.
    pub number: u32,
    /// The lesson's id, such as `lesson06`.
    pub id: String,
    /// The file.
    pub path: PathBuf,
}

/// The files of all lessons' pages, by their numbers. None of them is read.
pub fn files(course: &Course) -> Result<Vec<PageFile>, CourseError> {
    let folder = course.root.join("book/src");
    let entries =
        std::fs::read_dir(&folder).map_err(|source| CourseError::Unreadable { path: folder.clone(), source })?;
    let mut files: Vec<_> = entries.flatten().filter_map(|entry| page_file(entry.path())).collect();
    files.sort_by_key(|file| file.number);
    Ok(files)
}

/// `lesson06-namespaces.md` is the page of `lesson06`; other files are no lesson's page.
fn page_file(path: PathBuf) -> Option<PageFile> {
    let (id, _) = path.file_name()?.to_str()?.strip_suffix(".md")?.split_once('-')?;
    let (number, id) = (number_of(id)?, id.to_owned());
    Some(PageFile { number, id, path })
}

/// The number in `lesson06`.
fn number_of(id: &str) -> Option<u32> {
    id.strip_prefix("lesson")?.parse().ok()
}

/// What stands in italics, in small letters.
fn emphasised(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for event in Parser::new_ext(text, markdown_options()) {
        match (event, &mut open) {
            (Event::Start(Tag::Emphasis), _) => open = Some(String::new()),
            (Event::Text(text) | Event::Code(text), Some(words)) => words.push_str(&text),
            (Event::SoftBreak, Some(words)) => words.push(' '),
            (Event::End(TagEnd::Emphasis), _) => found.extend(open.take().map(|words| words.to_lowercase())),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Page, String> {
        let sources =
            toml::from_str("[[source]]\nid = \"002\"\ntitle = \"T\"\nheadings = [[\"§8\", \"N\"]]\n").expect("sources");
        let source = Source { name: "page.md".into(), text: text.into() };
        Page::of(source, (6, "lesson06".into()), "lesson06-x.md".into(), &sources).map_err(|error| error.to_string())
    }

    const GOOD: &str = "<!--\nminutes = 60\nteaches = [\"002 §8\"]\nprerequisites = [\"lesson05\"]\n\n[terms]\n\
        \"PID namespace\" = \"Own numbers.\"\n-->\n\n# Lesson 6: Views\n\nA *PID\nnamespace* has numbers of its own.\n";

    #[test]
    fn the_front_matter_and_the_title_are_read() {
        let page = read(GOOD).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((page.minutes, page.title.as_str(), page.terms.len()), (60, "Views", 1));
    }

    #[test]
    fn only_lessons_pages_are_pages_of_lessons() {
        let page = page_file("book/src/lesson06-views.md".into()).expect("a page");
        assert_eq!((page.number, page.id.as_str()), (6, "lesson06"));
        for other in ["lesson06.md", "lesson06-views.html", "lessonsix-views.md", "glossary.md", "about-lesson06.md"] {
            assert_eq!(page_file(other.into()), None, "{other}");
        }
    }

    #[test]
    fn mistakes_are_shown_at_their_place() {
        for (from, to, line, says) in [
            ("<!--\n", "", 1, "begins with a comment"),
            ("60", "0", 2, "takes some time"),
            ("60", "\"long\"", 2, "invalid type"),
            ("minutes", "minuts", 2, "unknown field"),
            ("002 §8", "002 §9", 3, "no section of a source document"),
            ("lesson05", "lesson06", 4, "no lesson before this one"),
            ("\"PID namespace\"", "\"view\"", 7, "does not introduce the term `view`"),
            ("# Lesson 6", "# Lesson 7", 1, "no line begins with `# Lesson 6: `"),
        ] {
            let error = read(&GOOD.replacen(from, to, 1)).expect_err(says);
            assert!(error.contains(says) && error.contains(&format!("page.md:{line}")), "{error}");
        }
    }
}
