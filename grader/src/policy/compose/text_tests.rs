//! What reaches Compose, and what does not.

use super::*;

fn stack(files: &[(&str, &[u8])]) -> (ComposeText, Vec<Refusal>) {
    let dir = tempfile::tempdir().expect("folder");
    for (name, bytes) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        std::fs::write(path, bytes).expect("write");
    }
    let spec: StackSpec = toml::from_str("name = 's'\nfiles = ['c.yml']\nenv = { TAG = 'v1' }").expect("spec");
    read(&spec, &Submission::at(dir.path()))
}

fn refused(files: &[(&str, &[u8])]) -> String {
    let (_, refusals) = stack(files);
    let shown: Vec<String> = refusals.into_iter().map(|refusal| refusal.what).collect();
    shown.join("; ")
}

#[test]
fn paths_are_followed_from_the_file_that_names_them() {
    let dir = tempfile::tempdir().expect("folder");
    let submission = Submission::at(dir.path());
    assert_eq!(below(&submission, "a", "../x.env"), Ok("x.env".into()));
    for bad in ["../../x", "/etc/passwd", "~/x", "${X}/y", "https://x/y", "github.com/x/y", "c/../../../x"] {
        assert!(below(&submission, "a", bad).is_err(), "{bad}");
    }
}

#[test]
fn what_is_reached_through_several_files_is_read_whole() {
    let (text, refusals) = stack(&[
        ("c.yml", b"services:\n  a: {extends: {file: d/e.yml, service: b}}\n"),
        ("d/e.yml", b"services:\n  b: {extends: {file: ../f.yml, service: c}, env_file: g.env}\n"),
        ("d/g.env", b"A=1\n"),
        ("f.yml", b"services:\n  c: {image: x, label_file: ./l}\n"),
        ("l", b"b=2\n"),
    ]);
    assert_eq!(refusals, []);
    let files: Vec<&str> = text.files().map(|(path, _)| path).collect();
    assert_eq!(files, ["c.yml", "d/e.yml", "f.yml", "d/g.env", "l"]);
}

#[test]
fn what_the_gate_cannot_read_does_not_reach_compose() {
    let main: &[u8] = b"services:\n  a: {extends: {file: e.yml, service: b}}\n";
    let wide: Vec<u8> = "\u{feff}services:\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let huge = vec![b'#'; 1_000_001];
    for bytes in [&wide[..], &huge, b"services:\0", b"\xff"] {
        let what = refused(&[("c.yml", main), ("e.yml", bytes)]);
        assert!(what.contains("`extends` reads e.yml, which is no text"), "{what}");
        let what = refused(&[("c.yml", b"services:\n  a: {env_file: e}\n"), ("e", bytes)]);
        assert!(what.contains("`env_file` reads e, which is no text"), "{what}");
    }
    for inner in ["env_file: /etc/environment", "extends: {file: ../x.yml, service: y}", "label_file: '${X}'"] {
        let text = format!("services:\n  b: {{{inner}}}\n");
        let what = refused(&[("c.yml", main), ("e.yml", text.as_bytes())]);
        assert!(what.contains(" reads "), "{what}");
    }
    assert!(refused(&[("c.yml", main), ("e.yml", b"include: [x]\n")]).contains("includes x"));
}

#[test]
fn a_compose_file_does_not_reach_compose_as_it_is_by_being_an_env_file_too() {
    let what = refused(&[("c.yml", b"services:\n  a: {image: x, env_file: [./x/../c.yml]}\n")]);
    assert!(what.contains("c.yml is named as a Compose file and as an env file"), "{what}");
}

#[test]
fn variables_of_the_env_file_fill_in_and_do_not_steer() {
    let env = b"A=${TAG}-${HOME}\nDOCKER_USER=me\nDOCKER_HOST=tcp://x\nCOMPOSE_EXPERIMENTAL_GIT_REMOTE=1\nCOMPOSE_PROJECT_NAME=p\n";
    let (text, refusals) = stack(&[("c.yml", b"services: {a: {image: x}}\n"), (".env", env)]);
    assert_eq!(refusals, []);
    let names: Vec<&str> = text.variables().keys().map(String::as_str).collect();
    assert_eq!(names, ["A", "COMPOSE_PROJECT_NAME", "DOCKER_USER"]);
    assert_eq!(text.variables()["A"], "v1-/home/learner");
    assert!(refused(&[("c.yml", b"services: {a: {image: x}}\n"), (".env", b"A B=1\n")]).contains("space"));
}

#[test]
fn a_variable_has_a_name() {
    let what = refused(&[("c.yml", b"services: {}\n"), (".env", b"A=1\nexport =\"2\"\n")]);
    assert!(what.contains(".env: a value has no name"), "{what}");
}

