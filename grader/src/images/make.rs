//! Bringing base images to this machine: from a registry, or as a stand-in by the recipe.
//!
//! Owns: which way is taken for which image, and the steps of both. Must not: replace an image
//! that came from a registry, or leave a reference without an image while a new one is made.

mod blame;

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::query_parameters::RemoveImageOptionsBuilder;
use tokio::process::Command;

use super::catalogue::{Catalogue, Method, Recipe};
use super::tool::{Tool, Watch, log_file};
use super::{RECIPE_LABEL, STAND_IN_LABEL, Say, State, fingerprint, give_name, lock, look, look_all, remove};
use crate::fault::Fault;
use crate::sandbox::daemon;
use crate::sandbox::wait::in_ms;
use blame::{cause, failure, names_network};

/// A registry that has not said a word after this time does not answer.
const REGISTRY_ANSWERS: Duration = Duration::from_secs(10);
/// The longest that one image may take to be pulled or made.
const LIMIT: Duration = Duration::from_secs(1800);
/// What `docker import` sets, as the official images of distributions have it.
const COMMAND: &str = "CMD [\"bash\"]";
const SEARCH_PATH: &str = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Brings the images that are absent, and makes outdated stand-ins anew. Others stay as they are.
pub async fn make(client: &Docker, catalogue: &Catalogue, wanted: &[&Recipe], say: &mut Say<'_>) -> Result<(), Fault> {
    let states = look_all(client, wanted).await?;
    for (recipe, state) in wanted.iter().zip(&states).filter(|(_, state)| !state.status.wants_making()) {
        say(&format!("{}: here already ({})", recipe.reference, state.status.words()));
    }
    let open: Vec<&Recipe> = wanted
        .iter()
        .zip(&states)
        .filter(|(_, state)| state.status.wants_making())
        .map(|(recipe, _)| *recipe)
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    let _lock = lock::take(say).await?;
    let mut work = Work { client, catalogue, say, silent: BTreeSet::new() };
    for recipe in open {
        if !work.provide(recipe).await? {
            (work.say)(&format!("{}: here now, made by another grader", recipe.reference));
        }
    }
    Ok(())
}

struct Work<'a, 'b> {
    client: &'a Docker,
    catalogue: &'a Catalogue,
    say: &'a mut Say<'b>,
    /// Registries that did not answer: they are not asked again.
    silent: BTreeSet<String>,
}

impl Work<'_, '_> {
    /// Whether anything had to be done: somebody else may have made it while we waited.
    async fn provide(&mut self, recipe: &Recipe) -> Result<bool, Fault> {
        let before = self.look(recipe).await?;
        if !before.status.wants_making() {
            return Ok(false);
        }
        let begun = Instant::now();
        if !self.pull(recipe).await? {
            if let Some(on) = recipe.on.as_deref().and_then(|on| self.catalogue.get(on)) {
                Box::pin(self.provide(on)).await?;
            }
            match recipe.method {
                Method::RootFs => self.import(recipe).await?,
                Method::Dockerfile => self.build(recipe).await?,
            }
        }
        let after = self.look(recipe).await?;
        if let Some(old) = before.id.filter(|old| after.id.as_ref() != Some(old)) {
            remove::dangling(self.client, &old).await;
        }
        let (name, words) = (&recipe.reference, after.status.words());
        (self.say)(&format!("{name}: done in {} s ({words})", begun.elapsed().as_secs()));
        Ok(true)
    }

    async fn look(&self, recipe: &Recipe) -> Result<State, Fault> {
        look(self.client, &recipe.reference, Some(&recipe.fingerprint)).await
    }

    /// Whether a registry gave the image.
    async fn pull(&mut self, recipe: &Recipe) -> Result<bool, Fault> {
        let name = recipe.reference.as_str();
        let registry = registry_of(name).to_owned();
        if self.silent.contains(&registry) {
            return Ok(false);
        }
        let log = log_file(&format!("{}-pull", recipe.folder()))?;
        let watch = Watch { name, log: &log, limit: LIMIT, first_word: Some(REGISTRY_ANSWERS) };
        let ended = Tool::start(daemon::command(&["pull", name]))?.follow(&watch, self.say).await?;
        let _ = fs::remove_file(&log);
        if ended.ok() {
            return Ok(true);
        }
        let reason = if ended.tail.is_empty() { "no word from it in time".into() } else { ended.reason() };
        if let Some(fault @ (Fault::DiskFull { .. } | Fault::NoDaemon { .. })) = cause(name, &ended.text(), &reason) {
            return Err(fault);
        }
        if ended.tail.is_empty() || names_network(&reason) {
            self.silent.insert(registry);
            (self.say)(&format!("{name}: no registry answers ({reason})"));
        } else {
            (self.say)(&format!("{name}: the registry does not give it ({reason})"));
        }
        Ok(false)
    }

