//! Tenants are apart, and names are only names.

use crate::delivery::Start;
use crate::endpoint::Endpoint;
use crate::event::EventKey;
use crate::id::TenantId;
use crate::store::{DeliveryQuery, EventQuery, Inserted};

use super::super::case::NotOffered;
use super::super::sample::{endpoint, event, event_of, named, new_delivery, rows, t, with_key};
use super::endpoints::{delete, list, subscribed};
use super::insert::{duplicate_of, stored};
use super::{Done, Subject, answer};

/// What a store that puts names together with its own words could stumble over.
const ODD: [&str; 12] =
    ["o'brien", "\"; DROP TABLE delivery;--", "%", "_", "*", "a:b", "{a}", "a\\b", "${x}", "Zoë 😀", "../..", "null"];

fn of(tenant: &str, id: &str) -> Endpoint {
    Endpoint { tenant: named(tenant), ..endpoint(id) }
}

async fn events_of(store: &Subject, tenant: &str) -> Result<Vec<String>, NotOffered> {
    let query = EventQuery { tenant: named(tenant), ..EventQuery::default() };
    let page = answer("events", store.log()?.events(&query).await);
    Ok(page.items.iter().map(|record| record.event.key.id.to_string()).collect())
}

async fn deliveries_of(store: &Subject, tenant: &str) -> Result<usize, NotOffered> {
    let query = DeliveryQuery { tenant: named(tenant), ..DeliveryQuery::default() };
    Ok(answer("deliveries", store.log()?.deliveries(&query).await).items.len())
}

async fn two_tenants(store: &Subject) {
    store.insert(0, vec![event_of("ours", "e", 0, &["a"], 0), event_of("theirs", "f", 1, &["b"], 0)]).await;
}

pub(crate) async fn another_tenant_s_event_looks_missing(store: &mut Subject) -> Done {
    two_tenants(store).await;
    let key = |tenant: &str| EventKey { tenant: named(tenant), id: named("f") };
    assert!(store.record_of(&key("theirs")).await?.is_some());
    assert_eq!(store.record_of(&key("ours")).await?, None);
    Ok(())
}

pub(crate) async fn a_tenant_s_list_of_events_shows_its_own(store: &mut Subject) -> Done {
    two_tenants(store).await;
    assert_eq!(events_of(store, "ours").await?, ["e"]);
    assert_eq!(events_of(store, "theirs").await?, ["f"]);
    Ok(())
}

pub(crate) async fn a_tenant_s_list_of_deliveries_shows_its_own(store: &mut Subject) -> Done {
    two_tenants(store).await;
    store.publish(event_of("theirs", "g", 2, &["b", "c"], 0)).await;
    assert_eq!((deliveries_of(store, "ours").await?, deliveries_of(store, "theirs").await?), (1, 3));
    Ok(())
}

pub(crate) async fn no_tenant_is_a_wildcard(store: &mut Subject) -> Done {
    two_tenants(store).await;
    store.registers(&[of("ours", "a")]).await?;
    for tenant in ["*", "%", "_", "?", "default", "our", "ours ", "OURS"] {
        assert_eq!(events_of(store, tenant).await?, [""; 0], "{tenant}");
        assert_eq!(deliveries_of(store, tenant).await?, 0, "{tenant}");
        assert_eq!(subscribed(store, tenant, "a.b").await, [""; 0], "{tenant}");
        assert_eq!(list(store, tenant, None, 10).await?.0, [""; 0], "{tenant}");
    }
    Ok(())
}

pub(crate) async fn the_default_tenant_is_a_tenant_of_its_own(store: &mut Subject) -> Done {
    store.insert(0, vec![event("e", 0, &["a"], 0), event_of("other", "e", 1, &["b"], 0)]).await;
    store.registers(&[endpoint("a"), of("other", "b")]).await?;
    assert_eq!(events_of(store, TenantId::default().as_str()).await?, ["e"]);
    assert_eq!(deliveries_of(store, TenantId::default().as_str()).await?, 1);
    assert_eq!(subscribed(store, TenantId::default().as_str(), "a.b").await, ["a"]);
    Ok(())
}

pub(crate) async fn stats_of_a_tenant_count_its_own_and_without_one_all(store: &mut Subject) -> Done {
    two_tenants(store).await;
    store.publish(event_of("theirs", "g", 2, &["b"], 9)).await;
    let log = store.log()?;
    let count = async |tenant: Option<&TenantId>| {
        let stats = answer("stats", log.stats(tenant, t(0)).await);
        (stats.by_state.values().sum::<u64>(), stats.oldest_due)
    };
    assert_eq!(count(Some(&named("ours"))).await, (1, Some(t(0))));
    assert_eq!(count(Some(&named("theirs"))).await, (2, Some(t(0))));
    assert_eq!(count(Some(&named("nobody"))).await, (0, None));
    assert_eq!(count(None).await, (3, Some(t(0))));
    Ok(())
}

