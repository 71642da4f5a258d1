//! S13: rows that cannot be read.

use super::super::sample::{event, rows};
use super::{Done, Subject};

pub(crate) async fn an_unreadable_row_is_returned_as_corrupt(store: &mut Subject) -> Done {
    store.holds(&["bad"], &["a"]).await;
    store.corrupt("bad", "a").await?;
    let batch = store.claim(0, 1).await;
    assert_eq!((rows(&batch), batch.corrupt.len()), (vec![], 1));
    assert!(!batch.corrupt[0].record.is_empty() && !batch.corrupt[0].problem.is_empty(), "{:?}", batch.corrupt);
    Ok(())
}

pub(crate) async fn an_unreadable_row_does_not_block_its_endpoint(store: &mut Subject) -> Done {
    store.holds(&["bad"], &["a"]).await;
    store.publish(event("good", 0, &["a"], 5)).await;
    store.corrupt("bad", "a").await?;
    assert_eq!(rows(&store.claim(10, 1).await), ["good/a"]);
    Ok(())
}

pub(crate) async fn an_unreadable_row_does_not_block_other_endpoints(store: &mut Subject) -> Done {
    store.holds(&["bad"], &["a"]).await;
    store.publish(event("good", 0, &["b"], 5)).await;
    store.corrupt("bad", "a").await?;
    assert_eq!(rows(&store.claim(10, 1).await), ["good/b"]);
    Ok(())
}

pub(crate) async fn with_one_row_a_claim_an_unreadable_one_does_not_block_the_next(store: &mut Subject) -> Done {
    store.holds(&["bad"], &["a"]).await;
    store.publish(event("good", 0, &["a"], 5)).await;
    store.corrupt("bad", "a").await?;
    let mut got = Vec::new();
    // The first claim may have its hands full with the unreadable row.
    for n in 1..=3 {
        got.extend(rows(&store.claim_up_to(1, 10, n).await));
    }
    assert_eq!(got, ["good/a"]);
    Ok(())
}

pub(crate) async fn an_unreadable_row_is_not_handed_out_again(store: &mut Subject) -> Done {
    store.holds(&["bad"], &["a"]).await;
    store.corrupt("bad", "a").await?;
    assert_eq!(store.claim(0, 1).await.corrupt.len(), 1);
    let again = store.claim(10_000, 2).await;
    assert_eq!((rows(&again), again.corrupt), (vec![], vec![]));
    assert_eq!(again.next_ready_at, None, "it makes no hot loop");
    Ok(())
}

pub(crate) async fn several_unreadable_rows_are_each_named(store: &mut Subject) -> Done {
    store.holds(&["x", "y", "good"], &["a"]).await;
    store.corrupt("x", "a").await?;
    store.corrupt("y", "a").await?;
    let (mut got, mut corrupt) = (Vec::new(), Vec::new());
    for n in 1..=3 {
        let batch = store.claim(10, n).await;
        got.extend(rows(&batch));
        corrupt.extend(batch.corrupt.into_iter().map(|found| found.record));
    }
    corrupt.sort_unstable();
    corrupt.dedup();
    assert_eq!((got, corrupt.len()), (vec!["good/a".to_owned()], 2));
    Ok(())
}

pub(crate) async fn an_unreadable_row_stops_no_other_from_being_settled(store: &mut Subject) -> Done {
    store.holds(&["bad", "good"], &["a"]).await;
    store.corrupt("bad", "a").await?;
    store.deliver_all(0, 1).await;
    assert_eq!(store.load("good", "a").await.state(), crate::delivery::State::Delivered);
    Ok(())
}
