//! Finds the lines of keys in a Compose file, and the files that Compose would read because of it.
//!
//! Owns: the places of keys. Must not: merge or interpret; Compose does.

use std::rc::Rc;

use super::yaml::{self, Node};

/// A parsed Compose file.
#[derive(Debug, Clone)]
pub struct ComposeFile {
    /// The mappings that it holds, one for each document; a later one counts before those above it.
    pub documents: Vec<Rc<Node>>,
}

impl ComposeFile {
    /// The file, or `None` when it is no YAML or has nothing in it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        yaml::read(text).ok().filter(|documents| !documents.is_empty()).map(|documents| Self { documents })
    }

    /// The line, from 1, of the key that a path of keys leads to. Items of a list are named by their index or
    /// by the text that they begin with. An index may be of a merged list, which has items of other files
    /// before this one's: where it leads nowhere, another item may have the rest of the path.
    #[must_use]
    pub fn line_of(&self, path: &[&str]) -> Option<usize> {
        self.documents.iter().rev().find_map(|root| line_below(root, path))
    }

    /// The services, by name; one that stands in several documents once for each.
    pub fn services(&self) -> impl Iterator<Item = (&str, &Node)> {
        let all = self.documents.iter().filter_map(|root| root.get("services"));
        let services = all.flat_map(|entry| entry.value.entries());
        services.map(|entry| (entry.key.text.as_str(), &*entry.value))
    }
}

/// A file that Compose reads before anybody can look at the merged model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileRead {
    /// The key's line, from 1.
    pub line: usize,
    /// `env_file`, `label_file` or `extends`.
    pub key: &'static str,
    /// The path as written.
    pub path: String,
}

/// Every file that Compose reads for a service.
#[must_use]
pub fn files_read(service: &Node) -> Vec<FileRead> {
    let mut found = Vec::new();
    for key in ["env_file", "label_file", "extends"] {
        let Some(entry) = service.get(key) else { continue };
        let paths = match (key, entry.value.get("file")) {
            ("extends", file) => file.map(|file| scalars(&file.value)).unwrap_or_default(),
            _ => scalars(&entry.value),
        };
        found.extend(paths.into_iter().map(|path| FileRead { line: entry.line, key, path }));
    }
    found
}

fn line_below(node: &Node, path: &[&str]) -> Option<usize> {
    let (key, rest) = path.split_first()?;
    let go_on = |line, value: &Node| if rest.is_empty() { Some(line) } else { line_below(value, rest) };
    if let Some(entry) = node.get(key) {
        return go_on(entry.line, &entry.value);
    }
    let begins = |item: &Node| item.text().is_some_and(|text| text.starts_with(key));
    let index: Option<usize> = key.parse().ok();
    let named = node.items().iter().enumerate().filter(|(at, item)| index == Some(*at) || begins(item));
    let others = node.items().iter().filter(|_| index.is_some() && !rest.is_empty());
    named.map(|(_, item)| item).chain(others).find_map(|item| go_on(item.line, item))
}

/// The texts of a value: one, a list, or a list of mappings with a `path`.
fn scalars(node: &Node) -> Vec<String> {
    let own = node.text().map(str::to_owned).into_iter();
    let items = node.items().iter().flat_map(|item| scalars(item));
    let path = node.get("path").map(|entry| scalars(&entry.value)).into_iter().flatten();
    own.chain(items).chain(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "services:\n  api:\n    user: root\n    volumes:\n      - .:/app\n      - /var/run:/x\n";

    #[test]
    fn keys_and_items_are_found_by_line() {
        let file = ComposeFile::parse(TEXT).expect("yaml");
        assert_eq!(file.line_of(&["services", "api", "user"]), Some(3));
        assert_eq!(file.line_of(&["services", "api", "volumes", "/var/run"]), Some(6));
        assert_eq!(file.line_of(&["services", "api", "volumes", "0"]), Some(5));
        assert_eq!(file.line_of(&["services", "db"]), None);
        let ports = ComposeFile::parse("ports:\n  - target: 1\n  - target: 2\n    publish: 3\n").expect("yaml");
        assert_eq!(ports.line_of(&["ports", "7", "publish"]), Some(4), "the eighth of the merged list");
        assert_eq!(ports.line_of(&["ports", "7"]), None);
    }

    #[test]
    fn files_that_compose_reads_are_found_behind_anchors_and_tags() {
        let text = "x-a: &a\n  env_file: [x, {path: y, required: false}]\nservices: !override\n  b:\n    <<: *a\n    extends: {file: z, service: q}\n    environment: {env_file: w}\n";
        let file = ComposeFile::parse(text).expect("yaml");
        let found: Vec<_> = file.services().flat_map(|(_, service)| files_read(service)).collect();
        let shown: Vec<_> = found.iter().map(|read| (read.line, read.path.as_str())).collect();
        assert_eq!(shown, [(2, "x"), (2, "y"), (6, "z")]);
    }

    #[test]
    fn a_key_that_a_merge_brings_in_is_found_at_its_anchor() {
        let text = "x-a: &a\n  privileged: true\ns:\n  b:\n    <<: *a\n    image: x\n";
        let file = ComposeFile::parse(text).expect("yaml");
        assert_eq!(file.line_of(&["s", "b", "privileged"]), Some(2));
    }
}
