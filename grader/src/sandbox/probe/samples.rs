//! How long containers have to wait for a core.
//!
//! Owns: a small piece of work that the helper container does over and over, and handing to the pace what the
//! kernel says about it. Must not: do anything with it.
//!
//! The daemon keeps all containers below one control group, in which each of them gets a share. Where many of
//! them compute, one container waits much longer than a process of the machine, such as the grader, does.

use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::AttachContainerOptionsBuilder;
use futures_util::StreamExt;

use crate::fault::Fault;
use crate::sandbox::pace::Pace;

/// Prints, for each piece of work, for how long it ran and for how long it waited for a core, nanoseconds. The work
/// takes about 30 ms on one core: who has slept is let in for the first of them at once, whatever the others do.
pub const SCRIPT: &str = "
while :; do
    read -r run wait _ < /proc/self/schedstat
    turn=0; while [ $turn -lt 15000 ]; do turn=$((turn + 1)); done
    read -r ran waited _ < /proc/self/schedstat
    echo \"$((ran - run)) $((waited - wait))\"
    sleep 0.7
done
";

/// Hears what the container that runs the script prints, until it ends.
pub async fn hear(client: &Docker, id: &str, pace: &Pace) -> Result<(), Fault> {
    let options = AttachContainerOptionsBuilder::default().stdout(true).stream(true).build();
    let attached = client.attach_container(id, Some(options)).await;
    let mut output = attached.map_err(Fault::docker("listening to the grader's probe"))?.output;
    let pace = pace.clone();
    tokio::spawn(async move {
        while let Some(Ok(line)) = output.next().await {
            if let Some((ran, waited)) = sample(&line.to_string()) {
                pace.heard_from_container(ran, waited);
            }
        }
    });
    Ok(())
}

fn sample(line: &str) -> Option<(Duration, Duration)> {
    let (ran, waited) = line.trim().split_once(' ')?;
    Some((Duration::from_nanos(ran.parse().ok()?), Duration::from_nanos(waited.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_two_times_and_anything_else_is_no_sample() {
        assert_eq!(sample("30000000 90000000\n"), Some((Duration::from_millis(30), Duration::from_millis(90))));
        for line in ["", "30", "30 x", "sh: cannot open /proc/self/schedstat", "-3 4"] {
            assert_eq!(sample(line), None, "{line}");
        }
    }
}
