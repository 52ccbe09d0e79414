//! Reads a Dockerfile as BuildKit does: instructions, their flags, their here-documents, and the
//! lines on which they stand.
//!
//! Owns: what a Dockerfile's text says. Must not: decide what is allowed, or run anything.
//!
//! The gate looks at what is read here, so whatever BuildKit takes for an instruction must be one
//! here, too. A few odd spellings mean one thing to older engines and another to newer ones:
//! [`Dockerfile::readings`] has both, and whoever must not be deceived looks at both.

mod directives;
mod documents;
mod flags;
mod lines;
mod patterns;
mod stages;
mod values;
mod words;

pub use directives::{Syntax, foreign_form, syntax, without_syntax};
pub use documents::HereDocument;
pub use values::{Values, given_by_the_machine};
pub use words::{expand, expand_known};

/// Which of BuildKit's readings of odd spellings counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// That of engine 26 (BuildKit 0.13) and older.
    Older,
    /// That of engine 29 (Dockerfile syntax 1.20).
    Newer,
}

/// A Dockerfile's instructions, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// The instructions.
    pub instructions: Vec<Instruction>,
    /// What continues a line and takes the meaning from a character: `\`, unless `# escape=` says
    /// otherwise.
    pub escape: Escape,
}

/// The character that continues lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escape(pub char);

impl Default for Escape {
    fn default() -> Self {
        Self('\\')
    }
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Its name in upper case.
    pub name: String,
    /// All that follows the name, as one line, with single blanks between the words.
    pub arguments: String,
    /// The flags in front, without the quotation marks that BuildKit takes off: `--mount=type=cache`.
    pub flags: Vec<String>,
    /// What follows the flags, as it was written.
    pub rest: String,
    /// The strings of the exec form (`["node", "server.js"]`); `None` for the shell form.
    pub list: Option<Vec<String>>,
    /// Its here-documents, in their order.
    pub documents: Vec<HereDocument>,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The stage that it belongs to: the name after `AS` in lower case, else its number. Empty
    /// before the first `FROM`.
    pub stage: String,
}

impl Dockerfile {
    /// Reads a text as today's BuildKit does. Never fails: where BuildKit would refuse the text, it
    /// does not matter what is made of it, since nothing is built.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::read(text, Reading::Newer)
    }

    /// What any engine may make of a text: one reading, or two where they differ.
    #[must_use]
    pub fn readings(text: &str) -> Vec<Self> {
        let (newer, older) = (Self::read(text, Reading::Newer), Self::read(text, Reading::Older));
        if newer == older { vec![newer] } else { vec![newer, older] }
    }

    /// Reads a text as an engine does.
    #[must_use]
    pub fn read(text: &str, reading: Reading) -> Self {
        let escape = directives::escape(text, reading);
        let mut file = Self { instructions: lines::instructions(text, escape, reading), escape };
        file.name_stages();
        file
    }
}

impl Instruction {
    /// The image or stage after `FROM`, without flags.
    #[must_use]
    pub fn base(&self) -> Option<&str> {
        self.rest.split_whitespace().next()
    }

    /// The values of a flag, such as those of `--mount` for `mount`.
    pub fn flag(&self, name: &str) -> impl Iterator<Item = &str> {
        self.flags.iter().filter_map(move |flag| flag.strip_prefix("--")?.strip_prefix(name)?.strip_prefix('='))
    }

    /// What follows the flags, word by word: the strings of a JSON list, or what stands between blanks.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        self.list.clone().unwrap_or_else(|| self.rest.split_whitespace().map(str::to_owned).collect())
    }

    /// What `ONBUILD` keeps for later, as instructions: BuildKit reads it again when it is used, and
    /// then with `\` as the escape character, whatever the file says.
    #[must_use]
    pub fn kept_for_later(&self, escape: Escape, reading: Reading) -> Vec<Self> {
        if self.name != "ONBUILD" {
            return Vec::new();
        }
        let mut escapes = vec![escape];
        escapes.extend(Some(Escape::default()).filter(|usual| *usual != escape));
        let read = |escape| Self {
            line: self.line,
            stage: self.stage.clone(),
            documents: self.documents.clone(),
            ..lines::instruction(&self.rest, escape, reading)
        };
        escapes.into_iter().map(read).collect()
    }
}

#[cfg(test)]
#[path = "dockerfile/tests.rs"]
mod tests;
