//! Compose and the gate read the same files alike: seeds (`fuzz/seeds/compose`), and small changes to them. For longer:
//! `cargo run --release -p tests --bin fuzz -- compose 60`.

use tests::fuzz::compose::{Treated, go, look, seeds};

/// Changed seeds that are looked at. Each costs two runs of Compose.
const CHANGED: u64 = 40;

#[test]
fn compose_reads_the_same_out_of_each_seed_and_out_of_what_it_is_given() {
    for seed in seeds() {
        assert_eq!(look(&seed), Ok(Treated::Same), "{seed}");
    }
}

#[test]
fn what_small_changes_do_to_a_file_they_do_to_what_compose_is_given() {
    let wrong = go(1, CHANGED);
    assert!(wrong.is_empty(), "{} of {CHANGED}:\n{}", wrong.len(), wrong.join("\n=====\n"));
}
