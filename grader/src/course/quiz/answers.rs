//! Answers in a form that outlives shuffling and small edits: by the options' own words.
//!
//! Owns: reading and writing that form, and files of it. Must not: judge, ask, or store.
//!
//! A file of answers is a TOML table of question ids:
//!
//! ```toml
//! target-flag = "--target"
//! where-modules = "The container's own `node_modules`"
//! from-edit = ["nodemon sees the change", "the old process ends", "the new process reads the file"]
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::{Spanned, Value};

use super::judge::plain;
use super::{Answer, Kind, Question, Quiz};
use crate::course::nearest;
use crate::course::source::{CourseError, Source};

/// An answer as it is kept: what was answered, and whether it was right then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// The answer in stable form: a text, or a list of texts.
    pub answer: Value,
    /// Whether it was right when it was given.
    pub right: bool,
}

/// One question of a graded quiz.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graded {
    /// The question's id.
    pub id: String,
    /// Whether there was an answer at all.
    pub answered: bool,
    /// Whether it was right.
    pub right: bool,
    /// The explanation; empty without an answer.
    pub because: String,
}

impl Question {
    /// Reads an answer that is given by the options' words (or by any text for a short question).
    /// The error is a sentence that names the question.
    pub fn parse_stable(&self, value: &Value) -> Result<Answer, String> {
        match (&self.kind, value) {
            (Kind::Choice(_), Value::String(text)) => Ok(Answer::Choice(self.find(text)?)),
            (Kind::Multi(_), Value::String(text)) => Ok(Answer::Multi(vec![self.find(text)?])),
            (Kind::Multi(_), Value::Array(list)) => Ok(Answer::Multi(self.find_all(list)?)),
            (Kind::Order { items, .. }, Value::Array(list)) => {
                let order = self.find_all(list)?;
                match (0..items.len()).find(|index| !order.contains(index)) {
                    Some(index) => Err(format!("question `{}`: the item “{}” is missing", self.id, items[index])),
                    None => Ok(Answer::Order(order)),
                }
            }
            (Kind::Short { .. }, Value::String(text)) => Ok(Answer::Text(text.clone())),
            (Kind::Multi(_) | Kind::Order { .. }, _) => Err(format!("question `{}` wants a list of texts", self.id)),
            (Kind::Choice(_) | Kind::Short { .. }, _) => {
                Err(format!("question `{}` wants one text, in quotes", self.id))
            }
        }
    }

    /// Writes an answer by the options' words. Indexes that do not exist are left out.
    #[must_use]
    pub fn stable(&self, answer: &Answer) -> Value {
        let texts = self.texts();
        let word = |index: &usize| texts.get(*index).map(|text| Value::String((*text).to_owned()));
        match answer {
            Answer::Choice(index) => word(index).unwrap_or_else(|| Value::Array(Vec::new())),
            Answer::Multi(list) | Answer::Order(list) => Value::Array(list.iter().filter_map(word).collect()),
            Answer::Text(text) => Value::String(text.clone()),
        }
    }

    fn find(&self, text: &str) -> Result<usize, String> {
        let texts = self.texts();
        let same = |candidate: &str| plain(candidate, true) == plain(text, true);
        texts.iter().position(|candidate| same(candidate)).ok_or_else(|| {
            let near = nearest(text, texts.iter().copied());
            let hint = near.map(|near| format!("; did you mean “{near}”?")).unwrap_or_default();
            format!("question `{}` has no option “{text}”{hint}", self.id)
        })
    }

    fn find_all(&self, list: &[Value]) -> Result<Vec<usize>, String> {
        let mut found = Vec::new();
        for value in list {
            let text = value.as_str().ok_or_else(|| format!("question `{}` wants a list of texts", self.id))?;
            let index = self.find(text)?;
            if found.contains(&index) {
                return Err(format!("question `{}`: “{text}” is answered twice", self.id));
            }
            found.push(index);
        }
        Ok(found)
    }
}

