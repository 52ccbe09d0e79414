//! `grader layers` and `grader compare`: what they say is what the daemon says, their pictures are sound,
//! and they leave nothing behind.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::{Ended, Learner, docker, ended};

/// Runs a looking command on the learner's submission, and sees to it that nothing is left behind.
fn look(learner: &Learner, command: &str, more: &[&str]) -> Ended {
    let mut child = start(learner, command, more);
    // Both pipes are read to their end before the process is waited for.
    let pid = child.id();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let errors = std::thread::spawn(move || read(stderr));
    let text = read(stdout);
    let status = child.wait().expect("it ends");
    assert_eq!(objects_of(pid), Vec::<String>::new());
    assert_eq!(tests::left_behind(learner), Vec::<String>::new());
    ended(&std::process::Output { status, stdout: text, stderr: errors.join().expect("read") })
}

fn read(from: Option<impl std::io::Read>) -> Vec<u8> {
    let mut text = Vec::new();
    from.expect("a pipe").read_to_end(&mut text).expect("read");
    text
}

fn start(learner: &Learner, command: &str, more: &[&str]) -> std::process::Child {
    let dir = learner.dir().display().to_string();
    let arguments: Vec<&str> =
        [command, "lesson36"].iter().chain(more).chain(&["--offline", "--dir", &dir]).copied().collect();
    learner.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// Names of everything in the daemon that a process of the grader has made: run ids have its number.
fn objects_of(pid: u32) -> Vec<String> {
    let part = format!("-{pid:x}-");
    let mut all = docker(&["ps", "--all", "--format", "{{.Names}}"]);
    all.extend(docker(&["network", "ls", "--format", "{{.Name}}"]));
    all.extend(docker(&["volume", "ls", "--quiet"]));
    all.extend(docker(&["image", "ls", "--format", "{{.Repository}}"]));
    all.retain(|name| name.starts_with("grader-") && name.contains(&part));
    all
}

/// An image that a test has built by hand; removed at the end.
struct ByHand(String);

impl ByHand {
    fn build(learner: &Learner, target: &str) -> Self {
        let name = format!("by-hand-{}:{target}", std::process::id());
        let dir = learner.dir().display().to_string();
        let built = docker(&["build", "--quiet", "--network", "none", "--target", target, "--tag", &name, &dir]);
        assert!(!built.is_empty(), "{target} does not build");
        Self(name)
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        let _ = docker(&["image", "rm", "--force", &self.0]);
    }
}

fn numbers(lines: &[String]) -> Vec<u64> {
    lines.iter().map(|line| line.parse().unwrap_or_else(|_| panic!("{line} is no number"))).collect()
}

#[test]
fn layers_and_their_sums_are_those_of_docker() {
    let learner = Learner::with_solution("shared-base-compose");
    let image = ByHand::build(&learner, "production");
    let shown = look(&learner, "layers", &["production", "--format", "json"]).json();
    let found = &shown["images"][0];
    let layers = found["layers"].as_array().expect("layers");

    let history = numbers(&docker(&["history", "--human=false", "--format", "{{.Size}}", &image.0]));
    assert_eq!(found["total_bytes"].as_u64(), Some(history.iter().sum()));
    let inspected = numbers(&docker(&["image", "inspect", "--format", "{{.Size}}", &image.0]));
    assert_eq!(found["total_bytes"].as_u64(), Some(inspected[0]));
    let base = numbers(&docker(&["image", "inspect", "--format", "{{.Size}}", "node:22-bookworm-slim"]));
    assert_eq!(found["added_bytes"].as_u64(), Some(inspected[0] - base[0]));

    let mut of_docker: Vec<u64> = history.into_iter().filter(|bytes| *bytes > 0).collect();
    of_docker.reverse();
    let of_ours: Vec<u64> = layers.iter().filter_map(|layer| layer["bytes"].as_u64()).filter(|b| *b > 0).collect();
    assert_eq!(of_ours, of_docker);
    let digests = docker(&["image", "inspect", "--format", "{{range .RootFS.Layers}}{{println .}}{{end}}", &image.0]);
    let digests: Vec<&String> = digests.iter().filter(|line| !line.is_empty()).collect();
    assert_eq!(layers.iter().map(|layer| &layer["digest"]).collect::<Vec<_>>(), digests);

    let written: Vec<(&str, u64)> = layers
        .iter()
        .filter(|layer| layer["of_base"] == false)
        .map(|layer| (layer["instruction"].as_str().expect("text"), layer["at"]["line"].as_u64().expect("a line")))
        .collect();
    let text = std::fs::read_to_string(learner.dir().join("Dockerfile")).expect("Dockerfile");
    for (instruction, line) in &written {
        assert_eq!(text.lines().nth(usize::try_from(*line).expect("small") - 1), Some(*instruction), "{written:?}");
    }
    assert_eq!(written.len(), 4, "WORKDIR, COPY, COPY, COPY: {written:?}");
}

#[test]
fn a_file_that_a_later_layer_deletes_is_shown_as_waste_of_the_layer_that_stored_it() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let lines = "RUN head -c 3000000 /dev/zero > /opt/blob\nRUN rm /opt/blob\nUSER node";
    learner.replace("Dockerfile", "USER node", lines);
    let shown = look(&learner, "layers", &["production", "--format", "json"]).json();
    let image = &shown["images"][0];
    assert_eq!(image["wasted_bytes"], 3_000_000, "{image:#}");
    let is_wasteful = |layer: &&Value| layer["wasted_bytes"] == 3_000_000;
    let layer = image["layers"].as_array().and_then(|all| all.iter().find(is_wasteful)).expect("the layer");
    assert_eq!(layer["instruction"], "RUN head -c 3000000 /dev/zero > /opt/blob");
    let waste = &layer["wasted"][0];
    assert_eq!((&waste["path"], &waste["how"]), (&"/opt/blob".into(), &"deleted".into()));
    assert_eq!(waste["by"].as_u64(), layer["number"].as_u64().map(|number| number + 1));

    let text = look(&learner, "layers", &["production"]);
    assert_eq!(text.code, 0, "looking never judges: {}", text.all());
    assert!(text.stdout.contains("░") && text.stdout.contains("wasted of that 3.0 MB"), "{}", text.stdout);
    assert!(text.stdout.lines().all(|line| line.chars().count() <= 80), "{}", text.stdout);
    assert!(!text.stdout.contains('\u{1b}'), "no colour without a terminal");
}

