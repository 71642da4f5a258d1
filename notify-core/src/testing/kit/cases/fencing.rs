//! S6: who may write, and what a repeated change answers.

use crate::delivery::{Start, State};
use crate::id::Version;
use crate::store::ApplyOutcome::{Applied, Missing, Stale};
use crate::store::SweepAction;

use super::super::sample::{delivered, event, failed, handed_back, key, new_delivery, t, token};
use super::{Done, Subject};

pub(crate) async fn a_worker_that_lost_its_lease_writes_nothing(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let late = delivered(&store.claim_one(0, 1).await, 1, 5);
    let current = store.claim_one(1000, 2).await;
    assert_eq!(store.apply(&[late]).await, [Stale { current: Version::new(3) }]);
    assert_eq!(store.load("e", "a").await, current);
    Ok(())
}

pub(crate) async fn a_stale_change_logs_nothing(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let late = failed(&store.claim_one(0, 1).await, 1, 5);
    store.claim(1000, 2).await;
    store.apply(&[late]).await;
    assert_eq!(store.numbers("e", "a").await?, [0; 0]);
    Ok(())
}

/// The worker that holds the lease writes although an older one tried before it.
pub(crate) async fn a_stale_change_does_not_stop_the_holder_of_the_lease(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let late = delivered(&store.claim_one(0, 1).await, 1, 5);
    let current = store.claim_one(1000, 2).await;
    store.apply(&[late]).await;
    store.applied(&[delivered(&current, 2, 1000)]).await;
    Ok(())
}

/// A failover that lost a claim leaves the next one at the same version: only the token tells them apart.
pub(crate) async fn the_same_version_under_another_token_is_stale(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let lost = store.load("e", "a").await.claimed(token(1), t(1000));
    let current = store.claim_one(0, 2).await;
    assert_eq!(lost.version(), current.version());
    assert_eq!(store.apply(&[delivered(&lost, 1, 5)]).await, [Stale { current: Version::new(2) }]);
    assert_eq!(store.load("e", "a").await, current);
    store.applied(&[delivered(&current, 2, 5)]).await;
    Ok(())
}

/// The token alone does not do either: the same one may come back with an older version.
pub(crate) async fn the_same_token_at_another_version_is_stale(store: &mut Subject) -> Done {
    let mut born = event("e", 0, &[], 0);
    born.deliveries.push(new_delivery(&key("e"), "a", Start::Leased { token: token(1), until: t(10) }));
    store.publish(born).await;
    let old = store.load("e", "a").await;
    let current = store.claim_one(10, 1).await;
    assert_eq!(old.token(), current.token());
    assert_eq!(store.apply(&[delivered(&old, 1, 5)]).await, [Stale { current: Version::new(2) }]);
    assert_eq!(store.load("e", "a").await, current);
    Ok(())
}

pub(crate) async fn a_row_that_was_born_leased_is_settled_under_its_token(store: &mut Subject) -> Done {
    let mut born = event("e", 0, &[], 0);
    born.deliveries.push(new_delivery(&key("e"), "a", Start::Leased { token: token(9), until: t(50) }));
    store.publish(born).await;
    store.applied(&[delivered(&store.load("e", "a").await, 1, 5)]).await;
    assert_eq!(store.load("e", "a").await.state(), State::Delivered);
    Ok(())
}

/// The lease's end alone takes nothing from its holder: S2 only lets another claim the row.
pub(crate) async fn a_worker_whose_lease_ended_may_write_until_another_claims(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.applied(&[delivered(&store.claim_one(0, 1).await, 1, 5000)]).await;
    Ok(())
}

pub(crate) async fn a_change_after_a_sweep_is_stale(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    store.applied(&[handed_back(&row, 1, 5)]).await;
    store.sweep("a", SweepAction::Cancel, 6, 10).await;
    assert_eq!(store.apply(&[delivered(&row, 2, 7)]).await, [Stale { current: Version::new(4) }]);
    assert_eq!(store.load("e", "a").await.state(), State::Cancelled);
    Ok(())
}

pub(crate) async fn a_change_of_an_ended_row_is_stale(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    store.applied(&[delivered(&row, 1, 5)]).await;
    assert_eq!(store.apply(&[failed(&row, 2, 6)]).await, [Stale { current: Version::new(3) }]);
    assert_eq!(store.load("e", "a").await.state(), State::Delivered);
    Ok(())
}

