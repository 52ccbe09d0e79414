//! A stop that comes while a request is in flight.
//!
//! Owns: catching that moment, which only the kernel shows. Must not: judge.

use std::time::Instant;

use super::{GracefulStop, Moments};
use crate::fault::Fault;
use crate::sandbox::facts::{HttpAnswer, HttpRequest, Spent};
use crate::sandbox::wait::{since, until};
use crate::sandbox::{At, Sandbox};

/// How long it may take to catch a request in flight. One that ends before it is seen is sent again.
const CAUGHT_WITHIN_MS: u64 = 15_000;

/// An answer that comes so quickly, milliseconds, comes at once on any machine: nothing is ever in flight.
const AT_ONCE_MS: u64 = 250;

/// A request and a stop.
pub(super) struct Stopped {
    pub(super) in_flight: bool,
    pub(super) answer: HttpAnswer,
    pub(super) spent: Spent,
    pub(super) moments: Moments,
}

/// Stops the container while it has a request that it has read and not answered. Tells whether that
/// was so, the request's answer, and how long the stop took.
pub(super) async fn stopped_in_flight(
    check: &GracefulStop,
    sandbox: &dyn Sandbox,
    at: At<'_>,
) -> Result<Stopped, Fault> {
    let request = HttpRequest::post(check.port, &check.path, check.post.clone());
    let port = sandbox.container_port(at, check.port);
    let open = || async {
        let read = sandbox.kernel(at).await?.connections_read;
        Ok::<_, Fault>(read.get(&port).copied().unwrap_or(0))
    };
    let deadline = sandbox.within(CAUGHT_WITHIN_MS);
    loop {
        // Connections that others hold open must not be taken for ours.
        let before = open().await?;
        let begun = Instant::now();
        let mut answer = Box::pin(async { (sandbox.http(at, &request).await, since(begun)) });
        let read = until(&deadline, || async { Ok::<_, Fault>((open().await? > before).then_some(())) });
        tokio::select! {
            biased;
            (early, _) = &mut answer => {
                let early = early?;
                // An app that is on its way up refuses, or is not whole yet.
                let may_come = early.status.is_none_or(|status| status >= 500 || status == check.status);
                if !may_come || deadline.is_over()? {
                    if early.status == Some(check.status) && early.millis > AT_ONCE_MS {
                        let reason = "each request was answered before anybody could look at it";
                        deadline.took().must_be_quick(reason)?;
                    }
                    let moments = Moments { read_ms: None, stop_ms: since(begun) };
                    return Ok(Stopped { in_flight: false, answer: early, spent: sandbox.stop(at).await?, moments });
                }
            }
            seen = read => {
                let seen = seen?.is_some();
                let stop_ms = since(begun);
                let moments = Moments { read_ms: seen.then_some(stop_ms), stop_ms };
                let ((answer, answered_ms), spent) = tokio::join!(answer, sandbox.stop(at));
                let (answer, spent) = (answer?, spent?);
                // On a busy machine the answer may be there before the signal has left: then nothing was in flight.
                let raced = answer.status == Some(check.status)
                    && spent.signalled_ms.is_none_or(|signalled| answered_ms < stop_ms + signalled);
                if !seen || !raced {
                    return Ok(Stopped { in_flight: seen, answer, spent, moments });
                }
                if deadline.is_over()? {
                    deadline.took().must_be_quick("each request was answered before Docker had sent the signal")?;
                    return Ok(Stopped { in_flight: false, answer, spent, moments });
                }
                sandbox.ensure_running(at).await?;
                sandbox.listens(at, check.port, CAUGHT_WITHIN_MS).await?;
            }
        }
    }
}
