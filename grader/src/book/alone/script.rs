//! One classic script out of the modules that a page without a server uses.
//!
//! Owns: putting them together. Must not: hold code of its own.
//!
//! Modules would do on a web server, but browsers refuse them to a page that was opened from a disk
//! (`file:`), and that is how many will read the book. So the modules are written one after the other
//! into one function, without their `import` and `export`. That is all there is to it as long as
//! imports stand on one line each and no two modules use one name at their top, which a test watches.

/// The modules, each after those that it imports.
const MODULES: [(&str, &str); 6] = [
    ("dom.js", include_str!("../../../web/dom.js")),
    ("words.js", include_str!("../../../web/words.js")),
    ("order.js", include_str!("../../../web/order.js")),
    ("quiz.js", include_str!("../../../web/quiz.js")),
    ("alone/judge.js", include_str!("../../../web/alone/judge.js")),
    ("alone/main.js", include_str!("../../../web/alone/main.js")),
];

/// The script.
pub(super) fn classic() -> String {
    let mut out = String::from("(() => {\n'use strict';\nconst address = document.currentScript.src;\n");
    for (_, text) in MODULES {
        for line in text.lines().filter(|line| !line.starts_with("import ")) {
            let line = line.strip_prefix("export ").unwrap_or(line);
            out.extend([&line.replace("import.meta.url", "address"), "\n"]);
        }
    }
    out.push_str("})();\n");
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The names that a module declares at its top.
    fn declared(text: &str) -> Vec<&str> {
        text.lines()
            .filter_map(|line| {
                let rest = line.strip_prefix("export ").unwrap_or(line);
                let (kind, rest) = rest.strip_prefix("async ").unwrap_or(rest).split_once(' ')?;
                ["const", "let", "class", "function"]
                    .contains(&kind)
                    .then(|| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(rest))
            })
            .collect()
    }

    #[test]
    fn every_module_stands_after_those_that_it_imports() {
        let mut before = BTreeSet::new();
        for (name, text) in MODULES {
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                assert!(!line.contains(" as "), "{name}: {line}");
                let from = line.split('\'').nth(1).expect("a module on the same line").trim_start_matches(['.', '/']);
                let from = if name.starts_with("alone/") && !line.contains("'../") {
                    format!("alone/{from}")
                } else {
                    from.into()
                };
                assert!(before.contains(&from), "{name}: {line}");
            }
            before.insert(name.to_owned());
        }
    }

    #[test]
    fn no_two_modules_use_one_name() {
        let mut seen = BTreeSet::from(["address"]);
        for (name, text) in MODULES {
            for declared in declared(text) {
                assert!(seen.insert(declared), "{name}: `{declared}` is another module's");
            }
        }
        assert!(["el", "count", "sortable", "live", "judge"].iter().all(|name| seen.contains(name)), "{seen:?}");
    }

    #[test]
    fn nothing_is_left_that_only_modules_may_say() {
        let script = classic();
        for line in script.lines() {
            assert!(
                !["import ", "export ", "import("].iter().any(|word| line.trim_start().starts_with(word)),
                "{line}"
            );
        }
        assert!(!script.contains("import.meta"), "{script}");
    }
}
