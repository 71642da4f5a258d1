//! A batch over several shards whose writer is gone between two of them.

use notify_core::TenantId;
use notify_core::event::EventKey;
use notify_core::store::{DeliveryLog as _, InsertOutcome, Inserted, PublishBatch, Store as _};
use notify_core::testing::kit::sample::{batch, claim, event_of, named, rows};
use notify_store_redis::RedisStore;
use notify_test_servers::{Cut, CuttingProxy, RedisServer, require};

use crate::world::{TENANTS, assert_indexes_agree, claim_all, open, wait_until};

/// From when on a batch is no longer left to its writer.
const LATER: i64 = 30_000;

fn one_event_each() -> PublishBatch {
    batch(0, TENANTS.map(|tenant| event_of(tenant, "evt_1", 1, &["ep_1", "ep_2"], 0)).to_vec())
}

/// How many of the batch's events are there, each with all its deliveries.
async fn there(store: &RedisStore) -> usize {
    let mut there = 0;
    for tenant in TENANTS {
        let key = EventKey { tenant: named::<TenantId>(tenant), id: named("evt_1") };
        if let Some(record) = store.event(&key).await.unwrap() {
            assert_eq!(record.deliveries.len(), 2, "{tenant}");
            there += 1;
        }
    }
    there
}

fn notes(server: &RedisServer, namespace: &str) -> Vec<String> {
    let begins = format!("{{{namespace}:");
    let noted = |key: &String| key.starts_with(&begins) && (key.contains("}:b:") || key.ends_with("}:begun"));
    server.keys().into_iter().filter(noted).collect()
}

/// Inserts the batch over a connection that breaks there, by a writer that is gone then: its answer, unless it is.
async fn insert_and_die(
    server: &RedisServer,
    proxy: &CuttingProxy,
    namespace: &str,
    cut: Cut,
) -> Option<InsertOutcome> {
    open(&server.url(), namespace, 3).await;
    let writer = open(&proxy.url(), namespace, 3).await;
    let insert = one_event_each();
    proxy.arm_for_good(cut);
    let answer = tokio::select! {
        answer = writer.insert(&insert) => Some(answer.unwrap()),
        () = wait_until("the cut", async || proxy.has_ended()) => None,
    };
    drop(writer);
    assert_eq!(proxy.disarm(), answer.is_some(), "{namespace}: it is answered where nothing was cut");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_cut_between_two_shards_and_never_repeated_is_finished_by_another_engine_s_claims() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let proxy = CuttingProxy::start(&server.address());
    let mut in_part = 0;
    for (word, cut) in [("command", Cut::Command as fn(u64) -> Cut), ("reply", Cut::Reply)] {
        for number in 1.. {
            let case = format!("{word}{number}");
            let answer = insert_and_die(&server, &proxy, &case, cut(number)).await;
            let store = open(&server.url(), &case, 3).await;
            let left = there(&store).await;
            in_part += usize::from(left > 0 && left < TENANTS.len());

            let early = claim_all(&store, claim(LATER - 1, 0), 100).await;
            assert_eq!(there(&store).await, left, "{case}: it is left to its writer for a while");
            assert_eq!(early.iter().flat_map(rows).count(), 2 * left, "{case}");

            let late = claim_all(&store, claim(LATER + 1_000, 0), 200).await;
            let whole = there(&store).await;
            assert!(
                whole == TENANTS.len() || whole == 0 && left == 0 && answer.is_none(),
                "{case}: {left}, then {whole}"
            );
            assert_eq!(late.iter().flat_map(rows).count(), 2 * whole, "{case}");
            assert_eq!(notes(&server, &case), Vec::<String>::new(), "{case}");
            assert_indexes_agree(&store).await;

            let InsertOutcome::Stored(again) = store.insert(&one_event_each()).await.unwrap() else { panic!("{case}") };
            let known = again.iter().filter(|answer| matches!(answer, Inserted::Duplicate { .. })).count();
            assert_eq!(known, whole, "{case}");
            if answer.is_some() {
                break;
            }
        }
    }
    assert!(in_part >= 2, "no cut left a part");
}

/// What cannot be finished yet is kept, and does not keep claims from what they can have.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_a_full_server_refuses_to_finish_is_finished_once_there_is_room() {
    let Some(server) = require(RedisServer::start(&[])) else { return };
    let proxy = CuttingProxy::start(&server.address());
    let mut number = 0;
    let store = loop {
        number += 1;
        let case = format!("full{number}");
        let answer = insert_and_die(&server, &proxy, &case, Cut::Command(number)).await;
        let store = open(&server.url(), &case, 3).await;
        if (1..TENANTS.len()).contains(&there(&store).await) {
            break store;
        }
        assert!(answer.is_none(), "no cut left a part");
    };
    let left = there(&store).await;
    let () = server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    let claimed = claim_all(&store, claim(LATER, 0), 100).await;
    assert_eq!((claimed.iter().flat_map(rows).count(), there(&store).await), (2 * left, left));
    assert!(!notes(&server, &format!("full{number}")).is_empty());
    let () = server.run(&["CONFIG", "SET", "maxmemory", "0"]);
    claim_all(&store, claim(2 * LATER, 0), 200).await;
    assert_eq!(there(&store).await, TENANTS.len());
    assert_eq!(notes(&server, &format!("full{number}")), Vec::<String>::new());
}
