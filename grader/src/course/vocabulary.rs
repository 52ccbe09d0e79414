//! In which order lessons use the words that they introduce.
//!
//! Owns: finding a term in the prose of a page whose lesson comes before the one that introduces it.
//! Must not: judge how a term is explained.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::fence::markdown_options;
use super::page::Page;

/// A term that is used too early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Early {
    /// The file and line, as `book/src/lesson06-x.md:12`.
    pub place: String,
    /// The term.
    pub term: String,
    /// The lesson that introduces it.
    pub introduced_by: String,
}

/// Every paragraph that uses a term of a later lesson without naming that lesson ("lesson 8").
/// Code, whether in a block or in a line, does not count.
#[must_use]
pub fn used_too_early(pages: &[Page]) -> Vec<Early> {
    let mut early = Vec::new();
    for page in pages {
        let paragraphs = paragraphs(&page.source.text);
        for later in pages.iter().filter(|later| later.number > page.number) {
            for term in later.terms.keys().filter(|term| !is_introduced(pages, page, term)) {
                let teaser = format!("lesson {}", later.number);
                let used = paragraphs.iter().find(|(text, _)| has_words(text, term) && !has_words(text, &teaser));
                early.extend(used.map(|(_, span)| Early {
                    place: format!("{}:{}", page.source.name, page.source.line_of(span.start)),
                    term: term.clone(),
                    introduced_by: later.id.clone(),
                }));
            }
        }
    }
    early
}

/// Whether this page or one before it introduces the term, too.
fn is_introduced(pages: &[Page], page: &Page, term: &str) -> bool {
    let same = |other: &String| other.to_lowercase() == term.to_lowercase();
    pages.iter().any(|other| other.number <= page.number && other.terms.keys().any(same))
}

/// The prose of a page: each paragraph, list item or cell in small letters.
fn paragraphs(text: &str) -> Vec<(String, Range<usize>)> {
    let mut found: Vec<(String, Range<usize>)> = Vec::new();
    let mut is_code = false;
    for (event, span) in Parser::new_ext(text, markdown_options()).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(_)) => is_code = true,
            Event::End(TagEnd::CodeBlock) => is_code = false,
            Event::Start(Tag::Paragraph | Tag::Item | Tag::TableCell | Tag::Heading { .. }) => {
                found.push((String::new(), span));
            }
            Event::Text(words) if !is_code => {
                if let Some((paragraph, _)) = found.last_mut() {
                    paragraph.push_str(&words.to_lowercase());
                }
            }
            // Something stands there, so that the words around it are not joined.
            Event::SoftBreak | Event::HardBreak | Event::Code(_) => {
                if let Some((paragraph, _)) = found.last_mut() {
                    paragraph.push(' ');
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether a text in small letters has these words, perhaps in the plural.
fn has_words(text: &str, words: &str) -> bool {
    let words = words.to_lowercase();
    let is_letter = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '-');
    text.match_indices(&words).any(|(at, found)| {
        let after = &text[at + found.len()..];
        let after = after.strip_prefix('s').unwrap_or(after);
        !is_letter(text[..at].chars().next_back()) && !is_letter(after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::source::Source;

    fn page(number: u32, terms: &[&str], text: &str) -> Page {
        Page {
            number,
            id: format!("lesson{number:02}"),
            file: String::new(),
            title: String::new(),
            minutes: 1,
            teaches: Vec::new(),
            prerequisites: Vec::new(),
            terms: terms.iter().map(|term| ((*term).to_owned(), String::new())).collect(),
            source: Source { name: format!("{number}.md"), text: text.into() },
        }
    }

    #[test]
    fn a_later_lessons_term_is_reported_with_its_line_and_code_and_teasers_are_not() {
        let first = "One `cgroup` in code.\n\n```sh\ncgroup\n```\n\nA subcgroup, and cgroup-like.\n\n\
            The cgroup comes in lesson 8.\n\n- Two CGroups here.\n";
        let pages = [page(6, &["view"], first), page(8, &["cgroup", "View"], "A cgroup. A view.")];
        let early = used_too_early(&pages);
        let wanted = Early { place: "6.md:11".into(), term: "cgroup".into(), introduced_by: "lesson08".into() };
        assert_eq!(early, [wanted]);
    }
}
