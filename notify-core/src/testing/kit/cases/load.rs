//! `load`, and `attach` of S14.

use crate::delivery::{Start, State};
use crate::store::StoreError;

use super::super::sample::{delivery, event, event_of, key, named, new_delivery, rows, t};
use super::{Done, Subject, answer};

pub(crate) async fn rows_that_do_not_exist_are_left_out(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let found = store.loads(&[delivery("x", "a"), delivery("e", "a"), delivery("e", "b")]).await;
    assert_eq!(found.iter().map(crate::delivery::Delivery::id).collect::<Vec<_>>(), [delivery("e", "a")]);
    Ok(())
}

pub(crate) async fn loading_nothing_finds_nothing(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    assert_eq!(store.loads(&[]).await, []);
    Ok(())
}

pub(crate) async fn a_thousand_rows_are_loaded_at_once(store: &mut Subject) -> Done {
    store.backlog("e", "a", 1000).await;
    let ids: Vec<_> = (0..1000).map(|n| delivery(&format!("e{n}"), "a")).collect();
    let mut found: Vec<_> = store.loads(&ids).await.iter().map(crate::delivery::Delivery::id).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 1000);
    Ok(())
}

pub(crate) async fn rows_of_several_tenants_are_loaded_together(store: &mut Subject) -> Done {
    let theirs = event_of("other", "e", 0, &["b"], 0);
    let id = theirs.deliveries[0].id;
    store.insert(0, vec![event("e", 0, &["a"], 0), theirs]).await;
    assert_eq!(store.loads(&[id, delivery("e", "a")]).await.len(), 2);
    Ok(())
}

pub(crate) async fn loading_changes_nothing(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let row = store.claim_one(0, 1).await;
    assert_eq!((store.load("e", "a").await, store.load("e", "a").await), (row.clone(), row));
    Ok(())
}

async fn attach(store: &Subject, event: &str, endpoints: &[&str], start: Start) -> usize {
    let new: Vec<_> = endpoints.iter().map(|endpoint| new_delivery(&key(event), endpoint, start)).collect();
    answer("attach", store.store().attach(&key(event), &new).await)
}

pub(crate) async fn attach_adds_what_is_missing_and_says_how_much(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    assert_eq!(attach(store, "e", &["a", "b", "c"], Start::Due(t(0))).await, 2);
    assert_eq!(rows(&store.claim(0, 1).await), ["e/a", "e/b", "e/c"]);
    Ok(())
}

pub(crate) async fn attach_repeated_adds_nothing(store: &mut Subject) -> Done {
    store.holds(&["e"], &[]).await;
    assert_eq!(attach(store, "e", &["a", "b"], Start::Due(t(0))).await, 2);
    assert_eq!(attach(store, "e", &["a", "b"], Start::Due(t(0))).await, 0);
    Ok(())
}

pub(crate) async fn a_pair_that_comes_twice_in_one_attach_is_added_once(store: &mut Subject) -> Done {
    store.holds(&["e"], &[]).await;
    assert_eq!(attach(store, "e", &["a", "a"], Start::Due(t(0))).await, 1);
    assert_eq!(rows(&store.claim(0, 1).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn attach_leaves_rows_that_exist_as_they_are(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    store.deliver_all(0, 1).await;
    let before = store.load("e", "a").await;
    attach(store, "e", &["a"], Start::Due(t(0))).await;
    assert_eq!(store.load("e", "a").await, before);
    Ok(())
}

pub(crate) async fn an_attached_row_starts_as_it_says(store: &mut Subject) -> Done {
    store.holds(&["e"], &[]).await;
    attach(store, "e", &["a"], Start::Held(t(7))).await;
    attach(store, "e", &["b"], Start::Due(t(9))).await;
    let [a, b] = [store.load("e", "a").await, store.load("e", "b").await];
    assert_eq!((a.state(), a.ready_at()), (State::Held, Some(t(7))));
    assert_eq!((b.state(), b.ready_at()), (State::Scheduled, Some(t(9))));
    Ok(())
}

pub(crate) async fn an_attached_row_was_published_with_its_event(store: &mut Subject) -> Done {
    store.insert(77, vec![event("e", 0, &[], 0)]).await;
    attach(store, "e", &["a"], Start::Due(t(500))).await;
    assert_eq!(store.load("e", "a").await.as_stored().created_at, t(77));
    Ok(())
}

pub(crate) async fn an_attached_row_is_claimed_with_its_event(store: &mut Subject) -> Done {
    let e = event("e", 0, &[], 0);
    store.publish(e.clone()).await;
    attach(store, "e", &["a"], Start::Due(t(0))).await;
    assert_eq!(store.claim(0, 1).await.claimed[0].event, e.event);
    Ok(())
}

pub(crate) async fn an_attached_row_is_one_of_the_event_s_deliveries(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    attach(store, "e", &["b"], Start::Due(t(0))).await;
    let shown: Vec<_> = store
        .record("e")
        .await?
        .map(|record| record.deliveries)
        .unwrap_or_default()
        .iter()
        .map(|row| row.endpoint().clone())
        .collect();
    assert_eq!(shown, [named("a"), named("b")]);
    Ok(())
}

pub(crate) async fn attach_refuses_an_event_that_does_not_exist(store: &mut Subject) -> Done {
    let new = [new_delivery(&key("e"), "a", Start::Due(t(0)))];
    let refused = store.store().attach(&key("e"), &new).await;
    assert!(matches!(refused, Err(StoreError::UnknownEvent)), "{refused:?}");
    assert_eq!(store.find("e", "a").await, None);
    Ok(())
}

pub(crate) async fn attach_refuses_another_tenant_s_event(store: &mut Subject) -> Done {
    store.publish(event_of("other", "e", 0, &[], 0)).await;
    let new = [new_delivery(&key("e"), "a", Start::Due(t(0)))];
    let refused = store.store().attach(&key("e"), &new).await;
    assert!(matches!(refused, Err(StoreError::UnknownEvent)), "{refused:?}");
    Ok(())
}

pub(crate) async fn attach_to_a_thousand_endpoints_may_go_in_steps(store: &mut Subject) -> Done {
    store.holds(&["e"], &[]).await;
    let names: Vec<String> = (0..1000).map(|n| format!("ep{n}")).collect();
    let mut added = 0;
    // The steps overlap, as they do after a lost answer.
    for start in [0, 300, 600] {
        let step: Vec<&str> = names[start..start + 400].iter().map(String::as_str).collect();
        added += attach(store, "e", &step, Start::Due(t(0))).await;
    }
    assert_eq!(added, 1000);
    Ok(())
}
