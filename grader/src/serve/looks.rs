//! What `grader layers` and `grader compare` show, for a page.
//!
//! Owns: which looks a lesson has, and their picture with the tables behind it. Must not: measure, or draw.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::commands::{compare, layers, look};
use crate::course::{Course, Lesson};
use crate::engine;
use crate::event::Events;
use crate::fault::Fault;
use crate::looks::layers::{ImageLayers, Layer, Layers};
use crate::looks::map::Map;
use crate::looks::{Trouble, tame};
use crate::picture;
use crate::sandbox::build::BuildSettings;
use crate::sandbox::docker::DockerSandbox;
use crate::verdict::{Detail, bytes};

/// A kind of look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// The layers of the images that the lesson builds.
    Layers,
    /// One service in two stacks.
    Compare,
}

/// What a look has found: a picture, and all of it as tables.
#[derive(Debug, Default, Serialize)]
struct Looked {
    svg: Option<String>,
    tables: Vec<Detail>,
    troubles: Vec<Trouble>,
}

impl Look {
    /// The look of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Layers, Self::Compare].into_iter().find(|look| json!(look) == *name)
    }

    /// What there is to look at in a lesson. Stacks are compared where they are the kitchen and the restaurant.
    pub fn of(lesson: &Lesson) -> Vec<Self> {
        let stacks: Vec<&str> = lesson.spec.stacks.iter().map(|stack| stack.name.as_str()).collect();
        let is_both = compare::of_lesson(lesson).is_some() || ["dev", "prod"].iter().all(|name| stacks.contains(name));
        let layers = (!lesson.spec.builds.is_empty()).then_some(Self::Layers);
        layers.into_iter().chain(is_both.then_some(Self::Compare)).collect()
    }

    /// Looks, and gives what is told last: `looked`, or `refused` when the gate has not let the files in.
    pub async fn looked(
        self,
        course: &Course,
        lesson: &Lesson,
        dir: PathBuf,
        settings: &BuildSettings,
        events: &Events,
        stop: impl Future<Output = ()>,
    ) -> Result<Value, Fault> {
        let work = async |sandbox: &DockerSandbox| match self {
            Self::Layers => {
                let names = layers::names(lesson, None)?;
                layers::layers(lesson, sandbox, &names).await.map(Looked::from)
            }
            Self::Compare => {
                let stacks = compare::stacks(lesson, &[])?;
                compare::compare(lesson, sandbox, &stacks, None).await.map(Looked::from)
            }
        };
        Ok(match look::looked(course, lesson, dir, settings.clone(), events, stop, work).await? {
            Ok(found) => json!({"event": "looked", "look": found}),
            Err(refusals) => json!({"event": "refused", "refusals": engine::refused(lesson, refusals).refusals}),
        })
    }
}

impl From<Layers> for Looked {
    fn from(layers: Layers) -> Self {
        let svg = (!layers.images.is_empty()).then(|| picture::in_page(&picture::layers(&layers, false)));
        Self { svg, tables: layers.images.iter().map(layer_table).collect(), troubles: layers.troubles }
    }
}

impl From<Result<Map, Trouble>> for Looked {
    fn from(compared: Result<Map, Trouble>) -> Self {
        match compared {
            Ok(map) => Self {
                svg: Some(picture::in_page(&picture::map(&map))),
                tables: vec![map_table(&map)],
                ..Self::default()
            },
            Err(trouble) => Self { troubles: vec![trouble], ..Self::default() },
        }
    }
}

