//! What a host may choose.

use std::time::Duration;

use crate::{OpenError, RedisStore};

/// What publish waits for. A claim and a settle wait for the server's memory alone: losing one repeats an attempt,
/// losing a publish loses an event.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Durability {
    /// The server has it in memory; its append-only file decides what survives a crash.
    #[default]
    Memory,
    /// The server's append-only file is on its disk (`WAITAOF 1 0`). Needs Redis 7.2.
    LocalFsync,
    /// So many replicas have it in memory (`WAIT`).
    Replicas(u8),
    /// So many replicas have it on their disks (`WAITAOF 0 n`). Needs Redis 7.2.
    ReplicaFsync(u8),
}

/// What to do about a server that may evict keys.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Eviction {
    /// Refuse it: it would drop deliveries without a word.
    #[default]
    Refuse,
    /// Warn: for a server that this host does not rule.
    Tolerate,
}

/// Settings of a [`RedisStore`].
#[derive(Clone)]
#[must_use]
pub struct RedisBuilder {
    pub(crate) url: String,
    pub(crate) namespace: String,
    pub(crate) shards: Option<u16>,
    pub(crate) durability: Durability,
    pub(crate) eviction: Eviction,
    #[cfg(feature = "tls")]
    pub(crate) tls: crate::tls::Tls,
    pub(crate) response_timeout: Duration,
    pub(crate) patience: Duration,
}

impl std::fmt::Debug for RedisBuilder {
    /// Without the URL, which may hold a password, and without certificates and keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisBuilder")
            .field("namespace", &self.namespace)
            .field("shards", &self.shards)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}

impl RedisBuilder {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            namespace: "notify".to_owned(),
            shards: None,
            durability: Durability::default(),
            eviction: Eviction::default(),
            #[cfg(feature = "tls")]
            tls: crate::tls::Tls::default(),
            response_timeout: Duration::from_secs(5),
            patience: Duration::from_secs(5),
        }
    }

    /// What the store's keys begin with, so that several stores share a server: 1 to 64 of `A-Za-z0-9_.-`. Default:
    /// `notify`.
    pub fn namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// Over how many hash slots the tenants are spread; at least 1. Fixed once a namespace exists. Default: what the
    /// namespace has, else 16 on a cluster and 1 anywhere else.
    pub fn shards(mut self, shards: u16) -> Self {
        self.shards = Some(shards.max(1));
        self
    }

    /// What publish waits for. Default: [`Durability::Memory`].
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// What to do about a server that may evict keys. Default: [`Eviction::Refuse`].
    pub const fn eviction(mut self, eviction: Eviction) -> Self {
        self.eviction = eviction;
        self
    }

    /// Trusts the certificates in this PEM as roots, and none but these: for a server whose certificate no public
    /// authority has signed. Default: Mozilla's roots. For `rediss` URLs alone.
    #[cfg(feature = "tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.roots = Some(pem.into());
        self
    }

    /// Shows this client certificate to the server (mutual TLS): PEM of the certificate and its intermediates, in this
    /// order, and PEM of its private key (PKCS#8, PKCS#1 or SEC1). For `rediss` URLs alone.
    #[cfg(feature = "tls")]
    pub fn client_certificate(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.tls.identity = Some(crate::tls::Identity { chain: chain.into(), key: key.into() });
        self
    }

    /// How long one command may take before the connection counts as lost. Default: 5 s.
    pub const fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// For how long a call, and the first connection, is tried again after lost connections and answers such as
    /// `LOADING` or `TRYAGAIN`, before it is answered `Unavailable`. Default: 5 s.
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Connects, and prepares the namespace.
    ///
    /// # Errors
    /// See [`OpenError`].
    ///
    /// # Cancel safety
    /// A dropped call may have marked the namespace as ours; it may be repeated.
    pub async fn connect(self) -> Result<RedisStore, OpenError> {
        RedisStore::connect_with(self).await
    }
}
