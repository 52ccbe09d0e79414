//! Replaces the course's blocks in every page.
//!
//! Owns: which page belongs to which lesson, and putting HTML or Markdown where a block stood. Must
//! not: make it.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use mdbook_preprocessor::book::{Book, Chapter};
use mdbook_preprocessor::errors::Result as MdBookResult;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use serde::Deserialize;

use super::alone::seal;
use super::{Site, render};
use crate::course::fence::{Fence, FenceKind, fences};
use crate::course::page::Page;
use crate::course::quiz::Quiz;
use crate::course::source::Source;
use crate::course::{Course, CourseError, Lesson};

/// Our preprocessor, as mdBook knows it.
pub(super) struct Blocks(pub(super) Site);

impl Preprocessor for Blocks {
    /// The name in `book.toml`, so that this takes the place of the command configured there.
    fn name(&self) -> &'static str {
        "grader"
    }

    fn run(&self, context: &PreprocessorContext, book: Book) -> MdBookResult<Book> {
        Ok(process(context, book, self.0)?)
    }

    fn supports_renderer(&self, renderer: &str) -> MdBookResult<bool> {
        Ok(super::supports(renderer))
    }
}

/// What an `exercise` block may say.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExerciseKeys {
    /// The lesson, when it is not the page's own.
    lesson: Option<toml::Spanned<String>>,
}

/// Replaces the blocks of all pages. The first mistake ends it.
pub(super) fn process(context: &PreprocessorContext, mut book: Book, site: Site) -> Result<Book, CourseError> {
    let folder = std::path::absolute(&context.root).unwrap_or_else(|_| context.root.clone());
    let pages = Pages {
        course: Course { root: folder.parent().unwrap_or(&folder).to_path_buf() },
        src: folder.join(&context.config.book.src),
        site,
        lessons: OnceCell::new(),
    };
    let mut outcome = Ok(());
    book.for_each_chapter_mut(|chapter| {
        if outcome.is_ok() {
            outcome = pages.replace(chapter);
        }
    });
    outcome.map(|()| book)
}

/// The book's pages and the course that they belong to.
struct Pages {
    course: Course,
    src: PathBuf,
    site: Site,
    /// The lessons' pages, loaded when the first block needs them.
    lessons: OnceCell<Vec<Page>>,
}

impl Pages {
    fn replace(&self, chapter: &mut Chapter) -> Result<(), CourseError> {
        let Some(path) = chapter.source_path.clone() else {
            return Ok(());
        };
        let name = self.src.join(&path);
        let name = name.strip_prefix(&self.course.root).unwrap_or(&name).display().to_string();
        let page = Source { name, text: std::mem::take(&mut chapter.content) };
        chapter.content = self.rewritten(&page, &path)?;
        Ok(())
    }

    fn rewritten(&self, page: &Source, path: &Path) -> Result<String, CourseError> {
        let quiz = Quiz::parse(page)?;
        let mut questions = (1..).zip(&quiz.questions);
        let mut text = String::new();
        let mut end = 0;
        for fence in fences(page)? {
            text.push_str(&page.text[end..fence.block.start]);
            end = fence.block.end;
            let shown = match fence.kind {
                FenceKind::Exercise => render::exercise::html(&self.exercise(page, path, &fence)?, self.site),
                FenceKind::Quiz => {
                    let lesson = lesson_of(page, path, &fence)?;
                    let next = questions.next();
                    let html = |(number, question)| {
                        let sealed = match self.site {
                            Site::Served => String::new(),
                            Site::Alone => seal::attributes(lesson, question),
                        };
                        render::quiz::html(lesson, number, quiz.questions.len(), question, &sealed)
                    };
                    next.map(html).unwrap_or_default()
                }
                FenceKind::Glossary => render::glossary::markdown(self.lessons()?),
                FenceKind::Commands => render::commands::markdown(self.lessons()?),
                FenceKind::Schedule => render::schedule::markdown(page, &fence.body, self.lessons()?)?,
            };
            // Empty lines keep it apart from the Markdown around it.
            text.extend(["\n", &shown, "\n\n"]);
        }
        text.push_str(&page.text[end..]);
        Ok(text)
    }

    fn lessons(&self) -> Result<&[Page], CourseError> {
        if let Some(loaded) = self.lessons.get() {
            return Ok(loaded);
        }
        let loaded = Page::all(&self.course)?;
        Ok(self.lessons.get_or_init(|| loaded))
    }

    fn exercise(&self, page: &Source, path: &Path, fence: &Fence) -> Result<Lesson, CourseError> {
        let shift = |span: std::ops::Range<usize>| span.start + fence.body.start..span.end + fence.body.start;
        let keys: ExerciseKeys = toml::from_str(&page.text[fence.body.clone()])
            .map_err(|error| page.error(shift(error.span().unwrap_or(0..0)), error.message(), "here"))?;
        let (id, at) = match &keys.lesson {
            Some(id) => (id.get_ref().as_str(), shift(id.span())),
            None => (lesson_of(page, path, fence)?, fence.block.clone()),
        };
        let names = self.course.names()?;
        let Some(name) = names.iter().find(|name| name.id == id) else {
            return Err(page.error(at, format!("`{id}` has no exercise"), "no folder of that name has a lesson.toml"));
        };
        Lesson::load(&self.course.root, &name.dir)
    }
}

/// The lesson whose page this is, by the page's name: `lesson36-dev-vs-prod.md` is `lesson36`'s.
fn lesson_of<'a>(page: &Source, path: &'a Path, fence: &Fence) -> Result<&'a str, CourseError> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let id = stem.split_once('-').map_or(stem, |(id, _)| id);
    let is_lesson = id.strip_prefix("lesson").is_some_and(|number| number.parse::<u32>().is_ok());
    if is_lesson {
        Ok(id)
    } else {
        let message = "this block belongs into a lesson's page";
        Err(page.error(fence.block.clone(), message, "pages of lessons are called lessonNN-name.md"))
    }
}
