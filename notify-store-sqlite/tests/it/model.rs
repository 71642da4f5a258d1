//! The same random calls to this store and to the memory store have the same answers.

use notify_core::delivery::{Delivery, Start, State};
use notify_core::event::EventKey;
use notify_core::id::{ClaimToken, IdempotencyKey};
use notify_core::machine::{Change, Gate, Input};
use notify_core::store::{
    ClaimRequest, DeliveryLog, DeliveryQuery, EventQuery, Free, PublishBatch, Store, SweepAction, SweepRequest,
};
use notify_core::{MemoryStore, NewEvent, TenantId};
use notify_store_sqlite::SqliteStore;

use crate::support::*;

const STEPS: usize = 300;

#[tokio::test]
async fn random_calls_have_the_answers_of_the_memory_store() {
    // One seed after the other, or the one of `NOTIFY_SEED=7 cargo test -p notify-store-sqlite random_calls`.
    let seeds = match std::env::var("NOTIFY_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (1..=12).collect(),
    };
    for seed in seeds {
        Pair::new(seed).run().await;
    }
}

/// Both stores, and what the calls so far have led to.
struct Pair {
    random: Random,
    seed: u64,
    step: usize,
    now: i64,
    sqlite: SqliteStore,
    memory: MemoryStore,
    leased: Vec<Delivery>,
    changes: Vec<Change>,
    events: Vec<EventKey>,
}

impl Pair {
    fn new(seed: u64) -> Self {
        Self {
            random: Random(seed),
            seed,
            step: 0,
            now: 0,
            sqlite: SqliteStore::open_in_memory().unwrap(),
            memory: MemoryStore::new(),
            leased: vec![],
            changes: vec![],
            events: vec![],
        }
    }

    async fn run(mut self) {
        for step in 0..STEPS {
            self.step = step;
            // Sometimes backwards.
            self.now += i64::from(self.random.below(20_000)) - 2_000;
            match self.random.below(10) {
                0..=2 => self.insert().await,
                3..=4 => self.claim().await,
                5..=6 => self.apply().await,
                7 => self.sweep().await,
                8 => self.attach().await,
                _ => self.read().await,
            }
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "answers are compared once and read no more")]
    fn same<T: PartialEq + std::fmt::Debug>(&self, what: &str, sqlite: T, memory: T) {
        assert_eq!(sqlite, memory, "sqlite, memory: {what} in step {} of NOTIFY_SEED={}", self.step, self.seed);
    }

    fn start(&mut self) -> Start {
        let millis = self.now + i64::from(self.random.below(10_000)) - 5_000;
        match self.random.below(4) {
            0 => leased(u128::from(self.random.below(1_000)) + 1_000_000, millis),
            1 => Start::Held(at(millis)),
            _ => due(millis),
        }
    }

    async fn insert(&mut self) {
        let mut events = Vec::new();
        for _ in 0..=self.random.below(3) {
            let mut event = NewEvent::new(["a.b", "a.c"][self.random.index(2)], "1").unwrap();
            if self.random.below(4) == 0 {
                event = event.for_tenant("t2".parse().unwrap());
            }
            if self.random.below(4) == 0 {
                event = event.with_idempotency_key(&format!("k{}", self.random.below(8))).unwrap();
            }
            let deliveries: Vec<_> = (0..self.random.below(3))
                .map(|index| (format!("ep{index}-{}", event.tenant()), self.start()))
                .collect();
            let deliveries: Vec<_> = deliveries.iter().map(|(name, start)| (name.as_str(), *start)).collect();
            events.push(published(&event, &format!("e{}", self.random.below(60)), &deliveries));
            self.events.extend(events.last().map(|last| last.event.key.clone()));
        }
        let batch = PublishBatch { now: at(self.now), events };
        let keys: Vec<Option<&IdempotencyKey>> =
            batch.events.iter().map(|event| event.idempotency_key.as_ref()).collect();
        let answers = (self.sqlite.insert(&batch).await.unwrap(), self.memory.insert(&batch).await.unwrap());
        self.same(&format!("insert with {keys:?}"), answers.0, answers.1);
    }

    async fn claim(&mut self) {
        let default = [0, 1, 2, 100][self.random.index(4)];
        let busy = if self.random.below(2) == 0 { vec![] } else { vec![(endpoint_id("ep0-default"), 1)] };
        let request = ClaimRequest {
            now: at(self.now),
            lease_until: at(self.now + 20_000),
            // Repeated now and then.
            token: ClaimToken::new(u128::from(self.random.below(40))),
            limit: 1_000,
            free: Free { default, busy },
        };
        let (mut sqlite, mut memory) =
            (self.sqlite.claim(&request).await.unwrap(), self.memory.claim(&request).await.unwrap());
        // In which order the endpoints take turns is the store's own affair.
        sqlite.claimed.sort_by_key(|row| row.delivery.id());
        memory.claimed.sort_by_key(|row| row.delivery.id());
        self.leased.extend(sqlite.claimed.iter().map(|row| row.delivery.clone()));
        self.same("claim", sqlite, memory);
    }

