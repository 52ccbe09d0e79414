//! What each layer of an image holds, costs and wastes.
//!
//! Owns: the data of `grader layers`, made from facts. Must not: lay it out.

use serde::Serialize;

use super::Trouble;
use crate::sandbox::facts::{Hidden, LayerFiles, LayerOrigin, Waste, bytes_by_folder, waste, waste_by_folder};
use crate::verdict::Location;

/// The version of the JSON form.
pub const SCHEMA: &str = "grader-layers/1";

/// How many paths of a layer are kept.
const LARGEST: usize = 5;

/// The images of a lesson.
#[derive(Debug, Clone, Serialize)]
pub struct Layers {
    /// The version of this form, `grader-layers/1`.
    pub schema: &'static str,
    /// The lesson's id.
    pub lesson: String,
    /// The lesson's title.
    pub title: String,
    /// The images that were built.
    pub images: Vec<ImageLayers>,
    /// Those that were not, and why.
    pub troubles: Vec<Trouble>,
}

/// One image. All sizes are bytes.
#[derive(Debug, Clone, Serialize)]
pub struct ImageLayers {
    /// Its name in the lesson.
    pub name: String,
    /// The base image of the course on which it stands, if it stands on one.
    pub base: Option<String>,
    /// All layers, lowest first.
    pub layers: Vec<Layer>,
    /// The sum of all layers.
    pub total_bytes: u64,
    /// The sum of the layers above the base.
    pub added_bytes: u64,
    /// What later layers overwrite or delete of the layers above the base.
    pub wasted_bytes: u64,
}

/// One layer.
#[derive(Debug, Clone, Serialize)]
pub struct Layer {
    /// Its number, from 1 for the lowest.
    pub number: usize,
    /// Its digest.
    pub digest: String,
    /// Its bytes.
    pub bytes: u64,
    /// Those that a later layer overwrites or deletes.
    pub wasted_bytes: u64,
    /// The instruction that made it.
    pub instruction: String,
    /// Where that stands in the learner's Dockerfile.
    pub at: Option<Location>,
    /// Whether it is a layer of the base image.
    pub of_base: bool,
    /// Its largest paths, the largest first.
    pub largest: Vec<Folder>,
    /// What is wasted, by folder and by the layer that hides it, the largest first.
    pub wasted: Vec<WastedFolder>,
}

/// A path of a layer, with all below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Folder {
    /// The path.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
    /// Those that a later layer overwrites or deletes.
    pub wasted_bytes: u64,
}

/// What a later layer hides of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WastedFolder {
    /// The path.
    pub path: String,
    /// The bytes.
    pub bytes: u64,
    /// The number of the later layer.
    pub by: usize,
    /// What it does.
    pub how: Hidden,
}

impl ImageLayers {
    /// Puts together what is known of an image. Origins and files are of the same layers, lowest first.
    #[must_use]
    pub fn new(name: &str, base: Option<String>, origins: Vec<LayerOrigin>, files: &[LayerFiles]) -> Self {
        let wasted = waste_by_folder(&waste(files));
        let layers: Vec<Layer> = (origins.into_iter().enumerate())
            .map(|(index, origin)| {
                let own: Vec<&Waste> = wasted.iter().filter(|one| one.layer == index).collect();
                layer(index, origin, files.get(index), &own)
            })
            .collect();
        let sum = |of: fn(&Layer) -> u64| layers.iter().map(of).sum();
        Self {
            name: name.to_owned(),
            base,
            total_bytes: sum(|layer| layer.bytes),
            added_bytes: sum(|layer| if layer.of_base { 0 } else { layer.bytes }),
            wasted_bytes: sum(|layer| if layer.of_base { 0 } else { layer.wasted_bytes }),
            layers,
        }
    }

    /// The layers of the base image.
    #[must_use]
    pub fn base_layers(&self) -> impl DoubleEndedIterator<Item = &Layer> {
        self.layers.iter().filter(|layer| layer.of_base)
    }

    /// The layers above it.
    #[must_use]
    pub fn own_layers(&self) -> impl DoubleEndedIterator<Item = &Layer> {
        self.layers.iter().filter(|layer| !layer.of_base)
    }

    /// Bytes of the base image.
    #[must_use]
    pub fn base_bytes(&self) -> u64 {
        self.total_bytes - self.added_bytes
    }
}

