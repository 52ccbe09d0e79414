//! Progress outlives kill -9, and many writers at once.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tests::Learner;

/// Starts a process that writes `count` times three things.
fn writer(database: &Path, name: &str, count: u32) -> Child {
    Command::new(env!("CARGO_BIN_EXE_progress_writer"))
        .arg(database)
        .args([name, &count.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("start")
}

/// What was confirmed as written, by kind (`attempt`, `hint`, `answer`).
type Confirmed = BTreeMap<String, BTreeSet<String>>;

/// Adds what a writer confirms until it ends. `text` is what was read of it before.
fn confirmed(mut writer: Child, mut text: String, mut lines: impl Read, into: &mut Confirmed) {
    lines.read_to_string(&mut text).expect("text");
    writer.wait().expect("end");
    // A line without its end was cut short by the kill; it confirms nothing.
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let (kind, id) = line.trim_end().split_once(' ').expect("kind and id");
        into.entry(kind.to_owned()).or_default().insert(id.to_owned());
    }
}

/// A learner with the place of their database.
fn learner() -> (Learner, PathBuf) {
    let learner = Learner::with_solution("nodemon-stock-user");
    let state = learner.grader_home().join("state");
    std::fs::create_dir_all(&state).expect("folder");
    (learner, state.join("progress.sqlite"))
}

/// What the real program finds, by kind.
fn found(learner: &Learner) -> Confirmed {
    let document: Value = learner.grader(&["progress", "export", "-"]).json();
    let ids = |list: &str, key: &str| {
        let all = document[list].as_array().expect("list").iter();
        all.map(|entry| entry[key].as_str().expect("text").to_owned()).collect()
    };
    let kinds = [("attempt", "attempts", "uid"), ("hint", "hints_asked", "check"), ("answer", "answers", "question")];
    kinds.into_iter().map(|(kind, list, key)| (kind.to_owned(), ids(list, key))).collect()
}

fn sound(database: &Path) -> String {
    let connection = rusqlite::Connection::open(database).expect("open");
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("looked at")
}

#[test]
fn what_was_confirmed_is_there_after_a_kill_at_any_moment() {
    // Each database is killed in its first milliseconds too, when its tables are being made.
    for round in 0..8 {
        let (learner, database) = learner();
        let mut all = Confirmed::new();
        for kill in 0..6_u64 {
            let mut process = writer(&database, &format!("w{round}-{kill}"), 1_000_000);
            let (mut lines, mut text) = (BufReader::new(process.stdout.take().expect("piped")), String::new());
            // Half of the kills come while it certainly writes, the others also while it starts.
            if kill % 2 == 1 {
                lines.read_line(&mut text).expect("a first line");
            }
            // The moment of the kill is what is tried here; nothing is waited for.
            let micros = RandomState::new().hash_one(kill) % 60_000;
            std::thread::sleep(Duration::from_micros(micros));
            process.kill().expect("kill");
            confirmed(process, text, lines, &mut all);
            let found = found(&learner);
            assert!(kill == 0 || !all.is_empty(), "nothing was confirmed");
            for (kind, ids) in &all {
                let lost: Vec<_> = ids.difference(&found[kind]).collect();
                assert!(lost.is_empty(), "lost after a kill at {micros} µs: {kind} {lost:?}");
            }
            // At most one write of each process was made and not confirmed any more.
            let (held, known) = [&found, &all].map(|set| set.values().map(BTreeSet::len).sum::<usize>()).into();
            assert!(
                held <= known + 1 + usize::try_from(kill).expect("few"),
                "{held} are there, {known} were confirmed"
            );
            assert_eq!(sound(&database), "ok", "after a kill at {micros} µs");
        }
    }
}

#[test]
fn many_writers_at_once_lose_nothing() {
    let (learner, database) = learner();
    // They also make the database: all of them find none.
    let writers: Vec<Child> = (0..8).map(|number| writer(&database, &format!("w{number}"), 20)).collect();
    let mut all = Confirmed::new();
    for mut writer in writers {
        let lines = writer.stdout.take().expect("piped");
        confirmed(writer, String::new(), lines, &mut all);
    }
    assert_eq!(all.values().map(BTreeSet::len).collect::<Vec<_>>(), [160; 3]);
    assert_eq!(found(&learner), all);
    assert_eq!(sound(&database), "ok");
}
