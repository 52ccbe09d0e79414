//! The stages of a Dockerfile, and what stands on what.
//!
//! Owns: names of stages, and the instructions that make one. Must not: fill in variables.

use super::{Dockerfile, Instruction};

impl Dockerfile {
    /// Gives each instruction its stage.
    pub(super) fn name_stages(&mut self) {
        let (mut stage, mut stages) = (String::new(), 0);
        for one in &mut self.instructions {
            if one.name == "FROM" {
                let words: Vec<&str> = one.rest.split_whitespace().collect();
                let name = words.get(2).filter(|_| words[1].eq_ignore_ascii_case("as"));
                stage = name.map_or_else(|| stages.to_string(), |name| name.to_lowercase());
                stages += 1;
            }
            one.stage.clone_from(&stage);
        }
    }

    /// The `FROM` that begins a stage.
    #[must_use]
    pub fn stage(&self, name: &str) -> Option<&Instruction> {
        self.instructions.iter().find(|i| i.name == "FROM" && i.stage.eq_ignore_ascii_case(name))
    }

    /// The last instruction of this name in a stage, or in the stages that it is made `FROM`.
    #[must_use]
    pub fn last_in_lineage(&self, target: &str, name: &str) -> Option<&Instruction> {
        let mut stage = target.to_owned();
        // A stage can only be made from one above it, so this ends.
        for _ in 0..=self.instructions.len() {
            let found = self.instructions.iter().rev().find(|i| i.stage.eq_ignore_ascii_case(&stage) && i.name == name);
            if found.is_some() {
                return found;
            }
            stage = self.stage(&stage)?.base()?.to_owned();
        }
        None
    }

    /// The instructions of a stage, those of the stages that it is made `FROM` first, without `FROM` itself.
    /// An empty name is the last stage.
    #[must_use]
    pub fn lineage(&self, target: &str) -> Vec<&Instruction> {
        let last = self.instructions.last().map(|i| i.stage.clone()).unwrap_or_default();
        let mut stage = if target.is_empty() { last } else { target.to_owned() };
        let mut lineage = Vec::new();
        // A stage is made from one above it: `FROM node AS node` begins with the image, not with itself.
        let mut above = self.instructions.len();
        let begins = |i: &Instruction, stage: &str| i.name == "FROM" && i.stage.eq_ignore_ascii_case(stage);
        while let Some(from) = self.instructions[..above].iter().rposition(|i| begins(i, &stage)) {
            let own = self.instructions[from + 1..].iter().take_while(|i| i.name != "FROM");
            lineage.splice(0..0, own);
            above = from;
            self.instructions[from].base().unwrap_or_default().clone_into(&mut stage);
        }
        lineage
    }
}
