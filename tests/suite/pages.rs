//! What a lesson's page shows is true: its blocks and its predictions are run against the daemon.
//!
//! Owns: which pages and questions are run, and how a difference is told. Must not: change what a
//! page says before it is run, or allow a page an exception.
//!
//! A page publishes its own ports (`80NN`, `92NN`, `54NN`, `93NN` for lesson NN), which nothing
//! else in the suite takes. If a program on this machine has one, or if somebody is reading the
//! page at this moment, the test fails and says so; it touches nothing that was there before.

mod page;
mod shell;
mod tables;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use grader::course::quiz::Quiz;
use snapbox::Data;
use snapbox::filter::NormalizeToExpected;
use snapbox::report::{Palette, write_diff};
use tests::course;

use page::Step;
use shell::{Did, run};
use tables::{Names, Tables};

/// Pages run one after the other: each looks at all that is new in the daemon when it has ended.
static DAEMON: Mutex<()> = Mutex::new(());

/// For one shell. Lesson 36 takes a minute, and on a busy machine several.
const LIMIT: Duration = Duration::from_secs(600);

#[test]
fn blocks_print_what_the_page_says() {
    for path in pages() {
        let text = std::fs::read_to_string(&path).expect("page");
        let steps = page::steps(&text);
        assert!(!steps.is_empty(), "{} has no block to run", path.display());
        confirm(&shown(&path), &[steps]);
    }
}

#[test]
fn predictions_come_true() {
    for path in pages() {
        let quiz = Quiz::load(&course(), &path).unwrap_or_else(|error| panic!("{error}"));
        let confirmations = quiz.questions.into_iter().flat_map(|question| {
            let step = move |command: grader::course::quiz::Confirmation| {
                vec![Step { line: question.line, program: command.program, expect: command.expect + "\n" }]
            };
            question.commands.into_iter().map(step)
        });
        confirm(&shown(&path), &confirmations.collect::<Vec<_>>());
    }
}

#[test]
fn a_difference_is_told_with_its_place() {
    let steps = page::steps("# T\n\n```console\n$ echo 650\n6[..]\n$ echo 500\n700\n$ false\n```\n");
    let told = differences("page.md", &steps, LIMIT);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("page.md:6") && told[0].contains("700") && told[0].contains("+ 500"), "{}", told[0]);
    assert!(told[1].contains("page.md:8") && told[1].contains("exit code 1"), "{}", told[1]);
}

#[test]
fn a_shell_that_hangs_is_ended_and_its_last_command_named() {
    let steps = page::steps("```console\n$ echo ready\nready\n$ echo waiting; sleep 60\n$ echo done\ndone\n```\n");
    let told = differences("page.md", &steps, Duration::from_secs(1));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("page.md:4") && told[0].contains("did not end") && told[0].contains("waiting"));
}

/// The pages of all lessons.
fn pages() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(course().join("book/src")).expect("the book").flatten();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut pages: Vec<_> = entries.map(|entry| entry.path()).collect();
    pages.retain(|path| name(path).starts_with("lesson") && path.extension().is_some_and(|end| end == "md"));
    pages.sort();
    assert!(!pages.is_empty(), "there are no lessons");
    pages
}

/// A page's path as it is written in messages, so that an editor can open it.
fn shown(path: &Path) -> String {
    path.strip_prefix(course()).unwrap_or(path).display().to_string()
}

/// Runs each list of steps in a shell of its own; nothing may differ, and nothing may stay.
fn confirm(page: &str, shells: &[Vec<Step>]) {
    let _daemon = DAEMON.lock().unwrap_or_else(PoisonError::into_inner);
    let tables = Tables::lay(page, Names::of(shells.iter().flatten()));
    let mut told: Vec<String> = shells.iter().flat_map(|steps| differences(page, steps, LIMIT)).collect();
    // After a command that failed, clean-up may have nothing to hold on to: the first difference
    // is the one to look at.
    let left = tables.left();
    if !left.is_empty() {
        told.push(format!("{page} leaves behind: {}\n(what it names is removed now)\n", left.join(", ")));
    }
    drop(tables);
    assert!(told.is_empty(), "the first difference may be the cause of the others\n\n{}", told.join("\n"));
}

/// Runs the steps in one shell and tells where they did not do what is expected.
fn differences(page: &str, steps: &[Step], limit: Duration) -> Vec<String> {
    let programs: Vec<&str> = steps.iter().map(|step| step.program.as_str()).collect();
    let done = run(&programs, limit);
    steps.iter().zip(&done).filter_map(|(step, did)| difference(&format!("{page}:{}", step.line), step, did)).collect()
}

/// How one step's output differs from the page, or how it ended, if not well.
fn difference(place: &str, step: &Step, did: &Did) -> Option<String> {
    let expected = Data::text(step.expect.clone());
    let actual = NormalizeToExpected::new().redact().normalize(Data::text(did.output.clone()), &expected);
    let differs = actual.to_string() != step.expect;
    let mut told = match did.status {
        Some(0) if !differs => return None,
        Some(0) => format!("{place}: another output\n"),
        Some(code) => format!("{place}: exit code {code}, and the page does not say so with `||`\n"),
        None => format!("{place}: did not end, and nothing after it was run\n"),
    };
    told.extend(["    ", step.program.lines().next().unwrap_or_default(), "\n"]);
    if differs {
        let written = write_diff(&mut told, &expected, &actual, Some(&place), Some(&"here"), Palette::plain());
        written.expect("a string takes it");
    }
    Some(told)
}
