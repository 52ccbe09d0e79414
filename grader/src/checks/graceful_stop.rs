//! `graceful-stop`: asked to stop, a service answers what is in flight and ends in time.
//!
//! Owns: one slow request and one stop. Must not: kill anything.

mod cause;
mod in_flight;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Door, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{HttpAnswer, HttpRequest, Stopping};
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Mark, Span, Verdict, millis};
use in_flight::{Stopped, stopped_in_flight};

/// The exit code of a process that SIGKILL ended: 128 + 9.
const KILLED: i64 = 137;

/// Sends a request that takes a while until it has been answered well once, so that the service is quite up.
/// Then sends it again; when the kernel shows that the service has read it and has not answered yet, stops
/// the container as `docker stop` does, and waits for both. In order is an end with exit code 0, or with 128
/// and the number of the stop signal (143 for SIGTERM), as programs end that pass the signal on.
///
/// Why it matters: a deployment must not cut off a guest who is paying.
///
/// How it is cheated: a long grace time does not help, since the time counts; dying at once
/// leaves the request without an answer; answering before the work is done leaves nothing in flight.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GracefulStop {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port in the container.
    pub port: u16,
    /// The path of the slow request.
    pub path: String,
    /// Its JSON body.
    pub post: serde_json::Value,
    /// The wanted status of its answer.
    pub status: u16,
    /// The most milliseconds from the stop signal to the end.
    pub within_ms: u64,
    /// How long the longest request may take, milliseconds: the container's grace time must not be shorter.
    #[serde(default)]
    pub longest_ms: u64,
    /// The image that the learner builds for it, if so, to show the line that starts its main process.
    #[serde(default)]
    pub image: Option<String>,
}

/// How long it may take until a request is answered well for the first time.
const UP_WITHIN_MS: u64 = 30_000;

/// What happened.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Whether the request had been read, and not answered, before the stop.
    pub in_flight: bool,
    /// The request's answer.
    pub answer: HttpAnswer,
    /// From the stop signal to the end.
    pub millis: u64,
    /// The exit code.
    pub exit_code: i64,
    /// The main process.
    pub main_process: String,
    /// Where it is started.
    pub at: Option<Location>,
    /// When what happened.
    #[serde(default)]
    pub moments: Option<Moments>,
    /// How it was asked to stop.
    #[serde(default)]
    pub stopping: Stopping,
}

/// Milliseconds since the request was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Moments {
    /// When the kernel showed that the service had read it, if it did.
    pub read_ms: Option<u64>,
    /// When the stop signal was sent.
    pub stop_ms: u64,
}

#[async_trait]
impl Check for GracefulStop {
    type Evidence = Evidence;
    const KIND: &'static str = "graceful-stop";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        self.image.iter().map(Resource::image).chain([Resource::stack(&self.stack)]).collect()
    }

    fn asks_at(&self) -> Vec<Door> {
        vec![Door::of(&self.stack, &self.service, self.port)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        sandbox.ensure_running(at).await?;
        let request = HttpRequest::post(self.port, &self.path, self.post.clone());
        let answers = || async {
            let answer = sandbox.http(at, &request).await?;
            Ok::<_, Fault>((answer.status == Some(self.status)).then_some(()))
        };
        until(&sandbox.within(UP_WITHIN_MS), answers).await?;
        let processes = sandbox.processes(at).await?;
        let pid = sandbox.container(at).await?.pid;
        let main_process =
            processes.into_iter().find(|process| process.pid == pid).map(|p| p.command).unwrap_or_default();
        let stopping = sandbox.stopping(at).await?;
        let Stopped { in_flight, answer, spent, moments } = stopped_in_flight(self, sandbox, at).await?;
        let exit_code = sandbox.container(at).await?.exit_code;
        // Who is killed has had all the time of its grace, which is longer on a slow machine.
        if exit_code != KILLED {
            spent.took().must_tell(self.within_ms, &format!("the stop of `{}`", self.service))?;
        }
        let mut evidence = Evidence {
            in_flight,
            answer,
            millis: spent.millis,
            exit_code,
            main_process,
            at: None,
            moments: Some(moments),
            stopping,
        };
        evidence.at = self.place(sandbox, &evidence);
        Ok(evidence)
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let signal = evidence.signal();
        let grace = if self.longest_ms == 0 {
            String::new()
        } else {
            format!(", in a grace time of {} at least", millis(self.longest_ms))
        };
        let wanted = format!(
            "after {signal} the request in flight is answered with {}, and the container ends by itself within {}{grace}, with code 0 or {}",
            self.status,
            millis(self.within_ms),
            evidence.code_of_signal()
        );
        let measured = format!(
            "{} after {} with code {}; the request: {}",
            if evidence.killed() { "killed" } else { "ended" },
            millis(evidence.millis),
            evidence.exit_code,
            evidence.answer.summary()
        );
        let finding = Finding::new(wanted, measured).with_some(self.timeline(evidence));
        let Some(cause) = self.cause(evidence) else { return Verdict::Pass(finding) };
        let main = Detail::log("the main process (PID 1)", vec![evidence.main_process.clone()]);
        Verdict::Fail(finding.at(evidence.at.clone()).with(main).note(evidence.explained(cause)))
    }
}

