//! What a pattern matches in an image.
//!
//! Owns: patterns, working directory and links. Must not: know what is wanted of a match.

use globset::{Glob, GlobMatcher};

use crate::fault::Fault;
use crate::sandbox::facts::{Entry, LayerFile, LayerFiles, Node, Tree};

/// An image's file system, and from which layer on it is the learner's.
pub struct Image<'a> {
    tree: Tree<'a>,
    base: Tree<'a>,
    base_layers: usize,
    workdir: String,
}

/// One path that a pattern matched.
pub struct Match<'a> {
    /// What is there.
    pub file: &'a LayerFile,
    /// Whether it only lies in a folder that the pattern names.
    pub below: bool,
    /// Whether it is a link to nothing.
    pub leads_nowhere: bool,
}

impl<'a> Image<'a> {
    /// The image out of its layers, lowest first.
    pub fn new(layers: &'a [LayerFiles], base_layers: usize, workdir: &str) -> Self {
        let base_layers = base_layers.min(layers.len());
        let base = Tree::of(&layers[..base_layers]);
        Self { tree: Tree::of(layers), base, base_layers, workdir: workdir.trim_matches('/').to_owned() }
    }

    /// What a pattern matches. One that begins with `/` stands below the root, another one below the
    /// working directory. Links in the part before the first `*` are followed.
    pub fn matches(&self, pattern: &str) -> Result<Vec<Match<'a>>, Fault> {
        let full = match pattern.strip_prefix('/') {
            Some(from_root) => from_root.to_owned(),
            None => format!("{}/{pattern}", self.workdir),
        };
        let parts: Vec<&str> = full.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        let plain = parts.iter().take_while(|part| !part.contains(['*', '?', '[', '{'])).count();
        if plain == parts.len() { Ok(self.at_path(&parts)) } else { self.at_pattern(&parts, plain, pattern) }
    }

    /// A path without anything to guess.
    fn at_path(&self, parts: &[&str]) -> Vec<Match<'a>> {
        let Some((name, folders)) = parts.split_last() else { return Vec::new() };
        let Some(folder) = self.tree.follow(&folders.join("/")) else { return Vec::new() };
        let path = format!("{}/{name}", folder.path).trim_start_matches('/').to_owned();
        let mut found = Vec::new();
        let mut through = folder.by_link_of;
        let mut end = path.clone();
        if let Some(link) = self.tree.at(&path).filter(|node| matches!(node.file.kind, Entry::Link(_))) {
            let place = self.tree.follow(&path);
            let leads_nowhere = place.as_ref().is_none_or(|place| !self.tree.exists(&place.path));
            if self.is_own(link) {
                found.push(Match { file: link.file, below: false, leads_nowhere });
            }
            let Some(place) = place.filter(|_| !leads_nowhere) else { return found };
            through = through.max(place.by_link_of);
            end = place.path;
        }
        // A link of the learner's may lead to what the base has.
        let any = through.is_some_and(|layer| layer >= self.base_layers);
        let counts = |node: &Node<'a>| any || self.is_own(*node);
        found.extend(self.tree.at(&end).filter(counts).map(|node| self.matched(node, false)));
        found.extend(self.tree.below(&end).filter(counts).map(|node| self.matched(node, true)));
        found
    }

    fn at_pattern(&self, parts: &[&str], plain: usize, pattern: &str) -> Result<Vec<Match<'a>>, Fault> {
        let Some(folder) = self.tree.follow(&parts[..plain].join("/")) else { return Ok(Vec::new()) };
        let folder = if folder.path.is_empty() { String::new() } else { format!("{}/", folder.path) };
        let text = format!("{}{}", globset::escape(&folder), parts[plain..].join("/"));
        let (itself, below) = (glob(&text, pattern)?, glob(&format!("{text}/**"), pattern)?);
        let own = self.tree.all().filter(|node| self.is_own(*node));
        Ok(own
            .filter_map(|node| {
                let is_itself = itself.is_match(&node.file.path);
                (is_itself || below.is_match(&node.file.path)).then(|| self.matched(node, !is_itself))
            })
            .collect())
    }

    fn matched(&self, node: Node<'a>, below: bool) -> Match<'a> {
        let is_link = matches!(node.file.kind, Entry::Link(_));
        let end = || self.tree.follow(&node.file.path).filter(|place| self.tree.exists(&place.path));
        Match { file: node.file, below, leads_nowhere: is_link && end().is_none() }
    }

    /// Whether the learner's layers brought it. Builders store the folders on the way to a file again: one
    /// that is as it was is the base's.
    fn is_own(&self, node: Node<'a>) -> bool {
        let same = |before: Node<'_>| {
            let of = |file: &LayerFile| (file.uid, file.gid, file.mode);
            before.file.is_folder() && of(before.file) == of(node.file)
        };
        node.layer >= self.base_layers && !(node.file.is_folder() && self.base.at(&node.file.path).is_some_and(same))
    }
}

