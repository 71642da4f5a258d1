use proptest::prelude::*;

use super::*;
use crate::endpoint::{DisableReason, Disabled, EndpointStatus, sample};
use crate::id::EventFilter;

fn endpoint(id: &str, tenant: &str) -> Endpoint {
    Endpoint { tenant: tenant.parse().unwrap(), ..sample(id) }
}

fn key(tenant: &str, id: &str) -> EventKey {
    EventKey { tenant: tenant.parse().unwrap(), id: id.parse().unwrap() }
}

fn names(event_type: &str, endpoints: &[Endpoint]) -> Vec<String> {
    let deliveries = fan_out(&key("acme", "evt_1"), &event_type.parse().unwrap(), endpoints, Timestamp::EPOCH);
    deliveries.iter().map(|delivery| delivery.endpoint.to_string()).collect()
}

#[test]
fn another_tenant_s_endpoint_gets_nothing_whatever_the_directory_says() {
    let endpoints = [endpoint("ours", "acme"), endpoint("theirs", "acme2"), endpoint("nobodys", "default")];
    assert_eq!(names("a.b", &endpoints), ["ours"]);
}

#[test]
fn only_a_matching_filter_gets_the_event() {
    let filters = [("all", "*"), ("under", "connection.*"), ("exact", "connection.created"), ("other", "user.*")];
    let endpoints =
        filters.map(|(id, pattern)| Endpoint { filter: EventFilter::new([pattern]).unwrap(), ..endpoint(id, "acme") });
    assert_eq!(names("connection.created", &endpoints), ["all", "under", "exact"]);
    assert_eq!(names("connection.updated", &endpoints), ["all", "under"]);
    assert_eq!(names("a.b", &[]), Vec::<String>::new());
}

#[test]
fn a_disabled_endpoint_s_delivery_is_born_held_with_its_due_time() {
    let disabled = Disabled { reason: DisableReason::Operator, at: Timestamp::EPOCH, by: "ops".into() };
    let endpoints =
        [endpoint("on", "acme"), Endpoint { status: EndpointStatus::Disabled(disabled), ..endpoint("off", "acme") }];
    let due = Timestamp::from_millis(5);
    let deliveries = fan_out(&key("acme", "evt_1"), &"a.b".parse().unwrap(), &endpoints, due);
    assert_eq!(deliveries.iter().map(|new| new.start).collect::<Vec<_>>(), [Start::Due(due), Start::Held(due)]);
}

/// Two deliveries of one id would have made the whole batch fail in a store.
#[test]
fn an_endpoint_listed_twice_gets_one_delivery() {
    assert_eq!(names("a.b", &[endpoint("one", "acme"), endpoint("one", "acme")]), ["one"]);
}

/// Written down, so that a later build names the same delivery: an upgrade must not send again.
#[test]
fn a_delivery_s_id_is_the_same_in_every_build() {
    let id = delivery_id(&key("default", "evt_ck7qhp33c68tov35spng"), &"ep_1".parse().unwrap());
    assert_eq!(id.to_string(), "dlv_0jacdh6lvvtqtac5bfp7ooq2rd22d3vp");
}

#[test]
fn names_that_run_together_alike_have_ids_of_their_own() {
    let triples = [("ab", "c", "d"), ("a", "bc", "d"), ("a", "b", "cd"), ("abc", "d", "d"), ("a", "b", "c")];
    let ids: BTreeSet<_> =
        triples.iter().map(|(tenant, event, id)| delivery_id(&key(tenant, event), &id.parse().unwrap())).collect();
    assert_eq!(ids.len(), triples.len());
}

proptest! {
    #[test]
    fn equal_ids_mean_equal_names(a in "[ab]{1,3}", b in "[ab]{1,3}", c in "[ab]{1,3}", x in "[ab]{1,3}", y in "[ab]{1,3}", z in "[ab]{1,3}") {
        let left = delivery_id(&key(&a, &b), &c.parse().unwrap());
        let right = delivery_id(&key(&x, &y), &z.parse().unwrap());
        prop_assert_eq!(left == right, (a, b, c) == (x, y, z));
    }
}
