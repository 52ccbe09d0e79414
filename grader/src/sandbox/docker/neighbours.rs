//! What a container shares with others, what it may do, and whom it reaches.
//!
//! Owns: the [`Neighbours`] of a [`DockerSandbox`]. Must not: judge.

use async_trait::async_trait;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder};

use super::super::facts::{Link, LinkFacts, Namespaces, Rights};
use super::super::run_id::LABEL;
use super::super::{At, Neighbours, container};
use super::DockerSandbox;
use crate::fault::Fault;

#[async_trait]
impl Neighbours for DockerSandbox {
    async fn namespaces(&self, at: At<'_>) -> Result<Namespaces, Fault> {
        let pid = self.container_facts(at).await?.pid;
        self.probe().await?.namespaces(&self.parts.client, pid).await
    }

    async fn rights(&self, at: At<'_>) -> Result<Rights, Fault> {
        let pid = self.container_facts(at).await?.pid;
        self.probe().await?.rights(&self.parts.client, pid).await
    }

    async fn reach(&self, at: At<'_>, links: &[Link]) -> Result<Vec<LinkFacts>, Fault> {
        let client = &self.parts.client;
        let target = self.container_name(at)?;
        let name = format!("grader-{}-reach-{}-{}", self.parts.run, at.stack, at.service);
        let body = ContainerCreateBody {
            image: self.parts.bases.first().cloned(),
            entrypoint: Some(vec!["sleep".into()]),
            cmd: Some(vec!["infinity".into()]),
            user: Some("0".into()),
            labels: Some([(LABEL.to_owned(), self.parts.run.to_string())].into()),
            host_config: Some(HostConfig {
                network_mode: Some(format!("container:{target}")),
                auto_remove: Some(true),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let failed = || Fault::docker(format!("looking around from {}", at.service));
        let created = client.create_container(Some(options), body).await.map_err(failed())?;
        client.start_container(&created.id, None).await.map_err(failed())?;
        let mut command: Vec<String> = ["sh", "-c", REACH_SCRIPT, "reach"].map(str::to_owned).to_vec();
        command.extend(links.iter().flat_map(|link| [link.host.clone(), link.port.to_string()]));
        let said = container::exec(client, &created.id, command, 30_000).await;
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        client.remove_container(&created.id, Some(options)).await.map_err(failed())?;
        Ok(parse(links, &said?.output))
    }
}

/// For each pair of name and port: the address (or `-`) and whether it connected, on one line.
const REACH_SCRIPT: &str = r#"
while [ $# -gt 0 ]; do
    address=$(getent ahostsv4 "$1" | awk 'NR == 1 { print $1 }')
    if [ -n "$address" ] && timeout 2 bash -c ": < /dev/tcp/$address/$2" 2>/dev/null; then state=open; else state=closed; fi
    echo "${address:--} $state"
    shift 2
done
"#;

fn parse(links: &[Link], said: &str) -> Vec<LinkFacts> {
    let mut lines = said.lines();
    let fact = |link: &Link| {
        let (address, state) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or(("-", "closed"));
        LinkFacts {
            link: link.clone(),
            address: (address != "-").then(|| address.to_owned()),
            connected: state.trim() == "open",
        }
    };
    links.iter().map(fact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_known_and_a_closed_port_are_told_apart() {
        let link = |host: &str| Link { host: host.into(), port: 80 };
        let facts = parse(&[link("a"), link("b"), link("c")], "10.0.0.2 open\n10.0.0.3 closed\n- closed\n");
        let told: Vec<_> = facts.iter().map(|fact| (fact.address.is_some(), fact.connected)).collect();
        assert_eq!(told, [(true, true), (true, false), (false, false)]);
    }
}
