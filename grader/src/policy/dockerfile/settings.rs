//! What an image says about the containers that will run it: `HEALTHCHECK` and `VOLUME`.
//!
//! Owns: what may be set there. Must not: let in what it cannot read; nobody looks after it.

use super::super::limits::{self, duration_ms};
use super::Look;
use crate::submission::dockerfile::{Instruction, expand_known};

/// Flags of `HEALTHCHECK` that are times; the shortest one that is let in counts for the first two.
const TIMES: [&str; 4] = ["interval", "start-interval", "timeout", "start-period"];

impl Look<'_> {
    pub(super) fn health(&mut self, one: &Instruction) {
        for (index, name) in TIMES.iter().enumerate() {
            for value in one.flag(name) {
                match duration_ms(value) {
                    None => self.refuse(
                        one.line,
                        format!("the health check's `--{name}` cannot be read: `{value}`"),
                        format!("Write a number and its unit: `--{name}=5s`, `500ms` or `1m30s`."),
                    ),
                    Some(ms) if index < 2 && ms > 0 && ms < limits::HEALTH_INTERVAL_MS => {
                        self.refuse(
                            one.line,
                            format!("the health check runs every {value}"),
                            limits::health_interval(),
                        );
                    }
                    Some(_) => {}
                }
            }
        }
    }

    pub(super) fn volume(&mut self, one: &Instruction) {
        for word in one.words() {
            match expand_known(&word, &self.settled, self.escape) {
                None => self.refuse(
                    one.line,
                    format!("which folder the volume `{word}` is cannot be told"),
                    "Write the path out: `VOLUME /data`.",
                ),
                Some(path) if limits::is_kernels(path.trim()) => {
                    self.refuse(one.line, format!("a volume lies over {}", path.trim()), limits::KERNELS);
                }
                Some(_) => {}
            }
        }
    }
}