#[test]
fn what_multiplies_in_composes_hands_is_bounded() {
    let long = "y".repeat(100_000);
    let env = format!("A={long}\n");
    let many = |item: &str| format!("services:\n  a:\n    image: x\n    command: [{}]\n", vec![item; 100].join(", "));
    let what = refused(&[("c.yml", many("'$A'").as_bytes()), (".env", env.as_bytes())]);
    assert!(what.contains("kB when Compose"), "{what}");
    let each = |keys: &str| -> String { (0..100).map(|n| format!("  s{n}: {{{keys}}}\n")).collect() };
    let files = format!("services:\n{}", each("image: x, env_file: e"));
    assert!(refused(&[("c.yml", files.as_bytes()), ("e", env.as_bytes())]).contains("kB when Compose"));
    let extends = format!("services:\n{}", each("extends: {file: e.yml, service: b}"));
    let base = format!("x-a: {long}\nservices: {{b: {{image: x}}}}\n");
    assert!(refused(&[("c.yml", extends.as_bytes()), ("e.yml", base.as_bytes())]).contains("kB when Compose"));
    let row: String = (0..40).map(|n| format!("  s{n}: {{extends: s{}}}\n", n + 1)).collect();
    assert!(refused(&[("c.yml", format!("services:\n{row}").as_bytes())]).contains("in a row"));
}

#[test]
fn a_file_that_says_nothing_or_no_key_is_a_mistake() {
    assert!(refused(&[("c.yml", b"# nothing\n")]).contains("c.yml says nothing"));
    assert!(refused(&[("c.yml", b"services\n")]).contains("does not begin with a key"));
    assert!(refused(&[("c.yml", b"services: [\n")]).contains("c.yml is not valid YAML"));
}

#[test]
fn documents_are_each_looked_at_and_extend_nothing() {
    let two = |second: &str| format!("services:\n  a: {{image: x}}\n---\n{second}\n");
    let (text, refusals) = stack(&[("c.yml", two("services:\n  a: {env_file: ./e}").as_bytes()), ("e", b"A=1\n")]);
    assert_eq!(refusals, []);
    assert_eq!(text.files().map(|(path, _)| path).collect::<Vec<_>>(), ["c.yml", "e"]);
    for (second, wanted) in [
        ("include: [../x.yml]", "`include` reads ../x.yml"),
        ("include: [{path: x.yml, env_file: y}]", "`include` names something other"),
        ("services:\n  a: {env_file: /etc/environment}", "`env_file` reads /etc/environment"),
        ("services:\n  b: {extends: {service: a}}", "more than one document"),
        ("- a", "does not begin with a key"),
        ("", "does not begin with a key"),
    ] {
        let what = refused(&[("c.yml", two(second).as_bytes())]);
        assert!(what.contains(wanted), "{second}: {what}");
    }
}

#[test]
fn an_included_file_is_read_with_the_settings_beside_it_and_includes_nothing() {
    let main: &[u8] = b"include: [d/e.yml]\nservices:\n  a: {image: x}\n";
    let files: [(&str, &[u8]); 4] = [
        ("c.yml", main),
        ("d/e.yml", b"services:\n  b: {image: '${X}', env_file: g.env}\n"),
        ("d/.env", b"X=y\n"),
        ("d/g.env", b"A=1\n"),
    ];
    let (text, refusals) = stack(&files);
    assert_eq!(refusals, []);
    assert_eq!(text.files().map(|(path, _)| path).collect::<Vec<_>>(), ["c.yml", "d/e.yml", "d/.env", "d/g.env"]);
    let what = refused(&[("c.yml", main), ("d/e.yml", b"include: [f.yml]\nservices: {}\n")]);
    assert!(what.contains("d/e.yml, which is brought in itself, includes f.yml"), "{what}");
    for path in ["../x.yml", "/etc/x.yml", "https://x/y.git", "oci://x/y", "${X}"] {
        let what = refused(&[("c.yml", format!("include: ['{path}']\nservices: {{}}\n").as_bytes())]);
        assert!(what.contains("`include` reads"), "{path}: {what}");
    }
    // What it becomes is bounded, with the longest value that may stand for each variable.
    let long = format!("X={}\n", "y".repeat(20_000));
    let many = format!("services:\n  b: {{image: x, labels: [{}]}}\n", "'${X}', ".repeat(60));
    let what = refused(&[("c.yml", main), ("d/e.yml", many.as_bytes()), ("d/.env", long.as_bytes())]);
    assert!(what.contains("when Compose puts it together"), "{what}");
}
