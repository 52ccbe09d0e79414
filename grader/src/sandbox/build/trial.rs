//! Whether BuildKit puts steps where it is told to.
//!
//! Owns: a build of one step for that. Must not: know what the place is for.

use std::fs;
use std::path::Path;

use crate::fault::Fault;
use crate::sandbox::daemon;
use crate::sandbox::pace::Pace;
use crate::sandbox::probe::GROUP;

/// Runs one step on `image` in the control group for build steps. `own` is a folder of the run.
pub async fn run(image: &str, own: &Path, pace: &Pace) -> Result<(), Fault> {
    fs::create_dir_all(own).map_err(Fault::file(own))?;
    let dockerfile = own.join("Dockerfile");
    let text = format!("FROM {image} AS step\nRUN [\"true\"]\nRUN : > /done\nFROM scratch\nCOPY --from=step /done /\n");
    fs::write(&dockerfile, text).map_err(Fault::file(&dockerfile))?;
    let output = format!("type=local,dest={}", own.join("out").display());
    let arguments =
        ["buildx", "build", "--builder", "default", "--progress", "quiet", "--no-cache", "--cgroup-parent", GROUP];
    let mut command = daemon::command(&arguments);
    command.args(["--output", &output, "--file"]).arg(&dockerfile).arg(own);
    let limit = pace.within(60_000);
    match daemon::run(command, &limit).await? {
        Some(ended) if ended.ok => Ok(()),
        Some(ended) => Err(Fault::BuildsUnbounded { reason: ended.stderr.trim().to_owned() }),
        None => {
            Err(Fault::TimedOut { action: "trying a build step in its control group".into(), seconds: limit.seconds() })
        }
    }
}
