//! `by-hand`: what the learner made with their own commands is there, and as it should be.
//!
//! Owns: finding wanted objects and near misses in what is there. Must not: make or remove anything.

mod runs;
mod wish;

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Resource};
use crate::fault::Fault;
use crate::learner::filled;
use crate::sandbox::Sandbox;
use crate::sandbox::facts::{ContainerFacts, Doing, Handmade, nearest_name};
use crate::verdict::{Detail, Finding, Verdict};
use runs::path_of;
use wish::{ContainerWish, NetworkWish, VolumeWish};

/// Looks at the daemon's containers, volumes, networks and images, those of the grader's runs left
/// out, and compares those that are called (or labelled) as the lesson says. `{learner}` in names,
/// labels and values stands for the learner's number.
///
/// Why it matters: typing the command yourself is the exercise.
///
/// How it is cheated: what a neighbour has made carries another number. A container that only has the
/// right name has another image, another limit, or does not run; the daemon says so. One that has the right
/// words in its command and runs something else has other processes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByHand {
    /// Containers that must be there.
    #[serde(default)]
    pub containers: Vec<ContainerWish>,
    /// Volumes that must be there.
    #[serde(default)]
    pub volumes: Vec<VolumeWish>,
    /// Networks that must be there.
    #[serde(default)]
    pub networks: Vec<NetworkWish>,
    /// Names with tags of images that must be there.
    #[serde(default)]
    pub images: Vec<String>,
    /// Names that no container, volume, network or image may have any more.
    #[serde(default)]
    pub absent: Vec<String>,
}

/// What is there.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The learner's number.
    pub learner: String,
    /// Objects that are looked for, and those that resemble them.
    pub there: Handmade,
    /// What the containers do that were looked for, by their names.
    #[serde(default)]
    pub doing: BTreeMap<String, Doing>,
}

#[async_trait]
impl Check for ByHand {
    type Evidence = Evidence;
    const KIND: &'static str = "by-hand";
    // What is in the daemon can change without any file.
    const REMEMBERED: bool = false;

    fn needs(&self) -> Vec<Resource> {
        Vec::new()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let learner = sandbox.learner();
        let mut there = sandbox.handmade().await?;
        // What has nothing to do with the exercise is nobody's business.
        let names = self.names(&learner);
        let near = |name: &str| {
            let is_near = |wanted: &String| wanted == name || nearest_name(wanted, std::iter::once(name)).is_some();
            names.iter().any(is_near)
        };
        let is = |wish: &ContainerWish, one: &ContainerFacts| wish.called().fits(&learner, &one.name, &one.labels);
        let missing: Vec<&ContainerWish> =
            self.containers.iter().filter(|wish| !there.containers.iter().any(|one| is(wish, one))).collect();
        there.containers.retain_mut(|one| {
            if self.containers.iter().any(|wish| is(wish, one)) {
                return true;
            }
            let keep = near(&one.name) || missing.iter().any(|wish| wish.has_image(one));
            *one = only_its_name(std::mem::take(one));
            keep
        });
        there.volumes.retain(|one| {
            near(&one.name) || self.volumes.iter().any(|wish| wish.called().fits(&learner, &one.name, &one.labels))
        });
        there.networks.retain(|one| {
            near(&one.name) || self.networks.iter().any(|wish| wish.called().fits(&learner, &one.name, &one.labels))
        });
        let ids: Vec<&String> = there.containers.iter().map(|one| &one.image_id).collect();
        there.images.retain(|name, id| near(name) || ids.contains(&&*id));
        let mut doing = BTreeMap::new();
        for one in &there.containers {
            let Some(wish) = self.containers.iter().find(|wish| is(wish, one)) else { continue };
            let mut does = sandbox.doing(&one.name).await?;
            if let Some(file) = wish.given() {
                let path = does.processes.iter().find_map(|line| path_of(line, file));
                let found = match path {
                    Some(path) => sandbox.file_in(&one.name, &path).await?,
                    None => None,
                };
                let same = found.zip(sandbox.file(file)).map(|(found, given)| found == given.as_bytes());
                does.given.extend(same.map(|same| (file.to_owned(), same)));
            }
            doing.insert(one.name.clone(), does);
        }
        Ok(Evidence { learner, there, doing })
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let Evidence { learner, there, doing } = evidence;
        let mut rows: Vec<Row> = Vec::new();
        for wish in &self.containers {
            // What another wish has found is no near miss.
            let taken = |one: &ContainerFacts| {
                self.containers.iter().any(|wish| wish.called().fits(learner, &one.name, &one.labels))
            };
            rows.extend(container_rows(wish, learner, there, doing, taken));
        }
        for wish in &self.volumes {
            let names = there.volumes.iter().map(|one| one.name.as_str()).collect::<Vec<_>>();
            let found = there.volumes.iter().any(|one| wish.called().fits(learner, &one.name, &one.labels));
            rows.push(Row::there(
                "volume",
                &wish.called().shown(learner),
                found,
                nearest(&wish.called().name(learner), &names),
            ));
        }
        for wish in &self.networks {
            let names = there.networks.iter().map(|one| one.name.as_str()).collect::<Vec<_>>();
            let found = there.networks.iter().find(|one| wish.called().fits(learner, &one.name, &one.labels));
            let shown = wish.called().shown(learner);
            rows.push(Row::there("network", &shown, found.is_some(), nearest(&wish.called().name(learner), &names)));
            if let Some(network) = found {
                rows.extend(wish.rows(network).into_iter().map(|(what, wanted, found, holds)| Row {
                    what: format!("network {shown}: {what}"),
                    wanted,
                    found,
                    holds,
                }));
            }
        }
        for name in &self.images {
            let name = filled(name, learner);
            let names = there.images.keys().map(String::as_str).collect::<Vec<_>>();
            rows.push(Row::there(
                "image",
                &format!("`{name}`"),
                there.images.contains_key(&name),
                nearest(&name, &names),
            ));
        }
        for name in &self.absent {
            rows.push(absent(&filled(name, learner), there));
        }
        verdict(&rows)
    }
}

