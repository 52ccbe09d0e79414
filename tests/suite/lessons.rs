//! All lessons: their checks are proven by their own submissions, and their pages have all that a
//! lesson must have.

use std::fs;
use std::path::PathBuf;

use grader::course::page::Page;
use grader::course::quiz::Quiz;
use grader::course::{Course, Lesson};
use tests::{Learner, course, shuffle, two_at_a_time};

fn lessons() -> Vec<(Lesson, PathBuf)> {
    let course = Course { root: course() };
    let names = course.names().unwrap_or_else(|error| panic!("{error}"));
    let load = |id: &str| course.lesson(id).unwrap_or_else(|error| panic!("{error}"));
    let with_page = |lesson: Lesson| {
        let page = course.page(&lesson);
        (lesson, page)
    };
    names.iter().map(|name| with_page(load(&name.id))).collect()
}

/// Starters fail, solutions earn full points, wrong submissions fail exactly the checks that they name.
#[test]
fn every_submission_comes_out_as_it_says() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let mut lessons = lessons();
    shuffle(&mut lessons);
    // The one with the most to prove goes first, so that it is not alone at the end.
    let most = lessons.iter().map(|(lesson, _)| lesson.checks.len()).max();
    lessons.sort_by_key(|(lesson, _)| Some(lesson.checks.len()) != most);
    let failed = two_at_a_time(lessons, |(lesson, _)| {
        let ended = learner.grader(&["dev", "check", &lesson.spec.id, "--offline"]);
        let wrong = fs::read_dir(lesson.dir.join("wrong")).expect("wrong").count();
        let judged = ended.stdout.lines().filter(|line| line.starts_with("ok     wrong/")).count();
        let all = format!("{}: {judged} of {wrong}\n{}", lesson.spec.id, ended.all());
        if ended.code != 0 || judged != wrong { vec![all] } else { Vec::new() }
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_exercise_has_enough_to_prove_its_checks() {
    for (lesson, _) in lessons() {
        let id = &lesson.spec.id;
        let count = |folder: &str| fs::read_dir(lesson.dir.join(folder)).map_or(0, Iterator::count);
        assert!(count("starter") > 0, "{id} has no starter");
        assert!(count("solutions") >= 2 && count("wrong") >= 4, "{id} has too few submissions");
        assert!(lesson.checks.len() >= 4, "{id} has too few checks");
        for check in &lesson.checks {
            assert_eq!(check.spec.hints.len(), 3, "{id}, `{}`: three hints", check.spec.id);
        }
    }
}

#[test]
fn every_page_has_its_parts_and_a_quiz_with_a_prediction() {
    let course = Course { root: course() };
    let pages = Page::all(&course).unwrap_or_else(|error| panic!("{error}"));
    for (lesson, path) in lessons() {
        let id = &lesson.spec.id;
        let page = pages.iter().find(|page| page.id == *id).unwrap_or_else(|| panic!("{id} has no page"));
        assert_eq!(page.title, lesson.spec.title, "{id}: page and exercise have one title");
        assert!(!page.teaches.is_empty() && !page.terms.is_empty(), "{id} says neither what it teaches nor its terms");
        for part in ["What you will be able to do", "What just happened", "Kitchen vs restaurant", "Common mistakes"]
            .iter()
            .chain(&["The exercise", "Teacher's note", "Where to go next"])
        {
            let has = page.source.text.lines().any(|line| line.starts_with("##") && line.contains(part));
            assert!(has, "{id} has no heading with {part:?}");
        }
        let pictures = page.source.text.matches("](pictures/").count();
        assert!(pictures >= 1, "{id} has no picture");
        let quiz = Quiz::load(&course.root, &path).unwrap_or_else(|error| panic!("{error}"));
        let predictions = quiz.questions.iter().filter(|question| !question.commands.is_empty()).count();
        assert!(quiz.questions.len() >= 6 && predictions >= 1, "{id}: {} questions", quiz.questions.len());
    }
}

#[test]
fn no_lesson_uses_a_term_before_it_is_introduced() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let coverage = learner.grader(&["dev", "coverage"]);
    assert_eq!(coverage.code, 0, "{}", coverage.all());
    assert!(coverage.stdout.contains("headings are taught"), "{}", coverage.stdout);
}
