//! Finds the lines of keys in a Compose file.
//!
//! Owns: YAML with positions. Must not: merge or interpret; Compose does.

use saphyr::{LoadableYamlNode, MarkedYaml, YamlData};

/// A parsed YAML file.
pub struct ComposeFile<'a> {
    root: MarkedYaml<'a>,
}

/// Why a YAML file could not be parsed, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// What is wrong.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
}

impl<'a> ComposeFile<'a> {
    /// The first document, or `None` when the text is no YAML or has no document.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        Some(Self { root: MarkedYaml::load_from_str(text).ok()?.into_iter().next()? })
    }

    /// The line of a second document (after `---`), if there is one.
    #[must_use]
    pub fn second_document(text: &str) -> Option<usize> {
        let documents = MarkedYaml::load_from_str(text).ok()?;
        documents.get(1).map(|document| document.span.start.line())
    }

    /// What is wrong with the text, if something is.
    #[must_use]
    pub fn error(text: &str) -> Option<YamlError> {
        let error = MarkedYaml::load_from_str(text).err()?;
        Some(YamlError { message: error.info().to_owned(), line: error.marker().line() })
    }

    /// The line, from 1, of the key that a path of keys leads to. Items of a list are named by
    /// their index or by the text that they begin with.
    #[must_use]
    pub fn line_of(&self, path: &[&str]) -> Option<usize> {
        let mut node = &self.root;
        let mut line = None;
        for key in path {
            let (found, value) = child(node, key)?;
            line = Some(found);
            node = value;
        }
        line
    }

    /// The line of a key at the top of the file.
    #[must_use]
    pub fn top_key(&self, key: &str) -> Option<usize> {
        self.line_of(&[key])
    }

    /// Every file that Compose itself would read because of a key in this file, wherever the key
    /// stands: anchors and tags do not hide it.
    #[must_use]
    pub fn files_read(&self) -> Vec<FileRead> {
        let mut found = Vec::new();
        collect(&self.root, &mut found);
        found
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

/// A node without its tag (`!reset`, `!override`).
fn bare<'n, 'a>(node: &'n MarkedYaml<'a>) -> &'n MarkedYaml<'a> {
    match &node.data {
        YamlData::Tagged(_, inner) => bare(inner),
        _ => node,
    }
}

fn child<'n, 'a>(node: &'n MarkedYaml<'a>, key: &str) -> Option<(usize, &'n MarkedYaml<'a>)> {
    match &bare(node).data {
        YamlData::Mapping(map) => {
            let named = |wanted: &str| map.iter().find(|(name, _)| bare(name).data.as_str() == Some(wanted));
            let own = named(key).map(|(name, value)| (name.span.start.line(), value));
            // What a merge key brings in stands where its anchor is.
            own.or_else(|| {
                let (_, merged) = named("<<")?;
                match &bare(merged).data {
                    YamlData::Sequence(items) => items.iter().find_map(|item| child(item, key)),
                    _ => child(merged, key),
                }
            })
        }
        YamlData::Sequence(items) => items
            .iter()
            .enumerate()
            .find(|(index, item)| {
                index.to_string() == key || bare(item).data.as_str().is_some_and(|text| text.starts_with(key))
            })
            .map(|(_, item)| (item.span.start.line(), item)),
        _ => None,
    }
}

fn collect(node: &MarkedYaml<'_>, found: &mut Vec<FileRead>) {
    match &bare(node).data {
        YamlData::Mapping(map) => {
            for (name, value) in map {
                let line = name.span.start.line();
                let paths = match bare(name).data.as_str() {
                    Some("env_file") => ("env_file", scalars(value)),
                    Some("label_file") => ("label_file", scalars(value)),
                    Some("extends") => {
                        ("extends", child(value, "file").map(|(_, file)| scalars(file)).unwrap_or_default())
                    }
                    _ => ("", Vec::new()),
                };
                found.extend(paths.1.into_iter().map(|path| FileRead { line, key: paths.0, path }));
                collect(value, found);
            }
        }
        YamlData::Sequence(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn scalars(node: &MarkedYaml<'_>) -> Vec<String> {
    match &bare(node).data {
        YamlData::Mapping(map) => map.iter().flat_map(|(_, value)| scalars(value)).collect(),
        YamlData::Sequence(items) => items.iter().flat_map(scalars).collect(),
        data => data.as_str().map(str::to_owned).into_iter().collect(),
    }
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
    }

    #[test]
    fn files_that_compose_reads_are_found_behind_anchors_and_tags() {
        let text = "x-a: &a\n  env_file: [x, {path: y, required: false}]\ns: !override\n  b:\n    <<: *a\n    extends: {file: z, service: q}\n";
        let found: Vec<_> = ComposeFile::parse(text).expect("yaml").files_read();
        let shown: Vec<_> = found.iter().map(|read| (read.line, read.path.as_str())).collect();
        assert_eq!(shown, [(2, "x"), (2, "y"), (2, "x"), (2, "y"), (6, "z")]);
    }

    #[test]
    fn a_key_that_a_merge_brings_in_is_found_at_its_anchor() {
        let text = "x-a: &a\n  privileged: true\ns:\n  b:\n    <<: *a\n    image: x\n";
        let file = ComposeFile::parse(text).expect("yaml");
        assert_eq!(file.line_of(&["s", "b", "privileged"]), Some(2));
        assert_eq!(ComposeFile::second_document("a: 1\n---\nb: 2\n"), Some(3));
    }

    #[test]
    fn broken_yaml_says_its_line() {
        let error = ComposeFile::error("services:\n  a:\n   image: x\n  bad\n").expect("an error");
        assert!((3..=5).contains(&error.line), "{error:?}");
    }
}
