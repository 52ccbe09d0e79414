//! From a learner's folder to a sandbox that is ready to measure.
//!
//! Owns: copying, planting, the gate, the plan, and what earlier runs have measured of the same.
//! Must not: make anything in the daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bollard::Docker;
use futures_util::future::try_join_all;
use sha2::{Digest, Sha256};

use super::{Admission, Job};
use crate::course::Lesson;
use crate::event::Events;
use crate::fault::Fault;
use crate::memory::{self, Keys, Models, Recalled, Store, Surroundings, Tree, keys};
use crate::plan::Plan;
use crate::policy::images::repository;
use crate::policy::{self, Admitted, AdmittedStack, Refusal};
use crate::sandbox::build::{Bounds, source_policy};
use crate::sandbox::compose::{Fills, Merged, merge};
use crate::sandbox::docker::{DockerSandbox, Parts};
use crate::sandbox::family::{self, Absent, Found, Pin};
use crate::sandbox::layers::Needle;
use crate::sandbox::pace::Pace;
use crate::sandbox::run_id::RunId;
use crate::sandbox::scratch::Scratch;
use crate::secret;
use crate::submission::Submission;
use crate::verdict::Location;

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
    let source = Submission { dir: job.dir.clone() };
    let refusals = policy::inspect_files(lesson, &source);
    if !refusals.is_empty() {
        return Ok(Err(refusals));
    }
    let scratch = Scratch::prepare(cache, run, lesson, &job.dir, &job.learner)?;
    let submission = Submission { dir: scratch.source() };
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
    let stacks = match merged(job, &scratch, models.as_ref(), &fills, &submission, pace).await? {
        Ok(stacks) => stacks,
        Err(complaints) => return Ok(Err(complaints)),
    };
    let admitted = match policy::admit(lesson, &submission, stacks) {
        Ok(admitted) => admitted,
        Err(refusals) => return Ok(Err(refusals)),
    };
    scratch.use_built_in_frontend(admitted.dockerfiles())?;
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
    let bounds = bounds(job, &scratch, pins, absent)?;
    let sandbox = DockerSandbox::new(Parts {
        client: client.clone(),
        run: run.clone(),
        plan,
        scratch,
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

/// The merged model of each stack, remembered or out of Compose; or Compose's complaints.
async fn merged(
    job: &Job<'_>,
    scratch: &Scratch,
    models: Option<&Models<'_>>,
    fills: &Fills<'_>,
    submission: &Submission,
    pace: &Pace,
) -> Result<Admission<BTreeMap<String, AdmittedStack>>, Fault> {
    let recalled = |spec| models.filter(|_| job.memory == memory::Use::Recall)?.recall(spec);
    let merged = try_join_all(job.lesson.spec.stacks.iter().map(async |spec| {
        let dir = scratch.copy(&format!("stack-{}", spec.name))?;
        if let Some(model) = recalled(spec) {
            return Ok((spec, Merged::Model(model), dir));
        }
        let merged = merge(spec, &dir, fills, pace).await?;
        if let (Some(models), Merged::Model(model)) = (models, &merged) {
            models.keep(spec, model);
        }
        Ok::<_, Fault>((spec, merged, dir))
    }))
    .await?;
    let (mut stacks, mut complaints) = (BTreeMap::new(), Vec::new());
    for (spec, merged, dir) in merged {
        match merged {
            Merged::Model(model) => {
                stacks.insert(spec.name.clone(), AdmittedStack { dir, model });
            }
            Merged::Complaint(text) => complaints.push(complaint(submission, &spec.files, &text, &dir)),
        }
    }
    complaints.dedup();
    Ok(if complaints.is_empty() { Ok(stacks) } else { Err(complaints) })
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
fn bounds(job: &Job<'_>, scratch: &Scratch, pins: Vec<Pin>, absent: Vec<Absent>) -> Result<Bounds, Fault> {
    let sources = scratch.own_file("sources.json");
    std::fs::write(&sources, source_policy(&job.lesson.spec, &pins, &absent).to_string())
        .map_err(Fault::file(&sources))?;
    let folder = job.dir.canonicalize().unwrap_or_else(|_| job.dir.clone());
    let hash = hex::encode(Sha256::digest(folder.as_os_str().as_encoded_bytes()));
    Ok(Bounds { sources, dockerfiles: scratch.dockerfiles(), pins, absent, cache: format!("grader-{}", &hash[..16]) })
}

/// Puts the grader's own value in the place of the secret, and lists what must not be in an
/// image: that value first, then the values that the learner's file had.
fn plant(lesson: &Lesson, scratch: &Scratch) -> Result<Vec<Needle>, Fault> {
    let Some(spec) = &lesson.spec.secret else { return Ok(Vec::new()) };
    let planted = secret::planted()?;
    let submission = Submission { dir: scratch.source() };
    let mut needles = vec![Needle { key: spec.key.clone(), value: planted.clone() }];
    for line in submission.text(&spec.file).unwrap_or_default().lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim().trim_matches(['"', '\'']);
        let Some(found) = secret::to_find(key.trim(), value) else { continue };
        for (form, value) in secret::encoded(&found) {
            needles.push(Needle { key: format!("{}, in {form}", key.trim()), value });
        }
        needles.push(Needle { key: key.trim().to_owned(), value: found });
    }
    for (form, value) in secret::encoded(&planted) {
        needles.push(Needle { key: format!("{}, in {form}", spec.key), value });
    }
    scratch.plant(spec, &planted)?;
    Ok(needles)
}

/// Compose's complaint with the line that it is about, as far as it says one.
fn complaint(submission: &Submission, files: &[String], text: &str, dir: &Path) -> Refusal {
    // Warnings come first; the complaint is the last line.
    let last = text.lines().last().unwrap_or(text).replace(&format!("{}/", dir.display()), "");
    let file = files.iter().rev().find(|file| last.contains(file.as_str()));
    let line =
        last.split("line ").nth(1).and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
    let named: Option<Location> = match (file, line) {
        (Some(file), Some(line)) => submission.location(file, line),
        _ => None,
    };
    let path = last.split_whitespace().find(|word| word.contains("services.")).unwrap_or_default();
    let keys: Vec<&str> = path.trim_end_matches([':', ',']).split('.').collect();
    let at = named.or_else(|| submission.locate_key(files, &keys));
    let why = if last.contains("required variable") || last.contains("is missing a value") {
        "A variable that the file asks for is not set. It must come from the file that `--env-file` names, or from the command (see the exercise: only TAG is given)."
    } else {
        "This is what `docker compose config` says. Run the exercise's own command with `config` in place of `up` to see it yourself."
    };
    Refusal { what: format!("Compose cannot use your files: {last}"), why: why.into(), at }
}
