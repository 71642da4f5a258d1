//! From names to addresses.

use std::fmt::Debug;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::guard::{NameKind, name_kind};

/// Looks names up. Asked once for each new connection; the answers are judged by the transport, all of them.
///
/// # Cancel safety
/// The transport drops a look-up that outlives its time.
#[async_trait]
pub trait Resolve: Debug + Send + Sync + 'static {
    /// The addresses of `name`, which is lower-case ASCII without a final dot and never an address itself.
    ///
    /// # Errors
    /// The name has no address, or nobody could say. An error that carries an operating-system code for exhausted
    /// resources counts as the sender's own fault.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver (`getaddrinfo`), at most 32 look-ups at a time.
///
/// Public names are asked as absolute names, so no search domain and no line of `/etc/hosts` can complete or replace
/// them; names of the inside (`localhost`, single labels), which the transport lets through only where ranges are
/// opened, are asked as they are, and so are those of
/// [`allow_host`](crate::HttpTransportBuilder::allow_host).
#[derive(Clone, Debug)]
pub struct SystemResolver {
    // getaddrinfo holds a thread of the blocking pool and cannot be cancelled: a dead name server must not take
    // the whole pool away from the host.
    lookups: Arc<Semaphore>,
    as_they_are: Arc<[Box<str>]>,
}

const MAX_LOOKUPS: usize = 32;

impl SystemResolver {
    /// A resolver with its own 32 places.
    #[must_use]
    pub fn new() -> Self {
        Self { lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)), as_they_are: Arc::new([]) }
    }

    /// The same, with these names asked as they are.
    pub(crate) fn asking_as_they_are(self, names: &[Box<str>]) -> Self {
        Self { as_they_are: names.into(), ..self }
    }

    fn is_absolute(&self, name: &str) -> bool {
        name_kind(name) == NameKind::Ordinary && !self.as_they_are.iter().any(|listed| **listed == *name)
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let place = Arc::clone(&self.lookups).acquire_owned().await.map_err(io::Error::other)?;
        let asked = if self.is_absolute(name) { format!("{name}.") } else { name.to_owned() };
        // A task of its own, so that the place stays taken until the thread is really free.
        let lookup = tokio::spawn(async move {
            let _place = place;
            let answers = tokio::net::lookup_host((asked, 0)).await?;
            Ok(answers.map(|answer| answer.ip()).collect())
        });
        lookup.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_names_are_asked_as_absolute_ones_and_those_of_the_inside_or_allowed_as_they_are() {
        let resolver = SystemResolver::new().asking_as_they_are(&["billing.example.com".into()]);
        for (name, is_absolute) in [
            ("hooks.example.com", true),
            ("x.billing.example.com", true),
            ("billing.example.com", false),
            ("localhost", false),
            ("redis", false),
            ("db.corp.internal", false),
        ] {
            assert_eq!(resolver.is_absolute(name), is_absolute, "{name}");
        }
    }
}
