//! The handle itself: webhooks, scripts, time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::endpoint::NewEndpoint;
use crate::engine::{Engine, Round, RunError};
use crate::id::TenantId;
use crate::store::{DeliveryLog, EndpointAdmin, EndpointDirectory, EndpointQuery, MemoryStore, PageRequest, Store};
use crate::testing::{ManualClock, Reply, ScriptedTransport};
use crate::time::Timestamp;

use super::log::Time;
use super::report::Envelope;
use super::{TestNotifyBuilder, TestWebhook};

/// An engine in a test's hands: a store in memory (or any other), a clock that only the test moves, receivers that
/// answer by script, and assertions. No sockets, no sleeps. Clones are the same.
///
/// The host's code gets [`notify`](Self::notify) and is tested as it is. Nothing is sent until
/// [`run_due`](Self::run_due) or [`advance`](Self::advance); the code under test does not poll
/// [`Engine::run`] meanwhile. A request that no script answers fails the test, at the next call of this type or at
/// the end.
///
/// ```
/// use std::time::Duration;
/// use notify_core::testing::{TestNotify, in_minutes, status, timeout};
/// use notify_core::{ConnectionCreated, ConnectionUpdated, Engine};
/// # async fn connect(notify: &Engine, id: &str) -> Result<(), notify_core::engine::PublishError> {
/// #     let event = ConnectionCreated { connection_id: id.into(), user_id: None, status: None };
/// #     notify.publish(&event).await.map(drop)
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let t = TestNotify::new().await;
/// let crm = t.webhook("https://crm.test/hook").await;
/// t.respond(&crm, [status(503), timeout(), status(200)]);
///
/// connect(&t.notify(), "con_1").await?; // the host's code under test
///
/// t.assert_published::<ConnectionCreated>(|event| event.connection_id == "con_1");
/// t.refute_published::<ConnectionUpdated>();
/// assert_eq!(t.run_due().await.retried, 1);
/// t.assert_next_retry(&crm, in_minutes(5));
/// t.advance(Duration::from_secs(300)).await; // the second attempt, which times out after 30 s
/// t.assert_next_retry(&crm, in_minutes(30));
/// t.advance(in_minutes(30)).await;
/// t.assert_delivered(&crm).attempts(3).signed().body_json(serde_json::json!({ "connection_id": "con_1" }));
/// # Ok(())
/// # }
/// ```
///
/// Everything is seen through the eyes of one tenant, the default one; [`for_tenant`](Self::for_tenant) looks through
/// another's.
///
/// # Runtime
/// With the memory store and SQLite, `#[tokio::test]` is enough. A store whose connection lives on the runtime needs
/// `#[tokio::test(flavor = "multi_thread")]`, since assertions read the store and do not await. What is due runs on
/// one thread there too, so that attempts which begin together see one time.
#[derive(Clone)]
pub struct TestNotify {
    pub(super) hands: Arc<Hands>,
    pub(super) tenant: TenantId,
}

/// What all clones share.
pub(super) struct Hands {
    pub(super) engine: Engine,
    pub(super) transport: ScriptedTransport,
    clock: ManualClock,
    pub(super) began: Timestamp,
}

impl TestNotify {
    /// On a memory store of its own.
    pub async fn new() -> Self {
        Self::builder(MemoryStore::new()).build()
    }

    /// The same, but a publish delivers before it returns: for tests that do not care about time. Retries still wait
    /// for [`advance`](Self::advance).
    pub async fn inline() -> Self {
        Self::builder(MemoryStore::new()).inline().build()
    }

    /// On this store, which should be empty. The clock is the test's all the same, also where the store has one.
    pub async fn on<S>(store: S) -> Self
    where
        S: Store + EndpointDirectory + EndpointAdmin + DeliveryLog,
    {
        Self::builder(store).build()
    }

    /// Starts building one whose engine has the host's event types, policy or limits.
    ///
    /// ```
    /// use notify_core::testing::TestNotify;
    /// use notify_core::{ConnectionCreated, MemoryStore};
    ///
    /// let t = TestNotify::builder(MemoryStore::new())
    ///     .engine(|engine| engine.event_type::<ConnectionCreated>().only_registered_event_types())
    ///     .build();
    /// ```
    pub fn builder<S>(store: S) -> TestNotifyBuilder
    where
        S: Store + EndpointDirectory + EndpointAdmin + DeliveryLog,
    {
        TestNotifyBuilder::new(store)
    }

    pub(super) fn of(engine: Engine, transport: ScriptedTransport, clock: ManualClock) -> Self {
        let began = engine.now();
        Self { hands: Arc::new(Hands { engine, transport, clock, began }), tenant: TenantId::default() }
    }

    /// The engine, for the code under test.
    #[must_use]
    pub fn notify(&self) -> Engine {
        self.hands.engine.clone()
    }

    /// The same test through the eyes of another tenant: webhooks are registered for it, and assertions see its events.
    #[must_use]
    pub fn for_tenant(&self, tenant: TenantId) -> Self {
        Self { hands: Arc::clone(&self.hands), tenant }
    }

