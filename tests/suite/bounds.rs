//! Build steps with bounds, for machines that are shared.

use std::path::Path;

use tests::{SmallCourse, ended, outcome};

/// Passes in the grader's control group. In the second form of control groups a step sees only what is below
/// its own; there, the grader's own look at the group is what is tried.
const STEP: &str = "grep -q grader-builds /proc/self/cgroup || test -e /sys/fs/cgroup/cgroup.controllers";

#[test]
fn steps_are_in_a_group_with_limits_when_they_have_to_be() {
    let course = SmallCourse::new();
    course.write("Dockerfile", &format!("FROM debian:bookworm-slim\nRUN {STEP}\nCMD [\"sleep\", \"infinity\"]\n"));
    let bounded = ended(&course.check().env("GRADER_BOUNDED_BUILDS", "1").output().expect("the program starts"));
    assert_eq!(outcome(&bounded.json(), "builds"), ("judged".into(), "pass".into()), "{}", bounded.all());
    if !Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        let group = Path::new("/sys/fs/cgroup/memory/grader-builds/memory.limit_in_bytes");
        assert_eq!(std::fs::read_to_string(group).expect("the group's limit").trim(), (4_u64 << 30).to_string());
        let usual = ended(&course.check().output().expect("the program starts"));
        assert_eq!(outcome(&usual.json(), "builds").1, "fail", "the step fails elsewhere: {}", usual.all());
    }
}
