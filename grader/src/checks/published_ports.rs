//! `published-ports`: exactly the wanted ports are open on the host, and somebody answers there.
//!
//! Owns: comparing ports and knocking on them. Must not: judge what is behind a port.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Door, Resource};
use crate::fault::Fault;
use crate::sandbox::names::doors;
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// Lists the ports of the host that each service publishes, and makes a real connection to each wanted
/// one: the first bytes of the protocol are sent, and an answer in it must come back. Which port of the
/// container is behind it is the learner's choice. Ports are published on ephemeral host ports in the
/// grader, so the learner's own may be in use.
///
/// Why it matters: an open debugger runs anybody's code, an open database gives anybody the data.
///
/// How it is cheated: publishing a port on which nothing listens fails, since Docker's proxy
/// accepts connections but nobody answers; and so does one behind which somebody says anything. A debugger on
/// another port than the usual one, or on the container's own loopback, listens all the same.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedPorts {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The ports that must be published, and no others may.
    pub open: Vec<OpenPort>,
    /// Ports of containers on which nothing may listen, published or not, and be it on loopback only.
    #[serde(default)]
    pub silent: Vec<SilentPort>,
    /// Milliseconds that a wanted port may take to answer after the stack is up.
    #[serde(default = "default_limit")]
    pub within_ms: u64,
}

fn default_limit() -> u64 {
    15_000
}

/// A port that must answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenPort {
    /// The service.
    pub service: String,
    /// The port on the host.
    pub port: u16,
    /// How to knock.
    pub speaks: Protocol,
}

/// Ports on which nothing may listen.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SilentPort {
    /// The service.
    pub service: String,
    /// The port in the container. Left out, all but those behind the open ones, of UDP as well, and Unix sockets.
    #[serde(default)]
    pub port: Option<u16>,
}

/// A protocol whose first bytes are known.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// A request for `/json/version`, which the Node.js inspector answers; other servers say 404.
    Http,
    /// `PostgreSQL`'s request for TLS, answered by one byte.
    Postgres,
}

/// What is open.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Every published port.
    pub published: Vec<Published>,
    /// Every wanted port and the beginning of what was last heard there; `None` when nobody answered.
    pub heard: Vec<(String, u16, Option<String>)>,
    /// Ports in containers that should be silent and are not.
    pub listening: Vec<(String, u16)>,
    /// Unix sockets in containers that should be silent, by their paths.
    #[serde(default)]
    pub unix_sockets: Vec<(String, String)>,
    /// UDP ports in containers that should be silent, where packets were taken at two looks.
    #[serde(default)]
    pub udp: Vec<(String, u16)>,
    /// Where the ports of the first service at fault stand.
    pub at: Option<Location>,
}

/// A port of the host that leads to a port of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The service.
    pub service: String,
    /// The port on the host as the files have it; empty where Docker takes any free one.
    pub host: String,
    /// The port in the container.
    pub container: u16,
    /// Whether it is for UDP.
    #[serde(default)]
    pub udp: bool,
}

impl Published {
    /// `3000`, or `8080, which leads to 3000 in the container`.
    fn name(&self) -> String {
        let kind = if self.udp { "/udp" } else { "" };
        let (host, container) = (&self.host, self.container);
        if host.is_empty() {
            format!("any free port, which leads to {container}{kind} in the container")
        } else if *host == container.to_string() {
            format!("{host}{kind}")
        } else {
            format!("{host}{kind}, which leads to {container} in the container")
        }
    }
}