pub(crate) async fn a_change_of_a_row_that_was_pruned_is_missing(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    store.applied(&[delivered(&row, 1, 5)]).await;
    let pruned = super::answer("prune", store.log()?.prune(t(100), 10).await);
    assert_eq!(pruned.events, 1);
    assert_eq!(store.apply(&[failed(&row, 2, 6)]).await, [Missing]);
    Ok(())
}

pub(crate) async fn a_change_that_comes_again_is_applied_and_changes_nothing(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let change = failed(&store.claim_one(0, 1).await, 1, 5);
    store.applied(std::slice::from_ref(&change)).await;
    store.applied(std::slice::from_ref(&change)).await;
    assert_eq!(store.load("e", "a").await.as_stored(), change.next());
    Ok(())
}

pub(crate) async fn a_change_that_comes_again_logs_its_attempt_once(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let change = failed(&store.claim_one(0, 1).await, 1, 5);
    for _ in 0..3 {
        store.applied(std::slice::from_ref(&change)).await;
    }
    assert_eq!(store.numbers("e", "a").await?, [1]);
    Ok(())
}

pub(crate) async fn a_change_twice_in_one_call_is_applied_once(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let change = failed(&store.claim_one(0, 1).await, 1, 5);
    store.applied(&[change.clone(), change.clone()]).await;
    assert_eq!(store.load("e", "a").await.as_stored(), change.next());
    assert_eq!(store.numbers("e", "a").await?, [1]);
    Ok(())
}

pub(crate) async fn a_change_without_an_attempt_that_comes_again_is_applied(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let back = handed_back(&store.claim_one(0, 1).await, 1, 5);
    store.applied(std::slice::from_ref(&back)).await;
    store.applied(std::slice::from_ref(&back)).await;
    assert_eq!(store.load("e", "a").await.version(), Version::new(3));
    Ok(())
}

pub(crate) async fn a_change_whose_attempt_is_logged_counts_as_applied_after_later_changes(
    store: &mut Subject,
) -> Done {
    store.holds(&["e"], &["a"]).await;
    let first = failed(&store.claim_one(0, 1).await, 1, 5);
    store.applied(std::slice::from_ref(&first)).await;
    let second = delivered(&store.claim_one(400_000, 2).await, 2, 400_000);
    store.applied(std::slice::from_ref(&second)).await;
    assert_eq!(store.apply(&[first]).await, [Applied]);
    assert_eq!(store.load("e", "a").await.as_stored(), second.next());
    Ok(())
}

pub(crate) async fn a_change_whose_attempt_is_logged_counts_as_applied_while_the_row_is_leased_again(
    store: &mut Subject,
) -> Done {
    store.holds(&["e"], &["a"]).await;
    let first = failed(&store.claim_one(0, 1).await, 1, 5);
    store.applied(std::slice::from_ref(&first)).await;
    let current = store.claim_one(400_000, 2).await;
    assert_eq!(store.apply(&[first]).await, [Applied]);
    assert_eq!(store.load("e", "a").await, current);
    Ok(())
}

pub(crate) async fn a_change_without_an_attempt_is_stale_once_another_followed_it(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let back = handed_back(&store.claim_one(0, 1).await, 1, 5);
    store.applied(std::slice::from_ref(&back)).await;
    store.applied(&[handed_back(&store.claim_one(5, 2).await, 2, 6)]).await;
    assert_eq!(store.apply(&[back]).await, [Stale { current: Version::new(5) }]);
    Ok(())
}

pub(crate) async fn a_change_with_the_row_of_a_lost_attempt_may_come_again_too(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.claim(0, 1).await;
    let change = delivered(&store.claim_one(1000, 2).await, 1, 1000);
    for _ in 0..2 {
        store.applied(std::slice::from_ref(&change)).await;
    }
    assert_eq!(store.numbers("e", "a").await?, [1, 2]);
    Ok(())
}

/// Change ids are random: that two rows have changes of one id happens to nobody, but a store that looks changes up by
/// id alone would mix up rows.
pub(crate) async fn a_change_s_id_says_nothing_about_another_row(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    store.claim(0, 1).await;
    let [e, f] = [store.load("e", "a").await, store.load("f", "a").await];
    store.applied(&[failed(&e, 1, 5)]).await;
    store.applied(&[failed(&f, 1, 5)]).await;
    assert_eq!(store.load("f", "a").await.state(), State::Scheduled);
    assert_eq!(store.numbers("f", "a").await?, [1]);
    Ok(())
}