impl GracefulStop {
    /// What happened when, counted from the stop signal.
    fn timeline(&self, evidence: &Evidence) -> Option<Detail> {
        let moments = evidence.moments.as_ref()?;
        let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        let after_stop = |since_request: u64| signed(since_request) - signed(moments.stop_ms);
        let (sent, answered) = (after_stop(0), after_stop(evidence.answer.millis));
        let outcome = match evidence.answer.status {
            Some(status) => format!("answered with {status}"),
            None => "cut off, without an answer".into(),
        };
        let spans = match moments.read_ms.map(after_stop) {
            Some(read) => vec![
                Span::new("the request is on its way", sent, read),
                Span::new(format!("the service works on it: {outcome}"), read, answered),
            ],
            None => vec![Span::new(format!("the request: {outcome}"), sent, answered)],
        };
        let end = if evidence.killed() { "killed" } else { "ended by itself" };
        let stop = Span::new(format!("the container stops: {end}"), 0, signed(evidence.millis));
        Some(Detail::Timeline {
            title: format!("the stop of `{}`", self.service),
            zero: evidence.signal(),
            spans: spans.into_iter().chain([stop]).collect(),
            marks: Vec::new(),
            limit: Some(Mark::new("the limit", signed(self.within_ms))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::cause::Cause;
    use super::*;

    fn timeline(answer: HttpAnswer, exit_code: i64, moments: Option<Moments>) -> Option<Detail> {
        let check = GracefulStop {
            stack: "prod".into(),
            service: "payments".into(),
            port: 3000,
            path: "/pay".into(),
            post: serde_json::Value::Null,
            status: 200,
            within_ms: 6_000,
            longest_ms: 0,
            image: None,
        };
        let evidence = Evidence {
            in_flight: true,
            answer,
            millis: 900,
            exit_code,
            main_process: String::new(),
            at: None,
            moments,
            stopping: Stopping::default(),
        };
        check
            .judge(&evidence)
            .finding()
            .details
            .iter()
            .find(|detail| matches!(detail, Detail::Timeline { .. }))
            .cloned()
    }

    #[test]
    fn the_timeline_counts_from_sigterm_and_a_passing_stop_shows_it_too() {
        let answer = HttpAnswer { status: Some(200), millis: 800, ..HttpAnswer::default() };
        let moments = Moments { read_ms: Some(40), stop_ms: 60 };
        let Some(Detail::Timeline { spans, limit, .. }) = timeline(answer, 0, Some(moments)) else {
            panic!("a timeline")
        };
        let expected = [
            Span::new("the request is on its way", -60, -20),
            Span::new("the service works on it: answered with 200", -20, 740),
            Span::new("the container stops: ended by itself", 0, 900),
        ];
        assert_eq!(spans, expected);
        assert_eq!(limit, Some(Mark::new("the limit", 6_000)));
    }

    #[test]
    fn who_is_killed_and_cut_off_is_said_to_be_and_older_evidence_has_no_timeline() {
        let cut = HttpAnswer { error: Some("reset".into()), millis: 900, ..HttpAnswer::default() };
        let moments = Moments { read_ms: None, stop_ms: 10 };
        let Some(Detail::Timeline { spans, .. }) = timeline(cut.clone(), KILLED, Some(moments)) else {
            panic!("a timeline")
        };
        let labels: Vec<&str> = spans.iter().map(|span| span.label.as_str()).collect();
        assert_eq!(labels, ["the request: cut off, without an answer", "the container stops: killed"]);
        assert_eq!(timeline(cut, KILLED, None), None);
    }

    fn cause(exit_code: i64, stopping: Stopping) -> Option<Cause> {
        let check = GracefulStop {
            stack: "prod".into(),
            service: "payments".into(),
            port: 3000,
            path: "/pay".into(),
            post: serde_json::Value::Null,
            status: 200,
            within_ms: 6_000,
            longest_ms: 0,
            image: None,
        };
        check.cause(&Evidence {
            in_flight: true,
            answer: HttpAnswer { status: Some(200), ..HttpAnswer::default() },
            millis: 900,
            exit_code,
            main_process: String::new(),
            at: None,
            moments: None,
            stopping,
        })
    }

    #[test]
    fn a_kill_is_blamed_on_what_brought_it_about() {
        let stopping = |number, awaited| Stopping { number, awaited, ..Stopping::default() };
        assert_eq!(cause(KILLED, stopping(15, false)), Some(Cause::Unheard));
        assert_eq!(cause(KILLED, stopping(15, true)), Some(Cause::GraceTime));
        assert_eq!(cause(KILLED, stopping(9, false)), Some(Cause::Kill));
    }

    #[test]
    fn only_0_and_the_code_of_the_stop_signal_are_in_order() {
        let interrupt = || Stopping { number: 2, awaited: true, ..Stopping::default() };
        let judged = |code| cause(code, Stopping::default());
        assert_eq!([0, 143, 1, 130].map(judged), [None, None, Some(Cause::ExitCode), Some(Cause::ExitCode)]);
        assert_eq!((cause(130, interrupt()), cause(143, interrupt())), (None, Some(Cause::ExitCode)));
    }
}

crate::register!(GracefulStop);
