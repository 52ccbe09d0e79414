//! The quiz in the page: answers are judged here, and are not in the page.
//!
//! Owns: the answers about questions. Must not: judge; questions do.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::asked::{Asked, Path};
use super::super::problem::{Problem, answered};
use super::lesson;
use crate::book::shown_markdown;
use crate::course::Lesson;
use crate::course::quiz::{Answer, PAGE_SEED, Quiz, StoredAnswer, typed};
use crate::progress::Progress;
use crate::serve::Session;

/// What the learner has answered.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answers {
    /// By the question's id.
    pub answers: BTreeMap<String, Judged>,
    /// How many questions there are.
    pub questions: usize,
}

/// An answer, as one types it: numbers of options as they are shown, or a text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// `2`, `1,3` or a text.
    pub answer: String,
}

/// What an answer is worth.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Judged {
    /// The answer, as one types it.
    pub answer: String,
    /// Whether it is completely right.
    pub right: bool,
    /// Why, as HTML.
    pub because: String,
}

/// The answers so far, judged by the page as it is now.
pub async fn answers(State(session): State<App>, Path(id): Path<String>) -> Result<Json<Answers>, Problem> {
    answered(move || -> Result<_, Problem> {
        let lesson = lesson(&session, &id)?;
        let quiz = quiz(&session, &lesson)?;
        let kept = Progress::open()?.answers(&lesson.spec.id)?;
        let mut answers = BTreeMap::new();
        for question in &quiz.questions {
            let Some(answer) = kept.get(&question.id).and_then(|kept| question.parse_stable(&kept.answer).ok()) else {
                continue;
            };
            let judgement = question.judge(&answer);
            let judged = Judged {
                answer: as_typed(&answer, &question.shown(PAGE_SEED)),
                right: judgement.right,
                because: shown_markdown(&judgement.because),
            };
            answers.insert(question.id.clone(), judged);
        }
        Ok(Answers { answers, questions: quiz.questions.len() })
    })
    .await
}

/// Judges an answer and keeps it.
pub async fn answer(
    State(session): State<App>,
    Path((id, question)): Path<(String, String)>,
    Asked(given): Asked<Given>,
) -> Result<Json<Judged>, Problem> {
    answered(move || -> Result<_, Problem> {
        let lesson = lesson(&session, &id)?;
        let quiz = quiz(&session, &lesson)?;
        let Some(question) = quiz.question(&question) else {
            let error = format!("{} has no question called `{question}`", lesson.spec.id);
            return Err(Problem::new(StatusCode::NOT_FOUND, error, "Load the page again."));
        };
        let Some(answer) = typed::answer(question, &question.shown(PAGE_SEED), &given.answer) else {
            let error = format!("`{}` is no answer to this question", given.answer);
            return Err(Problem::new(StatusCode::BAD_REQUEST, error, format!("It wants {}.", question.wants())));
        };
        let judgement = question.judge(&answer);
        let stored = StoredAnswer { answer: question.stable(&answer), right: judgement.right };
        Progress::open()?.answer(&lesson.spec.id, &question.id, &stored)?;
        Ok(Judged { answer: given.answer, right: judgement.right, because: shown_markdown(&judgement.because) })
    })
    .await
}

fn quiz(session: &Session, lesson: &Lesson) -> Result<Quiz, Problem> {
    Ok(Quiz::load(&session.course.root, &session.course.page(lesson)).map_err(crate::fault::Fault::from)?)
}

/// An answer in the numbers that are shown.
fn as_typed(answer: &Answer, shown: &[usize]) -> String {
    let number = |index: &usize| shown.iter().position(|at| at == index).map_or(0, |at| at + 1).to_string();
    match answer {
        Answer::Choice(index) => number(index),
        Answer::Multi(list) | Answer::Order(list) => list.iter().map(number).collect::<Vec<_>>().join(","),
        Answer::Text(text) => text.clone(),
    }
}
