//! Which store is measured.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A store and how it is set. In JSON: `"store":"memory"`, `"store":"redis"`, or `"store":"sqlite","sync":"full"`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "store", rename_all = "lowercase")]
pub enum Storage {
    /// `MemoryStore`.
    Memory,
    /// `SqliteStore`, on a file of its own.
    Sqlite {
        /// When a commit is durable.
        sync: Sync,
    },
    /// `RedisStore`, on a server of its own whose append-only file is synced every second.
    Redis,
}

/// SQLite's `synchronous` setting.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sync {
    /// Survives a crash of the process; the last commits may be lost with the power.
    Normal,
    /// Survives the loss of power.
    Full,
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Sqlite { sync: Sync::Normal } => "sqlite normal",
            Self::Sqlite { sync: Sync::Full } => "sqlite full",
            Self::Redis => "redis",
        })
    }
}
