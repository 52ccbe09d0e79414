//! Finds what a page tells the reader to run.
//!
//! Owns: which blocks are run (`sh` and `console` at the left margin, see book/STYLE.md) and what
//! each command is expected to print. Must not: run anything, or know what commands mean.

/// Something to run.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The line of the page in which it begins, from 1.
    pub line: usize,
    /// What is given to the shell.
    pub program: String,
    /// What it prints, with `[..]` and `...` for what varies.
    pub expect: String,
}

/// The lines of a block with their indexes in the page.
type Body<'a> = Vec<(usize, &'a str)>;

/// All steps of a page, from top to bottom.
pub fn steps(page: &str) -> Vec<Step> {
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
            "console" => steps.extend(typed(&body)),
            _ => {}
        }
    }
    steps
}

/// A block without prompts is copied whole and prints nothing.
fn silent(body: &Body) -> Option<Step> {
    let (first, _) = body.first()?;
    let lines: Vec<&str> = body.iter().map(|(_, line)| *line).collect();
    Some(Step { line: first + 1, program: lines.join("\n"), expect: String::new() })
}

/// A block with prompts: each command, and the lines below it.
fn typed(body: &Body) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, line) in body {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: index + 1, program: command.to_owned(), expect: String::new() });
            continue;
        }
        let step = steps.last_mut().unwrap_or_else(|| panic!("line {}: this output has no command", index + 1));
        match line.strip_prefix("> ") {
            // Once there is output, a `> ` is a part of it.
            Some(more) if step.expect.is_empty() => step.program.extend(["\n", more]),
            _ => step.expect.extend([line, "\n"]),
        }
    }
    steps
}

#[test]
fn commands_are_found_with_their_lines_and_outputs() {
    let page =
        "```sh\ncd a\nls\n```\n\n```console\n$ a \\\n>   b\none\n> two\n$ c\n```\n\n````text\n```sh\nno\n```\n````\n";
    let step = |line, program: &str, expect: &str| Step { line, program: program.into(), expect: expect.into() };
    assert_eq!(steps(page), [step(2, "cd a\nls", ""), step(7, "a \\\n  b", "one\n> two\n"), step(11, "c", "")]);
}
