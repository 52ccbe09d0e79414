//! Here-documents: `RUN <<EOF`, and the lines that follow.
//!
//! Owns: which words of a line begin one, and which line ends it. Must not: read what is in it.

use super::words::{Lexer, Unset};
use super::{Escape, Reading};

/// Lines that belong to an instruction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HereDocument {
    /// The word that ends it, without quotation marks.
    pub name: String,
    /// Its lines, as they were written.
    pub body: Vec<String>,
    /// The line of the Dockerfile on which its body begins, from 1.
    pub line: usize,
    /// Whether tabs at the beginning of lines do not count (`<<-`).
    without_tabs: bool,
}

impl HereDocument {
    /// Whether this line is its last. Blanks count, and so do tabs unless it began with `<<-`.
    #[must_use]
    pub fn ends_with(&self, line: &str) -> bool {
        let line = if self.without_tabs { line.trim_start_matches('\t') } else { line };
        line == self.name
    }
}

/// The here-documents that a whole instruction begins. BuildKit looks for them among the words that a
/// shell would see, with `\` as the escape character, whatever the file says: `"<<EOF"` is none.
pub fn begun(line: &str, reading: Reading) -> Vec<HereDocument> {
    let lexer = Lexer { keeps_quotes: true, keeps_escapes: true, ..lexer(reading) };
    // Words that cannot be told apart (a quotation mark without its other half) begin nothing.
    lexer.words(line).unwrap_or_default().iter().filter_map(|word| one(word, reading)).collect()
}

/// What a word begins: a number or nothing, `<<`, perhaps `-`, and a name without `<`.
fn one(word: &str, reading: Reading) -> Option<HereDocument> {
    let after = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (without_tabs, written) = after.strip_prefix('-').map_or((false, after), |rest| (true, rest));
    // Since syntax 1.16 blanks may stand before the name.
    let written = if reading == Reading::Newer { written.trim_start_matches([' ', '\t', '\r']) } else { written };
    if written.is_empty() || written.contains('<') {
        return None;
    }
    let mut names = lexer(reading).words(written).ok()?;
    let name = names.pop().filter(|_| names.is_empty())?;
    Some(HereDocument { name, without_tabs, ..HereDocument::default() })
}

fn lexer(reading: Reading) -> Lexer<'static> {
    Lexer { escape: Escape::default(), keeps_quotes: false, keeps_escapes: false, unset: Unset::Stays, reading }
}
