//! The corpus of hostile and careless submissions (`tests/hostile`): each is refused with its line,
//! or contained by limits, and nothing outside of it changes.
//!
//! `HOSTILE=part-of-a-name cargo test -p tests hostile` runs those whose name contains the text.

mod case;
mod make;
mod witness;

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::{Ended, outcome, program, shuffle, two_at_a_time};

use case::{Case, Outcome};
use witness::{Foreign, Witness};

/// How long one submission may keep the grader busy. Its own limits are far below on a quiet machine; on a busy one
/// they stretch.
const DEADLINE: Duration = Duration::from_secs(1_200);

#[test]
fn every_hostile_submission_is_refused_or_contained() {
    let only = std::env::var("HOSTILE").unwrap_or_default();
    let mut cases: Vec<Case> = Case::all().into_iter().filter(|case| case.name.contains(&only)).collect();
    assert!(!only.is_empty() || cases.len() >= 60, "the corpus has only {} submissions", cases.len());
    let (number, foreign) = (cases.len(), Foreign::make());
    shuffle(&mut cases);
    // Those that take long go first, so that none of them is alone at the end.
    cases.sort_by_key(|case| case.outcome == Outcome::Refused);
    let mut wrong = two_at_a_time(cases, |case| {
        judged(case, &foreign).into_iter().map(|complaint| format!("{}: {complaint}", case.name)).collect()
    });
    wrong.extend(foreign.changes());
    assert!(wrong.is_empty(), "{} complaints about {number} submissions:\n{}", wrong.len(), wrong.join("\n"));
}

/// Grades one submission, and tells what is not as its `hostile.toml` says.
fn judged(case: &Case, foreign: &Foreign) -> Vec<String> {
    let witness = Witness::make(case, foreign);
    let (ended, mut wrong) = match graded(case, &witness, &["--format", "json"]) {
        Ok(ended) => (ended, Vec::new()),
        Err(late) => return vec![late],
    };
    match serde_json::from_str(&ended.stdout) {
        Ok(report) => wrong.extend(case.complaints(&report, &ended)),
        Err(error) => wrong.push(format!("no report ({error}), code {}: {}", ended.code, ended.all())),
    }
    if case.terminal {
        wrong.extend(graded(case, &witness, &[]).map_or_else(|late| vec![late], |ended| steers(&ended)));
    }
    wrong.extend(witness.changes(&ended));
    wrong
}

/// Runs the grader in the corpus's own small course, with a token in its environment.
fn graded(case: &Case, witness: &Witness, more: &[&str]) -> Result<Ended, String> {
    let out = tempfile::tempfile().map_err(|error| error.to_string())?;
    let err = tempfile::tempfile().map_err(|error| error.to_string())?;
    let mut command = std::process::Command::new(program());
    command.args(["check", &case.lesson, "--offline", "--dir"]).arg(witness.dir()).args(&case.arguments).args(more);
    command.current_dir(case.course()).env("GRADER_COURSE", case.course()).env("GRADER_HOME", witness.home());
    command.env("HOSTILE_CANARY", witness.token()).env("CLICOLOR_FORCE", "1").stdin(Stdio::null());
    command.stdout(out.try_clone().map_err(|error| error.to_string())?);
    command.stderr(err.try_clone().map_err(|error| error.to_string())?);
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let code = end(&mut child).ok_or_else(|| format!("it was not done after {} s", DEADLINE.as_secs()))?;
    let left = witness::objects_of(child.id());
    let ended = Ended { code, stdout: read(out), stderr: read(err) };
    if left.is_empty() { Ok(ended) } else { Err(format!("it has left behind {left:?}")) }
}

/// Waits for the end; a run that takes too long is ended.
fn end(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(status) = child.try_wait().expect("wait") {
            return Some(status.code().unwrap_or(-1));
        }
        if Instant::now() >= deadline {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn read(mut file: std::fs::File) -> String {
    use std::io::{Read, Seek};
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("read");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a report for people must not do to the terminal; it is written in colour here, so nothing
/// is filtered because no terminal is there.
fn steers(ended: &Ended) -> Vec<String> {
    let mut wrong = Vec::new();
    if !ended.stdout.contains("\u{1b}[1m") {
        wrong.push("the report has no colour, so nothing is proven".to_owned());
    }
    let turn = ["\u{202e}", "\u{2066}", "\u{200b}", "\u{2028}", "\u{85}"];
    for control in ["\u{1b}]", "\u{1b}[2J", "\u{1b}[1;1H", "\u{7}", "\u{9b}"].into_iter().chain(turn) {
        if ended.all().contains(control) {
            wrong.push(format!("{control:?} reaches the terminal"));
        }
    }
    wrong
}

/// The ids of a report's checks that ended in this way.
fn ended_as(report: &Value, id: &str, how: (&str, &str)) -> Option<String> {
    let (status, more) = outcome(report, id);
    let as_wanted = status == how.0 && (how.1.is_empty() || more == how.1);
    (!as_wanted).then(|| format!("{id} is {status} {more}, not {} {}", how.0, how.1))
}

/// The folder of the corpus.
fn corpus() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/hostile"))
}
