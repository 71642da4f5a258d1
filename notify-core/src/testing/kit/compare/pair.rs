//! Both stores, and what the calls so far have led to.

use std::fmt::Debug;
use std::sync::Arc;

use crate::delivery::{Delivery, ResponseClass, Start};
use crate::endpoint::Endpoint;
use crate::event::EventKey;
use crate::fanout::delivery_id;
use crate::id::{DeliveryId, Version};
use crate::machine::{Change, Gate};
use crate::store::{
    ClaimBatch, ClaimRequest, DeliveryLog, DeliveryQuery, EndpointAdmin, EndpointDirectory, EndpointQuery, EventQuery,
    MemoryStore, Page, PageRequest, PublishedEvent, Store,
};

use super::super::OpenedStore;
use super::super::sample::{self, batch, named, t, token};
use super::super::subject::{Subject, answer};
use super::call::{Birth, Call, ENDPOINTS, EVENTS, Fate, Publish, TENANTS, Write};

/// Above all that a sequence makes, so that which rows come first decides nothing.
const ALL: u32 = 1_000;
const LEASE: i64 = 20_000;
const PAGE: u32 = 7;

#[derive(Debug)]
pub(super) struct Pair {
    store: Subject,
    model: MemoryStore,
    now: i64,
    /// Numbers tokens and changes.
    last: u128,
    /// The last claim that got rows.
    last_claim: Option<ClaimRequest>,
    leased: Vec<Delivery>,
    changes: Vec<Change>,
}

impl Pair {
    pub(super) fn new(opened: Box<dyn OpenedStore>) -> Self {
        let (model, leased, changes) = (MemoryStore::new(), Vec::new(), Vec::new());
        Self { store: Subject::new(opened), model, now: 0, last: 0, last_claim: None, leased, changes }
    }

    pub(super) async fn make(&mut self, call: Call) {
        match call {
            Call::Pass(millis) => self.now += millis,
            Call::Publish(events) => self.publish(events).await,
            Call::Claim { excluded } => self.claim(&excluded).await,
            Call::ClaimAgain => self.claim_again().await,
            Call::Settle(fates) => self.settle(&fates).await,
            Call::SettleAgain(index) => {
                if !self.changes.is_empty() {
                    let change = self.changes[index % self.changes.len()].clone();
                    self.apply(vec![change]).await;
                }
            }
            Call::Sweep(tenant, endpoint, action) => {
                let request = sample::sweep(&endpoint_name(tenant, endpoint), action, self.now, ALL);
                let answers = (self.store.store().sweep(&request).await, self.model.sweep(&request).await);
                same("sweep", answer("sweep", answers.0), answer("sweep", answers.1));
            }
            Call::Attach { tenant, event, endpoint, start } => {
                let key = key(tenant, event);
                let new = [sample::new_delivery(&key, &endpoint_name(tenant, endpoint), self.start(start))];
                let answers = (self.store.store().attach(&key, &new).await, self.model.attach(&key, &new).await);
                same("attach", answers.0.ok(), answers.1.ok());
            }
            Call::Prune(age) => {
                let before = t(self.now - age);
                if let Ok(log) = self.store.log() {
                    let answers = (log.prune(before, ALL).await, self.model.prune(before, ALL).await);
                    same("prune", answer("prune", answers.0), answer("prune", answers.1));
                }
            }
            Call::Endpoint(tenant, endpoint, write) => self.write_endpoint(tenant, endpoint, write).await,
            Call::Read => self.read_all().await,
        }
    }

    async fn publish(&mut self, events: Vec<Publish>) {
        let events: Vec<PublishedEvent> = events.into_iter().map(|event| self.published(event)).collect();
        let batch = batch(self.now, events);
        let answers = (self.store.store().insert(&batch).await, self.model.insert(&batch).await);
        same("insert", answer("insert", answers.0), answer("insert", answers.1));
    }

    fn published(&mut self, publish: Publish) -> PublishedEvent {
        let Publish { tenant, event, content, key: idempotency_key, deliveries } = publish;
        let key = key(tenant, event);
        let mut published = sample::event_of(key.tenant.as_str(), key.id.as_str(), content, &[], 0);
        if let Some(n) = idempotency_key {
            published = sample::with_key(published, &format!("k{n}"));
        }
        if event % 3 == 2 {
            published = sample::as_test(published);
        }
        for (endpoint, start) in deliveries {
            let start = self.start(start);
            published.deliveries.push(sample::new_delivery(&key, &endpoint_name(tenant, endpoint), start));
        }
        published
    }

    fn start(&mut self, birth: Birth) -> Start {
        match birth {
            Birth::Due(after) => Start::Due(t(self.now + after)),
            Birth::Held(after) => Start::Held(t(self.now + after)),
            Birth::Leased(after) => Start::Leased { token: token(self.next()), until: t(self.now + after) },
        }
    }