    /// Pipes the script's output into `docker import`. The reference moves only when the script
    /// has ended well: what is imported from a script that broke off is no whole system.
    async fn import(&mut self, recipe: &Recipe) -> Result<(), Fault> {
        let name = recipe.reference.as_str();
        (self.say)(&format!("{name}: making a stand-in by {}", Method::RootFs.file()));
        let mut script = Command::new(recipe.dir.join(Method::RootFs.file()));
        script.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut script = Tool::start(script)?;
        let mut arguments = vec!["import".to_owned()];
        for change in
            [COMMAND.into(), SEARCH_PATH.into()].into_iter().chain(labels(recipe).map(|label| format!("LABEL {label}")))
        {
            arguments.extend(["--change".into(), change]);
        }
        arguments.push("-".into());
        let mut import = daemon::command(&arguments);
        let piped = script.stdout().map(TryInto::<Stdio>::try_into).transpose();
        let shown = || "docker import".to_owned();
        let failed = |error: std::io::Error| Fault::Command { command: shown(), reason: error.to_string() };
        import.stdin(piped.map_err(failed)?.unwrap_or_else(Stdio::null));
        let log = log_file(&recipe.folder())?;
        let watch = Watch { name, log: &log, limit: LIMIT, first_word: None };
        let limit = in_ms(LIMIT.as_secs() * 1_000);
        let (script, imported) = tokio::join!(script.follow(&watch, self.say), daemon::run(import, &limit));
        let (script, imported) = (script?, imported?.unwrap_or_default());
        let (id, complaint) = (imported.stdout.trim(), imported.stderr.trim());
        // When the import breaks off, the script can only say that nobody reads it any more.
        if let Some(fault) = cause(name, complaint, complaint) {
            return Err(fault);
        }
        if !script.ok() {
            if !id.is_empty() {
                let options = RemoveImageOptionsBuilder::default().build();
                let _ = self.client.remove_image(id, Some(options), None).await;
            }
            // The script's last lines say what is missing and what to do.
            let said = script.text().replace('\n', " ");
            return Err(failure(recipe, &script, &if said.is_empty() { script.reason() } else { said }, &log));
        }
        if !imported.ok || id.is_empty() {
            return Err(Fault::Command { command: shown(), reason: complaint.to_owned() });
        }
        give_name(self.client, id, name).await?;
        let _ = fs::remove_file(&log);
        Ok(())
    }

    /// Builds by `docker buildx`, which moves the reference when everything is done.
    async fn build(&mut self, recipe: &Recipe) -> Result<(), Fault> {
        let name = recipe.reference.as_str();
        (self.say)(&format!("{name}: making a stand-in by its Dockerfile"));
        let words = ["buildx", "build", "--builder", "default", "--progress", "plain", "--load", "--tag", name];
        let mut arguments: Vec<String> = words.map(str::to_owned).to_vec();
        arguments.extend(labels(recipe).flat_map(|label| ["--label".into(), label]));
        if let Some(bundle) = daemon::certificate_bundle() {
            arguments.extend(["--secret".into(), format!("id=ca,src={}", bundle.display())]);
        }
        let log = log_file(&recipe.folder())?;
        let folder = log.parent().unwrap_or(&recipe.dir);
        let lockfiles = tempfile::tempdir_in(folder).map_err(Fault::file(folder))?;
        if recipe.lockfiles {
            for lesson in fingerprint::lockfiles(&self.catalogue.root)? {
                let to = lockfiles.path().join(&lesson.lesson);
                fs::create_dir(&to).map_err(Fault::file(&to))?;
                for file in &lesson.files {
                    fs::copy(file, to.join(file.file_name().unwrap_or_default())).map_err(Fault::file(file))?;
                }
            }
            arguments.extend(["--build-context".into(), format!("lockfiles={}", lockfiles.path().display())]);
        }
        arguments.push(recipe.dir.display().to_string());
        let watch = Watch { name, log: &log, limit: LIMIT, first_word: None };
        let ended = Tool::start(daemon::command(&arguments))?.follow(&watch, self.say).await?;
        if !ended.ok() {
            return Err(failure(recipe, &ended, &ended.reason(), &log));
        }
        let _ = fs::remove_file(&log);
        Ok(())
    }
}

/// The labels of a stand-in, as `name=value`.
fn labels(recipe: &Recipe) -> impl Iterator<Item = String> {
    [(STAND_IN_LABEL, "true"), (RECIPE_LABEL, &recipe.fingerprint)]
        .map(|(name, value)| format!("{name}={value}"))
        .into_iter()
}

/// The registry that a reference belongs to; empty for the one that Docker takes by itself.
fn registry_of(reference: &str) -> &str {
    let host = reference.split_once('/').map(|(host, _)| host);
    host.filter(|host| host.contains(['.', ':']) || *host == "localhost").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_the_host_in_front_if_there_is_one() {
        assert_eq!(registry_of("node:22-bookworm-slim"), "");
        assert_eq!(registry_of("library/node:22"), "");
        assert_eq!(registry_of("localhost:5000/node:22"), "localhost:5000");
        assert_eq!(registry_of("registry.example/x/node:22"), "registry.example");
    }
}
