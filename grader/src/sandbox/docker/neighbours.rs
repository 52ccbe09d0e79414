//! What a container shares with others, what it may do, and whom it reaches.
//!
//! Owns: the [`Neighbours`] of a [`DockerSandbox`]. Must not: judge.

use async_trait::async_trait;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptionsBuilder};

use super::super::facts::{Link, LinkFacts, Namespaces, Rights};
use super::super::helper::Helper;
use super::super::run_id::LABEL;
use super::super::{At, Neighbours, Sandbox};
use super::DockerSandbox;
use crate::fault::Fault;

#[async_trait]
impl Neighbours for DockerSandbox {
    async fn namespaces(&self, at: At<'_>) -> Result<Namespaces, Fault> {
        self.namespaces_of(self.container_facts(at).await?.pid).await
    }

    async fn namespaces_of(&self, pid: i64) -> Result<Namespaces, Fault> {
        self.probe().await?.namespaces(pid).await
    }

    async fn rights(&self, at: At<'_>) -> Result<Rights, Fault> {
        let pid = self.container_facts(at).await?.pid;
        self.probe().await?.rights(pid).await
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
        let helper = Helper { client: client.clone(), id: created.id.clone(), pace: self.pace().clone() };
        let told = tell(&helper, links).await;
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        client.remove_container(&created.id, Some(options)).await.map_err(failed())?;
        told
    }

    async fn gateway(&self, at: At<'_>) -> Result<Option<String>, Fault> {
        let pid = self.container_facts(at).await?.pid;
        self.probe().await?.gateway(pid).await
    }
}

/// Tries every link. What was not answered was waited for in seconds; where the machine has become slower
/// than it was when they were chosen, it is tried again.
async fn tell(helper: &Helper, links: &[Link]) -> Result<Vec<LinkFacts>, Fault> {
    let watch = helper.pace.watch();
    for _ in 0..TRIES {
        let slow = helper.pace.whole_patience();
        let pairs = links.iter().flat_map(|link| [link.host.clone(), link.port.to_string()]);
        let arguments: Vec<String> = [slow.to_string()].into_iter().chain(pairs).collect();
        let said = helper.run(REACH_SCRIPT, &arguments, REACH_MS).await?;
        let (facts, is_sure) = parse(links, &said.output)
            .map_err(|reason| Fault::Unreadable { what: "what a service reaches".into(), reason })?;
        if is_sure || helper.pace.whole_patience() <= slow {
            return Ok(facts);
        }
    }
    watch.took().must_be_quick("a connection was tried, and neither made nor refused")?;
    Err(Fault::Unreadable {
        what: "what a service reaches".into(),
        reason: "the machine's pace changes too much".into(),
    })
}

/// How often links are tried.
const TRIES: usize = 4;
/// How long all links may take, milliseconds.
const REACH_MS: u64 = 60_000;

/// `$1` is how many times slower the machine is. For each pair of name and port: the address (or `-`), and
/// whether it connected (`open`, `closed`, or `silent` when nothing was heard in time), on one line. A name
/// that Docker does not know is looked up outside, where nobody may answer.
const REACH_SCRIPT: &str = r#"
slow=$1; shift
export RES_OPTIONS="timeout:$slow attempts:1"
while [ $# -gt 0 ]; do
    found=$(timeout $((3 * slow)) getent ahostsv4 "$1"); code=$?
    address=$(echo "$found" | awk 'NR == 1 { print $1 }')
    if [ -n "$address" ]; then
        timeout $((2 * slow)) bash -c ": < /dev/tcp/$address/$2" 2>/dev/null; code=$?
    fi
    case $code in 0) state=open;; 124) state=silent;; *) state=closed;; esac
    echo "${address:--} $state"
    shift 2
done
"#;

/// What came of each link, and whether all of it is sure: that nothing was heard may be the machine's doing.
/// The error is what was said when it is not one line per link.
fn parse(links: &[Link], said: &str) -> Result<(Vec<LinkFacts>, bool), String> {
    let told: Vec<_> = said.lines().filter_map(|line| line.split_once(' ')).collect();
    if told.len() != links.len() || told.iter().any(|(_, state)| !["open", "closed", "silent"].contains(state)) {
        return Err(format!("the helper said {said:?}"));
    }
    let fact = |(link, (address, state)): (&Link, (&str, &str))| LinkFacts {
        link: link.clone(),
        address: (address != "-").then(|| address.to_owned()),
        connected: state == "open",
    };
    let is_sure = told.iter().all(|(_, state)| *state != "silent");
    Ok((links.iter().zip(told).map(fact).collect(), is_sure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_known_and_a_closed_port_are_told_apart() {
        let link = |host: &str| Link { host: host.into(), port: 80 };
        let links = [link("a"), link("b"), link("c")];
        let (facts, is_sure) = parse(&links, "10.0.0.2 open\n10.0.0.3 closed\n- closed\n").expect("three lines");
        let told: Vec<_> = facts.iter().map(|fact| (fact.address.is_some(), fact.connected)).collect();
        assert_eq!((told, is_sure), (vec![(true, true), (true, false), (false, false)], true));
        let (silent, is_sure) = parse(&links, "10.0.0.2 open\n10.0.0.3 silent\n- silent\n").expect("three lines");
        assert_eq!((silent == facts, is_sure), (true, false), "silence is no closed door");
    }

    #[test]
    fn a_helper_that_was_cut_short_or_complains_tells_nothing() {
        let links = [Link { host: "a".into(), port: 80 }];
        assert!(parse(&links, "").is_err());
        assert!(parse(&links, "sh: getent: not found\n").is_err());
    }
}