    /// The clock. Moved directly, it lets time pass in which nothing runs, as while the host is down.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.hands.clock
    }

    /// The transport, with all requests that were made.
    #[must_use]
    pub fn transport(&self) -> &ScriptedTransport {
        &self.hands.transport
    }

    /// Registers a webhook that gets every event.
    ///
    /// # Panics
    /// The URL is refused, or the store does not answer.
    pub async fn webhook(&self, url: &str) -> TestWebhook {
        self.register(NewEndpoint::new("test webhook", url)).await
    }

    /// Registers a webhook with event types, a secret or options of its own.
    ///
    /// # Panics
    /// A field is refused, or the store does not answer.
    pub async fn register(&self, new: NewEndpoint) -> TestWebhook {
        match self.hands.engine.endpoints().create(new.tenant(self.tenant.clone())).await {
            Ok(created) => TestWebhook::new(&created.endpoint),
            Err(error) => panic!("cannot register the webhook: {error}"),
        }
    }

    /// The webhook that the code under test registered at this URL.
    ///
    /// # Panics
    /// There is none, or the store does not answer.
    pub async fn registered(&self, url: &str) -> TestWebhook {
        let mut query = EndpointQuery { tenant: self.tenant.clone(), page: PageRequest { after: None, limit: 100 } };
        loop {
            let page = match self.hands.engine.endpoints().list(&query).await {
                Ok(page) => page,
                Err(error) => panic!("cannot list the webhooks: {error}"),
            };
            if let Some(endpoint) = page.items.iter().find(|endpoint| endpoint.url.as_str() == url) {
                return TestWebhook::new(endpoint);
            }
            query.page.after = page.next;
            assert!(query.page.after.is_some(), "no webhook is registered at {url}");
        }
    }

    /// The next answers of a webhook, in order, after those it has already. Webhooks at one URL share a script.
    pub fn respond(&self, webhook: &TestWebhook, replies: impl IntoIterator<Item = Reply>) {
        self.hands.transport.respond(webhook.url(), replies);
    }

    /// The answer of a webhook whenever no other is left.
    pub fn respond_always(&self, webhook: &TestWebhook, reply: Reply) {
        self.hands.transport.respond_always(webhook.url(), reply);
    }

    /// Sends what is due now, and says what became of it: over all tenants.
    ///
    /// # Panics
    /// A request had no scripted answer, the store does not answer, or the code under test polls `run`.
    pub async fn run_due(&self) -> Round {
        match self.hands.engine.run_in_order().await {
            Ok(round) => {
                self.hands.check_script();
                round
            }
            Err(error @ RunError::AlreadyRunning) => {
                panic!("cannot run what is due: {error}\n  hint: leave run to the test: t.run_due() and t.advance(..)")
            }
            Err(error) => panic!("cannot run what is due: {error}"),
        }
    }

    /// Lets time pass: everything that becomes due on the way runs at its time, and so does what is due at the end.
    ///
    /// # Panics
    /// As [`run_due`](Self::run_due).
    pub async fn advance(&self, by: Duration) -> Round {
        let end = self.hands.engine.now().saturating_add(by);
        let mut total = Round::default();
        let mut seen = None;
        while let Some(due) = self.next_due().await.filter(|due| *due <= end) {
            // What is still due at a time that has been run cannot be run: it must not keep the test for ever.
            if seen.replace(due) == Some(due) {
                break;
            }
            self.move_to(due);
            add(&mut total, self.run_due().await);
        }
        self.move_to(end);
        add(&mut total, self.run_due().await);
        total
    }

    /// The earliest time at which a scheduled delivery of any tenant is due.
    async fn next_due(&self) -> Option<Timestamp> {
        match self.hands.engine.history().stats(None).await {
            Ok(stats) => stats.oldest_due,
            Err(error) => panic!("the store does not answer: {error}"),
        }
    }

    fn move_to(&self, time: Timestamp) {
        self.hands.clock.advance(time.since(self.hands.engine.now()));
    }

    pub(super) fn time(&self) -> Time {
        Time { began: self.hands.began, now: self.hands.engine.now() }
    }
}

impl fmt::Debug for TestNotify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestNotify").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

impl Hands {
    #[track_caller]
    pub(super) fn check_script(&self) {
        let unscripted = self.transport.take_unscripted();
        let Some(first) = unscripted.first() else { return };
        let event = serde_json::from_slice::<Envelope<'_>>(&first.body).map_or("?", |envelope| envelope.event);
        let more = match unscripted.len() - 1 {
            0 => String::new(),
            count => format!(", and {count} more"),
        };
        let clock = Time { began: self.began, now: self.engine.now() }.clock();
        panic!(
            "unscripted request to {} for {event}{more} (test clock {clock})\n  hint: script its answer with \
             t.respond(&webhook, [status(200)]), or all of them with t.respond_always(&webhook, status(200))",
            first.url
        );
    }
}

impl Drop for Hands {
    /// A test that ends without another assertion must not miss a request that nobody expected.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check_script();
        }
    }
}

fn add(total: &mut Round, round: Round) {
    total.delivered += round.delivered;
    total.retried += round.retried;
    total.failed += round.failed;
    total.withheld += round.withheld;
}
