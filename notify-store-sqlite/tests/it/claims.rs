//! S2 to S5, S10, S13.

use notify_core::delivery::{Start, State};
use notify_core::id::{ClaimToken, Version};
use notify_core::store::{Free, Store};
use notify_store_sqlite::SqliteStore;

use crate::support::*;

#[tokio::test]
async fn a_row_is_claimable_if_and_only_if_it_is_open_and_its_time_has_come() {
    let store = SqliteStore::open_in_memory().unwrap();
    publish(&store, "due", &[("ep1", due(10))]).await;
    publish(&store, "later", &[("ep1", due(11))]).await;
    publish(&store, "held", &[("ep1", Start::Held(at(0)))]).await;
    publish(&store, "leased", &[("ep1", leased(9, 10))]).await;
    publish(&store, "leased-on", &[("ep1", leased(9, 12))]).await;
    let none = claim(&store, 9, 1, 10).await;
    assert_eq!((none.claimed.len(), none.next_ready_at), (0, Some(at(10))));
    let some = claim(&store, 10, 2, 10).await;
    assert_eq!(names(&some).iter().map(|(event, _)| event.as_str()).collect::<Vec<_>>(), ["due", "leased"]);
    assert_eq!(some.next_ready_at, Some(at(11)));
}

#[tokio::test]
async fn a_claim_leaves_the_row_that_delivery_claimed_says() {
    let store = SqliteStore::open_in_memory().unwrap();
    publish(&store, "e1", &[("ep1", leased(9, 10))]).await;
    let before = load(&store, "e1", "ep1").await;
    let got = claim(&store, 10, 1, 10).await;
    assert_eq!(got.claimed[0].delivery, before.claimed(ClaimToken::new(1), at(50_010)));
    let row = load(&store, "e1", "ep1").await;
    assert_eq!(row, got.claimed[0].delivery);
    assert_eq!((row.version(), row.as_stored().lost_leases), (Version::new(2), 1));
}

#[tokio::test]
async fn the_same_token_again_returns_the_same_rows_and_leases_no_more() {
    let (_dir, store) = in_file().await;
    for id in ["e1", "e2", "e3"] {
        publish(&store, id, &[("ep1", due(0))]).await;
    }
    let first = claim(&store, 0, 1, 2).await;
    let again = claim(&store, 1, 1, 2).await;
    assert_eq!(first.claimed.len(), 2);
    assert_eq!(again.claimed, first.claimed);
    // What was settled meanwhile is no longer leased under it.
    store.apply(&[answered(&first.claimed[0].delivery, 200, 2, 1)]).await.unwrap();
    assert_eq!(claim(&store, 3, 1, 2).await.claimed, first.claimed[1..]);
    assert_eq!(load(&store, "e3", "ep1").await.state(), State::Scheduled);
    // Once the lease has ended the token is forgotten, and the row is like any other.
    let late = claim(&store, 50_000, 1, 5).await;
    assert_eq!(late.claimed.len(), 2);
}

#[tokio::test]
async fn an_endpoint_never_gets_more_than_its_free_number_and_a_full_one_makes_no_hot_loop() {
    let store = SqliteStore::open_in_memory().unwrap();
    for index in 0..10 {
        publish(&store, &format!("a{index}"), &[("busy", due(index))]).await;
        publish(&store, &format!("b{index}"), &[("full", due(index))]).await;
    }
    publish(&store, "later", &[("other", due(500))]).await;
    let mut wanted = request(100, 1, 50);
    wanted.free = Free { default: 5, busy: vec![(endpoint_id("busy"), 3), (endpoint_id("full"), 0)] };
    let got = store.claim(&wanted).await.unwrap();
    assert_eq!(names(&got), ["a0", "a1", "a2"].map(|event| (event.to_owned(), "busy".to_owned())));
    // Seven rows of `busy` and ten of `full` are due, but there is no free number for them.
    assert_eq!(got.next_ready_at, Some(at(500)));
    wanted.token = ClaimToken::new(2);
    wanted.free.busy[0].1 = 1;
    wanted.limit = 1;
    let got = store.claim(&wanted).await.unwrap();
    assert_eq!(names(&got), [("a3".to_owned(), "busy".to_owned())]);
    assert_eq!(got.next_ready_at, Some(at(500)));
}

