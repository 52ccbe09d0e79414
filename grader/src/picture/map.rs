//! The environment map as two columns.
//!
//! Owns: where lines stand, and the two names of the course. Must not: say what differs.

use super::{MARGIN, Picture, WIDTH, fits};
use crate::looks::map::Map;
use crate::looks::{self, begin};

/// Where the columns begin: sign, aspect, left, right.
const COLUMNS: [usize; 4] = [MARGIN, MARGIN + 22, 216, 474];
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
    picture.y += 16;
    let y = picture.y;
    picture.text(COLUMNS[0], y, "head", &begin(&map.service, 15), Some(&map.service));
    for (index, class) in [(0, "head warm"), (1, "head cool")] {
        let (head, small) = &heads[index];
        picture.text(COLUMNS[2 + index], y, class, &begin(head, 18), Some(&map.stacks[index]));
        if let Some(small) = small {
            picture.text(COLUMNS[2 + index], y + 20, "small chalk", small, None);
        }
    }
    picture.y += 32;
    for row in &map.rows {
        let rooms = [COLUMNS[3] - COLUMNS[2] - 14, WIDTH - MARGIN - COLUMNS[3]];
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
    picture.rule(picture.y);
    picture.y += 24;
    let legend = format!("≠ differs, = the same in both; {} of {} lines differ", map.differing(), map.rows.len());
    picture.text(COLUMNS[0], picture.y, "small chalk", &legend, None);
    picture.y += 4;
    picture.finish()
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
