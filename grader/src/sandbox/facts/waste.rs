//! Bytes that are stored in an image although nobody can see them any more.
//!
//! Owns: finding, per path, what a later layer overwrites or deletes, and adding sizes up by folder.
//! Must not: read layers, or judge how much is too much.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Entry, LayerFile, LayerFiles, Node, Tree};

/// What a later layer did to a path of a lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hidden {
    /// It stores the path again.
    Overwritten,
    /// It deletes the path, or a folder in which it lay.
    Deleted,
}

impl Hidden {
    /// What the later layer does, as a verb.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::Overwritten => "overwrites",
            Self::Deleted => "deletes",
        }
    }
}

/// A path whose bytes are stored in one layer and hidden by a later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waste {
    /// The path without a leading slash.
    pub path: String,
    /// Bytes that `layer` stores for it.
    pub bytes: u64,
    /// The layer that stores them, from 0 for the lowest.
    pub layer: usize,
    /// The later layer that hides them.
    pub by: usize,
    /// How it does that.
    pub how: Hidden,
}

/// What is stored in vain, in the order of the layers that hide it. `layers` are lowest first.
///
/// A path that several layers store again is counted once for each that is hidden. A file with several
/// names (hard links) is wasted when the last of them is hidden, under the name that has its bytes.
#[must_use]
pub fn waste(layers: &[LayerFiles]) -> Vec<Waste> {
    let names = Names::of(layers);
    let mut gone = BTreeMap::<(usize, &str), usize>::new();
    let mut tree = Tree::default();
    let mut wasted = Vec::new();
    for (by, layer) in layers.iter().enumerate() {
        let again: BTreeSet<&str> =
            layer.files.iter().filter(|file| !file.hides()).map(|file| file.path.as_str()).collect();
        tree.add(by, layer, &mut |node| {
            let (name, bytes, count) = names.file_of(node);
            let hidden = gone.entry((node.layer, name)).or_default();
            *hidden += 1;
            if bytes > 0 && *hidden == count {
                let how = if again.contains(node.file.path.as_str()) { Hidden::Overwritten } else { Hidden::Deleted };
                wasted.push(Waste { path: name.to_owned(), bytes, layer: node.layer, by, how });
            }
        });
    }
    wasted
}

/// The files of layers that have more than one name.
struct Names<'a>(BTreeMap<(usize, &'a str), (u64, usize)>);

impl<'a> Names<'a> {
    fn of(layers: &'a [LayerFiles]) -> Self {
        let mut names = BTreeMap::<(usize, &str), (u64, usize)>::new();
        for (index, layer) in layers.iter().enumerate() {
            for file in &layer.files {
                if let Entry::HardLink(to) = &file.kind {
                    names.entry((index, to)).or_insert((0, 1)).1 += 1;
                }
            }
            for file in layer.files.iter().filter(|file| file.kind == Entry::File) {
                if let Some(known) = names.get_mut(&(index, file.path.as_str())) {
                    known.0 = file.bytes;
                }
            }
        }
        Self(names)
    }

    /// The name that has the bytes of what is at a path, the bytes, and how many names there are.
    fn file_of(&self, node: Node<'a>) -> (&'a str, u64, usize) {
        let name = match &node.file.kind {
            Entry::HardLink(to) => to,
            _ => &node.file.path,
        };
        let (bytes, count) = self.0.get(&(node.layer, name.as_str())).copied().unwrap_or((node.file.bytes, 1));
        (name, bytes, count)
    }
}

/// The same waste, added up by folder: each layer and what hides it has a line per folder.
#[must_use]
pub fn waste_by_folder(waste: &[Waste]) -> Vec<Waste> {
    let mut sums = BTreeMap::<(usize, usize, Hidden, String), u64>::new();
    for one in waste {
        *sums.entry((one.layer, one.by, one.how, folder_of(&one.path))).or_default() += one.bytes;
    }
    let line = |((layer, by, how, path), bytes)| Waste { path, bytes, layer, by, how };
    let mut lines: Vec<Waste> = sums.into_iter().map(line).collect();
    lines.sort_by_key(|one| std::cmp::Reverse(one.bytes));
    lines
}

