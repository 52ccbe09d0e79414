//! Reads one quiz block: TOML into a question that makes sense.
//!
//! Owns: the rules that a question must keep. Must not: find blocks or judge.

use std::ops::Range;

use toml::Spanned;

use super::judge::plain;
use super::keys::{Block, Name};
use super::{Choice, Confirmation, Kind, Near, Question};
use crate::course::source::{CourseError, Source};

/// A text and where it stands in the block.
type Placed = (String, Range<usize>);

/// Reads the block whose body is at `body`. The range that comes with the question is its id's.
pub(super) fn question(page: &Source, body: &Range<usize>) -> Result<(Question, Range<usize>), CourseError> {
    Reader { page, body }.question()
}

/// Turns places in the block into places in the page.
struct Reader<'a> {
    page: &'a Source,
    body: &'a Range<usize>,
}

impl Reader<'_> {
    fn question(&self) -> Result<(Question, Range<usize>), CourseError> {
        let block: Block = toml::from_str(&self.page.text[self.body.clone()])
            .map_err(|error| self.error(error.span().unwrap_or(0..0), error.message(), "here"))?;
        let (id, at) = self.filled(&block.id, "the id")?;
        if !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            return Err(self.error(at, format!("`{id}` is no id"), "small letters, digits and hyphens"));
        }
        let (text, _) = self.filled(&block.question, "the question")?;
        if let Some((at, key)) = block.foreign_key() {
            let message = format!("`{key}` does not belong to this kind of question");
            return Err(self.error(at, message, "take it out"));
        }
        let kind = self.kind(&block)?;
        let commands = self.commands(&block, &kind)?;
        let at = self.in_page(at);
        Ok((Question { id, text, kind, commands, line: self.page.line_of(at.start) }, at))
    }

    fn kind(&self, block: &Block) -> Result<Kind, CourseError> {
        match block.kind.get_ref() {
            Name::Order => self.order(block),
            Name::Multi => self.choice(block, false),
            _ if block.is_choice() => self.choice(block, true),
            _ => self.short(block),
        }
    }

    fn choice(&self, block: &Block, single: bool) -> Result<Kind, CourseError> {
        let keys = block.option.as_deref().unwrap_or_default();
        if keys.len() < 2 {
            return Err(self.error(block.kind.span(), "a choice needs at least two [[option]]", "of this kind"));
        }
        let mut texts = Vec::new();
        let mut options = Vec::new();
        for key in keys {
            let (text, at) = self.filled(&key.text, "an option's text")?;
            let (because, _) = self.filled(&key.because, "an option's explanation")?;
            texts.push((text.clone(), at));
            options.push(Choice { text, right: key.right, because });
        }
        self.all_differ(&texts, true)?;
        let right: Vec<_> = keys.iter().filter(|key| key.right).collect();
        match right.as_slice() {
            [] => Err(self.error(block.kind.span(), "no option is right", "give one of them `right = true`")),
            [_, second, ..] if single => {
                let message = "more than one option is right, but only one can be chosen";
                Err(self.error(second.text.span(), message, "leave one, or use `kind = \"multi\"`"))
            }
            _ if single => Ok(Kind::Choice(options)),
            _ => Ok(Kind::Multi(options)),
        }
    }

    fn order(&self, block: &Block) -> Result<Kind, CourseError> {
        let Some(items) = block.items.as_ref().filter(|items| items.get_ref().len() > 1) else {
            return Err(self.error(block.kind.span(), "an ordering needs at least two `items`", "of this kind"));
        };
        let items = self.all_filled(items, "an item")?;
        self.all_differ(&items, true)?;
        Ok(Kind::Order { items: only_texts(items), because: self.because(block)? })
    }

    fn short(&self, block: &Block) -> Result<Kind, CourseError> {
        let Some(accept) = block.accept.as_ref().filter(|accept| !accept.get_ref().is_empty()) else {
            let label =
                if *block.kind.get_ref() == Name::Predict { "add `accept` or [[option]]" } else { "add `accept`" };
            return Err(self.error(block.kind.span(), "no answer is right", label));
        };
        let case = block.case.as_ref().is_none_or(|case| *case.get_ref());
        let mut texts = self.all_filled(accept, "an accepted answer")?;
        let accept = only_texts(texts.clone());
        let mut near = Vec::new();
        for key in block.near.iter().flatten() {
            let (text, at) = self.filled(&key.text, "a usual wrong answer")?;
            let (because, _) = self.filled(&key.because, "a wrong answer's explanation")?;
            texts.push((text.clone(), at));
            near.push(Near { text, because });
        }
        self.all_differ(&texts, case)?;
        Ok(Kind::Short { accept, case, because: self.because(block)?, near })
    }

    /// A prediction has commands, and where the answer is a text, a command prints it: otherwise
    /// running them would confirm nothing.
    fn commands(&self, block: &Block, kind: &Kind) -> Result<Vec<Confirmation>, CourseError> {
        let keys = block.command.as_deref().unwrap_or_default();
        if *block.kind.get_ref() == Name::Predict && keys.is_empty() {
            return Err(self.error(block.kind.span(), "a prediction needs at least one [[command]]", "of this kind"));
        }
        let mut commands = Vec::new();
        for key in keys {
            let (program, _) = self.filled(&key.program, "a command's program")?;
            let (expect, _) = self.filled(&key.expect, "a command's output")?;
            commands.push(Confirmation { program, expect });
        }
        if let (Kind::Short { accept, case, .. }, Some(first)) = (kind, keys.first()) {
            let prints =
                |text: &String| commands.iter().any(|c| has_word(&plain(&c.expect, *case), &plain(text, *case)));
            if !accept.iter().any(prints) {
                let message = "no command prints an accepted answer";
                return Err(self.error(first.expect.span(), message, "one of `accept` must stand in an output"));
            }
        }
        Ok(commands)
    }

    fn because(&self, block: &Block) -> Result<String, CourseError> {
        match &block.because {
            Some(because) => Ok(self.filled(because, "the explanation")?.0),
            None => Err(self.error(block.kind.span(), "this question has no explanation", "add `because`")),
        }
    }

    fn all_differ(&self, texts: &[Placed], case: bool) -> Result<(), CourseError> {
        for (index, (text, at)) in texts.iter().enumerate() {
            let same = |(other, _): &&Placed| plain(other, case) == plain(text, case);
            if let Some((_, first)) = texts[..index].iter().find(same) {
                let line = self.page.line_of(self.in_page(first.clone()).start);
                let label = format!("the same stands in line {line}");
                return Err(self.error(at.clone(), format!("“{text}” is there twice"), &label));
            }
        }
        Ok(())
    }

    fn all_filled(&self, list: &Spanned<Vec<Spanned<String>>>, what: &str) -> Result<Vec<Placed>, CourseError> {
        list.get_ref().iter().map(|text| self.filled(text, what)).collect()
    }

    fn filled(&self, text: &Spanned<String>, what: &str) -> Result<Placed, CourseError> {
        let trimmed = text.get_ref().trim();
        if trimmed.is_empty() {
            return Err(self.error(text.span(), format!("{what} is empty"), "write something here"));
        }
        Ok((trimmed.to_owned(), text.span()))
    }

    fn error(&self, span: Range<usize>, message: impl Into<String>, label: &str) -> CourseError {
        self.page.error(self.in_page(span), message, label)
    }

    fn in_page(&self, span: Range<usize>) -> Range<usize> {
        span.start + self.body.start..span.end + self.body.start
    }
}

