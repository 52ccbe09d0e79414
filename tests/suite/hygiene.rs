//! What a run may not do to the machine: leave things behind, touch the learner's files, or mind
//! what else is running.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::Child;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tests::{Learner, docker, objects_of, outcome};

/// Held by tests that take the learner's usual ports of this machine.
static USUAL_PORTS: Mutex<()> = Mutex::new(());

/// Waits until `condition` gives something, at most a minute.
fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + tests::PATIENCE;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Starts a check and waits until its stacks have containers. Gives the process and the run's id.
fn running_check(learner: &Learner) -> (Child, String) {
    let dir = learner.dir().display().to_string();
    let child = learner
        .command(&["check", "lesson36", "--offline", "--dir", &dir])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("start");
    let runs = learner.grader_home().join("cache/runs");
    let run = wait_for("the run's folder", || {
        std::fs::read_dir(&runs).ok()?.flatten().next().map(|entry| entry.file_name().to_string_lossy().into_owned())
    });
    let label = format!("label=course.grader.run={run}");
    wait_for("containers", || (docker(&["ps", "--quiet", "--filter", &label]).len() >= 3).then_some(()));
    (child, run)
}

fn signal(child: &Child, name: &str) {
    let status = std::process::Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(status.expect("kill starts").success());
}

#[test]
fn ctrl_c_removes_everything_that_was_made() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let (mut child, run) = running_check(&learner);
    signal(&child, "INT");
    assert_eq!(child.wait().expect("end").code(), Some(130));
    assert_eq!(objects_of(&run), Vec::<String>::new());
    assert_eq!(tests::left_behind(&learner), Vec::<String>::new());
}

#[test]
fn after_a_kill_sweep_removes_what_is_left_and_spares_a_run_that_is_alive() {
    let killed = Learner::with_solution("nodemon-stock-user");
    let (mut child, dead) = running_check(&killed);
    signal(&child, "KILL");
    child.wait().expect("end");
    assert!(!objects_of(&dead).is_empty(), "a kill leaves things behind");

    let alive = Learner::with_solution("watch-own-user");
    let (mut other, living) = running_check(&alive);
    // The living run sweeps too when it starts, so either of them may have done it.
    let swept = killed.grader(&["sweep"]);
    assert_eq!(swept.code, 0, "{}", swept.all());
    assert_eq!(objects_of(&dead), Vec::<String>::new());
    assert!(!objects_of(&living).is_empty(), "the living run keeps its containers");
    other.wait().expect("end");
    assert_eq!(objects_of(&living), Vec::<String>::new());
    assert_eq!(tests::left_behind(&killed), Vec::<String>::new());

    // What cannot go is told, and not waited for: somebody's own container is in a network of that run.
    let name = format!("grader-test-{}", std::process::id());
    let label = format!("course.grader.run={dead}");
    wait_for("a container in the network", || {
        // Another run's sweep may take the network away before the container is in it.
        let _ = docker(&["network", "create", "--label", &label, &name]);
        let image = "debian:bookworm-slim";
        (docker(&["run", "--detach", "--name", &name, "--network", &name, image, "sleep", "600"]).len() == 1
            && docker(&["container", "inspect", "--format", "{{.State.Running}}", &name]) == ["true"])
        .then_some(())
    });
    let stuck = killed.grader(&["sweep"]);
    let _ = docker(&["rm", "--force", &name]);
    assert!(stuck.code == 1 && stuck.stdout.contains("Still there"), "{}", stuck.all());
    assert_eq!(killed.grader(&["sweep"]).code, 0);
    assert_eq!(objects_of(&dead), Vec::<String>::new());
}

#[test]
fn taken_ports_and_a_second_run_at_the_same_time_do_not_matter() {
    let _ports = USUAL_PORTS.lock().expect("no test that holds it has failed");
    let taken: Vec<TcpListener> =
        [3000, 5432, 9229].iter().filter_map(|port| TcpListener::bind(("0.0.0.0", *port)).ok()).collect();
    let learners = [Learner::with_solution("nodemon-stock-user"), Learner::with_solution("nodemon-stock-user")];
    let reports: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> =
            learners.iter().map(|learner| scope.spawn(|| learner.check(&["--format", "json"]))).collect();
        running.into_iter().map(|run| run.join().expect("run")).collect()
    });
    drop(taken);
    for ended in reports {
        let report = ended.json();
        assert_eq!((ended.code, report["result"].as_str()), (0, Some("passed")), "{report:#}");
    }
}

#[test]
fn the_learners_own_stack_and_files_are_left_alone() {
    let _ports = USUAL_PORTS.lock().expect("no test that holds it has failed");
    let learner = Learner::with_solution("nodemon-stock-user");
    std::fs::create_dir(learner.dir().join("node_modules")).expect("folder");
    std::fs::write(learner.dir().join("node_modules/mine.txt"), "mine").expect("write");
    let before = files(&learner);
    let compose = |arguments: &[&str]| {
        let files = ["compose", "-p", "learners-own", "-f", "docker-compose.yml", "-f", "docker-compose.dev.yml"];
        let output =
            std::process::Command::new("docker").args(files).args(arguments).current_dir(learner.dir()).output();
        output.expect("docker starts")
    };
    // Only the database: the app's image is not built here.
    let up = compose(&["up", "--detach", "--pull", "never", "db"]);
    let up_failed = String::from_utf8_lossy(&up.stderr).into_owned();
    let of_learner = || docker(&["ps", "--quiet", "--filter", "label=com.docker.compose.project=learners-own"]);
    let running = of_learner();
    let report = learner.report();
    let still_running = of_learner();
    compose(&["down", "--volumes"]);
    assert!(!running.is_empty(), "{up_failed}");
    assert_eq!(running, still_running);
    assert_eq!(outcome(&report, "dev-starts"), ("judged".into(), "pass".into()));
    assert_eq!(outcome(&report, "hot-reload"), ("judged".into(), "pass".into()));
    assert_eq!(before, files(&learner), "the learner's files are as they were");
}

/// Every file with its content.
fn files(learner: &Learner) -> BTreeMap<String, Vec<u8>> {
    let entries =
        walkdir::WalkDir::new(learner.dir()).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    entries.map(|entry| (entry.path().display().to_string(), std::fs::read(entry.path()).expect("read"))).collect()
}
