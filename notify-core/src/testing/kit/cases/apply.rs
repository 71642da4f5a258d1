//! S6 to S8: fenced writes and the log that goes with them.

use super::super::sample::delivered;
use super::{Done, Subject};

pub(crate) async fn a_change_writes_the_row_and_its_attempt_together(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let change = delivered(&store.claim_one(0, 1).await, 1, 5);
    store.applied(std::slice::from_ref(&change)).await;
    assert_eq!(store.load("e", "a").await.as_stored(), change.next());
    assert_eq!(store.attempts("e", "a").await?, change.attempts());
    Ok(())
}