#[async_trait]
impl Check for PublishedPorts {
    type Evidence = Evidence;
    const KIND: &'static str = "published-ports";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    fn judges_doors(&self) -> Vec<Door> {
        let door = |open: &OpenPort| Door { stack: self.stack.clone(), service: open.service.clone(), port: open.port };
        self.open.iter().map(door).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let mut evidence = Evidence {
            published: Vec::new(),
            heard: Vec::new(),
            listening: Vec::new(),
            unix_sockets: Vec::new(),
            udp: Vec::new(),
            at: None,
        };
        let model = sandbox.model(&self.stack);
        for service in sandbox.started(&self.stack).await?.services {
            evidence.published.extend(doors(&model, &service).into_iter().map(|door| Published {
                service: service.clone(),
                host: door.host,
                container: door.container,
                udp: door.udp,
            }));
        }
        let knocks = self.open.iter().map(|open| async {
            let knock = || async {
                let heard = sandbox.connect(self.at(&open.service), open.port, open.speaks.knock()).await?;
                Ok::<_, Fault>(heard.map(|bytes| String::from_utf8_lossy(&bytes).chars().take(60).collect::<String>()))
            };
            let right = || async { Ok::<_, Fault>(knock().await?.filter(|heard| open.speaks.is_spoken(heard))) };
            if evidence.behind(open).is_none() {
                return Ok((open.service.clone(), open.port, None));
            }
            let heard = match until(&sandbox.within(self.within_ms), right).await? {
                Some(heard) => Some(heard),
                None => knock().await?,
            };
            Ok::<_, Fault>((open.service.clone(), open.port, heard))
        });
        let heard = futures_util::future::try_join_all(knocks).await?;
        evidence.heard = heard;
        for silent in &self.silent {
            let kernel = sandbox.kernel(self.at(&silent.service)).await?;
            let behind_open = |port: &u16| {
                let mut open = self.open.iter().filter(|open| open.service == silent.service);
                open.any(|open| evidence.behind(open).is_some_and(|door| door.container == *port))
            };
            let is_meant = |port: &u16| silent.port.map_or_else(|| !behind_open(port), |wanted| wanted == *port);
            let heard: Vec<u16> = kernel.listening.into_iter().chain(kernel.on_loopback).filter(is_meant).collect();
            evidence.listening.extend(heard.into_iter().map(|port| (silent.service.clone(), port)));
            if silent.port.is_none() {
                let sockets = kernel.unix_sockets.into_iter().map(|path| (silent.service.clone(), path));
                evidence.unix_sockets.extend(sockets);
                // A question to a name server is a socket for a moment, too.
                let again = if kernel.udp.is_empty() {
                    Vec::new()
                } else {
                    sandbox.kernel(self.at(&silent.service)).await?.udp
                };
                let stays = kernel.udp.into_iter().filter(|port| again.contains(port));
                evidence.udp.extend(stays.map(|port| (silent.service.clone(), port)));
            }
        }
        let key = |service: &str, key: &[&str]| sandbox.locate_key(self.at(service), key);
        evidence.at = if let Some(extra) = self.extra(&evidence) {
            key(&extra.service, &["ports", &format!("{}:", extra.host)])
        } else if let Some(open) = self.first_unanswered(&evidence) {
            key(&open.service, &["ports", &format!("{}:", open.port)])
        } else {
            let ports = evidence.listening.iter().map(|(service, _)| service);
            let ports = ports.chain(evidence.udp.iter().map(|(service, _)| service));
            let first = ports.chain(evidence.unix_sockets.iter().map(|(service, _)| service)).next();
            first.and_then(|service| key(service, &["command"]))
        };
        Ok(evidence)
    }

    fn time_explains(&self, evidence: &Evidence) -> bool {
        self.extra(evidence).is_none()
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let name = |service: &str, port: u16| format!("{service}:{port}");
        let wanted: Vec<String> = self.open.iter().map(|open| name(&open.service, open.port)).collect();
        let mut wanted = format!("on the host, open and answering: {}, and nothing else", wanted.join(", "));
        let silent = self.silent.iter().map(|silent| match silent.port {
            Some(port) => format!("; nobody listens on {} in the container", name(&silent.service, port)),
            None => format!("; in the container of {} nobody listens on any other port or socket", silent.service),
        });
        wanted.extend(silent);
        let rows = evidence.published.iter().map(|published| {
            let open = self.open.iter().find(|open| evidence.behind(open) == Some(published));
            let result = match open.map(|open| (open, evidence.heard_at(open))) {
                None => "not wanted".to_owned(),
                Some((_, None)) => "nobody answers".into(),
                Some((open, Some(heard))) if open.speaks.is_spoken(heard) => "answers".into(),
                Some((open, Some(heard))) => format!("says {heard:?}, which is not {}", open.speaks.name()),
            };
            vec![published.service.clone(), published.name(), result]
        });
        let table = Detail::table("published ports", &["service", "port", "a real connection"], rows.collect());
        let problem = if let Some(extra) = self.extra(evidence) {
            let moved = self.open.iter().find(|open| {
                open.service == extra.service && open.port == extra.container && evidence.behind(open).is_none()
            });
            Some(match moved {
                Some(open) => {
                    format!(
                        "`{}` is published on {}, and wanted on {} of the host",
                        extra.service,
                        extra.name(),
                        open.port
                    )
                }
                None => format!("`{}` is open to the host on {}", extra.service, extra.name()),
            })
        } else if let Some(open) = self.first_unanswered(evidence) {
            let why = match (evidence.behind(open), evidence.heard_at(open)) {
                (None, _) => "is not published".to_owned(),
                (Some(door), None) => format!(
                    "is published, but nobody answers there within {}: nothing listens on port {} of the container, \
                     or only on the container's own loopback",
                    millis(self.within_ms),
                    door.container
                ),
                (_, Some(heard)) => {
                    format!("is published, but what answers there does not speak {}: {heard:?}", open.speaks.name())
                }
            };
            Some(format!("{} {why}", name(&open.service, open.port)))
        } else {
            let listens = |(service, port): &(String, u16), kind: &str| {
                format!(
                    "in the container, something listens on {}{kind}, though nobody outside should need it",
                    name(service, *port)
                )
            };
            let socket = |(service, path): &(String, String)| {
                format!(
                    "in the container of {service}, something listens on the Unix socket {path}, though nobody outside should need it"
                )
            };
            let tcp = evidence.listening.first().map(|one| listens(one, ""));
            let udp = || evidence.udp.first().map(|one| listens(one, "/udp"));
            tcp.or_else(udp).or_else(|| evidence.unix_sockets.first().map(socket))
        };
        let holds = problem.is_none();
        let measured = problem.unwrap_or_else(|| "exactly these, and they answer".into());
        Finding::new(wanted, measured).at(evidence.at.clone()).with(table).decide(holds)
    }
}

