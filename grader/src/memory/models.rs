//! Merged Compose models, remembered.
//!
//! Owns: what a merged model depends on, and taking the run out of it. Must not: admit anything;
//! a model that is remembered passes the policy gate like any other.

use serde_json::Value;

use super::digest::{Builder, Key};
use super::store::Store;
use super::surroundings::Surroundings;
use super::tree::Tree;
use crate::course::spec::StackSpec;

/// Stands for the run's id in what is kept.
const RUN: &str = "@the-run@";

/// The remembered models of one run's submission.
pub struct Models<'a> {
    /// Where they are kept.
    pub store: &'a Store,
    /// The run's id.
    pub run: &'a str,
    /// A key of all that counts for every stack.
    base: Key,
}

impl<'a> Models<'a> {
    /// The models of a submission. `planted` is the planted secret, if there is one.
    #[must_use]
    pub fn of(store: &'a Store, surroundings: &Surroundings, tree: &Tree, planted: &str, run: &'a str) -> Self {
        // Compose sees nothing of the grader's own environment, so that counts for nothing.
        let base = Builder::of("models")
            .with("surroundings", surroundings.key.as_str())
            .with("files", tree.key().as_str())
            .with("planted", planted)
            .key();
        Self { store, run, base }
    }

    fn key(&self, spec: &StackSpec) -> Key {
        Builder::of("model").with("base", self.base.as_str()).with("stack", format!("{spec:?}")).key()
    }

    /// The model of a stack, with this run's names in it.
    #[must_use]
    pub fn recall(&self, spec: &StackSpec) -> Option<Value> {
        let text: String = self.store.get(&self.key(spec))?;
        serde_json::from_str(&text.replace(RUN, self.run)).ok()
    }

    /// Keeps a model that Compose has just merged.
    pub fn keep(&self, spec: &StackSpec, model: &Value) {
        self.store.put(&self.key(spec), &without_run(model, self.run));
    }
}

/// A model as text in which nothing tells which run it was merged in.
pub fn without_run(model: &Value, run: &str) -> String {
    model.to_string().replace(run, RUN)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn spec(name: &str) -> StackSpec {
        StackSpec {
            name: name.into(),
            files: Vec::new(),
            env_file: None,
            profiles: Vec::new(),
            env: BTreeMap::new(),
            tagged_image: None,
        }
    }

    #[test]
    fn a_model_comes_back_with_the_names_of_the_run_that_asks() {
        let dir = tempfile::tempdir().expect("folder");
        let store = Store::below(dir.path());
        let (surroundings, tree) = (Surroundings::default(), Tree::default());
        let of = |run| Models::of(&store, &surroundings, &tree, "planted", run);
        let model =
            |run: &str| json!({"services": {"a": {"image": format!("a:run-{run}"), "x": format!("/runs/{run}/x")}}});
        of("1-2-3").keep(&spec("dev"), &model("1-2-3"));
        assert_eq!(of("4-5-6").recall(&spec("dev")), Some(model("4-5-6")));
        assert_eq!(of("4-5-6").recall(&spec("prod")), None);
        let other = Models::of(&store, &surroundings, &tree, "another secret", "1-2-3");
        assert_eq!(other.recall(&spec("dev")), None);
    }
}
