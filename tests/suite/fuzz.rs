//! A moment of fuzzing, with the same inputs each time: enough that no target goes stale.

use tests::fuzz::{TARGETS, Until, dockerignore};

/// The seeds and this many inputs made from them are tried; a second or two each.
const INPUTS: u64 = 6_000;

#[test]
fn nothing_that_is_read_makes_a_reader_panic_or_disagree() {
    for target in TARGETS {
        let seeds = target.seeds().len() as u64;
        assert!(seeds > 0, "{} has seeds", target.name);
        assert_eq!(target.go(1, Until::Inputs(seeds + INPUTS), None), seeds + INPUTS, "{}", target.name);
    }
}

#[test]
fn a_build_gets_no_file_that_the_grader_takes_for_hidden() {
    let dir = tempfile::tempdir().expect("folder");
    dockerignore::go(dir.path(), 1, 14);
}
