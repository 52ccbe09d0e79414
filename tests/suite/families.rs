//! Images of a lesson's families: another tag counts when a registry says what it is, and a name alone never.

use serde_json::Value;
use tests::registry::Registry;
use tests::{Ended, SmallCourse, docker, ended, outcome};

const LESSON: &str = r#"
id = "lesson01"
slug = "small"
title = "Small"
minutes = 1
images = ["{host}/base:1"]
deliver = ["Dockerfile"]

[[image]]
name = "app"
target = ""

[[check]]
id = "builds"
title = "It builds"
kind = "builds"
points = 1
why = "Nothing else can be measured."
hints = ["1", "2", "3"]
with = { images = ["app"] }

[[check]]
id = "small"
title = "It adds little"
kind = "image-size"
points = 1
why = "What is counted is above the base."
hints = ["1", "2", "3"]
with = { image = "app", added_bytes = 100 }
"#;

/// Names of the machine that are taken away at the end.
struct Names(Vec<String>);

impl Drop for Names {
    fn drop(&mut self) {
        for name in &self.0 {
            let _ = docker(&["image", "rm", "--force", name]);
        }
    }
}

fn check(course: &SmallCourse, from: &str, offline: bool) -> Ended {
    course.write("Dockerfile", &format!("FROM {from}\nCOPY Dockerfile /\n"));
    let mut command = course.command(&["check", "lesson01", "--fresh", "--format", "json", "--dir", "../submission"]);
    if offline {
        command.arg("--offline");
    }
    ended(&command.output().expect("the program starts"))
}

fn refusal(ended: &Ended) -> Value {
    ended.json()["refusals"][0].clone()
}

#[test]
fn another_tag_counts_when_its_registry_answers_and_a_name_alone_never() {
    let registry = Registry::start();
    let name = |rest: &str| format!("{}/base{rest}", registry.host);
    let digest = &registry.digest;
    let _names = Names([":1", ":2", ":private", &format!("@{digest}")].map(name).to_vec());
    for tag in [":1", ":private"] {
        let _ = docker(&["tag", "debian:bookworm-slim", &name(tag)]);
    }
    let course = SmallCourse::new();
    course.add("exercises/lesson01-small/lesson.toml", &LESSON.replace("{host}", &registry.host));

    // The registry says which image it is; it is brought here, and what is added is counted above it.
    let other = check(&course, &name(":2"), false);
    for id in ["builds", "small"] {
        assert_eq!(outcome(&other.json(), id), ("judged".into(), "pass".into()), "{}", other.all());
    }
    let shown = other.json()["checks"][0]["verdict"].to_string();
    assert!(shown.contains(&format!("{} ({digest})", name(":2"))), "{shown}");
    let pinned = check(&course, &name(&format!("@{digest}")), false);
    assert_eq!(outcome(&pinned.json(), "builds").1, "pass", "{}", pinned.all());

    // Somebody's own image on this machine has a name that only looks right.
    let foreign = check(&course, &name(":private"), false);
    let refused = refusal(&foreign);
    assert!(refused["what"].as_str().is_some_and(|what| what.contains("the registry has no image")), "{refused}");
    assert_eq!(refused["at"]["line"], 1, "{refused}");

    // Without a registry: what it once brought is still here, and nobody vouches for the other. (Docker's
    // containerd store does not say where an image came from, so there nobody vouches for either.)
    registry.be_silent();
    let keeps_origins = !docker(&["info", "--format", "{{json .DriverStatus}}"]).concat().contains("io.containerd");
    for offline in [true, false] {
        if keeps_origins {
            let brought = check(&course, &name(":2"), offline);
            assert_eq!(outcome(&brought.json(), "builds").1, "pass", "{}", brought.all());
        }
        let unknown = check(&course, &name(":private"), offline);
        let (status, message) = outcome(&unknown.json(), "builds");
        assert_eq!(status, "fault", "{}", unknown.all());
        assert!(message.contains(&name(":private")) && message.contains("line 1"), "{message}");
    }

    // A lesson may teach that only its own image counts.
    let exact = LESSON.replace("{host}", &registry.host).replace("deliver =", "exact_images = true\ndeliver =");
    course.add("exercises/lesson01-small/lesson.toml", &exact);
    let refused = refusal(&check(&course, &name(":2"), false));
    assert!(refused["what"].as_str().is_some_and(|what| what.contains("no image of this lesson")), "{refused}");
}
