//! What the course must teach: the headings of its source documents (`book/sources.toml`).
//!
//! Owns: the list, and what a page's `teaches` stands for. Must not: read pages.

use std::path::Path;

use serde::Deserialize;

use super::source::{CourseError, Source};

/// The source documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// Each document.
    #[serde(rename = "source")]
    pub documents: Vec<Document>,
}

/// A source document.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Three digits.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Its sections (`§2.1`) with a few words each, in order.
    pub headings: Vec<(String, String)>,
}

impl Sources {
    /// Reads the list of the course at `root`.
    pub fn load(root: &Path) -> Result<Self, CourseError> {
        let source = Source::read(root, &root.join("book/sources.toml"))?;
        toml::from_str(&source.text)
            .map_err(|error| source.error(error.span().unwrap_or(0..0), error.message().to_owned(), "here"))
    }

    /// The headings that a page with this entry teaches, as indexes of document and heading: the
    /// section and all that is below it, or everything (`000 all`). Empty when there is no such section.
    #[must_use]
    pub fn covered(&self, entry: &str) -> Vec<(usize, usize)> {
        let Some((id, section)) = entry.split_once(' ') else { return Vec::new() };
        let Some(document) = self.documents.iter().position(|document| document.id == id) else { return Vec::new() };
        let below = format!("{section}.");
        let is_covered = |of: &str| section == "all" || of == section || of.starts_with(&below);
        let headings = self.documents[document].headings.iter().enumerate();
        headings.filter(|(_, (of, _))| is_covered(of)).map(|(heading, _)| (document, heading)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_covers_what_is_below_it_and_not_its_neighbours() {
        let headings = ["§1", "§1.1", "§1.1.1", "§10", "§2"].map(|of| (of.to_owned(), String::new()));
        let document = Document { id: "001".into(), title: String::new(), headings: headings.to_vec() };
        let sources = Sources { documents: vec![document] };
        let covered = |entry: &str| sources.covered(entry).iter().map(|(_, heading)| *heading).collect::<Vec<_>>();
        assert_eq!(covered("001 §1"), [0, 1, 2]);
        assert_eq!(covered("001 §1.1"), [1, 2]);
        assert_eq!(covered("001 all"), [0, 1, 2, 3, 4]);
        for unknown in ["001 §3", "002 all", "001", "§1"] {
            assert!(covered(unknown).is_empty(), "{unknown}");
        }
    }
}
