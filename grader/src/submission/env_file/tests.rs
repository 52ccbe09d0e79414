//! What Compose makes of env files (each value here is what `docker compose config` shows for it).

use super::*;

fn values(text: &str) -> Vec<(String, String)> {
    let known = |name: &str| (name == "OUTER").then(|| "outer".to_owned());
    let file = EnvFile::read(text, &known);
    assert_eq!(file.error, None, "{text:?}");
    file.values().into_iter().collect()
}

#[test]
fn each_form_of_a_value_is_read_as_compose_reads_it() {
    for (line, value) in [
        ("K=a b  # rotated in May", "a b"),
        ("K=a#b", "a#b"),
        ("export K=a", "a"),
        ("export\tK = a", "a"),
        ("K: a", "a"),
        ("K='a # b' # c", "a # b"),
        ("K=\"a # b\" # c", "a # b"),
        ("K=\"a\nb\"", "a\nb"),
        ("K='a\nb'", "a\nb"),
        ("K=\"a\\nb\\\"c\\\\\"", "a\nb\"c\\"),
        ("K='a\\nb\\'c'", "a\\nb'c"),
        ("K=\"\\$OUTER\"", "$OUTER"),
        ("K=$OUTER-${OUTER}-$$OUTER", "outer-outer-$OUTER"),
        ("K='$OUTER'", "$OUTER"),
        ("A=1\nK=$A${B:-x}${A:+y}${B-}", "1xy"),
        ("K=${B:-${A:-z}} ${OUTER}", "z outer"),
        ("K=1\nK=2", "2"),
        ("K=", ""),
        ("K=a'b\"", "a'b\""),
        ("K=a\r", "a"),
        ("\u{feff}K=a", "a"),
        ("# c\n\n  K=a", "a"),
        ("K=\"x\\0123\"", "xS"),
        ("K=a$", "a$"),
    ] {
        let found = values(&format!("{line}\n"));
        assert!(found.contains(&("K".into(), value.into())), "{line:?}: {found:?}");
    }
    assert_eq!(values("OUTER\nINNER\n"), [("OUTER".into(), "outer".into())]);
    assert_eq!(values("1K=a\n"), []);
}

#[test]
fn what_cannot_be_read_is_named_with_its_line_and_the_rest_is_read() {
    for (text, line, what) in [
        ("A=1\nB C=2\nK=a\n", 2, "space"),
        ("A=1\n\n!x=2\nK=a\n", 3, "no name"),
        ("K=a\nB=${\n", 2, "filled in"),
        ("K=a\nB=${X:?give me X}\n", 2, "give me X"),
        ("K=a\nB='x\n", 2, "no end"),
    ] {
        let file = EnvFile::read(text, &|_| None);
        let error = file.error.clone().expect("an error");
        assert!(error.line == line && error.what.contains(what), "{text:?}: {error:?}");
        assert_eq!(file.values().get("K").map(String::as_str), Some("a"), "{text:?}");
    }
}

#[test]
fn values_do_not_grow_without_bound() {
    let error = |text: &str| EnvFile::read(text, &|_| None).error.map(|error| error.what).unwrap_or_default();
    assert!(error(&"A=1\n".repeat(6_000)).contains("more than 5000 variables"));
    let nested = format!("A={}{}\n", "${B:-".repeat(100_000), "}".repeat(100_000));
    assert!(error(&nested).contains("within each other"));
    let doubled: String = (1..60).map(|n| format!("A{n}=$A{0}$A{0}\n", n - 1)).collect();
    let file = EnvFile::read(&format!("A0=ha\n{doubled}"), &|_| None);
    assert!(file.error.is_some_and(|error| error.what == GROWN));
}

#[test]
fn each_assignment_knows_what_says_it() {
    let text = "# x\nexport K='a\nb' # c\nL=1 # d\n";
    let file = EnvFile::read(text, &|_| None);
    let said: Vec<&str> = file.assignments.iter().map(|one| &text[one.span.clone()]).collect();
    assert_eq!(said, ["export K='a\nb'", "L=1 # d"]);
}

#[test]
fn what_is_written_is_read_as_it_was() {
    for value in ["a b # c", "$A ${B} $$", "\\", "\\\"", "\"'", "a\nb\r\n", "\\n", "\\0123", "", " x ", "\\$A"] {
        let variables = BTreeMap::from([("K".to_owned(), value.to_owned()), ("L".to_owned(), "z".to_owned())]);
        let file = EnvFile::read(&written(&variables), &|_| Some("outer".into()));
        assert_eq!((file.values(), file.error), (variables, None), "{value:?}");
    }
}

#[test]
fn one_variable_is_set_anew_and_the_rest_stays() {
    for (text, wanted) in [
        ("# c\nA=1\nK=old # c\nB=2", "# c\nA=1\nK=new\nB=2\n"),
        ("export K=\"old\nolder\" # c\n", "K=new # c\n"),
        ("K: old\nK=older\n", "K=new\nK=new\n"),
        ("A=1\n", "A=1\nK=new\n"),
        ("!\nK=old\n", "!\nK=new\n"),
        ("", "K=new\n"),
    ] {
        assert_eq!(with(text, "K", "new"), wanted, "{text:?}");
    }
}