pub(crate) async fn subscribed_finds_no_other_tenant_s_endpoint(store: &mut Subject) -> Done {
    store.registers(&[of("ours", "a"), of("theirs", "b")]).await?;
    assert_eq!(subscribed(store, "ours", "a.b").await, ["a"]);
    assert_eq!(subscribed(store, "theirs", "a.b").await, ["b"]);
    Ok(())
}

pub(crate) async fn endpoints_are_listed_for_their_tenant_only(store: &mut Subject) -> Done {
    store.registers(&[of("ours", "a"), of("theirs", "b"), of("ours", "c")]).await?;
    let first = list(store, "ours", None, 1).await?;
    let second = list(store, "ours", first.1, 1).await?;
    assert_eq!((first.0, second), (vec!["c".to_owned()], (vec!["a".to_owned()], None)));
    Ok(())
}

pub(crate) async fn another_tenant_s_endpoint_is_not_deleted(store: &mut Subject) -> Done {
    store.registers(&[of("theirs", "b")]).await?;
    assert!(!delete(store, "ours", "b").await?);
    assert!(store.endpoint("b").await.is_some());
    assert!(delete(store, "theirs", "b").await?);
    Ok(())
}

/// One event id at two tenants is two events, with deliveries and attempts of their own.
pub(crate) async fn one_event_id_at_two_tenants_is_two_events(store: &mut Subject) -> Done {
    store.insert(0, vec![event_of("ours", "e", 0, &["a"], 0), event_of("theirs", "e", 0, &["a"], 0)]).await;
    let claimed = store.claim(0, 1).await.claimed;
    assert_eq!(claimed.len(), 2);
    let key = EventKey { tenant: named("theirs"), id: named("e") };
    let deliveries = store.record_of(&key).await?.map(|record| record.deliveries).unwrap_or_default();
    assert_eq!(deliveries.iter().map(|row| &row.event().tenant).collect::<Vec<_>>(), [&key.tenant]);
    Ok(())
}

pub(crate) async fn a_tenant_with_an_odd_name_has_its_events(store: &mut Subject) -> Done {
    for (n, tenant) in (0..).zip(ODD) {
        let id = format!("e{n}");
        assert_eq!(store.insert(0, vec![event_of(tenant, &id, n, &["a"], 0)]).await, stored(&[Inserted::New]));
    }
    for (n, tenant) in ODD.into_iter().enumerate() {
        assert_eq!(events_of(store, tenant).await?, [format!("e{n}")], "{tenant}");
        assert_eq!(deliveries_of(store, tenant).await?, 1, "{tenant}");
    }
    assert_eq!(store.claim(0, 1).await.claimed.len(), ODD.len());
    Ok(())
}

pub(crate) async fn a_tenant_with_an_odd_name_has_its_endpoints(store: &mut Subject) -> Done {
    for (n, tenant) in ODD.into_iter().enumerate() {
        store.registers(&[of(tenant, &format!("ep{n}"))]).await?;
    }
    for (n, tenant) in ODD.into_iter().enumerate() {
        assert_eq!(subscribed(store, tenant, "a.b").await, [format!("ep{n}")], "{tenant}");
        assert_eq!(list(store, tenant, None, 10).await?.0, [format!("ep{n}")], "{tenant}");
        assert!(delete(store, tenant, &format!("ep{n}")).await?, "{tenant}");
    }
    Ok(())
}

pub(crate) async fn an_odd_idempotency_key_is_found_again(store: &mut Subject) -> Done {
    for (n, key) in (0..).zip(ODD) {
        store.publish(with_key(event(&format!("e{n}"), n, &[], 0), key)).await;
    }
    for (n, key) in (0..).zip(ODD) {
        let again = with_key(event(&format!("f{n}"), n, &[], 0), key);
        assert_eq!(store.insert(0, vec![again]).await, stored(&[duplicate_of(&format!("e{n}"), 0)]), "{key}");
    }
    Ok(())
}

pub(crate) async fn ids_that_differ_in_case_or_by_a_prefix_are_different(store: &mut Subject) -> Done {
    let ids = ["e", "E", "ee", "e-e", "e_e", "-", "_"];
    for (n, id) in (0..).zip(ids) {
        store.publish(event(id, n, &["a", "A", "a_", "a-"], 0)).await;
    }
    assert_eq!(store.claim(0, 1).await.claimed.len(), 28);
    Ok(())
}

pub(crate) async fn ids_are_as_long_as_the_contract_allows(store: &mut Subject) -> Done {
    let [id, to] = ["e", "a"].map(|letter| letter.repeat(64));
    let tenant = "t".repeat(128);
    let key = EventKey { tenant: named(&tenant), id: named(&id) };
    let mut long = event_of(&tenant, &id, 0, &[], 0);
    long.deliveries.push(new_delivery(&key, &to, Start::Due(t(0))));
    store.publish(long).await;
    assert_eq!(rows(&store.claim(0, 1).await), [format!("{id}/{to}")]);
    assert_eq!(events_of(store, &tenant).await?, [id]);
    Ok(())
}
