//! Reads and validates one `lesson.toml`.
//!
//! Owns: [`Lesson`] and the rules that its data must keep. Must not: measure or judge.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, ValueDeserializer};

use super::schema;
use super::source::{CourseError, Source};
use super::spec::{CheckSpec, LessonSpec};
use super::wording::{Words, explained};
use crate::check::{AnyCheck, Kind, Manner, Resource};

/// A lesson's exercise, ready to be graded.
pub struct Lesson {
    /// The folder of the course that it was loaded from.
    pub root: PathBuf,
    /// Its folder, such as `exercises/lesson36-dev-vs-prod`.
    pub dir: PathBuf,
    /// Its data.
    pub spec: LessonSpec,
    /// Its checks, in the order of the file.
    pub checks: Vec<LessonCheck>,
}

/// One check of a lesson.
pub struct LessonCheck {
    /// What every check has.
    pub spec: CheckSpec,
    /// The kind with its parameters.
    pub check: Box<dyn AnyCheck>,
    /// The parameters as the file gives them.
    pub parameters: toml::Value,
    span: Range<usize>,
}

impl Lesson {
    /// Reads `lesson.toml` in `dir`; `root` is the course's folder.
    pub fn load(root: &Path, dir: &Path) -> Result<Self, CourseError> {
        let source = Source::read(root, &dir.join("lesson.toml"))?;
        let (spec, checks) = parse(&source)?;
        let lesson = Self { root: root.to_path_buf(), dir: dir.to_path_buf(), spec, checks };
        lesson.validate(&source)?;
        Ok(lesson)
    }

    /// The folder with the files that the learner gets.
    #[must_use]
    pub fn starter(&self) -> PathBuf {
        self.dir.join("starter")
    }

    /// The folder's name, such as `lesson36-dev-vs-prod`.
    #[must_use]
    pub fn folder(&self) -> String {
        format!("{}-{}", self.spec.id, self.spec.slug)
    }

    /// The points of all checks together.
    #[must_use]
    pub fn points(&self) -> u32 {
        self.checks.iter().map(|check| check.spec.points).sum()
    }

    /// The check with this id.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&LessonCheck> {
        self.checks.iter().find(|check| check.spec.id == id)
    }

    /// The checks that judge whether a resource came into being.
    pub fn openers(&self, resource: &Resource) -> impl Iterator<Item = &LessonCheck> {
        self.checks
            .iter()
            .filter(move |check| check.check.manner() == Manner::Opens && check.check.needs().contains(resource))
    }

    fn validate(&self, source: &Source) -> Result<(), CourseError> {
        for (name, image) in &self.spec.stand_ins {
            if !self.spec.images.contains(image) {
                let at = source.text.find(name.as_str()).map_or(0..0, |start| start..start + name.len());
                let message = format!("`{image}` is to stand in for `{name}`, and is not among `images`");
                return Err(source.error(at, message, "a base image of this lesson stands in for it"));
            }
        }
        let mut seen = BTreeSet::new();
        for check in &self.checks {
            let fail = |message: String, label: &str| Err(source.error(check.span.clone(), message, label));
            let id = &check.spec.id;
            for before in &check.spec.after {
                if !seen.contains(before) {
                    return fail(
                        format!("check `{id}` comes after `{before}`, which is not above it"),
                        "name a check that stands above",
                    );
                }
                let disrupts = |id: &str| self.check(id).is_some_and(|c| c.check.manner() == Manner::Disrupts);
                if disrupts(before) && check.check.manner() != Manner::Disrupts {
                    return fail(
                        format!("check `{id}` only looks, so it cannot come after `{before}`, which disrupts"),
                        "looking checks run first",
                    );
                }
            }
            if !seen.insert(id.clone()) {
                return fail(format!("two checks have the id `{id}`"), "ids are unique in a lesson");
            }
            if check.spec.points == 0 {
                return fail(format!("check `{id}` gives no points"), "at least 1");
            }
            for resource in check.check.needs() {
                if !self.declares(&resource) {
                    return fail(
                        format!("check `{id}` needs {resource}, which the lesson does not declare"),
                        &format!("declared are {}", self.declared()),
                    );
                }
                if self.openers(&resource).next().is_none() {
                    return fail(
                        format!("no check of this lesson judges whether {resource} comes into being"),
                        "add a check of the kind `builds` (images) or `stack-starts` (stacks) for it",
                    );
                }
            }
        }
        Ok(())
    }

    /// The images and stacks of the lesson, as one says them.
    fn declared(&self) -> String {
        let images = self.spec.builds.iter().map(|image| Resource::image(&image.name).to_string());
        let stacks = self.spec.stacks.iter().map(|stack| Resource::stack(&stack.name).to_string());
        let all: Vec<String> = images.chain(stacks).collect();
        if all.is_empty() { "none: add [[image]] or [[stack]]".into() } else { all.join(", ") }
    }

    fn declares(&self, resource: &Resource) -> bool {
        match resource {
            Resource::Image(name) => self.spec.builds.iter().any(|image| &image.name == name),
            Resource::Stack(name) => self.spec.stacks.iter().any(|stack| &stack.name == name),
        }
    }
}

