//! Every input that must change a key does, and what must not, does not.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;
use crate::memory::surroundings::tests::with_images;
use crate::policy::{self, AdmittedStack};
use crate::sandbox::scratch::copy_tree;

/// A submission in a run, with all that keys are made of; each test changes one thing.
pub(in crate::memory) struct World {
    dir: tempfile::TempDir,
    lesson: Lesson,
    images: Vec<(&'static str, &'static str)>,
    planted: &'static str,
    quiz: QuizFacts,
    settings: BuildSettings,
    run: &'static str,
    dev_command: &'static str,
}

impl World {
    pub(in crate::memory) fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let lesson = Lesson::load(&root, &root.join("exercises/lesson36-dev-vs-prod")).expect("the lesson");
        let dir = tempfile::tempdir().expect("a folder");
        copy_tree(&lesson.starter(), &dir.path().join("source")).expect("copy");
        copy_tree(&lesson.dir.join("solutions/nodemon-stock-user"), &dir.path().join("source")).expect("copy");
        Self {
            dir,
            lesson,
            images: vec![("node:22-bookworm-slim", "sha256:1"), ("postgres:15-bookworm", "sha256:2")],
            planted: "planted",
            quiz: QuizFacts::default(),
            settings: BuildSettings { network: false, seconds: 300, bounded: false },
            run: "1-2-3-4-5",
            dev_command: "npm run dev",
        }
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.source().join(file);
        let text = fs::read_to_string(&path).expect("read");
        assert!(text.contains(from), "{file} has {from:?}");
        fs::write(path, text.replacen(from, to, 1)).expect("write");
    }

    fn source(&self) -> PathBuf {
        self.dir.path().join("source")
    }

    /// A stack in a copy of its own, as in a run.
    fn stack(&self, name: &str, services: impl FnOnce(&str) -> Value) -> (String, AdmittedStack) {
        let dir = self.dir.path().join("runs").join(self.run).join(format!("stack-{name}"));
        copy_tree(&self.source(), &dir).expect("copy");
        let model = json!({"name": "x", "services": services(&dir.display().to_string())});
        (name.to_owned(), AdmittedStack::new(dir, model))
    }

    /// The keys of all checks, by id.
    fn keys(&self) -> BTreeMap<String, Option<Key>> {
        self.with_keys(|keys| {
            keys.lesson.checks.iter().map(|check| (check.spec.id.clone(), keys.check(check))).collect()
        })
    }

    pub(in crate::memory) fn with_keys<T>(&self, look: impl FnOnce(&Keys<'_>) -> T) -> T {
        let tag = format!("run-{}", self.run);
        let dev = |dir: &str| {
            json!({
                "payments": {
                    "build": {"context": dir, "dockerfile": "Dockerfile", "target": "development"},
                    "command": self.dev_command,
                    "volumes": [{"type": "bind", "source": format!("{dir}/src"), "target": "/app/src"}],
                },
                "db": {"image": "postgres:15-bookworm"},
            })
        };
        let prod = |_: &str| json!({"payments": {"image": format!("payments:{tag}")}, "db": {"image": "postgres:15-bookworm"}});
        let files = Submission::at(self.source());
        let stacks = BTreeMap::from([self.stack("dev", dev), self.stack("prod", prod)]);
        let admitted = policy::admit(&self.lesson, &files, stacks).expect("admitted");
        let plan = Plan::make(&self.lesson, &admitted, self.run, &tag);
        look(&Keys {
            lesson: &self.lesson,
            plan: &plan,
            tree: &Tree::read(&self.source()).expect("tree"),
            files: &files,
            surroundings: &with_images(&self.images),
            run: self.run,
            planted: self.planted,
            learner: "1234",
            quiz: &self.quiz,
            settings: &self.settings,
            made: Made::default(),
        })
    }

    /// The ids of the checks whose keys are not as `before`.
    fn changed(&self, before: &BTreeMap<String, Option<Key>>) -> Vec<String> {
        let now = self.keys();
        before.iter().filter(|(id, key)| now[*id] != **key).map(|(id, _)| id.clone()).collect()
    }
}

fn has(changed: &[String], id: &str) -> bool {
    changed.iter().any(|one| one == id)
}

