//! The gate's look at the Dockerfile.
//!
//! Owns: host network and entitlements in builds, foreign builders. Must not: judge style.

use super::Refusal;
use crate::submission::Submission;
use crate::submission::dockerfile::syntax_line;

/// What the Dockerfile must not ask for.
pub fn inspect(submission: &Submission) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for instruction in submission.dockerfile().instructions {
        let at = || submission.location("Dockerfile", instruction.line);
        let flags: Vec<&str> =
            instruction.arguments.split_whitespace().take_while(|word| word.starts_with("--")).collect();
        if flags.contains(&"--network=host") {
            refusals.push(Refusal::new(
                "a build step asks for the host's network",
                "A build with the host's network can reach every service of this machine. Remove `--network=host`: steps have a network of their own.",
                at(),
            ));
        }
        if flags.contains(&"--security=insecure") {
            refusals.push(Refusal::new(
                "a build step asks to run without protection",
                "`--security=insecure` gives a build step the rights of root on this machine. No exercise needs it.",
                at(),
            ));
        }
    }
    if let Some((line, frontend)) = foreign_frontend(submission) {
        refusals.push(Refusal::new(
            format!("the Dockerfile is to be read by another builder, {frontend}"),
            "A `# syntax=` line runs somebody else's program to read your Dockerfile. Only docker/dockerfile is allowed; the line may also be left out.",
            submission.location("Dockerfile", line),
        ));
    }
    refusals
}

fn foreign_frontend(submission: &Submission) -> Option<(usize, String)> {
    let (line, frontend) = syntax_line(&submission.text("Dockerfile")?)?;
    let official = frontend.trim_start_matches("docker.io/").starts_with("docker/dockerfile:");
    (!official).then_some((line, frontend))
}
