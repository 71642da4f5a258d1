//! The connection breaks at every command that a call makes: before it arrives, and after it was carried out.

use std::fmt::Debug;

use notify_core::delivery::Start;
use notify_core::id::Version;
use notify_core::store::{
    ApplyOutcome, DeliveryLog as _, EndpointAdmin as _, EndpointDirectory as _, Store as _, StoreError, SweepAction,
};
use notify_core::testing::kit::sample::{
    self, LEASE, batch, claim, delivered, delivery, disabled, endpoint, event, event_of, failed, key, named,
    new_delivery, rows, sweep, t, with_key,
};
use notify_core::{Endpoint, TenantId};
use notify_store_redis::RedisStore;
use notify_test_servers::{Cut, CuttingProxy, RedisServer, require};

use crate::world::{Contents, TENANTS, assert_indexes_agree, claim_all, open, repeated};

/// No call of these tests makes so many commands: a cut that is armed there was never reached.
const MANY: u64 = 200;

/// What becomes of the call that was cut.
#[derive(Clone, Copy, Debug)]
enum Caller {
    /// It calls again until it is answered.
    Repeats,
    /// It is gone.
    Dies,
}

/// Breaks the connection of `act` at every command, and calls `check` with a store that nobody cuts.
async fn at_every_cut<T: Debug>(
    shards: u16,
    caller: Caller,
    setup: impl AsyncFn(&RedisStore) -> T,
    act: impl AsyncFn(&RedisStore, &T) -> Result<(), StoreError>,
    check: impl AsyncFn(&RedisStore, &str),
) {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let proxy = CuttingProxy::start(&server.address());
    let mut cuts = 0;
    for (word, cut) in [("command", Cut::Command as fn(u64) -> Cut), ("reply", Cut::Reply)] {
        for number in 1.. {
            assert!(number < MANY, "more commands than a call can make");
            let case = format!("{word}{number}");
            let direct = open(&server.url(), &case, shards).await;
            let prepared = setup(&direct).await;
            let through = open(&proxy.url(), &case, shards).await;
            proxy.arm(cut(number));
            match caller {
                Caller::Repeats => repeated(async || act(&through, &prepared).await).await,
                Caller::Dies => drop(act(&through, &prepared).await),
            }
            drop(through);
            let missed = proxy.disarm();
            check(&direct, &case).await;
            assert_indexes_agree(&direct).await;
            if missed {
                break;
            }
            cuts += 1;
        }
    }
    assert!(cuts >= 2, "nothing was cut");
}

/// The call, cut anywhere and repeated, leaves what it leaves when nothing is cut.
async fn repeats_to_the_same<T: Debug>(
    setup: impl AsyncFn(&RedisStore) -> T,
    act: impl AsyncFn(&RedisStore, &T) -> Result<(), StoreError>,
) {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    for shards in [1, 3] {
        let uncut = open(&server.url(), &format!("uncut{shards}"), shards).await;
        let prepared = setup(&uncut).await;
        act(&uncut, &prepared).await.unwrap();
        let expected = Contents::of(&uncut).await;
        at_every_cut(shards, Caller::Repeats, &setup, &act, async |store, case| {
            assert_eq!(Contents::of(store).await, expected, "{shards} shards, cut at {case}");
        })
        .await;
    }
}

/// Two events for four endpoints, of which three are in the first.
async fn two_events(store: &RedisStore) {
    for name in ["ep_1", "ep_2", "ep_3", "ep_4"] {
        store.create(&endpoint(name)).await.unwrap();
    }
    let events = vec![event("evt_1", 1, &["ep_1", "ep_2", "ep_3"], 0), event("evt_2", 2, &["ep_1", "ep_4"], 0)];
    store.insert(&batch(0, events)).await.unwrap();
}

async fn two_events_leased(store: &RedisStore) {
    two_events(store).await;
    assert_eq!(store.claim(&claim(0, 1)).await.unwrap().claimed.len(), 5);
}

#[tokio::test]
async fn an_insert_that_is_cut_and_repeated_stores_each_event_once() {
    repeats_to_the_same(two_events, async |store, ()| {
        let more = vec![
            with_key(event("evt_3", 3, &["ep_1", "ep_2", "ep_3", "ep_4"], 5), "key"),
            event("evt_1", 1, &["ep_1", "ep_2", "ep_3"], 0),
            event("evt_4", 4, &[], 0),
        ];
        store.insert(&batch(1, more)).await.map(drop)
    })
    .await;
}

/// Tenants live in shards of their own, so such a batch is written in several steps.
#[tokio::test]
async fn a_batch_of_several_tenants_that_is_cut_and_repeated_stores_each_event_once() {
    repeats_to_the_same(two_events, async |store, ()| {
        let events = TENANTS.map(|tenant| event_of(tenant, "evt_9", 9, &["ep_1", "ep_2"], 5)).to_vec();
        store.insert(&batch(1, events)).await.map(drop)
    })
    .await;
}