impl PublishedPorts {
    fn at<'a>(&'a self, service: &'a str) -> At<'a> {
        At { stack: &self.stack, service }
    }

    fn extra<'e>(&self, evidence: &'e Evidence) -> Option<&'e Published> {
        let is_wanted = |published: &&Published| self.open.iter().any(|open| evidence.behind(open) == Some(published));
        evidence.published.iter().find(|published| !is_wanted(published))
    }

    fn first_unanswered(&self, evidence: &Evidence) -> Option<&OpenPort> {
        let answers = |open: &OpenPort| {
            evidence.behind(open).is_some() && evidence.heard_at(open).is_some_and(|heard| open.speaks.is_spoken(heard))
        };
        self.open.iter().find(|open| !answers(open))
    }
}

impl Evidence {
    /// What leads to a wanted port.
    fn behind(&self, open: &OpenPort) -> Option<&Published> {
        let leads = |door: &&Published| !door.udp && door.service == open.service && door.host == open.port.to_string();
        self.published.iter().find(leads)
    }

    fn heard_at(&self, open: &OpenPort) -> Option<&String> {
        let heard = self.heard.iter().find(|(service, port, _)| *service == open.service && *port == open.port);
        heard.and_then(|(.., heard)| heard.as_ref())
    }
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Postgres => "PostgreSQL's protocol",
        }
    }

    /// Whether an answer to the knock is one in this protocol.
    fn is_spoken(self, heard: &str) -> bool {
        match self {
            Self::Http => heard.starts_with("HTTP/"),
            // Yes or no to TLS, or an error message (`E`) that says why there is neither.
            Self::Postgres => heard == "S" || heard == "N" || heard.starts_with("E\0"),
        }
    }

    fn knock(self) -> &'static [u8] {
        match self {
            Self::Http => b"GET /json/version HTTP/1.0\r\nHost: localhost\r\n\r\n",
            // SSLRequest: length 8, code 80877103 (PostgreSQL manual, "Message Formats").
            Self::Postgres => &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f],
        }
    }
}

crate::register!(PublishedPorts);
