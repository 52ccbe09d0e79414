//! The values of variables, as far as a Dockerfile and those who build it give them.
//!
//! Owns: `ARG` above the first `FROM`, what BuildKit says about the machine, and `ENV`. Must not: run
//! anything; what only an image knows has no value here.

use std::collections::BTreeMap;

use super::words::{expand, split};
use super::{Dockerfile, Instruction};

/// Variables by their names.
pub type Values = BTreeMap<String, String>;

/// The variables that BuildKit itself sets: the platform on which, and for which, it builds. The
/// grader builds where it runs, for the same platform.
#[must_use]
pub fn given_by_the_machine() -> Values {
    let (architecture, variant) = match std::env::consts::ARCH {
        "x86_64" => ("amd64", ""),
        "aarch64" => ("arm64", ""),
        "x86" => ("386", ""),
        "arm" => ("arm", "v7"),
        "powerpc64" => ("ppc64le", ""),
        other => (other, ""),
    };
    let platform = ["linux", architecture, variant].into_iter().filter(|part| !part.is_empty());
    let platform = platform.collect::<Vec<_>>().join("/");
    let parts = [("PLATFORM", platform.as_str()), ("OS", "linux"), ("ARCH", architecture), ("VARIANT", variant)];
    let both = |(part, value): (&str, &str)| ["BUILD", "TARGET"].map(|side| (format!("{side}{part}"), value.into()));
    parts.into_iter().flat_map(both).collect()
}

impl Dockerfile {
    /// The variables that may stand in `FROM`: those of the machine, and each `ARG` above the first
    /// `FROM` with what is `given` for it, or its own default, in which the earlier ones count.
    #[must_use]
    pub fn globals(&self, given: &Values) -> Values {
        let mut values = given_by_the_machine();
        for (name, value) in &mut values {
            if let Some(given) = given.get(name) {
                value.clone_from(given);
            }
        }
        for one in self.instructions.iter().filter(|one| one.name == "ARG" && one.stage.is_empty()) {
            for (name, default) in self.assigned(one) {
                let default = default.and_then(|written| expand(&written, &values, self.escape));
                if let Some(value) = given.get(&name).cloned().or(default) {
                    values.insert(name, value);
                }
            }
        }
        values
    }

    /// The variables of all stages that have one value in the whole file, whichever instruction one
    /// looks at. The others, and those that only an image knows, are left out.
    #[must_use]
    pub fn settled(&self, given: &Values) -> Values {
        let mut values = self.globals(given);
        let mut unsettled = Vec::new();
        for one in self.instructions.iter().filter(|one| !one.stage.is_empty()) {
            for (name, written) in self.assigned(one) {
                let default = written.and_then(|written| expand(&written, &values, self.escape));
                let value = if one.name == "ARG" { given.get(&name).cloned().or(default) } else { default };
                let before = values.get(&name);
                match value {
                    Some(value) if before.is_none_or(|before| *before == value) => drop(values.insert(name, value)),
                    // `ARG X` in a stage brings in the one from above the first FROM.
                    None if one.name == "ARG" && before.is_some() => {}
                    _ => unsettled.push(name),
                }
            }
        }
        values.retain(|name, _| !unsettled.contains(name));
        values
    }

    /// The variables that `ARG` or `ENV` sets, with what is written for each.
    fn assigned(&self, one: &Instruction) -> Vec<(String, Option<String>)> {
        let pair = |word: &str| match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word.to_owned(), None),
        };
        let words = split(&one.rest, self.escape);
        match (one.name.as_str(), words.first()) {
            ("ARG", _) => words.iter().map(|word| pair(word)).collect(),
            // The old form has one name and one value: `ENV NAME some words`.
            ("ENV", Some(first)) if !first.contains('=') => {
                let value = one.rest.trim_start().strip_prefix(first.as_str()).unwrap_or_default().trim();
                vec![(first.clone(), Some(value.to_owned()))]
            }
            ("ENV", _) => words.iter().map(|word| pair(word)).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_build_on_each_other_and_on_the_platform_and_what_is_given_goes_first() {
        let file = Dockerfile::parse(
            "ARG MAJOR=22 VARIANT='bookworm'\nARG TAG=\"$MAJOR-${VARIANT}\"\nARG STAGE=base-${TARGETARCH:-x}\nARG NONE\nFROM node:$TAG\nARG MAJOR=1\n",
        );
        let of = |given: &Values, name: &str| file.globals(given).get(name).cloned();
        let (none, given) = (Values::new(), Values::from([("MAJOR".into(), "24".into()), ("NONE".into(), "1".into())]));
        assert_eq!(of(&none, "TAG").as_deref(), Some("22-bookworm"));
        assert_eq!(of(&given, "TAG").as_deref(), Some("24-bookworm"));
        assert_eq!((of(&none, "NONE"), of(&given, "NONE").as_deref()), (None, Some("1")));
        let here = given_by_the_machine();
        assert_eq!(of(&none, "STAGE"), Some(format!("base-{}", here["TARGETARCH"])));
        assert_eq!(here["BUILDPLATFORM"], format!("linux/{}", here["TARGETARCH"]));
        let other = Values::from([("TARGETARCH".into(), "s390x".into())]);
        assert_eq!(of(&other, "STAGE").as_deref(), Some("base-s390x"));
    }

    #[test]
    fn only_what_has_one_value_everywhere_is_settled() {
        let file = Dockerfile::parse(
            "ARG G=/g\nFROM a\nARG G\nENV A=/a B=\"/b c\"\nENV C /c d\nENV D=$A/d\nFROM b\nENV A=/other\nENV E=$F\n",
        );
        let values = file.settled(&Values::new());
        let of = |name: &str| values.get(name).map(String::as_str);
        assert_eq!(["A", "B", "C", "D", "G"].map(of), [None, Some("/b c"), Some("/c d"), Some("/a/d"), Some("/g")]);
    }
}