/// A crash between two commands of an insert leaves no event that lacks a delivery.
#[tokio::test]
async fn an_insert_that_is_cut_and_never_repeated_is_there_with_all_its_deliveries_or_not_at_all() {
    const ENDPOINTS: [&str; 4] = ["ep_1", "ep_2", "ep_3", "ep_4"];
    const LATER: i64 = 120_000;
    for shards in [1, 3] {
        at_every_cut(
            shards,
            Caller::Dies,
            two_events,
            async |store, ()| store.insert(&batch(1, vec![event("evt_3", 3, &ENDPOINTS, 1)])).await.map(drop),
            async |store, case| {
                let claimed = claim_all(store, claim(LATER, 0), 100).await;
                let mut rows: Vec<String> = claimed.iter().flat_map(rows).collect();
                rows.retain(|row| row.starts_with("evt_3"));
                rows.sort_unstable();
                let record = store.event(&key("evt_3")).await.unwrap();
                let all = ENDPOINTS.map(|endpoint| format!("evt_3/{endpoint}"));
                let expected: &[String] = if record.is_some() { &all } else { &[] };
                assert_eq!(rows, expected, "{shards} shards, cut at {case}");
                assert_eq!(record.map_or(0, |record| record.deliveries.len()), expected.len(), "cut at {case}");
            },
        )
        .await;
    }
}

#[tokio::test]
async fn a_claim_that_is_cut_and_repeated_gets_the_same_rows_and_leases_no_more() {
    repeats_to_the_same(two_events, async |store, ()| {
        let mut request = claim(0, 1);
        request.limit = 3;
        let claimed = store.claim(&request).await?;
        assert_eq!(claimed.claimed.len(), 3);
        Ok(())
    })
    .await;
}

/// C29: what is due was moved in two steps elsewhere, and was lost between them.
#[tokio::test]
async fn what_a_worker_claimed_that_died_at_any_command_is_claimed_again_when_its_lease_ends() {
    for shards in [1, 3] {
        at_every_cut(
            shards,
            Caller::Dies,
            two_events,
            async |store, ()| store.claim(&claim(0, 1)).await.map(drop),
            async |store, case| {
                let claimed = claim_all(store, claim(LEASE, 0), 100).await;
                let mut again: Vec<String> = claimed.iter().flat_map(rows).collect();
                again.sort_unstable();
                let all = ["evt_1/ep_1", "evt_1/ep_2", "evt_1/ep_3", "evt_2/ep_1", "evt_2/ep_4"];
                assert_eq!(again, all, "{shards} shards, cut at {case}");
            },
        )
        .await;
    }
}

#[tokio::test]
async fn changes_that_are_cut_and_repeated_are_applied_once_and_logged_once() {
    let setup = async |store: &RedisStore| {
        two_events_leased(store).await;
        let ids = ["ep_1", "ep_2", "ep_3"].map(|endpoint| delivery("evt_1", endpoint));
        let mut leased = store.load(&ids).await.unwrap();
        leased.sort_by_key(|row| row.endpoint().to_string());
        vec![delivered(&leased[0], 1, 10), failed(&leased[1], 2, 20), sample::handed_back(&leased[2], 3, 30)]
    };
    repeats_to_the_same(setup, async |store, changes| {
        assert_eq!(store.apply(changes).await?, [ApplyOutcome::Applied; 3]);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn deliveries_that_are_attached_over_a_cut_are_there_once() {
    repeats_to_the_same(two_events, async |store, ()| {
        let more = ["ep_1", "ep_3", "ep_4"].map(|endpoint| new_delivery(&key("evt_2"), endpoint, Start::Due(t(7))));
        store.attach(&key("evt_2"), &more).await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_sweep_that_is_cut_and_repeated_moves_each_row_once() {
    for action in [SweepAction::Hold, SweepAction::Cancel] {
        repeats_to_the_same(two_events, async |store, ()| store.sweep(&sweep("ep_1", action, 5, 10)).await.map(drop))
            .await;
    }
    let held = async |store: &RedisStore| {
        two_events(store).await;
        store.sweep(&sweep("ep_1", SweepAction::Hold, 5, 10)).await.unwrap();
    };
    repeats_to_the_same(held, async |store, ()| {
        store.sweep(&sweep("ep_1", SweepAction::Release, 6, 10)).await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_is_written_over_a_cut_is_written_once() {
    repeats_to_the_same(two_events, async |store, ()| store.create(&endpoint("ep_5")).await).await;
    repeats_to_the_same(two_events, async |store, ()| {
        let next = Endpoint { name: named("renamed"), version: Version::FIRST.next(), ..endpoint("ep_1") };
        store.replace(Version::FIRST, &next).await.map(drop)
    })
    .await;
    repeats_to_the_same(two_events, async |store, ()| store.disable(&named("ep_1"), &disabled(5)).await.map(drop))
        .await;
    repeats_to_the_same(two_events, async |store, ()| {
        store.delete(&TenantId::default(), &named("ep_1"), t(5)).await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_prune_that_is_cut_and_repeated_removes_what_has_ended_and_nothing_else() {
    let setup = async |store: &RedisStore| {
        two_events_leased(store).await;
        let ids = ["ep_1", "ep_2", "ep_3"].map(|endpoint| delivery("evt_1", endpoint));
        let changes: Vec<_> =
            (10..).zip(store.load(&ids).await.unwrap()).map(|(id, row)| delivered(&row, id, 10)).collect();
        assert_eq!(store.apply(&changes).await.unwrap(), [ApplyOutcome::Applied; 3]);
    };
    repeats_to_the_same(setup, async |store, ()| store.prune(t(1_000), 10).await.map(drop)).await;
}

#[tokio::test]
async fn what_is_read_over_a_cut_is_what_is_there() {
    repeats_to_the_same(two_events_leased, async |store, ()| {
        assert_eq!(store.load(&[delivery("evt_1", "ep_1"), delivery("evt_2", "ep_4")]).await?.len(), 2);
        assert!(store.event(&key("evt_1")).await?.is_some());
        assert!(store.get(&[named("ep_1")]).await?[0].is_some());
        Ok(())
    })
    .await;
}