fn only_texts(placed: Vec<Placed>) -> Vec<String> {
    placed.into_iter().map(|(text, _)| text).collect()
}

/// True when the text stands in the output, and not as a part of a longer word or number.
fn has_word(output: &str, text: &str) -> bool {
    output.match_indices(text).any(|(at, _)| {
        let before = output[..at].chars().next_back();
        let after = output[at + text.len()..].chars().next();
        [before, after].into_iter().flatten().all(|c| !c.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Quiz, SAMPLE};
    use super::*;

    /// The sample page with one text replaced, so that one rule is broken.
    fn broken(text: &str, by: &str) -> String {
        assert_eq!(SAMPLE.matches(text).count(), 1, "{text}");
        let text = SAMPLE.replace(text, by);
        Quiz::parse(&Source { name: "page.md".into(), text }).unwrap_err().to_string()
    }

    #[test]
    fn a_broken_rule_is_shown_at_its_line_of_the_page() {
        for (text, by, line, message) in [
            ("id = \"from-edit\"", "id = \"From edit\"", 50, "`From edit` is no id"),
            ("id = \"from-edit\"", "id = ", 50, "must be quoted"),
            ("kind = \"order\"", "kind = \"sort\"", 51, "unknown variant `sort`"),
            ("kind = \"order\"", "kind = \"order\"\nhint = 1", 52, "unknown field `hint`"),
            ("kind = \"order\"", "kind = \"order\"\ncase = false", 52, "`case` does not belong"),
            ("kind = \"short\"", "kind = \"choice\"", 61, "`accept` does not belong"),
            ("kind = \"multi\"", "kind = \"choice\"", 41, "more than one option is right"),
            ("right = true\nbecause = \"A volume", "because = \"A volume", 7, "no option is right"),
            ("because = \"Only the app talks to it, over the inner network.\"", "", 40, "missing field `because`"),
            ("\"A debugger is a remote shell.\"", "\" \"", 39, "an option's explanation is empty"),
            ("text = \"80, the proxy\"", "text = \"3000,  the app\"", 45, "is there twice"),
            ("text = \"--stage\"", "text = \"`--target`\"", 64, "“`--target`” is there twice"),
            ("because = \"Nothing is built: the file was in the container all the time.\"", "", 51, "no explanation"),
            ("items = [\"nodemon sees the change\", \"the old", "items = [] # \"", 51, "at least two `items`"),
            ("accept = [\"--target\", \"--target=NAME\"]", "accept = []", 59, "no answer is right"),
            ("expect = \"1000\"", "expect = \"root\"", 76, "no command prints an accepted answer"),
            ("expect = \"1000\"", "expect = \"10000\"", 76, "no command prints an accepted answer"),
            ("expect = \"137\"", "", 90, "missing field `expect`"),
        ] {
            let error = broken(text, by);
            assert!(error.contains(message), "{message}: {error}");
            assert!(error.contains(&format!("page.md:{line}:")), "{message} in line {line}: {error}");
        }
    }

    #[test]
    fn a_prediction_needs_a_command_and_another_kind_must_not_have_one() {
        let command = "[[command]]\nprogram = \"docker run --rm --user 1000 app id -u\"\nexpect = \"1000\"\n";
        assert!(broken(command, "").contains("a prediction needs at least one [[command]]"));
        let short = "text = \"--stage\"\nbecause = \"BuildKit speaks of stages, but its flag has another name.\"";
        assert!(broken(short, &format!("{short}\n{command}")).contains("`command` does not belong"));
    }
}
