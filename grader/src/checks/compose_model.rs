//! `compose-model`: values of the merged Compose model.
//!
//! Owns: comparing single values. Must not: merge files; Compose does.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Looks at the model that `docker compose config` makes of the stack's files, with variables
/// filled in, files merged and short forms written out. Nothing is started. Only for what behaviour
/// cannot show (a project's name, a profile, a key that only another tool reads): a restart policy, a
/// limit, a port or a health check is measured by its own kind.
///
/// Why it matters: the merged model is what Compose carries out, not one of the files.
///
/// How it is cheated: a comment, or a value that a later file overrules, is not in the merged model.
/// A value that is there and does nothing passes, which is why behaviour comes first.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComposeModel {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The values that are looked at.
    pub expect: Vec<Expectation>,
}

/// One value: give one of `equals`, `one_of`, `present` and `absent`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Where it stands in the model, as a JSON pointer: `/services/app/restart`.
    pub at: String,
    /// The value that it must have. Texts and numbers with the same spelling are equal.
    #[serde(default)]
    pub equals: Option<Value>,
    /// The values of which it must have one.
    #[serde(default)]
    pub one_of: Option<Vec<Value>>,
    /// It must be there, whatever its value.
    #[serde(default)]
    pub present: bool,
    /// It must not be there.
    #[serde(default)]
    pub absent: bool,
}

/// What the model says.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Per expectation, the value; `null` when there is none.
    pub values: Vec<Value>,
    /// Per expectation, the line from which it comes, or the nearest one above its place.
    pub lines: Vec<Option<Location>>,
}

#[async_trait]
impl Check for ComposeModel {
    type Evidence = Evidence;
    const KIND: &'static str = "compose-model";

    fn needs(&self) -> Vec<Resource> {
        Vec::new()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let model = sandbox.model(&self.stack);
        let unusable = |what: String, reason: &str| Fault::Unreadable { what, reason: reason.to_owned() };
        if model.is_null() {
            return Err(unusable(format!("the stack `{}`", self.stack), "the lesson does not declare it"));
        }
        let mut evidence = Evidence { values: Vec::new(), lines: Vec::new() };
        for one in &self.expect {
            if !one.is_one() {
                let what = format!("the expectation at `{}`", one.at);
                return Err(unusable(what, "it needs exactly one of equals, one_of, present and absent"));
            }
            evidence.values.push(model.pointer(&one.at).cloned().unwrap_or_default());
            let path: Vec<String> =
                one.at.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            evidence.lines.push(sandbox.locate_path(&self.stack, &path));
        }
        Ok(evidence)
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let looked: Vec<_> = self.expect.iter().zip(evidence.values.iter().zip(&evidence.lines)).collect();
        let wrong: Vec<_> = looked.iter().filter(|(one, (value, _))| !one.holds(value)).collect();
        let shown_ones: Vec<&Expectation> =
            if wrong.is_empty() { self.expect.iter().collect() } else { wrong.iter().map(|(one, _)| *one).collect() };
        let wanted: Vec<String> = shown_ones.iter().map(|one| format!("{} {}", one.at, one.wanted())).collect();
        let wanted = format!("in the merged model, {}", wanted.join("; "));
        let Some((_, (_, at))) = wrong.first() else {
            let found: Vec<String> = evidence.values.iter().map(shown).collect();
            return Verdict::Pass(Finding::new(wanted, format!("found {}", found.join("; "))));
        };
        let said: Vec<String> =
            wrong.iter().map(|(one, (value, _))| format!("{} is {}", one.at, shown(value))).collect();
        let rows = wrong.iter().map(|(one, (value, line))| {
            let line = line.as_ref().map_or(String::new(), |at| format!("{}:{}", at.file, at.line));
            vec![one.at.clone(), one.wanted(), shown(value), line]
        });
        let table = Detail::table("what differs", &["key", "wanted", "found", "line"], rows.collect());
        let finding = Finding::new(wanted, said.join("; ")).with(table);
        let finding =
            finding.note("`docker compose config` with the exercise's own `-f` options shows the merged model.");
        Verdict::Fail(finding.at((*at).clone()))
    }
}

impl Expectation {
    fn is_one(&self) -> bool {
        let given = [self.equals.is_some(), self.one_of.is_some(), self.present, self.absent];
        given.into_iter().filter(|given| *given).count() == 1
    }

    fn holds(&self, value: &Value) -> bool {
        if let Some(wanted) = &self.equals {
            return same(wanted, value);
        }
        if let Some(any) = &self.one_of {
            return any.iter().any(|wanted| same(wanted, value));
        }
        value.is_null() == self.absent
    }

    fn wanted(&self) -> String {
        if let Some(wanted) = &self.equals {
            return format!("is {}", shown(wanted));
        }
        match &self.one_of {
            Some(any) => format!("is one of {}", any.iter().map(shown).collect::<Vec<_>>().join(", ")),
            None if self.absent => "is not there".into(),
            None => "is there".into(),
        }
    }
}

/// Compose writes some numbers as text (`mem_limit: "67108864"`).
fn same(a: &Value, b: &Value) -> bool {
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    a == b || plain(a).is_some_and(|a| plain(b) == Some(a))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "not there".into(),
        Value::String(text) => format!("`{text}`"),
        other => {
            let text: String = other.to_string().chars().take(120).collect();
            format!("`{text}`")
        }
    }
}

crate::register!(ComposeModel);
