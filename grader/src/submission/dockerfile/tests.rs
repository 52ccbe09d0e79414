//! What is read out of whole texts.

use super::*;

const TEXT: &str = "# syntax=x\nFROM --platform=linux/amd64 node:22 AS Base\nRUN a && \\\n  # why\n    b\n\nRUN <<EOF\nUSER root\nEOF\nFROM base AS production\nuser node\n";

fn shown(text: &str, reading: Reading) -> Vec<String> {
    let instructions = Dockerfile::read(text, reading).instructions;
    instructions.iter().map(|i| format!("{} {}", i.name, i.arguments).trim().to_owned()).collect()
}

/// Without `FROM`, which is put in front, as today's BuildKit reads it.
fn after_from(text: &str) -> Vec<String> {
    shown(&format!("FROM a\n{text}"), Reading::Newer).split_off(1)
}

#[test]
fn continued_lines_and_comments_belong_to_one_instruction() {
    let file = Dockerfile::parse(TEXT);
    let run = &file.instructions[1];
    assert_eq!((run.name.as_str(), run.arguments.as_str(), run.line), ("RUN", "a && b", 3));
    assert_eq!(after_from("RUN a \\\r\n\r\n  # why\r\n  b\r\nUSER c\r\n"), ["RUN a b", "USER c"]);
    assert_eq!(after_from("# a \\\nUSER b"), ["USER b"], "a comment has no next line");
    assert_eq!(after_from("RUN a \\"), ["RUN a"], "the file ends");
}

#[test]
fn two_of_them_at_the_end_of_a_line_continue_nothing() {
    assert_eq!(after_from("RUN echo a\\\\\nUSER b\n"), ["RUN echo a\\\\", "USER b"]);
    assert_eq!(after_from("\\\nUSER b\n"), ["USER b"], "one alone");
}

#[test]
fn halves_of_a_word_and_another_escape_character_hide_nothing() {
    let text = "\u{feff}# escape=`\nFROM a\nRU`\nN --netw`  \nork=host x\nCMD <<E\nRUN b\nE\n";
    assert_eq!(shown(text, Reading::Newer), ["FROM a", "RUN --network=host x", "CMD <<E", "RUN b", "E"]);
    assert_eq!(Dockerfile::parse(text).instructions[1].flags, ["--network=host"]);
}

#[test]
fn a_here_document_ends_with_its_word_in_each_spelling() {
    for (begins, ends) in [
        ("PY_APP", "PY_APP"),
        ("_EOF_", "_EOF_"),
        ("'END-1'", "END-1"),
        ("\"A B\"", "A B"),
        ("\\EOT", "EOT"),
        ("E\"O\"F", "EOF"),
        ("-EOF", "\t\tEOF"),
        ("-'E.1'", "\tE.1"),
    ] {
        let text = format!("RUN <<{begins}\nADD x\n {ends}\n{ends} \n{ends}\nUSER b\n");
        assert_eq!(after_from(&text).last().map(String::as_str), Some("USER b"), "{begins}");
        assert_eq!(after_from(&text).len(), 2, "{begins}");
        let run = &Dockerfile::parse(&format!("FROM a\n{text}")).instructions[1];
        assert_eq!((run.documents[0].body.len(), run.documents[0].line), (3, 3), "{begins}");
    }
}

#[test]
fn several_follow_each_other_and_a_number_may_stand_before_one() {
    let text = "COPY <<a <<b 3<<c /x/\nUSER 1\na\nUSER 2\nb\nUSER 3\nc\nUSER 4\n";
    assert_eq!(after_from(text)[1..], ["USER 4"]);
    let bodies = Dockerfile::parse(&format!("FROM x\n{text}")).instructions[1].documents.clone();
    assert_eq!(bodies.iter().map(|one| one.body.concat()).collect::<Vec<_>>(), ["USER 1", "USER 2", "USER 3"]);
}

