//! What a person types, into an answer.
//!
//! Owns: the shown numbers. Must not: judge, or print.

use super::{Answer, Kind, Question};

/// Reads a typed answer; `shown` is the order in which the options stand on the screen. `None` when
/// it cannot be understood.
#[must_use]
pub fn answer(question: &Question, shown: &[usize], typed: &str) -> Option<Answer> {
    match &question.kind {
        Kind::Short { .. } => Some(Answer::Text(typed.trim().to_owned())),
        Kind::Choice(_) => match numbers(shown, typed)?.as_slice() {
            [only] => Some(Answer::Choice(*only)),
            _ => None,
        },
        Kind::Multi(_) => numbers(shown, typed).map(Answer::Multi),
        Kind::Order { .. } => numbers(shown, typed).filter(|order| order.len() == shown.len()).map(Answer::Order),
    }
}

/// Numbers between commas or spaces, each at most once, as indexes in the page's order.
fn numbers(shown: &[usize], typed: &str) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    for number in typed.split([',', ' ', '\t']).filter(|part| !part.trim().is_empty()) {
        let position = number.trim().parse::<usize>().ok()?.checked_sub(1)?;
        let index = *shown.get(position)?;
        if found.contains(&index) {
            return None;
        }
        found.push(index);
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::quiz::sample;

    #[test]
    fn numbers_count_as_shown_whatever_stands_between_them() {
        let shown = [2, 0, 1];
        for typed in ["1,3", " 1 3 ", "1, 3,", "1\t3"] {
            assert_eq!(numbers(&shown, typed), Some(vec![2, 1]), "{typed}");
        }
        for typed in ["0", "4", "1,1", "", ",", "-1", "one", "99999999999999999999999"] {
            assert_eq!(numbers(&shown, typed), None, "{typed}");
        }
    }

    #[test]
    fn each_kind_of_question_takes_its_own_shape() {
        let quiz = sample();
        let typed = |id: &str, text: &str| answer(quiz.question(id).unwrap(), &[2, 1, 0], text);
        assert_eq!(typed("where-modules", "1"), Some(Answer::Choice(2)));
        assert_eq!(typed("where-modules", "1,2"), None);
        assert_eq!(typed("closed-doors", "3 2"), Some(Answer::Multi(vec![0, 1])));
        assert_eq!(typed("from-edit", "3,2,1"), Some(Answer::Order(vec![0, 1, 2])));
        assert_eq!(typed("from-edit", "3,2"), None);
        assert_eq!(typed("target-flag", " --target "), Some(Answer::Text("--target".into())));
    }
}
