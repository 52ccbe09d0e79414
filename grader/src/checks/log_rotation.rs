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
use crate::verdict::{Detail, Finding, Location, Verdict};

/// Reads the log driver and options of each service's container as the daemon uses them.
///
/// Why it matters: `json-file`, the default, keeps every line for ever.
///
/// How it is cheated: `max-file` without `max-size` bounds nothing, and counts for nothing here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogRotation {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The services.
    pub services: Vec<String>,
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

    fn judge(&self, evidence: &Self::Evidence) -> Verdict {
        let wanted = format!("the log of {} is bounded", self.services.join(" and "));
        let show = |facts: &LogFacts| {
            let options: Vec<String> = facts.options.iter().map(|(key, value)| format!("{key}={value}")).collect();
            if options.is_empty() { facts.driver.clone() } else { format!("{} with {}", facts.driver, options.join(", ")) }
        };
        let rows = evidence.iter().map(|facts| vec![facts.service.clone(), show(facts)]).collect();
        let table = Detail::table("logs", &["service", "driver"], rows);
        match evidence.iter().find(|facts| !facts.is_bounded()) {
            Some(facts) => {
                let measured = format!("`{}` logs by {}, without `max-size`", facts.service, show(facts));
                Verdict::Fail(Finding::new(wanted, measured).at(facts.at.clone()).with(table))
            }
            None => Verdict::Pass(Finding::new(wanted, evidence.iter().map(show).collect::<Vec<_>>().join("; "))),
        }
    }
}

impl LogFacts {
    /// `local` rotates by itself (5 files of 20 MB, see Docker's manual); `json-file` only when
    /// it is given a size.
    fn is_bounded(&self) -> bool {
        match self.driver.as_str() {
            "local" | "none" => true,
            "json-file" => self.options.get("max-size").is_some_and(|size| !size.is_empty() && size != "-1"),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_bounded(driver: &str, options: &[(&str, &str)]) -> bool {
        let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        LogFacts { service: "a".into(), driver: driver.into(), options, at: None }.is_bounded()
    }

    #[test]
    fn a_number_of_files_without_a_size_bounds_nothing() {
        assert!(!is_bounded("json-file", &[("max-file", "3")]));
        assert!(!is_bounded("json-file", &[("max-size", "-1")]));
        assert!(is_bounded("json-file", &[("max-size", "10m")]));
        assert!(is_bounded("local", &[]));
    }
}

crate::register!(LogRotation);
