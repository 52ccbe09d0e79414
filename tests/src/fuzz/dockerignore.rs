//! `.dockerignore`, beside BuildKit itself: what it sends to a build is seen by the grader, too.
//!
//! The grader remembers evidence by the files that a build can see. A file that it takes for hidden while
//! BuildKit sends it would leave a change of that file unnoticed. The other way round does no harm.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use grader::memory::ignore::Ignore;

use super::mutator::Mutator;

const PIECES: &[&str] = &[
    "\n", "\n", "\n", "a", "b", "*", "**", "**/", "/", "?", "!", "!a\n", "!a/b\n", "a/*\n", "*\n", "!*/b\n", "**/b\n",
    ".", "./", "..", "# a\n", " ", "\t", "[ab]", "{a,b}", "\\", "^", "$", "+", "(", ".env", "\r\n", "\u{feff}",
    "\u{e9}",
];

/// Files of the context: names in three depths, and odd ones.
const FILES: [&str; 22] = [
    "a", "b", "ab", "A", ".env", ".env.b", "a.b", "a^b", "a+b", "a b", "\u{e9}", "d/a", "d/b", "d/.env", "d/ab",
    "e/a/b", "e/a/a", "e/b/a", "e/b/b", "e/ab/a", "f/a/b/a", "f/b/a/b",
];

/// Builds with `count` ignore files, made from the seeds by `number`, in one folder below `dir`.
pub fn go(dir: &Path, number: u64, count: u64) {
    let context = dir.join("context");
    for file in FILES {
        let path = context.join(file);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folder");
        std::fs::write(path, file).expect("file");
    }
    std::fs::write(dir.join("Dockerfile"), "FROM scratch\nCOPY . /\n").expect("file");
    let mut mutator = Mutator::new(super::seeds("dockerignore"), PIECES, number);
    for _ in 0..count {
        let Ok(text) = String::from_utf8(mutator.next_input()) else { continue };
        std::fs::write(dir.join("Dockerfile.dockerignore"), &text).expect("file");
        // What BuildKit refuses is built by nobody.
        let Some(sent) = sent(dir, &context) else { continue };
        let ignore = Ignore::parse(&text);
        let missed: Vec<&String> = sent.iter().filter(|file| !ignore.may_see(Path::new(file))).collect();
        assert!(missed.is_empty(), "BuildKit sends {missed:?} with the ignore file {text:?} (number {number})");
    }
}

/// The files that a build gets.
fn sent(dir: &Path, context: &Path) -> Option<BTreeSet<String>> {
    let out = dir.join("out");
    let _ = std::fs::remove_dir_all(&out);
    let output = format!("type=local,dest={}", out.display());
    let done = Command::new("docker")
        .args(["buildx", "build", "--builder", "default", "--progress", "quiet", "--output", &output, "--file"])
        .args([&dir.join("Dockerfile"), context])
        .output()
        .expect("docker runs");
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        // Nothing is left to copy, or a pattern means nothing.
        let is_refusal =
            ["not found", "syntax error in pattern", "illegal exclusion", "file does not exist", "failed to"];
        assert!(is_refusal.iter().any(|word| said.contains(word)), "docker buildx build: {said}");
        return None;
    }
    let files = walkdir::WalkDir::new(&out).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let relative = |entry: walkdir::DirEntry| entry.path().strip_prefix(&out).expect("below").display().to_string();
    Some(files.map(relative).collect())
}