/// Bytes per folder, the largest first. Whiteouts have none.
#[must_use]
pub fn bytes_by_folder<'a>(files: impl IntoIterator<Item = &'a LayerFile>) -> Vec<(String, u64)> {
    let mut sums = BTreeMap::<String, u64>::new();
    for file in files.into_iter().filter(|file| !file.hides()) {
        *sums.entry(folder_of(&file.path)).or_default() += file.bytes;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    sums
}

/// The folder under which a path is counted: a package of `node_modules`, else the third level.
fn folder_of(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    let depth = parts.iter().position(|part| *part == "node_modules").map_or(3, |at| at + 2);
    parts[..depth.min(parts.len())].join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::facts::samples::{self, layer};

    /// What is wasted, as `path bytes layer>by how`.
    fn found(layers: &[&[&str]]) -> Vec<String> {
        let line = |w: Waste| format!("{} {} {}>{} {}", w.path, w.bytes, w.layer, w.by, w.how.verb());
        waste(&samples::layers(layers)).into_iter().map(line).collect()
    }

    #[test]
    fn what_is_stored_again_is_wasted_once_for_each_hidden_layer() {
        assert_eq!(found(&[&["a=5"], &["a=6"], &["a=7"]]), ["a 5 0>1 overwrites", "a 6 1>2 overwrites"]);
        assert!(found(&[&["a=5", "b=1"], &["c=6"]]).is_empty());
    }

    #[test]
    fn a_whiteout_wastes_a_file_or_all_that_lies_in_a_folder_but_not_its_neighbours() {
        let wasted = found(&[&["app/x/", "app/xy=2", "app/x/z=4"], &["-app/x"]]);
        assert_eq!(wasted, ["app/x/z 4 0>1 deletes"]);
    }

    #[test]
    fn an_opaque_folder_hides_lower_layers_only_and_what_it_stores_again_is_overwritten() {
        // Whiteouts count for lower layers, even after the files of their own layer.
        let wasted = found(&[&["app/old=1", "app/same=2"], &["app/same=3", "app/new=4", "!app"]]);
        assert_eq!(wasted, ["app/old 1 0>1 deletes", "app/same 2 0>1 overwrites"]);
    }

    #[test]
    fn an_opaque_root_hides_everything() {
        assert_eq!(found(&[&["a=1", "b/c=2"], &["!"]]), ["a 1 0>1 deletes", "b/c 2 0>1 deletes"]);
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_hides_it_and_a_folder_in_the_place_of_a_file_too() {
        assert_eq!(found(&[&["a/b=1"], &["a=2"]]), ["a/b 1 0>1 deletes"]);
        assert_eq!(found(&[&["a=2"], &["a/b=1"]]), ["a 2 0>1 deletes"]);
    }

    #[test]
    fn what_came_back_after_a_deletion_is_wasted_again_and_empty_files_never() {
        let wasted = found(&[&["a=1", "e=0"], &["-a", "-e"], &["a=2"], &["-a"]]);
        assert_eq!(wasted, ["a 1 0>1 deletes", "a 2 2>3 deletes"]);
    }

    #[test]
    fn bytes_are_wasted_when_the_last_of_their_names_is_hidden() {
        let stored: &[&str] = &["root/cache/big=9", "app/big~root/cache/big", "app/also~root/cache/big"];
        assert!(found(&[stored, &["-root/cache"], &["-app/also"]]).is_empty());
        assert_eq!(found(&[stored, &["-root/cache"], &["-app"]]), ["root/cache/big 9 0>2 deletes"]);
        // One name is written anew (`chown`): the other still has the first bytes.
        assert!(found(&[&["a=5", "b~a"], &["b=5"]]).is_empty());
        assert_eq!(found(&[&["a=5", "b~a"], &["b=5", "a~b"]]), ["a 5 0>1 overwrites"]);
    }

    #[test]
    fn a_link_in_the_place_of_a_folder_wastes_what_was_in_it() {
        assert_eq!(found(&[&["dist/", "dist/a=7"], &["dist>/srv"]]), ["dist/a 7 0>1 deletes"]);
    }

    #[test]
    fn sums_by_folder_lose_no_byte() {
        let lower = layer(&["app/node_modules/a/x=1", "app/node_modules/a/y/z=2", "usr/lib/q/deep/file=4", "top=8"]);
        let sums = bytes_by_folder(&lower.files);
        let expected = [("top", 8), ("usr/lib/q", 4), ("app/node_modules/a", 3)];
        assert_eq!(sums, expected.map(|(path, bytes)| (path.to_owned(), bytes)));
        let wasted = waste_by_folder(&waste(&[lower, layer(&["-app", "-usr", "-top"])]));
        let lines: Vec<_> = wasted.into_iter().map(|one| (one.path, one.bytes)).collect();
        assert_eq!(lines, sums);
    }
}
