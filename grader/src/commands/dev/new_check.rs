//! `grader dev new-check`: the files that a new kind of check begins with.
//!
//! Owns: names and next steps. Must not: know what the skeleton measures.
//!
//! The skeleton is a kind that works. It is compiled and tested with the grader's own tests (see
//! the module at the end), so it cannot fall behind the traits.

use std::io::Write;
use std::path::PathBuf;

use super::skeleton::{NewFile, Skeleton, filled, is_kebab_case, skeleton, write};
use crate::check::Kind;
use crate::course::Course;
use crate::fault::Fault;

/// The source file of a kind, and the files of its fixture.
const SKELETON: Skeleton = skeleton!(
    "check",
    [
        "new_kind.rs",
        "lesson.toml",
        "limits.toml",
        "starter/.gitkeep",
        "solutions/one-process/Dockerfile",
        "solutions/one-process/docker-compose.yml",
        "wrong/mistake-left-running/Dockerfile",
        "wrong/mistake-left-running/wrong.toml",
        "wrong/cheat-other-session/Dockerfile",
        "wrong/cheat-other-session/wrong.toml",
    ]
);

/// Writes the files of a new kind and says what to do with them.
pub fn run(course: &Course, kind: &str, out: &mut dyn Write) -> Result<u8, Fault> {
    let usage = |message: String| Err(Fault::Usage { message });
    if !is_kebab_case(kind) {
        return usage(format!(
            "`{kind}` cannot be a kind's name: names are in kebab-case, small letters and digits with hyphens between \
             words, such as `runs-as-non-root`"
        ));
    }
    if Kind::named(kind).is_some() {
        return usage(format!("there is a kind called `{kind}` already: see book/src/reference/checks.md"));
    }
    if !course.root.join("grader/src/checks").is_dir() {
        return usage(format!("{} has no grader/src/checks, where kinds are written", course.root.display()));
    }
    let files = files(kind);
    write(&course.root, &files)?;
    tell(kind, &files, out).map_err(Fault::file("standard output"))?;
    Ok(0)
}

fn module(kind: &str) -> String {
    kind.replace('-', "_")
}

/// `RunsAsNonRoot` for `runs-as-non-root`.
fn type_name(kind: &str) -> String {
    let capitalised = |word: &str| word[..1].to_uppercase() + &word[1..];
    kind.split('-').map(capitalised).collect()
}

fn files(kind: &str) -> Vec<NewFile> {
    let (module, type_name) = (module(kind), type_name(kind));
    let place = |file: &str| {
        if file == "new_kind.rs" {
            PathBuf::from(format!("grader/src/checks/{module}.rs"))
        } else {
            PathBuf::from(format!("tests/checks/{kind}/{file}"))
        }
    };
    let names = [("new-kind", kind), ("NewKind", type_name.as_str())];
    SKELETON.iter().map(|(file, text)| (place(file), filled(text, &names))).collect()
}

fn tell(kind: &str, files: &[NewFile], out: &mut dyn Write) -> std::io::Result<()> {
    let module = module(kind);
    writeln!(out, "Written:")?;
    for (path, _) in files {
        writeln!(out, "  {}", path.display())?;
    }
    write!(
        out,
        "
They are a kind that works: it counts processes. Make it yours, in this order:

 1. grader/src/checks/{module}.rs: the parameters, what is measured, how it is judged, and the tests at the limits.
    The doc comment of the struct says what it looks at, why it matters and how it is cheated; the reference shows it.
 2. tests/checks/{kind}/: at least one right submission in solutions/, one honest mistake and one cheat in wrong/.
 3. cargo build --release --locked
    cargo test --release --locked -p grader {module}
 4. grader dev check tests/checks/{kind}      right ones pass, wrong ones fail exactly this check
 5. grader dev record tests/checks/{kind}     writes evidence.json, from the first solution
 6. tests/checks/{kind}/limits.toml: one case at each limit and one just outside, by changes to that evidence.
 7. grader dev reference                      the book's page about all kinds
 8. make lint, then commit all of it.
"
    )
}

#[cfg(test)]
#[path = "../../../skeletons/check/new_kind.rs"]
mod new_kind;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::dev::skeleton::tests::assert_complete;

    #[test]
    fn the_whole_skeleton_is_written() {
        assert_complete("check", SKELETON);
    }

    #[test]
    fn names_are_replaced_everywhere() {
        for (path, text) in files("few-things") {
            for old in ["new-kind", "new_kind", "NewKind"] {
                assert!(
                    !text.contains(old) && !path.display().to_string().contains(old),
                    "{old} in {}",
                    path.display()
                );
            }
        }
        assert_eq!(type_name("http2-only"), "Http2Only");
    }
}
