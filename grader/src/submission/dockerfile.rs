//! Splits a Dockerfile into instructions with their lines.
//!
//! Owns: line continuations, comments, here-documents and stages, only as far as needed to say
//! where something stands. Must not: evaluate anything; BuildKit does.

/// A Dockerfile's instructions, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// The instructions.
    pub instructions: Vec<Instruction>,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Its name in upper case.
    pub name: String,
    /// The rest, continuation lines joined by spaces.
    pub arguments: String,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The stage that it belongs to: the name after `AS` in lower case, else its number. Empty
    /// before the first `FROM`.
    pub stage: String,
}

impl Dockerfile {
    /// Splits the text. Never fails: what is no instruction keeps its first word as its name.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut instructions: Vec<Instruction> = Vec::new();
        let mut stage = String::new();
        let mut stages = 0;
        let escape = directive(text, "escape").and_then(|(_, value)| value.chars().next()).unwrap_or('\\');
        let mut lines = text.trim_start_matches(BOM).lines().enumerate();
        while let Some((index, first)) = lines.next() {
            let first = first.trim();
            if first.is_empty() || first.starts_with('#') {
                continue;
            }
            let mut joined = String::new();
            let mut part = first;
            loop {
                let body = part.trim_end().strip_suffix(escape);
                let is_comment = part.trim_start().starts_with('#');
                if !is_comment {
                    // Nothing stands between the halves: `RU\` and `N x` are `RUN x`.
                    joined.push_str(body.unwrap_or(part));
                }
                // A comment or an empty line between continued lines does not end the instruction.
                if !(body.is_some() || is_comment || part.trim().is_empty()) {
                    break;
                }
                let Some((_, next)) = lines.next() else { break };
                part = next;
            }
            let (name, arguments) = joined.trim().split_once(char::is_whitespace).unwrap_or((joined.trim(), ""));
            let arguments = arguments.split_whitespace().collect::<Vec<_>>().join(" ");
            let name = name.to_uppercase();
            // Elsewhere `<<` means nothing; it must not hide the lines that follow.
            let reads_more = ["RUN", "COPY", "ADD"].contains(&name.as_str());
            for end in if reads_more { here_documents(&arguments) } else { Vec::new() } {
                for (_, line) in lines.by_ref() {
                    if line.trim() == end {
                        break;
                    }
                }
            }
            if name == "FROM" {
                stage = stage_name(&arguments).unwrap_or_else(|| stages.to_string());
                stages += 1;
            }
            instructions.push(Instruction { name, arguments, line: index + 1, stage: stage.clone() });
        }
        Self { instructions }
    }

    /// The `FROM` that begins a stage.
    #[must_use]
    pub fn stage(&self, name: &str) -> Option<&Instruction> {
        self.instructions.iter().find(|i| i.name == "FROM" && i.stage.eq_ignore_ascii_case(name))
    }

    /// The last instruction of this name in a stage, or in the stages that it is made `FROM`.
    #[must_use]
    pub fn last_in_lineage(&self, target: &str, name: &str) -> Option<&Instruction> {
        let mut stage = target.to_owned();
        // A stage can only be made from one above it, so this ends.
        for _ in 0..=self.instructions.len() {
            let found = self.instructions.iter().rev().find(|i| i.stage.eq_ignore_ascii_case(&stage) && i.name == name);
            if found.is_some() {
                return found;
            }
            stage = self.stage(&stage)?.base()?.to_owned();
        }
        None
    }

    /// The instructions of a stage, those of the stages that it is made `FROM` first, without `FROM` itself.
    /// An empty name is the last stage.
    #[must_use]
    pub fn lineage(&self, target: &str) -> Vec<&Instruction> {
        let last = self.instructions.last().map(|i| i.stage.clone()).unwrap_or_default();
        let mut stage = if target.is_empty() { last } else { target.to_owned() };
        let mut lineage = Vec::new();
        // A stage is made from one above it: `FROM node AS node` begins with the image, not with itself.
        let mut above = self.instructions.len();
        let begins = |i: &Instruction, stage: &str| i.name == "FROM" && i.stage.eq_ignore_ascii_case(stage);
        while let Some(from) = self.instructions[..above].iter().rposition(|i| begins(i, &stage)) {
            let own = self.instructions[from + 1..].iter().take_while(|i| i.name != "FROM");
            lineage.splice(0..0, own);
            above = from;
            self.instructions[from].base().unwrap_or_default().clone_into(&mut stage);
        }
        lineage
    }
}

impl Instruction {
    /// The image or stage after `FROM`, without flags.
    #[must_use]
    pub fn base(&self) -> Option<&str> {
        self.arguments.split_whitespace().find(|word| !word.starts_with("--"))
    }
}

fn stage_name(arguments: &str) -> Option<String> {
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("as"))?;
    words.get(at + 1).map(|name| name.to_lowercase())
}

