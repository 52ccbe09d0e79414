//! What the sandbox can say about images, stacks and containers.
//!
//! Owns: plain data that checks use as evidence. Must not: have behaviour beyond small views.
//! All sizes are bytes; all times are milliseconds unless a name says otherwise.

mod actions;
mod containers;
mod images;

pub use actions::{EditDone, Exit, HttpAnswer, HttpRequest, QuizFacts, Spent, WriteAttempt};
pub use containers::{ContainerFacts, KernelFacts, MountFacts, NOT_MADE, Process, PublishedPort, StackReport};
pub use images::{
    BuildFailure, BuildReport, BuildStep, HistoryEntry, ImageFacts, LayerFile, LayerFiles, Occurrence, final_files,
};
