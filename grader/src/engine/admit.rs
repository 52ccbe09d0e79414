//! From a learner's folder to a sandbox that is ready to measure.
//!
//! Owns: copying, planting, the gate, the plan, and what earlier runs have measured of the same.
//! Must not: make anything in the daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bollard::Docker;
use sha2::{Digest, Sha256};

use super::merged::Merging;
use super::{Admission, Job};
use crate::course::Lesson;
use crate::event::Events;
use crate::fault::Fault;
use crate::memory::{self, Keys, Models, Recalled, Store, Surroundings, Tree, keys};
use crate::plan::Plan;
use crate::policy::images::repository;
use crate::policy::{self, Admitted, AdmittedStack, Refusal};
use crate::sandbox::build::{Bounds, source_policy};
use crate::sandbox::compose::Fills;
use crate::sandbox::docker::{DockerSandbox, Parts};
use crate::sandbox::family::{self, Absent, Found, Pin};
use crate::sandbox::layers::Needle;
use crate::sandbox::pace::Pace;
use crate::sandbox::run_id::RunId;
use crate::sandbox::scratch::Scratch;
use crate::secret;
use crate::submission::Submission;
use crate::submission::env_file::EnvFile;
use crate::submission::inline;

/// A submission that has passed the gate and is ready to be measured.
pub struct Ready {
    /// In which nothing has been made yet.
    pub sandbox: DockerSandbox,
    /// What earlier runs have measured of the same.
    pub recalled: Recalled,
    /// Where that is kept.
    pub store: Store,
}

/// Copies a submission, lets it through the gate and plans its run.
pub async fn admit(
    job: &Job<'_>,
    client: &Docker,
    run: &RunId,
    cache: &Path,
    events: &Events,
    pace: &Pace,
) -> Result<Admission<Ready>, Fault> {
    let lesson = job.lesson;
    let source = Submission::at(job.dir.clone());
    let refusals = policy::inspect_files(lesson, &source);
    if !refusals.is_empty() {
        return Ok(Err(refusals));
    }
    let scratch = Scratch::prepare(cache, run, lesson, &job.dir, &job.learner)?;
    let submission = Submission::at(scratch.source());
    // Once more: what was copied is what will run, whatever has happened to the folder meanwhile.
    let refusals = policy::inspect_files(lesson, &submission);
    if !refusals.is_empty() {
        return Ok(Err(refusals));
    }
    // What is remembered is looked up by what was copied: a save from here on belongs to the next run.
    let (store, tree) = (Store::below(cache), Tree::read(&scratch.source())?);
    let surroundings = if job.memory == memory::Use::Nothing { None } else { Surroundings::look(client).await };
    let needles = plant(lesson, &scratch)?;
    let planted = needles.first().map_or("", |needle| needle.value.as_str());
    let models = surroundings.as_ref().map(|around| Models::of(&store, around, &tree, planted, run.as_str()));
    let tag = format!("run-{run}");
    let fills = Fills { tag: &tag, learner: &job.learner };
    // Read after the secret was planted; from here on nothing of these files is read again.
    let texts = match policy::compose_texts(lesson, &submission) {
        Ok(texts) => texts,
        Err(refusals) => return Ok(Err(refusals)),
    };
    let merging =
        Merging { job, scratch: &scratch, models: models.as_ref(), fills, texts, submission: &submission, pace };
    let mut stacks = match merging.merged().await? {
        Ok(stacks) => stacks,
        Err(complaints) => return Ok(Err(complaints)),
    };
    let submission = with_inline(lesson, &mut stacks, submission);
    let admitted = match policy::admit(lesson, &submission, stacks) {
        Ok(admitted) => admitted,
        Err(refusals) => return Ok(Err(refusals)),
    };
    scratch.write_dockerfiles(&submission, admitted.dockerfiles())?;
    let (pins, absent) = match pins(client, &admitted, job).await? {
        Ok(found) => found,
        Err(refusals) => return Ok(Err(refusals)),
    };
    let mut bases = lesson.spec.images.clone();
    bases.extend(pins.iter().map(Pin::exact));
    let plan = Plan::make(lesson, &admitted, run.as_str(), &tag);
    let surroundings = match surroundings {
        Some(around) => {
            let learned = around.learn(client, keys::references(lesson, &plan, &submission)).await;
            learned.map(|around| around.with_pins(&pins))
        }
        None => None,
    };
    let recalled = surroundings.as_ref().map_or_else(Recalled::default, |surroundings| {
        let keys = Keys {
            lesson,
            plan: &plan,
            tree: &tree,
            files: &submission,
            surroundings,
            run: run.as_str(),
            planted,
            learner: &job.learner,
            quiz: &job.quiz,
            settings: &job.settings,
            made: keys::Made::default(),
        };
        Recalled::look(&keys, &store, job.memory)
    });
    let bounds = bounds(job, &scratch, &submission, (pins, absent))?;
    let sandbox = DockerSandbox::new(Parts {
        client: client.clone(),
        run: run.clone(),
        plan,
        scratch,
        submission,
        cache: cache.to_path_buf(),
        bases,
        edit: lesson.spec.edit.clone(),
        needles,
        tag,
        quiz: job.quiz.clone(),
        learner: job.learner.clone(),
        settings: job.settings.clone(),
        bounds,
        events: events.clone(),
        pace: pace.clone(),
    })?;
    Ok(Ok(Ready { sandbox, recalled, store }))
}

