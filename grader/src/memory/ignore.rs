//! Which files of a context `.dockerignore` keeps from a build.
//!
//! Owns: a careful reading of the file. Must not: leave out a file that BuildKit may see: what this
//! reading is not sure of counts as seen.
//!
//! The last pattern that matches decides; a pattern that matches a folder matches all below it. BuildKit
//! goes from folder to file and remembers which patterns matched above; it does not ask a pattern that
//! would change nothing, and so does not know later that it matched (`a`, `!a/b`, `a` shows `a/b`).

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

/// The patterns of a `.dockerignore`, in their order.
pub struct Ignore(Vec<Pattern>);

struct Pattern {
    /// Whether it begins with `!`.
    brings_back: bool,
    /// `None` when we are not sure what it means.
    glob: Option<GlobMatcher>,
}

impl Ignore {
    /// Reads the text of a `.dockerignore`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(lines.map(str::trim).filter(|line| !line.is_empty()).map(Pattern::parse).collect())
    }

    /// Whether a build may see the file at this path, relative to the context.
    #[must_use]
    pub fn may_see(&self, path: &Path) -> bool {
        let mut parts: Vec<&Path> = path.ancestors().filter(|part| !part.as_os_str().is_empty()).collect();
        parts.reverse();
        if self.0.iter().any(|pattern| pattern.glob.is_none()) {
            return self.may_be_seen(&parts);
        }
        let mut hidden = false;
        let mut matched = vec![false; self.0.len()];
        for part in parts {
            hidden = false;
            for (pattern, matched) in self.0.iter().zip(&mut matched) {
                let changes = pattern.brings_back == hidden;
                *matched |= changes && pattern.glob.as_ref().is_some_and(|glob| glob.is_match(part));
                if *matched {
                    hidden = !pattern.brings_back;
                }
            }
        }
        !hidden
    }

    /// Where a pattern is not understood: hidden is what another one hides and none can bring back.
    fn may_be_seen(&self, parts: &[&Path]) -> bool {
        let matches = |glob: &GlobMatcher| parts.iter().any(|part| glob.is_match(part));
        let hides = |one: &Pattern| !one.brings_back && one.glob.as_ref().is_some_and(matches);
        let may_bring_back = |one: &Pattern| one.brings_back && one.glob.as_ref().is_none_or(matches);
        !self.0.iter().any(hides) || self.0.iter().any(may_bring_back)
    }
}

impl Pattern {
    fn parse(line: &str) -> Self {
        let (inverted, text) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest.trim()));
        let mut text = text.trim_end_matches('/');
        while let Some(rest) = text.strip_prefix('/').or_else(|| text.strip_prefix("./")) {
            text = rest;
        }
        // What is left is read once more: `/!a` is `!a`, and `a /` is `a`.
        let text = if inverted { text.trim_end() } else { text.trim() };
        let again = text.strip_prefix('!').filter(|_| !inverted);
        let (brings_back, text) = (inverted || again.is_some(), again.unwrap_or(text));
        let is_plain = text.split('/').all(|part| {
            let is_name = !part.is_empty() && part != "." && part != ".." && !part.contains("**");
            (part == "**" || is_name) && !part.contains(['[', ']', '\\', '{', '}', '^', '?'])
        });
        // `a/../!b` is `!b`, too.
        let brings_back = brings_back || (!is_plain && text.contains('!'));
        let glob = is_plain.then(|| GlobBuilder::new(text).literal_separator(true).build().ok()).flatten();
        Self { brings_back, glob: glob.map(|glob| glob.compile_matcher()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sees(text: &str, path: &str) -> bool {
        Ignore::parse(text).may_see(Path::new(path))
    }

    #[test]
    fn what_a_pattern_matches_is_hidden_with_all_below_it() {
        for (text, path) in
            [("a", "a"), ("a/", "a/b/c"), ("/a", "a"), (".env*", ".env.production"), ("**/b", "x/y/b"), ("**/b", "b")]
        {
            assert!(!sees(text, path), "{text} hides {path}");
        }
        for (text, path) in [("a", "b/a"), ("a*", "b/ab"), ("*/b", "b"), ("# a", "a"), ("", "a"), ("a/**", "a")] {
            assert!(sees(text, path), "{text} does not hide {path}");
        }
    }

    #[test]
    fn the_last_match_decides() {
        assert!(sees("*\n!src", "src/a.js"));
        assert!(!sees("*\n!src", "lib/a.js"));
        assert!(!sees("*\n!src\nsrc/a.js", "src/a.js"));
        for again in ["/!src", ".//!src", "//!src", "/ !src /", "!src /", "a/../!src"] {
            assert!(sees(&format!("*\n{again}"), "src/a.js"), "{again} brings it back");
        }
        assert!(sees("*\n!!src", "!src") && !sees("*\n!!src", "src"));
    }

    #[test]
    fn a_pattern_that_changed_nothing_above_is_not_known_to_match_below() {
        assert!(sees("a\n!a/b\na", "a/b"));
        assert!(!sees("a\n!a/b\na/*", "a/b"));
        assert!(!sees("a\n!a/b\na", "a/c"));
    }

    #[test]
    fn a_pattern_that_is_not_understood_hides_nothing() {
        assert!(sees("[ab]", "a"));
        assert!(sees("a\\ b", "a b"));
        assert!(sees("a**", "ab"));
        assert!(sees("*^b", "a^b"), "BuildKit takes it for the beginning of the text");
        assert!(sees("?*?", "\u{e9}"), "one letter, and two bytes");
        assert!(sees("*\n![ab]", "c"));
        assert!(!sees("[ab]\nc", "c"));
    }
}
