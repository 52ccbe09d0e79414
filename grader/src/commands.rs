//! The commands.
pub mod quiz;