#[test]
fn what_only_looks_like_a_here_document_hides_nothing() {
    for line in [
        "RUN echo \"usage: tool <<EOF\" > /usage",
        "RUN echo 'a <<EOF b'",
        "RUN echo \\<<EOF",
        "RUN cat<<EOF",
        "RUN cat <<<EOF",
        "RUN [\"cat\", \"<<EOF\"]",
        "RUN echo \"it's <<EOF",
        "CMD <<EOF",
        "ENV A=<<EOF",
        "ONBUILD CMD <<EOF",
        "RUN echo $(( 1 <<2<3 ))",
        "RUN a \\\n  # <<EOF\n  b",
    ] {
        let text = format!("{line}\nUSER b\nEOF\n");
        assert!(after_from(&text).contains(&"USER b".to_owned()), "{line}");
    }
}

#[test]
fn what_is_kept_for_later_may_have_one() {
    assert_eq!(after_from("ONBUILD RUN <<EOF\nUSER a\nEOF\nUSER b\n")[1..], ["USER b"]);
    assert_eq!(after_from("onbuild copy <<EOF /x\nUSER a\nEOF\nUSER b\n")[1..], ["USER b"]);
    let file = Dockerfile::parse("# escape=`\nFROM a\nONBUILD RUN --net\\work=host x\n");
    let kept = file.instructions[1].kept_for_later(file.escape, Reading::Newer);
    let flags: Vec<_> = kept.iter().map(|one| (one.name.as_str(), one.flags.concat(), one.line)).collect();
    assert_eq!(flags, [("RUN", "--net\\work=host".into(), 3), ("RUN", "--network=host".into(), 3)]);
}

#[test]
fn engines_differ_in_a_few_spellings_and_both_readings_are_had() {
    for (line, newer) in [("RUN cat << EOF", true), ("RUN [\"a\"] <<EOF", true), ("RUN cat <<EOF", false)] {
        let text = format!("FROM a\n{line}\nUSER b\nEOF\n");
        let of = |reading| shown(&text, reading).contains(&"USER b".to_owned());
        assert_eq!((of(Reading::Newer), of(Reading::Older)), (false, newer), "{line}");
        assert_eq!(Dockerfile::readings(&text).len(), if newer { 2 } else { 1 }, "{line}");
    }
}

#[test]
fn what_stands_in_a_here_document_is_no_instruction() {
    let file = Dockerfile::parse(TEXT);
    let names: Vec<_> = file.instructions.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["FROM", "RUN", "RUN", "FROM", "USER"]);
}

#[test]
fn words_come_from_a_list_or_from_blanks() {
    let words = |text: &str| Dockerfile::parse(text).instructions[0].words();
    assert_eq!(words("VOLUME [\"\\u002fsys\", \"/a b\"]"), ["/sys", "/a b"]);
    assert_eq!(words("VOLUME /a  /b"), ["/a", "/b"]);
    assert_eq!(words("COPY --from=x [\"a\", \"b\"]"), ["a", "b"]);
}

#[test]
fn an_instruction_is_found_in_its_stage_or_the_one_below() {
    let file = Dockerfile::parse(TEXT);
    assert_eq!(file.last_in_lineage("production", "USER").map(|i| i.line), Some(11));
    assert_eq!(file.last_in_lineage("production", "RUN").map(|i| i.line), Some(7));
    assert_eq!(file.last_in_lineage("base", "USER"), None);
    assert_eq!(file.last_in_lineage("nowhere", "USER"), None);
}

#[test]
fn a_lineage_begins_with_the_lowest_stage_and_leaves_other_stages_out() {
    let text = "ARG A=1\nFROM x AS low\nRUN a\nFROM low AS other\nRUN b\nFROM low AS High\nCOPY c d\n";
    let file = Dockerfile::parse(text);
    let names = |target| file.lineage(target).into_iter().map(|i| i.arguments.clone()).collect::<Vec<_>>();
    assert_eq!(names("high"), ["a", "c d"]);
    assert_eq!(names(""), ["a", "c d"]);
    assert_eq!(names("low"), ["a"]);
    assert!(names("nowhere").is_empty());
    let own_name = Dockerfile::parse("FROM node AS node\nRUN a\n");
    assert_eq!(own_name.lineage("node").len(), 1);
}

#[test]
fn the_base_of_a_stage_is_named_without_flags() {
    assert_eq!(Dockerfile::parse(TEXT).instructions[0].base(), Some("node:22"));
}
