//! The reader of Dockerfiles, beside `parse-dockerfile`, a parser that others keep.
//!
//! Where both read a text, they must see the same instructions in the same lines. BuildKit's own parser is
//! the judge of what they do not agree on; where the other one is known to differ from it, a text is
//! not compared any further (see [`comparable`]).

use grader::submission::dockerfile::{Dockerfile, Instruction, syntax, without_syntax};
use parse_dockerfile::Instruction as Other;

use super::Target;

/// The target.
pub const TARGET: Target = Target { name: "dockerfile", run, pieces: PIECES };

const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\r\n",
    " ",
    "\t",
    "\\",
    "\\\n",
    "\\\\\n",
    "\\ \n",
    "`",
    "`\n",
    "\"",
    "'",
    "<<EOF",
    "<<-EOF",
    "<< EOF",
    "<<\"A B\"",
    "<<'E'",
    "3<<f",
    "EOF\n",
    "E\n",
    "\tEOF\n",
    "f\n",
    "# syntax=docker/dockerfile:1\n",
    "# escape=`\n",
    "# check=skip=all\n",
    "# a comment\n",
    "#",
    "//",
    "[\"a\", \"b\"]",
    "[\"a\"] ",
    "{",
    "FROM a\n",
    "FROM a AS b\n",
    "RUN ",
    "COPY ",
    "ADD ",
    "ONBUILD ",
    "ONBUILD RUN ",
    "CMD ",
    "ENV A=b\n",
    "ARG A=b\n",
    "USER a\n",
    "VOLUME /a\n",
    "HEALTHCHECK --interval=1s CMD a\n",
    "--mount=type=bind,from=b ",
    "--a=\"b c\" ",
    "-- ",
    "$",
    "${",
    "${x:-",
    "}",
    "\u{feff}",
    "\u{a0}",
    "\u{2028}",
    "\u{e0}",
    "\0",
];

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for file in Dockerfile::readings(text) {
        stands_in_order(text, &file);
    }
    if let Some(without) = without_syntax(text) {
        assert_eq!(syntax(&without), None, "the syntax line is gone");
        assert_eq!(Dockerfile::parse(&without), Dockerfile::parse(text), "and nothing else has changed");
    }
    // Where engines differ, the oracle is with the older ones.
    let readings = Dockerfile::readings(text);
    let is_one = readings.iter().all(|one| one.instructions == readings[0].instructions);
    if is_one
        && is_compared(text)
        && let Ok(other) = parse_dockerfile::parse(text)
    {
        let ours = Dockerfile::parse(text).instructions;
        let until = ours.iter().position(|one| !comparable(one)).unwrap_or(ours.len());
        let ours: Vec<_> = ours.iter().take(until).map(|one| (one.name.clone(), one.line)).collect();
        let theirs: Vec<_> = other.instructions.iter().take(until).map(|one| known_as(text, one)).collect();
        assert_eq!(ours, theirs, "(name, line), ours and those of parse-dockerfile");
    }
}

/// Instructions stand in the order of their lines, and here-documents below their instructions.
fn stands_in_order(text: &str, file: &Dockerfile) {
    let lines = text.split('\n').count();
    let mut before = 0;
    for one in &file.instructions {
        assert!(before < one.line && one.line <= lines, "line {} of {lines} after {before}", one.line);
        before = one.line;
        for document in &one.documents {
            // One that never ends has no lines where the file ends.
            assert!(
                document.line >= before || document.body.is_empty(),
                "a here-document in line {} after {before}",
                document.line
            );
            before = (document.line + document.body.len()).max(before).min(lines);
        }
    }
}

/// Whether `parse-dockerfile` 0.1.9 reads a text as BuildKit does, as far as is known. It takes two escape characters
/// at the end of a line for one, begins no instruction with a lone one, may end an instruction
/// at a comment between its lines, sees no here-document whose `<<` goes over two lines, and knows ASCII's blanks and
/// one carriage return only.
fn is_compared(text: &str) -> bool {
    let is_odd = |c: char| !c.is_ascii() && c.is_whitespace() || matches!(c, '\u{feff}' | '\0' | '\x0b' | '\x0c');
    let doubled = |line: &str| line.trim_end().ends_with("\\\\") || line.trim_end().ends_with("``");
    let lone = |line: &str| ["\\", "`"].contains(&line.trim());
    // BuildKit refuses other escape characters; what is made of them does not matter.
    let refused = |line: &str| {
        let value = line
            .to_lowercase()
            .split_once("escape")
            .map(|(_, rest)| rest.trim_start_matches([' ', '=']).trim().to_owned());
        line.starts_with('#') && value.is_some_and(|value| !["`", "\\"].contains(&value.as_str()))
    };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let goes_on = |line: &str| line.ends_with(['\\', '`']);
    let commented = |two: &[&str]| goes_on(two[0]) && two[1].starts_with('#');
    let parted = |line: &str| goes_on(line) && line.trim_end_matches(['\\', '`']).ends_with('<');
    !text.contains(is_odd)
        && !lines.windows(2).any(commented)
        && !lines.iter().any(|line| parted(line))
        && !text.contains("\r\r")
        && !text.lines().any(|line| doubled(line) || lone(line) || refused(line))
}

/// Whether it reads an instruction as BuildKit does: in `RUN` it knows one here-document only, which must stand first,
/// and none behind `ONBUILD`; an empty instruction (a lone escape character) is none to it.
fn comparable(one: &Instruction) -> bool {
    let has_simple_document = one.name != "ONBUILD" && one.documents.len() == 1 && one.rest.starts_with("<<");
    !one.name.is_empty() && (!one.arguments.contains("<<") || has_simple_document)
}

fn known_as(text: &str, other: &Other<'_>) -> (String, usize) {
    let (name, keyword) = match other {
        Other::Add(one) => ("ADD", &one.add),
        Other::Arg(one) => ("ARG", &one.arg),
        Other::Cmd(one) => ("CMD", &one.cmd),
        Other::Copy(one) => ("COPY", &one.copy),
        Other::Entrypoint(one) => ("ENTRYPOINT", &one.entrypoint),
        Other::Env(one) => ("ENV", &one.env),
        Other::Expose(one) => ("EXPOSE", &one.expose),
        Other::From(one) => ("FROM", &one.from),
        Other::Healthcheck(one) => ("HEALTHCHECK", &one.healthcheck),
        Other::Label(one) => ("LABEL", &one.label),
        Other::Maintainer(one) => ("MAINTAINER", &one.maintainer),
        Other::Onbuild(one) => ("ONBUILD", &one.onbuild),
        Other::Run(one) => ("RUN", &one.run),
        Other::Shell(one) => ("SHELL", &one.shell),
        Other::Stopsignal(one) => ("STOPSIGNAL", &one.stopsignal),
        Other::User(one) => ("USER", &one.user),
        Other::Volume(one) => ("VOLUME", &one.volume),
        Other::Workdir(one) => ("WORKDIR", &one.workdir),
        other => panic!("an instruction that is not known here: {other:?}"),
    };
    (name.to_owned(), text[..keyword.span.start].matches('\n').count() + 1)
}