/// The words that end the here-documents of an instruction (`<<EOF`, `<<-"EOF"`).
fn here_documents(arguments: &str) -> Vec<String> {
    arguments
        .split_whitespace()
        .filter_map(|word| word.split_once("<<").map(|(_, end)| end))
        .map(|end| end.trim_start_matches('-').trim_matches(['"', '\'']).to_owned())
        .filter(|end| end.chars().next().is_some_and(char::is_alphabetic) && end.chars().all(char::is_alphanumeric))
        .collect()
}

/// What some editors put before the first character.
const BOM: char = '\u{feff}';

/// The line, from 1, and the value of a `# syntax=` directive, in all forms that BuildKit knows:
/// after `#` or `//`, after a `#!` line, and as a JSON file.
#[must_use]
pub fn syntax_line(text: &str) -> Option<(usize, String)> {
    let json = || serde_json::from_str::<serde_json::Value>(text).ok()?.get("syntax")?.as_str().map(str::to_owned);
    directive(text, "syntax").or_else(|| json().map(|value| (1, value)))
}

/// The line, from 1, and the value of a directive among the comments that begin the file.
fn directive(text: &str, name: &str) -> Option<(usize, String)> {
    let comment = |line: &str| {
        let line = line.trim();
        line.strip_prefix("//").or_else(|| line.strip_prefix('#')).map(str::to_owned)
    };
    let mut head =
        text.trim_start_matches(BOM).lines().enumerate().map_while(|(index, line)| Some((index, comment(line)?)));
    head.find_map(|(index, line)| {
        let (key, value) = line.split_once('=')?;
        (key.trim().eq_ignore_ascii_case(name)).then(|| (index + 1, value.trim().to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# syntax=x\nFROM --platform=linux/amd64 node:22 AS Base\nRUN a && \\\n  # why\n    b\n\nRUN <<EOF\nUSER root\nEOF\nFROM base AS production\nuser node\n";

    #[test]
    fn continued_lines_and_comments_belong_to_one_instruction() {
        let file = Dockerfile::parse(TEXT);
        let run = &file.instructions[1];
        assert_eq!((run.name.as_str(), run.arguments.as_str(), run.line), ("RUN", "a && b", 3));
    }

    #[test]
    fn halves_of_a_word_and_another_escape_character_hide_nothing() {
        let file = Dockerfile::parse("\u{feff}# escape=`\nFROM a\nRU`\nN --netw`  \nork=host x\nCMD <<E\nRUN b\nE\n");
        let shown: Vec<_> = file.instructions.iter().map(|i| format!("{} {}", i.name, i.arguments)).collect();
        assert_eq!(shown, ["FROM a", "RUN --network=host x", "CMD <<E", "RUN b", "E "]);
    }

    #[test]
    fn a_builder_is_found_in_each_form() {
        for text in [
            "# syntax=x",
            "#!/bin/a\n#   SYNTAX =  x ",
            "// syntax=x",
            "\u{feff}# a\n# syntax=x",
            "{\"syntax\": \"x\"}",
        ] {
            assert_eq!(syntax_line(text).map(|(_, value)| value).as_deref(), Some("x"), "{text}");
        }
        assert_eq!(syntax_line("FROM a\n# syntax=x"), None);
    }

    #[test]
    fn what_stands_in_a_here_document_is_no_instruction() {
        let file = Dockerfile::parse(TEXT);
        let names: Vec<_> = file.instructions.iter().map(|i| i.name.as_str()).collect();
        assert_eq!(names, ["FROM", "RUN", "RUN", "FROM", "USER"]);
    }

    #[test]
    fn an_instruction_is_found_in_its_stage_or_the_one_below() {
        let file = Dockerfile::parse(TEXT);
        assert_eq!(file.last_in_lineage("production", "USER").map(|i| i.line), Some(11));
        assert_eq!(file.last_in_lineage("production", "RUN").map(|i| i.line), Some(7));
        assert_eq!(file.last_in_lineage("base", "USER"), None);
        assert_eq!(file.last_in_lineage("nowhere", "USER"), None);
    }

    #[test]
    fn a_lineage_begins_with_the_lowest_stage_and_leaves_other_stages_out() {
        let text = "ARG A=1\nFROM x AS low\nRUN a\nFROM low AS other\nRUN b\nFROM low AS High\nCOPY c d\n";
        let file = Dockerfile::parse(text);
        let names = |target| file.lineage(target).into_iter().map(|i| i.arguments.clone()).collect::<Vec<_>>();
        assert_eq!(names("high"), ["a", "c d"]);
        assert_eq!(names(""), ["a", "c d"]);
        assert_eq!(names("low"), ["a"]);
        assert!(names("nowhere").is_empty());
        let own_name = Dockerfile::parse("FROM node AS node\nRUN a\n");
        assert_eq!(own_name.lineage("node").len(), 1);
    }

    #[test]
    fn the_base_of_a_stage_is_named_without_flags() {
        assert_eq!(Dockerfile::parse(TEXT).instructions[0].base(), Some("node:22"));
    }
}
