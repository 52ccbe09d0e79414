//! The HTML of a question.
//!
//! Owns: a form that can be read and filled in by everybody. Must not: contain the right answer,
//! its explanation, or the page's order of the options, in whatever disguise; what a page without a
//! server has instead comes sealed, as attributes, from `alone::seal`.

use super::{inline, markdown, on_one_line};
use crate::book::QUESTION;
use crate::course::quiz::{Kind, PAGE_SEED, Question};

/// The question with this number, of a lesson that has `count` of them. `sealed` are further attributes.
pub(in crate::book) fn html(lesson: &str, number: usize, count: usize, question: &Question, sealed: &str) -> String {
    let id = format!("{lesson}-{}", question.id);
    // Said once, above the first question.
    let note = format!("<p class=\"quiz-note\">Answer in the terminal: <code>grader quiz {lesson}</code></p>");
    on_one_line(&format!(
        "{note}{QUESTION} id=\"{id}\" aria-describedby=\"{id}-text\"{sealed}>\
         <legend>Question {number} of {count} <span class=\"quiz-kind\">{kind}</span></legend>\
         <div class=\"quiz-text\" id=\"{id}-text\">{text}</div>{field}</fieldset>",
        note = if number == 1 { note.as_str() } else { "" },
        kind = kind(question),
        text = markdown(&question.text),
        field = field(&id, question),
    ))
}

fn kind(question: &Question) -> &'static str {
    match (&question.kind, question.is_prediction()) {
        (Kind::Choice(_), false) => "choose one",
        (Kind::Choice(_), true) => "predict, choose one",
        (Kind::Multi(_), _) => "choose all that are right",
        (Kind::Order { .. }, _) => "put in order",
        (Kind::Short { .. }, false) => "a short answer",
        (Kind::Short { .. }, true) => "predict, a short answer",
    }
}

/// What is filled in.
fn field(id: &str, question: &Question) -> String {
    match question.kind {
        Kind::Choice(_) => options(id, question, "radio"),
        Kind::Multi(_) => options(id, question, "checkbox"),
        Kind::Order { .. } => list(question, |_, text| format!("<li>{text}</li>")),
        Kind::Short { .. } => format!(
            "<p class=\"quiz-field\"><label for=\"{id}-answer\">Your answer</label> \
             <input type=\"text\" id=\"{id}-answer\" name=\"{id}\" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\"></p>"
        ),
    }
}

fn options(id: &str, question: &Question, input: &str) -> String {
    list(question, |number, text| {
        let option = format!("{id}-{number}");
        format!(
            "<li><input type=\"{input}\" id=\"{option}\" name=\"{id}\" value=\"{number}\"> \
             <label for=\"{option}\">{text}</label></li>"
        )
    })
}

/// The options or items, with the numbers that they have in the terminal.
fn list(question: &Question, item: impl Fn(usize, &str) -> String) -> String {
    let texts = question.texts();
    let shown = (1..).zip(question.shown(PAGE_SEED));
    let items: String = shown.map(|(number, index)| item(number, &inline(texts[index]))).collect();
    format!("<ol class=\"quiz-options\">{items}</ol>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::quiz::sample;

    fn shown(id: &str) -> String {
        let quiz = sample();
        let number = quiz.questions.iter().position(|question| question.id == id).unwrap() + 1;
        html("lesson36", number, 6, &quiz.questions[number - 1], "")
    }

    #[test]
    fn no_answer_and_no_explanation_is_in_the_page() {
        let quiz = sample();
        let all: String = quiz.questions.iter().map(|question| shown(&question.id)).collect();
        for secret in [
            "because",
            "right = ",
            "mounted deeper",
            "A debugger is",
            "Nothing is built",
            "--target",
            "--stage",
            "data-",
        ] {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
        assert!(!all.contains("checked"));
    }

    #[test]
    fn options_have_labels_and_the_terminals_numbers() {
        let html = shown("closed-doors");
        let quiz = sample();
        let question = quiz.question("closed-doors").unwrap();
        let first = question.texts()[question.shown(PAGE_SEED)[0]];
        let wanted = format!("value=\"1\"> <label for=\"lesson36-closed-doors-1\">{first}</label>");
        assert!(html.contains(&wanted), "{html}");
        assert_eq!(html.matches("type=\"checkbox\"").count(), 4);
        assert_eq!(shown("where-modules").matches("type=\"radio\"").count(), 3);
    }

    #[test]
    fn every_question_is_one_line_with_a_legend() {
        for (number, question) in (1..).zip(&sample().questions) {
            let html = shown(&question.id);
            assert!(!html.contains('\n'), "{html}");
            assert!(html.contains("<fieldset") && html.ends_with("</fieldset>"), "{html}");
            assert!(html.contains(&format!("<legend>Question {number} of 6 ")), "{html}");
            assert_eq!(html.contains("<code>grader quiz lesson36</code>"), number == 1, "{html}");
            for forbidden in ["<script", "style=", "onclick"] {
                assert!(!html.contains(forbidden), "{html}");
            }
        }
    }

    #[test]
    fn code_in_a_question_keeps_its_lines() {
        let html = shown("where-modules");
        assert!(html.contains("- .:/app&#10;&#10;  - /app/node_modules"), "{html}");
        assert!(html.contains("&lt;b&gt;reserves&lt;/b&gt;"), "{html}");
    }
}
