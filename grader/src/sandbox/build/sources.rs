//! Which images a build may read, in BuildKit's own terms.
//!
//! Owns: the source policy, and recognising what it let in and what it denied. Must not: decide which images
//! are allowed.

use serde_json::json;

use crate::course::spec::LessonSpec;
use crate::policy::images;
use crate::sandbox::family::{Absent, Pin};

/// The source policy for a lesson's images, as BuildKit reads it. The gate has looked at the
/// Dockerfile's text; this holds for what BuildKit makes of it. Of other images, only those with the
/// digest that was proven are let in, whatever has their name on this machine.
#[must_use]
pub fn source_policy(lesson: &LessonSpec, pins: &[Pin], absent: &[Absent]) -> serde_json::Value {
    let rule = |action: &str, source: &str| json!({"action": action, "selector": {"identifier": source}});
    let source = |image: &str| format!("docker-image://{}", images::full(image));
    let mut rules = vec![rule("DENY", "*"), rule("ALLOW", "local://*")];
    for image in &lesson.images {
        // BuildKit adds the digest that it has found.
        rules.extend([rule("ALLOW", &source(image)), rule("ALLOW", &format!("{}@*", source(image)))]);
    }
    rules.extend(absent.iter().map(|one| rule("DENY", &source(&one.written))));
    for pin in pins {
        let exact = format!("docker-image://{}", pin.identifier());
        if !pin.written.contains('@') {
            let mut convert = rule("CONVERT", &source(&pin.written));
            convert["updates"] = json!({"identifier": exact});
            rules.push(convert);
        }
        rules.push(rule("ALLOW", &exact));
    }
    for (name, image) in &lesson.stand_ins {
        let mut convert = rule("CONVERT", &source(name));
        convert["updates"] = json!({"identifier": source(image)});
        rules.push(convert);
    }
    json!({ "rules": rules })
}

/// Whether BuildKit complains that it must not read an image, since nobody could say which one it is.
pub fn asks_for(complaint: &str, image: &str) -> bool {
    complaint.contains("denied by policy") && complaint.contains(&format!("docker-image://{}\"", images::full(image)))
}

/// Which images a build took that are not the lesson's own, with their digests.
pub fn others(bases: &[String], pins: &[Pin]) -> Vec<String> {
    let taken = |pin: &&Pin| bases.iter().any(|base| images::full(base) == images::full(&pin.written));
    pins.iter().filter(taken).map(|pin| format!("{} ({})", pin.written, pin.digest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lesson() -> LessonSpec {
        let text =
            "id = \"lesson01\"\nslug = \"a\"\ntitle = \"A\"\nminutes = 1\nimages = [\"node:22\"]\ndeliver = []\n";
        toml::from_str(text).expect("a lesson")
    }

    #[test]
    fn another_version_is_read_by_its_digest_only_and_what_is_absent_not_at_all() {
        let pin = Pin { written: "node:24".into(), digest: "sha256:1".into() };
        let absent = Absent { written: "node@sha256:2".into(), reason: String::new(), here: Vec::new() };
        let policy = source_policy(&lesson(), std::slice::from_ref(&pin), std::slice::from_ref(&absent));
        let shown: Vec<String> = policy["rules"]
            .as_array()
            .expect("rules")
            .iter()
            .map(|rule| {
                let text = |value: &serde_json::Value| {
                    value.as_str().unwrap_or_default().replace("docker-image://docker.io/library/", "")
                };
                format!(
                    "{} {} {}",
                    text(&rule["action"]),
                    text(&rule["selector"]["identifier"]),
                    text(&rule["updates"]["identifier"])
                )
            })
            .collect();
        let wanted = [
            "DENY * ",
            "ALLOW local://* ",
            "ALLOW node:22 ",
            "ALLOW node:22@* ",
            "DENY node@sha256:2 ",
            "CONVERT node:24 node:24@sha256:1",
            "ALLOW node:24@sha256:1 ",
        ];
        assert_eq!(shown, wanted);
        assert_eq!(others(&["node:22".into(), "node:24".into()], &[pin]), ["node:24 (sha256:1)"]);
        let said = "source \"docker-image://docker.io/library/node@sha256:2\" denied by policy: not allowed";
        assert!(asks_for(said, &absent.written) && !asks_for(said, "node@sha256:22"));
    }
}
