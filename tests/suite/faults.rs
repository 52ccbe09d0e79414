//! Faults of the machine: a fault is never a failed check, costs no progress, and leaves nothing
//! behind once the machine is well again.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::daemon::Daemon;
use tests::{Ended, SmallCourse, ended};

/// Waits until `condition` gives something, at most a minute.
fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + tests::PATIENCE;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn spawn(course: &SmallCourse, daemon: &Daemon) -> Child {
    let mut command = course.check();
    command.env("DOCKER_HOST", daemon.host()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

fn end_of(child: Child) -> Ended {
    ended(&child.wait_with_output().expect("end"))
}

/// No check may be judged to have failed because of a fault.
fn no_check_failed(report: &Value) {
    let checks = report["checks"].as_array().into_iter().flatten();
    let failed: Vec<_> = checks.filter(|check| check["verdict"]["result"] == "fail").collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// After `grader sweep` nothing of any run is in the daemon or on disk.
fn nothing_is_left(course: &SmallCourse, daemon: &Daemon) {
    let mut command = course.command(&["sweep"]);
    let swept = ended(&command.env("DOCKER_HOST", daemon.host()).output().expect("sweep"));
    assert_eq!(swept.code, 0, "{}", swept.all());
    let all = [
        daemon.docker(&["ps", "--all", "--quiet", "--filter", "label=course.grader.run"]),
        daemon.docker(&["network", "ls", "--quiet", "--filter", "label=course.grader.run"]),
        daemon.docker(&["image", "ls", "--quiet", "grader-run/*/*"]),
        course.run_folders(),
    ];
    assert_eq!(all.concat(), Vec::<String>::new());
}

#[test]
fn a_daemon_that_is_killed_in_the_middle_is_a_fault_and_nothing_stays() {
    let mut daemon = Daemon::start("900m");
    let course = SmallCourse::new();
    let well = end_of(spawn(&course, &daemon));
    assert_eq!(well.code, 0, "{}", well.all());
    // In the middle of a build, and in the middle of a stack's start.
    let in_build = "FROM debian:bookworm-slim\nRUN sleep 31415\nCMD [\"sleep\", \"infinity\"]\n";
    for dockerfile in [Some(in_build), None] {
        if let Some(text) = dockerfile {
            course.write("Dockerfile", text);
        } else {
            course.restore("Dockerfile");
        }
        let child = spawn(&course, &daemon);
        wait_for("the middle", || match dockerfile {
            Some(_) => is_running("sleep\u{0}31415").then_some(()),
            None => daemon.docker(&["ps", "--quiet", "--filter", "label=course.grader.run"]).pop().map(|_| ()),
        });
        daemon.signal("KILL");
        let broken = end_of(child);
        assert_eq!(broken.code, 3, "{}", broken.all());
        let report = broken.json();
        assert_eq!(report["result"], "fault", "{report:#}");
        no_check_failed(&report);
        daemon.launch();
        nothing_is_left(&course, &daemon);
    }
    let again = end_of(spawn(&course, &daemon));
    assert_eq!(again.code, 0, "{}", again.all());
    let best = ended(&course.command(&["list", "--format", "json"]).output().expect("list")).json();
    assert_eq!(best[0]["best"]["points"], best[0]["best"]["of"], "{best:#}");
}

/// Whether a process of this machine has this command line (words end with NUL).
fn is_running(command: &str) -> bool {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(command)).count() > 0
}

#[test]
fn a_disk_that_fills_up_in_a_build_is_a_fault_with_a_remedy() {
    let daemon = Daemon::start("420m");
    let course = SmallCourse::new();
    course.write(
        "Dockerfile",
        "FROM debian:bookworm-slim\nRUN head -c 600M /dev/zero > /big\nCMD [\"sleep\", \"infinity\"]\n",
    );
    let full = end_of(spawn(&course, &daemon));
    assert_eq!(full.code, 3, "{}", full.all());
    let report = full.json();
    no_check_failed(&report);
    let text = report["checks"][0].to_string();
    assert!(text.contains("the disk is full") && text.contains("docker builder prune"), "{report:#}");
    nothing_is_left(&course, &daemon);
}

#[test]
fn a_daemon_that_hangs_for_a_while_costs_nothing() {
    let mut daemon = Daemon::start("900m");
    let course = SmallCourse::new();
    let child = spawn(&course, &daemon);
    wait_for("a container", || daemon.docker(&["ps", "--quiet"]).pop());
    daemon.signal("STOP");
    std::thread::sleep(Duration::from_secs(4));
    daemon.signal("CONT");
    let slow = end_of(child);
    let report = slow.json();
    no_check_failed(&report);
    assert!(slow.code == 0 || report["result"] == "fault", "{}", slow.all());
    nothing_is_left(&course, &daemon);
}

#[test]
fn a_daemon_that_never_answers_is_a_fault_that_says_so() {
    let mut daemon = Daemon::start("300m");
    daemon.signal("STOP");
    let course = SmallCourse::new();
    let silent = end_of(spawn(&course, &daemon));
    daemon.signal("CONT");
    assert_eq!(silent.code, 3, "{}", silent.all());
    assert!(silent.stderr.contains("it said nothing for 20 s"), "{}", silent.stderr);
}
