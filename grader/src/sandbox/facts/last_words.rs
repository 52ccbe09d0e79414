//! What the end of a log tells about the end of its program.
//!
//! Owns: choosing lines. Must not: judge, or read a log.

/// The last lines of a log, at most `most`. Where they are the end of a long trace, the first of them is
/// the line that says what went wrong, and the second how many lines are left out after it.
#[must_use]
pub fn last_words(mut lines: Vec<String>, most: usize) -> Vec<String> {
    if lines.len() <= most || most < 4 {
        return lines.split_off(lines.len().saturating_sub(most));
    }
    let end = lines.len() - (most - 2);
    match lines.iter().rposition(|line| says_what(line)) {
        Some(head) if head + 1 < end => {
            let mut kept = vec![lines[head].clone(), format!("[... {} more lines ...]", end - head - 1)];
            kept.extend(lines.split_off(end));
            kept
        }
        _ => lines.split_off(lines.len() - most),
    }
}

/// Words by which programs begin to tell of an error.
const WORDS: [&str; 6] = ["error", "exception", "panic", "fatal", "emerg", "traceback"];
/// Lines that have these words and tell what came of an error: npm's own, and the causes below an exception.
const AFTER: [&str; 2] = ["npm ", "Caused by"];

/// Whether a line is where a program says what went wrong; lines of a trace are indented.
fn says_what(line: &str) -> bool {
    let small = line.to_lowercase();
    !line.starts_with([' ', '\t'])
        && !AFTER.iter().any(|word| line.starts_with(word))
        && WORDS.iter().any(|word| small.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str], frames: usize, end: &[&str]) -> Vec<String> {
        let frame = |number| format!("    at frame{number} (/app/server.js:{number}:1)");
        let all = text.iter().map(ToString::to_string).chain((0..frames).map(frame));
        all.chain(end.iter().map(ToString::to_string)).collect()
    }

    #[test]
    fn a_long_trace_keeps_the_line_that_says_what_went_wrong() {
        let log = lines(&["listening", "Error: connect ECONNREFUSED 127.0.0.1:5432"], 20, &["", "Node.js v22.1.0"]);
        let kept = last_words(log, 6);
        assert_eq!(kept[0], "Error: connect ECONNREFUSED 127.0.0.1:5432");
        assert_eq!(kept[1], "[... 18 more lines ...]");
        assert_eq!(kept[5], "Node.js v22.1.0");
        assert_eq!(kept.len(), 6);
    }

    #[test]
    fn of_many_crashes_the_last_one_counts_and_npm_says_nothing_new() {
        let mut log = lines(&["Error: the first"], 20, &[]);
        log.extend(lines(&["Error: the second"], 20, &["npm error code 1", "npm error path /app"]));
        assert_eq!(last_words(log, 6)[0], "Error: the second");
    }

    #[test]
    fn what_is_short_or_no_trace_is_the_plain_end() {
        let short = lines(&["Error: x"], 2, &[]);
        assert_eq!(last_words(short.clone(), 12), short);
        let calm = lines(&["a", "b", "c", "d", "e", "f", "g"], 0, &[]);
        assert_eq!(last_words(calm, 4), ["d", "e", "f", "g"]);
        let near = lines(&["a", "b", "Error: x"], 3, &[]);
        assert_eq!(last_words(near, 5)[0], "b");
    }
}
