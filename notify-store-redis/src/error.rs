//! Why a store was not opened, and what a server's answer means for the caller.

use notify_core::store::{Operation, StoreError};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// A store that could not be opened: a variant for each thing a host can do. Nothing of a refused server is changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL is none of the kinds that the store knows, or the feature for its kind is off.
    #[error("redis url is not usable: {problem} (NTF-REDIS-URL)")]
    Url {
        /// What is wrong with it; never the URL itself, which may hold a password.
        problem: &'static str,
    },
    /// A certificate or key for TLS cannot be used.
    #[error("redis {field} is not usable: {problem} (NTF-REDIS-TLS)")]
    Tls {
        /// The builder's method that it was given to.
        field: &'static str,
        /// What is wrong with it; never what it says.
        problem: &'static str,
    },
    /// TLS needs a crypto provider for the whole process, and which one is the host's choice. Install it before the
    /// store is opened: `rustls::crypto::ring::default_provider().install_default()`, or that of `aws_lc_rs`.
    #[error(
        "redis over TLS needs a crypto provider: call rustls::crypto::ring::default_provider().install_default(), or \
         that of aws_lc_rs, at the start of the program (NTF-REDIS-PROVIDER)"
    )]
    NoCryptoProvider,
    /// Nobody answered there, or the answer was an error.
    #[error("redis cannot be reached (NTF-REDIS-CONNECT)")]
    Connect {
        /// What the client says.
        source: RedisError,
    },
    /// The server is older than Redis 7.0 and Valkey 7.2.
    #[error("redis {found} is too old: redis 7.0 or valkey 7.2 is needed (NTF-REDIS-OLD)")]
    TooOld {
        /// The server's version.
        found: String,
    },
    /// The server may drop keys that unfinished deliveries need. Set `maxmemory-policy noeviction`, or see
    /// [`Eviction::Tolerate`](crate::Eviction::Tolerate).
    #[error("redis may evict deliveries: its maxmemory_policy is {policy}, noeviction is needed (NTF-REDIS-EVICTS)")]
    Evicts {
        /// The server's policy.
        policy: String,
    },
    /// A newer release has written this namespace.
    #[error("redis namespace has layout {found}, this version of notify knows up to {known} (NTF-SCHEMA-NEWER)")]
    NewerLayout {
        /// The stored version.
        found: u32,
        /// The newest version this release knows.
        known: u32,
    },
    /// The namespace was made with another number of shards, which cannot be changed.
    #[error("redis namespace has {found} shards, not {asked} (NTF-REDIS-SHARDS)")]
    Shards {
        /// What is stored.
        found: u16,
        /// What the builder says.
        asked: u16,
    },
    /// The server cannot give the durability that was asked for.
    #[error("redis cannot wait for {level}: {problem} (NTF-REDIS-DURABILITY)")]
    Durability {
        /// Which level.
        level: &'static str,
        /// Why.
        problem: &'static str,
    },
    /// The namespace has a character that would change which keys lie together.
    #[error("redis namespace must be 1 to 64 of A-Za-z0-9_.- (NTF-REDIS-NAMESPACE)")]
    Namespace,
}

impl From<RedisError> for OpenError {
    fn from(source: RedisError) -> Self {
        Self::Connect { source }
    }
}

/// What to do about a server's error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cure {
    /// The script is unknown there: send its text.
    SendScript,
    /// Try again on a new connection.
    Reconnect,
    /// Try again a little later.
    Wait,
    /// Memory is used up.
    Full,
    /// Trying again does not help.
    None,
}

/// Judges an error by its kind and code.
pub(crate) fn cure(error: &RedisError) -> Cure {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::NoScript) => Cure::SendScript,
        // A former primary: whoever leads now is found by connecting again.
        ErrorKind::Server(ServerErrorKind::ReadOnly) => Cure::Reconnect,
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask,
        ) => Cure::Wait,
        ErrorKind::Io
        | ErrorKind::ClusterConnectionNotFound
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel => Cure::Reconnect,
        _ => by_code(error),
    }
}

/// Errors that the client has no kind for; inside a script the code is part of the text.
fn by_code(error: &RedisError) -> Cure {
    let text = error.to_string();
    let says = |words: &[&str]| words.iter().any(|word| error.code() == Some(word) || text.contains(word));
    if says(&["NOSCRIPT"]) {
        Cure::SendScript
    } else if says(&["OOM"]) {
        Cure::Full
    } else if says(&["READONLY", "UNBLOCKED"]) {
        Cure::Reconnect
    } else if says(&["BUSY", "LOADING", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "non local key"]) {
        Cure::Wait
    } else if error.is_connection_dropped() {
        Cure::Reconnect
    } else {
        Cure::None
    }
}

/// The store's error for a server's, once trying again is over.
pub(crate) fn store_error(operation: Operation, error: RedisError) -> StoreError {
    match cure(&error) {
        Cure::Full => StoreError::Full { operation },
        Cure::SendScript | Cure::Reconnect | Cure::Wait | Cure::None => StoreError::unavailable(operation, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: &str) -> RedisError {
        redis::make_extension_error(code.to_owned(), Some("in words".to_owned()))
    }

    #[test]
    fn a_full_server_is_full_and_a_loading_one_is_unavailable() {
        let full = store_error(Operation::Insert, answer("OOM"));
        assert!(matches!(full, StoreError::Full { .. }), "{full:?}");
        let loading = store_error(Operation::Insert, answer("LOADING"));
        assert!(matches!(loading, StoreError::Unavailable { .. }), "{loading:?}");
    }

    #[test]
    fn each_answer_has_its_cure() {
        for (code, expected) in [
            ("NOSCRIPT", Cure::SendScript),
            ("READONLY", Cure::Reconnect),
            ("LOADING", Cure::Wait),
            ("BUSY", Cure::Wait),
            ("TRYAGAIN", Cure::Wait),
            ("CLUSTERDOWN", Cure::Wait),
            ("MASTERDOWN", Cure::Wait),
            ("NOREPLICAS", Cure::Wait),
            ("OOM", Cure::Full),
            ("NOPERM", Cure::None),
            ("NOAUTH", Cure::None),
        ] {
            assert_eq!(cure(&answer(code)), expected, "{code}");
        }
    }
}
