//! A timetable for instructors: which lesson when, with breaks.
//!
//! Owns: laying lessons into days by the minutes that their pages name. Must not: choose lessons;
//! the block does.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::course::CourseError;
use crate::course::page::Page;
use crate::course::source::Source;

/// What a `schedule` block says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    /// Hour at which a day begins.
    begins: u32,
    /// Hour at which it is over, at the latest.
    ends: u32,
    /// How many days there are.
    #[serde(default = "one")]
    days: usize,
    /// Ids of the lessons, in their order.
    lessons: Vec<Spanned<String>>,
}

fn one() -> usize {
    1
}

/// Minutes of a break, and of work after which there is one.
const BREAK: (u32, u32) = (15, 75);
/// Minutes of the lunch break, and the minute of the day from which it is taken.
const LUNCH: (u32, u32) = (60, 11 * 60 + 30);

/// The timetable as a table.
pub fn markdown(page: &Source, body: &Range<usize>, pages: &[Page]) -> Result<String, CourseError> {
    let shift = |span: Range<usize>| span.start + body.start..span.end + body.start;
    let plan: Plan = toml::from_str(&page.text[body.clone()])
        .map_err(|error| page.error(shift(error.span().unwrap_or(0..0)), error.message().to_owned(), "here"))?;
    let mut table = "| time | lesson | minutes |\n| --- | --- | --- |\n".to_owned();
    let (mut day, mut clock, mut worked, mut has_eaten) = (1, plan.begins * 60, 0, false);
    let mut before: Vec<&str> = Vec::new();
    for id in &plan.lessons {
        let Some(lesson) = pages.iter().find(|lesson| lesson.id == *id.get_ref()) else {
            let message = format!("`{}` has no page", id.get_ref());
            return Err(page.error(shift(id.span()), message, "an id such as `lesson06`"));
        };
        let missing = lesson
            .prerequisites
            .iter()
            .find(|needed| pages.iter().any(|page| page.id == **needed) && !before.contains(&needed.as_str()));
        if let Some(needed) = missing {
            let message = format!("`{}` needs `{needed}`, which is not above it", lesson.id);
            return Err(page.error(shift(id.span()), message, "lessons come after what they need"));
        }
        let pause = if !has_eaten && clock >= LUNCH.1 {
            Some(("lunch", LUNCH.0))
        } else {
            (worked >= BREAK.1).then_some(("break", BREAK.0))
        };
        let fits = |clock: u32| clock + lesson.minutes <= plan.ends * 60;
        let starts = clock + pause.map_or(0, |(_, minutes)| minutes);
        if fits(starts) {
            if let Some((name, minutes)) = pause {
                table.push_str(&row(&plan, day, clock, name, minutes));
                (worked, has_eaten) = (0, has_eaten || name == "lunch");
            }
            clock = starts;
        } else {
            (day, clock, worked, has_eaten) = (day + 1, plan.begins * 60, 0, false);
        }
        if day > plan.days || !fits(clock) {
            let message = format!("`{}` does not fit: it takes {} minutes", lesson.id, lesson.minutes);
            return Err(page.error(shift(id.span()), message, "leave one out, or give more time"));
        }
        let name = format!("[Lesson {}: {}]({})", lesson.number, lesson.title, lesson.file);
        table.push_str(&row(&plan, day, clock, &name, lesson.minutes));
        clock += lesson.minutes;
        worked += lesson.minutes;
        before.push(&lesson.id);
    }
    Ok(table)
}

fn row(plan: &Plan, day: usize, clock: u32, name: &str, minutes: u32) -> String {
    let of = if plan.days > 1 { format!("day {day}, ") } else { String::new() };
    format!("| {of}{}:{:02} | {name} | {minutes} |\n", clock / 60, clock % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lesson(number: u32, minutes: u32, needs: &[&str]) -> Page {
        Page {
            number,
            id: format!("lesson{number:02}"),
            file: format!("lesson{number:02}-x.md"),
            title: "X".into(),
            minutes,
            teaches: Vec::new(),
            prerequisites: needs.iter().map(|need| (*need).to_owned()).collect(),
            terms: std::collections::BTreeMap::new(),
            source: Source { name: String::new(), text: String::new() },
        }
    }

    fn laid(text: &str) -> Result<String, String> {
        let pages = [lesson(6, 80, &[]), lesson(8, 100, &["lesson06", "lesson05"]), lesson(10, 60, &[])];
        let page = Source { name: "plan.md".into(), text: text.into() };
        markdown(&page, &(0..text.len()), &pages).map_err(|error| error.to_string())
    }

    #[test]
    fn lessons_are_laid_into_days_with_breaks_and_lunch() {
        let day = laid("begins = 9\nends = 17\nlessons = [\"lesson06\", \"lesson08\", \"lesson10\"]").expect("it fits");
        let times: Vec<_> = day.lines().skip(2).map(|row| row.split(" | ").take(2).collect::<String>()).collect();
        let wanted = ["| 9:00[Lesson 6: X](lesson06-x.md)", "| 10:20break", "| 10:35[Lesson 8: X](lesson08-x.md)"];
        assert_eq!(times[..3], wanted);
        assert_eq!(times[3..], ["| 12:15lunch", "| 13:15[Lesson 10: X](lesson10-x.md)"]);
        let two = "begins = 9\nends = 11\ndays = 2\nlessons = [\"lesson06\", \"lesson08\"]";
        assert!(laid(two).expect("it fits").contains("| day 2, 9:00 | [Lesson 8"), "{two}");
    }

    #[test]
    fn what_cannot_be_is_told_at_its_place() {
        for (text, says) in [
            ("begins = 9\nends = 11\nlessons = [\"lesson06\", \"lesson08\"]", "does not fit"),
            ("begins = 9\nends = 17\nlessons = [\"lesson08\"]", "needs `lesson06`"),
            ("begins = 9\nends = 17\nlessons = [\"lesson07\"]", "has no page"),
        ] {
            let error = laid(text).expect_err(says);
            assert!(error.contains(says) && error.contains("plan.md:3"), "{error}");
        }
    }
}
