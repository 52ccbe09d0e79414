//! What a kind of check is, and how kinds are found by name.
//!
//! Owns: the [`Check`] trait and the registry. Must not: know any kind, the daemon, or files.
//!
//! A check is two functions: `measure` looks and has no opinion, `judge` decides and cannot
//! look. Evidence is data, so every limit can be tested without Docker.

pub mod words;

use std::any::Any;

use async_trait::async_trait;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::sandbox::Sandbox;
use crate::verdict::Verdict;

/// Something that must be there before a check can measure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// An image that is built, by its name in `lesson.toml`.
    Image(String),
    /// A stack that is started, by its name in `lesson.toml`.
    Stack(String),
}

impl Resource {
    /// An image.
    pub fn image(name: impl Into<String>) -> Self {
        Self::Image(name.into())
    }

    /// A stack.
    pub fn stack(name: impl Into<String>) -> Self {
        Self::Stack(name.into())
    }
}

impl std::fmt::Display for Resource {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Image(name) => write!(out, "the image `{name}`"),
            Self::Stack(name) => write!(out, "the stack `{name}`"),
        }
    }
}

/// A port of a service at which somebody asks, as its guests find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// The stack.
    pub stack: String,
    /// The service.
    pub service: String,
    /// The port of the lesson, which is the host's (see [`behind`](crate::sandbox::names::behind)).
    pub port: u16,
}

impl Door {
    /// A port of a service.
    #[must_use]
    pub fn of(stack: &str, service: &str, port: u16) -> Self {
        Self { stack: stack.to_owned(), service: service.to_owned(), port }
    }
}

/// How a check treats what it looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It judges whether its resources came into being at all; other checks of the same
    /// resources are blocked by it.
    Opens,
    /// It only looks: it may run beside others.
    Looks,
    /// It kills, stops or edits: it runs after the looking ones, alone on its stack.
    Disrupts,
}

/// One kind of check with its parameters, as `[check.with]` in `lesson.toml` gives them.
#[async_trait]
pub trait Check: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// What was measured. It is shown, stored, and replayed in tests.
    type Evidence: Serialize + DeserializeOwned + Send + Sync;
    /// The kind's name in `lesson.toml`.
    const KIND: &'static str;
    /// How it treats what it looks at.
    const MANNER: Manner = Manner::Looks;
    /// Whether its evidence may be used again while nothing has changed that it depends on: the
    /// submission's files, the lesson, the answers to the quiz, and what
    /// [`memory`](crate::memory) lists. A kind that looks at anything else switches it off.
    const REMEMBERED: bool = true;

    /// What must be there before it can measure.
    fn needs(&self) -> Vec<Resource>;
    /// The doors without which it has nobody to ask.
    fn asks_at(&self) -> Vec<Door> {
        Vec::new()
    }
    /// The doors of which it says itself whether they are open. Where one is not published at all, checks that
    /// ask there are blocked by it: one cause, one finding.
    fn judges_doors(&self) -> Vec<Door> {
        Vec::new()
    }
    /// Looks, and has no opinion.
    async fn measure(&self, sandbox: &dyn Sandbox) -> Result<Self::Evidence, Fault>;
    /// Decides, and cannot look.
    fn judge(&self, evidence: &Self::Evidence) -> Verdict;
    /// Whether time can explain that this is not as wanted: something was waited for, or may be different a
    /// moment later. Such a failure is never remembered, but measured again. What runs may always be; a kind
    /// that compares what stays as it is says so.
    fn time_explains(&self, _evidence: &Self::Evidence) -> bool {
        self.needs().iter().any(|resource| matches!(resource, Resource::Stack(_)))
    }
    /// What did not come into being, so that there was nothing to judge: the check is then blocked by the
    /// one that tells why. Only who opens a resource beside another can meet that.
    fn lacks(&self, _evidence: &Self::Evidence) -> Option<Resource> {
        None
    }
}

