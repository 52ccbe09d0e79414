//! The JSON Schema of `lesson.toml` accepts what the grader accepts, and shows what it refuses.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;
use tests::{Learner, lesson36};

/// The schema that `grader schema` prints, ready to validate.
struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    fn printed() -> Self {
        let ended = Learner::with_solution("nodemon-stock-user").grader(&["schema"]);
        assert_eq!(ended.code, 0, "{}", ended.all());
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("lesson.json", ended.json()).expect("the schema is a resource");
        let index = compiler.compile("lesson.json", &mut schemas).expect("the schema is a valid one");
        Self { schemas, index }
    }

    /// What is wrong with a `lesson.toml`.
    fn complaint(&self, text: &str) -> Option<String> {
        let lesson: Value = toml::from_str(text).expect("TOML");
        self.schemas.validate(&lesson, self.index).err().map(|error| format!("{error:#}"))
    }
}

/// Lesson 36's `lesson.toml` with one text in place of another.
fn lesson_with(from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(lesson36().join("lesson.toml")).expect("lesson.toml");
    assert!(text.contains(from), "lesson 36 has no {from:?}");
    text.replacen(from, to, 1)
}

#[test]
fn a_lesson_that_loads_is_valid() {
    assert_eq!(Schema::printed().complaint(&lesson_with("", "")), None);
}

#[test]
fn what_the_grader_refuses_is_not_valid() {
    let schema = Schema::printed();
    let wrong = [
        ("an unknown key", "minutes = 90", "minutes = 90\nminuets = 90", "minuets"),
        ("an unknown key of a check", "points = 4", "points = 4\npionts = 4", "pionts"),
        ("a number in quotes", "minutes = 90", "minutes = \"90\"", "minutes"),
        ("a key that is missing", "slug = \"dev-vs-prod\"\n", "", "slug"),
        ("a check for no points", "points = 4", "points = 0", "points"),
        ("an unknown kind", "kind = \"builds\"", "kind = \"buildz\"", "kind"),
        ("a parameter of another kind", "{ percent = 80 }", "{ images = [] }", "images"),
        ("a parameter that is missing", "with = { percent = 80 }", "", "with"),
    ];
    for (what, from, to, named) in wrong {
        let complaint = schema.complaint(&lesson_with(from, to)).unwrap_or_else(|| panic!("{what} is valid"));
        assert!(complaint.contains(named), "{what}: `{named}` is not named in\n{complaint}");
    }
}
