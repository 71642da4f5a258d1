//! Pages, counts and pruning.

use crate::delivery::{EventStatus, State};
use crate::store::{
    Cursor, DeliveryLog, DeliveryQuery, EventQuery, MemoryStore, PageRequest, Store, SweepAction, SweepRequest,
};

use super::fixture::*;

fn page(after: Option<Cursor>, limit: u32) -> PageRequest {
    PageRequest { after, limit }
}

fn list(store: &MemoryStore, query: &EventQuery) -> (Vec<String>, Option<Cursor>) {
    let page = run(store.events(query)).unwrap();
    (page.items.iter().map(|record| record.event.key.id.to_string()).collect(), page.next)
}

fn list_deliveries(store: &MemoryStore, query: &DeliveryQuery) -> (Vec<String>, Option<Cursor>) {
    let page = run(store.deliveries(query)).unwrap();
    let shown = page.items.iter().map(|row| format!("{}/{}", row.event().id, row.endpoint()));
    (shown.collect(), page.next)
}

fn prune(store: &MemoryStore, before: i64, limit: u32) -> u32 {
    run(store.prune(t(before), limit)).unwrap().events
}

#[test]
fn events_come_newest_first_in_pages_that_end_without_a_cursor() {
    let store = holding(&["e", "f", "g"], &["a"]);
    let (first, next) = list(&store, &EventQuery { page: page(None, 2), ..EventQuery::default() });
    assert_eq!(first, ["g", "f"]);
    let (second, end) = list(&store, &EventQuery { page: page(next, 2), ..EventQuery::default() });
    assert_eq!((second, end), (vec!["e".to_owned()], None));
}

#[test]
fn a_last_page_that_is_just_full_has_no_cursor() {
    let store = holding(&["e", "f"], &[]);
    assert_eq!(list(&store, &EventQuery { page: page(None, 2), ..EventQuery::default() }).1, None);
}

#[test]
fn rows_inserted_while_somebody_pages_neither_repeat_nor_hide_others() {
    let store = holding(&["e", "f", "g"], &["a"]);
    let (_, next) = list(&store, &EventQuery { page: page(None, 1), ..EventQuery::default() });
    insert(&store, 1, vec![publish("h", 0, &["a"], 0)]);
    let (rest, _) = list(&store, &EventQuery { page: page(next, 10), ..EventQuery::default() });
    assert_eq!(rest, ["f", "e"]);
    let (_, next) = list_deliveries(&store, &DeliveryQuery { page: page(None, 2), ..DeliveryQuery::default() });
    insert(&store, 1, vec![publish("i", 0, &["a"], 0)]);
    let (rest, _) = list_deliveries(&store, &DeliveryQuery { page: page(next, 10), ..DeliveryQuery::default() });
    assert_eq!(rest, ["f/a", "e/a"]);
}

#[test]
fn a_cursor_whose_row_was_pruned_still_names_its_place() {
    let store = holding(&["e", "f", "g"], &[]);
    let (_, next) = list(&store, &EventQuery { page: page(None, 2), ..EventQuery::default() });
    prune(&store, 1, 10);
    insert(&store, 5, vec![publish("h", 0, &[], 0)]);
    assert_eq!(list(&store, &EventQuery { page: page(next, 10), ..EventQuery::default() }), (vec![], None));
}

#[test]
fn a_filtered_page_looks_past_rows_that_do_not_match() {
    let store = holding(&["e", "f", "g", "h"], &["a"]);
    insert(&store, 0, vec![publish("x", 0, &["b"], 0), publish("y", 0, &["b"], 0)]);
    let query = |after| DeliveryQuery {
        endpoint: Some("a".parse().unwrap()),
        page: page(after, 3),
        ..DeliveryQuery::default()
    };
    let (first, next) = list_deliveries(&store, &query(None));
    assert_eq!(first, ["h/a", "g/a", "f/a"]);
    assert_eq!(list_deliveries(&store, &query(next)), (vec!["e/a".to_owned()], None));
}

#[test]
fn events_are_found_by_status_endpoint_type_and_time() {
    let store = holding(&["e"], &["a"]);
    deliver_all(&store, 0, 1);
    insert(&store, 10, vec![publish("f", 0, &["a", "b"], 10)]);
    insert(&store, 20, vec![publish("g", 0, &[], 20)]);
    let found = |query: EventQuery| list(&store, &query).0;
    let base = EventQuery::default;
    assert_eq!(found(EventQuery { status: Some(EventStatus::Delivered), ..base() }), ["e"]);
    assert_eq!(found(EventQuery { status: Some(EventStatus::Pending), ..base() }), ["f"]);
    assert_eq!(found(EventQuery { status: Some(EventStatus::NoEndpoint), ..base() }), ["g"]);
    assert_eq!(found(EventQuery { endpoint: Some("a".parse().unwrap()), ..base() }), ["f", "e"]);
    assert_eq!(found(EventQuery { event_type: Some("a.c".parse().unwrap()), ..base() }), [""; 0]);
    assert_eq!(found(EventQuery { since: Some(t(10)), ..base() }), ["g", "f"]);
    assert_eq!(found(EventQuery { until: Some(t(10)), ..base() }), ["e"]);
}

