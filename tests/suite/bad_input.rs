//! Bad input and bad machines: a clear message and the right exit code for each, and no fault of
//! the machine is counted as the learner's.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use tests::{Learner, outcome};

fn solution() -> Learner {
    Learner::with_solution("nodemon-stock-user")
}

/// The first refusal: what, and the file and line at fault.
fn refusal(learner: &Learner) -> (String, String, u64) {
    let ended = learner.check(&["--format", "json"]);
    assert_eq!(ended.code, 1, "{}", ended.all());
    let report = ended.json();
    let refusal = &report["refusals"][0];
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (text(&refusal["what"]), text(&refusal["at"]["file"]), refusal["at"]["line"].as_u64().unwrap_or(0))
}

#[test]
fn missing_and_empty_files_are_named() {
    let learner = solution();
    std::fs::remove_file(learner.dir().join("docker-compose.prod.yml")).expect("remove");
    assert_eq!(refusal(&learner).0, "docker-compose.prod.yml is missing");
    let learner = solution();
    learner.write("Dockerfile", "\n");
    assert_eq!(refusal(&learner).0, "Dockerfile is empty");
}

#[test]
fn broken_yaml_shows_its_line() {
    let learner = solution();
    learner.write("docker-compose.dev.yml", "services:\n  payments:\n    ports:\n   - 3000\n");
    let (what, file, line) = refusal(&learner);
    assert!(what.contains("docker-compose.dev.yml is not valid YAML"), "{what}");
    assert_eq!(file, "docker-compose.dev.yml");
    assert!((3..=4).contains(&line), "{line}");
}

#[test]
fn an_unknown_compose_key_is_named() {
    let learner = solution();
    learner.replace("docker-compose.dev.yml", "  payments:\n", "  payments:\n    imagee: x\n");
    let (what, file, line) = refusal(&learner);
    assert!(what.contains("imagee"), "{what}");
    assert_eq!(file, "docker-compose.dev.yml");
    let text = std::fs::read_to_string(learner.dir().join(&file)).expect("read");
    assert_eq!(text.lines().position(|line| line.contains("imagee")).map(|index| index as u64 + 1), Some(line));
    let ended = learner.check(&[]);
    assert!(ended.stdout.contains("MISTAKE") && ended.stdout.contains("Did you mean `image`?"), "{}", ended.all());
    assert!(!ended.stdout.contains("REFUSED"), "{}", ended.all());
}

#[test]
fn a_key_that_only_compose_can_place_is_named_with_its_line_and_a_suggestion() {
    let learner = solution();
    let ports = "  payments:\n    ports:\n      - target: 3000\n        publish: 3000\n";
    learner.write("docker-compose.dev.yml", &format!("services:\n{ports}"));
    let (what, _, line) = refusal(&learner);
    assert!(what.contains("`publish`"), "{what}");
    assert_eq!(line, 5);
    assert!(learner.check(&[]).stdout.contains("Did you mean `published`?"));
}

#[test]
fn an_unset_variable_is_named_with_its_line() {
    let learner = solution();
    learner.replace("docker-compose.prod.yml", "${TAG:", "${VERSION:");
    let (what, file, line) = refusal(&learner);
    assert!(what.contains("VERSION"), "{what}");
    assert_eq!(file, "docker-compose.prod.yml");
    let text = std::fs::read_to_string(learner.dir().join(&file)).expect("read");
    let shown = text.lines().nth(usize::try_from(line).expect("line") - 1).unwrap_or_default();
    assert!(shown.contains("VERSION"), "line {line} is {shown:?}");
}

#[test]
fn a_broken_dockerfile_shows_line_and_text() {
    let learner = solution();
    learner.replace("Dockerfile", "WORKDIR", "WORKDIRR");
    let report = learner.report();
    let verdict = &report["checks"][0]["verdict"];
    assert_eq!(verdict["result"], "fail");
    assert!(verdict["measured"].as_str().unwrap_or_default().contains("did you mean WORKDIR"), "{verdict:#}");
    assert!(verdict["at"]["text"].as_str().unwrap_or_default().starts_with("WORKDIRR"), "{verdict:#}");
}

#[test]
fn a_stage_that_is_not_there_is_told_by_the_start_of_the_stack_that_asks_for_it() {
    let learner = solution();
    learner.replace("docker-compose.dev.yml", "target: development", "target: developement");
    let report = learner.report();
    let dev = &report["checks"].as_array().expect("checks").iter().find(|check| check["id"] == "dev-starts");
    let verdict = &dev.expect("dev-starts")["verdict"];
    assert_eq!(verdict["result"], "fail", "{verdict:#}");
    assert!(verdict["measured"].as_str().unwrap_or_default().contains("`payments` could not be built"), "{verdict:#}");
    assert_eq!(verdict["at"]["text"], "      target: developement");
    // Who would only find that there is no container does not tell a story of its own.
    assert_eq!(outcome(&report, "dev-modules").0, "blocked");
    assert_eq!(outcome(&report, "prod-pays"), ("judged".into(), "pass".into()));
}

