//! S4: how many rows, of which endpoints.

use std::collections::BTreeSet;

use crate::store::{ClaimBatch, ClaimRequest};

use super::super::sample::{self, event, event_of, free, named, rows, token};
use super::{Done, Subject};

fn with_free(now: i64, n: u128, limit: u32, default: u32, busy: &[(&str, u32)]) -> ClaimRequest {
    ClaimRequest { limit, free: free(default, busy), ..sample::claim(now, n) }
}

fn of_endpoint(batch: &ClaimBatch, endpoint: &str) -> usize {
    batch.claimed.iter().filter(|row| row.delivery.endpoint().as_str() == endpoint).count()
}

pub(crate) async fn a_claim_never_exceeds_its_limit(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &["a", "b"]).await;
    assert_eq!(store.claim_up_to(4, 0, 1).await.claimed.len(), 4);
    assert_eq!(store.claim_up_to(1, 0, 2).await.claimed.len(), 1);
    Ok(())
}

pub(crate) async fn rows_whose_leases_ended_do_not_exceed_the_limit_either(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &["a", "b"]).await;
    assert_eq!(store.claim(0, 1).await.claimed.len(), 6);
    assert_eq!(store.claim_up_to(4, 1000, 2).await.claimed.len(), 4);
    Ok(())
}

pub(crate) async fn an_endpoint_that_is_not_listed_gets_no_more_than_the_default_number(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &["a", "b"]).await;
    let batch = store.claims(&with_free(0, 1, 100, 2, &[])).await;
    assert_eq!((of_endpoint(&batch, "a"), of_endpoint(&batch, "b")), (2, 2));
    Ok(())
}

pub(crate) async fn a_busy_endpoint_gets_no_more_than_its_own_number(store: &mut Subject) -> Done {
    store.holds(&["e", "f", "g"], &["a", "b", "c"]).await;
    let batch = store.claims(&with_free(0, 1, 100, 2, &[("a", 1), ("c", 3)])).await;
    assert_eq!(["a", "b", "c"].map(|endpoint| of_endpoint(&batch, endpoint)), [1, 2, 3]);
    Ok(())
}

pub(crate) async fn an_endpoint_whose_number_is_zero_gets_none(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a", "b"]).await;
    let batch = store.claims(&with_free(0, 1, 100, 8, &[("a", 0)])).await;
    assert_eq!(rows(&batch), ["e/b", "f/b"]);
    Ok(())
}

pub(crate) async fn with_a_default_of_zero_only_listed_endpoints_get_rows(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a", "b", "c"]).await;
    let batch = store.claims(&with_free(0, 1, 100, 0, &[("b", 1)])).await;
    assert_eq!((batch.claimed.len(), of_endpoint(&batch, "b")), (1, 1));
    assert_eq!(rows(&store.claims(&with_free(0, 2, 100, 0, &[])).await), [""; 0]);
    Ok(())
}

/// A store that forgets an endpoint it left out once would never serve it again.
pub(crate) async fn an_endpoint_that_was_left_out_is_served_once_it_has_a_number(store: &mut Subject) -> Done {
    store.holds(&["e", "f"], &["a", "b"]).await;
    store.claims(&with_free(0, 1, 100, 8, &[("a", 0)])).await;
    assert_eq!(rows(&store.claim(0, 2).await), ["e/a", "f/a"]);
    Ok(())
}

pub(crate) async fn rows_beyond_an_endpoint_s_number_wait_for_the_next_claim(store: &mut Subject) -> Done {
    store.backlog("e", "a", 5).await;
    let mut seen = BTreeSet::new();
    for n in 1..=5 {
        seen.extend(rows(&store.claims(&with_free(100, n, 100, 1, &[])).await));
    }
    assert_eq!(seen.len(), 5);
    Ok(())
}

pub(crate) async fn numbers_of_endpoints_without_rows_are_harmless(store: &mut Subject) -> Done {
    store.holds(&["e"], &["m"]).await;
    let names: Vec<String> = (0..300).map(|n| format!("idle{n:03}")).collect();
    let mut busy: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), n_of(name))).collect();
    busy.push(("m", 1));
    assert_eq!(rows(&store.claims(&with_free(0, 1, 100, 0, &busy)).await), ["e/m"]);
    Ok(())
}

fn n_of(name: &str) -> u32 {
    u32::from(name.ends_with('0'))
}

pub(crate) async fn a_lone_endpoint_fills_the_whole_claim(store: &mut Subject) -> Done {
    store.backlog("e", "a", 60).await;
    assert_eq!(store.claim_up_to(50, 100, 1).await.claimed.len(), 50);
    Ok(())
}

pub(crate) async fn a_deep_backlog_does_not_keep_another_endpoint_s_only_row_waiting(store: &mut Subject) -> Done {
    store.backlog("deep", "a", 1000).await;
    store.publish(event("e", 0, &["z"], 2000)).await;
    let mut claims = 0;
    while store.load("e", "z").await.token().is_none() {
        claims += 1;
        store.claim_up_to(2, 2000, claims).await;
        assert!(claims < 10, "{claims} claims of two rows, all for the endpoint with the backlog");
    }
    Ok(())
}

