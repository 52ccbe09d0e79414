//! `grader quiz LESSON`: asks the questions of a lesson's page in the terminal.
//!
//! Owns: the dialogue. Must not: judge (questions do), or know where answers are kept: every
//! answer is handed to `keep` as soon as it is judged, so that an interrupted quiz loses nothing.
//!
//! When nobody sits there, one line of standard input answers one question, in the same order; an
//! empty line skips it.

mod dialogue;

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};

use crate::course::quiz::{PAGE_SEED, Quiz, StoredAnswer};
use crate::fault::Fault;

/// Answers by question id.
pub type Kept = BTreeMap<String, StoredAnswer>;

/// Where an answer goes as soon as it is judged.
pub type Keep<'a> = dyn FnMut(&str, &StoredAnswer) -> Result<(), Fault> + 'a;

/// What a dialogue is about.
pub struct Session<'a> {
    /// The lesson's id, such as `lesson36`.
    pub lesson: &'a str,
    /// Its questions.
    pub quiz: &'a Quiz,
    /// The seed of the order in which options are shown.
    pub seed: u64,
    /// Whether a person sits there, who can be asked again.
    pub interactive: bool,
}

/// Asks on the terminal, or reads answers from a pipe, with the options in the book's order.
pub fn run(lesson: &str, quiz: &Quiz, previous: &Kept, keep: &mut Keep<'_>) -> Result<Kept, Fault> {
    let interactive = std::io::stdin().is_terminal();
    let session = Session { lesson, quiz, seed: PAGE_SEED, interactive };
    ask(&session, previous, keep, &mut std::io::stdin().lock(), &mut std::io::stdout().lock())
}

/// Asks every question that is not answered right yet, and gives back all answers, old and new.
pub fn ask(
    session: &Session<'_>,
    previous: &Kept,
    keep: &mut Keep<'_>,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Kept, Fault> {
    if session.quiz.questions.is_empty() {
        return Err(Fault::Usage { message: format!("the page of {} has no quiz", session.lesson) });
    }
    let kept = session.still_valid(previous);
    dialogue::Dialogue { session, kept, keep, input, output, line: 0 }.hold()
}

/// True when every question of the quiz is answered right.
#[must_use]
pub fn all_right(quiz: &Quiz, answers: &Kept) -> bool {
    right_count(quiz, answers) == quiz.questions.len()
}

/// How many questions of the quiz are answered right.
#[must_use]
pub fn right_count(quiz: &Quiz, answers: &Kept) -> usize {
    quiz.questions.iter().filter(|question| answers.get(&question.id).is_some_and(|kept| kept.right)).count()
}