    async fn apply(&mut self) {
        let mut changes = Vec::new();
        for id in 0..3_u128 {
            if self.leased.is_empty() {
                return;
            }
            // An old row now and then: its change is stale.
            let row = self.leased[self.random.index(self.leased.len())].clone();
            let id = (self.step as u128) << 8 | id;
            changes.push(match self.random.below(5) {
                0 => change(&row, Input::HandBack, self.now, id),
                1 => change(&row, Input::Start(Gate::Disabled), self.now, id),
                2 => refused(&row, self.now, id),
                _ => answered(&row, [200, 500][self.random.index(2)], self.now, id),
            });
        }
        if !self.changes.is_empty() && self.random.below(2) == 0 {
            changes.push(self.changes[self.random.index(self.changes.len())].clone());
        }
        let answers = (self.sqlite.apply(&changes).await.unwrap(), self.memory.apply(&changes).await.unwrap());
        self.same("apply", answers.0, answers.1);
        self.changes.extend(changes);
    }

    async fn sweep(&mut self) {
        let action = [SweepAction::Hold, SweepAction::Release, SweepAction::Cancel][self.random.index(3)];
        let endpoint = endpoint_id(["ep0-default", "ep1-default", "ep0-t2"][self.random.index(3)]);
        let request = SweepRequest { endpoint, action, now: at(self.now), limit: self.random.below(4) };
        let answers = (self.sqlite.sweep(&request).await.unwrap(), self.memory.sweep(&request).await.unwrap());
        self.same("sweep", answers.0, answers.1);
    }

    async fn attach(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let key = self.events[self.random.index(self.events.len())].clone();
        let start = self.start();
        let new = [new_delivery(&key, &format!("ep2-{}", key.tenant), start)];
        let answers = (self.sqlite.attach(&key, &new).await.ok(), self.memory.attach(&key, &new).await.ok());
        self.same("attach", answers.0, answers.1);
    }

    async fn read(&mut self) {
        let tenant: TenantId = ["default", "t2"][self.random.index(2)].parse().unwrap();
        let before = at(self.now - 60_000);
        let pruned = (self.sqlite.prune(before, 1_000).await.unwrap(), self.memory.prune(before, 1_000).await.unwrap());
        self.same("prune", pruned.0, pruned.1);
        let endpoint = [None, Some(endpoint_id(&format!("ep0-{tenant}")))][self.random.index(2)].clone();
        let mut events = EventQuery::default();
        events.tenant = tenant.clone();
        events.endpoint = endpoint.clone();
        events.page.limit = 1 + self.random.below(30);
        let pages = (self.sqlite.events(&events).await.unwrap(), self.memory.events(&events).await.unwrap());
        self.same("events", (pages.0.items, pages.0.next.is_some()), (pages.1.items, pages.1.next.is_some()));
        let mut deliveries = DeliveryQuery::default();
        deliveries.tenant = tenant.clone();
        deliveries.endpoint = endpoint;
        deliveries.state = [None, Some(State::Scheduled), Some(State::Held)][self.random.index(3)];
        deliveries.page.limit = 1 + self.random.below(30);
        let pages =
            (self.sqlite.deliveries(&deliveries).await.unwrap(), self.memory.deliveries(&deliveries).await.unwrap());
        for row in &pages.0.items {
            let attempts =
                (self.sqlite.attempts(&row.id()).await.unwrap(), self.memory.attempts(&row.id()).await.unwrap());
            self.same("attempts", attempts.0, attempts.1);
        }
        self.same("deliveries", (pages.0.items, pages.0.next.is_some()), (pages.1.items, pages.1.next.is_some()));
        for tenant in [None, Some(&tenant)] {
            let stats = (
                self.sqlite.stats(tenant, at(self.now)).await.unwrap(),
                self.memory.stats(tenant, at(self.now)).await.unwrap(),
            );
            let seen = |stats: notify_core::store::Stats| (stats.by_state, stats.oldest_due);
            self.same("stats", seen(stats.0), seen(stats.1));
        }
    }
}

/// SplitMix64: enough for choosing calls, and the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % u64::from(bound)) as u32
    }

    fn index(&mut self, bound: usize) -> usize {
        self.below(bound as u32) as usize
    }
}
