//! Quiz blocks of a page: whatever stands there is questions, or a mistake with its place.

use grader::course::quiz::{Answer, Kind, Question, Quiz};
use grader::course::source::{CourseError, Source};

use super::Target;

/// The target.
pub const TARGET: Target = Target { name: "quiz", run, pieces: PIECES };

const PIECES: &[&str] = &[
    "\n",
    "\n",
    " ",
    "\"",
    "\"\"\"",
    "'",
    "=",
    "[",
    "]",
    "[[option]]\n",
    "[[near]]\n",
    "[[command]]\n",
    "```quiz\n",
    "```\n",
    "````quiz\n",
    "~~~quiz\n",
    "id = \"a\"\n",
    "kind = \"choice\"\n",
    "kind = \"multi\"\n",
    "kind = \"order\"\n",
    "kind = \"short\"\n",
    "question = \"q\"\n",
    "text = \"a\"\n",
    "text = \"`a`\"\n",
    "text = \"A\"\n",
    "right = true\n",
    "right = false\n",
    "because = \"b\"\n",
    "items = [\"a\", \"b\"]\n",
    "accept = [\"a\"]\n",
    "accept = []\n",
    "case = true\n",
    "\\u00e9",
    "\\",
    "> ",
    "- ",
    "# ",
    "\u{e9}",
    "\u{202e}",
    "\0",
];

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let page = Source { name: "page.md".into(), text: text.to_owned() };
    match Quiz::parse(&page) {
        Ok(quiz) => quiz.questions.iter().for_each(answers_come_back),
        Err(CourseError::Invalid { file, line, message, shown }) => {
            assert_eq!(file, "page.md");
            assert!(line >= 1 && line <= text.split('\n').count(), "line {line}: {message}");
            assert!(!message.trim().is_empty() && shown.contains("page.md"), "{shown}");
        }
        Err(other) => panic!("a mistake without a place: {other}"),
    }
}

/// Each answer that can be given is written and read again as the same, and is judged.
fn answers_come_back(question: &Question) {
    let all: Vec<usize> = (0..question.texts().len()).collect();
    let answers = match &question.kind {
        Kind::Choice(_) => all.iter().map(|index| Answer::Choice(*index)).collect(),
        Kind::Multi(_) => vec![Answer::Multi(all.clone()), Answer::Multi(all.iter().take(1).copied().collect())],
        Kind::Order { .. } => vec![Answer::Order(all.clone()), Answer::Order(question.shown(1))],
        Kind::Short { accept, .. } => accept.iter().map(|text| Answer::Text(text.clone())).collect(),
    };
    for answer in answers {
        let written = question.stable(&answer);
        let text = format!("answer = {written}");
        let read: toml::Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(question.parse_stable(&read["answer"]).as_ref(), Ok(&answer), "{} {written}", question.id);
        let _ = question.judge(&answer);
    }
}