impl Session<'_> {
    /// The previous answers, judged by the page as it is now. An answer to a question that is gone,
    /// or whose words are gone, is left out; every other one is kept.
    fn still_valid(&self, previous: &Kept) -> Kept {
        let mut valid = Kept::new();
        for question in &self.quiz.questions {
            let Some(kept) = previous.get(&question.id) else { continue };
            if let Ok(answer) = question.parse_stable(&kept.answer) {
                let right = question.judge(&answer).right;
                valid.insert(question.id.clone(), StoredAnswer { answer: kept.answer.clone(), right });
            }
        }
        valid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::quiz::sample;

    /// What a quiz printed, what it gave back, and the ids in the order in which they were kept.
    struct Held {
        printed: String,
        result: Result<Kept, Fault>,
        kept: Vec<String>,
    }

    fn hold(previous: &Kept, input: &str, interactive: bool) -> Held {
        let quiz = sample();
        let session = Session { lesson: "lesson36", quiz: &quiz, seed: PAGE_SEED, interactive };
        let (mut printed, mut kept) = (Vec::new(), Vec::new());
        let mut keep = |id: &str, _: &StoredAnswer| {
            kept.push(id.to_owned());
            Ok(())
        };
        let result = ask(&session, previous, &mut keep, &mut input.as_bytes(), &mut printed);
        Held { printed: String::from_utf8(printed).unwrap(), result, kept }
    }

    /// What somebody types who knows everything.
    fn right_lines() -> Vec<String> {
        let quiz = sample();
        let number = |question: usize, wanted: usize| {
            let shown = quiz.questions[question].shown(PAGE_SEED);
            (shown.iter().position(|&index| index == wanted).unwrap() + 1).to_string()
        };
        let order = [0, 1, 2].map(|item| number(2, item)).join(", ");
        let multi = format!("{},{}", number(1, 2), number(1, 1));
        vec![number(0, 0), multi, order, "--target".into(), "1000".into(), number(5, 0)]
    }

    #[test]
    fn right_answers_to_everything_are_kept_one_by_one() {
        let held = hold(&Kept::new(), &(right_lines().join("\n") + "\n"), false);
        let answers = held.result.unwrap();
        assert!(all_right(&sample(), &answers), "{}", held.printed);
        assert_eq!(held.kept.len(), 6);
        assert!(held.printed.contains("All 6 questions are answered right."), "{}", held.printed);
        assert!(held.printed.contains("Only the app talks to it"), "{}", held.printed);
    }

    #[test]
    fn an_interrupted_quiz_goes_on_where_it_stopped() {
        let lines = right_lines();
        let first = hold(&Kept::new(), &lines[..2].join("\n"), true);
        let answers = first.result.unwrap();
        assert_eq!(first.kept, ["where-modules", "closed-doors"]);
        assert!(first.printed.contains("`grader quiz lesson36` goes on with the other 4"), "{}", first.printed);
        let second = hold(&answers, &lines[2..].join("\n"), true);
        assert_eq!(second.kept, ["from-edit", "target-flag", "who-am-i", "exit-code"]);
        assert!(second.printed.contains("2 of 6 are answered right already"), "{}", second.printed);
        assert!(all_right(&sample(), &second.result.unwrap()));
    }

    #[test]
    fn only_wrong_answers_are_asked_again() {
        let mut lines = right_lines();
        lines[3] = "--stage".into();
        let first = hold(&Kept::new(), &lines.join("\n"), false);
        assert!(first.printed.contains("Not right. BuildKit speaks of stages"), "{}", first.printed);
        let second = hold(&first.result.unwrap(), "--target\n", false);
        assert_eq!(second.kept, ["target-flag"]);
        assert!(second.printed.contains("Question 4 of 6"), "{}", second.printed);
        assert!(all_right(&sample(), &second.result.unwrap()));
    }

    #[test]
    fn an_answer_that_is_not_understood_is_asked_again_of_a_person_only() {
        let person = hold(&Kept::new(), &format!("9\nx\n{}\n", right_lines()[0]), true);
        assert!(person.printed.contains("`9` is not understood: type one number from 1 to 3."), "{}", person.printed);
        assert_eq!(person.kept, ["where-modules"]);
        let script = hold(&Kept::new(), &format!("{}\n2,2\n", right_lines()[0]), false);
        let fault = script.result.unwrap_err();
        assert_eq!(fault.exit_code(), 2);
        let message = fault.to_string();
        assert!(message.contains("question `closed-doors`, line 2 of the input: `2,2`"), "{message}");
        assert_eq!(script.kept, ["where-modules"], "what was answered before is not lost");
    }

    #[test]
    fn an_empty_line_leaves_a_question_for_later() {
        let held = hold(&Kept::new(), "\n\n\n--target\n", false);
        assert_eq!(held.kept, ["target-flag"]);
        assert!(held.printed.contains("1 of 6 questions is answered right"), "{}", held.printed);
    }

    #[test]
    fn answers_to_an_edited_page_are_judged_again_or_asked_again() {
        let text = |text: &str| toml::Value::String(text.into());
        let previous = Kept::from([
            ("gone".into(), StoredAnswer { answer: text("x"), right: true }),
            ("where-modules".into(), StoredAnswer { answer: text("words of an older page"), right: true }),
            ("who-am-i".into(), StoredAnswer { answer: text("1000"), right: false }),
        ]);
        let held = hold(&previous, "", false);
        let ids: Vec<_> = held.result.unwrap().into_keys().collect();
        assert_eq!(ids, ["who-am-i"]);
        assert!(held.printed.contains("1 of 6 is answered right already"), "{}", held.printed);
    }

    #[test]
    fn answers_that_cannot_be_kept_are_a_fault() {
        let quiz = sample();
        let session = Session { lesson: "lesson36", quiz: &quiz, seed: PAGE_SEED, interactive: false };
        let mut keep = |_: &str, _: &StoredAnswer| Err(Fault::DiskFull { reason: "progress".into() });
        let result = ask(&session, &Kept::new(), &mut keep, &mut "1\n".as_bytes(), &mut Vec::new());
        assert!(matches!(result, Err(Fault::DiskFull { .. })));
    }
}
