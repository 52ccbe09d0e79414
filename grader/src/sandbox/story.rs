//! A log as a person wants to read it.
//!
//! Owns: telling lines of one kind once. Must not: read logs.

use std::collections::HashMap;

/// The last `most` lines, of which those that differ only in numbers stand once, where the last of them
/// stood, with their count. A run asks a service hundreds of times, and what led to a failure would
/// otherwise be the one line that is not shown.
#[must_use]
pub fn told(lines: &[String], most: usize) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for line in lines {
        *counts.entry(kind(line)).or_default() += 1;
    }
    let mut told = Vec::new();
    for line in lines.iter().rev() {
        if told.len() == most {
            break;
        }
        match counts.remove(&kind(line)) {
            Some(1) => told.push(line.clone()),
            Some(count) => told.push(format!("{line} (and {} more like it)", count - 1)),
            None => {}
        }
    }
    told.reverse();
    told
}

/// A line without its numbers. A frame of a stack trace is of a kind of its own: its number is its place.
fn kind(line: &str) -> String {
    if line.trim_start().starts_with("at ") {
        return line.to_owned();
    }
    let mut kind = String::with_capacity(line.len());
    let words = line.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    for word in words {
        if word.bytes().any(|byte| byte.is_ascii_digit()) {
            if !kind.ends_with('#') {
                kind.push('#');
            }
        } else if !(kind.ends_with('#') && word.len() == 1) {
            kind.push_str(word);
        }
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn lines_that_differ_in_numbers_are_told_once_with_their_count() {
        let log = lines(&[
            "Error: no such table",
            r#"{"time":"2026-01-01T10:00:00.123Z","msg":"request","path":"/a?mark=t1","ms":1.5}"#,
            r#"{"time":"2026-01-01T10:00:01.1Z","msg":"request","path":"/a?mark=t1","ms":12}"#,
            "stopped",
        ]);
        let told = told(&log, 8);
        assert_eq!(told.len(), 3, "{told:#?}");
        assert_eq!(told[0], "Error: no such table");
        assert!(told[1].ends_with(r#""ms":12} (and 1 more like it)"#), "{}", told[1]);
    }

    #[test]
    fn only_the_last_ones_are_told_and_frames_of_a_stack_are_kept_apart() {
        let log = lines(&["Error: a", "    at f (x.js:1:2)", "    at f (x.js:9:2)", "Error: b"]);
        assert_eq!(told(&log, 4), log);
        assert_eq!(told(&log, 1), ["Error: b"]);
    }
}
