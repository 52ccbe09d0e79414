//! `published-ports`: exactly the wanted ports are open on the host, and somebody answers there.
//!
//! Owns: comparing ports and knocking on them. Must not: judge what is behind a port.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Check, Door, Resource};
use crate::fault::Fault;
use crate::sandbox::wait::until;
use crate::sandbox::{At, Sandbox};
use crate::verdict::{Detail, Finding, Location, Verdict, millis};

/// Lists what each service publishes, and makes a real connection to each wanted port: the first
/// bytes of the protocol are sent, and an answer in it must come back. Ports are published on ephemeral
/// host ports in the grader, so the learner's own may be in use.
///
/// Why it matters: an open debugger runs anybody's code, an open database gives anybody the data.
///
/// How it is cheated: publishing a port on which nothing listens fails, since Docker's proxy
/// accepts connections but nobody answers; and so does one behind which somebody says anything.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedPorts {
    /// The stack, by its name in `[[stack]]`.
    pub stack: String,
    /// The ports that must be published, and no others may.
    pub open: Vec<OpenPort>,
    /// Ports on which nothing may listen, published or not.
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
    /// The port in the container.
    pub port: u16,
    /// How to knock.
    pub speaks: Protocol,
}

/// A port on which nothing may listen.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SilentPort {
    /// The service.
    pub service: String,
    /// The port in the container.
    pub port: u16,
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
    /// Every published port: service and port in the container.
    pub published: Vec<(String, u16)>,
    /// Every wanted port and the beginning of what was last heard there; `None` when nobody answered.
    pub heard: Vec<(String, u16, Option<String>)>,
    /// Ports that should be silent and are not.
    pub listening: Vec<(String, u16)>,
    /// Where the ports of the first service at fault stand.
    pub at: Option<Location>,
}

#[async_trait]
impl Check for PublishedPorts {
    type Evidence = Evidence;
    const KIND: &'static str = "published-ports";

    fn needs(&self) -> Vec<Resource> {
        vec![Resource::stack(&self.stack)]
    }

    fn doors(&self) -> Vec<Door> {
        self.open.iter().map(|open| Door::new(&self.stack, &open.service, open.port)).collect()
    }

    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Evidence, Fault> {
        let mut evidence = Evidence { published: Vec::new(), heard: Vec::new(), listening: Vec::new(), at: None };
        for service in sandbox.started(&self.stack).await?.services {
            let ports = sandbox.container(self.at(&service)).await?.ports;
            evidence.published.extend(ports.iter().map(|port| (service.clone(), port.container)));
        }
        let knocks = self.open.iter().map(|open| async {
            let knock = || async {
                let heard = sandbox.connect(self.at(&open.service), open.port, open.speaks.knock()).await?;
                Ok::<_, Fault>(heard.map(|bytes| String::from_utf8_lossy(&bytes).chars().take(60).collect::<String>()))
            };
            let right = || async { Ok::<_, Fault>(knock().await?.filter(|heard| open.speaks.is_spoken(heard))) };
            let is_published = evidence.published.contains(&(open.service.clone(), open.port));
            if !is_published {
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
            if sandbox.kernel(self.at(&silent.service)).await?.listening.contains(&silent.port) {
                evidence.listening.push((silent.service.clone(), silent.port));
            }
        }
        let fault = self
            .extra(&evidence)
            .or_else(|| self.unanswered(&evidence))
            .or_else(|| evidence.listening.first().cloned());
        if let Some((service, port)) = fault {
            let at = |key: &[&str]| sandbox.locate_key(self.at(&service), key);
            evidence.at = at(&["ports", &format!("{port}:")]).or_else(|| at(&["ports"]));
        }
        Ok(evidence)
    }

    fn time_explains(&self, evidence: &Evidence) -> bool {
        self.extra(evidence).is_none()
    }

    fn judge(&self, evidence: &Evidence) -> Verdict {
        let name = |service: &str, port: u16| format!("{service}:{port}");
        let wanted: Vec<String> = self.open.iter().map(|open| name(&open.service, open.port)).collect();
        let mut wanted = format!("open and answering: {}, and nothing else", wanted.join(", "));
        if !self.silent.is_empty() {
            let silent: Vec<String> = self.silent.iter().map(|s| name(&s.service, s.port)).collect();
            wanted = format!("{wanted}; nobody listens on {}", silent.join(", "));
        }
        let rows = evidence.published.iter().map(|(service, port)| {
            let open = self.open.iter().find(|open| open.service == *service && open.port == *port);
            let result = match open.map(|open| (open, evidence.heard_at(open))) {
                None => "not wanted".to_owned(),
                Some((_, None)) => "nobody answers".into(),
                Some((open, Some(heard))) if open.speaks.is_spoken(heard) => "answers".into(),
                Some((open, Some(heard))) => format!("says {heard:?}, which is not {}", open.speaks.name()),
            };
            vec![name(service, *port), result]
        });
        let table = Detail::table("published ports", &["service:port", "a real connection"], rows.collect());
        let problem = if let Some((service, port)) = self.extra(evidence) {
            Some(format!("{} is open to the host", name(&service, port)))
        } else if let Some(open) = self.first_unanswered(evidence) {
            let published = evidence.published.contains(&(open.service.clone(), open.port));
            let why = match evidence.heard_at(open) {
                _ if !published => "is not published".to_owned(),
                None => format!(
                    "is published, but nobody answers there within {}: nothing listens on that port of the container, \
                     or only on the container's own loopback",
                    millis(self.within_ms)
                ),
                Some(heard) => {
                    format!("is published, but what answers there does not speak {}: {heard:?}", open.speaks.name())
                }
            };
            Some(format!("{} {why}", name(&open.service, open.port)))
        } else {
            evidence.listening.first().map(|(service, port)| format!("something listens on {}", name(service, *port)))
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

    fn extra(&self, evidence: &Evidence) -> Option<(String, u16)> {
        let is_wanted =
            |(service, port): &&(String, u16)| self.open.iter().any(|o| o.service == *service && o.port == *port);
        evidence.published.iter().find(|published| !is_wanted(published)).cloned()
    }

    fn first_unanswered(&self, evidence: &Evidence) -> Option<&OpenPort> {
        let answers = |open: &OpenPort| evidence.heard_at(open).is_some_and(|heard| open.speaks.is_spoken(heard));
        self.open.iter().find(|open| !answers(open))
    }

    fn unanswered(&self, evidence: &Evidence) -> Option<(String, u16)> {
        self.first_unanswered(evidence).map(|open| (open.service.clone(), open.port))
    }
}

impl Evidence {
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
