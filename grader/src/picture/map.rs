//! The environment map as two columns.
//!
//! Owns: where lines stand, and the two names of the course. Must not: say what differs.

use std::fmt::Write;

use super::{MARGIN, Picture, fits};
use crate::looks::map::Map;
use crate::looks::{self, begin};

/// Where the columns begin: sign, aspect, left, right.
const COLUMNS: [usize; 4] = [MARGIN, MARGIN + 22, 216, 474];
/// Where the walls of the two rooms stand: left and right of each.
const WALLS: [[usize; 2]; 2] = [[204, 456], [464, 738]];
/// From line to line.
const LINE: usize = 19;
/// The most lines of one value.
const MOST_LINES: usize = 6;

/// Draws the map.
#[must_use]
pub fn map(map: &Map) -> String {
    let heads = heads(&map.stacks);
    let title = format!("{} in {} and in {}", map.service, map.stacks[0], map.stacks[1]);
    let describes: Vec<String> = map
        .rows
        .iter()
        .map(|row| match (&row.values, row.differs) {
            ([left, right], true) => format!("{}: {left} on the left, {right} on the right.", row.name),
            ([left, _], false) => format!("{}: {left} on both sides.", row.name),
        })
        .collect();
    let mut picture = Picture::new(&format!("map-{}-{}", map.lesson, map.service), &title, &describes.join(" "));
    let top = picture.y - 14;
    picture.y += 20;
    let y = picture.y;
    picture.text(COLUMNS[0], y, "head", &begin(&map.service, 15), Some(&map.service));
    for (index, class) in [(0, "head warm"), (1, "head cool")] {
        let (head, small) = &heads[index];
        picture.text(COLUMNS[2 + index], y, class, &begin(head, 18), Some(&map.stacks[index]));
        if let Some(small) = small {
            picture.text(COLUMNS[2 + index], y + 20, "small chalk", small, None);
            sign(&mut picture, index, WALLS[index][1] - 34, y);
        }
    }
    picture.y += 34;
    for row in &map.rows {
        let rooms = [0, 1].map(|side| WALLS[side][1] - 10 - COLUMNS[2 + side]);
        let cells = [0, 1].map(|side| lines(&row.values[side], fits(rooms[side])));
        let y = picture.y;
        picture.rule(y);
        let (sign, class) = if row.differs { ("≠", "strong warm") } else { ("=", "chalk") };
        picture.text(COLUMNS[0], y + 20, class, sign, Some(if row.differs { "differs" } else { "the same in both" }));
        picture.text(COLUMNS[1], y + 20, "small", &begin(row.name, 22), Some(row.name));
        for side in [0, 1] {
            for (index, line) in cells[side].iter().enumerate() {
                let class = if row.differs { "code" } else { "code chalk" };
                picture.text(COLUMNS[2 + side], y + 20 + index * LINE, class, line, Some(&row.values[side]));
            }
        }
        picture.y += 10 + LINE * cells[0].len().max(cells[1].len()).max(1);
    }
    rooms(&mut picture, top);
    picture.y += 30;
    let legend = format!("≠ differs, = the same in both; {} of {} lines differ", map.differing(), map.rows.len());
    picture.text(COLUMNS[0], picture.y, "small chalk", &legend, None);
    picture.y += 4;
    picture.finish()
}

/// Draws the walls of both rooms, behind what is in them.
fn rooms(picture: &mut Picture, top: usize) {
    let within = std::mem::take(&mut picture.body);
    let height = picture.y + 6 - top;
    for ([left, right], class) in WALLS.into_iter().zip(["kitchen", "restaurant"]) {
        picture.rect(left, top, (right - left, height), class);
    }
    picture.body.push_str(&within);
}

/// A pan stands for the kitchen, a plate with fork and knife for the restaurant.
fn sign(picture: &mut Picture, room: usize, x: usize, y: usize) {
    let (colour, shape) = match room {
        0 => (
            "#ffcf87",
            "M-22 -4H-8M-8 -8H14V0Q14 6 8 6H-2Q-8 6 -8 0ZM-3 -12Q-5 -14 -3 -17M3 -12Q1 -14 3 -17M9 -12Q7 -14 9 -17",
        ),
        _ => (
            "#a6d5f7",
            "M-9 -5A9 9 0 1 0 9 -5A9 9 0 1 0 -9 -5ZM-5 -5A5 5 0 1 0 5 -5A5 5 0 1 0 -5 -5ZM-16 -15V-9M-16 -9V6M-19 -15V-11Q-19 -9 -16 -9Q-13 -9 -13 -11V-15M16 6V-15Q20 -12 19 -5H16",
        ),
    };
    let _ = writeln!(
        picture.body,
        r#"  <path transform="translate({x} {y})" d="{shape}" class="sign" stroke="{colour}"/>"#
    );
}

/// What the columns are called: the course's two places where the stacks are those, else their own names.
fn heads([left, right]: &[String; 2]) -> [(String, Option<String>); 2] {
    if left == "dev" && right == "prod" {
        [("Kitchen".into(), Some("dev".into())), ("Restaurant".into(), Some("prod".into()))]
    } else {
        [(left.clone(), None), (right.clone(), None)]
    }
}

/// A value in lines of at most `most` characters.
fn lines(value: &str, most: usize) -> Vec<String> {
    let mut lines = looks::lines(value, most);
    if lines.len() > MOST_LINES {
        lines.truncate(MOST_LINES);
        if let Some(last) = lines.last_mut() {
            *last = begin(&format!("{last} …"), most);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::looks::map::samples;

    #[test]
    fn the_course_names_stand_only_for_its_own_two_stacks() {
        let mut sample = samples::map();
        assert!(map(&sample).contains(">Kitchen</text>") && map(&sample).contains(">Restaurant</text>"));
        sample.stacks = ["prod".into(), "dev".into()];
        assert!(!map(&sample).contains("Kitchen") && map(&sample).contains("</title>prod</text>"), "{}", map(&sample));
    }

    #[test]
    fn differences_have_a_sign_and_long_values_are_whole_where_a_pointer_rests() {
        let picture = map(&samples::map());
        assert_eq!(picture.matches("</title>≠</text>").count(), 2);
        assert_eq!(picture.matches("</title>=</text>").count(), 1);
        let whole =
            format!("json-file {} compress=true &amp; &lt;more&gt;", "a-very-long-option-without-any-space".repeat(12));
        assert!(picture.contains(&format!("<title>{whole}</title>")), "{picture}");
    }

    #[test]
    fn a_value_has_six_lines_at_the_most_and_says_when_there_is_more() {
        let wrapped = lines(&"word ".repeat(100), 30);
        assert_eq!(wrapped.len(), 6);
        assert!(wrapped.iter().all(|line| line.chars().count() <= 30) && wrapped[5].ends_with('…'), "{wrapped:?}");
    }
}
