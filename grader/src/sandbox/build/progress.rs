//! Reads `docker buildx build --progress rawjson`.
//!
//! Owns: BuildKit's stream of steps, and the plain text that follows it when a build fails.
//! Must not: run anything. The format is BuildKit's `SolveStatus`, one JSON object after another
//! (indented over several lines by buildx 0.13, one per line by later ones).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::policy::limits;
use crate::sandbox::facts::BuildStep;
use crate::submission::Submission;

/// What has been read so far.
#[derive(Debug, Default)]
pub struct Progress {
    unfinished: String,
    vertexes: Vec<Vertex>,
    logs: BTreeMap<String, Vec<u8>>,
    text: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    vertexes: Vec<Vertex>,
    #[serde(default)]
    logs: Vec<Log>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Vertex {
    digest: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    cached: bool,
    started: Option<jiff::Timestamp>,
    completed: Option<jiff::Timestamp>,
    #[serde(default)]
    error: String,
}

#[derive(Debug, Deserialize)]
struct Log {
    vertex: String,
    /// Base64, as Go writes bytes.
    #[serde(default)]
    data: String,
}

impl Progress {
    /// Takes a line in; gives the name of a step that has just begun.
    pub fn line(&mut self, line: &str) -> Option<String> {
        if self.unfinished.is_empty() && !line.starts_with('{') {
            self.text.push(line.to_owned());
            return None;
        }
        self.unfinished.push_str(line);
        self.unfinished.push('\n');
        if !line.ends_with('}') || line.starts_with(' ') {
            return None;
        }
        let object = std::mem::take(&mut self.unfinished);
        if let Ok(status) = serde_json::from_str::<Status>(&object) {
            self.take(status)
        } else {
            self.text.push(object);
            None
        }
    }

    fn take(&mut self, status: Status) -> Option<String> {
        let mut begun = None;
        for vertex in status.vertexes {
            if let Some(known) = self.vertexes.iter_mut().find(|known| known.digest == vertex.digest) {
                let cached = known.cached || vertex.cached;
                *known = Vertex { cached, ..vertex };
            } else {
                self.vertexes.push(vertex.clone());
            }
            let newest = self.vertexes.iter().rfind(|known| known.started.is_some() && known.completed.is_none());
            begun = newest.map(|vertex| vertex.name.clone()).or(begun);
        }
        for log in status.logs {
            let kept = self.logs.entry(log.vertex).or_default();
            kept.extend(decode(&log.data));
            let excess = kept.len().saturating_sub(limits::BUILD_OUTPUT);
            kept.drain(..excess);
        }
        begun
    }

    /// The steps of the Dockerfile, stage by stage. BuildKit names the last one first.
    pub fn steps(&self) -> Vec<BuildStep> {
        let done = self.vertexes.iter().rev().filter(|vertex| vertex.completed.is_some());
        let mut steps: Vec<BuildStep> = done.filter_map(Vertex::step).collect();
        let stages: Vec<String> = steps.iter().map(|step| split(&step.place).0.to_owned()).collect();
        steps.sort_by_key(|step| {
            let (stage, number) = split(&step.place);
            (stages.iter().position(|first| first == stage), number)
        });
        steps
    }

    /// The images that BuildKit asked for, as it resolved them.
    pub fn bases(&self) -> Vec<String> {
        let named =
            self.vertexes.iter().rev().filter_map(|vertex| vertex.name.strip_prefix("[internal] load metadata for "));
        let mut bases: Vec<String> = Vec::new();
        for name in named {
            let name = name.strip_prefix("docker.io/").unwrap_or(name);
            let name = name.strip_prefix("library/").unwrap_or(name).to_owned();
            if !bases.contains(&name) {
                bases.push(name);
            }
        }
        bases
    }

    /// BuildKit's last word.
    pub fn error(&self) -> String {
        let said = self.text.iter().rev().find_map(|line| line.trim().strip_prefix("ERROR: "));
        let vertex = || self.failed().map(|vertex| vertex.error.clone());
        said.map(str::to_owned)
            .or_else(vertex)
            .unwrap_or_else(|| self.text.join(" ").trim().to_owned())
            .trim_start_matches("failed to solve: ")
            .to_owned()
    }

    /// The line of the Dockerfile that BuildKit blames: the last one of its marked excerpt.
    pub fn error_line(&self) -> Option<usize> {
        let marked = self.text.iter().rev().find(|line| line.contains("| >>> "));
        let marked = marked.and_then(|line| line.split('|').next()?.trim().parse().ok());
        // The excerpt marks every line of a long instruction; its heading names the first.
        // It is the Dockerfile's name and the line, with a ruler below.
        let heading = self.text.windows(2).find_map(|two| match two {
            [name, ruler] if ruler.starts_with("-----") => name.rsplit_once(':')?.1.trim().parse().ok(),
            _ => None,
        });
        heading.or(marked)
    }

