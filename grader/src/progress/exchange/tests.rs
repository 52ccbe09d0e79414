//! What is carried over is whole, merging forgets nothing, and half of nothing comes in.

use serde_json::Value;

use super::super::Progress;
use super::super::attempts::tests::report;
use super::super::tests::fresh;
use super::*;
use crate::course::quiz::StoredAnswer;

fn answer(text: &str, right: bool) -> StoredAnswer {
    StoredAnswer { answer: toml::Value::String(text.into()), right }
}

/// A database with one of everything; `name` makes it different from others.
fn filled(name: &str) -> (tempfile::TempDir, Progress) {
    let (dir, progress) = fresh();
    progress.keep(&report(&[("a", Some(false)), (name, Some(true))]), name).expect("keep");
    progress.keep(&report(&[("a", Some(true))]), name).expect("keep");
    progress.ask_hint("lesson36", name, 3).expect("ask");
    progress.hints_shown("lesson36", name, 1).expect("shown");
    progress.answer("lesson36", name, &answer(name, true)).expect("answer");
    progress.give_up(&format!("lesson-{name}")).expect("give up");
    (dir, progress)
}

fn text(progress: &Progress) -> String {
    serde_json::to_string_pretty(&progress.export().expect("export")).expect("text")
}

/// What a database holds, without the time of looking.
fn contents(progress: &Progress) -> Value {
    let mut value: Value = serde_json::from_str(&text(progress)).expect("json");
    value.as_object_mut().expect("object").remove("exported");
    value
}

fn import(progress: &Progress, text: &str) -> Merged {
    progress.import(text).expect("no fault").expect("not refused")
}

#[test]
fn an_empty_database_takes_over_everything_and_again_nothing() {
    let ((_a, from), (_b, to)) = (filled("x"), fresh());
    assert_eq!(import(&to, &text(&from)), Merged { attempts: 2, known: 0, others: 4 });
    assert_eq!(contents(&to), contents(&from));
    assert_eq!(import(&to, &text(&from)), Merged { attempts: 0, known: 2, others: 0 });
    assert_eq!(contents(&to), contents(&from));
}

#[test]
fn two_databases_that_import_each_other_hold_the_same() {
    let ((_a, one), (_b, two)) = (filled("x"), filled("y"));
    one.answer("lesson36", "both", &answer("right", true)).expect("answer");
    two.answer("lesson36", "both", &answer("wrong, and later", false)).expect("answer");
    for progress in [&two, &one] {
        progress.hints_shown("lesson36", "both", 2).expect("shown");
        progress.give_up("lesson-both").expect("give up");
    }
    one.hints_shown("lesson36", "both", 3).expect("shown");
    let (of_one, of_two) = (text(&one), text(&two));
    import(&one, &of_two);
    import(&two, &of_one);
    assert_eq!(contents(&one), contents(&two));
    assert_eq!(one.summary("lesson36").expect("summary").attempts, 4);
    assert_eq!(one.answers("lesson36").expect("answers")["both"], answer("right", true));
    assert_eq!(two.hints_read("lesson36").expect("read").shown, 5);
    let earlier: Value = serde_json::from_str(&of_two).expect("json");
    let gave_up = earlier["give_ups"].as_array().expect("list").iter().find(|entry| entry["lesson"] == "lesson-both");
    assert_eq!(one.gave_up("lesson-both").expect("read").as_deref(), gave_up.expect("it")["at"].as_str());
}

#[test]
fn stored_text_is_carried_letter_by_letter() {
    for stored in ["{ \"a\":  1.10000000000000000001 }", "", "no json", "\"a text\"", "null"] {
        assert_eq!(brought(&carried(stored)), stored);
    }
}

/// Imports a changed document into a filled database, and gives the refusal.
fn refusal(change: impl Fn(&str) -> String) -> String {
    let ((_a, from), (_b, to)) = (filled("x"), filled("y"));
    let before = contents(&to);
    let changed = change(&text(&from));
    let refusal = to.import(&changed).expect("no fault").expect_err("refused");
    assert_eq!(contents(&to), before, "nothing may be imported of what is refused");
    refusal
}

#[test]
fn a_damaged_or_foreign_document_is_refused_whole() {
    for (change, wanted) in [
        (&(|text: &str| text[..text.len() / 2].to_owned()) as &dyn Fn(&str) -> String, "it ends too early"),
        (&|_| String::new(), "it ends too early"),
        (&|_| "SQLite format 3\0".into(), "it is no JSON"),
        (&|_| "[]".into(), "no exported progress"),
        (&|_| "{\"schema\": \"grader-report/1\"}".into(), "it is a \"grader-report/1\""),
        (&|text| text.replacen(SCHEMA, "grader-progress/2", 1), "or a newer one"),
        (&|text| text.replacen("\"give_ups\"", "\"giveups\"", 1), "unknown field `giveups`"),
        (&|text| text.replacen("\"shown\": 1", "\"shown\": 1, \"more\": 2", 1), "unknown field `more`"),
        (&|text| text.replacen("\"shown\": 1", "\"shown\": -1", 1), "it is damaged"),
        (
            &|text| text.replacen("\"result\": \"failed\"", "\"result\": \"won\"", 1),
            "the result of attempt 1 is \"won\"",
        ),
        (&|text| text.replacen("\"points\": 1", "\"points\": 9", 1), "the points of attempt 1 are 9, of 2"),
        (&|text| text.replacen("\"at\": \"20", "\"at\": \"x20", 1), "which is no time"),
        (&|text| text.replacen("\"lesson\": \"lesson-x\"", "\"lesson\": \"\\u001b[2J\"", 1), "which is no id"),
        (&|text| text.replacen("\"uid\": \"", "\"uid\": \"z", 1), "the uid of attempt 1"),
    ] {
        let reason = refusal(change);
        assert!(reason.contains(wanted), "{reason:?} does not say {wanted:?}");
    }
}

#[test]
fn an_attempt_that_was_changed_on_the_way_is_refused_with_all_that_came_with_it() {
    let (_dir, progress) = filled("x");
    let mut changed: Value = serde_json::from_str(&text(&progress)).expect("json");
    changed["attempts"][0]["points"] = 0.into();
    // What comes before it is new and good.
    let mut good = changed["attempts"][1].clone();
    good["uid"] = "0".repeat(32).into();
    changed["attempts"].as_array_mut().expect("list").insert(0, good);
    let before = contents(&progress);
    let reason = progress.import(&changed.to_string()).expect("no fault").expect_err("refused");
    assert!(reason.contains("is here with other contents"), "{reason}");
    assert_eq!(contents(&progress), before);
}
