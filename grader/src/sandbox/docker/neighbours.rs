//! What a container shares with others, what it may do, and whom it reaches.
//!
//! Owns: the [`Neighbours`] of a [`DockerSandbox`]. Must not: judge.

use async_trait::async_trait;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptionsBuilder};

use super::super::facts::{Link, LinkFacts, Namespaces, Rights};
use super::super::run_id::LABEL;
use super::super::{At, Neighbours, container};
use super::DockerSandbox;
use crate::fault::Fault;

#[async_trait]
impl Neighbours for DockerSandbox {
    async fn namespaces(&self, at: At<'_>) -> Result<Namespaces, Fault> {
        self.namespaces_of(self.container_facts(at).await?.pid).await
    }

    async fn namespaces_of(&self, pid: i64) -> Result<Namespaces, Fault> {
        self.probe().await?.namespaces(&self.parts.client, pid).await
    }

    async fn rights(&self, at: At<'_>) -> Result<Rights, Fault> {
        let pid = self.container_facts(at).await?.pid;
        self.probe().await?.rights(&self.parts.client, pid).await
    }

    async fn reach(&self, at: At<'_>, links: &[Link]) -> Result<Vec<LinkFacts>, Fault> {
        let client = &self.parts.client;
        let target = self.container_name(at)?;
        let body = ContainerCreateBody {
            image: self.parts.bases.first().cloned(),
            entrypoint: Some(vec!["sleep".into()]),
            cmd: Some(vec!["infinity".into()]),
            user: Some("0".into()),
            labels: Some([(LABEL.to_owned(), self.parts.run.to_string())].into()),
            host_config: Some(HostConfig {
                network_mode: Some(format!("container:{target}")),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let failed = || Fault::docker(format!("looking around from {}", at.service));
        // Docker gives it a name: two checks may look from the same service at the same time.
        let options = None::<CreateContainerOptions>;
        let created = client.create_container(options, body).await.map_err(failed())?;
        client.start_container(&created.id, None).await.map_err(failed())?;
        let mut command: Vec<String> = ["sh", "-c", REACH_SCRIPT, "reach"].map(str::to_owned).to_vec();
        command.extend(links.iter().flat_map(|link| [link.host.clone(), link.port.to_string()]));
        let said = container::exec(client, &created.id, command, 30_000).await;
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        client.remove_container(&created.id, Some(options)).await.map_err(failed())?;
        parse(links, &said?.output)
            .map_err(|reason| Fault::Unreadable { what: format!("what {} reaches", at.service), reason })
    }

    async fn gateway(&self, at: At<'_>) -> Result<Option<String>, Fault> {
        let pid = self.container_facts(at).await?.pid;
        self.probe().await?.gateway(&self.parts.client, pid).await
    }
}

/// For each pair of name and port: the address (or `-`) and whether it connected, on one line.
/// A name that Docker does not know is looked up outside, where nobody may answer.
const REACH_SCRIPT: &str = r#"
export RES_OPTIONS="timeout:1 attempts:1"
while [ $# -gt 0 ]; do
    address=$(timeout 3 getent ahostsv4 "$1" | awk 'NR == 1 { print $1 }')
    if [ -n "$address" ] && timeout 2 bash -c ": < /dev/tcp/$address/$2" 2>/dev/null; then state=open; else state=closed; fi
    echo "${address:--} $state"
    shift 2
done
"#;

/// The error is what was said when it is not one line per link: silence is no closed door.
fn parse(links: &[Link], said: &str) -> Result<Vec<LinkFacts>, String> {
    let told: Vec<_> = said.lines().filter_map(|line| line.split_once(' ')).collect();
    if told.len() != links.len() || told.iter().any(|(_, state)| !["open", "closed"].contains(state)) {
        return Err(format!("the helper said {said:?}"));
    }
    let fact = |(link, (address, state)): (&Link, (&str, &str))| LinkFacts {
        link: link.clone(),
        address: (address != "-").then(|| address.to_owned()),
        connected: state == "open",
    };
    Ok(links.iter().zip(told).map(fact).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_known_and_a_closed_port_are_told_apart() {
        let link = |host: &str| Link { host: host.into(), port: 80 };
        let links = [link("a"), link("b"), link("c")];
        let facts = parse(&links, "10.0.0.2 open\n10.0.0.3 closed\n- closed\n").expect("three lines");
        let told: Vec<_> = facts.iter().map(|fact| (fact.address.is_some(), fact.connected)).collect();
        assert_eq!(told, [(true, true), (true, false), (false, false)]);
    }

    #[test]
    fn a_helper_that_was_cut_short_or_complains_tells_nothing() {
        let links = [Link { host: "a".into(), port: 80 }];
        assert!(parse(&links, "").is_err());
        assert!(parse(&links, "sh: getent: not found\n").is_err());
    }
}
