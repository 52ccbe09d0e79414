//! Single lines of a tool's output.
//!
//! Owns: finding the part that tells a person where a tool is. Must not: read or write.

/// The build step that a line of a build's plain progress begins: `#7 [node 2/3] RUN ...`.
pub fn step(line: &str) -> Option<&str> {
    let (number, rest) = line.strip_prefix('#')?.split_once(' ')?;
    let begins = number.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with('[');
    let bookkeeping = rest.starts_with("[internal]") || rest.starts_with("[context ");
    (begins && !bookkeeping).then_some(rest)
}

/// A line without what `docker buildx` puts before it: `#7 12.3 text`.
pub fn plain(line: &str) -> &str {
    let after_number = line.strip_prefix('#').and_then(|rest| rest.split_once(' '));
    let Some((_, rest)) = after_number else { return line };
    match rest.split_once(' ') {
        Some((seconds, text)) if seconds.parse::<f64>().is_ok() => text,
        _ => rest,
    }
}

/// A text on one line that fits into a terminal.
pub fn shorten(text: &str) -> String {
    const WIDTH: usize = 90;
    let one_line = crate::shown::plain(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    if one_line.chars().count() <= WIDTH {
        return one_line;
    }
    one_line.chars().take(WIDTH - 3).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_line_with_a_stage_that_is_not_bookkeeping() {
        assert_eq!(step("#7 [node 2/3] RUN x"), Some("[node 2/3] RUN x"));
        assert_eq!(step("#1 [internal] load build definition"), None);
        assert_eq!(step("#7 DONE 0.1s"), None);
        assert_eq!(step("abc: Pulling fs layer"), None);
    }

    #[test]
    fn buildkits_prefix_is_taken_off() {
        assert_eq!(plain("#9 12.34 Get:1 x"), "Get:1 x");
        assert_eq!(plain("#9 DONE 0.1s"), "DONE 0.1s");
        assert_eq!(plain("abc: Downloading"), "abc: Downloading");
    }

    #[test]
    fn long_lines_are_cut_and_folded_ones_joined() {
        assert_eq!(shorten("a   b"), "a b");
        assert_eq!(shorten(&"x".repeat(200)).len(), 90);
    }
}
