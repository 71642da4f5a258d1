//! Changes that a person makes: a delivery that has ended is opened again, an open one is cancelled.

use crate::delivery::{Delivery, State};
use crate::id::ChangeId;
use crate::machine::{Change, Gate, cancel, resend};
use crate::store::ApplyOutcome;

use super::super::sample::{delivered, delivery, t};
use super::{Done, Subject, answer};

fn resent(row: &Delivery, id: u128, now: i64) -> Change {
    resend(row, Gate::Open, t(now), ChangeId::new(id)).unwrap_or_else(|refused| panic!("{refused}"))
}

/// A delivery of `e` to `a` that was delivered at 5.
async fn ended(store: &Subject) -> Delivery {
    store.holds(&["e"], &["a"]).await;
    store.deliver_all(5, 1).await;
    store.load("e", "a").await
}

pub(crate) async fn an_ended_row_that_is_opened_again_is_claimed_in_its_next_round(store: &mut Subject) -> Done {
    let row = ended(store).await;
    store.applied(&[resent(&row, 7, 100)]).await;
    assert!(store.claim(99, 2).await.claimed.is_empty());
    let row = store.claim_one(100, 3).await;
    assert_eq!((row.as_stored().round.get(), row.as_stored().lost_leases), (2, 0));
    Ok(())
}

pub(crate) async fn a_round_goes_on_with_the_numbers_and_the_log_of_the_one_before(store: &mut Subject) -> Done {
    let row = ended(store).await;
    store.applied(&[resent(&row, 7, 100)]).await;
    let row = store.claim_one(100, 3).await;
    store.applied(&[delivered(&row, 8, 110)]).await;
    let rounds: Vec<(u32, u32)> =
        store.attempts("e", "a").await?.iter().map(|attempt| (attempt.number.get(), attempt.round.get())).collect();
    assert_eq!(rounds, [(1, 1), (2, 2)]);
    Ok(())
}

pub(crate) async fn an_ended_row_that_is_opened_again_counts_and_stays_as_an_open_one(store: &mut Subject) -> Done {
    let row = ended(store).await;
    store.applied(&[resent(&row, 7, 100)]).await;
    assert_eq!(answer("prune", store.log()?.prune(t(1_000_000), 10).await).events, 0);
    let stats = answer("stats", store.log()?.stats(None, t(100)).await);
    assert_eq!(stats.by_state.into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>(), [(State::Scheduled, 1)]);
    assert_eq!(stats.oldest_due, Some(t(100)));
    Ok(())
}

pub(crate) async fn an_ended_row_that_is_opened_while_its_endpoint_is_disabled_is_held(store: &mut Subject) -> Done {
    let row = ended(store).await;
    let change = resend(&row, Gate::Disabled, t(100), ChangeId::new(7)).unwrap_or_else(|refused| panic!("{refused}"));
    store.applied(&[change]).await;
    assert!(store.claim(100, 2).await.claimed.is_empty());
    assert_eq!(store.sweep("a", crate::store::SweepAction::Release, 100, 10).await, 1);
    store.claim_one(100, 3).await;
    Ok(())
}

pub(crate) async fn of_two_resends_of_one_row_the_second_is_stale(store: &mut Subject) -> Done {
    let row = ended(store).await;
    let outcomes = store.apply(&[resent(&row, 7, 100), resent(&row, 8, 100)]).await;
    assert!(matches!(outcomes[..], [ApplyOutcome::Applied, ApplyOutcome::Stale { .. }]), "{outcomes:?}");
    assert_eq!(store.load("e", "a").await.as_stored().round.get(), 2);
    Ok(())
}

pub(crate) async fn a_row_that_was_cancelled_by_hand_is_never_claimed(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.load("e", "a").await;
    let change = cancel(&row, t(5), ChangeId::new(7)).unwrap_or_else(|refused| panic!("{refused}"));
    store.applied(&[change]).await;
    let batch = store.claim(1_000_000, 2).await;
    assert_eq!((batch.claimed.len(), batch.next_ready_at), (0, None));
    assert_eq!(store.loads(&[delivery("e", "a")]).await[0].state(), State::Cancelled);
    Ok(())
}