#[test]
fn the_map_has_all_aspects_and_shows_that_dev_and_prod_differ() {
    let learner = Learner::with_solution("shared-base-compose");
    let shown = look(&learner, "compare", &["--format", "json"]).json();
    assert_eq!((&shown["service"], &shown["stacks"]), (&"payments".into(), &serde_json::json!(["dev", "prod"])));
    let rows = shown["rows"].as_array().expect("rows");
    let row = |aspect: &str| {
        rows.iter().find(|row| row["aspect"] == aspect).unwrap_or_else(|| panic!("no {aspect} in {shown:#}"))
    };
    for (aspect, dev, prod) in [
        ("user", "0", "1000"),
        ("host-folders", ". at /app", "none"),
        ("mounts", "volume at /app/node_modules", "none"),
        ("ports", "3000, 9229", "3000"),
        ("memory", "none", "512 MiB"),
        ("cpu", "none", "1.00"),
        ("restart", "no", "unless-stopped"),
        ("root-file-system", "writable", "read-only"),
        ("log", "json-file", "json-file compress=true max-file=5 max-size=1m"),
        ("command", "npm run dev", "node src/server.js"),
        ("node-env", "development", "production"),
        ("health-check", "none", "yes"),
    ] {
        assert_eq!(row(aspect)["values"], serde_json::json!([dev, prod]), "{aspect}");
        assert_eq!(row(aspect)["differs"], true);
    }
    for aspect in ["image", "layers", "added", "environment"] {
        assert_eq!(row(aspect)["differs"], true, "{aspect}");
    }
    assert_eq!(row("processes")["differs"], false);
    let variables = row("environment")["values"].to_string();
    assert!(variables.contains("PAYMENT_PROVIDER_KEY=***"), "names of secrets, not their values: {variables}");
}

