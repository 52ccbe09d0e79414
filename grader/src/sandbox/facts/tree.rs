//! What layers hold, and the file system that they make together.
//!
//! Owns: laying layers over each other as the kernel does, and following links. Must not: read
//! layers, or judge what is in them.

use std::collections::BTreeMap;
use std::ops::Bound::{Included, Unbounded};

use serde::{Deserialize, Serialize};

/// What one layer holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFiles {
    /// The layer's digest.
    pub digest: String,
    /// Its entries, in the order of the archive.
    pub files: Vec<LayerFile>,
}

/// One entry of a layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFile {
    /// The path without a leading slash. For a whiteout, the path that it hides.
    pub path: String,
    /// What it is.
    #[serde(default)]
    pub kind: Entry,
    /// The file's size.
    pub bytes: u64,
    /// The owner's user id in the image.
    #[serde(default)]
    pub uid: u64,
    /// The owner's group id in the image.
    #[serde(default)]
    pub gid: u64,
    /// Permission bits, such as 0o644.
    #[serde(default)]
    pub mode: u32,
    /// When it was changed last, seconds since 1970.
    #[serde(default)]
    pub changed: u64,
}

/// What an entry of a layer is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// A file with bytes of its own.
    #[default]
    File,
    /// A folder.
    Folder,
    /// A symbolic link, with what it says.
    Link(String),
    /// One more name of a file of the same layer, with the name under which that has its bytes.
    HardLink(String),
    /// A device, a pipe or a socket.
    Special,
    /// Hides the path, and all below it, of lower layers.
    Whiteout,
    /// Hides what lower layers have below the path, which is a folder.
    Opaque,
}

impl LayerFile {
    /// Whether it is nothing itself, and only hides what lower layers have.
    #[must_use]
    pub fn hides(&self) -> bool {
        matches!(self.kind, Entry::Whiteout | Entry::Opaque)
    }

    /// Whether it is a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.kind == Entry::Folder
    }
}

/// Layers laid over each other: what a container sees, by path.
#[derive(Debug, Default)]
pub struct Tree<'a> {
    nodes: BTreeMap<&'a str, Node<'a>>,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node<'a> {
    /// The layer that has it, from 0 for the lowest.
    pub layer: usize,
    /// The entry.
    pub file: &'a LayerFile,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path without links in it, without a leading slash.
    pub path: String,
    /// The highest layer that has one of the links on the way.
    pub by_link_of: Option<usize>,
}

/// As many links as Linux follows on one way (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

impl<'a> Tree<'a> {
    /// All layers, lowest first.
    #[must_use]
    pub fn of(layers: &'a [LayerFiles]) -> Self {
        let mut tree = Self::default();
        for (index, layer) in layers.iter().enumerate() {
            tree.add(index, layer, &mut |_| ());
        }
        tree
    }

    /// Lays one more layer over the others; `index` is its number. What it hides is told to `hidden`.
    pub fn add(&mut self, index: usize, layer: &'a LayerFiles, hidden: &mut impl FnMut(Node<'a>)) {
        let (hiding, stored): (Vec<_>, Vec<_>) = layer.files.iter().partition(|file| file.hides());
        // A whiteout speaks of lower layers only, wherever it stands in its own.
        for file in hiding {
            if file.kind == Entry::Whiteout {
                self.hide(index, &file.path, hidden);
            }
            self.hide_below(index, &file.path, hidden);
        }
        for file in stored {
            // What is no folder hides a whole folder in its place, and the other way round.
            if file.is_folder() {
                if self.nodes.get(file.path.as_str()).is_some_and(|node| !node.file.is_folder()) {
                    self.hide(index, &file.path, hidden);
                }
            } else {
                self.hide(index, &file.path, hidden);
                self.hide_below(index, &file.path, hidden);
            }
            for (at, _) in file.path.match_indices('/') {
                if self.nodes.get(&file.path[..at]).is_some_and(|node| !node.file.is_folder()) {
                    self.hide(index, &file.path[..at], hidden);
                }
            }
            self.nodes.insert(&file.path, Node { layer: index, file });
        }
    }

    fn hide(&mut self, by: usize, path: &str, hidden: &mut impl FnMut(Node<'a>)) {
        if self.nodes.get(path).is_some_and(|node| node.layer < by)
            && let Some(node) = self.nodes.remove(path)
        {
            hidden(node);
        }
    }

    fn hide_below(&mut self, by: usize, folder: &str, hidden: &mut impl FnMut(Node<'a>)) {
        for path in self.below(folder).map(|node| node.file.path.as_str()).collect::<Vec<_>>() {
            self.hide(by, path, hidden);
        }
    }

    /// Everything, by path.
    pub fn all(&self) -> impl Iterator<Item = Node<'a>> {
        self.nodes.values().copied()
    }

    /// What is at a path itself; links in it are not followed.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<Node<'a>> {
        self.nodes.get(path).copied()
    }

    /// Everything below a folder; all, for the root.
    pub fn below(&self, folder: &str) -> impl Iterator<Item = Node<'a>> {
        let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let from = self.nodes.range::<str, _>((Included(below.as_str()), Unbounded)).map(|(_, node)| *node);
        from.take_while(move |node| node.file.path.starts_with(&below)).collect::<Vec<_>>().into_iter()
    }

    /// Whether there is anything at a path that has no links in it. A folder need not have an entry.
    #[must_use]
    pub fn exists(&self, path: &str) -> bool {
        path.is_empty() || self.nodes.contains_key(path) || self.below(path).next().is_some()
    }

    /// Where a path from the root leads when each link in it is followed, the last one too. `None`
    /// when it leads through what is no folder, or in a circle; what is at its end need not exist.
    #[must_use]
    pub fn follow(&self, path: &str) -> Option<Place> {
        let mut open: Vec<String> = path.rsplit('/').map(str::to_owned).collect();
        let mut done: Vec<String> = Vec::new();
        let (mut links, mut by_link_of) = (0, None);
        while let Some(part) = open.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    done.pop();
                    continue;
                }
                _ => done.push(part),
            }
            let Some(node) = self.at(&done.join("/")) else { continue };
            match &node.file.kind {
                Entry::Link(to) => {
                    links += 1;
                    by_link_of = by_link_of.max(Some(node.layer));
                    if links > MOST_LINKS {
                        return None;
                    }
                    if to.starts_with('/') {
                        done.clear();
                    } else {
                        done.pop();
                    }
                    open.extend(to.rsplit('/').map(str::to_owned));
                }
                Entry::Folder => {}
                _ if open.iter().all(|part| part.is_empty() || part == ".") => {}
                _ => return None,
            }
        }
        Some(Place { path: done.join("/"), by_link_of })
    }
}

