//! Evidence as text: tables, logs, diffs.
//!
//! Owns: the layout of one piece of evidence. Must not: choose which evidence is shown.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use similar::{ChangeTag, TextDiff};

use super::{BAD, FAINT, GOOD, labelled};
use crate::shown::{DOT, steers};
use crate::verdict::Detail;
use crate::verdict::drawn::{curve_in_words, timeline_rows};

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
        // A line of text has no room for a curve: the page draws it.
        Detail::Curve { title, quantity, limit, highest, samples } => {
            labelled(out, "curve", &format!("{title}: {}", curve_in_words(*quantity, *limit, *highest, samples)))
        }
        Detail::Timeline { title, zero, spans, marks, limit } => {
            let rows = timeline_rows(spans, marks, limit.as_ref());
            write_detail(&Detail::table(&format!("{title}, counted from: {zero}"), &["what", "when"], rows), out)
        }
    }
}

/// The most characters of one line of evidence.
const WIDEST: usize = 180;
/// How many of them are its end: Docker's own errors begin with who called whom, and end with the cause.
const END: usize = 100;

/// One line as it may be shown: what a container wrote must not steer the learner's terminal, nor flood it. Of
/// a long one both ends are kept.
#[must_use]
pub fn plain(text: &str) -> String {
    let shown: Vec<char> = text.chars().map(|c| if steers(c) && c != '\t' { DOT } else { c }).collect();
    if shown.len() <= WIDEST {
        return shown.into_iter().collect();
    }
    let (begin, end) = (&shown[..WIDEST - END], &shown[shown.len() - END..]);
    begin.iter().chain([&' ', &'…', &' ']).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Mark, Quantity, Sample, Span};

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
    fn of_a_long_line_both_ends_are_kept() {
        let long = format!("Error response from daemon: {}exec: \"/e.sh\": permission denied", "preamble: ".repeat(30));
        let text = plain(&long);
        assert!(text.starts_with("Error response") && text.ends_with("\"/e.sh\": permission denied"), "{text}");
        assert_eq!(text.chars().count(), 183);
        assert_eq!(plain(&"x".repeat(180)), "x".repeat(180));
    }

    #[test]
    fn a_curve_is_one_sentence_and_a_timeline_a_table() {
        let samples = vec![Sample { at_ms: 0, value: 500 }, Sample { at_ms: 1_500, value: 490 }];
        let curve = Detail::curve("CPUs of `app`", Quantity::Cpu, Some(500), None, &samples).expect("samples");
        assert_eq!(
            written(&curve).split_whitespace().collect::<Vec<_>>().join(" "),
            "curve CPUs of `app`: 0.50 CPUs at first, 0.50 CPUs at the most (limit 0.50 CPUs), 0.49 CPUs in the end, after 1.5 s"
        );
        let timeline = Detail::Timeline {
            title: "the stop".into(),
            zero: "SIGTERM".into(),
            spans: vec![Span::new("the request", -40, 300)],
            marks: Vec::new(),
            limit: Some(Mark::new("the limit", 6_000)),
        };
        let text = written(&timeline);
        assert!(text.contains("the stop, counted from: SIGTERM:") && text.contains("−40 ms to 300 ms"), "{text}");
        assert!(text.contains("the limit") && text.contains("6.0 s"), "{text}");
    }

    #[test]
    fn a_diff_marks_lines_by_signs_not_by_colour_alone() {
        let text = written(&Detail::Diff { title: "d".into(), before: "a\n".into(), after: "b\n".into() });
        assert!(text.contains("- a\n") && text.contains("+ b\n"), "{text}");
    }
}
