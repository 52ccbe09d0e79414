//! Runs one fuzzing target for a while: `cargo run --release -p tests --bin fuzz -- dockerfile 60`.
//!
//! See tests/fuzz/README.md.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use tests::fuzz::{TARGETS, Until, compose, dockerignore};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).chain(["dockerignore", "compose"]).collect();
    let [name, minutes, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: fuzz {} MINUTES [NUMBER]", names.join("|"));
        return ExitCode::FAILURE;
    };
    let time = Duration::from_secs(60 * minutes.parse::<u64>().expect("minutes"));
    let chance = || SystemTime::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_secs());
    let number = rest.first().map_or_else(chance, |number| number.parse().expect("a number"));
    let found = PathBuf::from("target/fuzz");
    std::fs::create_dir_all(&found).expect("a folder for what is found");
    println!("{name}, number {number}; an input at which something does not hold goes to {}", found.display());
    if let Some(target) = TARGETS.iter().find(|target| target.name == name) {
        println!("{} inputs", target.go(number, Until::Passed(time), Some(&found)));
    } else if name == "dockerignore" {
        let begun = Instant::now();
        let dir = tempfile::tempdir().expect("folder");
        for round in (number..).take_while(|_| begun.elapsed() < time) {
            dockerignore::go(dir.path(), round, 100);
        }
    } else if name == "compose" {
        let begun = Instant::now();
        let mut inputs = 0;
        for round in (number..).take_while(|_| begun.elapsed() < time) {
            let wrong = compose::go(round, 100);
            inputs += 100;
            if !wrong.is_empty() {
                std::fs::write(found.join(format!("compose-{round}")), wrong.join("\n=====\n")).expect("written");
                eprintln!("{} of the inputs of round {round}:\n{}", wrong.len(), wrong.join("\n=====\n"));
                return ExitCode::FAILURE;
            }
        }
        println!("{inputs} inputs");
    } else {
        eprintln!("no target {name}; there are {}", names.join(", "));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
