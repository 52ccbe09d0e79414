//! The glossary: all terms that lessons introduce, with links to them.
//!
//! Owns: its Markdown. Must not: choose terms; the pages' front matter does.

use crate::course::page::Page;

/// The terms of all pages from A to Z, as a definition list.
pub fn markdown(pages: &[Page]) -> String {
    let mut terms: Vec<_> =
        pages.iter().flat_map(|page| page.terms.iter().map(move |(term, meaning)| (term, meaning, page))).collect();
    terms.sort_by_key(|(term, ..)| term.to_lowercase());
    let entry = |(term, meaning, page): &(&String, &String, &Page)| {
        format!("{term}\n: {} [Lesson {}]({})\n\n", meaning.trim(), page.number, page.file)
    };
    terms.iter().map(entry).collect()
}