#[test]
fn nothing_changed_but_the_run_is_the_same_key_everywhere() {
    let mut world = World::new();
    let before = world.keys();
    assert!(before.values().all(Option::is_some), "{before:?}");
    world.run = "6-7-8-9-a";
    assert_eq!(world.changed(&before), Vec::<String>::new());
}

#[test]
fn what_counts_for_everything_changes_every_key() {
    type Change = fn(&mut World);
    let changes: [(&str, Change); 6] = [
        ("the planted secret", |world| world.planted = "another"),
        ("how builds run", |world| world.settings.network = true),
        ("a base image", |world| world.images[0].1 = "sha256:9"),
        ("the secret's file", |world| world.edit(".env.production", "=", "=x")),
        ("the edited file", |world| world.edit("src/receipt.js", "Thank", "Many thanks")),
        ("the lesson's edit", |world| world.lesson.spec.edit = None),
    ];
    for (what, change) in changes {
        let mut world = World::new();
        let before = world.keys();
        change(&mut world);
        assert_eq!(world.changed(&before).len(), before.len(), "{what}");
    }
}

#[test]
fn an_edit_of_a_compose_file_changes_what_looks_at_its_stacks() {
    let world = World::new();
    let before = world.keys();
    world.edit("docker-compose.dev.yml", "NODE_ENV", "# moved\n      NODE_ENV");
    let changed = world.changed(&before);
    assert!(has(&changed, "dev-starts") && has(&changed, "env-map") && has(&changed, "hot-reload"), "{changed:?}");
    assert!(!changed.iter().any(|id| id.starts_with("prod-") || id == "targets-build"), "{changed:?}");
}

#[test]
fn an_edit_of_one_target_changes_what_stands_on_it_and_every_build() {
    let world = World::new();
    let before = world.keys();
    world.edit("Dockerfile", "USER node", "USER 1000");
    let changed = world.changed(&before);
    assert!(has(&changed, "targets-build") && has(&changed, "prod-not-root"), "{changed:?}");
    assert!(!has(&changed, "dev-starts") && !has(&changed, "dev-complete"), "{changed:?}");
    world.edit("Dockerfile", "WORKDIR /app", "WORKDIR /srv");
    assert!(has(&world.changed(&before), "dev-starts"));
}

#[test]
fn the_merged_model_and_mounted_files_count() {
    let mut world = World::new();
    let before = world.keys();
    world.dev_command = "npm start";
    let changed = world.changed(&before);
    assert!(has(&changed, "dev-starts") && !has(&changed, "prod-starts"), "{changed:?}");
    let world = World::new();
    let before = world.keys();
    // The context of production has it as well, by `COPY src`; the quiz looks at anything.
    fs::write(world.source().join("src/new.js"), "1").expect("write");
    assert!(has(&world.changed(&before), "dev-starts"));
}

#[test]
fn a_file_that_no_build_and_no_stack_sees_changes_only_what_names_no_resource() {
    let world = World::new();
    let before = world.keys();
    fs::write(world.source().join("README.md"), "mine").expect("write");
    assert_eq!(world.changed(&before), ["quiz"]);
    fs::write(world.source().join("notes.txt"), "mine").expect("write");
    assert!(has(&world.changed(&before), "prod-small"), ".dockerignore does not name it");
}

#[test]
fn answers_change_the_quiz_only() {
    let mut world = World::new();
    let before = world.keys();
    world.quiz.right.push("where-modules".into());
    assert_eq!(world.changed(&before), ["quiz"]);
}

#[test]
fn parameters_change_their_own_check() {
    let mut world = World::new();
    let before = world.keys();
    let check = world.lesson.checks.iter_mut().find(|check| check.spec.id == "prod-limits").expect("check");
    check.parameters["cpus"] = toml::Value::Float(1.25);
    assert_eq!(world.changed(&before), ["prod-limits"]);
}

#[test]
fn a_source_that_the_daemon_does_not_have_has_no_key() {
    let mut world = World::new();
    world.images.remove(0);
    let keys = world.keys();
    assert_eq!((&keys["targets-build"], &keys["prod-small"]), (&None, &None));
    assert!(keys["quiz"].is_some());
}
