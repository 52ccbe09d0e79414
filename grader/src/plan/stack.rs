//! Rewrites a merged Compose model so that it can run beside everything else.
//!
//! Owns: own names, ephemeral ports on loopback, images already built, labels. Must not: change how the
//! learner's services behave beyond that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{BuildPlan, Names, StackPlan, bounds, image, mounts, network};
use crate::course::spec::StackSpec;
use crate::policy::AdmittedStack;
use crate::sandbox::run_id;

/// Plans one stack; images that only it needs are added to `builds`.
pub fn plan(names: &Names<'_>, spec: &StackSpec, admitted: &AdmittedStack, builds: &mut Vec<BuildPlan>) -> StackPlan {
    let run = names.run;
    let project = format!("grader-{run}-{}", spec.name);
    let mut started = admitted.model.clone();
    let keep = admitted.dir.with_file_name(format!("held-{}", spec.name));
    let mut images = BTreeSet::new();
    let mut injected = BTreeMap::new();
    started["name"] = json!(project);
    for (name, service) in objects(&mut started, "services") {
        let built = image::of_service(names, spec, admitted, &name, service, builds);
        if let Some(build) = built {
            service.insert("image".into(), json!(build.reference));
            images.insert(build.name);
        }
        injected.insert(name.clone(), bounds::put_in(service));
        bounds::bound_swap(service);
        network::keep_names(service);
        for key in TAKEN_OUT {
            service.remove(key);
        }
        service.insert("ports".into(), ephemeral(service.get("ports")));
        label(service, run);
    }
    for kind in ["networks", "volumes"] {
        for (name, item) in objects(&mut started, kind) {
            let name = format!("{project}_{name}");
            if kind == "networks" {
                network::give_addresses(item, &name);
            }
            item.insert("name".into(), json!(name));
            label(item, run);
        }
    }
    let variables = own_variables(&mut started, &admitted.variables);
    let held = mounts::keep_apart(&mut started, admitted, &keep, &mut injected);
    StackPlan {
        name: spec.name.clone(),
        project,
        files: spec.files.clone(),
        model: admitted.model.clone(),
        started,
        injected,
        images,
        variables,
        held,
    }
}

/// The variables from which secrets and configs of what is started are taken. They get names of the
/// grader's own: a name that a learner has chosen could steer the program that starts the stack.
fn own_variables(started: &mut Value, known: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for kind in ["secrets", "configs"] {
        for (_, item) in objects(started, kind) {
            let Some(value) = item.get("environment").and_then(Value::as_str).and_then(|one| known.get(one)) else {
                continue;
            };
            let own = format!("GRADER_{}_{}", kind.to_uppercase(), variables.len());
            variables.insert(own.clone(), value.clone());
            item.insert("environment".into(), json!(own));
        }
    }
    variables
}

/// Keys of a service that are done with: what they say has been carried out, or is the grader's to say. The
/// model that is started must not make Compose read a file of the stack's folder again later.
const TAKEN_OUT: [&str; 8] =
    ["build", "container_name", "pull_policy", "develop", "profiles", "env_file", "label_file", "extends"];

fn ephemeral(ports: Option<&Value>) -> Value {
    let mut targets = BTreeSet::new();
    for port in ports.and_then(Value::as_array).into_iter().flatten() {
        let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("tcp").to_owned();
        targets.extend(port.get("target").and_then(Value::as_u64).map(|target| (target, protocol)));
    }
    targets
        .into_iter()
        .map(|(target, protocol)| json!({"mode": "ingress", "host_ip": "127.0.0.1", "target": target, "protocol": protocol}))
        .collect()
}

fn label(item: &mut Map<String, Value>, run: &str) {
    let labels = item.entry("labels").or_insert_with(|| json!({}));
    labels[run_id::LABEL] = json!(run);
}

