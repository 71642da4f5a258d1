//! S1: idempotency keys.

use crate::store::Inserted;

use super::super::sample::{event, event_of, key, rows, with_key};
use super::insert::{conflict, duplicate_of, stored};
use super::{Done, Subject};

pub(crate) async fn the_same_key_with_the_same_content_is_a_duplicate_whatever_the_id(store: &mut Subject) -> Done {
    store.publish(with_key(event("e", 0, &["a"], 0), "k")).await;
    let again = with_key(event("f", 0, &["a"], 0), "k");
    assert_eq!(store.insert(0, vec![again]).await, stored(&[duplicate_of("e", 1)]));
    assert_eq!(rows(&store.claim(0, 1).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn the_same_key_with_other_content_is_a_conflict(store: &mut Subject) -> Done {
    store.publish(with_key(event("e", 0, &[], 0), "k")).await;
    assert_eq!(store.insert(0, vec![with_key(event("f", 1, &[], 0), "k")]).await, conflict(0, "e"));
    Ok(())
}

pub(crate) async fn the_same_key_twice_in_one_batch_is_a_duplicate_of_the_first(store: &mut Subject) -> Done {
    let batch = vec![with_key(event("e", 0, &["a"], 0), "k"), with_key(event("f", 0, &["a"], 0), "k")];
    assert_eq!(store.insert(0, batch).await, stored(&[Inserted::New, duplicate_of("e", 1)]));
    assert_eq!(rows(&store.claim(0, 1).await), ["e/a"]);
    Ok(())
}

pub(crate) async fn the_same_key_with_two_contents_in_one_batch_is_a_conflict(store: &mut Subject) -> Done {
    let batch = vec![with_key(event("e", 0, &["a"], 0), "k"), with_key(event("f", 1, &["a"], 0), "k")];
    assert_eq!(store.insert(0, batch).await, conflict(1, "e"));
    assert_eq!(store.find("e", "a").await, None);
    Ok(())
}

pub(crate) async fn a_conflict_leaves_its_keys_free(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let batch = vec![with_key(event("f", 0, &[], 0), "k"), event("e", 1, &[], 0)];
    assert_eq!(store.insert(0, batch).await, conflict(1, "e"));
    assert_eq!(store.insert(0, vec![with_key(event("g", 9, &[], 0), "k")]).await, stored(&[Inserted::New]));
    Ok(())
}

pub(crate) async fn a_duplicate_by_its_id_leaves_its_key_free(store: &mut Subject) -> Done {
    store.holds(&["e"], &[]).await;
    let again = with_key(event("e", 0, &[], 0), "k");
    assert_eq!(store.insert(0, vec![again]).await, stored(&[duplicate_of("e", 0)]));
    assert_eq!(store.insert(0, vec![with_key(event("f", 9, &[], 0), "k")]).await, stored(&[Inserted::New]));
    Ok(())
}

/// A batch means the same as its events one after the other: an id that exists decides before a key of the batch.
pub(crate) async fn a_stored_id_decides_before_a_key_of_the_same_batch(store: &mut Subject) -> Done {
    store.holds(&["e"], &["a"]).await;
    let batch = vec![with_key(event("f", 5, &[], 0), "k"), with_key(event("e", 0, &[], 0), "k")];
    assert_eq!(store.insert(0, batch).await, stored(&[Inserted::New, duplicate_of("e", 1)]));
    Ok(())
}

/// A store that keeps tenants apart judges such a batch in parts, and in the same way.
pub(crate) async fn a_batch_of_many_tenants_is_judged_as_a_batch_of_one_is(store: &mut Subject) -> Done {
    let others = |id: &str| -> Vec<_> { (0..9).map(|n| event_of(&format!("other{n}"), id, 0, &[], 0)).collect() };
    store.publish(event("e", 0, &["a"], 0)).await;
    store.publish(with_key(event("f", 2, &[], 0), "old")).await;
    let among = |id: &str, ours: Vec<_>| [others(id), ours].concat();
    let refused = [
        (vec![with_key(event("g", 5, &[], 0), "k"), with_key(event("e", 5, &[], 0), "k")], "e"),
        (vec![with_key(event("g", 5, &[], 0), "k"), with_key(event("h", 6, &[], 0), "k")], "g"),
        (vec![event("g", 5, &[], 0), with_key(event("g", 6, &[], 0), "k")], "g"),
        (vec![event("g", 5, &[], 0), with_key(event("h", 0, &[], 0), "old")], "f"),
        (vec![event("g", 5, &[], 0), with_key(event("e", 2, &[], 0), "old")], "e"),
    ];
    for (ours, existing) in refused {
        assert_eq!(store.insert(0, among("refused", ours)).await, conflict(10, existing));
    }
    let ours = vec![
        with_key(event("g", 5, &[], 0), "k"),
        with_key(event("e", 0, &[], 0), "k"),
        with_key(event("h", 5, &[], 0), "k"),
        with_key(event("i", 2, &[], 0), "old"),
        with_key(event("g", 5, &[], 0), "old"),
    ];
    let answers =
        [Inserted::New, duplicate_of("e", 1), duplicate_of("g", 0), duplicate_of("f", 0), duplicate_of("g", 0)];
    let answers = [&[const { Inserted::New }; 9], &answers[..]].concat();
    assert_eq!(store.insert(0, among("stored", ours)).await, stored(&answers));
    Ok(())
}

pub(crate) async fn where_id_and_key_name_two_events_the_id_decides(store: &mut Subject) -> Done {
    store.publish(event("e", 1, &["a"], 0)).await;
    store.publish(with_key(event("f", 2, &[], 0), "k")).await;
    assert_eq!(store.insert(0, vec![with_key(event("e", 1, &[], 0), "k")]).await, stored(&[duplicate_of("e", 1)]));
    assert_eq!(store.insert(0, vec![with_key(event("e", 2, &[], 0), "k")]).await, conflict(0, "e"));
    Ok(())
}

pub(crate) async fn events_without_a_key_never_meet(store: &mut Subject) -> Done {
    let batch = ["e", "f", "g"].map(|id| event(id, 0, &["a"], 0));
    assert_eq!(store.insert(0, batch.to_vec()).await, stored(&[Inserted::New, Inserted::New, Inserted::New]));
    Ok(())
}

pub(crate) async fn keys_that_differ_in_case_or_by_a_blank_are_different(store: &mut Subject) -> Done {
    let batch: Vec<_> = ["k", "K", "k ", " k", "ｋ"]
        .iter()
        .zip(0..)
        .map(|(k, n)| with_key(event(&format!("e{n}"), n, &[], 0), k))
        .collect();
    assert_eq!(store.insert(0, batch).await, stored(&[const { Inserted::New }; 5]));
    Ok(())
}

pub(crate) async fn a_key_is_no_id(store: &mut Subject) -> Done {
    store.publish(with_key(event("e", 0, &[], 0), "f")).await;
    assert_eq!(store.insert(0, vec![event("f", 1, &["a"], 0)]).await, stored(&[Inserted::New]));
    assert_eq!(store.insert(0, vec![with_key(event("g", 2, &[], 0), "e")]).await, stored(&[Inserted::New]));
    Ok(())
}

pub(crate) async fn ids_and_keys_are_unique_for_their_tenant_only(store: &mut Subject) -> Done {
    let ours = with_key(event("e", 0, &["a"], 0), "k");
    let theirs = with_key(event_of("other", "e", 1, &["b"], 0), "k");
    assert_eq!(store.insert(0, vec![ours, theirs]).await, stored(&[Inserted::New, Inserted::New]));
    assert_eq!(rows(&store.claim(0, 1).await), ["e/a", "e/b"]);
    Ok(())
}

/// A store that joins tenant and key with a separator takes these two for one.
pub(crate) async fn tenant_and_key_do_not_run_into_each_other(store: &mut Subject) -> Done {
    for separator in [":", "/", "|", ",", "}{"] {
        let name = |text: &str| text.replace('|', separator);
        let (x, y) = (name("x"), name("x|y"));
        let id = format!("e{}", u32::from(separator.as_bytes()[0]));
        let ours = with_key(event_of(&y, &id, 0, &[], 0), "k");
        let theirs = with_key(event_of(&x, &id, 1, &[], 0), &name("y|k"));
        assert_eq!(store.insert(0, vec![ours]).await, stored(&[Inserted::New]), "{separator}");
        assert_eq!(store.insert(0, vec![theirs]).await, stored(&[Inserted::New]), "{separator}");
    }
    Ok(())
}

pub(crate) async fn a_key_is_as_long_as_the_contract_allows(store: &mut Subject) -> Done {
    let long = |last: char| format!("{}{last}", "k".repeat(255));
    let [ours, theirs] =
        [('a', "e", 0), ('b', "f", 1)].map(|(last, id, n)| with_key(event(id, n, &[], 0), &long(last)));
    assert_eq!(store.insert(0, vec![ours.clone(), theirs]).await, stored(&[Inserted::New, Inserted::New]));
    assert_eq!(store.insert(0, vec![ours]).await, stored(&[duplicate_of("e", 0)]));
    Ok(())
}

pub(crate) async fn a_key_says_which_event_was_first_also_when_that_has_ended(store: &mut Subject) -> Done {
    store.publish(with_key(event("e", 0, &["a"], 0), "k")).await;
    store.deliver_all(0, 1).await;
    let again = with_key(event("f", 0, &["a"], 5), "k");
    assert_eq!(store.insert(5, vec![again]).await, stored(&[duplicate_of("e", 1)]));
    assert_eq!(store.record_of(&key("f")).await?, None);
    Ok(())
}
