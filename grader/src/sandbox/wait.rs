//! Waiting for a condition with a deadline.
//!
//! Owns: the one polling loop of the project. Must not: know what is waited for.

use std::future::Future;
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const INTERVAL: Duration = Duration::from_millis(20);

/// Looks until `look` gives `Some`, or the deadline has passed (`None`). An error ends it.
pub async fn until<T, E, F, L>(deadline: Instant, mut look: L) -> Result<Option<T>, E>
where
    L: FnMut() -> F,
    F: Future<Output = Result<Option<T>, E>>,
{
    loop {
        if let Some(found) = look().await? {
            return Ok(Some(found));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The moment that lies `ms` milliseconds ahead.
#[must_use]
pub fn in_ms(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

/// Milliseconds since `start`.
#[must_use]
pub fn since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_looks_at_least_once_and_ends_at_the_deadline() {
        let mut looks = 0;
        let found = until(Instant::now(), || {
            looks += 1;
            async { Ok::<Option<()>, ()>(None) }
        })
        .await;
        assert_eq!((found, looks), (Ok(None), 1));
    }

    #[tokio::test]
    async fn it_ends_as_soon_as_the_condition_holds() {
        let mut looks = 0;
        let found = until(in_ms(5_000), || {
            looks += 1;
            let now = looks;
            async move { Ok::<_, ()>((now == 2).then_some(now)) }
        })
        .await;
        assert_eq!(found, Ok(Some(2)));
    }
}
