//! Which files of a context `.dockerignore` keeps from a build.
//!
//! Owns: a careful reading of the file. Must not: leave out a file that BuildKit may see: what this
//! reading is not sure of counts as seen.
//!
//! The last pattern that matches decides; a pattern that matches a folder matches all below it.

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
    pub fn parse(text: &str) -> Self {
        let lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.starts_with('#'));
        Self(lines.map(str::trim).filter(|line| !line.is_empty()).map(Pattern::parse).collect())
    }

    /// Whether a build may see the file at this path, relative to the context.
    pub fn may_see(&self, path: &Path) -> bool {
        let mut seen = true;
        for pattern in &self.0 {
            match &pattern.glob {
                // A pattern that we do not understand hides nothing, and brings everything back.
                None => seen |= pattern.brings_back,
                Some(glob) if path.ancestors().any(|part| glob.is_match(part)) => seen = pattern.brings_back,
                Some(_) => {}
            }
        }
        seen
    }
}

impl Pattern {
    fn parse(line: &str) -> Self {
        let (brings_back, text) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest.trim()));
        let text = text.trim_start_matches('/').trim_end_matches('/');
        let text = text.strip_prefix("./").unwrap_or(text);
        let is_plain = text.split('/').all(|part| {
            let is_name = !part.is_empty() && part != "." && part != ".." && !part.contains("**");
            (part == "**" || is_name) && !part.contains(['[', ']', '\\', '{', '}'])
        });
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
        for (text, path) in [("a", "b/a"), ("a*", "b/ab"), ("*/b", "b"), ("# a", "a"), ("", "a")] {
            assert!(sees(text, path), "{text} does not hide {path}");
        }
    }

    #[test]
    fn the_last_match_decides() {
        assert!(sees("*\n!src", "src/a.js"));
        assert!(!sees("*\n!src", "lib/a.js"));
        assert!(!sees("*\n!src\nsrc/a.js", "src/a.js"));
    }

    #[test]
    fn a_pattern_that_is_not_understood_hides_nothing() {
        assert!(sees("[ab]", "a"));
        assert!(sees("a\\ b", "a b"));
        assert!(sees("a**", "ab"));
        assert!(sees("*\n![ab]", "c"));
    }
}
