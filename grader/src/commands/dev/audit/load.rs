//! Work that keeps the machine busy, as a learner's own work would.
//!
//! Owns: threads that do nothing useful, builds that nobody needs, and their end. Must not: outlive their
//! owner, or leave anything in the daemon.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Busy threads, and builds one after the other. They end when this is dropped, however the run ends.
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// How often a build is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Load {
    /// Starts so many busy threads, and a chain of builds for every two of them: processes that start and end, and
    /// files that are read, keep a daemon busy in other ways than loops do.
    #[must_use]
    pub fn start(threads: usize, image: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let spin = || {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        let build = || {
            let (stop, file) = (Arc::clone(&stop), dockerfile(image));
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    one_build(&file, &stop);
                }
            })
        };
        let builds = if image.is_empty() { 0 } else { threads / 2 };
        let threads = (0..threads).map(|_| spin()).chain((0..builds).map(|_| build())).collect();
        Self { stop, threads }
    }
}

/// Reads all programs of an image, packs them and throws them away: nothing of it is kept, in a layer or a cache.
fn dockerfile(image: &str) -> String {
    format!("FROM {image}\nRUN --mount=type=tmpfs,target=/busy tar -cz /usr/bin /usr/lib > /busy/all; rm /busy/all\n")
}

/// Runs one build to its end, or ends it.
fn one_build(file: &str, stop: &AtomicBool) {
    let arguments = ["buildx", "build", "--builder", "default", "--no-cache", "--output", "type=cacheonly", "-"];
    let mut command = Command::new("docker");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else {
        // Without Docker the audit itself says what is missing.
        stop.store(true, Ordering::Relaxed);
        return;
    };
    if let Some(mut input) = child.stdin.take() {
        // A build that has ended already needs no Dockerfile.
        let _ = input.write_all(file.as_bytes());
    }
    while is_running(&mut child) {
        if stop.load(Ordering::Relaxed) {
            // BuildKit cancels a build whose client is gone.
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn is_running(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(None))
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that only spins or waits does not panic.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_thread_outlives_the_load() {
        let load = Load::start(3, "");
        let stop = Arc::clone(&load.stop);
        assert_eq!(Arc::strong_count(&stop), 5, "ours, the load's and one per thread");
        drop(load);
        assert_eq!(Arc::strong_count(&stop), 1);
    }
}
