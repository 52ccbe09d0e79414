//! What a container wrote.
//!
//! Owns: reading the end of its log within bounds. Must not: interpret it.

use bollard::Docker;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;

use crate::fault::Fault;

/// The most of the last lines of a log that is read, bytes.
const LOG_READ: usize = 16_000_000;
/// The most of one line of a log that is shown, characters.
pub(super) const LINE_SHOWN: usize = 2_000;

/// The last lines that a container wrote, to be shown: oldest first, long ones shortened.
pub async fn log_tail(client: &Docker, name: &str, lines: usize) -> Result<Vec<String>, Fault> {
    let shortened = |line: &str| {
        let start: String = line.chars().take(LINE_SHOWN).collect();
        if start.len() < line.len() { format!("{start} ...") } else { start }
    };
    let text = read_log(client, name, lines, |text| drop(text.drain(..text.ceil_char_boundary(LOG_READ / 2)))).await?;
    let mut all: Vec<String> = text.lines().map(|line| shortened(line.trim_end())).collect();
    Ok(all.split_off(all.len().saturating_sub(lines)))
}

/// The last lines that a container wrote, to be searched: all of them whole.
pub async fn log_lines(client: &Docker, name: &str, lines: usize) -> Result<Vec<String>, Fault> {
    let mut is_whole = true;
    let text = read_log(client, name, lines, |text| {
        is_whole = false;
        text.clear();
    });
    let text = text.await?;
    if !is_whole {
        let reason = format!("its last {lines} lines are more than {} MB", LOG_READ / 1_000_000);
        return Err(Fault::Unreadable { what: format!("the log of {name}"), reason });
    }
    Ok(text.lines().map(|line| line.trim_end().to_owned()).collect())
}

/// Reads the last lines. Whenever it has become too much, `shorten` decides what to do about it.
async fn read_log(
    client: &Docker,
    name: &str,
    lines: usize,
    mut shorten: impl FnMut(&mut String),
) -> Result<String, Fault> {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&lines.to_string()).build();
    let mut parts = client.logs(name, Some(options));
    let mut text = String::new();
    while let Some(part) = parts.next().await {
        match part {
            Ok(part) => text.push_str(&part.to_string()),
            // The driver `none`, and those that send logs elsewhere, leave nothing to read here.
            Err(error) if error.to_string().contains("does not support reading") => return Ok(String::new()),
            Err(error) => return Err(Fault::docker(format!("reading the log of {name}"))(error)),
        }
        if text.len() > LOG_READ {
            shorten(&mut text);
        }
    }
    Ok(text)
}
