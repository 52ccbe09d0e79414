//! What some of BuildKit's complaints mean here, and what to write instead.
//!
//! Owns: the differences between a learner's own `docker build` and the grader's. Must not: explain
//! Dockerfiles in general; BuildKit's own words stand beside it.

use crate::submission::dockerfile::Syntax;

/// Words by which BuildKit says that it does not know what is written.
const UNKNOWN_WORDS: [&str; 5] =
    ["unknown flag", "unknown instruction", "parse error", "unsupported", "is not supported"];

/// What to do about a complaint. `syntax` is the `# syntax=` line that the grader has switched off, `engine`
/// the version of the engine whose builder has read the file.
#[must_use]
pub fn help(complaint: &str, syntax: Option<&Syntax>, engine: &str) -> Option<String> {
    if let Some(secret) = missing_secret(complaint) {
        return Some(format!(
            "The grader hands no secrets to builds. Take `required` out of the mount: `RUN --mount=type=secret,id={secret} ...` then also runs without the secret, and the step can go on without it, as in `if [ -s /run/secrets/{secret} ]; then ...; fi`."
        ));
    }
    let syntax = syntax.filter(|_| UNKNOWN_WORDS.iter().any(|word| complaint.contains(word)))?;
    Some(format!(
        "Line {}, `# syntax={}`, is switched off while the grader builds, since each build would fetch that builder from a registry. The builder of this engine ({engine}) reads the file instead, and does not know this. Write it without what only the other one knows, or use a newer Docker.",
        syntax.line, syntax.value
    ))
}

/// The id of the secret that a step cannot do without.
fn missing_secret(complaint: &str) -> Option<&str> {
    let complaint = complaint.strip_prefix("failed to solve: ").unwrap_or(complaint);
    let name = complaint.strip_prefix("secret ")?.strip_suffix(": not found")?;
    (!name.contains(char::is_whitespace)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_secret_is_named_with_what_to_write_instead() {
        let said = help("failed to solve: secret npmrc: not found", None, "28").expect("help");
        assert!(said.contains("`RUN --mount=type=secret,id=npmrc ...`"), "{said}");
        assert_eq!(help("process \"cat secret file: not found\" did not complete", None, "28"), None);
    }

    #[test]
    fn a_syntax_line_is_named_when_the_builder_does_not_know_something() {
        let syntax = Syntax { line: 2, value: "docker/dockerfile:1-labs".into() };
        let said = help("dockerfile parse error on line 3: unknown flag: parents", Some(&syntax), "26.1.5");
        let said = said.expect("help");
        assert!(said.contains("Line 2, `# syntax=docker/dockerfile:1-labs`"), "{said}");
        assert!(said.contains("26.1.5"), "{said}");
        assert_eq!(help("exit code: 1", Some(&syntax), "26.1.5"), None);
        assert_eq!(help("unknown flag: parents", None, "26.1.5"), None);
    }
}
