//! Whatever happens, in whatever order: see [`World`] for what is checked after each input.

use proptest::prelude::*;

use crate::delivery::State;
use crate::dispatch::DispatchInput;

use super::fixture::t;
use super::world::{SLOTS, World, acts};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn after_any_faults_every_delivery_ends_and_every_slot_is_free(acts in acts()) {
        let mut world = World::new();
        acts.into_iter().for_each(|act| world.act(act));
        let began = world.now;
        world.heal();
        // The whole retry schedule takes 17 h 35 min: whoever waits longer has lost a wake-up.
        prop_assert!(world.now - began < 86_400_000);
        prop_assert_eq!(world.d.slots.free(), SLOTS);
        prop_assert!(world.d.holds_nothing());
        for delivery in world.deliveries() {
            let ended = !matches!(delivery.state(), State::Scheduled | State::InFlight);
            prop_assert!(ended, "{:?}", delivery);
            let numbers = world.attempts(&delivery.id());
            prop_assert_eq!(&numbers, &(1..=u32::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn after_any_faults_a_stop_with_a_healthy_store_leaves_no_lease_behind(acts in acts()) {
        let mut world = World::new();
        acts.into_iter().for_each(|act| world.act(act));
        let began = world.now;
        let report = world.stop();
        prop_assert!(world.now <= began + 25_000);
        prop_assert_eq!(report.unsettled, 0);
        prop_assert_eq!(world.d.slots.free(), SLOTS);
        for delivery in world.deliveries() {
            // Leases lost before the stop (to a clock that jumped) run out by themselves.
            let lost = delivery.as_stored().lost_leases > 0;
            prop_assert!(delivery.state() != State::InFlight || lost, "{:?}", delivery);
        }
        prop_assert_eq!(world.d.handle(t(world.now), DispatchInput::Wake), vec![]);
    }
}
