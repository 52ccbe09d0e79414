//! What is read, what is refused, and what Compose is given.

use super::super::Canonical;
use super::read;

fn canonical(text: &str) -> String {
    Canonical::of_all(&read(text).expect("YAML")).expect("small").text
}

fn mistake(text: &str) -> (usize, String) {
    let mistake = match read(text) {
        Ok(documents) => Canonical::of_all(&documents).expect_err("a mistake"),
        Err(mistake) => mistake,
    };
    assert!(!mistake.why.is_empty());
    (mistake.line, mistake.what)
}

#[test]
fn texts_are_quoted_and_numbers_are_not() {
    let text = "\u{feff}a: x y\nb: 8080\nc: '8080'\nd: !!str 1\ne:\nf: |\n  1\n  2\n\"g\" : [yes, 'no', {h: 010}]\ni: \"\\N\\\"\\\\\"\n";
    let wanted = "\"a\": \"x y\"\n\"b\": 8080\n\"c\": \"8080\"\n\"d\": \"1\"\n\"e\": null\n\"f\": \"1\\n2\\n\"\n\"g\":\n - yes\n - \"no\"\n -\n  \"h\": 010\n\"i\": \"\\u0085\\\"\\\\\"\n";
    assert_eq!(canonical(text), wanted);
}

#[test]
fn aliases_and_merge_keys_are_written_out_as_compose_resolves_them() {
    let text = "a: &a {x: 1, y: 2}\nb: &b {x: 3, z: 4}\nc:\n  <<: [*a, *b]\n  y: 5\nd: *a\n'<<': 6\n";
    let wanted = "\"a\":\n \"x\": 1\n y: 2\n\"b\":\n \"x\": 3\n \"z\": 4\n\"c\":\n y: 5\n \"x\": 1\n \"z\": 4\n\"d\":\n \"x\": 1\n y: 2\n\"<<\": 6\n";
    assert_eq!(canonical(text), wanted);
}

#[test]
fn a_file_may_end_within_a_block_of_text() {
    for (text, wanted) in [
        ("a: |\n  x", "x"),
        ("a: |+\n  x", "x"),
        ("a: |-\n  x", "x"),
        ("a: >\n  x\n  y", "x y"),
        ("a: |\n  x\n", "x\\n"),
        ("a: |\n  x\n\n  ", "x\\n"),
        ("a: |\n  x\n# c", "x\\n"),
        ("a: |", ""),
        ("a: >-", ""),
    ] {
        assert_eq!(canonical(text), format!("\"a\": \"{wanted}\"\n"), "{text:?}");
    }
}

#[test]
fn documents_stay_apart_and_keep_their_lines() {
    let text = "# first\n---\na: 1\n---\n# second\nb: !reset\n...\n";
    let documents = read(text).expect("YAML");
    let canonical = Canonical::of_all(&documents).expect("small");
    assert_eq!(canonical.text, "\"a\": 1\n---\n\"b\": !reset null\n");
    assert_eq!([1, 2, 3].map(|line| canonical.line(line)), [Some(3), Some(6), Some(6)]);
    assert!(read("# nothing\n").is_ok_and(|documents| documents.is_empty()));
}

#[test]
fn tags_of_compose_stay() {
    assert_eq!(
        canonical("a: !reset\nb: !override [x]\nc: !reset []\n"),
        "\"a\": !reset null\n\"b\": !override\n - \"x\"\n\"c\": !reset []\n"
    );
}

