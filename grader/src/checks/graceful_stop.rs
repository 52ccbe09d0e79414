//! `graceful-stop`: on SIGTERM a service answers what is in flight and ends in time.
//!
//! Owns: one slow request and one stop. Must not: kill anything.

use std::time::Instant;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Door, Manner, Resource};
use crate::fault::Fault;
use crate::sandbox::facts::{HttpAnswer, HttpRequest, Spent};
use crate::sandbox::wait::{since, until};
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Mark, Span, Verdict, millis};

/// The exit code of a process that SIGKILL ended: 128 + 9.
const KILLED: i64 = 137;

/// Sends a request that takes a while; when the kernel shows that the service has read it and has not
/// answered yet, stops the container as `docker stop` does, and waits for both.
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
    /// The most milliseconds from SIGTERM to the end.
    pub within_ms: u64,
    /// The image that the learner builds for it, if so, to show the line that starts its main process.
    #[serde(default)]
    pub image: Option<String>,
}

/// How long it may take to catch a request in flight. One that ends before it is seen is sent again.
const CAUGHT_WITHIN_MS: u64 = 15_000;

/// What happened.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Whether the request had been read, and not answered, before the stop.
    pub in_flight: bool,
    /// The request's answer.
    pub answer: HttpAnswer,
    /// From SIGTERM to the end.
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
}

/// Milliseconds since the request was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Moments {
    /// When the kernel showed that the service had read it, if it did.
    pub read_ms: Option<u64>,
    /// When SIGTERM was sent.
    pub stop_ms: u64,
}

/// A request and a stop.
struct Stopped {
    in_flight: bool,
    answer: HttpAnswer,
    spent: Spent,
    moments: Moments,
}

#[async_trait]
impl Check for GracefulStop {
    type Evidence = Evidence;
    const KIND: &'static str = "graceful-stop";
    const MANNER: Manner = Manner::Disrupts;

    fn needs(&self) -> Vec<Resource> {
        self.image.iter().map(Resource::image).chain([Resource::stack(&self.stack)]).collect()
    }

    fn doors(&self) -> Vec<Door> {
        vec![Door::new(&self.stack, &self.service, self.port)]
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let at = At { stack: &self.stack, service: &self.service };
        sandbox.ensure_running(at).await?;
        let processes = sandbox.processes(at).await?;
        let pid = sandbox.container(at).await?.pid;
        let main_process =
            processes.into_iter().find(|process| process.pid == pid).map(|p| p.command).unwrap_or_default();
        let Stopped { in_flight, answer, spent, moments } = stopped_in_flight(self, sandbox, at).await?;
        spent.took().must_tell(self.within_ms, &format!("the stop of `{}`", self.service))?;
        let exit_code = sandbox.container(at).await?.exit_code;
        let service = &sandbox.model(&self.stack)["services"][&self.service];
        let key = ["entrypoint", "command"].into_iter().find(|key| !service[*key].is_null());
        let line = |image| ["ENTRYPOINT", "CMD"].iter().find_map(|name| sandbox.locate_instruction(image, name));
        let begins = match (key, &self.image) {
            (None, Some(image)) => line(image),
            (key, _) => sandbox.locate_key(at, &[key.unwrap_or("command")]),
        };
        let moments = Some(moments);
        Ok(Evidence { in_flight, answer, millis: spent.millis, exit_code, main_process, at: begins, moments })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let wanted = format!(
            "after SIGTERM the request in flight is answered with {} and the container ends by itself within {}",
            self.status,
            millis(self.within_ms)
        );
        let answered = evidence.answer.status == Some(self.status);
        let killed = evidence.exit_code == KILLED;
        let in_time = evidence.millis <= self.within_ms;
        let measured = format!(
            "{} after {} with code {}; the request: {}",
            if killed { "killed" } else { "ended" },
            millis(evidence.millis),
            evidence.exit_code,
            evidence.answer.summary()
        );
        let finding = Finding::new(wanted, measured).with_some(self.timeline(evidence));
        let note = if killed {
            "SIGTERM goes to PID 1 only. If that is a shell, the signal stops there; Docker then kills everything when the grace time is over."
        } else if !answered {
            "The process ended before it had answered. On SIGTERM it has to take no new requests, answer those that it has, and end then."
        } else if !in_time {
            "It ended by itself, but too late. Whatever keeps the process alive, such as open connections and timers, has to end after the last answer."
        } else if !evidence.in_flight {
            "Each request was answered before the stop could come between, so nothing was in flight. The answer must not come before the work is done."
        } else {
            return Verdict::Pass(finding);
        };
        let main = Detail::log("the main process (PID 1)", vec![evidence.main_process.clone()]);
        Verdict::Fail(finding.at(evidence.at.clone()).with(main).note(note))
    }
}

impl GracefulStop {
    /// What happened when, counted from SIGTERM.
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
        let end = if evidence.exit_code == KILLED { "killed" } else { "ended by itself" };
        let stop = Span::new(format!("the container stops: {end}"), 0, signed(evidence.millis));
        Some(Detail::Timeline {
            title: format!("the stop of `{}`", self.service),
            zero: "SIGTERM".into(),
            spans: spans.into_iter().chain([stop]).collect(),
            marks: Vec::new(),
            limit: Some(Mark::new("the limit", signed(self.within_ms))),
        })
    }
}

/// Stops the container while it has a request that it has read and not answered. Tells whether that
/// was so, the request's answer, and how long the stop took.
async fn stopped_in_flight(check: &GracefulStop, sandbox: &dyn Sandbox, at: At<'_>) -> Result<Stopped, Fault> {
    let request = HttpRequest::post(check.port, &check.path, check.post.clone());
    let open = || async {
        let read = sandbox.kernel(at).await?.connections_read;
        Ok::<_, Fault>(read.get(&check.port).copied().unwrap_or(0))
    };
    let deadline = sandbox.within(CAUGHT_WITHIN_MS);
    loop {
        // Connections that others hold open must not be taken for ours.
        let before = open().await?;
        let begun = Instant::now();
        let mut answer = sandbox.http(at, &request);
        let read = until(&deadline, || async { Ok::<_, Fault>((open().await? > before).then_some(())) });
        tokio::select! {
            biased;
            early = &mut answer => {
                let early = early?;
                if early.status != Some(check.status) || deadline.is_over()? {
                    let moments = Moments { read_ms: None, stop_ms: since(begun) };
                    return Ok(Stopped { in_flight: false, answer: early, spent: sandbox.stop(at).await?, moments });
                }
            }
            seen = read => {
                let seen = seen?.is_some();
                let stop_ms = since(begun);
                let moments = Moments { read_ms: seen.then_some(stop_ms), stop_ms };
                let (answer, spent) = tokio::join!(answer, sandbox.stop(at));
                return Ok(Stopped { in_flight: seen, answer: answer?, spent: spent?, moments });
            }
        }
    }
}

#[cfg(test)]
mod tests {
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
}

crate::register!(GracefulStop);