#[cfg(test)]
pub mod samples {
    //! Layers for tests, in short.

    use super::{Entry, LayerFile, LayerFiles};

    /// A layer out of `path=bytes` for files, `path/` for folders, `path>target` for links, `path~name` for
    /// hard links, `-path` for whiteouts and `!path` for opaque folders.
    #[must_use]
    pub fn layer(entries: &[&str]) -> LayerFiles {
        let file = |text: &&str| {
            let (path, kind, bytes) = if let Some(path) = text.strip_prefix('-') {
                (path, Entry::Whiteout, 0)
            } else if let Some(path) = text.strip_prefix('!') {
                (path, Entry::Opaque, 0)
            } else if let Some((path, to)) = text.split_once('>') {
                (path, Entry::Link(to.into()), 0)
            } else if let Some((path, to)) = text.split_once('~') {
                (path, Entry::HardLink(to.into()), 0)
            } else if let Some(path) = text.strip_suffix('/') {
                (path, Entry::Folder, 0)
            } else {
                let (path, bytes) = text.split_once('=').unwrap_or((text, "1"));
                (path, Entry::File, bytes.parse().expect("bytes"))
            };
            LayerFile { path: path.into(), kind, bytes, ..LayerFile::default() }
        };
        LayerFiles { digest: String::new(), files: entries.iter().map(file).collect() }
    }

    /// Several of them, lowest first.
    #[must_use]
    pub fn layers(all: &[&[&str]]) -> Vec<LayerFiles> {
        all.iter().map(|entries| layer(entries)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::samples::layers;
    use super::*;

    fn seen(all: &[&[&str]]) -> Vec<String> {
        Tree::of(&layers(all)).all().map(|node| node.file.path.clone()).collect()
    }

    #[test]
    fn a_whiteout_hides_a_path_and_all_below_it_of_lower_layers_only() {
        assert_eq!(seen(&[&["app/x", "app/dir/y"], &["-app/dir", "app/dir/z"]]), ["app/dir/z", "app/x"]);
        assert_eq!(seen(&[&["app/", "app/x"], &["app/y", "!app"]]), ["app", "app/y"]);
        assert_eq!(seen(&[&["a", "b/c"], &["!"]]), Vec::<String>::new());
    }

    #[test]
    fn what_takes_the_place_of_a_folder_hides_all_that_was_in_it() {
        assert_eq!(seen(&[&["dist/", "dist/a.test.js"], &["dist>/srv/dist"]]), ["dist"]);
        assert_eq!(seen(&[&["dist/", "dist/a"], &["dist=3"]]), ["dist"]);
        assert_eq!(seen(&[&["data>/srv"], &["data/", "data/x"]]), ["data", "data/x"]);
        assert_eq!(seen(&[&["data>/srv"], &["data/x"]]), ["data/x"]);
    }

    #[test]
    fn a_folder_over_a_folder_keeps_what_is_in_it() {
        assert_eq!(seen(&[&["app/", "app/x"], &["app/", "app/y"]]), ["app", "app/x", "app/y"]);
    }

    #[test]
    fn links_are_followed_up_to_their_end_and_not_in_a_circle() {
        let all = layers(&[
            &["usr/", "usr/bin/", "usr/bin/sh", "bin>usr/bin"],
            &["data/f", "app>/data", "usr/bin/entry", "up>../../data/f", "a>b", "b>a", "gone>nowhere"],
        ]);
        let tree = Tree::of(&all);
        let follow = |path: &str| tree.follow(path).map(|place| (place.path, place.by_link_of));
        assert_eq!(follow("bin/entry"), Some(("usr/bin/entry".into(), Some(0))));
        assert_eq!(follow("app/f"), Some(("data/f".into(), Some(1))));
        assert_eq!(follow("up"), Some(("data/f".into(), Some(1))));
        assert_eq!(follow("./usr//bin/../bin/sh"), Some(("usr/bin/sh".into(), None)));
        assert_eq!(follow("gone"), Some(("nowhere".into(), Some(1))));
        assert_eq!((follow("a"), follow("data/f/x")), (None, None));
        assert!(tree.exists("data") && tree.exists("usr/bin/entry") && !tree.exists("nowhere") && !tree.exists("dat"));
    }
}
