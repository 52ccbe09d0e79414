//! `grader sweep`: removes what dead runs have left behind.
//!
//! Owns: what it prints. Must not: remove anything itself.

use std::io::Write;

use crate::fault::Fault;
use crate::paths;
use crate::sandbox::{daemon, sweep};

/// Removes what runs have left whose process is gone; gives the exit code.
pub async fn run(out: &mut dyn Write) -> Result<u8, Fault> {
    let client = daemon::connect().await?;
    let swept = sweep::sweep_abandoned(&client, &paths::cache()?, sweep::Effort::Again).await?;
    let left = swept.left.iter().map(|left| format!("\nStill there: {} ({})", left.what, left.why));
    let removed = if swept.removed.count() == 0 && !swept.left.is_empty() {
        "Nothing could be removed.".to_owned()
    } else {
        summary(&swept.removed)
    };
    let text = removed + &left.collect::<String>();
    writeln!(out, "{text}").map_err(Fault::file("standard output"))?;
    Ok(u8::from(!swept.left.is_empty()))
}

fn summary(swept: &sweep::Things) -> String {
    let kinds = [
        (swept.containers.len(), "container"),
        (swept.networks.len(), "network"),
        (swept.volumes.len(), "volume"),
        (swept.images.len(), "image"),
        (swept.folders.len(), "scratch folder"),
    ];
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let some = kinds.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = some.map(|(count, kind)| format!("{count} {kind}{}", plural(count))).collect();
    if parts.is_empty() {
        "Nothing to remove: no dead run has left anything.".into()
    } else {
        format!("Removed {}.", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::sweep::Things;

    #[test]
    fn only_what_was_there_is_named() {
        assert!(summary(&Things::default()).starts_with("Nothing"));
        let ids = |count: usize| vec![String::new(); count];
        let swept = Things { containers: ids(1), networks: ids(2), ..Things::default() };
        assert_eq!(summary(&swept), "Removed 1 container, 2 networks.");
    }
}