#[tokio::test]
async fn next_ready_at_is_now_while_eligible_rows_remain_and_none_when_nothing_is_open() {
    let store = SqliteStore::open_in_memory().unwrap();
    assert_eq!(claim(&store, 0, 1, 10).await.next_ready_at, None);
    publish(&store, "e1", &[("ep1", due(0)), ("ep2", due(0)), ("ep3", due(0))]).await;
    assert_eq!(claim(&store, 0, 2, 2).await.next_ready_at, Some(at(0)));
    let rest = claim(&store, 0, 3, 2).await;
    // All three are in flight: the next thing to happen is the end of a lease.
    assert_eq!((rest.claimed.len(), rest.next_ready_at), (1, Some(at(50_000))));
    for endpoint in ["ep1", "ep2", "ep3"] {
        let row = load(&store, "e1", endpoint).await;
        store.apply(&[answered(&row, 200, 1, 1)]).await.unwrap();
    }
    assert_eq!(claim(&store, 2, 4, 2).await.next_ready_at, None);
}

#[tokio::test]
async fn a_settled_lease_does_not_leave_a_wake_up_behind() {
    // The head of a queue is a lower bound: settling does not touch it, so the claim has to see through it.
    let store = SqliteStore::open_in_memory().unwrap();
    for index in 0..200 {
        let name = format!("ep{index}");
        publish(&store, &format!("e{index}"), &[(&name, leased(1, 1_000 + index))]).await;
        let row = load(&store, &format!("e{index}"), &name).await;
        store.apply(&[answered(&row, 200, 1, 1)]).await.unwrap();
    }
    publish(&store, "real", &[("ep7", due(9_000))]).await;
    let got = claim(&store, 5_000, 2, 10).await;
    assert_eq!((got.claimed.len(), got.next_ready_at), (0, Some(at(9_000))));
}

#[tokio::test]
async fn a_deep_backlog_does_not_starve_the_next_endpoint() {
    let store = SqliteStore::open_in_memory().unwrap();
    let event = notify_core::NewEvent::new("a.b", "1").unwrap();
    for part in 0..4 {
        let deep = (0..1000).map(|index| published(&event, &format!("deep{part}-{index}"), &[("deep", due(index))]));
        store.insert(&batch(deep.collect())).await.unwrap();
    }
    for index in 0..20 {
        publish(&store, &format!("small{index}"), &[(&format!("ep{index}"), due(2_000))]).await;
    }
    let mut deep = 0;
    let mut small = 0;
    for token in 1..=4 {
        for (_, endpoint) in names(&claim(&store, 5_000, token, 16).await) {
            *(if endpoint == "deep" { &mut deep } else { &mut small }) += 1;
        }
    }
    assert_eq!((deep, small), (64 - 20, 20));
}

#[tokio::test]
async fn a_lone_endpoint_fills_the_whole_claim_in_order() {
    let store = SqliteStore::open_in_memory().unwrap();
    for index in (0..20).rev() {
        publish(&store, &format!("e{index}"), &[("ep1", due(index))]).await;
    }
    let got = claim(&store, 100, 1, 15).await;
    let expected: Vec<_> = (0..15).map(|index| format!("e{index}")).collect();
    assert_eq!(names(&got).into_iter().map(|(event, _)| event).collect::<Vec<_>>(), expected);
    assert_eq!(got.next_ready_at, Some(at(100)));
}

