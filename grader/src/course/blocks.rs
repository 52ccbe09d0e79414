//! What a page tells the reader to run, and the outputs that it shows.
//!
//! Owns: which blocks are run (`sh` and `console` at the left margin, see book/STYLE.md) and what
//! each command is expected to print. Must not: run anything, or know what commands mean.

use std::ops::Range;

/// Something to run.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The line of the page in which it begins, from 1.
    pub line: usize,
    /// What is given to the shell.
    pub program: String,
    /// What it prints, with `[..]` and `...` for what varies.
    pub expect: String,
    /// The page's lines that show that, from 0; empty where a page cannot show any.
    pub shown: Range<usize>,
}

/// The lines of a block with their indexes in the page.
type Body<'a> = Vec<(usize, &'a str)>;

/// All steps of a page, from top to bottom; or the line with a mistake, and what it is.
pub fn steps(page: &str) -> Result<Vec<Step>, (usize, &'static str)> {
    let mut steps = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((_, opening)) = lines.next() {
        let info = opening.trim_start_matches('`');
        let fence = &opening[..opening.len() - info.len()];
        if fence.len() < 3 {
            continue;
        }
        // A block that shows a block has the longer fence; what is inside is not ours.
        let body: Body = lines.by_ref().take_while(|(_, line)| line.trim_end() != fence).collect();
        match info.trim() {
            "sh" => steps.extend(silent(&body)),
            "console" => steps.extend(typed(&body)?),
            _ => {}
        }
    }
    Ok(steps)
}

/// A block without prompts is copied whole and prints nothing.
fn silent(body: &Body) -> Option<Step> {
    let (first, _) = body.first()?;
    let lines: Vec<&str> = body.iter().map(|(_, line)| *line).collect();
    Some(Step { line: first + 1, program: lines.join("\n"), expect: String::new(), shown: 0..0 })
}

/// A block with prompts: each command, and the lines below it.
fn typed(body: &Body) -> Result<Vec<Step>, (usize, &'static str)> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, line) in body {
        let next = index + 1;
        if let Some(command) = line.strip_prefix("$ ") {
            let program = command.to_owned();
            steps.push(Step { line: next, program, expect: String::new(), shown: next..next });
            continue;
        }
        let Some(step) = steps.last_mut() else { return Err((next, "this output has no command above it")) };
        match line.strip_prefix("> ") {
            // Once there is output, a `> ` is a part of it.
            Some(more) if step.expect.is_empty() => {
                step.program.extend(["\n", more]);
                step.shown = next..next;
            }
            _ => {
                step.expect.extend([line, "\n"]);
                step.shown.end = next;
            }
        }
    }
    Ok(steps)
}

/// Whether a `console` block can show an output: none of its lines looks like a command or a fence.
#[must_use]
pub fn can_show(output: &str) -> bool {
    !output.starts_with("> ") && !output.lines().any(|line| line.starts_with("$ ") || line.starts_with("```"))
}

/// The page with other outputs, and how many of them are new.
#[must_use]
pub fn with_outputs(page: &str, outputs: &[(&Step, String)]) -> (String, usize) {
    let mut lines: Vec<&str> = page.split_inclusive('\n').collect();
    let mut new = 0;
    // From the bottom up, so that the lines above stay where they are.
    for (step, output) in outputs.iter().rev() {
        if *output != step.expect && step.shown.start > 0 {
            lines.splice(step.shown.clone(), output.split_inclusive('\n'));
            new += 1;
        }
    }
    (lines.concat(), new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_with_their_lines_and_outputs() {
        let page = "```sh\ncd a\nls\n```\n\n```console\n$ a \\\n>   b\none\n> two\n$ c\n```\n\n````text\n```sh\nno\n```\n````\n";
        let step = |line, program: &str, expect: &str, shown| Step {
            line,
            program: program.into(),
            expect: expect.into(),
            shown,
        };
        let found =
            [step(2, "cd a\nls", "", 0..0), step(7, "a \\\n  b", "one\n> two\n", 8..10), step(11, "c", "", 11..11)];
        assert_eq!(steps(page).expect("steps"), found);
    }

    #[test]
    fn an_output_without_a_command_is_named_by_its_line() {
        assert_eq!(steps("# T\n```console\nready\n$ a\n```\n").expect_err("line").0, 3);
    }

    #[test]
    fn outputs_are_written_where_they_stand_and_nothing_else_changes() {
        let page = "A\n```console\n$ one\nold\nold\n$ two\n$ three\nsame\n```\nZ\n";
        let steps = steps(page).expect("steps");
        let outputs: Vec<_> = steps.iter().zip(["new\n", "more\n", "same\n"].map(str::to_owned)).collect();
        let blessed = with_outputs(page, &outputs);
        assert_eq!(blessed, ("A\n```console\n$ one\nnew\n$ two\nmore\n$ three\nsame\n```\nZ\n".to_owned(), 2));
        assert!(can_show("a\n> b\n") && !can_show("a\n$ b\n") && !can_show("> b\n"));
    }
}