/// One thing that was looked for.
struct Row {
    what: String,
    wanted: String,
    found: String,
    holds: bool,
}

impl Row {
    fn there(kind: &str, shown: &str, holds: bool, near: Option<String>) -> Self {
        let but = near.map_or(String::new(), |near| format!("; there is {near}"));
        let found = if holds { "is there".into() } else { format!("no {kind} is called so{but}") };
        Self { what: format!("{kind} {shown}"), wanted: "is there".into(), found, holds }
    }
}

impl ByHand {
    /// The names that are looked for.
    fn names(&self, learner: &str) -> Vec<String> {
        let containers = self.containers.iter().map(|wish| wish.called().name(learner));
        let others = self.volumes.iter().map(|wish| wish.called().name(learner));
        let networks = self.networks.iter().map(|wish| wish.called().name(learner));
        let plain = self.images.iter().chain(&self.absent).map(|name| filled(name, learner));
        containers.chain(others).chain(networks).chain(plain).filter(|name| !name.is_empty()).collect()
    }
}

fn container_rows(
    wish: &ContainerWish,
    learner: &str,
    there: &Handmade,
    doing: &BTreeMap<String, Doing>,
    taken: impl Fn(&ContainerFacts) -> bool,
) -> Vec<Row> {
    let shown = wish.called().shown(learner);
    let found = there.containers.iter().find(|one| wish.called().fits(learner, &one.name, &one.labels));
    let Some(container) = found else {
        let free = || there.containers.iter().filter(|one| !taken(one));
        let names = free().map(|one| one.name.as_str()).collect::<Vec<_>>();
        let same_image = || free().find(|one| wish.has_image(one)).map(of_same_image);
        let near = nearest(&wish.called().name(learner), &names).or_else(same_image);
        return vec![Row::there("container", &shown, false, near)];
    };
    let mut rows = vec![Row::there("container", &shown, true, None)];
    rows.extend(
        wish.rows(container, doing, learner, &there.images).into_iter().map(|(what, wanted, found, holds)| Row {
            what: format!("container {shown}: {what}"),
            wanted,
            found,
            holds,
        }),
    );
    rows
}

fn of_same_image(container: &ContainerFacts) -> String {
    format!("`{}`, which is of the image {}", container.name, container.image)
}

fn nearest(wanted: &str, names: &[&str]) -> Option<String> {
    let others = names.iter().copied().filter(|name| *name != wanted);
    nearest_name(wanted, others).map(|name| format!("`{name}`, which is called nearly so"))
}

/// What may be said of a container that is not the learner's answer.
fn only_its_name(one: ContainerFacts) -> ContainerFacts {
    let ContainerFacts { image_id, state, name, image, .. } = one;
    ContainerFacts { image_id, state, name, image, ..ContainerFacts::default() }
}

fn absent(name: &str, there: &Handmade) -> Row {
    let kinds = [
        ("a container", there.containers.iter().any(|one| one.name == name)),
        ("a volume", there.volumes.iter().any(|one| one.name == name)),
        ("a network", there.networks.iter().any(|one| one.name == name)),
        ("an image", there.images.contains_key(name)),
    ];
    let found: Vec<&str> = kinds.iter().filter(|(_, yes)| *yes).map(|(kind, _)| *kind).collect();
    let holds = found.is_empty();
    let found = if holds { "is gone".into() } else { format!("there is still {} of that name", found.join(" and ")) };
    Row { what: format!("`{name}`"), wanted: "is gone".into(), found, holds }
}

fn verdict(rows: &[Row]) -> Verdict {
    let wrong: Vec<&Row> = rows.iter().filter(|row| !row.holds).collect();
    let shown: Vec<&Row> = if wrong.is_empty() { rows.iter().collect() } else { wrong.clone() };
    let wanted: Vec<String> = shown.iter().map(|row| format!("{}: {}", row.what, row.wanted)).collect();
    let wanted = wanted.join("; ");
    if wrong.is_empty() {
        return Verdict::Pass(Finding::new(wanted, "all of it is there"));
    }
    let said: Vec<String> = wrong.iter().map(|row| format!("{}: {}", row.what, row.found)).collect();
    let table = wrong.iter().map(|row| vec![row.what.clone(), row.wanted.clone(), row.found.clone()]).collect();
    let table = Detail::table("what differs", &["of", "wanted", "found"], table);
    Verdict::Fail(Finding::new(wanted, said.join("; ")).with(table))
}

crate::register!(ByHand);
