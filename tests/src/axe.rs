//! How accessible a page is, by the rules of axe-core.
//!
//! Owns: asking them, and the list of what is excused. Must not: know pages.
//!
//! The rules come by `scripts/setup-tests.sh` from the package registry; they are not ours to keep here.

use std::fs;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::browser::Tab;

/// What breaks a rule and stays as it is: the rule, a selector of the element, and why.
pub const EXCUSED: &[(&str, &str, &str)] = &[(
    "aria-prohibited-attr",
    "#mdbook-searchresults .teaser",
    "mdBook's search writes a name onto the text that it has found; screen readers read the text",
)];

/// What on the page as it is now breaks a rule: the rule and what is wrong on one line, the element on the next.
#[must_use]
pub fn violations(tab: &Tab) -> Vec<String> {
    if tab.eval("typeof axe") == "undefined" {
        tab.eval(rules());
    }
    let excused: Vec<_> = EXCUSED.iter().map(|(rule, selector, _)| json!([rule, selector])).collect();
    let found = tab.eval(&format!(
        "(async () => {{
            const excused = {};
            const {{ violations }} = await axe.run(document, {{ resultTypes: ['violations'] }});
            return violations.flatMap(({{ id, help, nodes }}) => nodes
                .filter((node) => !excused.some(([rule, selector]) => rule === id && document.querySelector(node.target[0])?.matches(selector)))
                .map((node) => `${{id}}: ${{help}}. ${{node.failureSummary.replaceAll(/\\s+/g, ' ')}}\\n${{node.target}} ${{node.html.slice(0, 160)}}`));
        }})()",
        Value::from(excused)
    ));
    serde_json::from_value(found).expect("a list of texts")
}

fn rules() -> &'static str {
    static RULES: OnceLock<String> = OnceLock::new();
    RULES.get_or_init(|| {
        let program = crate::program();
        let file = program.ancestors().nth(2).expect("target").join("axe/node_modules/axe-core/axe.min.js");
        fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{}: {error}. Run scripts/setup-tests.sh, which fetches it", file.display()))
    })
}
