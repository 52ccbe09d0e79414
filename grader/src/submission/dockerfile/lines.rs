//! From lines to instructions.
//!
//! Owns: continued lines, comments between them, and where a here-document begins and ends. Must
//! not: know what an instruction means.

use super::documents::{self, HereDocument};
use super::{Escape, Instruction, Reading, directives, flags};

/// The instructions that may have here-documents. Elsewhere `<<` means nothing, and must not hide
/// the lines that follow.
const WITH_DOCUMENTS: [&str; 3] = ["RUN", "COPY", "ADD"];

/// The instructions of a text, without their stages.
pub fn instructions(text: &str, escape: Escape, reading: Reading) -> Vec<Instruction> {
    let mut found = Vec::new();
    let mut lines = directives::lines(text).enumerate();
    while let Some((index, line)) = lines.next() {
        let first = line.trim_start();
        if is_comment(first) {
            continue;
        }
        let (part, mut goes_on) = continued(first, escape);
        if part.is_empty() && !goes_on {
            continue;
        }
        // Nothing stands between the halves: `RU\` and `N x` are `RUN x`.
        let mut joined = part.to_owned();
        while goes_on {
            let Some((_, next)) = lines.next() else { break };
            // A comment or an empty line between continued lines does not end the instruction.
            if !is_comment(next) && !next.trim().is_empty() {
                let (part, more) = continued(next, escape);
                joined.push_str(part);
                goes_on = more;
            }
        }
        let mut one = instruction(&joined, escape, reading);
        one.line = index + 1;
        if may_have_documents(&one, escape, reading) {
            for mut document in documents::begun(&joined, reading) {
                let at = lines.clone().next().map_or(index + 1, |(at, _)| at + 1);
                let body = lines.by_ref().map(|(_, line)| line).take_while(|line| !document.ends_with(line));
                document.body = body.map(str::to_owned).collect();
                document.line = at;
                one.documents.push(document);
            }
        }
        found.push(one);
    }
    found
}

/// Takes one instruction apart that stands in one line.
pub fn instruction(line: &str, escape: Escape, reading: Reading) -> Instruction {
    let is_blank = |c: char| matches!(c, '\t' | '\x0b' | '\x0c' | '\r' | ' ');
    let (name, after) = line.trim().split_once(is_blank).unwrap_or((line.trim(), ""));
    // Older engines take `\` for the escape character of flags, whatever the file says.
    let of_flags = if reading == Reading::Older { Escape::default() } else { escape };
    let (flags, rest) = flags::split(after.trim_start_matches(is_blank), of_flags);
    Instruction {
        name: name.to_uppercase(),
        arguments: after.split_whitespace().collect::<Vec<_>>().join(" "),
        flags,
        list: list(&rest, reading),
        rest,
        documents: Vec::<HereDocument>::new(),
        line: 0,
        stage: String::new(),
    }
}

/// The strings of a JSON list; `None` for everything else.
fn list(rest: &str, reading: Reading) -> Option<Vec<String>> {
    let rest = rest.trim_start();
    if !rest.starts_with('[') {
        return None;
    }
    match reading {
        Reading::Newer => serde_json::from_str(rest).ok(),
        // Older engines take no offence at what follows the list.
        Reading::Older => serde_json::Deserializer::from_str(rest).into_iter().next()?.ok(),
    }
}

/// Whether `<<` may begin a here-document; `ONBUILD` may keep an instruction that has one.
fn may_have_documents(one: &Instruction, escape: Escape, reading: Reading) -> bool {
    if one.name == "ONBUILD" {
        let inner = instruction(&one.rest, escape, reading);
        return inner.name != "ONBUILD" && may_have_documents(&inner, escape, reading);
    }
    WITH_DOCUMENTS.contains(&one.name.as_str()) && one.list.is_none()
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// A line without the character that continues it, and whether it had one. Two of them in a row
/// continue nothing.
fn continued(line: &str, Escape(escape): Escape) -> (&str, bool) {
    match line.trim_end_matches([' ', '\t']).strip_suffix(escape) {
        Some(before) if !before.ends_with(escape) => (before, true),
        _ => (line, false),
    }
}
