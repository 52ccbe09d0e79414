//! `grader dev transcripts`: what a lesson's page shows is run against the daemon and compared.
//!
//! Owns: which pages and questions are run, how a difference is told, and writing what was printed
//! into the page (`--bless`). Must not: allow a page an exception.
//!
//! A page publishes its own ports (`80NN`, `92NN`, `54NN`, `93NN` for lesson NN). If a program on
//! this machine has one, or if somebody is reading the page at this moment, the run says so; it
//! touches nothing that was there before.

mod shell;
mod tables;

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use snapbox::Data;
use snapbox::filter::NormalizeToExpected;
use snapbox::report::{Palette, write_diff};

use crate::course::blocks::{self, Step};
use crate::course::page;
use crate::course::quiz::Quiz;
use crate::course::{Course, CourseError};
use crate::fault::Fault;
use crate::sandbox::wait::since;
use crate::verdict::millis;
use shell::Did;
use tables::{Names, Tables};

/// For one command, milliseconds of a quiet machine. The slowest ones build an image or start a stack.
const LIMIT_MS: u64 = 120_000;

/// Runs the pages of all lessons, or of one; `Ok(true)` when they print what they show.
pub async fn run(course: &Course, lesson: Option<&str>, bless: bool, out: &mut dyn Write) -> Result<bool, Fault> {
    let alone = lock_file()?;
    alone.lock().map_err(Fault::file("the lock of pages"))?;
    let mut all_well = true;
    for path in pages(course, lesson)? {
        let begun = Instant::now();
        let told = transcript(course, &path, bless).await?;
        all_well &= told.differences.is_empty();
        let mut text = format!(
            "{}  {}: {} commands, {} predictions, {}\n",
            if told.differences.is_empty() { "ok   " } else { "WRONG" },
            shown(course, &path),
            told.commands,
            told.predictions,
            millis(since(begun)),
        );
        if !told.differences.is_empty() {
            text.push_str("\nThe first difference may be the cause of the others.\n\n");
            text.push_str(&told.differences.join("\n"));
        }
        if told.blessed > 0 {
            let _ =
                writeln!(text, "\n{} outputs were written into the page; read them before you commit.", told.blessed);
        }
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Fault::file("standard output"))?;
    }
    Ok(all_well)
}

/// What became of one page.
struct Told {
    commands: usize,
    predictions: usize,
    differences: Vec<String>,
    blessed: usize,
}

async fn transcript(course: &Course, path: &Path, bless: bool) -> Result<Told, Fault> {
    let text = std::fs::read_to_string(path).map_err(Fault::file(path))?;
    let name = shown(course, path);
    let steps = blocks::steps(&text)
        .map_err(|(line, problem)| Fault::Usage { message: format!("{name}:{line}: {problem}") })?;
    let predictions = predictions(course, path)?;
    let tables = Tables::lay(&name, Names::of(steps.iter().chain(predictions.iter().flatten())))?;
    let mut told = Told { commands: steps.len(), predictions: predictions.len(), differences: Vec::new(), blessed: 0 };
    let mut blessing = Vec::new();
    for (index, shell) in std::iter::once(&steps).chain(&predictions).enumerate() {
        for (step, did) in shell.iter().zip(&shell::run(shell, LIMIT_MS).await?) {
            told.differences.extend(difference(&name, step, did));
            if index == 0 && did.status == Some(0) && blocks::can_show(&did.output) {
                blessing.push((step, normalized(step, did)));
            }
        }
    }
    // After a command that failed, clean-up may have nothing to hold on to: the first difference
    // is the one to look at.
    let left = tables.left();
    if !left.is_empty() {
        told.differences.push(format!("{name} leaves behind: {}\n(what it names is removed now)\n", left.join(", ")));
    }
    drop(tables);
    if bless {
        let (new, blessed) = blocks::with_outputs(&text, &blessing);
        told.blessed = blessed;
        std::fs::write(path, new).map_err(Fault::file(path))?;
    }
    Ok(told)
}