#[test]
fn any_two_stacks_and_any_service_can_be_compared() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let text = look(&learner, "compare", &["--stacks", "prod,dev", "--service", "db"]);
    assert_eq!(text.code, 0, "{}", text.all());
    assert!(text.stdout.contains("The service db in prod and in dev"), "{}", text.stdout);
    assert!(text.stdout.lines().any(|line| line.starts_with("=  image")), "the same image: {}", text.stdout);
    assert!(text.stdout.lines().all(|line| line.chars().count() <= 80), "{}", text.stdout);
}

#[test]
fn pictures_are_sound_svg_with_text_alternatives_and_without_scripts() {
    let learner = Learner::with_solution("nodemon-stock-user");
    // A name that would break out of a document which does not escape it.
    let evil = "RUN echo '</text><script>alert(1)</script>&' > \"/opt/<b> & 'c'\"\nUSER node";
    learner.replace("Dockerfile", "USER node", evil);
    let file = learner.dir().join("layers.svg");
    let to_file = look(&learner, "layers", &["--format", "svg", "--out", &file.display().to_string()]);
    assert_eq!((to_file.code, to_file.stdout.as_str()), (0, ""), "{}", to_file.all());
    let map = look(&learner, "compare", &["--format", "svg"]);
    for (picture, word) in
        [(std::fs::read_to_string(file).expect("the file"), "production"), (map.stdout, "Restaurant")]
    {
        let document = roxmltree::Document::parse(&picture).unwrap_or_else(|error| panic!("{error} in {picture}"));
        let root = document.root_element();
        let named = |name| root.children().find(|node| node.tag_name().name() == name).and_then(|node| node.text());
        assert!(
            named("title").is_some_and(|text| !text.is_empty()) && named("desc").is_some_and(|text| text.len() > 80)
        );
        assert!(document.descendants().any(|node| node.text().is_some_and(|text| text == word)), "{word} in {picture}");
        assert!(!document.descendants().any(|node| node.tag_name().name() == "script"), "{picture}");
        assert!(!picture.replace("http://www.w3.org/2000/svg", "").contains("http"), "nothing comes from elsewhere");
        let size: Vec<u64> =
            root.attribute("viewBox").expect("viewBox").split(' ').map(|part| part.parse().expect("number")).collect();
        for node in document.descendants().filter(|node| node.tag_name().name() == "rect") {
            let number = |name| node.attribute(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
            assert!(number("x") + number("width") <= size[2] && number("y") + number("height") <= size[3], "{node:?}");
        }
    }
}

#[test]
fn what_the_gate_refuses_is_refused_here_as_well() {
    let learner = Learner::with_solution("nodemon-stock-user");
    learner.replace("docker-compose.prod.yml", "  payments:\n", "  payments:\n    privileged: true\n");
    for command in ["layers", "compare"] {
        let report = look(&learner, command, &["--format", "json"]);
        assert_eq!((report.code, &report.json()["result"]), (1, &"refused".into()), "{}", report.all());
        let text = look(&learner, command, &[]);
        assert!(
            text.code == 1 && text.stdout.contains("REFUSED") && text.stdout.contains("privileged"),
            "{}",
            text.all()
        );
    }
}

#[test]
fn what_does_not_build_or_stay_up_is_told_with_its_place() {
    let learner = Learner::with_solution("nodemon-stock-user");
    learner.replace("Dockerfile", "COPY src ./src", "COPY sources ./src");
    let layers = look(&learner, "layers", &[]);
    assert_eq!(layers.code, 1, "{}", layers.all());
    assert!(
        layers.stdout.contains("production does not build") && layers.stdout.contains("COPY sources ./src"),
        "{}",
        layers.stdout
    );
    assert!(
        layers.stdout.contains("development  on node:22-bookworm-slim"),
        "the other one is shown: {}",
        layers.stdout
    );

    let learner = Learner::with_solution("nodemon-stock-user");
    learner.replace("Dockerfile", "CMD [\"node\", \"src/server.js\"]", "CMD [\"node\", \"nowhere.js\"]");
    learner.replace("docker-compose.prod.yml", "restart: unless-stopped", "restart: \"no\"");
    let map = look(&learner, "compare", &[]);
    assert_eq!(map.code, 1, "{}", map.all());
    assert!(map.stderr.contains("the stack prod does not come up: `payments` is exited"), "{}", map.all());
    assert!(map.stderr.contains("MODULE_NOT_FOUND"), "{}", map.all());
}

#[test]
fn unknown_names_are_told_with_the_known_ones() {
    let learner = Learner::with_solution("nodemon-stock-user");
    for (command, more, says) in [
        ("layers", vec!["testing"], "it builds: development, production"),
        ("compare", vec!["--stacks", "dev,test"], "it has: dev, prod"),
        ("compare", vec!["--stacks", "dev"], "two names with a comma"),
        ("compare", vec!["--service", "web"], "share: db, payments"),
        ("layers", vec!["--out", "/nowhere/at/all.svg"], "there is no folder /nowhere/at"),
    ] {
        let text = look(&learner, command, &more);
        assert!(text.code == 2 && text.stderr.contains(says), "{command} {more:?}: {}", text.all());
    }
}

#[test]
fn ctrl_c_while_looking_removes_everything_that_was_made() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let mut child = start(&learner, "compare", &[]);
    let deadline = Instant::now() + tests::PATIENCE;
    while objects_of(child.id()).len() < 5 {
        assert!(Instant::now() < deadline, "images and containers did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill starts").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(objects_of(child.id()), Vec::<String>::new());
    assert_eq!(tests::left_behind(&learner), Vec::<String>::new());
}

/// The files that the grader remembers of layers, by the layers' digests, as far as both ways of reading tell them.
fn remembered(learner: &Learner) -> BTreeMap<String, Vec<String>> {
    let files = walkdir::WalkDir::new(learner.grader_home().join("cache/layers")).into_iter().flatten();
    let files = files.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "json"));
    let read = |path: &std::path::Path| -> Value {
        serde_json::from_slice(&std::fs::read(path).expect("read")).expect("JSON")
    };
    let told = |file: &Value| {
        // A marker has no rights of its own.
        let mode = if file["kind"] == "whiteout" { &Value::Null } else { &file["mode"] };
        let rest = [&file["kind"], &file["bytes"], &file["uid"], &file["gid"], mode, &file["changed"]];
        format!("{} {rest:?}", file["path"])
    };
    files
        .map(|entry| {
            let scan = read(entry.path());
            let mut all: Vec<String> = scan["files"]["files"].as_array().expect("files").iter().map(told).collect();
            all.sort();
            (scan["files"]["digest"].as_str().expect("a digest").to_owned(), all)
        })
        .collect()
}

