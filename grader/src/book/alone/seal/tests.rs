//! Opens what is sealed as the page's script does (`web/alone/judge.js`), and asks the course the same.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::course::Course;
use crate::course::page;
use crate::course::quiz::{Quiz, sample};
use crate::course::source::Source;

/// A question as the page has it.
struct Carried<'a> {
    question: &'a Question,
    salt: [u8; 16],
    sealed: Vec<Vec<u8>>,
    tried: HashMap<String, Option<Value>>,
}

impl<'a> Carried<'a> {
    fn new(question: &'a Question) -> Self {
        let (salt, sealed) = sealed("lesson36", question);
        Self { question, salt, sealed, tried: HashMap::new() }
    }

    fn open(&mut self, key: &str) -> Option<Value> {
        let try_all = || {
            let cipher = cipher(key, &self.salt);
            let opened = self.sealed.iter().find_map(|sealed| cipher.decrypt(&Nonce::default(), &**sealed).ok())?;
            Some(serde_json::from_slice(&opened).expect("JSON"))
        };
        self.tried.entry(key.to_owned()).or_insert_with(try_all).clone()
    }

    /// What the page says after an answer in the numbers that it shows.
    fn said(&mut self, typed: &str) -> (bool, String) {
        let found = match &self.question.kind {
            Kind::Choice(_) => self.open(&format!("one:{typed}")),
            Kind::Multi(_) => self.open(&format!("all:{typed}")).or_else(|| Some(self.several(typed))),
            Kind::Order { .. } => self.open(&format!("all:{typed}")).or_else(|| Some(self.ordered(typed))),
            Kind::Short { case, .. } => {
                self.open(&format!("text:{}", plain(typed, *case))).or_else(|| self.open("any:"))
            }
        };
        let found = found.expect("every answer opens something");
        (found["right"] == true, text(&found["because"]))
    }

    fn several(&mut self, typed: &str) -> Value {
        let mut chosen: Vec<_> =
            typed.split(',').map(|number| self.open(&format!("one:{number}")).expect("an option")).collect();
        let missing = chosen[0]["missing"].as_array().expect("missing").clone();
        let count = chosen.len();
        chosen.retain(|one| one["right"] == false);
        chosen.sort_by_key(|one| one["at"].as_u64());
        let mut because: Vec<_> = chosen.iter().map(|one| text(&one["because"])).collect();
        because.push(text(&missing[missing.len() - 1 - (count - chosen.len())]));
        because.retain(|paragraph| !paragraph.is_empty());
        serde_json::json!({ "right": false, "because": because.join("\n") })
    }

