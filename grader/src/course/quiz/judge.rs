//! Judges an answer to a question.
//!
//! Owns: what is right, and which explanation belongs to it. Must not: ask, print, or store.

use std::collections::BTreeSet;

use super::{Answer, Choice, Kind, Question};

/// What an answer is worth, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// True when the answer is completely right.
    pub right: bool,
    /// The explanation, as Markdown. A wrong answer's explanation does not list the right ones.
    pub because: String,
}

impl Question {
    /// Judges an answer. Indexes count in the page's order, not in the shown one.
    #[must_use]
    pub fn judge(&self, answer: &Answer) -> Judgement {
        match (&self.kind, answer) {
            (Kind::Choice(options), Answer::Choice(chosen)) => judge_choice(options, *chosen),
            (Kind::Multi(options), Answer::Multi(chosen)) => judge_multi(options, chosen),
            (Kind::Order { items, because }, Answer::Order(order)) => judge_order(items.len(), because, order),
            (Kind::Short { .. }, Answer::Text(text)) => self.judge_text(text),
            _ => wrong(format!("This question wants {}.", self.wants())),
        }
    }

    /// What an answer to this question consists of, in words.
    #[must_use]
    pub fn wants(&self) -> String {
        match &self.kind {
            Kind::Choice(options) => format!("one number from 1 to {}", options.len()),
            Kind::Multi(options) => format!("all that are right, such as `1,{}`", options.len()),
            Kind::Order { items, .. } => format!("all {} numbers in the right order, with commas", items.len()),
            Kind::Short { .. } => "a short text".to_owned(),
        }
    }

    fn judge_text(&self, text: &str) -> Judgement {
        let Kind::Short { accept, case, because, near } = &self.kind else {
            return wrong(format!("This question wants {}.", self.wants()));
        };
        let given = plain(text, *case);
        if accept.iter().any(|accepted| plain(accepted, *case) == given) {
            return Judgement { right: true, because: because.clone() };
        }
        let usual = near.iter().find(|near| plain(&near.text, *case) == given);
        wrong(usual.map_or_else(|| because.clone(), |near| near.because.clone()))
    }
}

fn judge_choice(options: &[Choice], chosen: usize) -> Judgement {
    match options.get(chosen) {
        Some(option) => Judgement { right: option.right, because: option.because.clone() },
        None => wrong(format!("There are only {} options.", options.len())),
    }
}

fn judge_multi(options: &[Choice], chosen: &[usize]) -> Judgement {
    let chosen: BTreeSet<_> = chosen.iter().copied().collect();
    let wanted: BTreeSet<_> = (0..options.len()).filter(|&index| options[index].right).collect();
    let right = chosen == wanted;
    // After a wrong answer only the mistakes are explained, so that the rest can still be found.
    let explained = chosen.iter().filter_map(|&index| options.get(index)).filter(|option| right || !option.right);
    let mut paragraphs: Vec<_> = explained.map(|option| format!("“{}”: {}", option.text, option.because)).collect();
    let missing = wanted.difference(&chosen).count();
    if missing > 0 {
        paragraphs.push(format!("{missing} more {} right.", if missing == 1 { "is" } else { "are" }));
    }
    Judgement { right, because: paragraphs.join("\n\n") }
}

fn judge_order(count: usize, because: &str, order: &[usize]) -> Judgement {
    if order.iter().copied().eq(0..count) {
        return Judgement { right: true, because: because.to_owned() };
    }
    let placed = order.iter().enumerate().filter(|(place, item)| place == *item).count();
    wrong(format!("{placed} of {count} stand in their place. {because}"))
}

fn wrong(because: String) -> Judgement {
    Judgement { right: false, because }
}

/// A text as it is compared: without the space around it, runs of space as one, and without the
/// backticks in which people copy code out of a page.
pub(crate) fn plain(text: &str, case: bool) -> String {
    let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let inner = spaced.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).unwrap_or(&spaced);
    if case { inner.to_owned() } else { inner.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::super::Near;
    use super::*;

    fn question(kind: Kind) -> Question {
        Question { id: "q".into(), text: "?".into(), kind, commands: Vec::new(), line: 1 }
    }

    fn options(right: &[bool]) -> Vec<Choice> {
        let option = |(n, &right): (usize, &bool)| Choice { text: format!("o{n}"), right, because: format!("b{n}") };
        right.iter().enumerate().map(option).collect()
    }

    fn short(case: bool) -> Question {
        let near = vec![Near { text: "--stage".into(), because: "no such flag".into() }];
        question(Kind::Short { accept: vec!["--target".into()], case, because: "why".into(), near })
    }

    #[test]
    fn a_choice_is_explained_by_the_chosen_option() {
        let question = question(Kind::Choice(options(&[false, true])));
        assert_eq!(question.judge(&Answer::Choice(1)), Judgement { right: true, because: "b1".into() });
        assert_eq!(question.judge(&Answer::Choice(0)), Judgement { right: false, because: "b0".into() });
        assert!(!question.judge(&Answer::Choice(9)).right);
    }

    #[test]
    fn a_multi_needs_all_right_options_and_no_other() {
        let question = question(Kind::Multi(options(&[true, false, true])));
        assert!(question.judge(&Answer::Multi(vec![2, 0])).right);
        let partly = question.judge(&Answer::Multi(vec![0, 1]));
        assert_eq!(partly, wrong("“o1”: b1\n\n1 more is right.".into()));
        assert!(!question.judge(&Answer::Multi(vec![0, 1, 2])).right);
        assert!(!question.judge(&Answer::Multi(vec![])).right);
    }

    #[test]
    fn an_order_counts_what_stands_in_its_place() {
        let question = question(Kind::Order { items: vec!["a".into(), "b".into(), "c".into()], because: "why".into() });
        assert!(question.judge(&Answer::Order(vec![0, 1, 2])).right);
        let swapped = question.judge(&Answer::Order(vec![0, 2, 1]));
        assert_eq!(swapped, wrong("1 of 3 stand in their place. why".into()));
        assert!(!question.judge(&Answer::Order(vec![0, 1])).right);
    }

    #[test]
    fn a_short_text_is_compared_without_space_and_backticks() {
        assert!(short(true).judge(&Answer::Text("  `--target` ".into())).right);
        assert!(!short(true).judge(&Answer::Text("--TARGET".into())).right);
        assert!(short(false).judge(&Answer::Text("--TARGET".into())).right);
        assert_eq!(short(true).judge(&Answer::Text("--stage".into())), wrong("no such flag".into()));
        assert_eq!(short(true).judge(&Answer::Text("?".into())), wrong("why".into()));
    }

    #[test]
    fn an_answer_of_another_shape_is_wrong_and_says_what_is_wanted() {
        let judged = short(true).judge(&Answer::Choice(0));
        assert_eq!(judged, wrong("This question wants a short text.".into()));
    }
}
