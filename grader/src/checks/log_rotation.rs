//! `log-rotation`: the log of each service cannot fill the disk.
//!
//! Owns: judging log drivers and their options. Must not: write logs.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, bytes};

/// Reads the log driver and options of each service's container as the daemon uses them.
///
/// Why it matters: `json-file`, the default, keeps every line for ever.
///
/// How it is cheated: `max-file` without `max-size` bounds nothing, and counts for nothing here; nor does a
/// size that no disk has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogRotation {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The services.
    pub services: Vec<String>,
    /// The most that the log of one service may take, bytes.
    #[serde(default = "default_most")]
    pub most_bytes: u64,
}

/// A gigabyte: a bound that a small server's disk does not notice.
fn default_most() -> u64 {
    1_000_000_000
}

/// Driver and options of a service's log.
#[derive(Debug, Serialize, Deserialize)]
pub struct LogFacts {
    /// The service.
    pub service: String,
    /// The log driver.
    pub driver: String,
    /// Its options.
    pub options: BTreeMap<String, String>,
    /// Where `logging` stands, or the service.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for LogRotation {
    type Evidence = Vec<LogFacts>;
    const KIND: &'static str = "log-rotation";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Self::Evidence, Fault> {
        let mut all = Vec::new();
        for service in &self.services {
            let at = At { stack: &self.stack, service };
            let facts = sandbox.container(at).await?;
            all.push(LogFacts {
                service: service.clone(),
                driver: facts.log_driver,
                options: facts.log_options,
                at: sandbox.locate_key(at, &["logging"]),
            });
        }
        Ok(all)
    }

    fn time_explains(&self, _: &Self::Evidence) -> bool {
        false
    }

    fn judge(&self, evidence: &Self::Evidence) -> Verdict {
        let wanted = format!("the log of {} takes at most {}", self.services.join(" and "), bytes(self.most_bytes));
        let show = |facts: &LogFacts| {
            let options: Vec<String> = facts.options.iter().map(|(key, value)| format!("{key}={value}")).collect();
            if options.is_empty() {
                facts.driver.clone()
            } else {
                format!("{} with {}", facts.driver, options.join(", "))
            }
        };
        let most = |facts: &LogFacts| facts.most().map_or_else(|| "no bound".to_owned(), bytes);
        let rows = evidence.iter().map(|facts| vec![facts.service.clone(), show(facts), most(facts)]).collect();
        let table = Detail::table("logs", &["service", "driver", "at most"], rows);
        match evidence.iter().find(|facts| facts.most().is_none_or(|most| most > self.most_bytes)) {
            Some(facts) => {
                let bound = match facts.most() {
                    Some(most) => format!("which takes up to {}", bytes(most)),
                    None if facts.driver == "json-file" => "without a `max-size` that bounds it".into(),
                    None => "and nothing is known of a bound there".into(),
                };
                let measured = format!("`{}` logs by {}, {bound}", facts.service, show(facts));
                let note = "The most is `max-size` times `max-file`. Without `max-size`, the first file of `json-file` is never full.";
                Verdict::Fail(Finding::new(wanted, measured).at(facts.at.clone()).with(table).note(note))
            }
            None => Verdict::Pass(Finding::new(wanted, evidence.iter().map(show).collect::<Vec<_>>().join("; "))),
        }
    }
}

impl LogFacts {
    /// The most bytes that the log can take; `None` without a bound. Where no number is given, `local`
    /// keeps 5 files of 20 MB, and `json-file` one file that is never full (Docker's manual).
    fn most(&self) -> Option<u64> {
        let (default_size, default_files) = match self.driver.as_str() {
            "none" => return Some(0),
            "local" => (Some("20m"), 5),
            "json-file" => (None, 1),
            _ => return None,
        };
        let option = |key: &str| self.options.get(key).map(String::as_str);
        let files = option("max-file").and_then(|files| files.parse().ok()).unwrap_or(default_files);
        size(option("max-size").or(default_size)?)?.checked_mul(files)
    }
}

/// Bytes of a size as Docker's log options have it: `10m` is 10,000,000. `None` for what is no bound.
fn size(text: &str) -> Option<u64> {
    let text = text.trim().to_lowercase();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let power = "bkmgtp".find(unit.trim().chars().next().unwrap_or('b'))?;
    let bytes = number.parse::<f64>().ok()? * 1000_f64.powi(i32::try_from(power).ok()?);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; the largest fits")]
    (bytes >= 1.0).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn most(driver: &str, options: &[(&str, &str)]) -> Option<u64> {
        let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        LogFacts { service: "a".into(), driver: driver.into(), options, at: None }.most()
    }

    #[test]
    fn a_number_of_files_without_a_size_bounds_nothing() {
        assert_eq!(most("json-file", &[("max-file", "3")]), None);
        assert_eq!(most("json-file", &[("max-size", "-1"), ("max-file", "3")]), None);
        assert_eq!(most("json-file", &[("max-size", "10m")]), Some(10_000_000));
        assert_eq!(most("local", &[]), Some(100_000_000));
        assert_eq!(most("local", &[("max-size", "5m"), ("max-file", "4")]), Some(20_000_000));
    }

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        let read = ["512", "10k", "1.5MB", "2 GiB", "0", "-1", "", "ten"].map(size);
        let bytes = [Some(512), Some(10_000), Some(1_500_000), Some(2_000_000_000), None, None, None, None];
        assert_eq!(read, bytes);
    }
}

crate::register!(LogRotation);
