//! Progress: carried from machine to machine, and what opens solutions.

mod kill;

use std::fs;

use serde_json::{Value, json};
use tests::Learner;

use crate::cli::own_course;

/// An exported progress with one attempt for each of these results, in this order.
fn exported(results: &[(&str, u32)]) -> Value {
    let attempt = |(number, (result, points)): (usize, &(&str, u32))| {
        json!({
            "uid": format!("{number:032x}"), "lesson": "lesson36", "at": format!("2026-11-2{number}T10:00:00.000000Z"),
            "points": points, "of": 100, "result": result, "failed": ["removed-check", "quiz"], "files": format!("{number}"),
            "report": { "checks": [
                { "id": "quiz", "status": "judged", "verdict": { "result": if *points == 100 { "pass" } else { "fail" } } },
                { "id": "removed-check", "status": "judged", "verdict": { "result": if *points > 50 { "fail" } else { "pass" } } },
            ] },
        })
    };
    let attempts: Vec<Value> = results.iter().enumerate().map(attempt).collect();
    json!({
        "schema": "grader-progress/1", "exported": "2026-11-21T10:00:00.000000Z", "attempts": attempts,
        "hints_read": [], "hints_asked": [], "answers": [], "give_ups": [],
    })
}

#[test]
fn solutions_open_after_a_pass_or_after_giving_up_and_not_before() {
    let (dir, grader) = own_course();
    let name = "nodemon-stock-user";
    let locked = grader(&["solution", "36", name], "");
    assert_eq!(locked.code, 1);
    assert!(locked.stdout.contains("grader give-up lesson36") && !locked.stdout.contains("FROM"), "{}", locked.all());
    assert_eq!(grader(&["solution", "36", name, "--copy", "mine"], "").code, 1);
    assert!(!dir.path().join("mine").exists());

    fs::write(dir.path().join("p.json"), exported(&[("failed", 60)]).to_string()).expect("write");
    assert_eq!(grader(&["progress", "import", "p.json"], "").code, 0);
    let close = grader(&["solution", "36"], "");
    assert!(close.code == 1 && close.stdout.contains("60 of 100") && close.stdout.contains("quiz"), "{}", close.all());

    let asked = grader(&["give-up", "36"], "");
    assert!(asked.code == 2 && asked.stderr.contains("--yes"), "nobody is there to be asked: {}", asked.all());
    assert_eq!(grader(&["solution", "36"], "").code, 1);
    assert_eq!(grader(&["give-up", "36", "--yes"], "").code, 0);
    assert!(grader(&["list"], "").stdout.contains("60 of 100 points so far, gave up 20"));
    assert!(grader(&["progress", "36"], "").stdout.contains("gave up on 20"));
    let list = grader(&["solution", "36"], "");
    assert!(list.code == 0 && list.stdout.contains(name) && !list.stdout.contains("FROM"), "{}", list.all());
}

#[test]
fn a_solution_is_shown_beside_the_learners_files_and_copied_only_to_a_new_folder() {
    let (dir, grader) = own_course();
    fs::write(dir.path().join("p.json"), exported(&[("passed", 100), ("failed", 70)]).to_string()).expect("write");
    assert_eq!(grader(&["progress", "import", "p.json"], "").code, 0);
    assert_eq!(grader(&["start", "36"], "").code, 0);
    let mine = dir.path().join("workspace/lesson36-dev-vs-prod");
    let solution = dir.path().join("exercises/lesson36-dev-vs-prod/solutions/nodemon-stock-user");
    fs::write(mine.join("Dockerfile"), "FROM mine\n").expect("write");
    fs::copy(solution.join("docker-compose.yml"), mine.join("docker-compose.yml")).expect("copy");
    fs::remove_file(mine.join(".env.production")).expect("remove");

    let shown = grader(&["solution", "36", "nodemon-stock-user"], "").stdout;
    let dockerfile = fs::read_to_string(solution.join("Dockerfile")).expect("read");
    for part in [
        dockerfile.trim_end(),
        "\n-FROM mine\n",
        "docker-compose.yml: no difference",
        ".env.production: you have no such file",
    ] {
        assert!(shown.contains(part), "{part:?} is not in:\n{shown}");
    }
    assert!(!shown.contains("package.json ─"), "what is as in the starter is not listed");

    let into_copy =
        grader(&["solution", "36", "nodemon-stock-user", "--copy", "workspace/lesson36-dev-vs-prod/new"], "");
    assert!(into_copy.code == 2 && into_copy.stderr.contains("among your own copies"), "{}", into_copy.all());
    let over_copy = grader(&["solution", "36", "nodemon-stock-user", "--copy", "workspace/lesson36-dev-vs-prod"], "");
    assert!(over_copy.code == 2 && over_copy.stderr.contains("is there already"), "{}", over_copy.all());
    assert_eq!(fs::read_to_string(mine.join("Dockerfile")).expect("read"), "FROM mine\n");
    assert_eq!(grader(&["solution", "36", "nodemon-stock-user", "--copy", "theirs"], "").code, 0);
    assert_eq!(fs::read_to_string(dir.path().join("theirs/Dockerfile")).expect("read"), dockerfile);
    assert!(dir.path().join("theirs/src/server.js").is_file(), "the starter's files are there too");
    let unknown = grader(&["solution", "36", "nodemon-stock-usr"], "");
    assert!(unknown.code == 2 && unknown.stderr.contains("Did you mean `nodemon-stock-user`?"), "{}", unknown.all());
}

