//! **Unstable**: types of crates before 1.0. They change with those crates, in any release of this one.

pub use rustls::crypto::CryptoProvider;

/// What the receivers of [`testing`](crate::testing) are made of.
#[cfg(feature = "testing")]
pub use rustls::ServerConfig;
