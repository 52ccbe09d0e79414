//! The keys of a quiz block, of whatever kind of question.
//!
//! Owns: which keys there are and to which kind each belongs. Must not: check their values.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

/// The keys of a block, of whatever kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    pub(super) id: Spanned<String>,
    pub(super) kind: Spanned<Name>,
    pub(super) question: Spanned<String>,
    pub(super) option: Option<Vec<OptionKeys>>,
    pub(super) items: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) accept: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) case: Option<Spanned<bool>>,
    pub(super) near: Option<Vec<NearKeys>>,
    pub(super) because: Option<Spanned<String>>,
    pub(super) command: Option<Vec<CommandKeys>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Name {
    Choice,
    Multi,
    Order,
    Short,
    Predict,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OptionKeys {
    pub(super) text: Spanned<String>,
    #[serde(default)]
    pub(super) right: bool,
    pub(super) because: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NearKeys {
    pub(super) text: Spanned<String>,
    pub(super) because: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandKeys {
    pub(super) program: Spanned<String>,
    pub(super) expect: Spanned<String>,
}

impl Block {
    /// True when the question is answered by choosing from options. A prediction may be either.
    pub(super) fn is_choice(&self) -> bool {
        match self.kind.get_ref() {
            Name::Choice | Name::Multi => true,
            Name::Predict => self.option.is_some(),
            Name::Order | Name::Short => false,
        }
    }

    /// The first key that belongs to another kind of question. It would be ignored, so it is an
    /// error.
    pub(super) fn foreign_key(&self) -> Option<(Range<usize>, &'static str)> {
        let kind = *self.kind.get_ref();
        let is_choice = self.is_choice();
        let is_text = !is_choice && kind != Name::Order;
        let option = self.option.as_ref().and_then(|keys| keys.first()).map(|key| key.text.span());
        let near = self.near.as_ref().and_then(|keys| keys.first()).map(|key| key.text.span());
        let command = self.command.as_ref().and_then(|keys| keys.first()).map(|key| key.program.span());
        let keys = [
            (option, is_choice, "option"),
            (self.items.as_ref().map(Spanned::span), kind == Name::Order, "items"),
            (self.accept.as_ref().map(Spanned::span), is_text, "accept"),
            (self.case.as_ref().map(Spanned::span), is_text, "case"),
            (near, is_text, "near"),
            (self.because.as_ref().map(Spanned::span), !is_choice, "because"),
            (command, kind == Name::Predict, "command"),
        ];
        keys.into_iter().find_map(|(at, belongs, name)| at.filter(|_| !belongs).map(|at| (at, name)))
    }
}
