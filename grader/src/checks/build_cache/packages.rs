//! Packages in an image, and which of them a build has installed anew.
//!
//! Owns: telling an installation from a copy, a change of owner and a removal. Must not: judge.
//!
//! Whoever installs a package makes its folder, so that has another time than before. `COPY --from`,
//! `cp -a` and `chown` keep it, and what is removed beside it does not touch it.

use std::collections::BTreeMap;

use crate::sandbox::facts::{Entry, LayerFiles, Tree};

/// The packages of an image by their paths.
pub struct Packages<'a>(BTreeMap<&'a str, Package>);

#[derive(Debug, Clone, Copy)]
struct Package {
    layer: usize,
    changed: u64,
    /// Whether the layer that has its folder also has files of it.
    stored: bool,
}

impl<'a> Packages<'a> {
    /// Those above the base, below folders of these names.
    pub fn of(layers: &'a [LayerFiles], base_layers: usize, folders: &[String]) -> Self {
        let tree = Tree::of(layers);
        let found = tree.all().filter(|node| node.file.is_folder() && node.layer >= base_layers);
        let found = found.filter(|node| folders.iter().any(|folder| is_package(&node.file.path, folder)));
        let package = |node: crate::sandbox::facts::Node<'a>| {
            let is_file = |kind: &Entry| matches!(kind, Entry::File | Entry::HardLink(_));
            let stored = tree.below(&node.file.path).any(|one| one.layer == node.layer && is_file(&one.file.kind));
            (node.file.path.as_str(), Package { layer: node.layer, changed: node.file.changed, stored })
        };
        Self(found.map(package).collect())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// How many of them are not as they were in `before`, and the layer that has most of these.
    pub fn anew(&self, before: &Packages<'_>) -> (usize, Option<usize>) {
        let mut by_layer = BTreeMap::<usize, usize>::new();
        for (path, package) in &self.0 {
            let same = before.0.get(path).is_some_and(|known| known.changed == package.changed);
            if package.stored && !same && !self.is_copy(path, *package, before) {
                *by_layer.entry(package.layer).or_default() += 1;
            }
        }
        let most = by_layer.iter().max_by_key(|(_, count)| **count).map(|(layer, _)| *layer);
        (by_layer.values().sum(), most)
    }

    /// Whether a lower layer has the same package elsewhere, as it was before.
    fn is_copy(&self, path: &str, package: Package, before: &Packages<'_>) -> bool {
        let name = |path: &str| path.rsplit('/').next().map(str::to_owned);
        self.0.iter().any(|(other, twin)| {
            *other != path
                && twin.layer < package.layer
                && name(other) == name(path)
                && before.0.get(other).is_some_and(|known| known.changed == twin.changed)
        })
    }
}

/// `node_modules/express` and `node_modules/@eslint/js`, at any depth; names with a dot are caches.
fn is_package(path: &str, folder: &str) -> bool {
    let is_folder = |parent: &str| parent == folder || parent.ends_with(&format!("/{folder}"));
    let Some((parent, name)) = path.rsplit_once('/') else { return false };
    let scoped = |(above, scope): (&str, &str)| scope.starts_with('@') && is_folder(above);
    !name.starts_with(['.', '@']) && (is_folder(parent) || parent.rsplit_once('/').is_some_and(scoped))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::facts::samples::layer;

    /// A layer whose entries were all changed at the time.
    fn at(time: u64, entries: &[&str]) -> LayerFiles {
        let mut layer = layer(entries);
        for file in &mut layer.files {
            file.changed = time;
        }
        layer
    }

    const TWO: &[&str] = &["m/node_modules/a/", "m/node_modules/a/x", "m/node_modules/@s/b/", "m/node_modules/@s/b/x"];

    fn anew(first: &[LayerFiles], second: &[LayerFiles]) -> (usize, Option<usize>) {
        let folders = ["node_modules".to_owned()];
        Packages::of(second, 0, &folders).anew(&Packages::of(first, 0, &folders))
    }

    #[test]
    fn packages_that_were_made_again_are_told_from_those_that_were_kept() {
        let first = [at(5, TWO), at(5, &["src/a.js"])];
        assert_eq!(anew(&first, &[at(5, TWO), at(9, &["src/a.js"])]), (0, None));
        assert_eq!(anew(&first, &[at(5, &["src/a.js"]), at(9, TWO)]), (2, Some(1)));
        assert_eq!(Packages::of(&first, 0, &["node_modules".into()]).count(), 2);
        assert_eq!(Packages::of(&first, 1, &["node_modules".into()]).count(), 0);
    }

    #[test]
    fn a_change_of_owner_a_copy_and_a_removal_are_no_installation() {
        let first = [at(5, TWO)];
        // `chown -R` and `COPY --from` store all of it again, with its times.
        assert_eq!(anew(&first, &[at(5, TWO), at(5, TWO)]).0, 0);
        // `cp -r` makes new folders; the packages lie below, as they were.
        let copied = ["app/node_modules/a/", "app/node_modules/a/x"];
        assert_eq!(anew(&first, &[at(5, TWO), at(9, &copied)]).0, 0);
        // What lay in a package was removed: its folder has another time, and no file of it is stored.
        assert_eq!(anew(&first, &[at(5, TWO), at(9, &["m/node_modules/a/", "-m/node_modules/a/node_modules"])]).0, 0);
    }

    #[test]
    fn packages_are_told_from_caches_scopes_and_what_lies_in_them() {
        let is = |path: &str| is_package(path, "node_modules");
        assert!(is("node_modules/a") && is("app/node_modules/@s/b") && is("a/node_modules/b/node_modules/c"));
        assert!(
            !is("node_modules/.cache") && !is("node_modules/@s") && !is("node_modules/a/lib") && !is("node_modules")
        );
    }
}
