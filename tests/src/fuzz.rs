//! Inputs that nobody wrote: what the grader reads, with pieces put in, taken out and moved.
//!
//! A target is a plain function that takes bytes and panics when something does not hold. The suite runs
//! each for a moment with the same inputs every time (`tests/suite/fuzz.rs`), `cargo run --bin fuzz` for
//! as long as one likes, and cargo-fuzz with its own choice of inputs. See `tests/fuzz/README.md`.

pub mod compose;
pub mod dockerfile;
pub mod dockerignore;
mod mutator;
pub mod quiz;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mutator::Mutator;

/// What is tried.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its folder of seeds.
    pub name: &'static str,
    /// Panics when something does not hold.
    pub run: fn(&[u8]),
    /// Pieces that mean something in such a text.
    pub pieces: &'static [&'static str],
}

/// All targets that need no Docker.
pub const TARGETS: [Target; 2] = [dockerfile::TARGET, quiz::TARGET];

/// When to stop.
#[derive(Clone, Copy)]
pub enum Until {
    /// After so many inputs.
    Inputs(u64),
    /// After this time.
    Passed(Duration),
}

impl Target {
    /// Runs the seeds, then what is made of them. The same `number` makes the same inputs. An input that
    /// makes the target panic is written to `found`, where there is one, before the panic goes on.
    #[must_use]
    pub fn go(&self, number: u64, until: Until, found: Option<&Path>) -> u64 {
        let mut mutator = Mutator::new(self.seeds(), self.pieces, number);
        let begun = Instant::now();
        let mut inputs = 0;
        loop {
            let input = mutator.next_input();
            let outcome = std::panic::catch_unwind(|| (self.run)(&input));
            inputs += 1;
            if let Err(panic) = outcome {
                let file = found.map(|folder| folder.join(format!("{}-{number}-{inputs}", self.name)));
                if let Some(file) = &file {
                    std::fs::write(file, &input).expect("the input can be written");
                }
                let text = String::from_utf8_lossy(&input);
                eprintln!("input {inputs} of {} (number {number}): {text:?}", self.name);
                std::panic::resume_unwind(panic);
            }
            let done = match until {
                Until::Inputs(most) => inputs >= most,
                Until::Passed(time) => begun.elapsed() >= time,
            };
            if done {
                return inputs;
            }
        }
    }

    /// Its seeds, in the order of their names.
    #[must_use]
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        seeds(self.name)
    }
}

/// The files in a folder of seeds, in the order of their names.
#[must_use]
pub fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = crate::course().join("tests/fuzz/seeds").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.into_iter().map(|file| std::fs::read(file).expect("a seed")).collect()
}
