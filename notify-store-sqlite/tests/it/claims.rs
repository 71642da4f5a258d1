//! Claims, where the shape of the tables decides: many endpoints, several handles, damaged rows.

use notify_core::store::Store;
use notify_store_sqlite::SqliteStore;

use crate::support::*;

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
