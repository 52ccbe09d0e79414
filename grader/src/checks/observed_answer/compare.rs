//! An answer beside the value.
//!
//! Owns: telling a wrong value from a wrong unit or format. Must not: tell the value.

use serde_json::Value;

use super::observe::Observed;

/// What is wrong with an answer; `None` when nothing is.
pub fn problem(answer: &Value, observed: &Observed, tolerance_percent: f64) -> Option<String> {
    let written = match answer {
        Value::Null => return Some("it is not there: add a line for it".into()),
        Value::String(text) if text.trim().is_empty() => return Some("it is still empty".into()),
        Value::String(text) => text.trim().to_owned(),
        Value::Array(_) | Value::Object(_) => return Some("write one value, not several".into()),
        other => other.to_string(),
    };
    match observed {
        Observed::Number { value, unit } => number(&written, *value, unit, tolerance_percent),
        Observed::Text { value } => text(&written, value.trim()),
        Observed::Nothing { reason } => Some(reason.clone()),
    }
}

fn number(written: &str, value: f64, unit: &str, tolerance_percent: f64) -> Option<String> {
    let digits = if unit == "CPUs" { "digits and a point only" } else { "digits only" };
    let as_what = match unit {
        "bytes" => "the number of bytes",
        "CPUs" => "the number of CPUs",
        "process id" => "the process id",
        "user id" => "the user's number",
        "inode" => "the inode's number (what stands in the brackets)",
        _ => "the number",
    };
    if unit == "process id" && written == "1" {
        return Some("that is its number inside of the container: write the one that the host has for it".into());
    }
    let Ok(given) = written.parse::<f64>() else {
        return Some(format!("write {as_what}, {digits}"));
    };
    let near = |given: f64, percent: f64| (given - value).abs() <= value.abs() * percent / 100.0 + 1e-9;
    if near(given, tolerance_percent) {
        return None;
    }
    let other = others(unit).iter().find(|(_, factor)| near(given * factor, tolerance_percent.max(0.5)));
    let Some((name, _)) = other else { return Some("that is not what is measured now".into()) };
    Some(format!("that looks like {name}: write {as_what}, {digits}"))
}

/// Units that are mistaken for another one, with what turns them into it.
fn others(unit: &str) -> &'static [(&'static str, f64)] {
    match unit {
        "bytes" => {
            &[("MiB", 1_048_576.0), ("MB", 1e6), ("KiB", 1_024.0), ("kB", 1e3), ("GiB", 1_073_741_824.0), ("GB", 1e9)]
        }
        "CPUs" => &[("percent", 1e-2), ("microseconds of a period", 1e-5), ("billionths of a CPU", 1e-9)],
        _ => &[],
    }
}

fn text(written: &str, value: &str) -> Option<String> {
    if written == value {
        return None;
    }
    if let Some(problem) = path(written, value) {
        return Some(problem.into());
    }
    let hex = |text: &str| text.len() >= 7 && text.chars().all(|digit| digit.is_ascii_hexdigit());
    let plain = written.trim_start_matches("sha256:");
    if value.starts_with("sha256:") && hex(plain) && value["sha256:".len()..].starts_with(plain) {
        return Some("that is a short form: write `sha256:` and all 64 digits".into());
    }
    if written.split('/').next() == Some(value) && !value.is_empty() {
        return Some("write the address alone, without `/` and what follows".into());
    }
    if written.eq_ignore_ascii_case(value) {
        return Some("capital and small letters matter: write it exactly as it is".into());
    }
    if written.trim_matches(['"', '\'', '`', '[', ']', '/']) == value.trim_matches(['/']) {
        return Some("write it exactly as it is, without a character more or less".into());
    }
    if let Some((_, after)) = written.split_once('=')
        && after.trim() == value
    {
        return Some("write the value alone, without its name".into());
    }
    Some("that is not what is measured now".into())
}

/// What is wrong with the form of a path, such as a cgroup's.
fn path(written: &str, value: &str) -> Option<&'static str> {
    let last = value.rsplit('/').next().filter(|_| value.starts_with('/'))?;
    if written.contains(':') && written.ends_with(value) {
        return Some("write the path alone, from the first `/` on");
    }
    if written.contains("..") || written == "/" {
        return Some("that is the path as a process in another cgroup namespace sees it: write the host's");
    }
    (written.trim_start_matches("docker-").trim_end_matches(".scope") == last && written != value)
        .then_some("that is the last part only: write the whole path, from the first `/` on")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(answer: impl Into<Value>, value: f64, unit: &str) -> String {
        problem(&answer.into(), &Observed::Number { value, unit: unit.into() }, 0.0).unwrap_or_else(|| "right".into())
    }

    #[test]
    fn a_number_in_another_unit_is_told_apart_from_a_wrong_one() {
        assert_eq!(said(67_108_864, 67_108_864.0, "bytes"), "right");
        assert_eq!(said("67108864", 67_108_864.0, "bytes"), "right");
        assert!(said(64, 67_108_864.0, "bytes").contains("looks like MiB"));
        assert!(said("64M", 67_108_864.0, "bytes").contains("digits only"));
        assert!(said(65, 67_108_864.0, "bytes").contains("not what is measured"));
        assert!(said(50, 0.5, "CPUs").contains("percent"));
        assert!(said("pid:[4026531836]", 4_026_531_836.0, "inode").contains("brackets"));
        assert!(said(1, 4_711.0, "process id").contains("inside of the container"));
        assert!(said("", 1.0, "layers").contains("empty"));
    }

    #[test]
    fn a_text_in_another_form_is_told_apart_from_a_wrong_one() {
        let said = |answer: &str, value: &str| {
            problem(&json!(answer), &Observed::Text { value: value.into() }, 0.0).unwrap_or_else(|| "right".into())
        };
        let digest = "sha256:675eb28974f6bf0bfba2bc126b317d62523ae0cea146ee9cd05371c04586bfe1";
        assert_eq!(said(" Soup ", "Soup"), "right");
        assert!(said("675eb28974f6", digest).contains("short form"));
        assert!(said("172.17.0.2/16", "172.17.0.2").contains("address alone"));
        assert!(said("soup", "Soup").contains("letters matter"));
        assert!(said("MENU=Soup", "Soup").contains("value alone"));
        for (written, says) in [
            ("4:memory:/docker/ab12", "path alone"),
            ("0::/docker/ab12", "path alone"),
            ("/", "another cgroup namespace"),
            ("/../ab12", "another cgroup namespace"),
            ("ab12", "last part only"),
            ("/docker/ab13", "not what is measured"),
        ] {
            assert!(said(written, "/docker/ab12").contains(says), "{written}");
        }
        assert!(said("bread", "Soup").contains("not what is measured"));
    }
}