impl Layer {
    /// What happens to the wasted bytes, in words, such as `layer 8 deletes 13.2 MB`; the largest first.
    #[must_use]
    pub fn fates(&self) -> Vec<(u64, String)> {
        let mut sums = std::collections::BTreeMap::<(usize, Hidden), u64>::new();
        for one in &self.wasted {
            *sums.entry((one.by, one.how)).or_default() += one.bytes;
        }
        let mut fates: Vec<_> =
            sums.into_iter().map(|((by, how), bytes)| (bytes, format!("layer {by} {}", how.verb()))).collect();
        fates.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        fates
    }
}

fn layer(index: usize, origin: LayerOrigin, files: Option<&LayerFiles>, wasted: &[&Waste]) -> Layer {
    let wasted_at = |path: &str| wasted.iter().filter(|one| one.path == path).map(|one| one.bytes).sum();
    let largest = bytes_by_folder(files.into_iter().flat_map(|files| &files.files))
        .into_iter()
        .filter(|(_, bytes)| *bytes > 0)
        .take(LARGEST)
        .map(|(path, bytes)| Folder { wasted_bytes: wasted_at(&path), path: format!("/{path}"), bytes })
        .collect();
    let line =
        |one: &&Waste| WastedFolder { path: format!("/{}", one.path), bytes: one.bytes, by: one.by + 1, how: one.how };
    Layer {
        number: index + 1,
        digest: origin.digest,
        bytes: origin.bytes,
        wasted_bytes: wasted.iter().map(|one| one.bytes).sum(),
        instruction: origin.instruction,
        at: origin.at,
        of_base: origin.of_base,
        largest,
        wasted: wasted.iter().map(line).collect(),
    }
}

#[cfg(test)]
pub mod samples {
    //! An image for tests of the layouts.

    use super::*;
    use crate::sandbox::facts::{Entry, LayerFile};

    fn layer(files: &[(&str, u64)]) -> LayerFiles {
        let file = |(path, bytes): &(&str, u64)| LayerFile {
            path: path.trim_start_matches('-').to_owned(),
            bytes: *bytes,
            kind: if path.starts_with('-') { Entry::Whiteout } else { Entry::File },
            ..LayerFile::default()
        };
        LayerFiles { digest: String::new(), files: files.iter().map(file).collect() }
    }

    /// Four layers: the base, an install, a deletion of three quarters of it, and a long name.
    #[must_use]
    pub fn image() -> ImageLayers {
        let long = format!("app/{}/file", "a-long-folder-name".repeat(9));
        let files = [
            layer(&[("usr/bin/node", 90_000_000), ("opt/cache/x", 10_000_000)]),
            layer(&[
                ("app/node_modules/eslint/a.js", 3_000_000),
                ("app/node_modules/pg/b.js", 1_000_000),
                ("-opt/cache", 0),
            ]),
            layer(&[("-app/node_modules/eslint", 0)]),
            layer(&[(&long, 2_000)]),
        ];
        let instructions = ["", "RUN npm ci && echo \"<done>\"", "RUN npm prune", "COPY src ./src"];
        let origin = |(index, (files, instruction)): (usize, (&LayerFiles, &&str))| LayerOrigin {
            digest: format!("sha256:{index}"),
            bytes: files.files.iter().map(|file| file.bytes).sum(),
            instruction: (*instruction).to_owned(),
            at: (index > 0).then(|| Location {
                file: "Dockerfile".into(),
                line: index + 3,
                text: (*instruction).into(),
            }),
            of_base: index == 0,
        };
        let origins = files.iter().zip(&instructions).enumerate().map(origin).collect();
        ImageLayers::new("production", Some("node:22".into()), origins, &files)
    }
}

#[cfg(test)]
mod tests {
    use super::samples::image;

    #[test]
    fn sums_are_exact_and_waste_of_the_base_is_told_but_not_held_against_the_learner() {
        let image = image();
        assert_eq!((image.total_bytes, image.added_bytes, image.wasted_bytes), (104_002_000, 4_002_000, 3_000_000));
        assert_eq!(image.layers[0].wasted_bytes, 10_000_000);
        assert_eq!(image.base_bytes(), 100_000_000);
    }

    #[test]
    fn a_layer_tells_its_largest_paths_with_what_is_wasted_of_each_and_by_which_layer() {
        let image = image();
        let layer = &image.layers[1];
        let paths: Vec<_> = layer.largest.iter().map(|one| (one.path.as_str(), one.bytes, one.wasted_bytes)).collect();
        let expected = [("/app/node_modules/eslint", 3_000_000, 3_000_000), ("/app/node_modules/pg", 1_000_000, 0)];
        assert_eq!(paths, expected);
        assert_eq!(layer.fates(), [(3_000_000, "layer 3 deletes".to_owned())]);
    }
}
