//! `grader init`: a program that was copied to another machine brings the course with it.

use std::path::Path;

use tests::{Ended, Learner, ended};

/// The program, far away from any course.
fn grader(learner: &Learner, folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = learner.command(arguments);
    ended(&command.env_remove("GRADER_COURSE").current_dir(folder).output().expect("the program starts"))
}

#[test]
fn the_course_is_written_whole_and_can_be_learned_from() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let away = tempfile::tempdir().expect("folder");
    let lost = grader(&learner, away.path(), &["list"]);
    assert!(lost.code != 0 && lost.stderr.contains("grader init"), "{}", lost.all());

    let made = grader(&learner, away.path(), &["init", "here/course"]);
    assert_eq!(made.code, 0, "{}", made.all());
    let course = away.path().join("here/course");
    let same = |file: &str| {
        let read = |root: &Path| std::fs::read(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(read(&course), read(&tests::course()), "{file}");
    };
    same("book/src/lesson36-dev-vs-prod.md");
    same("exercises/lesson36-dev-vs-prod/starter/src/server.js");
    for arguments in
        [&["list"][..], &["images", "list"], &["start", "lesson36"], &["book", "build"], &["dev", "coverage"]]
    {
        let ended = grader(&learner, &course, arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.all());
    }
    assert!(course.join("workspace/lesson36-dev-vs-prod/Dockerfile").is_file());

    let again = grader(&learner, away.path(), &["init", "here/course"]);
    assert!(again.code == 2 && again.stderr.contains("is there already"), "{}", again.all());
}
