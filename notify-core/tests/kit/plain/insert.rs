//! Insert and attach.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use notify_core::delivery::{Delivery, NewDelivery, Start};
use notify_core::event::{Event, EventKey, Purpose};
use notify_core::id::IdempotencyKey;
use notify_core::store::{InsertOutcome, Inserted, PublishBatch, PublishedEvent, StoreError};
use notify_core::{TenantId, Timestamp};

use super::{EventRow, Fault, Health, Row, Tables};

impl Tables {
    /// What becomes of each event; with the conflict come the answers before it.
    pub(super) fn judge(&self, batch: &PublishBatch) -> Result<Vec<Inserted>, (InsertOutcome, Vec<Inserted>)> {
        let mut answers: Vec<Inserted> = Vec::new();
        for (index, published) in batch.events.iter().enumerate() {
            let new = || batch.events[..index].iter().zip(&answers).filter(|(_, answer)| **answer == Inserted::New);
            let key = self.key_of(published);
            let seen = |first: &PublishedEvent| {
                let pairs: BTreeSet<_> = first.deliveries.iter().map(|new| new.id).collect();
                (first.event.key.id.clone(), first.fingerprint, pairs.len())
            };
            let by_id = new().find(|(first, _)| first.event.key == published.event.key).map(|(first, _)| seen(first));
            let by_id = by_id.or_else(|| self.stored(&published.event.key));
            let by_key = || {
                let key = key.as_ref()?;
                let first = new().find(|(first, _)| self.key_of(first).as_ref() == Some(key));
                first.map(|(first, _)| seen(first)).or_else(|| {
                    let id = self.keys.get(key)?.clone();
                    self.stored(&EventKey { tenant: published.event.key.tenant.clone(), id: id.clone() })
                        .or(Some((id, [0; 32], 0)))
                })
            };
            let many = || batch.events.iter().any(|other| other.event.key.tenant != published.event.key.tenant);
            let existing = match self.has(Fault::KeysFirstAmongMany) && many() {
                true => by_key().or(by_id),
                false => by_id.or_else(by_key),
            };
            let answer = match existing {
                None => Inserted::New,
                Some((first, print, deliveries)) if print == published.fingerprint => {
                    Inserted::Duplicate { first, deliveries }
                }
                Some((existing, ..)) => return Err((InsertOutcome::Conflict { index, existing }, answers)),
            };
            answers.push(answer);
        }
        Ok(answers)
    }

    fn stored(&self, key: &EventKey) -> Option<(notify_core::EventId, [u8; 32], usize)> {
        let row = self.events.get(self.event_numbers.get(key)?)?;
        Some((key.id.clone(), row.fingerprint, self.rows.values().filter(|row| row.event.key == *key).count()))
    }

    fn key_of(&self, published: &PublishedEvent) -> Option<Vec<String>> {
        published.idempotency_key.as_ref().map(|key| self.joined(&published.event.key.tenant, key))
    }

    fn joined(&self, tenant: &TenantId, key: &IdempotencyKey) -> Vec<String> {
        if self.has(Fault::JoinsTenantAndKey) {
            return vec![format!("{tenant}:{key}")];
        }
        let key = if self.has(Fault::TakesKeysInAnyCase) { key.as_str().to_lowercase() } else { key.to_string() };
        vec![tenant.to_string(), key]
    }

    pub(super) fn write_batch(&mut self, batch: &PublishBatch, answers: &[Inserted]) {
        if self.has(Fault::ADuplicateAddsDeliveries) {
            for published in &batch.events {
                let _ = self.attach(&published.event.key, &published.deliveries);
            }
        }
        for (published, _) in batch.events.iter().zip(answers).filter(|(_, answer)| **answer == Inserted::New) {
            let mut event = Arc::clone(&published.event);
            if self.has(Fault::CutsBodiesAtNul) {
                let cut = event.body.iter().position(|byte| *byte == 0).unwrap_or(event.body.len());
                event = Arc::new(Event { body: Bytes::copy_from_slice(&event.body[..cut]), ..Event::clone(&event) });
            }
            let number = self.next_number();
            let key = self.key_of(published);
            self.keys.extend(key.clone().map(|key| (key, event.key.id.clone())));
            self.event_numbers.insert(event.key.clone(), number);
            let (fingerprint, purpose, created_at) = (published.fingerprint, published.purpose, batch.now);
            let idempotency_key = published.idempotency_key.clone();
            let row = EventRow { event: Arc::clone(&event), fingerprint, key, idempotency_key, purpose, created_at };
            self.events.insert(number, row);
            for new in &published.deliveries {
                self.write_delivery(&event, purpose, new, created_at);
            }
        }
        self.writes += 1;
    }

    /// Whether it is new.
    fn write_delivery(
        &mut self,
        event: &Arc<Event>,
        purpose: Purpose,
        new: &NewDelivery,
        created_at: Timestamp,
    ) -> bool {
        if self.numbers.contains_key(&new.id) && !self.has(Fault::AttachWritesOverWhatExists) {
            return false;
        }
        let number = self.next_number();
        if let Some(old) = self.numbers.insert(new.id, number) {
            self.rows.remove(&old);
        }
        self.forgotten.remove(&new.endpoint);
        let mut new = new.clone();
        if let (Start::Held(at), true) = (new.start, self.has(Fault::BearsHeldRowsScheduled)) {
            new.start = Start::Due(at);
        }
        let delivery = Delivery::begin(event.key.clone(), &new, created_at);
        let row = Row { delivery, event: Arc::clone(event), purpose, attempts: Vec::new(), health: Health::Sound };
        self.rows.insert(number, row);
        true
    }

    pub(super) fn attach(&mut self, key: &EventKey, deliveries: &[NewDelivery]) -> Result<usize, StoreError> {
        let row = self.event_numbers.get(key).and_then(|number| self.events.get(number));
        let row = row.ok_or(StoreError::UnknownEvent)?;
        let (event, purpose, created_at) = (Arc::clone(&row.event), row.purpose, row.created_at);
        self.writes += 1;
        Ok(deliveries.iter().filter(|new| self.write_delivery(&event, purpose, new, created_at)).count())
    }
}