    fn ordered(&mut self, typed: &str) -> Value {
        let keys = (1..).zip(typed.split(',')).map(|(place, number)| format!("place:{place}:{number}"));
        let placed = keys.filter(|key| self.open(key).is_some()).count();
        let any = self.open("any:").expect("what is said after any answer");
        serde_json::json!({ "right": false, "because": text(&any["because"]).replacen("{placed}", &placed.to_string(), 1) })
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// All answers that a page can give to a question, as typed and as the course takes them. Texts are
/// those that the question knows, in several spellings, and some that it does not know.
fn answers(question: &Question) -> Vec<(String, Answer)> {
    let shown = question.shown(PAGE_SEED);
    let number = |index: &usize| shown.iter().position(|at| at == index).expect("shown") + 1;
    let typed = |list: &[usize]| super::list(&list.iter().map(number).collect::<Vec<_>>());
    match &question.kind {
        Kind::Choice(options) => (0..options.len()).map(|index| (typed(&[index]), Answer::Choice(index))).collect(),
        Kind::Multi(options) => (1..1_usize << options.len())
            .map(|set| {
                let numbers = (1..=options.len()).filter(|number| set & (1 << (number - 1)) != 0).collect::<Vec<_>>();
                let indexes = numbers.iter().map(|number| shown[number - 1]).collect();
                (super::list(&numbers), Answer::Multi(indexes))
            })
            .collect(),
        Kind::Order { items, .. } => {
            permutations(items.len()).into_iter().map(|order| (typed(&order), Answer::Order(order))).collect()
        }
        Kind::Short { accept, near, .. } => {
            let known = accept.iter().chain(near.iter().map(|near| &near.text));
            let spelled = known.flat_map(|text| {
                let upper = text.to_uppercase();
                [
                    text.clone(),
                    format!("  `{}` ", text.replace(' ', " \u{a0} ")),
                    upper,
                    format!("{text}."),
                    format!("x{text}"),
                ]
            });
            spelled.chain(["`".into(), "Ünïcode Σς".into()]).map(|text| (text.clone(), Answer::Text(text))).collect()
        }
    }
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let insert = |shorter: &Vec<usize>| {
        let at = |place| {
            let mut longer = shorter.clone();
            longer.insert(place, count - 1);
            longer
        };
        (0..count).map(at).collect::<Vec<_>>()
    };
    permutations(count - 1).iter().flat_map(insert).collect()
}

/// All questions of the course, and those of the sample.
fn questions() -> Vec<Question> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the course").to_path_buf();
    let pages = page::files(&Course { root: root.clone() }).expect("pages");
    let mut all = sample().questions;
    for page in pages {
        all.extend(Quiz::load(&root, &page.path).expect("a quiz").questions);
    }
    all
}

#[test]
fn whatever_is_answered_the_page_says_what_the_course_says() {
    let all = questions();
    let mut given = 0;
    for question in &all {
        let mut carried = Carried::new(question);
        for (typed, answer) in answers(question) {
            let judged = question.judge(&answer);
            assert_eq!(carried.said(&typed), (judged.right, markdown(&judged.because)), "{}: {typed}", question.id);
            given += 1;
        }
    }
    assert!(all.len() > 40 && given > 1_000, "{given} answers to {} questions", all.len());
}

#[test]
fn nothing_stands_in_the_clear_in_what_a_page_carries() {
    for question in questions() {
        let carried = attributes("lesson36", &question);
        let (_, sealed) = sealed("lesson36", &question);
        let bytes = sealed.concat();
        for (key, inside) in opened_by(&question) {
            for secret in [key.as_str(), inside.because.as_str(), "right", "because"] {
                assert!(!carried.contains(secret) || secret.is_empty(), "{}: {secret}", question.id);
                let there = !secret.is_empty() && bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!there, "{}: {secret}", question.id);
            }
        }
        assert!(sealed.iter().all(|sealed| !sealed.is_empty()), "{}", question.id);
    }
}

#[test]
fn no_key_seals_two_texts() {
    for question in questions() {
        let mut keys: Vec<_> = opened_by(&question).into_iter().map(|(key, _)| key).collect();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all, "{}", question.id);
    }
    let salt_of = |text: &str| {
        sealed("lesson36", &Quiz::parse(&Source { name: "p".into(), text: text.into() }).expect("quiz").questions[0]).0
    };
    let page = crate::course::quiz::SAMPLE;
    assert_eq!(salt_of(page), salt_of(page));
    for (text, by) in [
        ("that place only", "that place alone"),
        ("The container's own", "The image's own"),
        ("where-modules", "which-modules"),
    ] {
        assert!(page.contains(text) && salt_of(page) != salt_of(&page.replace(text, by)), "{text}");
    }
}

#[test]
fn of_several_that_may_be_chosen_none_is_known_by_its_length() {
    let quiz = sample();
    let (_, sealed) = sealed("lesson36", quiz.question("closed-doors").expect("a multi"));
    assert!(sealed.len() == 5 && sealed.iter().all(|one| one.len() == sealed[0].len()));
}

/// What a browser makes of it was looked up once: `deriveKey` with HKDF, then `decrypt` with AES-GCM.
#[test]
fn keys_are_those_that_a_browser_makes() {
    let sealed = cipher("one:2", b"0123456789abcdef").encrypt(&Nonce::default(), &b"{}"[..]).expect("sealed");
    assert_eq!(STANDARD.encode(sealed), "RmRvxifBEYxqO9UbLkaIVzpy");
}
