//! Dockerfiles that stand in a Compose file, under `dockerfile_inline`.
//!
//! Owns: taking them out of a merged model, and their lines in the Compose file. Must not: judge them: they are
//! Dockerfiles like all others from here on, under a name that no file has.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::Submission;
use super::model::unescaped;
use crate::verdict::Location;

/// The key in Compose files.
pub const KEY: &str = "dockerfile_inline";

/// A Dockerfile that is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    /// All of it, variables filled in.
    pub text: String,
    /// Where its key stands.
    pub at: Option<Location>,
}

impl Inline {
    /// The line of the Compose file in which one of its lines stands. Where variables have changed it, that is
    /// the line of its key.
    pub(super) fn location(&self, submission: &Submission, line: usize) -> Option<Location> {
        let (at, wanted) = (self.at.as_ref()?, self.text.lines().nth(line.checked_sub(1)?)?.trim());
        let compose = submission.text(&at.file)?;
        let after = compose.lines().enumerate().skip(at.line - 1);
        let found = after.filter(|_| !wanted.is_empty()).find(|(_, text)| unescaped(text).contains(wanted));
        found.map_or_else(|| Some(at.clone()), |(index, _)| submission.location(&at.file, index + 1))
    }
}

/// Takes the Dockerfiles out of a stack's merged model. Each build names one by a path below its context then,
/// services with the same text the same. `dir` is the folder that the stack is started from, `files` are its
/// Compose files.
#[must_use]
pub fn take(model: &mut Value, dir: &Path, files: &[String], submission: &Submission) -> BTreeMap<String, Inline> {
    let mut taken: BTreeMap<String, Inline> = BTreeMap::new();
    let services = model.get_mut("services").and_then(Value::as_object_mut);
    for (name, service) in services.into_iter().flatten() {
        let Some(build) = service.get_mut("build").and_then(Value::as_object_mut) else { continue };
        let text = build.get(KEY).and_then(Value::as_str).map(unescaped).unwrap_or_default();
        if text.is_empty() {
            continue;
        }
        let context = PathBuf::from(build.get("context").and_then(Value::as_str).unwrap_or("."));
        let below = context.strip_prefix(dir).unwrap_or(&context);
        let path = |service: &str| {
            let path = below.join(format!("{KEY} of {service}"));
            path.components().filter(|part| *part != Component::CurDir).collect::<PathBuf>()
        };
        let same =
            taken.iter().find(|(known, inline)| inline.text == text && Path::new(known).parent() == path("").parent());
        let path = same.map_or_else(|| path(name), |(known, _)| PathBuf::from(known));
        let at = submission.locate_key(files, &["services", name, "build", KEY]);
        taken.entry(path.display().to_string()).or_insert(Inline { text, at });
        let file = path.file_name().unwrap_or_default().display().to_string();
        build.remove(KEY);
        build.insert("dockerfile".to_owned(), Value::String(file));
    }
    taken
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_taken_out_once_and_their_lines_are_those_of_the_compose_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let compose = "services:\n  a:\n    build:\n      context: src\n      dockerfile_inline: |\n        FROM debian\n        RUN id $$X\n";
        std::fs::write(folder.path().join("compose.yml"), compose).expect("written");
        let submission = Submission::at(folder.path());
        let build = json!({"context": "/copy/src", "dockerfile_inline": "FROM debian\nRUN id $$X\n"});
        let mut model =
            json!({"services": {"a": {"build": build}, "b": {"build": build}, "c": {"build": {"context": "/copy"}}}});
        let inline = take(&mut model, Path::new("/copy"), &["compose.yml".into()], &submission);
        assert_eq!(inline.keys().collect::<Vec<_>>(), ["src/dockerfile_inline of a"]);
        for service in ["a", "b"] {
            let build = &model["services"][service]["build"];
            assert_eq!(*build, json!({"context": "/copy/src", "dockerfile": "dockerfile_inline of a"}));
        }
        let submission = Submission { inline: inline.into(), ..submission };
        assert_eq!(submission.text("src/dockerfile_inline of a").as_deref(), Some("FROM debian\nRUN id $X\n"));
        let at = submission.location("src/dockerfile_inline of a", 2).expect("a place");
        assert_eq!((at.file.as_str(), at.line, at.text.as_str()), ("compose.yml", 7, "        RUN id $$X"));
    }
}
