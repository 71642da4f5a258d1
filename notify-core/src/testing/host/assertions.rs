//! What a test says: this was published, that was not, here it arrived.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::delivery::State;
use crate::event::{Event, EventPayload};

use super::log::{published, scene};
use super::report::{Data, data_of, spoken, tell_published};
use super::{Delivered, TestNotify, TestWebhook};

/// Assertions read the store's log. They do not await.
impl TestNotify {
    /// Fails the test unless an event of type `P` was published for which `matches` holds.
    ///
    /// # Panics
    /// There is none; the message lists what was published.
    #[track_caller]
    pub fn assert_published<P: EventPayload + DeserializeOwned>(&self, matches: impl Fn(&P) -> bool) {
        let read = |event: &Event| serde_json::from_str::<P>(data_of(event));
        let unreadable = |event: &Event| read(event).err().map(|error| format!("(unreadable: {error})"));
        self.assert_some_event(P::NAME, |event| read(event).is_ok_and(|payload| matches(&payload)), unreadable);
    }

    /// The same for events that have no type in Rust: `matches` gets their `data`.
    ///
    /// # Panics
    /// There is none; the message lists what was published.
    #[track_caller]
    pub fn assert_published_json(&self, event_type: &str, matches: impl Fn(&Value) -> bool) {
        let holds = |event: &Event| serde_json::from_str(data_of(event)).is_ok_and(|data| matches(&data));
        self.assert_some_event(event_type, holds, |_| None);
    }

    /// Fails the test if an event of type `P` was published.
    ///
    /// # Panics
    /// There is one; the message lists what was published.
    #[track_caller]
    pub fn refute_published<P: EventPayload>(&self) {
        self.refute_published_json(P::NAME);
    }

    /// The same for events that have no type in Rust.
    ///
    /// # Panics
    /// There is one; the message lists what was published.
    #[track_caller]
    pub fn refute_published_json(&self, event_type: &str) {
        self.hands.check_script();
        let mut found = published(&self.hands.engine, &self.tenant);
        found.retain(|published| published.event.event_type.as_str() == event_type);
        if !found.is_empty() {
            let expected = format!("expected no published {event_type}");
            panic!("{}", tell_published(&expected, &found, self.hands.began, |_| None));
        }
    }

    /// Fails the test unless at least one delivery has arrived at the webhook; what it gives back asks for more.
    ///
    /// # Panics
    /// None has; the message shows where its deliveries stand and what to try.
    #[track_caller]
    pub fn assert_delivered(&self, webhook: &TestWebhook) -> Delivered {
        self.hands.check_script();
        let scene = scene(&self.hands.engine, webhook, self.time());
        Delivered::of(scene, self.hands.transport.sent_to(webhook.url()))
    }

    /// Fails the test if a delivery has arrived at the webhook.
    ///
    /// # Panics
    /// One has; the message shows which.
    #[track_caller]
    pub fn refute_delivered(&self, webhook: &TestWebhook) {
        self.hands.check_script();
        let mut scene = scene(&self.hands.engine, webhook, self.time());
        scene.found.retain(|found| found.delivery.state() == State::Delivered);
        if !scene.found.is_empty() {
            panic!("{}", scene.tell(&format!("expected no delivered attempt to {}", scene.url), Data::Shown));
        }
    }

    /// Fails the test unless a delivery to the webhook has failed so far and is due again in exactly `delay` from now.
    ///
    /// # Panics
    /// There is none; the message shows where its deliveries stand.
    #[track_caller]
    pub fn assert_next_retry(&self, webhook: &TestWebhook, delay: Duration) {
        self.hands.check_script();
        let scene = scene(&self.hands.engine, webhook, self.time());
        let due = scene.time.now.saturating_add(delay);
        let retries = scene.found.iter().map(|found| found.delivery.as_stored());
        let mut retries = retries.filter(|row| row.state == State::Scheduled && row.attempts > 0);
        if !retries.any(|row| row.ready_at == Some(due)) {
            panic!("{}", scene.tell(&format!("expected a retry to {} in {}", scene.url, spoken(delay)), Data::Hidden));
        }
    }

    #[track_caller]
    fn assert_some_event(
        &self,
        event_type: &str,
        holds: impl Fn(&Event) -> bool,
        note: impl Fn(&Event) -> Option<String>,
    ) {
        self.hands.check_script();
        let found = published(&self.hands.engine, &self.tenant);
        let named = |event: &Event| event.event_type.as_str() == event_type;
        if !found.iter().any(|published| named(&published.event) && holds(&published.event)) {
            let expected = format!("expected a published {event_type} that matches");
            let note = |event: &Event| note(event).filter(|_| named(event));
            panic!("{}", tell_published(&expected, &found, self.hands.began, note));
        }
    }
}