#[test]
fn what_compose_takes_is_taken() {
    for text in [
        "a:\t1\t# c\n",
        "a: {\n b: c,\nd: 'e'\n}\n",
        "a:\n  b: \"c\n d\"\n",
        "%YAML 1.1\n---\na: 1\n...\n",
        "? a\n: b\n",
        "a: 'b'# c\n",
        "a: [b, c,]\n",
        "a: 1\r\nb: 2\r\n",
    ] {
        assert!(read(text).is_ok_and(|documents| documents.len() == 1), "{text:?}: {:?}", read(text));
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused_with_its_line() {
    for (text, line, what) in [
        ("a: 1\n!!binary ZW52: 2\n", 2, "the tag `!!binary`"),
        ("a: 1\nb: !!binary ZW52\n", 2, "the tag `!!binary`"),
        ("%TAG !e! tag:yaml.org,2002:\n---\na: !e!binary ZW52\n", 3, "the tag `!!binary`"),
        ("a: ! 1\n", 1, "the tag `!`"),
        ("a: &x b\n*x : c\n", 2, "in the place of a key"),
        ("? [a]\n: b\n", 1, "in the place of a key"),
        ("? {a: b}\n: b\n", 1, "in the place of a key"),
        ("a: 1\nb: 2\n\"a\": 3\n", 3, "the key `a` twice in one place, in lines 1 and 3"),
        ("<<: {a: 1}\n<<: {a: 2}\n", 2, "twice"),
        ("a: &x 1\n---\nb: *x\n", 3, "without an anchor"),
        ("a: &a [*a]\n", 1, "without an anchor"),
        ("a: b\n<<: c\n", 2, "no mapping"),
        ("a: 1\n# \u{2028} b: 2\n", 2, "U+2028"),
        ("a: \"\u{85}\"\n", 1, "U+0085"),
        ("a: b\n c: d\n", 2, "not valid YAML"),
    ] {
        let found = mistake(text);
        assert!(found.0 == line && found.1.contains(what), "{text:?}: {found:?}");
    }
}

#[test]
fn nothing_grows_without_bound() {
    let laughs: String =
        (1..9).map(|n| format!("x{n}: &x{n} [{}]\n", vec![format!("*x{}", n - 1); 10].join(", "))).collect();
    assert!(mistake(&format!("x0: &x0 ha\n{laughs}")).1.contains("more than 300 kB"));
    let long = format!("a: &a '{}'\nb: [{}]\n", "y".repeat(200_000), vec!["*a"; 3_000].join(", "));
    assert!(mistake(&long).1.contains("more than 300 kB"));
    assert!(mistake(&format!("a: {}1{}", "[".repeat(60), "]".repeat(60))).1.contains("more than 50 levels"));
    let nested: String = (1..60).map(|n| format!("x{n}: &x{n} [*x{}]\n", n - 1)).collect();
    assert!(mistake(&format!("x0: &x0 ha\n{nested}")).1.contains("more than 50 levels"));
    let many: String = (0..2_000).map(|n| format!(" k{n}: 1\n")).collect();
    let merges = format!("a: &a\n{many}b: {{<<: [{}]}}\n", vec!["*a"; 100].join(", "));
    assert!(mistake(&merges).1.contains("merges more than"));
    assert!(mistake(&"- a\n".repeat(30_000)).1.contains("more than 20,000 keys"));
    assert!(mistake(&format!("{}: 1\n", "k".repeat(600))).1.contains("a key of"));
}

#[test]
fn each_line_knows_where_it_comes_from() {
    let root = read("a: &a\n  b: 1\n\n# c\nd:\n  <<: *a\n  e: [1,\n   2]\n").expect("YAML").remove(0);
    let canonical = Canonical::of(&root).expect("small");
    let lines: Vec<_> = (1..=8).map_while(|line| canonical.line(line)).collect();
    assert_eq!(lines, [1, 2, 5, 7, 7, 8, 2], "{}", canonical.text);
}

#[test]
fn a_question_mark_that_begins_a_key_for_compose_only_is_refused() {
    for text in ["a: [b, c\n  ? d\n]", "a: [b ? c]", "a: {b: c? }"] {
        assert!(mistake(text).1.contains("question mark"), "{text}");
    }
    for text in ["a: [what?, \"b ? c\"]", "a: b ? c", "a: [what?]", "a:\n - b ? c"] {
        assert!(!canonical(text).is_empty(), "{text}");
    }
}
