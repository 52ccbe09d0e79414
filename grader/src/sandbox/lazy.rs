//! Something that is made once, when it is first asked for.
//!
//! Owns: sharing one result, or one fault, among many askers. Must not: know what is made.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::fault::Fault;

/// A value that the first asker makes and all others wait for.
pub struct Lazy<T>(OnceCell<Result<T, Arc<Fault>>>);

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self(OnceCell::new())
    }
}

impl<T: Clone> Lazy<T> {
    /// The value; `make` runs only if nobody has asked before.
    pub async fn get<F>(&self, make: F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        // On the heap: whoever asks would hold all of it in its own future.
        let make = Box::pin(make);
        let shared = self.0.get_or_init(|| async { make.await.map_err(Arc::new) }).await;
        shared.clone().map_err(Fault::Shared)
    }
}
