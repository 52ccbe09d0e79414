//! What the sandbox can say about images, stacks and containers.
//!
//! Owns: plain data that checks use as evidence. Must not: have behaviour beyond small views.
//! All sizes are bytes; all times are milliseconds unless a name says otherwise.

mod actions;
mod containers;
mod handmade;
mod images;
mod origin;
mod pressure;
mod waste;

pub use actions::{EditDone, Exit, HttpAnswer, HttpRequest, QuizFacts, Spent, WriteAttempt};
pub use containers::{
    ContainerFacts, KernelFacts, MountFacts, NOT_MADE, Namespaces, Process, PublishedPort, Rights, StackEvent,
    StackReport,
};
pub use handmade::{Handmade, HandmadeNetwork, HandmadeVolume, Instruction, nearest_name};
pub use images::{
    BuildFailure, BuildReport, BuildStep, ContextFile, HistoryEntry, ImageFacts, LayerFile, LayerFiles, Occurrence,
    PushFacts, final_entries, final_files,
};
pub use origin::{LayerOrigin, origins, without_shell};
pub use pressure::{ContainerEvent, CpuPressure, Link, LinkFacts, MemoryPressure, ProcessPressure};
pub use waste::{Hidden, Waste, bytes_by_folder, waste, waste_by_folder};
