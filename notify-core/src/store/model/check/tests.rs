//! That a difference between rows and indexes is found, wherever it is: the simulator relies on it.

use crate::delivery::State;
use crate::id::DeliveryId;
use crate::store::SweepAction;
use crate::testing::kit::sample::{batch, event, named, sweep};
use crate::time::Timestamp;

use super::Model;

/// Two rows of one endpoint that are due, two of another that are held.
fn model() -> Model {
    let mut model = Model::default();
    for (name, to) in [("x", "a"), ("y", "b")] {
        let events = (0..2).map(|n| event(&format!("{name}{n}"), 0, &[to], n));
        model.insert(&batch(0, events.collect()));
    }
    model.sweep(&sweep("b", SweepAction::Hold, 0, 10));
    model
}

/// The first row and the last one: number and id.
fn ends(model: &Model) -> [(u64, DeliveryId); 2] {
    let numbers = &model.deliveries_by_number;
    [numbers.first_key_value(), numbers.last_key_value()].map(|end| end.map(|(number, id)| (*number, *id)).unwrap())
}

/// What is wrong then, and how it comes to that.
type Fault = (&'static str, fn(&mut Model));

#[test]
fn a_sound_model_has_no_difference() {
    assert_eq!(Model::default().check(), Ok(()));
    assert_eq!(model().check(), Ok(()));
}

#[test]
fn a_difference_is_found_wherever_it_is() {
    let faults: [Fault; 11] = [
        ("a row is lost", |model| {
            let [(_, id), _] = ends(model);
            model.deliveries.remove(&id);
        }),
        ("a row has another's id", |model| {
            let [(_, id), (_, other)] = ends(model);
            let row = model.deliveries[&other].delivery.clone();
            model.deliveries.get_mut(&id).unwrap().delivery = row;
        }),
        ("a row has another number", |model| {
            let [(_, id), _] = ends(model);
            model.deliveries.get_mut(&id).unwrap().number += 1000;
        }),
        ("a number is lost", |model| {
            let [(number, _), _] = ends(model);
            model.deliveries_by_number.remove(&number);
        }),
        ("a number names another row", |model| {
            let [(_, id), (number, _)] = ends(model);
            model.deliveries_by_number.insert(number, id);
        }),
        ("a queue lacks a row", |model| {
            model.index.queues.get_mut(&named("a")).unwrap().claimable.pop_first();
        }),
        ("a queue of what is held lacks a row", |model| {
            model.index.queues.get_mut(&named("b")).unwrap().held.pop_first();
        }),
        ("a row is due at another time", |model| {
            let queue = &mut model.index.queues.get_mut(&named("a")).unwrap().claimable;
            let ((at, number), id) = queue.pop_first().unwrap();
            queue.insert((Timestamp::from_millis(at.as_millis() + 7), number), id);
        }),
        ("what is held may be claimed", |model| {
            let queue = model.index.queues.get_mut(&named("b")).unwrap();
            let (place, id) = queue.held.pop_first().unwrap();
            queue.claimable.insert(place, id);
        }),
        ("a row is in another's queue", |model| {
            let (place, id) = model.index.queues.get_mut(&named("a")).unwrap().claimable.pop_first().unwrap();
            model.index.queues.get_mut(&named("b")).unwrap().claimable.insert(place, id);
        }),
        ("a count is wrong", |model| {
            model.index.tally.values_mut().next().unwrap()[State::Held as usize] += 1;
        }),
    ];
    for (what, fault) in faults {
        let mut model = model();
        fault(&mut model);
        assert!(model.check().is_err(), "{what}");
    }
    let mut forgotten = model();
    forgotten.events.values_mut().next().unwrap().deliveries.clear();
    assert!(forgotten.check().is_err(), "an event has forgotten its delivery");
}
