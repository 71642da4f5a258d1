//! Building an engine: every problem is reported at once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use crate::dispatch::DispatchConfig;
use crate::event::EventPayload;
use crate::id::XidSource;
use crate::observe::Observer;
use crate::retry::Policy;
use crate::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, Store};
use crate::transport::Transport;

use super::catalogue::Catalogue;
use super::clock::{Clock, SystemClock};
use super::crowd::Crowd;
use super::engine::Engine;
use super::entropy::{Entropy, draw};
use super::error::BuildError;
use super::secrets::Reveal;
use super::shared::Shared;
use super::subscriptions::Subscriptions;
use super::timekeeper::Timekeeper;

const DEFAULT_MAX_PAYLOAD: usize = 256 * 1024;
const DEFAULT_GRACE: Duration = Duration::from_secs(25);

/// Collects an engine's parts. A store and a transport are all that is needed.
#[derive(Debug)]
pub struct EngineBuilder {
    store: Arc<dyn Store>,
    directory: Arc<dyn EndpointDirectory>,
    admin: Arc<dyn EndpointAdmin>,
    log: Arc<dyn DeliveryLog>,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    entropy: Option<Arc<dyn Entropy>>,
    observer: Option<Arc<dyn Observer>>,
    config: DispatchConfig,
    max_payload: usize,
    grace: Duration,
    reveal: Reveal,
    catalogue: Catalogue,
    problems: Vec<String>,
    #[cfg(any(test, feature = "testing"))]
    inline: Option<tokio::sync::Mutex<()>>,
}

impl EngineBuilder {
    pub(crate) fn new<S>(store: S) -> Self
    where
        S: Store + EndpointDirectory + EndpointAdmin + DeliveryLog,
    {
        let store = Arc::new(store);
        let directory: Arc<dyn EndpointDirectory> = Arc::clone(&store) as _;
        let admin: Arc<dyn EndpointAdmin> = Arc::clone(&store) as _;
        let log: Arc<dyn DeliveryLog> = Arc::clone(&store) as _;
        Self::from_parts(store, directory, admin, log)
    }

    pub(crate) fn from_parts(
        store: Arc<dyn Store>,
        directory: Arc<dyn EndpointDirectory>,
        admin: Arc<dyn EndpointAdmin>,
        log: Arc<dyn DeliveryLog>,
    ) -> Self {
        Self {
            store,
            directory,
            admin,
            log,
            transport: None,
            clock: Arc::new(SystemClock::new()),
            entropy: default_entropy(),
            observer: None,
            config: DispatchConfig::default(),
            max_payload: DEFAULT_MAX_PAYLOAD,
            grace: DEFAULT_GRACE,
            reveal: Reveal::Never,
            catalogue: Catalogue::default(),
            problems: Vec::new(),
            #[cfg(any(test, feature = "testing"))]
            inline: None,
        }
    }

    /// All of the dispatcher's numbers.
    #[cfg(test)]
    pub(crate) fn dispatch(mut self, config: DispatchConfig) -> Self {
        self.config = config;
        self
    }

    /// A publish sends what is due before it returns.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn deliver_inline(mut self) -> Self {
        self.inline = Some(tokio::sync::Mutex::default());
        self
    }

    /// How requests are made. Required.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// The policy of endpoints that have none of their own. Default: the contract's.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.config.policy = policy;
        self
    }

    /// Attempts at once over all endpoints, at least 1. Default: 256.
    #[must_use]
    pub const fn max_in_flight(mut self, attempts: u32) -> Self {
        self.config.max_in_flight = attempts;
        self
    }

    /// Attempts at once to one endpoint, at least 1. Default: 8.
    #[must_use]
    pub const fn per_endpoint(mut self, attempts: u32) -> Self {
        self.config.per_endpoint = attempts;
        self
    }

    /// The largest envelope in bytes. Default: 256 KiB.
    #[must_use]
    pub const fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// How long a stop may take in all, the last writes included. Default: 25 s.
    #[must_use]
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Registers an event type, with its example, in the catalogue.
    #[must_use]
    pub fn event_type<P: EventPayload>(mut self) -> Self {
        if let Err(problem) = self.catalogue.add::<P>() {
            self.problems.push(problem);
        }
        self
    }

    /// Refuses to publish types that are not registered.
    #[must_use]
    pub const fn only_registered_event_types(mut self) -> Self {
        self.catalogue.close();
        self
    }

    /// Lets [`Endpoints::reveal_secret`](super::Endpoints::reveal_secret) show a secret again. Off by default: then a
    /// secret is shown when it is made, and never after.
    #[must_use]
    pub const fn reveal_secrets(mut self) -> Self {
        self.reveal = Reveal::Audited;
        self
    }

    /// Hears what happens.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Another clock: for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Another source of randomness. Required without the feature `os-rng`.
    #[must_use]
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Some(Arc::new(entropy));
        self
    }

    /// The engine. Nothing runs until [`Engine::run`] is polled.
    ///
    /// # Errors
    /// All problems at once, each with what to do.
    pub fn build(mut self) -> Result<Engine, BuildError> {
        if self.config.max_in_flight == 0 || self.config.per_endpoint == 0 {
            self.problems.push("no attempts at once: use at least 1 for max_in_flight and per_endpoint".into());
        }
        if let Err(invalid) = self.config.policy.check() {
            self.problems.push(format!("policy: {invalid}"));
        }
        if self.max_payload == 0 {
            self.problems.push("max_payload is 0: no event would fit".into());
        }
        let node = self.entropy.as_ref().and_then(|entropy| {
            let drawn = draw::<8>(&**entropy);
            drawn.map_err(|error| self.problems.push(format!("entropy gives no randomness: {error}"))).ok()
        });
        if self.entropy.is_none() {
            self.problems.push("no entropy: turn the feature os-rng on, or call .entropy(..)".into());
        }
        if self.transport.is_none() {
            self.problems.push("no transport: call .transport(HttpTransport::new()?)".into());
        }
        let (Some(transport), Some(entropy), Some(node), true) =
            (self.transport, self.entropy, node, self.problems.is_empty())
        else {
            return Err(BuildError { problems: self.problems });
        };
        let [n0, n1, n2, n3, n4, c0, c1, c2] = node;
        let time = Timekeeper::new(self.clock.wall(), self.clock.monotonic());
        Ok(Engine::new(Shared {
            store: self.store,
            directory: self.directory,
            admin: self.admin,
            log: self.log,
            transport,
            clock: self.clock,
            entropy,
            observer: self.observer,
            config: self.config,
            max_payload: self.max_payload,
            grace: self.grace,
            reveal: self.reveal,
            catalogue: self.catalogue,
            xids: XidSource::new([n0, n1, n2, n3, n4], u32::from_be_bytes([0, c0, c1, c2])),
            time: Mutex::new(time),
            subscriptions: Mutex::new(Subscriptions::default()),
            dispatcher: Mutex::new(None),
            inbox: Mutex::default(),
            bell: Notify::new(),
            crowd: Crowd::default(),
            #[cfg(any(test, feature = "testing"))]
            inline: self.inline,
        }))
    }
}

#[cfg(feature = "os-rng")]
#[expect(clippy::unnecessary_wraps, reason = "without os-rng there is none")]
fn default_entropy() -> Option<Arc<dyn Entropy>> {
    Some(Arc::new(super::entropy::OsEntropy))
}

#[cfg(not(feature = "os-rng"))]
fn default_entropy() -> Option<Arc<dyn Entropy>> {
    None
}
