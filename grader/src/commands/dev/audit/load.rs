//! Work that keeps the machine's cores busy.
//!
//! Owns: threads that do nothing useful, and their end. Must not: outlive their owner.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Busy threads. They end when this is dropped, however the run ends.
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts so many busy threads.
    #[must_use]
    pub fn start(threads: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let busy = |stop: Arc<AtomicBool>| {
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        let threads = (0..threads).map(|_| busy(Arc::clone(&stop))).collect();
        Self { stop, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that only spins does not panic.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_thread_outlives_the_load() {
        let load = Load::start(3);
        let stop = Arc::clone(&load.stop);
        assert_eq!(Arc::strong_count(&stop), 5, "ours, the load's and one per thread");
        drop(load);
        assert_eq!(Arc::strong_count(&stop), 1);
    }
}
