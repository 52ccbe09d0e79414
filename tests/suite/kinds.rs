//! Every kind of check is proven: right submissions pass, a mistake and a cheat fail, and its
//! limits hold to the last unit.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use grader::check::Kind;
use grader::commands::dev::limits;
use tests::{Learner, course, shuffle, two_at_a_time};

fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(course().join("tests/checks")).expect("tests/checks").flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn name(folder: &Path) -> String {
    folder.file_name().expect("a name").to_string_lossy().into_owned()
}

fn inside(folder: &Path, begins: &str) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(begins)).count()
}

#[test]
fn every_kind_has_a_solution_a_mistake_a_cheat_and_its_limits() {
    let kinds: BTreeSet<String> = Kind::all().map(|kind| kind.name.to_owned()).collect();
    let proven: BTreeSet<String> = folders().iter().map(|folder| name(folder)).collect();
    assert_eq!(kinds, proven, "kinds of check, and folders in tests/checks");
    for folder in folders() {
        assert!(inside(&folder.join("solutions"), "") >= 1, "{} has no solution", name(&folder));
        assert!(inside(&folder.join("wrong"), "mistake-") >= 1, "{} has no mistake", name(&folder));
        assert!(inside(&folder.join("wrong"), "cheat-") >= 1, "{} has no cheat", name(&folder));
    }
}

#[test]
fn recorded_evidence_is_judged_right_at_the_limits_without_docker() {
    for folder in folders() {
        let cases = limits::replay(&course(), &folder).unwrap_or_else(|fault| panic!("{}: {fault}", name(&folder)));
        let verdicts: BTreeSet<&str> = cases.iter().map(|case| case.wanted.as_str()).collect();
        assert!(verdicts.contains("pass") && verdicts.len() > 1, "{}: limits.toml has {verdicts:?}", name(&folder));
        let wrong: Vec<_> = cases.iter().filter(|case| case.got != case.wanted).collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", name(&folder));
    }
}

#[test]
fn submissions_pass_and_fail_as_their_folders_say() {
    let mut folders = folders();
    shuffle(&mut folders);
    // One home for all: what lies in a base image's layers is read once.
    let learner = Learner::with_solution("nodemon-stock-user");
    let failed = two_at_a_time(folders, |folder| {
        let ended = learner.grader(&["dev", "check", &folder.display().to_string(), "--offline"]);
        if ended.code == 0 { Vec::new() } else { vec![ended.all()] }
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
