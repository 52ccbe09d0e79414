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

    /// Every scalar under a key anywhere in the file, with its line: `find("include")`.
    #[must_use]
    pub fn find(&self, key: &str) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        collect(&self.root, key, &mut found);
        found
    }
}

fn child<'n, 'a>(node: &'n MarkedYaml<'a>, key: &str) -> Option<(usize, &'n MarkedYaml<'a>)> {
    match &node.data {
        YamlData::Mapping(map) => map
            .iter()
            .find(|(name, _)| name.data.as_str() == Some(key))
            .map(|(name, value)| (name.span.start.line(), value)),
        YamlData::Sequence(items) => items
            .iter()
            .enumerate()
            .find(|(index, item)| {
                index.to_string() == key || item.data.as_str().is_some_and(|text| text.starts_with(key))
            })
            .map(|(_, item)| (item.span.start.line(), item)),
        _ => None,
    }
}

fn collect(node: &MarkedYaml<'_>, key: &str, found: &mut Vec<(usize, String)>) {
    match &node.data {
        YamlData::Mapping(map) => {
            for (name, value) in map {
                if name.data.as_str() == Some(key) {
                    found.push((name.span.start.line(), scalars(value).join(" ")));
                }
                collect(value, key, found);
            }
        }
        YamlData::Sequence(items) => items.iter().for_each(|item| collect(item, key, found)),
        _ => {}
    }
}

fn scalars(node: &MarkedYaml<'_>) -> Vec<String> {
    match &node.data {
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
    fn a_key_is_found_wherever_it_stands() {
        let file = ComposeFile::parse("a:\n  env_file:\n    - x\n    - y\n").expect("yaml");
        assert_eq!(file.find("env_file"), [(2, "x y".to_owned())]);
    }

    #[test]
    fn broken_yaml_says_its_line() {
        let error = ComposeFile::error("services:\n  a:\n   image: x\n  bad\n").expect("an error");
        assert!((3..=5).contains(&error.line), "{error:?}");
    }
}