/// The entries of `model[kind]` that are objects; empty ones become objects.
fn objects<'m>(model: &'m mut Value, kind: &str) -> Vec<(String, &'m mut Map<String, Value>)> {
    let Some(entries) = model.get_mut(kind).and_then(Value::as_object_mut) else { return Vec::new() };
    entries
        .iter_mut()
        .filter_map(|(name, value)| {
            if value.is_null() {
                *value = json!({});
            }
            Some((name.clone(), value.as_object_mut()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(model: Value) -> (StackPlan, Vec<BuildPlan>) {
        let spec = StackSpec {
            name: "prod".into(),
            files: vec!["docker-compose.yml".into()],
            env_file: None,
            profiles: Vec::new(),
            env: BTreeMap::new(),
            tagged_image: Some("production".into()),
        };
        let mut builds = vec![BuildPlan {
            name: "production".into(),
            target: "production".into(),
            dockerfile: "Dockerfile".into(),
            context: ".".into(),
            args: None,
            reference: "ours:t".into(),
        }];
        let admitted = AdmittedStack::new("/work", model);
        let bases = ["x".to_owned(), "postgres:15".to_owned()];
        let plan = plan(&Names { run: "run", tag: "t1", bases: &bases }, &spec, &admitted, &mut builds);
        (plan, builds)
    }

    #[test]
    fn an_image_by_the_runs_tag_is_the_one_that_was_built() {
        let (plan, _) =
            planned(json!({"services": {"payments": {"image": "payments:t1"}, "db": {"image": "postgres:15"}}}));
        assert_eq!(plan.started["services"]["payments"]["image"], "ours:t");
        assert_eq!(plan.started["services"]["db"]["image"], "postgres:15");
        assert!(plan.images.contains("production"));
    }

    #[test]
    fn an_image_by_another_tag_is_stood_in_for_so_that_the_rest_can_be_measured() {
        let (plan, _) = planned(json!({"services": {"payments": {"image": "payments:latest"}}}));
        assert_eq!(plan.started["services"]["payments"]["image"], "ours:t");
        assert_eq!(plan.model["services"]["payments"]["image"], "payments:latest");
    }

    #[test]
    fn a_build_of_a_known_target_is_not_built_twice_and_another_is_added() {
        let build = |target: &str| json!({"build": {"context": "/work", "dockerfile": "Dockerfile", "target": target}});
        let (plan, builds) = planned(json!({"services": {"a": build("production"), "b": build("tools")}}));
        assert_eq!(plan.started["services"]["a"]["image"], "ours:t");
        assert_eq!(builds.len(), 2);
        assert_eq!(builds[1].name, "prod.b");
        assert!(plan.started["services"]["a"].get("build").is_none());
    }

    #[test]
    fn the_same_target_with_other_arguments_is_another_image() {
        let build = |args: Value| json!({"build": {"context": "/work", "dockerfile": "Dockerfile", "target": "production", "args": args}});
        let (plan, builds) = planned(json!({"services": {"a": build(json!({})), "b": build(json!({"X": "1"}))}}));
        assert_eq!(plan.started["services"]["a"]["image"], "ours:t");
        assert_eq!(builds[1].name, "prod.b");
        let (_, builds) = planned(json!({"services": {"a": build(json!({"X": "1"})), "b": build(json!({"X": "1"}))}}));
        assert_eq!(builds.len(), 1);
    }

    #[test]
    fn ports_lose_their_host_side_and_stay_on_loopback() {
        let (plan, _) = planned(json!({"services": {"a": {"image": "x", "ports": [
            {"target": 3000, "published": "3000"}, {"target": 3000, "published": "80"}]}}}));
        let expected = json!([{"mode": "ingress", "host_ip": "127.0.0.1", "target": 3000, "protocol": "tcp"}]);
        assert_eq!(plan.started["services"]["a"]["ports"], expected);
    }

    #[test]
    fn swap_without_end_is_started_with_dockers_own_bound() {
        let service = json!({"image": "x", "mem_limit": "1", "memswap_limit": "-1"});
        let (plan, _) = planned(json!({"services": {"a": service}}));
        assert!(plan.started["services"]["a"].get("memswap_limit").is_none());
        assert_eq!(plan.model["services"]["a"]["memswap_limit"], "-1");
    }

    #[test]
    fn a_variable_for_a_secret_has_a_name_of_the_graders_own() {
        let mut model = json!({"secrets": {"s": {"name": "s", "environment": "LD_PRELOAD"}, "t": {"file": "/work/t"}}});
        let known = BTreeMap::from([("LD_PRELOAD".to_owned(), "value".to_owned())]);
        let variables = own_variables(&mut model, &known);
        assert_eq!(variables, BTreeMap::from([("GRADER_SECRETS_0".to_owned(), "value".to_owned())]));
        assert_eq!(model["secrets"]["s"], json!({"name": "s", "environment": "GRADER_SECRETS_0"}));
    }

    #[test]
    fn a_service_that_names_an_image_built_for_another_runs_that_one() {
        let build = json!({"context": "/work", "dockerfile": "Dockerfile", "target": "tools"});
        let (plan, builds) =
            planned(json!({"services": {"a": {"image": "shop:dev"}, "b": {"image": "shop:dev", "build": build}}}));
        assert_eq!(plan.started["services"]["a"]["image"], builds[1].reference);
        assert_eq!(plan.started["services"]["b"]["image"], builds[1].reference);
        assert_eq!(builds.len(), 2);
    }

    #[test]
    fn networks_and_volumes_get_names_of_the_run() {
        let (plan, _) =
            planned(json!({"services": {}, "volumes": {"data": null}, "networks": {"default": {"name": "x"}}}));
        assert_eq!(plan.started["volumes"]["data"]["name"], "grader-run-prod_data");
        assert_eq!(plan.started["networks"]["default"]["labels"][run_id::LABEL], "run");
    }
}
