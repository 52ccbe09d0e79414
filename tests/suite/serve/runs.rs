//! Checks through the API: two tabs, a reload, a restart.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::serving::Serving;

use super::EXERCISE;

const CHECK: &str = "/api/lessons/lesson06/check";

#[test]
fn two_tabs_share_one_run_and_both_hear_everything() {
    let serving = Serving::new();
    let first = serving.ask("POST", CHECK, &json!({})).json();
    let second = serving.ask("POST", CHECK, &json!({})).json();
    assert_eq!((&first["began"], &second["began"]), (&json!(true), &json!(false)), "a second click begins nothing");
    assert_eq!(first["run"], second["run"]);
    let (one, two) = std::thread::scope(|scope| {
        let other = scope.spawn(|| serving.followed(&format!("{CHECK}/{}", second["run"])));
        (serving.followed(&format!("{CHECK}/{}", first["run"])), other.join().expect("a reader"))
    });
    assert_eq!(one, two);
    let names: Vec<&str> = one.iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!((names.first(), names.last()), (Some(&"run-started"), Some(&"report")), "{one:?}");
    let report = &one[one.len() - 1]["report"];
    let ended = names.iter().filter(|name| **name == "check-ended").count();
    assert_eq!(ended, report["checks"].as_array().map_or(0, Vec::len), "{names:?}");
    // A page that is loaded again later hears it once more, and the lesson knows the attempt.
    assert_eq!(serving.followed(&format!("{CHECK}/{}", first["run"])), one);
    let lesson = serving.get("/api/lessons/lesson06").json();
    assert_eq!(lesson["attempts"].as_array().map(Vec::len), Some(1), "{lesson}");
    assert_eq!(lesson["report"]["points"], report["points"]);
}

#[test]
fn a_restart_loses_nothing_and_begins_nothing() {
    let mut serving = Serving::new();
    assert_eq!(serving.ask("POST", "/api/lessons/lesson06/start", &json!({})).status, 200);
    fs::write(serving.copy(EXERCISE).join("notes.txt"), "mine").expect("write");
    let questions = serving.get("/api/lessons/lesson06/quiz").json();
    assert_eq!(questions["answers"], json!({}));
    let page = serving.get("/lesson06-namespaces-pid-uts.html").text;
    let question = page.split("<fieldset").skip(1).find_map(|question| {
        let id = question.split_once("id=\"lesson06-")?.1.split('"').next()?;
        question.split("</fieldset>").next()?.contains("type=\"radio\"").then(|| id.to_owned())
    });
    let question = question.expect("a question with one right answer");
    let answered = serving.ask("POST", &format!("/api/lessons/lesson06/quiz/{question}"), &json!({"answer": "1"}));
    assert_eq!(answered.status, 200, "{}", answered.text);

    let old = serving.headers();
    let run = serving.ask("POST", CHECK, &json!({})).json()["run"].clone();
    let deadline = Instant::now() + tests::PATIENCE;
    while serving.run_folders().is_empty() {
        assert!(Instant::now() < deadline, "the run made nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(serving.stop(), Some(0));
    assert_eq!(serving.run_folders(), Vec::<String>::new(), "what the run had made is removed");

    serving.restart();
    assert_eq!(serving.send("GET", "/api/lessons", &old, "").status, 401, "the old session is over");
    assert_eq!(serving.get("/api/lessons/lesson06/pulse").json()["run"], Value::Null, "nothing began by itself");
    assert_eq!(serving.get(&format!("{CHECK}/{run}")).status, 404);
    let lesson = serving.get("/api/lessons/lesson06").json();
    assert_eq!(
        (&lesson["attempts"], &lesson["started"]),
        (&json!([]), &json!(true)),
        "a run without an end is no attempt"
    );
    assert_eq!(serving.get("/api/lessons/lesson06/quiz").json()["answers"][&question]["answer"], "1");
    let files = serving.get("/api/lessons/lesson06/files").json();
    let kept = files["files"].as_array().is_some_and(|all| all.iter().any(|file| file["text"] == "mine"));
    assert!(kept, "{files}");
}