fn layer_table(image: &ImageLayers) -> Detail {
    let row = |layer: &Layer| {
        let fates = layer.fates().into_iter().map(|(amount, fate)| format!("{fate} {}", bytes(amount)));
        let made_by = match &layer.at {
            Some(at) => format!("{} ({}:{})", layer.instruction, at.file, at.line),
            None if layer.of_base => "(base image)".into(),
            None => layer.instruction.clone(),
        };
        let cells = [layer.number.to_string(), made_by, bytes(layer.bytes), bytes(layer.wasted_bytes)];
        let fate = fates.collect::<Vec<_>>().join(", ");
        cells.into_iter().chain([fate]).map(|cell| tame(&cell)).collect()
    };
    let title = format!(
        "{}: {} in all, {} over the base, {} of it wasted",
        image.name,
        bytes(image.total_bytes),
        bytes(image.added_bytes),
        bytes(image.wasted_bytes)
    );
    let head = ["layer", "made by", "size", "wasted", "by what"];
    Detail::table(&title, &head, image.layers.iter().rev().map(row).collect())
}

fn map_table(map: &Map) -> Detail {
    let differs = |differs| if differs { "differs" } else { "the same" };
    let row = |row: &crate::checks::environment_map::Row| {
        let [left, right] = row.values.each_ref().map(|value| tame(value));
        vec![row.name.to_owned(), left, right, differs(row.differs).to_owned()]
    };
    let title = format!("{}: {} of {} lines differ", map.service, map.differing(), map.rows.len());
    let [left, right] = match map.stacks.each_ref().map(String::as_str) {
        ["dev", "prod"] => ["kitchen (dev)", "restaurant (prod)"],
        own => own,
    };
    Detail::table(&title, &["aspect", left, right, ""], map.rows.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::looks::{layers::samples::image, map::samples};

    fn repository() -> Course {
        Course { root: std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..") }
    }

    #[test]
    fn lessons_have_the_looks_that_their_images_and_stacks_allow() {
        let of = |id: &str| Look::of(&repository().lesson(id).expect("the lesson"));
        assert_eq!(of("lesson36"), [Look::Layers, Look::Compare]);
        assert_eq!(of("lesson12"), [Look::Layers]);
        assert_eq!(of("lesson08"), []);
        assert_eq!((Look::named("layers"), Look::named("Layers")), (Some(Look::Layers), None));
    }

    #[test]
    fn every_layer_is_a_row_the_topmost_first_with_what_becomes_of_its_waste() {
        let (id, title) = ("lesson36".to_owned(), "T".to_owned());
        let looked =
            Looked::from(Layers { schema: "", lesson: id, title, images: vec![image()], troubles: Vec::new() });
        let [Detail::Table { title, rows, .. }] = looked.tables.as_slice() else { panic!("one table") };
        assert_eq!(title, "production: 104.0 MB in all, 4.0 MB over the base, 3.0 MB of it wasted");
        let numbers: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(numbers, ["4", "3", "2", "1"]);
        assert_eq!(rows[2][2..], ["4.0 MB", "3.0 MB", "layer 3 deletes 3.0 MB"]);
        let svg = looked.svg.expect("a picture");
        assert!(svg.starts_with("<svg") && !svg.contains("<style>"), "{svg}");
    }

    #[test]
    fn a_map_has_a_word_for_what_differs_and_trouble_has_no_picture() {
        let looked = Looked::from(Ok(samples::map()));
        let [Detail::Table { rows, head, .. }] = looked.tables.as_slice() else { panic!("one table") };
        assert_eq!(
            (rows[0].join("|"), rows[1].join("|")),
            ("user ids|0|1000|differs".into(), "restart policy|no|no|the same".into())
        );
        assert_eq!(head[1..3], ["kitchen (dev)", "restaurant (prod)"]);
        let trouble = Trouble { message: "no".into(), at: None, log: Vec::new() };
        let looked = Looked::from(Err(trouble));
        assert!(looked.svg.is_none() && looked.tables.is_empty() && looked.troubles.len() == 1);
    }

    #[test]
    fn nothing_without_images_has_no_picture() {
        let empty = Layers {
            schema: "",
            lesson: String::new(),
            title: String::new(),
            images: Vec::new(),
            troubles: Vec::new(),
        };
        assert!(Looked::from(empty).svg.is_none());
    }
}