    const fn next(&mut self) -> u128 {
        self.last += 1;
        self.last
    }

    async fn claim(&mut self, excluded: &[usize]) {
        let mut busy: Vec<_> = excluded.iter().map(|n| (named(&endpoint_name(n % TENANTS, n / TENANTS)), 0)).collect();
        busy.sort_unstable();
        busy.dedup();
        let free = crate::store::Free { default: ALL, busy };
        let (now, lease_until, token) = (t(self.now), t(self.now + LEASE), token(self.next()));
        let request = ClaimRequest { now, lease_until, token, limit: ALL, free };
        let claimed = self.claims(&request).await;
        if !claimed.is_empty() {
            self.last_claim = Some(request);
        }
        self.leased.extend(claimed);
    }

    async fn claim_again(&mut self) {
        // What a token is good for once its lease has ended is not said.
        if let Some(mut request) = self.last_claim.clone().filter(|claim| t(self.now) < claim.lease_until) {
            request.now = t(self.now);
            self.claims(&request).await;
        }
    }

    async fn claims(&self, request: &ClaimRequest) -> Vec<Delivery> {
        let answers = (self.store.store().claim(request).await, self.model.claim(request).await);
        let (mut store, mut model) = (answer("claim", answers.0), answer("claim", answers.1));
        for batch in [&mut store, &mut model] {
            batch.claimed.sort_by_key(|row| row.delivery.id());
        }
        // S5 lets a store say an earlier time, as long as that is no hot loop.
        let early = store.next_ready_at.is_some_and(|at| at > request.now)
            && model.next_ready_at.is_some_and(|at| at > request.now);
        if early && store.next_ready_at < model.next_ready_at {
            store.next_ready_at = model.next_ready_at;
        }
        same("claim", store.clone(), model);
        let ClaimBatch { claimed, .. } = store;
        claimed.into_iter().map(|row| row.delivery).collect()
    }

    async fn settle(&mut self, fates: &[(usize, Fate)]) {
        if self.leased.is_empty() {
            return;
        }
        let mut changes = Vec::new();
        for (index, fate) in fates {
            let (id, now) = (self.next(), self.now);
            // An old row now and then: its change is stale.
            let row = &self.leased[index % self.leased.len()];
            changes.push(match fate {
                Fate::Delivered => sample::delivered(row, id, now),
                Fate::Failed => sample::failed(row, id, now),
                Fate::Refused => sample::refused(row, id, now),
                Fate::HandedBack => sample::handed_back(row, id, now),
                Fate::Disabled => sample::stopped(row, id, now, Gate::Disabled),
                Fate::Gone => sample::stopped(row, id, now, Gate::Gone),
            });
        }
        self.apply(changes).await;
    }

    async fn apply(&mut self, changes: Vec<Change>) {
        let answers = (self.store.store().apply(&changes).await, self.model.apply(&changes).await);
        same("apply", answer("apply", answers.0), answer("apply", answers.1));
        self.changes.extend(changes);
    }

    async fn write_endpoint(&self, tenant: usize, endpoint: usize, write: Write) {
        let Ok(admin) = self.store.admin() else { return };
        let id = named(&endpoint_name(tenant, endpoint));
        let owner = named(tenant_name(tenant));
        let found = |endpoints: Vec<Option<Arc<Endpoint>>>| endpoints.into_iter().next().flatten();
        match write {
            Write::Create => {
                let new = Endpoint { tenant: owner, ..sample::endpoint(&endpoint_name(tenant, endpoint)) };
                answer("create", admin.create(&new).await);
                answer("create", self.model.create(&new).await);
            }
            Write::Replace(behind) => {
                let known = found(answer("get", self.model.get(std::slice::from_ref(&id)).await));
                let mut next = known.map_or_else(
                    || Endpoint { tenant: owner, ..sample::endpoint(&endpoint_name(tenant, endpoint)) },
                    |known| Endpoint::clone(&known),
                );
                let expected = Version::new(next.version.get().saturating_sub(behind));
                next.version = next.version.next();
                next.updated_at = t(self.now);
                next.description = format!("written at {}", self.now);
                let answers = (admin.replace(expected, &next).await, self.model.replace(expected, &next).await);
                same("replace", answer("replace", answers.0), answer("replace", answers.1));
            }
            Write::Disable => {
                let disabled = sample::disabled(self.now);
                let answers =
                    (self.store.directory().disable(&id, &disabled).await, self.model.disable(&id, &disabled).await);
                same("disable", answer("disable", answers.0), answer("disable", answers.1));
            }
            Write::Delete => {
                let at = t(self.now);
                let answers =
                    (admin.delete(&owner, &id, at).await, EndpointAdmin::delete(&self.model, &owner, &id, at).await);
                same("delete", answer("delete", answers.0), answer("delete", answers.1));
            }
        }
    }