#[test]
fn progress_is_carried_to_another_machine_and_bad_files_are_refused_whole() {
    let [one, two] = [0, 1].map(|_| Learner::with_solution("nodemon-stock-user"));
    let (from, to) = (one.dir().join("in.json"), one.dir().join("out.json"));
    let [from, to] = [from, to].map(|path| path.display().to_string());
    one.write("in.json", &exported(&[("refused", 0), ("failed", 40), ("passed", 100), ("failed", 90)]).to_string());
    assert_eq!(one.grader(&["progress", "import", &from]).code, 0);
    assert_eq!(one.grader(&["hint", "36", "quiz"]).code, 0, "four failed attempts have opened hints");
    assert_eq!(one.grader(&["hint", "36", "prod-stops", "--more"]).code, 0);
    assert_eq!(one.grader(&["progress", "export", &to]).code, 0);
    assert!(one.grader(&["progress", "export", &to]).stderr.contains("is there already"));

    for expected in ["Added 4 attempts; 0 were here", "Added 0 attempts; 4 were here"] {
        let imported = two.grader(&["progress", "import", &to]);
        assert!(imported.code == 0 && imported.stdout.contains(expected), "{}", imported.all());
    }
    let attempts = |learner: &Learner| learner.grader(&["progress", "36", "--format", "json"]).json();
    assert_eq!(attempts(&one), attempts(&two));
    let seen = attempts(&two);
    assert_eq!(seen["lesson"]["hints_asked"], 1);
    let changes: Vec<_> =
        seen["attempts"].as_array().expect("list").iter().map(|line| (&line["newly_passed"], &line["broke"])).collect();
    assert_eq!(changes[2], (&json!(["quiz"]), &json!(["removed-check"])), "ids that the lesson no longer has are kept");

    let text = fs::read_to_string(&to).expect("read");
    one.write("half.json", &text[..text.len() / 2]);
    let half = two.grader(&["progress", "import", &one.dir().join("half.json").display().to_string()]);
    assert_eq!(half.code, 2);
    assert!(
        half.stderr.contains("half.json was not imported") && half.stderr.contains("ends too early"),
        "{}",
        half.all()
    );
    assert_eq!(attempts(&two), seen);
    let foreign = two.grader(&["progress", "import", &one.dir().join("Dockerfile").display().to_string()]);
    assert!(foreign.code == 2 && foreign.stderr.contains("it is no JSON"), "{}", foreign.all());
}

#[test]
fn an_edited_course_loses_nothing() {
    let (dir, grader) = own_course();
    let spec = dir.path().join("exercises/lesson36-dev-vs-prod/lesson.toml");
    let text = fs::read_to_string(&spec).expect("read");
    let edited = text.replacen("title = \"Docker in dev vs prod\"", "title = \"Two kitchens\"", 1);
    let edited = edited.replacen("points = 4", "points = 40", 1);
    assert!(edited.contains("Two kitchens") && edited.contains("points = 40"));
    fs::write(&spec, edited).expect("write");
    fs::write(dir.path().join("p.json"), exported(&[("passed", 100), ("failed", 70)]).to_string()).expect("write");
    assert_eq!(grader(&["progress", "import", "p.json"], "").code, 0);
    assert!(grader(&["list"], "").stdout.contains("passed, 100 of 100 points"));
    let hint = grader(&["hint", "36"], "");
    assert!(hint.stdout.contains("(quiz)"), "a check that is gone has no hints: {}", hint.all());
    let folder = dir.path().join("exercises/lesson36-dev-vs-prod");
    fs::rename(folder, dir.path().join("exercises/lesson37-dev-vs-prod")).expect("rename");
    let gone = grader(&["progress", "lesson36"], "");
    assert!(gone.stdout.contains("best 100/100 points, 2 attempts"), "of a lesson that is gone: {}", gone.all());
}
