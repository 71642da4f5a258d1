//! S2 and S3: which rows may be claimed, and what a claim leaves.

use crate::delivery::{Start, State};
use crate::id::Version;
use crate::machine::Gate;
use crate::store::{ClaimRequest, SweepAction};

use super::super::sample::{
    self, delivered, delivery, event, failed, handed_back, key, new_delivery, refused, rows, stopped, t, token,
};
use super::{Done, Subject};

pub(crate) async fn a_scheduled_row_is_claimed_at_its_due_time_and_not_a_millisecond_before(
    store: &mut Subject,
) -> Done {
    store.publish(event("e", 0, &["a"], 10)).await;
    assert_eq!(rows(&store.claim(9, 1).await), [""; 0]);
    assert_eq!(rows(&store.claim(10, 2).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn a_leased_row_is_claimed_at_the_end_of_its_lease_and_not_a_millisecond_before(
    store: &mut Subject,
) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.claim(0, 1).await;
    assert_eq!(rows(&store.claim(999, 2).await), [""; 0]);
    assert_eq!(rows(&store.claim(1000, 3).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn a_row_that_was_born_leased_is_claimed_at_the_end_of_its_lease(store: &mut Subject) -> Done {
    let mut born = event("e", 0, &[], 0);
    born.deliveries.push(new_delivery(&key("e"), "a", Start::Leased { token: token(9), until: t(50) }));
    store.publish(born).await;
    assert_eq!(rows(&store.claim(49, 1).await), [""; 0]);
    let row = store.claim_one(50, 2).await;
    assert_eq!((row.version(), row.as_stored().lost_leases), (Version::new(2), 1));
    Ok(())
}

pub(crate) async fn a_held_row_is_never_claimed(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.sweep("a", SweepAction::Hold, 0, 10).await;
    let mut born = event("f", 0, &[], 0);
    born.deliveries.push(new_delivery(&key("f"), "b", Start::Held(t(0))));
    store.publish(born).await;
    assert_eq!(rows(&store.claim(1_000_000, 1).await), [""; 0]);
    Ok(())
}

pub(crate) async fn a_delivered_row_is_never_claimed_again(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.deliver_all(0, 1).await;
    assert_eq!(rows(&store.claim(1_000_000, 2).await), [""; 0]);
    Ok(())
}

pub(crate) async fn a_failed_row_is_never_claimed_again(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let mut now = 0;
    // The default schedule has six attempts; a day lies beyond each of its delays.
    for n in 1..=6 {
        let row = store.claim_one(now, n).await;
        store.applied(&[refused(&row, n, now)]).await;
        now += 86_400_000;
    }
    assert_eq!(store.load("e", "a").await.state(), State::Failed);
    assert_eq!(rows(&store.claim(now, 7).await), [""; 0]);
    Ok(())
}

pub(crate) async fn a_cancelled_row_is_never_claimed_again(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a", "b"]).await;
    store.sweep("a", SweepAction::Cancel, 0, 10).await;
    let row = store.claim_one(0, 1).await;
    store.applied(&[stopped(&row, 1, 5, Gate::Gone)]).await;
    assert_eq!(rows(&store.claim(1_000_000, 2).await), [""; 0]);
    Ok(())
}

pub(crate) async fn a_row_that_waits_for_its_retry_is_claimed_at_its_retry_time(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.applied(&[failed(&store.claim_one(0, 1).await, 1, 5)]).await;
    assert_eq!(rows(&store.claim(300_004, 2).await), [""; 0]);
    assert_eq!(rows(&store.claim(300_005, 3).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn a_row_that_was_handed_back_is_claimed_again_at_once(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.applied(&[handed_back(&store.claim_one(0, 1).await, 1, 5)]).await;
    assert_eq!(rows(&store.claim(5, 2).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn a_claimed_row_is_in_flight_until_the_lease_ends_one_version_on(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let before = store.load("e", "a").await;
    let row = store.claim_one(5, 1).await;
    assert_eq!(row, before.claimed(token(1), t(1005)));
    assert_eq!((row.state(), row.version(), row.as_stored().lost_leases), (State::InFlight, Version::new(2), 0));
    Ok(())
}

pub(crate) async fn what_a_claim_returns_is_what_it_wrote(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    for claimed in store.claim(0, 1).await.claimed {
        assert_eq!(store.loads(&[claimed.delivery.id()]).await, [claimed.delivery]);
    }
    Ok(())
}

pub(crate) async fn a_claimed_row_comes_with_its_event(store: &mut Subject) -> Done {
    let [e, f] = [event("e", 1, &["a"], 0), event("f", 2, &["b"], 0)];
    store.insert(0, vec![e.clone(), f.clone()]).await;
    let batch = store.claim(0, 1).await;
    assert_eq!(batch.claimed.len(), 2);
    for claimed in batch.claimed {
        let expected = if claimed.delivery.endpoint().as_str() == "a" { &e } else { &f };
        assert_eq!(claimed.event, expected.event);
        assert_eq!(*claimed.delivery.event(), expected.event.key);
    }
    Ok(())
}

pub(crate) async fn a_row_in_flight_whose_lease_has_ended_has_lost_one_lease_more(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.claim(0, 1).await;
    for n in 1..=3 {
        let row = store.claim_one(i64::from(n) * 1000, u128::from(n) + 1).await;
        assert_eq!((row.version(), row.as_stored().lost_leases), (Version::new(u64::from(n) + 2), n));
    }
    Ok(())
}

pub(crate) async fn a_row_that_was_settled_in_time_has_lost_no_lease(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.applied(&[handed_back(&store.claim_one(0, 1).await, 1, 5)]).await;
    assert_eq!(store.claim_one(2000, 2).await.as_stored().lost_leases, 0);
    Ok(())
}

pub(crate) async fn rows_that_a_claim_did_not_take_are_as_they_were(store: &mut Subject) -> Done {
    store.backlog("e", "a", 5).await;
    let got = rows(&store.claim_up_to(2, 100, 1).await);
    for n in 0..5 {
        let id = format!("e{n}");
        let taken = got.contains(&format!("{id}/a"));
        let row = store.load(&id, "a").await;
        assert_eq!(row.version() == Version::FIRST, !taken, "{id}");
        assert_eq!(row.state() == State::Scheduled, !taken, "{id}");
    }
    assert_eq!(got.len(), 2);
    Ok(())
}

pub(crate) async fn no_row_goes_to_two_claims(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &["a", "b"]).await;
    let mut seen = Vec::new();
    for n in 1..=6 {
        seen.extend(rows(&store.claim_up_to(1, 0, n).await));
    }
    seen.sort_unstable();
    assert_eq!(seen, ["e/a", "e/b", "f/a", "f/b", "g/a", "g/b"]);
    assert_eq!(rows(&store.claim(0, 7).await), [""; 0]);
    Ok(())
}

pub(crate) async fn the_same_token_again_returns_the_same_rows(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    let mut first = store.claim(0, 1).await.claimed;
    assert_eq!(first.len(), 2);
    let mut again = store.claim(500, 1).await.claimed;
    first.sort_by_key(|row| row.delivery.id());
    again.sort_by_key(|row| row.delivery.id());
    assert_eq!(again, first);
    Ok(())
}

pub(crate) async fn the_same_token_again_leases_no_more(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    let first = rows(&store.claim_up_to(1, 0, 1).await);
    store.publish(event("g", 0, &["b"], 0)).await;
    assert_eq!(rows(&store.claim_up_to(100, 500, 1).await), first);
    assert_eq!(store.load("g", "b").await.state(), State::Scheduled);
    assert_eq!(rows(&store.claim(500, 2).await).len(), 2, "the others are free for another claim");
    Ok(())
}

pub(crate) async fn the_same_token_again_moves_no_lease(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let first = store.claim_one(0, 1).await;
    let later = ClaimRequest { lease_until: t(9_000), ..sample::claim(500, 1) };
    assert_eq!(store.claims(&later).await.claimed[0].delivery, first);
    assert_eq!(store.load("e", "a").await, first);
    Ok(())
}

pub(crate) async fn the_same_token_again_leaves_out_what_was_settled_meanwhile(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a"]).await;
    store.claim(0, 1).await;
    store.applied(&[delivered(&store.load("e", "a").await, 1, 5)]).await;
    assert_eq!(rows(&store.claim(10, 1).await), ["f/a"]);
    Ok(())
}

pub(crate) async fn the_same_token_again_leaves_out_what_another_claimed_meanwhile(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.claim(0, 1).await;
    store.claim(1000, 2).await;
    assert_eq!(rows(&store.claim(999, 1).await), [""; 0]);
    assert_eq!(store.load("e", "a").await.token(), Some(token(2)));
    Ok(())
}

pub(crate) async fn a_row_is_loaded_with_the_token_of_its_last_claim(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    for n in 1..=3 {
        store.claim((n as i64 - 1) * 1000, n).await;
        assert_eq!(store.loads(&[delivery("e", "a")]).await[0].token(), Some(token(n)));
    }
    Ok(())
}