#[test]
fn layers_that_are_read_where_they_lie_are_those_of_the_saved_image() {
    let odd = "RUN mkdir -p /d/e/f && echo a > /d/e/f/a && ln /d/e/f/a /d/e/f/b && ln -s ../../x /d/l && mkfifo /d/p \\\n\
        && cp /bin/true /d/su && chmod 4755 /d/su && chown 70000:3000000 /d/su && mknod /d/zero c 1 3 \\\n\
        && touch '/d/name with space' '/d/\u{e9}' /d/.wh.made && mkdir -p /$(printf 'long%.0s' $(seq 40))/x\n\
        RUN rm /d/e/f/a && rm -rf /d/e && mkdir /d/e && echo n > /d/e/n && rm -rf /usr/share/doc/libc6\n\
        RUN rm -r /opt && ln -s /srv /opt && mv /d/e /d/g && truncate -s 1M /d/hole && rm -r /d/g && mkdir /d/g\nUSER node\n";
    let learners = [(); 2].map(|()| Learner::with_solution("nodemon-stock-user"));
    for (learner, way) in learners.iter().zip(["", "save"]) {
        learner.replace("Dockerfile", "USER node\n", odd);
        let dir = learner.dir().display().to_string();
        let mut command = learner.command(&["layers", "lesson36", "production", "--offline", "--dir", &dir]);
        let output = command.env("GRADER_LAYERS", way).output().expect("the program starts");
        assert!(output.status.success(), "{}", ended(&output).all());
    }
    let [direct, saved] = learners.each_ref().map(remembered);
    assert!(direct.len() > 8 && direct.values().any(|files| files.iter().any(|file| file.contains("opaque"))));
    assert_eq!(direct, saved);
}