/// The commands that confirm the page's predictions, each in a shell of its own.
fn predictions(course: &Course, path: &Path) -> Result<Vec<Vec<Step>>, CourseError> {
    let quiz = Quiz::load(&course.root, path)?;
    let of = |question: crate::course::quiz::Question| {
        let line = question.line;
        question.commands.into_iter().map(move |command| {
            vec![Step { line, program: command.program, expect: command.expect + "\n", shown: 0..0 }]
        })
    };
    Ok(quiz.questions.into_iter().flat_map(of).collect())
}

/// Pages run alone on a machine: a page looks at all that is new in the daemon when it has ended. The
/// file by which that is agreed.
pub fn lock_file() -> Result<File, Fault> {
    let path = std::env::temp_dir().join("grader-transcripts.lock");
    // Readers may share it, whoever made it.
    File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(Fault::file(path))
}

/// The pages of all lessons, or of the named one.
fn pages(course: &Course, lesson: Option<&str>) -> Result<Vec<PathBuf>, Fault> {
    let wanted = lesson.map(|named| course.lesson(named).map(|lesson| lesson.spec.id)).transpose()?;
    let mut files = page::files(course)?;
    files.retain(|file| wanted.as_ref().is_none_or(|wanted| file.id == *wanted));
    let pages: Vec<_> = files.into_iter().map(|file| file.path).collect();
    if pages.is_empty() {
        let folder = course.root.join("book/src");
        let message = format!("there is no page of {} in {}", lesson.unwrap_or("a lesson"), folder.display());
        return Err(Fault::Usage { message });
    }
    Ok(pages)
}

/// A page's path as it is written in messages, so that an editor can open it.
fn shown(course: &Course, path: &Path) -> String {
    path.strip_prefix(&course.root).unwrap_or(path).display().to_string()
}

/// What was printed, with the page's wildcards where they fit.
fn normalized(step: &Step, did: &Did) -> String {
    let expected = Data::text(step.expect.clone());
    NormalizeToExpected::new().redact().normalize(Data::text(did.output.clone()), &expected).to_string()
}

/// How one step's output differs from the page, or how it ended, if not well.
fn difference(page: &str, step: &Step, did: &Did) -> Option<String> {
    let actual = normalized(step, did);
    let place = format!("{page}:{}", step.line);
    let differs = actual != step.expect;
    let mut told = match did.status {
        Some(0) if !differs => return None,
        Some(0) => format!("{place}: another output\n"),
        Some(code) => format!("{place}: exit code {code}, and the page does not say so with `||`\n"),
        None => {
            let limit = millis(LIMIT_MS);
            format!("{place}: did not end within {limit} of a quiet machine, and nothing after it was run\n")
        }
    };
    told.extend(["    ", step.program.lines().next().unwrap_or_default(), "\n"]);
    if differs {
        let (expected, actual) = (Data::text(step.expect.clone()), Data::text(actual));
        // Writing to a string cannot fail.
        let _ = write_diff(&mut told, &expected, &actual, Some(&place), Some(&"here"), Palette::plain());
    }
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn differences(text: &str, limit_ms: u64) -> Vec<String> {
        let steps = blocks::steps(text).expect("steps");
        let did = shell::run(&steps, limit_ms).await.expect("bash");
        steps.iter().zip(&did).filter_map(|(step, did)| difference("page.md", step, did)).collect()
    }

    #[tokio::test]
    async fn a_difference_is_told_with_its_place() {
        let told = differences("# T\n\n```console\n$ echo 650\n6[..]\n$ echo 500\n700\n$ false\n```\n", LIMIT_MS).await;
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("page.md:6") && told[0].contains("700") && told[0].contains("+ 500"), "{}", told[0]);
        assert!(told[1].contains("page.md:8") && told[1].contains("exit code 1"), "{}", told[1]);
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_ended_and_named_and_each_has_a_time_of_its_own() {
        let page = "```console\n$ sleep 1.2\n$ sleep 1.2\n$ sleep 1.2; echo ready\nready\n$ echo waiting; sleep 600\n$ echo done\ndone\n```\n";
        let told = differences(page, 3_000).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("page.md:6") && told[0].contains("did not end") && told[0].contains("waiting"));
    }
}
