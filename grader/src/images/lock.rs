//! One process at a time makes, loads or removes base images.
//!
//! Owns: the lock file in the cache folder. Must not: know what is done under the lock.
//!
//! The kernel lets the lock go when its holder dies, so nothing has to be cleaned up.

use std::fs::{File, TryLockError};
use std::time::Duration;

use super::Say;
use crate::fault::Fault;
use crate::paths;

/// How often a lock that somebody else holds is tried again.
const INTERVAL: Duration = Duration::from_millis(200);

/// Held as long as it lives.
pub struct Lock {
    _file: File,
}

/// Takes the lock, and says so if that means waiting.
pub async fn take(say: &mut Say<'_>) -> Result<Lock, Fault> {
    let path = paths::cache()?.join("images.lock");
    let file = paths::own_file(&path)?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => {
                if !told {
                    say("waiting for another grader, which is busy with base images");
                    told = true;
                }
                tokio::time::sleep(INTERVAL).await;
            }
            Err(TryLockError::Error(error)) => return Err(Fault::file(&path)(error)),
        }
    }
}