    /// The line of the instruction that was running when the build was ended.
    pub fn running_instruction(&self, submission: &Submission) -> Option<usize> {
        let running = self.vertexes.iter().rfind(|vertex| vertex.started.is_some() && vertex.completed.is_none())?;
        let instruction = running.step()?.instruction;
        let normal = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let instructions = submission.dockerfile().instructions;
        let found =
            instructions.iter().find(|i| normal(&format!("{} {}", i.name, i.arguments)) == normal(&instruction));
        found.map(|found| found.line)
    }

    /// The last lines that the failed (or last running) step wrote.
    pub fn failed_log(&self) -> Vec<String> {
        let running = || self.vertexes.iter().rfind(|vertex| vertex.completed.is_none());
        let Some(vertex) = self.failed().or_else(running) else { return Vec::new() };
        let bytes = self.logs.get(&vertex.digest).map(Vec::as_slice).unwrap_or_default();
        let text = String::from_utf8_lossy(bytes);
        let lines: Vec<String> =
            text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(12)..].to_vec()
    }

    fn failed(&self) -> Option<&Vertex> {
        self.vertexes.iter().find(|vertex| !vertex.error.is_empty() && !vertex.error.contains("context canceled"))
    }
}

impl Vertex {
    /// BuildKit names a step of a Dockerfile `[stage 2/5] RUN ...`.
    fn step(&self) -> Option<BuildStep> {
        let (place, instruction) = self.name.strip_prefix('[')?.split_once("] ")?;
        if place == "internal" || !place.contains('/') {
            return None;
        }
        let millis = match (self.started, self.completed) {
            (Some(started), Some(completed)) => {
                u64::try_from((completed - started).get_milliseconds().max(0)).unwrap_or(0)
                    + u64::try_from((completed - started).get_seconds().max(0)).unwrap_or(0) * 1_000
            }
            _ => 0,
        };
        Some(BuildStep { place: place.to_owned(), instruction: instruction.to_owned(), cached: self.cached, millis })
    }
}

/// `production 3/5` as stage and number.
fn split(place: &str) -> (&str, usize) {
    let (stage, count) = place.rsplit_once(' ').unwrap_or(("", place));
    (stage, count.split('/').next().and_then(|number| number.parse().ok()).unwrap_or(0))
}

/// Decodes base64 as RFC 4648 has it; what is no base64 is passed over.
fn decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(lines: &[&str]) -> Progress {
        let mut progress = Progress::default();
        for line in lines {
            progress.line(line);
        }
        progress
    }

    #[test]
    fn objects_over_several_lines_and_on_one_line_are_read() {
        let progress = fed(&[
            "{",
            "  \"vertexes\": [",
            "    {\"digest\": \"a\", \"name\": \"[production 2/5] RUN npm ci\", \"cached\": true, \"completed\": \"2026-01-01T00:00:01Z\"}",
            "  ]",
            "}",
            "{\"vertexes\":[{\"digest\":\"b\",\"name\":\"[internal] load .dockerignore\",\"completed\":\"2026-01-01T00:00:01Z\"}]}",
        ]);
        let steps = progress.steps();
        assert_eq!(steps.len(), 1);
        assert_eq!((steps[0].place.as_str(), steps[0].cached), ("production 2/5", true));
    }

    #[test]
    fn steps_come_in_the_order_of_the_dockerfile() {
        let vertex = |name: &str| {
            format!("{{\"digest\":\"{name}\",\"name\":\"[{name}] RUN x\",\"completed\":\"2026-01-01T00:00:01Z\"}}")
        };
        let all = ["app 2/2", "app 1/2", "base 10/10", "base 9/10"].map(vertex).join(",");
        let progress = fed(&[&format!("{{\"vertexes\":[{all}]}}")]);
        let places: Vec<String> = progress.steps().into_iter().map(|step| step.place).collect();
        assert_eq!(places, ["base 9/10", "base 10/10", "app 1/2", "app 2/2"]);
    }

    #[test]
    fn the_blamed_line_and_the_message_come_from_the_text_after_the_objects() {
        let progress = fed(&[
            "{\"vertexes\":[{\"digest\":\"a\",\"name\":\"[2/2] RUN false\",\"error\":\"exit code: 1\"}],\"logs\":[{\"vertex\":\"a\",\"data\":\"aGVsbG8K\"}]}",
            "Other.dockerfile:3",
            "--------------------",
            "   3 | >>> RUN true && \\",
            "   4 | >>>     false",
            "--------------------",
            "ERROR: failed to solve: process \"/bin/sh -c false\" did not complete successfully: exit code: 1",
        ]);
        assert_eq!(progress.error_line(), Some(3));
        assert!(progress.error().starts_with("process \"/bin/sh -c false\""));
        assert_eq!(progress.failed_log(), ["hello"]);
    }
}
