//! What a question of a page without a server carries, so that the page can judge answers.
//!
//! Owns: which answers open what, and sealing it. Must not: decide what is right; `Question::judge` does.
//!
//! Everything that is said after an answer is encrypted under a key that is made from the answer
//! (and the question's salt): the page tries what an answer opens. Where the answers are too many, it
//! tries their parts:
//!
//! | key | what it opens |
//! | --- | --- |
//! | `one:2` | what is said about the second option, as it is shown |
//! | `all:1,3` | what is said when these are all that is right, or this is the right order |
//! | `place:2:4` | a right place: the second is item 4 |
//! | `text:--target` | what is said after this text, in the form in which texts are compared |
//! | `any:` | what is said after any other answer |
//!
//! **What this holds.** It keeps answers from whoever looks at the page's source, and from searching
//! it. It does not keep them from somebody who wants to have them: four options can be tried out, with
//! a mouse or a program, and whatever `any:` opens needs no answer at all. Only `grader serve` keeps
//! answers to itself.
//!
//! Keys are made by HKDF with SHA-256, which browsers have built in. Hashing many times over would cost each
//! build (a thousand rounds made it half as long again) and would still protect no choice of four.

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::book::render::markdown;
use crate::course::quiz::{Answer, Kind, PAGE_SEED, Question, plain};

/// What an answer, or a part of one, opens. A script reads it as JSON.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
struct Inside {
    right: bool,
    /// Why, as HTML.
    because: String,
    /// Of one of several that may be chosen: its place in what is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
    /// Of one of several that may be chosen: what is said when so many right ones are missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
}

/// The attributes of a question's element, each with a space before it.
pub(in crate::book) fn attributes(lesson: &str, question: &Question) -> String {
    let (salt, sealed) = sealed(lesson, question);
    let case = if matches!(question.kind, Kind::Short { case: false, .. }) { " data-case=\"any\"" } else { "" };
    format!(
        " data-salt=\"{}\" data-sealed=\"{}\"{case}",
        STANDARD.encode(salt),
        sealed.iter().map(|sealed| STANDARD.encode(sealed)).collect::<Vec<_>>().join(" ")
    )
}

/// The salt, and what is sealed.
fn sealed(lesson: &str, question: &Question) -> ([u8; 16], Vec<Vec<u8>>) {
    let mut insides: Vec<_> = opened_by(question)
        .into_iter()
        .map(|(key, inside)| (key, serde_json::to_string(&inside).unwrap_or_default()))
        .collect();
    // A right one of several says nothing yet, and must not be known by being short.
    let longest = insides.iter().map(|(_, text)| text.len()).max().unwrap_or(0);
    if matches!(question.kind, Kind::Multi(_)) {
        for (_, text) in &mut insides {
            text.extend(std::iter::repeat_n(' ', longest - text.len()));
        }
    }
    let salt = salt(lesson, question, &insides);
    let seal = |(key, text): &(String, String)| {
        // A key seals one text only, so the number that must never come twice under a key may be 0.
        cipher(key, &salt).encrypt(&Nonce::default(), text.as_bytes()).unwrap_or_default()
    };
    (salt, insides.iter().map(seal).collect())
}

/// Another question, or another text in it, has another salt. So builds are alike, but a key is never
/// used for two texts; and answers that a browser keeps are known to belong to the question as it is.
fn salt(lesson: &str, question: &Question, insides: &[(String, String)]) -> [u8; 16] {
    let mut hash = Sha256::new();
    let texts = question.texts().into_iter().chain(insides.iter().map(|(_, text)| text.as_str()));
    for text in [lesson, &question.id, &question.text].into_iter().chain(texts) {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    let mut salt = [0; 16];
    salt.copy_from_slice(&hash.finalize()[..16]);
    salt
}

fn cipher(key: &str, salt: &[u8]) -> Aes256Gcm {
    let mut bytes = [0; 32];
    Hkdf::<Sha256>::new(Some(salt), key.as_bytes()).expand(&[], &mut bytes).unwrap_or_default();
    Aes256Gcm::new(&bytes.into())
}

/// All keys of a question, and what each opens. No key is there twice.
fn opened_by(question: &Question) -> Vec<(String, Inside)> {
    let said = |answer: Answer| {
        let judged = question.judge(&answer);
        Inside { right: judged.right, because: markdown(&judged.because), ..Inside::default() }
    };
    let shown = question.shown(PAGE_SEED);
    let number = |index: usize| shown.iter().position(|&at| at == index).map_or(0, |at| at + 1);
    match &question.kind {
        Kind::Choice(_) => {
            (1..).zip(&shown).map(|(number, &index)| (format!("one:{number}"), said(Answer::Choice(index)))).collect()
        }
        Kind::Multi(options) => {
            let wanted: Vec<_> = (0..options.len()).filter(|&index| options[index].right).collect();
            // Without a wrong one, only the number of missing ones is said.
            let missing: Vec<_> = (0..=wanted.len())
                .map(|missing| match missing {
                    0 => String::new(),
                    _ => said(Answer::Multi(wanted[missing..].to_vec())).because,
                })
                .collect();
            let one = |(number, &index): (usize, &usize)| {
                let mistake = Answer::Multi(wanted.iter().copied().chain([index]).collect());
                let because = if options[index].right { String::new() } else { said(mistake).because };
                let inside = Inside { right: options[index].right, because, at: Some(index), missing: missing.clone() };
                (format!("one:{number}"), inside)
            };
            let mut numbers: Vec<_> = wanted.iter().map(|&index| number(index)).collect();
            numbers.sort_unstable();
            let all = (format!("all:{}", list(&numbers)), said(Answer::Multi(wanted.clone())));
            (1..).zip(&shown).map(one).chain([all]).collect()
        }
        Kind::Order { items, .. } => {
            let right: Vec<_> = (0..items.len()).collect();
            let numbers: Vec<_> = right.iter().map(|&index| number(index)).collect();
            let place = |(place, number): (usize, &usize)| {
                (format!("place:{place}:{number}"), Inside { right: true, ..Inside::default() })
            };
            let mut nothing_right = right.clone();
            nothing_right.rotate_left(1);
            let wrong = question.judge(&Answer::Order(nothing_right)).because;
            // The page counts the right places and writes their number here.
            let because = markdown(&wrong.replacen('0', "{placed}", 1));
            let all = (format!("all:{}", list(&numbers)), said(Answer::Order(right)));
            let any = ("any:".to_owned(), Inside { because, ..Inside::default() });
            (1..).zip(&numbers).map(place).chain([all, any]).collect()
        }
        Kind::Short { accept, case, because, near } => {
            let texts = accept.iter().chain(near.iter().map(|near| &near.text));
            let text = |text: &String| (format!("text:{}", plain(text, *case)), said(Answer::Text(text.clone())));
            let any = ("any:".to_owned(), Inside { because: markdown(because), ..Inside::default() });
            texts.map(text).chain([any]).collect()
        }
    }
}

fn list(numbers: &[usize]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