    /// All that there can be is the same in both.
    pub(super) async fn read_all(&self) {
        let ids = all_ids();
        let mut rows = (self.store.loads(&ids).await, answer("load", self.model.load(&ids).await));
        rows.0.sort_by_key(Delivery::id);
        rows.1.sort_by_key(Delivery::id);
        same("load", rows.0, rows.1);
        for tenant in 0..TENANTS {
            if let Ok(log) = self.store.log() {
                same("log", seen(&*log, tenant, &ids).await, seen(&self.model, tenant, &ids).await);
            }
            if let Ok(admin) = self.store.admin() {
                let directory = self.store.directory();
                let store = endpoints(&*directory, &*admin, tenant).await;
                same("endpoints", store, endpoints(&self.model, &self.model, tenant).await);
            }
        }
    }
}

/// What a tenant's log shows, in an order that does not depend on the store.
async fn seen(log: &dyn DeliveryLog, tenant: usize, ids: &[DeliveryId]) -> impl PartialEq + Debug + use<> {
    let owner = named(tenant_name(tenant));
    let (mut events, mut rows) = (Vec::new(), Vec::new());
    let mut page = PageRequest { after: None, limit: PAGE };
    loop {
        let query = EventQuery { tenant: named(tenant_name(tenant)), page, ..EventQuery::default() };
        let Page { items, next } = answer("events", log.events(&query).await);
        events.extend(items);
        page.after = next;
        if next.is_none() {
            break;
        }
    }
    loop {
        let query = DeliveryQuery { tenant: named(tenant_name(tenant)), page, ..DeliveryQuery::default() };
        let Page { items, next } = answer("deliveries", log.deliveries(&query).await);
        rows.extend(items);
        page.after = next;
        if next.is_none() {
            break;
        }
    }
    // One class a look, so that random calls do not take six times as long.
    let class = Some(ResponseClass::ALL[rows.len() % ResponseClass::ALL.len()]);
    let mut of_class = Vec::new();
    page.after = None;
    loop {
        let query = DeliveryQuery { tenant: named(tenant_name(tenant)), class, page, ..DeliveryQuery::default() };
        let Page { items, next } = answer("deliveries", log.deliveries(&query).await);
        of_class.extend(items.iter().map(Delivery::id));
        page.after = next;
        if next.is_none() {
            break;
        }
    }
    of_class.sort_unstable();
    events.sort_by(|a, b| a.event.key.cmp(&b.event.key));
    events.iter_mut().for_each(|record| record.deliveries.sort_by_key(Delivery::id));
    rows.sort_by_key(Delivery::id);
    let mut attempts = Vec::new();
    for id in ids {
        attempts.push(answer("attempts", log.attempts(id).await));
    }
    let stats = answer("stats", log.stats(Some(&owner), t(0)).await);
    let counts: Vec<_> = stats.by_state.into_iter().filter(|(_, count)| *count > 0).collect();
    (events, rows, of_class, attempts, counts, stats.oldest_due)
}

/// A tenant's endpoints.
async fn endpoints(
    directory: &dyn EndpointDirectory,
    admin: &dyn EndpointAdmin,
    tenant: usize,
) -> impl PartialEq + Debug + use<> {
    let owner = named(tenant_name(tenant));
    let page = PageRequest { after: None, limit: 100 };
    let listed = answer("list", admin.list(&EndpointQuery { tenant: named(tenant_name(tenant)), page }).await).items;
    let ids: Vec<_> = (0..ENDPOINTS).map(|n| named(&endpoint_name(tenant, n))).collect();
    let read = answer("get", directory.get(&ids).await);
    let mut subscribed = answer("subscribed", directory.subscribed(&owner, &named("a.b")).await);
    subscribed.sort_by(|a, b| a.id.cmp(&b.id));
    (listed, read, subscribed)
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "answers are compared once and read no more")]
fn same<T: PartialEq + Debug>(what: &str, store: T, model: T) {
    assert!(store == model, "{what}: the store answers\n  {store:?}\nand the model\n  {model:?}");
}

const fn tenant_name(tenant: usize) -> &'static str {
    ["default", "other"][tenant % TENANTS]
}

fn endpoint_name(tenant: usize, endpoint: usize) -> String {
    format!("{}-{}", ["a", "b", "c"][endpoint % ENDPOINTS], tenant_name(tenant))
}

fn key(tenant: usize, event: usize) -> EventKey {
    EventKey { tenant: named(tenant_name(tenant)), id: named(&format!("e{event}")) }
}

/// Every delivery that a sequence can make.
fn all_ids() -> Vec<DeliveryId> {
    let keys = (0..TENANTS).flat_map(|tenant| (0..EVENTS).map(move |event| (tenant, key(tenant, event))));
    keys.flat_map(|(tenant, key)| {
        (0..ENDPOINTS).map(move |endpoint| delivery_id(&key, &named(&endpoint_name(tenant, endpoint))))
    })
    .collect()
}