pub(crate) async fn a_full_endpoint_s_backlog_does_not_hide_another_s_row(store: &mut Subject) -> Done {
    store.backlog("deep", "a", 1000).await;
    store.publish(event("e", 0, &["z"], 2000)).await;
    assert_eq!(rows(&store.claims(&with_free(2000, 1, 1, 8, &[("a", 0)])).await), ["e/z"]);
    Ok(())
}

pub(crate) async fn one_row_is_found_behind_many_full_endpoints(store: &mut Subject) -> Done {
    let names: Vec<String> = (0..200).map(|n| format!("full{n:03}")).collect();
    let full: Vec<&str> = names.iter().map(String::as_str).collect();
    store.publish(event("f", 0, &full, 0)).await;
    store.publish(event("e", 1, &["z"], 2000)).await;
    let busy: Vec<(&str, u32)> = full.iter().map(|name| (*name, 0)).collect();
    assert_eq!(rows(&store.claims(&with_free(2000, 1, 1, 8, &busy)).await), ["e/z"]);
    Ok(())
}

/// Settled rows leave traces in some indexes: they must not stand in the way either.
pub(crate) async fn one_row_is_found_behind_many_endpoints_whose_rows_have_ended(store: &mut Subject) -> Done {
    let names: Vec<String> = (0..90).map(|n| format!("done{n:03}")).collect();
    let done: Vec<&str> = names.iter().map(String::as_str).collect();
    store.publish(event("f", 0, &done, 0)).await;
    store.deliver_all(0, 1).await;
    store.publish(event("e", 1, &["z"], 2000)).await;
    assert_eq!(rows(&store.claim_up_to(1, 2000, 2).await), ["e/z"]);
    Ok(())
}

pub(crate) async fn twenty_small_endpoints_are_served_beside_a_flooded_one(store: &mut Subject) -> Done {
    store.backlog("deep", "a", 2000).await;
    let names: Vec<String> = (0..20).map(|n| format!("small{n}")).collect();
    let small: Vec<&str> = names.iter().map(String::as_str).collect();
    store.publish(event("e", 0, &small, 3000)).await;
    let mut served = 0;
    for n in 1..=8 {
        let batch = store.claim_up_to(16, 3000, n).await;
        served += batch.claimed.len() - of_endpoint(&batch, "a");
    }
    assert_eq!(served, 20, "128 rows were claimed");
    Ok(())
}

pub(crate) async fn with_one_row_a_claim_every_endpoint_gets_its_turn(store: &mut Subject) -> Done {
    for (prefix, endpoint) in [("x", "a"), ("y", "b"), ("z", "c")] {
        store.backlog(prefix, endpoint, 30).await;
    }
    let mut served = BTreeSet::new();
    for n in 1..=9 {
        let batch = store.claim_up_to(1, 100, n).await;
        served.extend(batch.claimed.iter().map(|row| row.delivery.endpoint().clone()));
    }
    assert_eq!(served.len(), 3, "nine claims of one row each went to {served:?}");
    Ok(())
}

pub(crate) async fn an_endpoint_that_joins_late_does_not_starve_the_others(store: &mut Subject) -> Done {
    store.backlog("x", "a", 30).await;
    store.claim_up_to(1, 100, 1).await;
    store.backlog("y", "b", 30).await;
    let mut served = BTreeSet::new();
    for n in 2..=7 {
        let batch = store.claim_up_to(1, 100, n).await;
        served.extend(batch.claimed.iter().map(|row| row.delivery.endpoint().clone()));
    }
    assert_eq!(served.len(), 2, "six claims of one row each went to {served:?}");
    Ok(())
}

pub(crate) async fn what_was_due_an_hour_earlier_goes_first(store: &mut Subject) -> Done {
    let hour = 3_600_000;
    for n in 0..5 {
        store.publish(event(&format!("late{n}"), n, &["a"], hour + i64::from(n))).await;
        store.publish(event(&format!("early{n}"), n, &["a"], i64::from(n))).await;
    }
    let got = rows(&store.claim_up_to(5, 2 * hour, 1).await);
    assert_eq!(got, [0, 1, 2, 3, 4].map(|n| format!("early{n}/a")));
    Ok(())
}

pub(crate) async fn a_claim_serves_all_tenants(store: &mut Subject) -> Done {
    let events = ["x", "y", "z"].map(|tenant| event_of(tenant, "e", 0, &[&format!("of-{tenant}")], 0));
    store.insert(0, events.to_vec()).await;
    assert_eq!(rows(&store.claim(0, 1).await), ["e/of-x", "e/of-y", "e/of-z"]);
    Ok(())
}

pub(crate) async fn at_least_one_row_comes_while_any_is_eligible(store: &mut Subject) -> Done {
    store.backlog("x", "a", 20).await;
    store.backlog("y", "b", 20).await;
    let mut left = 40;
    for n in 1.. {
        let request = ClaimRequest { token: token(n), ..with_free(100, n, 7, 3, &[("b", 2)]) };
        let got = store.claims(&request).await.claimed.len();
        left -= got;
        if got == 0 {
            break;
        }
    }
    assert_eq!(left, 0, "a claim came back empty before all rows were leased");
    assert!(store.find("x0", "a").await.is_some_and(|row| *row.endpoint() == named("a")));
    Ok(())
}