#[test]
fn an_app_that_never_listens_fails_where_it_must() {
    let learner = solution();
    learner.replace(
        "docker-compose.dev.yml",
        "  payments:\n",
        "  payments:\n    command: [\"sleep\", \"1000\"]\n    healthcheck: { disable: true }\n",
    );
    let report = learner.report();
    assert_eq!(outcome(&report, "dev-pays"), ("judged".into(), "fail".into()));
    assert_eq!(outcome(&report, "prod-pays"), ("judged".into(), "pass".into()));
}

#[test]
fn no_daemon_is_a_fault_with_a_remedy() {
    let learner = solution();
    let mut command = learner.command(&["check", "lesson36", "--dir", &learner.dir().display().to_string()]);
    command.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let ended = tests::ended(&command.output().expect("run"));
    assert_eq!(ended.code, 3, "{}", ended.all());
    assert!(
        ended.stderr.contains("Docker daemon does not answer") && ended.stderr.contains("make setup"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_daemon_that_accepts_and_says_nothing_sensible_is_a_fault() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = listener.local_addr().expect("address");
    let server = std::thread::spawn(move || {
        // Every connection is closed at once, until the grader has given up.
        for stream in listener.incoming().take(1) {
            drop(stream);
        }
    });
    let learner = solution();
    let mut command = learner.command(&["check", "lesson36", "--dir", &learner.dir().display().to_string()]);
    command.env("DOCKER_HOST", format!("tcp://{address}"));
    let ended = tests::ended(&command.output().expect("run"));
    server.join().expect("server");
    assert_eq!(ended.code, 3, "{}", ended.all());
}

#[test]
fn no_permission_for_the_socket_says_how_to_get_it() {
    let dir = tempfile::tempdir().expect("folder");
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).expect("mode");
    let socket = dir.path().join("docker.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("socket");
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600)).expect("mode");
    // Somebody who may run the program but not use the socket: uid 65534, with a copy of the
    // program and the course where that user can read them.
    let learner = solution();
    let copy = dir.path().join("grader");
    std::fs::copy(tests::program(), &copy).expect("copy");
    tests::lay(&tests::course().join("exercises"), &dir.path().join("exercises"));
    tests::lay(&tests::course().join("images"), &dir.path().join("images"));
    tests::lay(&tests::course().join("scripts"), &dir.path().join("scripts"));
    tests::lay(&tests::course().join("book/src"), &dir.path().join("book/src"));
    let mut command = std::process::Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
    command.args(["check", "lesson36", "--dir", "exercises/lesson36-dev-vs-prod/starter"]).current_dir(dir.path());
    command.env("GRADER_HOME", dir.path().join("home")).env("DOCKER_HOST", format!("unix://{}", socket.display()));
    std::fs::create_dir(dir.path().join("home")).expect("home");
    std::fs::set_permissions(dir.path().join("home"), std::fs::Permissions::from_mode(0o777)).expect("mode");
    let ended = tests::ended(&command.output().expect("setpriv starts"));
    assert_eq!(ended.code, 3, "{}", ended.all());
    assert!(ended.stderr.contains("usermod -aG docker"), "{}", ended.stderr);
    drop(learner);
}

#[test]
fn a_full_disk_is_a_fault_and_no_verdict() {
    let learner = solution();
    let home = learner.grader_home();
    std::fs::create_dir_all(&home).expect("home");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(&home)
        .status()
        .expect("mount starts");
    assert!(mounted.success(), "the test needs to mount a small file system (root)");
    let ended = learner.check(&["--format", "json"]);
    let unmounted = std::process::Command::new("umount").arg("--lazy").arg(&home).status().expect("umount starts");
    assert!(unmounted.success());
    assert_eq!(ended.code, 3, "{}", ended.all());
    assert!(ended.stderr.contains("disk") || ended.stderr.contains("full"), "{}", ended.stderr);
}

#[test]
fn a_service_under_another_name_is_the_learners_mistake_and_no_fault() {
    let learner = solution();
    for file in ["docker-compose.yml", "docker-compose.dev.yml", "docker-compose.prod.yml"] {
        learner.replace(file, "  payments:\n", "  api:\n");
    }
    let ended = learner.check(&["--format", "json"]);
    let report = ended.json();
    assert_eq!((ended.code, report["result"].as_str()), (1, Some("failed")), "{report:#}");
    assert_eq!(outcome(&report, "dev-modules"), ("judged".into(), "fail".into()));
    assert_eq!(outcome(&report, "prod-starts"), ("judged".into(), "fail".into()));
    assert!(ended.stdout.contains("there is no service called `payments`, only api, db"), "{report:#}");
}
