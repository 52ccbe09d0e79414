//! Digests of many values.
//!
//! Owns: [`Key`], and how values are put together so that no two lists of values give the same
//! bytes. Must not: know what the values mean.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The digest of everything that something depends on, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(String);

impl Key {
    /// The key as a file name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Puts a key together, one named value after another.
pub struct Builder(Sha256);

impl Builder {
    /// A key of something; keys of different things are never the same.
    pub fn of(what: &str) -> Self {
        Self(Sha256::new()).with("of", what)
    }

    /// Adds a value under a name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        for bytes in [name.as_bytes(), value.as_ref()] {
            self.0.update((bytes.len() as u64).to_le_bytes());
            self.0.update(bytes);
        }
        self
    }

    /// Adds an ordered list under a name.
    #[must_use]
    pub fn with_all<V: AsRef<[u8]>>(self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        values.into_iter().fold(self.with("list", name), |builder, value| builder.with(name, value))
    }

    /// The key.
    pub fn key(self) -> Key {
        Key(hex::encode(self.0.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_value_ends_and_the_next_begins_counts() {
        let key = |values: [&str; 2]| Builder::of("x").with_all("v", values).key();
        assert_ne!(key(["ab", "c"]), key(["a", "bc"]));
        assert_eq!(key(["ab", "c"]), key(["ab", "c"]));
        assert_ne!(Builder::of("x").with("a", "b").key(), Builder::of("x").with("b", "a").key());
    }
}