/// Reads the file in two steps, so that a mistake in a kind's parameters is shown at its place.
fn parse(source: &Source) -> Result<(LessonSpec, Vec<LessonCheck>), CourseError> {
    // Schemas are made only for a mistake: they take longer than reading the file.
    let wrong = |error: toml::de::Error, around: Range<usize>, schema: &dyn Fn() -> serde_json::Value| {
        let Words { message, label } = explained(error.message(), &schema());
        source.error(error.span().unwrap_or(around), message, &label)
    };
    let mut table = DeTable::parse(&source.text).map_err(|error| wrong(error, 0..0, &schema::of_lesson))?;
    let checks = table.get_mut().remove("check");
    let spec =
        LessonSpec::deserialize(Deserializer::from(table)).map_err(|error| wrong(error, 0..0, &schema::of_lesson))?;
    let Some(checks) = checks else {
        return Err(source.error(0..0, "a lesson needs at least one [[check]]", "none in this file"));
    };
    let DeValue::Array(entries) = checks.into_inner() else {
        return Err(source.error(0..0, "`check` must be written as [[check]]", "here"));
    };
    let mut parsed = Vec::new();
    for entry in entries {
        let span = entry.span();
        let DeValue::Table(mut fields) = entry.into_inner() else {
            return Err(source.error(span, "a check is a table: [[check]]", "here"));
        };
        let has_parameters = fields.contains_key("with");
        let parameters =
            fields.remove("with").unwrap_or_else(|| Spanned::new(span.clone(), DeValue::Table(DeTable::new())));
        let around = parameters.span();
        let at_kind = fields.get("kind").map_or_else(|| span.clone(), Spanned::span);
        let rest = Spanned::new(span.clone(), DeValue::Table(fields));
        let spec = CheckSpec::deserialize(ValueDeserializer::from(rest))
            .map_err(|error| wrong(error, span.clone(), &schema::of_check))?;
        let Some(kind) = Kind::named(&spec.kind) else {
            let near = super::nearest(&spec.kind, Kind::all().map(|kind| kind.name));
            let label = near.map_or_else(
                || "`book/src/reference/checks.md` has all kinds".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(source.error(at_kind, format!("no kind of check is called `{}`", spec.kind), &label));
        };
        let raw = toml::Value::deserialize(ValueDeserializer::from(parameters.clone()))
            .map_err(|error| wrong(error, around.clone(), &schema::of_check))?;
        let check = (kind.parse)(ValueDeserializer::from(parameters)).map_err(|error| {
            if has_parameters {
                return wrong(error, around, &|| (kind.schema)().to_value());
            }
            let message = format!("a check of the kind `{}` needs parameters, and has no `with`", kind.name);
            source.error(span.clone(), message, &format!("add `{}`", schema::with_line(kind)))
        })?;
        parsed.push(LessonCheck { spec, check, parameters: raw, span });
    }
    Ok((spec, parsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "id = \"lesson01\"\nslug = \"x\"\ntitle = \"X\"\nminutes = 1\nimages = []\ndeliver = []\n\
        [[image]]\nname = \"app\"\ntarget = \"app\"\n";

    fn check(id: &str, kind: &str, rest: &str) -> String {
        format!(
            "[[check]]\nid = \"{id}\"\ntitle = \"t\"\nkind = \"{kind}\"\npoints = 1\nwhy = \"w\"\nhints = [\"1\", \"2\", \"3\"]\n{rest}\n"
        )
    }

    /// Loads a lesson with these checks and gives the message.
    fn loaded(checks: &str) -> Result<Lesson, String> {
        let dir = tempfile::tempdir().expect("folder");
        std::fs::write(dir.path().join("lesson.toml"), format!("{HEAD}{checks}")).expect("write");
        Lesson::load(dir.path(), dir.path()).map_err(|error| error.to_string())
    }

    fn message(checks: &str) -> String {
        loaded(checks).err().expect("a mistake")
    }

    #[test]
    fn a_good_lesson_loads() {
        let builds = check("builds", "builds", "with = { images = [\"app\"] }");
        assert_eq!(loaded(&builds).expect("no mistake").points(), 1);
    }

    #[test]
    fn an_unknown_kind_suggests_the_nearest_and_shows_its_line() {
        let shown = message(&check("b", "buildz", ""));
        assert!(shown.contains("did you mean `builds`?") && shown.contains("lesson.toml:13:8"), "{shown}");
    }

    #[test]
    fn an_unknown_parameter_is_shown_at_its_place() {
        let shown = message(&check("b", "builds", "with = { images = [\"app\"], imags = 1 }"));
        assert!(shown.contains("unknown key `imags`") && shown.contains("lesson.toml:17"), "{shown}");
    }

    #[test]
    fn parameters_that_are_left_out_are_named_with_the_word_that_leads_to_them() {
        let shown = message(&check("b", "limits-in-force", ""));
        assert!(shown.contains("add `with = { stack = ..., service = ..., memory_bytes = ... }`"), "{shown}");
        let shown = message(&check("b", "builds", "with = {}"));
        assert!(shown.contains("add `images = ...`: The images"), "{shown}");
    }

    #[test]
    fn an_unknown_key_of_a_check_is_a_mistake() {
        let shown = message(&check("b", "builds", "pionts = 2\nwith = { images = [\"app\"] }"));
        assert!(shown.contains("unknown key `pionts`"), "{shown}");
    }

    #[test]
    fn resources_must_be_declared_and_opened() {
        let shown = message(&check("b", "builds", "with = { images = [\"other\"] }"));
        assert!(shown.contains("does not declare"), "{shown}");
        let shown = message(&check("s", "secret-free", "with = { images = [\"app\"] }"));
        assert!(shown.contains("no check of this lesson judges whether"), "{shown}");
    }

    #[test]
    fn a_check_comes_only_after_one_that_stands_above_it_and_ids_are_unique() {
        let builds = |more: &str| check("b", "builds", &format!("{more}with = {{ images = [\"app\"] }}"));
        let shown = message(&builds("after = [\"later\"]\n"));
        assert!(shown.contains("comes after `later`, which is not above it"), "{shown}");
        let shown = message(&format!("{}{}", builds(""), builds("")));
        assert!(shown.contains("two checks have the id `b`"), "{shown}");
    }
}