#[tokio::test]
async fn one_row_is_found_behind_many_full_and_stale_endpoints() {
    // S4: at least one row if any is eligible. More endpoints are in the way than one step looks at.
    let store = SqliteStore::open_in_memory().unwrap();
    let mut wanted = request(10_000, 1, 1);
    for index in 0..150 {
        let name = format!("full{index:03}");
        publish(&store, &format!("f{index}"), &[(&name, due(index))]).await;
        wanted.free.busy.push((endpoint_id(&name), 0));
        let name = format!("stale{index:03}");
        publish(&store, &format!("s{index}"), &[(&name, leased(9, index))]).await;
        let row = load(&store, &format!("s{index}"), &name).await;
        store.apply(&[answered(&row, 200, 1, 1)]).await.unwrap();
    }
    publish(&store, "wanted", &[("last", due(9_999))]).await;
    let got = store.claim(&wanted).await.unwrap();
    assert_eq!(names(&got), [("wanted".to_owned(), "last".to_owned())]);
    assert_eq!(got.next_ready_at, Some(at(60_000)));
}

#[tokio::test]
async fn time_that_goes_backwards_is_harmless() {
    let store = SqliteStore::open_in_memory().unwrap();
    publish(&store, "e1", &[("ep1", due(100))]).await;
    assert_eq!(claim(&store, 200, 1, 1).await.claimed.len(), 1);
    let back = claim(&store, 50, 2, 1).await;
    assert_eq!((back.claimed.len(), back.next_ready_at), (0, Some(at(50_200))));
    assert_eq!(claim(&store, 50_200, 3, 1).await.claimed.len(), 1);
}

#[tokio::test]
async fn an_unreadable_row_is_named_once_and_blocks_nothing() {
    let (_dir, store) = in_file().await;
    for (id, time) in [("bad-token", 0), ("bad-type", 1), ("good", 2)] {
        publish(&store, id, &[("ep1", due(time))]).await;
    }
    let conn = outside(&store);
    conn.execute_batch(
        "PRAGMA ignore_check_constraints = ON;
         UPDATE delivery SET reason = 'no such reason' WHERE event = (SELECT id FROM event WHERE uid = 'bad-token');
         UPDATE event SET type = 'NO TYPE' WHERE uid = 'bad-type';",
    )
    .unwrap();
    let got = claim(&store, 10, 1, 1).await;
    assert_eq!(names(&got), [("good".to_owned(), "ep1".to_owned())]);
    let mut records: Vec<_> = got.corrupt.iter().map(|found| (found.record.clone(), found.problem.as_str())).collect();
    records.sort();
    let mut expected = vec![
        (delivery("bad-token", "ep1").to_string(), "reason is unknown"),
        (delivery("bad-type", "ep1").to_string(), "event type is malformed"),
    ];
    expected.sort();
    assert_eq!(records, expected);
    let again = claim(&store, 10, 2, 10).await;
    assert_eq!((again.claimed.len(), again.corrupt.len(), again.next_ready_at), (0, 0, Some(at(50_010))));
    assert_eq!(store.load(&[delivery("bad-token", "ep1"), delivery("good", "ep1")]).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_row_goes_to_two_claims_of_two_handles_on_one_file() {
    // C25: two workers selected the same row and both sent it.
    let (_dir, store) = in_file().await;
    let other = SqliteStore::open(store.path().unwrap()).await.unwrap();
    let event = notify_core::NewEvent::new("a.b", "1").unwrap();
    let events = (0..400).map(|index| published(&event, &format!("e{index}"), &[(["x", "y"][index % 2], due(0))]));
    store.insert(&batch(events.collect())).await.unwrap();
    let workers: Vec<_> = (0..8_u128)
        .map(|worker| {
            let store = if worker % 2 == 0 { store.clone() } else { other.clone() };
            tokio::spawn(async move {
                let mut got = Vec::new();
                for turn in 1.. {
                    let claimed = claim(&store, 0, worker * 1_000 + turn, 10).await.claimed;
                    if claimed.is_empty() {
                        return got;
                    }
                    let changes: Vec<_> = claimed.iter().map(|row| answered(&row.delivery, 200, 1, 1)).collect();
                    let outcomes = store.apply(&changes).await.unwrap();
                    assert!(outcomes.iter().all(|outcome| *outcome == notify_core::store::ApplyOutcome::Applied));
                    got.extend(claimed.into_iter().map(|row| row.delivery.id()));
                }
                got
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    let claims = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!((claims, all.len()), (400, 400));
}
