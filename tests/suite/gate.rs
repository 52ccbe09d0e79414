//! The policy gate: each refusal names the file, the line and the reason, and nothing is run.

use std::os::unix::fs::symlink;

use tests::Learner;

const PROD: &str = "docker-compose.prod.yml";

/// Adds `lines` to the service `payments` of the production file, grades, and wants a refusal
/// that says `reason` and shows `shown` as the line at fault.
fn refused(lines: &str, reason: &str, shown: &str) {
    let learner = Learner::with_solution("nodemon-stock-user");
    let indented = format!("    {}\n", lines.replace('\n', "\n    "));
    learner.replace(PROD, "  payments:\n", &format!("  payments:\n{indented}"));
    wants(&learner, reason, shown);
}

fn wants(learner: &Learner, reason: &str, shown: &str) {
    let ended = learner.check(&["--format", "json"]);
    let report = ended.json();
    assert_eq!((ended.code, report["result"].as_str()), (1, Some("refused")), "{report:#}");
    let refusal = &report["refusals"][0];
    let what = refusal["what"].as_str().unwrap_or_default();
    assert!(what.contains(reason), "{what:?} does not say {reason:?}");
    let text = refusal["at"]["text"].as_str().unwrap_or_default();
    assert!(text.contains(shown), "the line at fault is {shown:?}, not {text:?}");
    assert!(!refusal["why"].as_str().unwrap_or_default().is_empty());
    let ran = report["checks"].as_array().expect("checks").iter().any(|check| check["status"] != "blocked");
    assert!(!ran, "nothing may be measured after a refusal");
}

#[test]
fn privileged() {
    refused("privileged: true", "privileged", "privileged: true");
}

#[test]
fn host_namespaces() {
    for (line, word) in [
        ("network_mode: host", "network"),
        ("pid: host", "process"),
        ("ipc: host", "IPC"),
        ("uts: host", "host name"),
        ("userns_mode: host", "user"),
        ("cgroup: host", "cgroup"),
    ] {
        let learner = Learner::with_solution("nodemon-stock-user");
        learner.replace(PROD, "  payments:\n", &format!("  payments:\n    {line}\n"));
        if line.starts_with("network_mode") {
            // Compose itself refuses ports beside the host's network.
            learner.write(PROD, &format!("services:\n  payments:\n    image: payments:${{TAG}}\n    {line}\n"));
        }
        wants(&learner, word, line);
    }
}

#[test]
fn the_docker_socket() {
    refused("volumes:\n  - /var/run/docker.sock:/var/run/docker.sock", "Docker socket", "volumes");
}

#[test]
fn folders_of_the_host() {
    refused("volumes:\n  - /etc:/host-etc:ro", "/etc is mounted", "volumes");
    refused("volumes:\n  - ../../..:/host", "outside of the exercise folder", "volumes");
}

#[test]
fn a_link_that_leads_out_of_the_folder() {
    let learner = Learner::with_solution("nodemon-stock-user");
    symlink("/etc", learner.dir().join("config")).expect("link");
    let report = learner.check(&["--format", "json"]).json();
    let what = report["refusals"][0]["what"].as_str().unwrap_or_default();
    assert!(what.contains("config leads out of the exercise folder, to /etc"), "{what}");
}

#[test]
fn devices_capabilities_and_loosened_protection() {
    refused("devices:\n  - /dev/kmsg:/dev/kmsg", "devices", "devices:");
    refused("cap_add: [SYS_ADMIN]", "SYS_ADMIN", "cap_add");
    refused("security_opt:\n  - seccomp=unconfined", "seccomp=unconfined", "security_opt");
}

#[test]
fn external_and_bound_volumes() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let base = std::fs::read_to_string(learner.dir().join("docker-compose.dev.yml")).expect("read");
    learner.write("docker-compose.dev.yml", &format!("{base}\nvolumes:\n  somebody_elses:\n    external: true\n"));
    learner.replace("docker-compose.dev.yml", "    volumes:\n", "    volumes:\n      - somebody_elses:/data\n");
    wants(&learner, "`somebody_elses` is external", "external: true");

    let learner = Learner::with_solution("nodemon-stock-user");
    let bound = "\nvolumes:\n  sneaky:\n    driver_opts: { type: none, o: bind, device: / }\n";
    learner.write("docker-compose.dev.yml", &format!("{base}{bound}"));
    learner.replace("docker-compose.dev.yml", "    volumes:\n", "    volumes:\n      - sneaky:/host\n");
    wants(&learner, "`sneaky` sets a driver or driver options", "sneaky");
}

#[test]
fn the_hosts_network_in_builds() {
    refused(
        "build:\n  context: .\n  target: production\n  network: host",
        "built on the host's network",
        "network: host",
    );
    let learner = Learner::with_solution("nodemon-stock-user");
    learner.replace("Dockerfile", "RUN npm ci", "RUN --network=host npm ci");
    wants(&learner, "asks for the host's network", "--network=host");
}

#[test]
fn other_files_that_compose_would_read() {
    let learner = Learner::with_solution("nodemon-stock-user");
    learner.replace("docker-compose.dev.yml", "services:\n", "include:\n  - /etc/compose.yml\nservices:\n");
    wants(&learner, "`include`", "include:");
    let learner = Learner::with_solution("nodemon-stock-user");
    learner.replace(
        "docker-compose.dev.yml",
        "  payments:\n",
        "  payments:\n    env_file: ../../../../etc/environment\n",
    );
    wants(&learner, "outside of the exercise folder", "env_file");
}

#[test]
fn a_foreign_builder_is_refused_and_the_official_one_works_without_a_registry() {
    let learner = Learner::with_solution("nodemon-stock-user");
    let text = std::fs::read_to_string(learner.dir().join("Dockerfile")).expect("read");
    learner.write("Dockerfile", &format!("# syntax=somebody/else:1\n{text}"));
    wants(&learner, "somebody/else:1", "# syntax=");
    learner.write("Dockerfile", &format!("# syntax=docker/dockerfile:1\n{text}"));
    let report = learner.report();
    assert_eq!(tests::outcome(&report, "targets-build"), ("judged".into(), "pass".into()));
}
