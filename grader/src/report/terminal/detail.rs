//! Evidence as text: tables, logs, diffs.
//!
//! Owns: the layout of one piece of evidence. Must not: choose which evidence is shown.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use similar::{ChangeTag, TextDiff};

use super::{BAD, FAINT, GOOD, labelled};
use crate::verdict::Detail;

/// The indentation of all evidence.
const INDENT: &str = "         ";

/// Writes one piece of evidence.
pub fn write_detail(detail: &Detail, out: &mut dyn Write) -> io::Result<()> {
    match detail {
        Detail::Note { text } => labelled(out, "note", text),
        Detail::Log { title, lines } => {
            writeln!(out, "{INDENT}{title}:")?;
            for line in lines {
                writeln!(out, "{INDENT}{FAINT}|{FAINT:#} {}", plain(line))?;
            }
            Ok(())
        }
        Detail::Table { title, head, rows } => {
            writeln!(out, "{INDENT}{title}:{}", if rows.is_empty() { " none" } else { "" })?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(100);
            table.set_header(head.clone());
            for row in rows {
                table.add_row(row.iter().map(|cell| plain(cell)).collect::<Vec<_>>());
            }
            for line in table.to_string().lines() {
                writeln!(out, "{INDENT}{FAINT}|{FAINT:#}{}", line.trim_end())?;
            }
            Ok(())
        }
        Detail::Diff { title, before, after } => {
            writeln!(out, "{INDENT}{title}:")?;
            for change in TextDiff::from_lines(before, after).iter_all_changes() {
                let (style, sign) = match change.tag() {
                    ChangeTag::Delete => (BAD, '-'),
                    ChangeTag::Insert => (GOOD, '+'),
                    ChangeTag::Equal => (FAINT, ' '),
                };
                writeln!(out, "{INDENT}{style}{sign} {}{style:#}", plain(change.value().trim_end()))?;
            }
            Ok(())
        }
    }
}

/// The most characters of one line of evidence.
const WIDEST: usize = 180;

/// One line as it may be shown: what a container wrote must not steer the learner's terminal, nor flood it.
#[must_use]
pub fn plain(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() && c != '\t' { '·' } else { c });
    if text.chars().count() > WIDEST { shown.take(WIDEST).chain(['…']).collect() } else { shown.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(detail: &Detail) -> String {
        let mut out = Vec::new();
        write_detail(detail, &mut out).expect("write");
        anstream::adapter::strip_str(&String::from_utf8(out).expect("text")).to_string()
    }

    #[test]
    fn control_characters_of_a_log_are_not_passed_on() {
        let text = written(&Detail::log("log", vec!["a\u{1b}[2Jb".into()]));
        assert_eq!(text, "         log:\n         | a·[2Jb\n");
    }

    #[test]
    fn a_diff_marks_lines_by_signs_not_by_colour_alone() {
        let text = written(&Detail::Diff { title: "d".into(), before: "a\n".into(), after: "b\n".into() });
        assert!(text.contains("- a\n") && text.contains("+ b\n"), "{text}");
    }
}
