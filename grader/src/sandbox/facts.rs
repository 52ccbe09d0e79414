//! What the sandbox can say about images, stacks and containers.
//!
//! Owns: plain data that checks use as evidence. Must not: have behaviour beyond small views.
//! All sizes are bytes; all times are milliseconds unless a name says otherwise.

mod actions;
mod containers;
mod handmade;
mod images;
mod last_words;
mod origin;
mod pressure;
mod tree;
mod waste;

pub use actions::{
    EditDone, Exit, HealthAnswer, HealthCheck, HttpAnswer, HttpRequest, QuizFacts, Spent, Stopping, Understudy,
    WriteAttempt,
};
pub use containers::{
    ContainerFacts, KernelFacts, MountFacts, NOT_MADE, Namespaces, Process, PublishedPort, Rights, StackEvent,
    StackReport, Unbuilt, innermost,
};
pub use handmade::{Doing, Handmade, HandmadeNetwork, HandmadeVolume, Instruction, nearest_name};
pub use images::{BuildFailure, BuildReport, BuildStep, ContextFile, HistoryEntry, ImageFacts, Occurrence, PushFacts};
pub use last_words::last_words;
pub use origin::{LayerOrigin, origins, without_shell};
pub use pressure::{ContainerEvent, CpuPressure, Link, LinkFacts, MemoryPressure, ProcessPressure};
#[cfg(test)]
pub use tree::samples;
pub use tree::{Entry, LayerFile, LayerFiles, Node, Place, Tree};
pub use waste::{Hidden, Waste, bytes_by_folder, waste, waste_by_folder};