#[test]
fn deliveries_are_found_by_state_type_and_time() {
    let store = holding(&["e"], &["a"]);
    deliver_all(&store, 0, 1);
    insert(&store, 10, vec![publish("f", 0, &["a"], 10)]);
    let found = |query: DeliveryQuery| list_deliveries(&store, &query).0;
    let base = DeliveryQuery::default;
    assert_eq!(found(DeliveryQuery { state: Some(State::Delivered), ..base() }), ["e/a"]);
    assert_eq!(found(DeliveryQuery { event_type: Some("a.b".parse().unwrap()), ..base() }), ["f/a", "e/a"]);
    assert_eq!(found(DeliveryQuery { since: Some(t(10)), ..base() }), ["f/a"]);
    assert_eq!(found(DeliveryQuery { until: Some(t(10)), ..base() }), ["e/a"]);
}

#[test]
fn no_tenant_sees_another_s_rows() {
    let store = holding(&["e"], &["a"]);
    assert_eq!(list(&store, &EventQuery { tenant: tenant("other"), ..EventQuery::default() }).0, [""; 0]);
    assert_eq!(list_deliveries(&store, &DeliveryQuery { tenant: tenant("*"), ..DeliveryQuery::default() }).0, [""; 0]);
    assert_eq!(run(store.stats(Some(&tenant("other")), t(0))).unwrap().by_state.len(), 0);
}

#[test]
fn the_counts_follow_every_change_of_state() {
    let store = holding(&["e", "f", "g"], &["a"]);
    let counts = || {
        let stats = run(store.stats(None, t(0))).unwrap();
        stats.by_state.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(counts(), [(State::Scheduled, 3)]);
    let batch = claim_free(&store, 0, 1, 2, (8, &[]));
    assert_eq!(counts(), [(State::Scheduled, 1), (State::InFlight, 2)]);
    apply(&store, &[delivered(&batch.claimed[0].delivery, 1, 5), handed_back(&batch.claimed[1].delivery, 2, 5)]);
    assert_eq!(counts(), [(State::Scheduled, 2), (State::Delivered, 1)]);
    let hold = SweepRequest { endpoint: "a".parse().unwrap(), action: SweepAction::Hold, now: t(0), limit: 1 };
    run(store.sweep(&hold)).unwrap();
    assert_eq!(counts(), [(State::Scheduled, 1), (State::Delivered, 1), (State::Held, 1)]);
    assert_eq!(prune(&store, 6, 10), 1);
    assert_eq!(counts(), [(State::Scheduled, 1), (State::Held, 1)]);
}

#[test]
fn the_oldest_due_time_is_that_of_a_scheduled_row() {
    let store = MemoryStore::new();
    let oldest = || run(store.stats(None, t(0))).unwrap().oldest_due;
    assert_eq!(oldest(), None);
    insert(&store, 0, vec![publish("e", 0, &["a"], 30), publish("f", 0, &["b"], 20)]);
    assert_eq!(oldest(), Some(t(20)));
    claim_free(&store, 20, 1, 1, (8, &[]));
    assert_eq!(oldest(), Some(t(30)), "a leased row is not late");
}

#[test]
fn an_event_is_pruned_once_all_its_deliveries_have_ended_before_the_time() {
    let store = holding(&["e"], &["a", "b"]);
    let batch = claim(&store, 0, 1);
    apply(&store, &[delivered(&batch.claimed[0].delivery, 1, 50)]);
    assert_eq!(prune(&store, 1000, 10), 0, "one is open");
    apply(&store, &[delivered(&batch.claimed[1].delivery, 2, 60)]);
    assert_eq!(prune(&store, 60, 10), 0, "one ended then, not before");
    assert_eq!(prune(&store, 61, 10), 1);
    assert_eq!(run(store.event(&key("e"))).unwrap(), None);
    assert_eq!(run(store.load(&[dlv("e", "a"), dlv("e", "b")])).unwrap(), []);
    assert_eq!(run(store.attempts(&dlv("e", "a"))).unwrap(), []);
    assert_eq!(claim(&store, 10_000, 2).next_ready_at, None);
}

#[test]
fn held_rows_keep_their_event() {
    let store = holding(&["e"], &["a"]);
    let hold = SweepRequest { endpoint: "a".parse().unwrap(), action: SweepAction::Hold, now: t(0), limit: 1 };
    run(store.sweep(&hold)).unwrap();
    assert_eq!(prune(&store, 1_000_000, 10), 0);
}

#[test]
fn an_event_without_deliveries_is_pruned_by_the_time_of_its_publish() {
    let store = MemoryStore::new();
    insert(&store, 100, vec![publish("e", 0, &[], 0)]);
    assert_eq!(prune(&store, 100, 10), 0);
    assert_eq!(prune(&store, 101, 10), 1);
}

#[test]
fn pruning_goes_in_steps_oldest_first() {
    let store = holding(&["e", "f", "g"], &[]);
    assert_eq!(prune(&store, 1, 2), 2);
    assert_eq!(list(&store, &EventQuery::default()).0, ["g"]);
    assert_eq!((prune(&store, 1, 2), prune(&store, 1, 2)), (1, 0));
}

#[test]
fn a_pruned_event_s_id_and_key_are_free_again() {
    let store = MemoryStore::new();
    insert(&store, 0, vec![with_key(publish("e", 0, &[], 0), "k")]);
    prune(&store, 1, 10);
    let again = insert(&store, 2, vec![with_key(publish("e", 9, &[], 0), "k")]);
    assert_eq!(again, crate::store::InsertOutcome::Stored(vec![crate::store::Inserted::New]));
}
