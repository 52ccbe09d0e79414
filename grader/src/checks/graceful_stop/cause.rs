//! Why a stop was not in order, and what to say about it.
//!
//! Owns: the first cause, in words and with its place. Must not: measure.

use super::{Evidence, GracefulStop, KILLED};
use crate::sandbox::facts::Stopping;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Location, millis};

/// Why a stop was not in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The stop signal is the one that nobody can answer.
    Kill,
    /// Process 1 does not wait for the stop signal.
    Unheard,
    /// It was heard, and the grace time was over before the end.
    GraceTime,
    /// There was no answer, or not the wanted one.
    Unanswered,
    TooLate,
    NothingInFlight,
    /// A longer request would not get the time that it needs.
    ShortGrace,
    ExitCode,
}

impl Evidence {
    /// Older evidence is of SIGTERM.
    pub(super) fn signal(&self) -> String {
        if self.stopping.signal.is_empty() { "SIGTERM".into() } else { self.stopping.signal.clone() }
    }

    /// The exit code of a process that the stop signal has ended.
    pub(super) fn code_of_signal(&self) -> i64 {
        128 + if self.stopping.number == 0 { 15 } else { i64::from(self.stopping.number) }
    }

    pub(super) fn killed(&self) -> bool {
        self.exit_code == KILLED
    }

    pub(super) fn explained(&self, cause: Cause) -> String {
        let signal = self.signal();
        let other = if signal == "SIGTERM" { "" } else { " The usual one is SIGTERM." };
        match cause {
            Cause::Kill => "The stop signal is SIGKILL, by `stop_signal` or `STOPSIGNAL`. No program can answer it.".into(),
            Cause::Unheard => format!(
                "The stop signal goes to PID 1 only, and PID 1 does not wait for {signal}; then it never gets it, and Docker kills everything when the grace time is over. A shell does not pass it on.{other}"
            ),
            Cause::GraceTime => format!(
                "PID 1 has got {signal}, and had not ended when its grace time of {} (`stop_grace_period`; 10 s when nothing is said) was over. Then Docker kills.",
                millis(self.stopping.grace_ms)
            ),
            Cause::Unanswered => "The process ended before it had answered. When it is asked to stop, it has to take no new requests, answer those that it has, and end then.".into(),
            Cause::TooLate => "It ended by itself, but too late. Whatever keeps the process alive, such as open connections and timers, has to end after the last answer.".into(),
            Cause::NothingInFlight => "Each request was answered before the stop could come between, so nothing was in flight. The answer must not come before the work is done.".into(),
            Cause::ShortGrace => format!(
                "This request got its answer. Others take longer, and after {} (`stop_grace_period`) Docker kills whatever has not ended.",
                millis(self.stopping.grace_ms)
            ),
            Cause::ExitCode => format!(
                "It answered, and then ended as after an error. In order is 0, or {}, which is 128 and the number of {signal}.",
                self.code_of_signal()
            ),
        }
    }
}

impl GracefulStop {
    /// The first thing that was not in order.
    pub(super) fn cause(&self, evidence: &Evidence) -> Option<Cause> {
        let Stopping { number, awaited, .. } = evidence.stopping;
        if evidence.killed() {
            // Older evidence does not know the signal.
            return Some(match (number, awaited) {
                (9, _) => Cause::Kill,
                (_, false) => Cause::Unheard,
                (_, true) => Cause::GraceTime,
            });
        }
        if evidence.answer.status != Some(self.status) {
            Some(Cause::Unanswered)
        } else if evidence.millis > self.within_ms {
            Some(Cause::TooLate)
        } else if !evidence.in_flight {
            Some(Cause::NothingInFlight)
        } else if evidence.stopping.grace_ms < self.longest_ms {
            Some(Cause::ShortGrace)
        } else {
            let in_order = [0, evidence.code_of_signal()].contains(&evidence.exit_code);
            (!in_order).then_some(Cause::ExitCode)
        }
    }

    /// Where the cause stands.
    pub(super) fn place(&self, sandbox: &dyn Sandbox, evidence: &Evidence) -> Option<Location> {
        let at = At { stack: &self.stack, service: &self.service };
        let service = &sandbox.model(&self.stack)["services"][&self.service];
        let has = |key: &str| !service[key].is_null();
        let line = |name: &str| self.image.as_ref().and_then(|image| sandbox.locate_instruction(image, name));
        let signal = || if has("stop_signal") { sandbox.locate_key(at, &["stop_signal"]) } else { line("STOPSIGNAL") };
        let blamed = match self.cause(evidence)? {
            Cause::Kill => signal(),
            Cause::Unheard if evidence.signal() != "SIGTERM" => signal(),
            Cause::GraceTime | Cause::ShortGrace if has("stop_grace_period") => {
                sandbox.locate_key(at, &["stop_grace_period"])
            }
            _ => None,
        };
        let key = ["entrypoint", "command"].into_iter().find(|key| has(key));
        let begins = || match (key, &self.image) {
            (None, Some(_)) => ["ENTRYPOINT", "CMD"].into_iter().find_map(line),
            (key, _) => sandbox.locate_key(at, &[key.unwrap_or("command")]),
        };
        blamed.or_else(begins)
    }
}
