//! The directory and its administration.

use std::sync::Arc;

use crate::endpoint::{DisableReason, Disabled, Endpoint};
use crate::id::{EndpointId, EventFilter, TenantId, Version};
use crate::store::{EndpointAdmin, EndpointDirectory, EndpointQuery, MemoryStore, PageRequest, Replaced};

use super::fixture::*;
use crate::endpoint::sample as endpoint;

fn with(endpoints: &[Endpoint]) -> MemoryStore {
    let store = MemoryStore::new();
    endpoints.iter().for_each(|endpoint| run(store.create(endpoint)).unwrap());
    store
}

fn get(store: &MemoryStore, id: &str) -> Option<Arc<Endpoint>> {
    run(store.get(&[id.parse().unwrap()])).unwrap().pop().unwrap()
}

fn subscribed(store: &MemoryStore, tenant: &TenantId, event_type: &str) -> Vec<String> {
    let found = run(store.subscribed(tenant, &event_type.parse().unwrap())).unwrap();
    found.iter().map(|endpoint| endpoint.id.to_string()).collect()
}

fn disabled() -> Disabled {
    Disabled { reason: DisableReason::Operator, at: t(9), by: "me".to_owned() }
}

fn delete(store: &MemoryStore, owner: &TenantId, id: &str) -> bool {
    run(EndpointAdmin::delete(store, owner, &id.parse().unwrap(), t(5))).unwrap()
}

#[test]
fn endpoints_are_read_in_the_order_they_were_asked_for() {
    let store = with(&[endpoint("a"), endpoint("b")]);
    let ids: Vec<EndpointId> = ["b", "x", "a"].map(|id| id.parse().unwrap()).to_vec();
    let found = run(store.get(&ids)).unwrap();
    let shown: Vec<_> = found.iter().map(|found| found.as_ref().map(|endpoint| endpoint.id.to_string())).collect();
    assert_eq!(shown, [Some("b".to_owned()), None, Some("a".to_owned())]);
}

#[test]
fn creating_an_endpoint_again_changes_nothing() {
    let store = with(&[endpoint("a")]);
    run(store.create(&Endpoint { description: "new".to_owned(), ..endpoint("a") })).unwrap();
    assert_eq!(get(&store, "a").unwrap().description, "");
}

#[test]
fn subscribed_finds_the_tenant_s_endpoints_by_filter_disabled_ones_included() {
    let only = EventFilter::new(["b.*"]).unwrap();
    let theirs = Endpoint { tenant: tenant("other"), ..endpoint("c") };
    let store = with(&[endpoint("a"), Endpoint { filter: only, ..endpoint("b") }, theirs]);
    run(store.disable(&"a".parse().unwrap(), &disabled())).unwrap();
    assert_eq!(subscribed(&store, &TenantId::default(), "a.b"), ["a"]);
    assert_eq!(subscribed(&store, &TenantId::default(), "b.c"), ["a", "b"]);
    assert_eq!(subscribed(&store, &tenant("other"), "a.b"), ["c"]);
}

#[test]
fn an_endpoint_is_disabled_once() {
    let store = with(&[endpoint("a")]);
    let disable = |id: &str| run(store.disable(&id.parse().unwrap(), &disabled())).unwrap();
    assert_eq!((disable("a"), disable("a"), disable("x")), (true, false, false));
    let row = get(&store, "a").unwrap();
    assert_eq!((row.is_enabled(), row.version, row.updated_at), (false, Version::new(2), t(9)));
}

#[test]
fn of_two_writers_who_read_the_same_version_the_second_loses() {
    let store = with(&[endpoint("a")]);
    let next =
        |description: &str| Endpoint { description: description.to_owned(), version: Version::new(2), ..endpoint("a") };
    assert_eq!(run(store.replace(Version::FIRST, &next("mine"))).unwrap(), Replaced::Written);
    assert_eq!(run(store.replace(Version::FIRST, &next("theirs"))).unwrap(), Replaced::Stale);
    assert_eq!(get(&store, "a").unwrap().description, "mine");
    assert_eq!(run(store.replace(Version::FIRST, &endpoint("x"))).unwrap(), Replaced::Missing);
}

#[test]
fn a_deleted_endpoint_is_gone_for_good_and_its_deliveries_stay() {
    let store = with(&[endpoint("a")]);
    insert(&store, 0, vec![publish("e", 0, &["a"], 0)]);
    let owner = TenantId::default();
    assert!(!delete(&store, &tenant("other"), "a"), "not another tenant's");
    assert!(delete(&store, &owner, "a"));
    assert!(!delete(&store, &owner, "a"));
    assert_eq!(get(&store, "a"), None);
    assert_eq!(subscribed(&store, &owner, "a.b"), [""; 0]);
    run(store.create(&endpoint("a"))).unwrap();
    assert_eq!(run(store.replace(Version::FIRST, &endpoint("a"))).unwrap(), Replaced::Missing);
    assert!(!run(store.disable(&"a".parse().unwrap(), &disabled())).unwrap());
    assert_eq!(get(&store, "a"), None);
    assert_eq!(rows(&claim(&store, 0, 1)), ["e/a"]);
}

#[test]
fn endpoints_are_listed_newest_first_in_pages_without_deleted_ones() {
    let store = with(&["a", "b", "c", "d"].map(endpoint));
    let owner = TenantId::default();
    delete(&store, &owner, "c");
    let list = |after, limit| {
        let query = EndpointQuery { tenant: TenantId::default(), page: PageRequest { after, limit } };
        let page = run(EndpointAdmin::list(&store, &query)).unwrap();
        (page.items.iter().map(|endpoint| endpoint.id.to_string()).collect::<Vec<_>>(), page.next)
    };
    let (first, next) = list(None, 2);
    assert_eq!(first, ["d", "b"]);
    run(store.create(&endpoint("e"))).unwrap();
    assert_eq!(list(next, 2), (vec!["a".to_owned()], None));
}

#[test]
fn clones_share_their_content_and_debug_shows_none_of_it() {
    let store = MemoryStore::new();
    let clone = store.clone();
    run(clone.create(&endpoint("a"))).unwrap();
    assert!(get(&store, "a").is_some());
    assert_eq!(format!("{store:?}"), "MemoryStore { .. }");
}
