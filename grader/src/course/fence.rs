//! Finds the course's own fenced blocks (`quiz`, `exercise` ...) in a page.
//!
//! Owns: where such a block and its body stand, byte by byte, so that errors can point there.
//! Must not: know what a body means.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::course::source::{CourseError, Source};

/// What a block is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FenceKind {
    /// One question of the quiz.
    Quiz,
    /// The place where the page says what the exercise asks for.
    Exercise,
    /// The place of the glossary.
    Glossary,
    /// The place of the index of commands.
    Commands,
    /// A timetable for instructors.
    Schedule,
}

impl FenceKind {
    /// Every kind with the word that stands after the fence.
    const ALL: [(&'static str, Self); 5] = [
        ("quiz", Self::Quiz),
        ("exercise", Self::Exercise),
        ("glossary", Self::Glossary),
        ("commands", Self::Commands),
        ("schedule", Self::Schedule),
    ];
}

/// A fenced block that is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// What it is for.
    pub kind: FenceKind,
    /// The bytes of the page that it takes, both fences included.
    pub block: Range<usize>,
    /// The bytes between the fences.
    pub body: Range<usize>,
}

/// The Markdown that mdBook reads, so that we see the same blocks as it does.
#[must_use]
pub fn markdown_options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_GFM
}

/// All of our blocks in a page, from top to bottom.
pub fn fences(page: &Source) -> Result<Vec<Fence>, CourseError> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    for (event, span) in Parser::new_ext(&page.text, markdown_options()).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                if let Some(kind) = kind_of(page, &info, &span)? {
                    found.push(place(page, kind, span, depth)?);
                }
            }
            Event::Start(Tag::CodeBlock(_)) | Event::End(TagEnd::CodeBlock) => {}
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(found)
}

/// Reads the word after the fence. A near miss is an error: as an ordinary code block it would
/// show the answers to the reader.
fn kind_of(page: &Source, info: &str, block: &Range<usize>) -> Result<Option<FenceKind>, CourseError> {
    let word = info.split([' ', '\t', ',', '{']).next().unwrap_or_default();
    for (name, kind) in FenceKind::ALL {
        if info.trim() == name {
            return Ok(Some(kind));
        }
        let is_near = word.to_lowercase() == name || strsim::osa_distance(word, name) == 1;
        if is_near {
            let fence = block.start..block.start + first_line(page, block).len();
            return Err(page.error(fence, format!("`{info}` after the fence"), &format!("write just `{name}` here")));
        }
    }
    Ok(None)
}

/// Finds the body. Only blocks at the left margin are taken: inside of a list or a quote the body
/// is not one piece of the page, and errors could not point into it.
fn place(page: &Source, kind: FenceKind, block: Range<usize>, depth: usize) -> Result<Fence, CourseError> {
    let text = &page.text[block.clone()];
    let opening = first_line(page, &block);
    let at_margin = block.start == 0 || page.text[..block.start].ends_with('\n');
    let mark = opening.chars().next().unwrap_or_default();
    if depth > 0 || !at_margin || !matches!(mark, '`' | '~') {
        let fence = block.start..block.start + opening.len();
        return Err(page.error(fence, "this block stands inside of a list or a quote", "move it to the left margin"));
    }
    let closing = text.trim_end().lines().last().unwrap_or_default();
    let is_fence = closing.trim().len() > 2 && closing.trim().chars().all(|c| c == mark);
    let is_closed = text.trim_end().lines().count() > 1 && is_fence;
    if !is_closed {
        let fence = block.start..block.start + opening.len();
        return Err(page.error(fence, "this block is never closed", "opened here"));
    }
    let start = block.start + text.find('\n').map_or(text.len(), |end| end + 1);
    let end = block.start + text.trim_end().len() - closing.len();
    Ok(Fence { kind, body: start..end, block })
}

fn first_line<'a>(page: &'a Source, block: &Range<usize>) -> &'a str {
    page.text[block.clone()].lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Source {
        Source { name: "page.md".into(), text: text.into() }
    }

    #[test]
    fn blocks_are_found_with_their_bodies_whatever_the_fence_and_line_ends() {
        let page = page(
            "# T\n\n```quiz\nid = 1\n```\n\n```sh\nls\n```\n~~~~ quiz\r\na = 2\r\nb = 3\r\n~~~~\r\n\n```exercise\n```\n",
        );
        let found = fences(&page).unwrap();
        let bodies: Vec<_> = found.iter().map(|fence| &page.text[fence.body.clone()]).collect();
        assert_eq!(bodies, ["id = 1\n", "a = 2\r\nb = 3\r\n", ""]);
        assert_eq!(found[2].kind, FenceKind::Exercise);
        assert!(page.text[found[0].block.clone()].starts_with("```quiz"));
    }

    #[test]
    fn a_block_shown_as_an_example_is_not_taken() {
        assert_eq!(fences(&page("````markdown\n```quiz\nid = 1\n```\n````\n")).unwrap(), []);
    }

    #[test]
    fn a_near_miss_is_an_error_because_it_would_show_the_answers() {
        for (info, wanted) in [("Quiz", "quiz"), ("qiuz", "quiz"), ("quiz,x", "quiz"), ("exercises", "exercise")] {
            let error = fences(&page(&format!("a\n\n```{info}\nid = 1\n```\n"))).unwrap_err().to_string();
            assert!(error.contains("page.md:3:1") && error.contains(&format!("just `{wanted}`")), "{error}");
        }
    }

    #[test]
    fn a_block_in_a_list_or_without_an_end_is_an_error() {
        let error = fences(&page("- item\n\n  ```quiz\n  id = 1\n  ```\n")).unwrap_err().to_string();
        assert!(error.contains("page.md:3") && error.contains("left margin"), "{error}");
        let error = fences(&page("```quiz\nid = 1\n\nMore prose.\n")).unwrap_err().to_string();
        assert!(error.contains("never closed"), "{error}");
    }
}