impl Quiz {
    /// Judges answers to all questions, from top to bottom.
    #[must_use]
    pub fn grade(&self, answers: &BTreeMap<String, Answer>) -> Vec<Graded> {
        let grade = |question: &Question| match answers.get(&question.id) {
            Some(answer) => {
                let judged = question.judge(answer);
                Graded { id: question.id.clone(), answered: true, right: judged.right, because: judged.because }
            }
            None => Graded { id: question.id.clone(), answered: false, right: false, because: String::new() },
        };
        self.questions.iter().map(grade).collect()
    }
}

/// Reads a file of answers to a quiz; `root` is the folder to which its name is shown relative.
pub fn load_answers(root: &Path, path: &Path, quiz: &Quiz) -> Result<BTreeMap<String, Answer>, CourseError> {
    parse_answers(&Source::read(root, path)?, quiz)
}

fn parse_answers(source: &Source, quiz: &Quiz) -> Result<BTreeMap<String, Answer>, CourseError> {
    let table: BTreeMap<Spanned<String>, Spanned<Value>> = toml::from_str(&source.text)
        .map_err(|error| source.error(error.span().unwrap_or(0..0), error.message(), "here"))?;
    let mut answers = BTreeMap::new();
    for (id, value) in table {
        let Some(question) = quiz.question(id.get_ref()) else {
            let near = nearest(id.get_ref(), quiz.questions.iter().map(|question| question.id.as_str()));
            let label = near.map_or_else(|| "not in the page".to_owned(), |near| format!("did you mean `{near}`?"));
            return Err(source.error(id.span(), format!("no question has the id `{}`", id.get_ref()), &label));
        };
        let answer =
            question.parse_stable(value.get_ref()).map_err(|why| source.error(value.span(), why, "this answer"))?;
        answers.insert(id.into_inner(), answer);
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn read(text: &str) -> Result<BTreeMap<String, Answer>, CourseError> {
        parse_answers(&Source { name: "quiz.toml".into(), text: text.into() }, &sample())
    }

    const RIGHT: &str = r#"
        where-modules = "The container's  own `node_modules`"
        closed-doors = ["5432, the database", "9229, the debugger"]
        from-edit = ["nodemon sees the change", "the old process ends", "the new process reads the file"]
        target-flag = "`--target`"
        exit-code = "Yes, it is 137"
    "#;

    #[test]
    fn answers_are_read_by_their_words_and_graded() {
        let graded = sample().grade(&read(RIGHT).unwrap());
        let right: Vec<_> = graded.iter().filter(|graded| graded.right).map(|graded| graded.id.as_str()).collect();
        assert_eq!(right, ["where-modules", "closed-doors", "from-edit", "target-flag", "exit-code"]);
        let open: Vec<_> = graded.iter().filter(|graded| !graded.answered).map(|graded| graded.id.as_str()).collect();
        assert_eq!(open, ["who-am-i"]);
    }

    #[test]
    fn every_answer_survives_being_stored() {
        let quiz = sample();
        for (id, answer) in read(RIGHT).unwrap() {
            let question = quiz.question(&id).unwrap();
            let json = serde_json::to_string(&StoredAnswer { answer: question.stable(&answer), right: true }).unwrap();
            let stored: StoredAnswer = serde_json::from_str(&json).unwrap();
            assert_eq!(question.parse_stable(&stored.answer), Ok(answer), "{id}");
        }
    }

    #[test]
    fn a_mistake_is_shown_at_its_place() {
        for (text, wanted) in [
            ("\ntarget-flg = \"x\"", "quiz.toml:2:1|did you mean `target-flag`?"),
            ("exit-code = \"Yes, it is 173\"", "quiz.toml:1:13|did you mean “Yes, it is 137”?"),
            ("exit-code = 2", "question `exit-code` wants one text, in quotes"),
            ("closed-doors = [1]", "question `closed-doors` wants a list of texts"),
            ("from-edit = [\"the old process ends\"]", "the item “nodemon sees the change” is missing"),
            ("closed-doors = [\"80, the proxy\", \"80, the proxy\"]", "is answered twice"),
            ("a = ", "quiz.toml:1:"),
        ] {
            let error = read(text).unwrap_err().to_string();
            for part in wanted.split('|') {
                assert!(error.contains(part), "{text}: {error}");
            }
        }
    }
}
