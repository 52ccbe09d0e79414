//! What a container may do with a copy of the learner's folder is what it could do with the folder.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use tests::{course, ended, lay, outcome, program};

/// The user `node` of the course's image, and the first user of most machines.
const NODE: u32 = 1000;

/// Writes beside its own files, and stops where a private file has been opened to others.
const COMPOSE: &str = r#"services:
  app:
    build: .
    user: node
    ports: ["3000:3000"]
    volumes: ["./:/srv/app"]
    command: ["sh", "-ec", "touch made sub/made; test $$(stat -c %a private) = 600; exec node server.js"]
"#;

#[test]
fn a_container_of_the_learners_own_user_may_write_also_where_root_grades() {
    if fs::metadata("/proc/self").expect("this process").uid() != 0 {
        eprintln!("skipped: only root grades files of others, and these tests do not run as root");
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let (small, dir) = (course().join("tests/hostile/course"), folder.path().join("submission"));
    lay(&small.join("exercises/lesson01-tiny/starter"), &dir);
    fs::create_dir(dir.join("sub")).expect("folder");
    fs::write(dir.join("private"), "x").expect("write");
    fs::write(dir.join("docker-compose.yml"), COMPOSE).expect("write");
    for entry in walkdir::WalkDir::new(&dir).into_iter().flatten() {
        chown(entry.path(), Some(NODE), Some(NODE)).expect("owner");
    }
    fs::set_permissions(dir.join("private"), fs::Permissions::from_mode(0o600)).expect("mode");
    let mut command = std::process::Command::new(program());
    command.args(["check", "lesson01", "--offline", "--format", "json", "--dir"]).arg(&dir);
    command.env("GRADER_COURSE", small).env("GRADER_HOME", folder.path().join("home"));
    let report = ended(&command.output().expect("the program starts")).json();
    assert_eq!(outcome(&report, "responds"), ("judged".into(), "pass".into()), "{report:#}");
    assert!(!dir.join("made").exists(), "the learner's own folder is only read");
}