fn glob(text: &str, pattern: &str) -> Result<GlobMatcher, Fault> {
    Glob::new(text).map(|glob| glob.compile_matcher()).map_err(|error| Fault::Unreadable {
        what: format!("the pattern `{pattern}` of the lesson"),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::facts::samples::layers;

    /// What a pattern matches; `?` behind links to nothing, `+` behind what only lies below.
    fn found(all: &[&[&str]], workdir: &str, pattern: &str) -> Vec<String> {
        let layers = layers(all);
        let image = Image::new(&layers, 1, workdir);
        let shown = |one: Match<'_>| {
            let mark = if one.leads_nowhere { "?" } else { "" };
            format!("{}{mark}{}", one.file.path, if one.below { "+" } else { "" })
        };
        image.matches(pattern).expect("pattern").into_iter().map(shown).collect()
    }

    const BASE: &[&str] = &["usr/", "usr/bin/", "usr/bin/sh", "bin>usr/bin", "etc/", "home/", "home/x"];

    #[test]
    fn a_pattern_stands_for_the_path_and_all_below() {
        let own: &[&str] = &["app/.env.production", "app/src/.env", "app/node_modules/nodemon/bin/x.js"];
        assert_eq!(found(&[BASE, own], "/app", ".env*"), ["app/.env.production"]);
        assert_eq!(found(&[BASE, own], "/app/", "node_modules/nodemon"), ["app/node_modules/nodemon/bin/x.js+"]);
        assert_eq!(found(&[BASE, own], "/app", "/**/.env*"), ["app/.env.production", "app/src/.env"]);
        assert!(found(&[BASE, own], "/", "src").is_empty());
    }

    #[test]
    fn links_are_followed_the_bases_and_the_learners() {
        let own: &[&str] = &["usr/bin/", "usr/bin/entry", "data/", "data/f", "app>/data", "k>app/f", "none>gone"];
        assert_eq!(found(&[BASE, own], "/", "/bin/entry"), ["usr/bin/entry"]);
        assert_eq!(found(&[BASE, own], "/app", "f"), ["data/f"]);
        assert_eq!(found(&[BASE, own], "/app", "*"), ["data/f"]);
        assert_eq!(found(&[BASE, own], "/", "k"), ["k", "data/f"]);
        assert_eq!(found(&[BASE, own], "/", "none"), ["none?"]);
        assert_eq!(found(&[BASE, own], "/", "n*"), ["none?"]);
        assert_eq!(found(&[BASE, &["shell>/bin/sh"]], "/", "shell"), ["shell", "usr/bin/sh"]);
    }

    #[test]
    fn what_the_base_has_does_not_count_unless_it_was_changed() {
        assert!(found(&[BASE, &["etc/", "app"]], "/", "/etc").is_empty());
        assert!(found(&[BASE, &["app"]], "/", "/bin/sh").is_empty());
        let mut all = layers(&[BASE, &["home/"]]);
        all[1].files[0].uid = 1000;
        let image = Image::new(&all, 1, "/");
        assert_eq!(image.matches("/home").expect("pattern").len(), 1);
    }

    #[test]
    fn an_empty_folder_is_there_and_one_that_was_replaced_has_nothing_in_it() {
        assert_eq!(found(&[BASE, &["app/", "app/uploads/"]], "/app", "uploads"), ["app/uploads"]);
        let own: [&[&str]; 3] = [BASE, &["app/dist/", "app/dist/a.test.js"], &["srv/dist/", "app/dist>/srv/dist"]];
        assert!(found(&own, "/app", "dist/*.test.js").is_empty());
    }
}
