//! What has not changed is not measured again, and what has changed is.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;

use serde_json::Value;
use tests::{Ended, Learner, docker, ended, outcome};

/// Grades, and gives the report with the daemon's events about what this run has made.
fn check(learner: &Learner, more: &[&str]) -> (Ended, Vec<String>) {
    let dir = learner.dir().display().to_string();
    let arguments = ["check", "lesson36", "--offline", "--dir", &dir];
    let arguments: Vec<&str> = arguments.iter().chain(more).copied().collect();
    let now = || docker(&["info", "--format", "{{.SystemTime}}"]).concat();
    let since = now();
    let child = learner.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start");
    // A run's id holds the process's id in hex, and everything that a run makes carries the run's id.
    let mark = format!("-{:x}-", child.id());
    let ended = ended(&child.wait_with_output().expect("end"));
    let events = docker(&["events", "--since", &since, "--until", &now(), "--format", "{{json .}}"]);
    (ended, events.into_iter().filter(|event| event.contains(&mark)).collect())
}

fn report(learner: &Learner) -> (Value, usize) {
    let (ended, events) = check(learner, &["--format", "json"]);
    (ended.json(), events.len())
}

/// The ids of the checks that were not answered from memory.
fn measured(report: &Value) -> BTreeSet<String> {
    let checks = report["checks"].as_array().expect("checks").iter().filter(|check| check["remembered"] == false);
    checks.map(|check| check["id"].as_str().expect("id").to_owned()).collect()
}

/// What the checks found.
fn verdicts(report: &Value) -> Vec<&Value> {
    report["checks"].as_array().expect("checks").iter().map(|check| &check["verdict"]).collect()
}

#[test]
fn nothing_is_built_or_started_when_nothing_has_changed() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let (first, made) = report(&learner);
    assert_eq!(measured(&first).len(), 27);
    assert!(made > 5, "the daemon tells what a run makes: {made}");
    let (second, made) = report(&learner);
    assert_eq!((measured(&second), made), (BTreeSet::new(), 0));
    assert_eq!(verdicts(&first), verdicts(&second));
    let (human, _) = check(&learner, &[]);
    assert!(human.stdout.contains("prod-health (unchanged)"), "{}", human.stdout);
    assert!(human.stdout.contains("0 of 27 measured now"), "{}", human.stdout);
    let (fresh, made) = check(&learner, &["--fresh", "--format", "json"]);
    assert_eq!(measured(&fresh.json()).len(), 27);
    assert!(made.len() > 5, "{made:?}");
    assert_eq!(tests::left_behind(&learner), Vec::<String>::new());
}

#[test]
fn an_edit_is_measured_where_it_matters_and_a_remembered_failure_is_as_good_as_the_first() {
    let learner = Learner::with_solution("nodemon-stock-user");
    // Answers come from `grader quiz`, not from a file that the stacks mount.
    std::fs::remove_file(learner.dir().join("quiz.toml")).expect("remove");
    report(&learner);

    learner.replace("docker-compose.dev.yml", "LOG_LEVEL: debug", "LOG_LEVEL: trace");
    let (edited, _) = report(&learner);
    let anew = measured(&edited);
    for id in ["dev-starts", "dev-pays", "hot-reload", "env-map"] {
        assert!(anew.contains(id), "{id} is not in {anew:?}");
    }
    // `env-map` looks at both stacks, so production is started for it, and what says that it is up is asked.
    let of_production: Vec<&String> = anew.iter().filter(|id| id.starts_with("prod-")).collect();
    assert_eq!(of_production, ["prod-starts"]);

    learner.replace("Dockerfile", "USER node", "USER root");
    let (failed, _) = report(&learner);
    assert_eq!(outcome(&failed, "prod-not-root"), ("judged".into(), "fail".into()));
    // The development stack mounts the whole folder; only its image does not see the edit.
    assert!(!measured(&failed).contains("dev-complete"), "{:?}", measured(&failed));
    let (again, made) = report(&learner);
    assert_eq!((measured(&again), made), (BTreeSet::new(), 0));
    assert_eq!(verdicts(&failed), verdicts(&again));
    assert_eq!(again["result"], "failed");

    let mut asked =
        learner.command(&["quiz", "lesson36"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("start");
    // The first question is answered, the others are left for later.
    asked.stdin.take().expect("stdin").write_all(b"--target\n").expect("answer");
    asked.wait().expect("end");
    let (quiz, made) = report(&learner);
    assert_eq!((measured(&quiz).into_iter().collect::<Vec<_>>(), made), (vec!["quiz".to_owned()], 0));
}

#[test]
fn what_is_blocked_by_a_remembered_failure_stays_blocked_by_it() {
    let learner = Learner::with_solution("nodemon-stock-user");
    learner.replace("Dockerfile", "npm ci", "npm cii");
    let (first, _) = report(&learner);
    let (second, made) = report(&learner);
    assert_eq!(made, 0);
    assert_eq!(outcome(&second, "prod-pays"), ("blocked".into(), "targets-build".into()));
    assert_eq!(verdicts(&first), verdicts(&second));
    learner.replace("Dockerfile", "npm cii", "npm ci");
    let (mended, _) = report(&learner);
    assert_eq!(outcome(&mended, "targets-build"), ("judged".into(), "pass".into()));
    assert_eq!(outcome(&mended, "prod-small"), ("judged".into(), "pass".into()));
}
