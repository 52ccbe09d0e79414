//! Reads the text of a document, and refuses what is not one.
//!
//! Owns: every rule that a document must keep before it comes near a database, and the sentence
//! that says which one was broken. Must not: mend anything.

use serde::Deserialize;

use super::super::{kept_form, uid};
use super::{Document, SCHEMA};

/// The document in a text, or a sentence that says why there is none.
pub fn read(text: &str) -> Result<Document, String> {
    #[derive(Deserialize)]
    struct Head {
        schema: String,
    }
    // What it is comes first: the rest of another version means nothing to us.
    let head = serde_json::from_str::<Head>(text);
    let schema = head.as_ref().map(|head| head.schema.as_str()).unwrap_or_default();
    match (schema, head.as_ref().err()) {
        (_, Some(error)) if error.is_data() => return Err("it is JSON, but no exported progress".into()),
        (_, Some(error)) if error.is_eof() => return Err(format!("it ends too early: {error}")),
        (_, Some(error)) => return Err(format!("it is no JSON: {error}")),
        (SCHEMA, None) => {}
        (other, None) if other.starts_with("grader-progress/") => {
            return Err(format!(
                "its form is {other:?}, and this grader reads {SCHEMA:?}: use the grader that wrote it, or a newer one"
            ));
        }
        (other, None) => return Err(format!("it is a {other:?}, and not exported progress ({SCHEMA:?})")),
    }
    let document: Document = serde_json::from_str(text).map_err(|error| format!("it is damaged: {error}"))?;
    rules(&document).map_err(|why| format!("it is damaged: {why}"))?;
    Ok(document)
}

fn rules(document: &Document) -> Result<(), String> {
    for (number, attempt) in document.attempts.iter().enumerate() {
        let here = |what: &str| format!("{what} of attempt {}", number + 1);
        is_uid(&attempt.uid, &here("the uid"))?;
        is_name(&attempt.lesson, &here("the lesson"))?;
        is_time(&attempt.at, &here("the time"))?;
        attempt.failed.iter().try_for_each(|id| is_name(id, &here("a failed check")))?;
        attempt.files.iter().try_for_each(|digest| is_name(digest, &here("the digest")))?;
        if !["passed", "failed", "refused", "fault"].contains(&attempt.result.as_str()) {
            return Err(format!("{} is {:?}", here("the result"), attempt.result));
        }
        if attempt.points > attempt.of {
            return Err(format!("{} are {}, of {}", here("the points"), attempt.points, attempt.of));
        }
    }
    for read in &document.hints_read {
        is_name(&read.lesson, "the lesson of a hint")?;
        is_name(&read.check, "the check of a hint")?;
    }
    for asked in &document.hints_asked {
        is_uid(&asked.uid, "the uid of a hint")?;
        is_name(&asked.lesson, "the lesson of a hint")?;
        is_name(&asked.check, "the check of a hint")?;
        is_time_or_unknown(&asked.at, "the time of a hint")?;
    }
    for answer in &document.answers {
        is_name(&answer.lesson, "the lesson of an answer")?;
        is_name(&answer.question, "the question of an answer")?;
        is_time_or_unknown(&answer.at, "the time of an answer")?;
    }
    for give_up in &document.give_ups {
        is_name(&give_up.lesson, "a lesson that was given up")?;
        is_time(&give_up.at, "the time of giving up")?;
    }
    Ok(())
}

fn is_uid(text: &str, what: &str) -> Result<(), String> {
    if uid::is_uid(text) { Ok(()) } else { Err(format!("{what} is {text:?}, not 32 hexadecimal digits")) }
}

/// Ids of lessons, checks and questions: what is shown on a terminal later must not steer it.
fn is_name(text: &str, what: &str) -> Result<(), String> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let fits = (1..=200).contains(&text.len()) && text.chars().all(good);
    if fits { Ok(()) } else { Err(format!("{what} is {text:?}, which is no id")) }
}

/// A time in exactly the form in which we keep it: times are compared as texts.
fn is_time(text: &str, what: &str) -> Result<(), String> {
    let same = text.parse().is_ok_and(|time| kept_form(time) == text);
    if same { Ok(()) } else { Err(format!("{what} is {text:?}, which is no time as the grader writes it")) }
}

/// What was kept by the first version of the grader has no time.
fn is_time_or_unknown(text: &str, what: &str) -> Result<(), String> {
    if text.is_empty() { Ok(()) } else { is_time(text, what) }
}