/// What came of a check.
#[derive(Debug)]
pub struct Measured {
    /// The evidence as JSON.
    pub evidence: serde_json::Value,
    /// What was decided by it.
    pub verdict: Verdict,
    /// Whether the evidence may be used again.
    pub keep: bool,
    /// See [`Check::lacks`].
    pub lacks: Option<Resource>,
}

/// A check whose evidence type is hidden, so that an engine can hold many kinds.
#[async_trait]
pub trait AnyCheck: Send + Sync {
    /// See [`Check::needs`].
    fn needs(&self) -> Vec<Resource>;
    /// See [`Check::MANNER`].
    fn manner(&self) -> Manner;
    /// See [`Check::asks_at`].
    fn asks_at(&self) -> Vec<Door>;
    /// See [`Check::judges_doors`].
    fn judges_doors(&self) -> Vec<Door>;
    /// See [`Check::REMEMBERED`].
    fn remembered(&self) -> bool;
    /// Measures and judges.
    async fn run(&self, sandbox: &dyn Sandbox) -> Result<Measured, Fault>;
    /// The kind's own parameters, for who knows the kind.
    fn parameters(&self) -> &dyn Any;
    /// Judges evidence that was stored as JSON.
    fn judge_stored(&self, evidence: &serde_json::Value) -> Result<Verdict, serde_json::Error>;
}

#[async_trait]
impl<C: Check> AnyCheck for C {
    fn needs(&self) -> Vec<Resource> {
        Check::needs(self)
    }

    fn manner(&self) -> Manner {
        C::MANNER
    }

    fn asks_at(&self) -> Vec<Door> {
        Check::asks_at(self)
    }

    fn judges_doors(&self) -> Vec<Door> {
        Check::judges_doors(self)
    }

    fn remembered(&self) -> bool {
        C::REMEMBERED
    }

    async fn run(&self, sandbox: &dyn Sandbox) -> Result<Measured, Fault> {
        let evidence = self.measure(sandbox).await?;
        let (verdict, lacks) = (self.judge(&evidence), self.lacks(&evidence));
        let stored = serde_json::to_value(&evidence).map_err(|error| Fault::Unreadable {
            what: format!("evidence of {}", C::KIND),
            reason: error.to_string(),
        })?;
        let passes = matches!(verdict, Verdict::Pass(_));
        Ok(Measured { keep: passes || !self.time_explains(&evidence), evidence: stored, verdict, lacks })
    }

    fn parameters(&self) -> &dyn Any {
        self
    }

    fn judge_stored(&self, evidence: &serde_json::Value) -> Result<Verdict, serde_json::Error> {
        Ok(self.judge(&C::Evidence::deserialize(evidence)?))
    }
}

/// The parameters of a check as they stand in `lesson.toml`.
pub type Parameters<'a> = toml::de::ValueDeserializer<'a>;

/// A kind of check in the registry. [`register!`](crate::register) makes one.
pub struct Kind {
    /// The kind's name.
    pub name: &'static str,
    /// Reads its parameters.
    pub parse: fn(Parameters<'_>) -> Result<Box<dyn AnyCheck>, toml::de::Error>,
    /// The JSON Schema of its parameters, with everything where it is used.
    pub schema: fn() -> schemars::Schema,
    /// See [`Check::MANNER`].
    pub manner: Manner,
}

inventory::collect!(Kind);

impl Kind {
    /// The registry entry of a kind.
    #[must_use]
    pub const fn of<C: Check>() -> Self {
        Self {
            name: C::KIND,
            parse: |parameters| Ok(Box::new(C::deserialize(parameters)?)),
            schema: || schema_generator().into_root_schema_for::<C>(),
            manner: C::MANNER,
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|kind| kind.name == name)
    }

    /// Every kind.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Self>.into_iter()
    }
}

/// Makes schemas (draft 2020-12) in which everything stands where it is used: editors and the
/// reference then need not follow references.
#[must_use]
pub fn schema_generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator()
}

/// Puts a kind of check into the registry. Each file in `checks/` calls it once.
#[macro_export]
macro_rules! register {
    ($check:ty) => {
        inventory::submit! { $crate::check::Kind::of::<$check>() }
    };
}