/// The submission with the Dockerfiles that stand in its Compose files.
fn with_inline(lesson: &Lesson, stacks: &mut BTreeMap<String, AdmittedStack>, submission: Submission) -> Submission {
    let mut all = BTreeMap::new();
    for spec in &lesson.spec.stacks {
        let Some(stack) = stacks.get_mut(&spec.name) else { continue };
        all.extend(inline::take(&mut stack.model, &stack.dir, &spec.files, &submission));
    }
    Submission { inline: Arc::new(all), ..submission }
}

/// The images of families, each as it is proven to be, and those that are not to be had now. What the
/// registry does not know is refused.
async fn pins(
    client: &Docker,
    admitted: &Admitted,
    job: &Job<'_>,
) -> Result<Admission<(Vec<Pin>, Vec<Absent>)>, Fault> {
    let (mut pins, mut absent, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
    for (name, at) in admitted.others() {
        match family::find(client, name, job.settings.network).await? {
            Found::Here(pin) => pins.push(pin),
            Found::NoSuch => refusals.push(Refusal {
                what: format!("the registry has no image `{name}`"),
                why: "Look at the spelling. The repository's page at the registry lists its tags.".into(),
                at: at.clone(),
                is_mistake: true,
            }),
            Found::Unknown(reason) => {
                let is_of_it = |image: &&String| repository(image) == repository(name);
                let named = job.lesson.spec.images.iter().filter(is_of_it).cloned();
                let here: BTreeSet<String> = named.chain(family::others_here(client, name).await?).collect();
                absent.push(Absent { written: name.clone(), reason, here: here.into_iter().collect() });
            }
        }
    }
    Ok(if refusals.is_empty() { Ok((pins, absent)) } else { Err(refusals) })
}

/// What builds are held to. A learner is told from another by the folder that is graded.
fn bounds(
    job: &Job<'_>,
    scratch: &Scratch,
    submission: &Submission,
    (pins, absent): (Vec<Pin>, Vec<Absent>),
) -> Result<Bounds, Fault> {
    let sources = scratch.own_file("sources.json");
    std::fs::write(&sources, source_policy(&job.lesson.spec, &pins, &absent).to_string())
        .map_err(Fault::file(&sources))?;
    let folder = job.dir.canonicalize().unwrap_or_else(|_| job.dir.clone());
    let hash = hex::encode(Sha256::digest(folder.as_os_str().as_encoded_bytes()));
    let cache = format!("grader-{}", &hash[..16]);
    Ok(Bounds { sources, inline: submission.inline.clone(), dockerfiles: scratch.dockerfiles(), pins, absent, cache })
}

/// Puts the grader's own value in the place of the secret, and lists what must not be in an
/// image: that value first, then the values that the learner's file had.
fn plant(lesson: &Lesson, scratch: &Scratch) -> Result<Vec<Needle>, Fault> {
    let Some(spec) = &lesson.spec.secret else { return Ok(Vec::new()) };
    let planted = secret::planted()?;
    let submission = Submission::at(scratch.source());
    let mut needles = vec![Needle { key: spec.key.clone(), value: planted.clone() }];
    let own = EnvFile::read(&submission.text(&spec.file).unwrap_or_default(), &|_| None);
    for one in own.assignments {
        let Some(found) = one.value.and_then(|value| secret::to_find(&one.key, &value)) else { continue };
        for (form, value) in secret::encoded(&found) {
            needles.push(Needle { key: format!("{}, in {form}", one.key), value });
        }
        needles.push(Needle { key: one.key, value: found });
    }
    for (form, value) in secret::encoded(&planted) {
        needles.push(Needle { key: format!("{}, in {form}", spec.key), value });
    }
    scratch.plant(spec, &planted)?;
    Ok(needles)
}
